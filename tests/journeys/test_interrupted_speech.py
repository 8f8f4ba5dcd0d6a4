"""Somebody stops listening while Floyd speaks: what counts as told is what reached the ear."""

import re

import pytest

from floyd.command.errand import ErrandView
from floyd.documents import Turn
from tests.journeys.library import NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.words import spoken

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)

# Long enough to be interrupted after five seconds.
NEWS = "Tell Oak Library that my book will be back tomorrow"


def test_a_callee_who_hangs_up_mid_sentence_ends_the_errand(town: Town) -> None:
    """If this fails a hang-up leaves a request without an end, or a transcript that claims more than was heard."""
    oak = library(town, lines=[{"hang_up_after_s": 5.0}])
    view = reader(town, oak).request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.outcome is not None
    assert view.request.outcome.category == "unconfirmed"
    assert not any(claim.proved for claim in view.request.outcome.claims)
    assert view.calls[1].end_reason == "callee_hung_up"
    assert len(oak.rings()) == 1
    (opening,) = by_floyd(view)
    assert_cut(opening, oak.heard())


def test_the_transcript_holds_what_an_interrupting_callee_heard(town: Town) -> None:
    """If this fails Floyd and the person believe that something was said which nobody heard."""
    interruption = {"interrupt_after_s": 5.0, "say": "sorry i did not hear that can you say it again"}
    oak = library(town, lines=[interruption, {"say": NOTED, "hang_up": True}])
    view = reader(town, oak).request(NEWS).wait_until(finished, DEADLINE_S)

    cut, *whole = by_floyd(view)
    before, _, _ = oak.heard().partition(spoken(whole[0].heard))
    assert_cut(cut, before)
    assert not any(turn.cut for turn in whole)


def by_floyd(view: ErrandView) -> list[Turn]:
    return [turn for turn in view.turns.values() if turn.speaker == "floyd"]


def assert_cut(turn: Turn, ear: str) -> None:
    """The turn is marked as cut; every sentence of it that reached the ear whole counts as heard, and no other."""
    assert turn.cut
    assert turn.planned is not None
    sentences = [spoken(sentence) for sentence in re.split(r"(?<=[.?!]) ", turn.planned)]
    reached = ear.strip().removesuffix("<garbled>").strip()
    assert " ".join(sentences).startswith(reached)
    whole = [place for place in range(len(sentences) + 1) if reached.startswith(" ".join(sentences[:place]))]
    assert spoken(turn.heard) == " ".join(sentences[: whole[-1]])
    assert spoken(turn.heard) != reached
