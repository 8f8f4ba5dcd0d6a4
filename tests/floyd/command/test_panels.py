"""What people see: every part of a plan and of a result, and nothing that markup in a value could hide."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType

from floyd.command import panels
from floyd.documents import Live, Status
from tests.floyd.command.views import NOW, flowers, turn


def shown(what: RenderableType) -> str:
    console = Console(width=100, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_the_plan_shows_whom_it_rings_and_how_far_it_may_go() -> None:
    """If this fails people cannot stop a wrong call before it is made."""
    request = flowers().request
    assert request is not None

    text = shown(panels.plan_panel(request))

    for part in ("Order roses for Christa.", "+12125550143 (from your facts)", "up to 80 USD", "nothing about you"):
        assert part in text


def test_the_result_shows_proof_tasks_and_what_was_told() -> None:
    """If this fails a claim looks proved that is not, or a promise is forgotten."""
    text = shown(panels.result_panel(flowers()))

    for part in ("✓ A small bouquet costs 75 dollars.", "[turn 6]", "? It comes on Friday.", "not proved"):
        assert part in text
    for part in ("Be at home", "thursday", "christa_address (turn 7)", "turn gap p50 500 ms", "cost 0.000 dollars"):
        assert part in text


def test_stages_without_a_time_stay_empty() -> None:
    """If this fails a stage that never happened looks like one that took no time."""
    text = shown(panels.stages_table(flowers()))

    assert "413" in text
    assert "·" in text


def test_a_cut_turn_and_its_gap_are_marked() -> None:
    """If this fails nobody sees that the callee interrupted."""
    view = flowers()
    view = replace(view, turns={**view.turns, 2: view.turns[2].model_copy(update={"cut": True})})

    assert "I am calling to order roses. — interrupted   500 ms" in shown(panels.turn_text(view, 2))


def test_the_words_of_this_moment_appear_one_by_one_and_vanish_at_the_end() -> None:
    """If this fails the live line jumps, or goes on talking after the call."""
    live = Live(seq=8, speaker="callee", interim="thank you and what", updated_at=NOW)
    request = flowers().request
    assert request is not None
    talking = flowers(live=live, request=request.model_copy(update={"status": Status.TALKING}))

    assert "callee thank you ▏" in shown(panels.present_text(talking, 2))
    assert shown(panels.present_text(flowers(live=live), 2)).strip() == ""


def test_a_hold_shows_how_long() -> None:
    """If this fails the person does not see what they pay for, nor why nothing is said."""
    since = datetime.now(UTC) - timedelta(minutes=12, seconds=30)
    live = Live(line="hold", line_since=since, interim="your call is important", updated_at=NOW)
    request = flowers().request
    assert request is not None
    held = flowers(live=live, request=request.model_copy(update={"status": Status.TALKING}))

    assert re.search(r"on hold 12:3\d", shown(panels.present_text(held, 2)))


def test_a_turn_under_way_is_shown_as_planned_and_told_when_it_is_over() -> None:
    """If this fails Floyd's words appear only after they were spoken, or stay half a sentence."""
    view = flowers()
    assert view.request is not None
    speaking = turn("floyd", "Yes please.", 24000, 25000, planned="Yes please. Thank you very much.")
    view = replace(
        view,
        request=view.request.model_copy(update={"status": Status.TALKING}),
        turns={**view.turns, 8: speaking},
    )

    assert "floyd Yes please. Thank you ▏" in shown(panels.present_text(view, 4))
    assert view.settled(7)
    assert not view.settled(8)


def test_markup_in_a_value_is_only_text() -> None:
    """If this fails a callee can hide words on the person's screen."""
    request = flowers().request
    assert request is not None
    assert request.plan is not None
    request.plan.goal = "[bold red]hidden[/] goal"

    assert "[bold red]hidden[/] goal" in shown(panels.plan_panel(request))
