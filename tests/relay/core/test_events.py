"""Values that cannot be nonsense."""

from collections.abc import Callable

import pytest

from relay.core import actions, events
from relay.core.transcript import Speaker, Turn


@pytest.mark.parametrize(
    "make",
    [
        lambda: events.CallStarted("", "MZ1"),
        lambda: events.DigitPressed("12"),
        lambda: events.DigitPressed("x"),
        lambda: events.VoiceStarted(-1),
        lambda: events.VoiceStopped(-1),
        lambda: events.InterimHeard("", 0.5, 0, 1),
        lambda: events.InterimHeard("a", 1.5, 0, 1),
        lambda: events.FinalHeard("a", 0.5, 2, 1),
        lambda: events.FinalHeard("a", float("nan"), 0, 1),
        lambda: events.ReplyText(1, "  "),
        lambda: events.KeysRequested(1, ""),
        lambda: events.KeysRequested(1, "call home"),
        lambda: events.AskRequested(1, ""),
        lambda: events.SegmentSent("1.1", float("inf")),
        lambda: events.SegmentSent("1.1", -1.0),
        lambda: events.PersonAnswered("1", ""),
        lambda: actions.Speak("1.1", ""),
        lambda: actions.StartReply(0, ()),
        lambda: actions.PressKeys("1.1", "x"),
        lambda: Turn(0, Speaker.CALLEE, "a", 0, 1),
        lambda: Turn(1, Speaker.CALLEE, "a", 2, 1),
    ],
)
def test_constructors_refuse_nonsense(make: Callable[[], object]) -> None:
    """If this fails an impossible value reaches the core, which then has to guard against it everywhere."""
    with pytest.raises(ValueError, match="1 validation error"):
        make()


def test_values_are_frozen() -> None:
    """If this fails a trace can change after it was recorded."""
    with pytest.raises(AttributeError):
        events.ReplyFinished(1).reply_id = 2  # type: ignore[misc]
