"""Why a call ended, as far as the conversation can know it."""

from enum import StrEnum


class Outcome(StrEnum):
    """Whether the errand succeeded is judged later, from the transcript; this says only how the talking stopped."""

    DONE = "done"  # both sides said goodbye, or the model found nothing left to do
    CALLEE_HUNG_UP = "callee_hung_up"  # the callee ended the call before a goodbye of ours
    NEEDS_ANSWER = "needs_answer"  # the person did not answer while the callee waited; we call back with the answer
    DO_NOT_CALL = "do_not_call"  # the callee does not want calls; honoured at once
    NO_ANSWER = "no_answer"  # somebody or something picked up and never spoke
    NO_PROGRESS = "no_progress"  # the talk went round in circles
    VOICEMAIL_LEFT = "voicemail_left"
    VOICEMAIL_NO_MESSAGE = "voicemail_no_message"
    HOLD_LIMIT = "hold_limit"  # nobody came back for longer than the person wants to pay for
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"  # a fax or modem
    NUMBER_INVALID = "number_invalid"  # the network announced that the number does not exist
    TIME_LIMIT = "time_limit"
    COST_LIMIT = "cost_limit"
    CANCELLED = "cancelled"
    REFUSED_BY_POLICY = "refused_by_policy"  # the operator stopped all calls
    VENDOR_FAILED = "vendor_failed"  # model, voice or recogniser failed for longer than a callee can be kept waiting
    LINE_FAILED = "line_failed"  # the media stream broke; the carrier may open another
    HANDED_OVER = "handed_over"  # the call goes on at another relay
