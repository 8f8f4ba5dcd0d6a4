"""What can be made to go wrong on purpose (`PUT /control/faults` replaces the whole set)."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from standins.control import Closed

Request = Literal["create", "fetch", "update", "list", "message"]


class Faults(Closed):
    """All quiet by default. Counts run down to zero as they strike."""

    on: Request = "create"  # which REST request the next three strike
    accept_then_drop: NonNegativeInt = 0
    """The next N such requests are carried out, and the connection dies without an answer."""
    drop_before_accept: NonNegativeInt = 0  # the next N such requests die without having any effect
    status: Literal[429, 500, 502, 503] | None = None
    status_times: NonNegativeInt = 1
    status_acts: bool = False
    """The next `status_times` such requests get `status`, carried out all the same when `status_acts`."""

    queue_s: NonNegativeFloat = 0  # every new call waits this long as `queued`
    calls_per_second: NonNegativeFloat = 0
    """Twilio starts one call a second by default and queues the rest; 0 means no limit."""

    duplicate_callbacks: NonNegativeInt = 0  # each status callback is sent this many times more
    reorder_callbacks: bool = False  # status callbacks are sent in pairs, the later one first
    suppress_callbacks: bool | list[str] = False  # all of them, or those with one of these CallStatus values
    delay_callbacks_s: NonNegativeFloat = 0

    suppress_marks: bool = False
    abnormal_drop: Literal["continue", "end"] = "continue"
    """After a stream that died without a close frame: the next verb, or the end of the call."""
    throttle_bytes_s: int | None = Field(default=None, gt=0)  # how fast a stream's socket is read

    def strike(self, request: Request) -> Literal["accept_then_drop", "drop_before_accept", "status"] | None:
        """The fault that hits this REST request, if any, used up by one."""
        if request == self.on and self.drop_before_accept:
            self.drop_before_accept -= 1
            return "drop_before_accept"
        if request == self.on and self.accept_then_drop:
            self.accept_then_drop -= 1
            return "accept_then_drop"
        if request == self.on and self.status and self.status_times:
            self.status_times -= 1
            return "status"
        return None

    def suppresses(self, call_status: str) -> bool:
        """Whether a status callback with this CallStatus is lost."""
        chosen = self.suppress_callbacks
        return chosen if isinstance(chosen, bool) else call_status in chosen
