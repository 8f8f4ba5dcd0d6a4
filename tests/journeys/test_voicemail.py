"""A tape answers: it gets the approved message after its greeting, and the line is free again."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Callee, Town, finished

pytestmark = pytest.mark.timeout(3 * DEADLINE_S)

MESSAGE = "this is an ai assistant calling for tom baker please call back when you can thank you"
RECORDING = {"wait_for": "nothing", "pause_s": 40, "hang_up": True}


def test_the_message_is_left_once_with_and_without_a_beep(town: Town) -> None:
    """If this fails a tape holds half a message, the errand's private details, or a talk with itself."""
    tapes: dict[str, Callee] = {
        "beep": town.callee("voicemail"),
        "quiet": library(
            town, greeting="hi you have reached oak library please leave a message", lines=[RECORDING], patience_s=60
        ),
    }
    errands = [reader(town, tape).request(NEWS) for tape in tapes.values()]

    for tape, errand in zip(tapes.values(), errands, strict=True):
        view = errand.wait_until(finished, DEADLINE_S)
        assert view.request is not None
        assert view.request.status is Status.DONE
        assert view.request.outcome is not None
        assert view.request.outcome.category == "voicemail_left"
        assert view.calls[1].line == "voicemail"
        assert tape.heard() == MESSAGE
        assert len(tape.rings()) == 1
