"""The shop asks more than the person allowed: Floyd agrees to nothing, asks, and rings back with the answer."""

import pytest

from floyd import lines
from floyd.command.errand import ErrandView
from floyd.documents import Status
from tests.journeys.town import DEADLINE_S, Callee, Requester, Town, finished, has_status
from tests.journeys.words import agreements, spoken

pytestmark = pytest.mark.timeout(3 * DEADLINE_S)

ANSWER = "No, 80 dollars at most"
IN_A_HURRY = {"say": "i cannot wait please call me back goodbye"}


def shop(town: Town, *meanwhile: dict[str, str]) -> Callee:
    """Asks 560 dollars, does not wait for an answer, and to whoever rings again offers a bouquet for 75."""
    return town.callee(
        greeting="hello rose flower shop",
        again="small",
        again_greeting="hello again",
        lines=[
            {"say": "that is five hundred and sixty dollars is that all right"},
            *meanwhile,
            {"hang_up": True},
            {"label": "small", "say": "i also have a small bouquet for seventy five dollars would you like that"},
            {"say": "so that is seventy five dollars and your order is confirmed goodbye", "hang_up": True},
        ],
    )


def customer(callee: Callee, town: Town) -> Requester:
    """Somebody who wants flowers from this shop."""
    person = town.requester()
    person.knows(flower_shop_name="Rose Flower Shop", flower_shop_number=callee.number, christa_address="12 Oak Street")
    return person


def test_the_person_decides_and_floyd_rings_back_within_the_limit(town: Town) -> None:
    """If this fails Floyd spends more than it may, leaves the person unasked, or forgets to ring back."""
    polite, rude = shops = shop(town, IN_A_HURRY), shop(town)
    by_app, by_text = (customer(each, town) for each in shops)
    errands = [person.request("Order Christa some roses, up to 80 dollars") for person in (by_app, by_text)]

    for person, errand, callee in zip((by_app, by_text), errands, shops, strict=True):
        refused(errand.wait_until(has_status(Status.WAITING), DEADLINE_S), callee)
        (asked,) = person.texts()
        assert "560" in asked
    assert spoken(lines.BAIL) in polite.heard()
    assert spoken(lines.BAIL) not in rude.heard()

    by_app.answer(errands[0], ANSWER)
    by_text.text(ANSWER)

    for via, errand, callee in zip(("app", "sms"), errands, shops, strict=True):
        view = errand.wait_until(finished, DEADLINE_S)
        completed(view, callee)
        assert {question.via for question in view.questions.values()} == {via}


def refused(view: ErrandView, callee: Callee) -> None:
    """After the first call: nothing was agreed, and a question is open."""
    assert not agreements(callee.heard())
    assert view.open_question is not None


def completed(view: ErrandView, callee: Callee) -> None:
    """After the second: the small bouquet was ordered, and the dear one never."""
    assert view.request is not None
    assert view.request.outcome is not None
    assert view.request.status is Status.DONE, view.request.outcome
    assert len(callee.rings()) == len(view.calls) == 2
    second = callee.heard(1)
    assert "calling back" in second
    assert "75 dollars is fine" in second
    assert "560" not in second
    proved = [claim.text for claim in view.request.outcome.claims if claim.proved]
    assert any("seventy five" in claim or "75" in claim for claim in proved)
    assert not any("five hundred" in claim or "560" in claim for claim in proved)
