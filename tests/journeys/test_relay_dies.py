"""The process that holds a call goes away in the middle of it."""

import signal

import pytest

from floyd.documents import Status
from tests.journeys.library import NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
LINES = ["which book is it please", NOTED]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_call_goes_on_at_the_other_relay(town: Town, trouble: Trouble, how: signal.Signals) -> None:
    """If this fails a crash or a roll-out of a relay cuts a callee off, or makes Floyd forget what was said."""
    lines = [{"say": line, "hang_up": line == NOTED} for line in LINES]
    # Patient enough for Floyd to speak first after the break.
    callee = library(town, lines=lines, quiet_s=2.0)
    person = reader(town, callee)
    person.knows(book_name="purple heron")
    errand = person.request("Tell Oak Library that my book is lost")
    told = errand.wait_until(lambda view: any(turn.heard == LINES[0] for turn in view.turns.values()), DEADLINE_S)

    held_by = told.calls[1].relay_url
    assert held_by is not None
    part = f"relay-{town.stack.running.relays.index(held_by) + 1}"
    code = trouble.kill(part, how)
    view = errand.wait_until(finished, DEADLINE_S)

    assert code == (-signal.SIGKILL if how is signal.SIGKILL else 0)
    assert view.request is not None
    assert view.request.status is Status.DONE
    assert len(callee.rings()) == 1
    assert (view.calls[1].epoch, view.calls[1].hops) == (2, 1)
    assert view.calls[1].relay_url not in (None, held_by)
    # Floyd does not wait to be asked again, unless the answer was out before the relay went.
    before, resumed, after = callee.heard().partition("tom baker again")
    assert resumed
    assert after or "it is purple heron" in before
    # The same conversation: what was known before is still there, and nothing that was said to a relay is missing.
    for seq, turn in told.turns.items():
        if seq < max(told.turns):
            assert view.turns[seq] == turn
    began = [turn.start_ms for turn in view.turns.values()]
    assert began == sorted(began)
    spoken = [turn.heard for turn in view.turns.values() if turn.speaker == "callee"]
    assert [line for line in callee.said() if line in spoken] == callee.said()
