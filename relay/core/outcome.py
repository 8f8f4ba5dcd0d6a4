"""Why a call ended, as far as the conversation can know it."""

from enum import StrEnum


class Outcome(StrEnum):
    """Whether the errand succeeded is judged later, from the transcript; this says only how the talking stopped."""

    DONE = "done"
    """Both sides said goodbye, or the model found nothing left to do."""
    CALLEE_HUNG_UP = "callee_hung_up"
    """The callee ended the call before a goodbye of ours."""
    NEEDS_ANSWER = "needs_answer"
    """The person did not answer while the callee waited; we call back with the answer."""
    DO_NOT_CALL = "do_not_call"
    """The callee does not want calls; honoured at once."""
    NO_ANSWER = "no_answer"
    """Somebody or something picked up and never spoke."""
    NO_PROGRESS = "no_progress"
    """The talk went round in circles."""
    TIME_LIMIT = "time_limit"
    COST_LIMIT = "cost_limit"
    CANCELLED = "cancelled"
    REFUSED_BY_POLICY = "refused_by_policy"
    """The operator stopped all calls."""
    VENDOR_FAILED = "vendor_failed"
    """Model, voice or recogniser failed for longer than a callee can be kept waiting."""
    LINE_FAILED = "line_failed"
    """The media stream broke; the carrier may open another."""
    HANDED_OVER = "handed_over"
    """The call goes on at another relay."""
