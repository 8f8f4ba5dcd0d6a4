"""Something the person did not say: asked before the call if the plan sees it coming, during the call if not."""

import pytest

from floyd import lines
from floyd.documents import Status
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.words import spoken

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_what_the_plan_misses_is_asked_before_anybody_is_rung(town: Town) -> None:
    """If this fails Floyd rings without knowing what it needs, or rings and does not tell what it was told."""
    shop = town.callee(
        greeting="hello rose flower shop",
        lines=[
            {"say": "that is fifty dollars what is the delivery address"},
            {"say": "thank you your order is confirmed goodbye", "hang_up": True},
        ],
    )
    tom = town.requester()
    tom.knows(flower_shop_name="Rose Flower Shop", flower_shop_number=shop.number)

    errand = tom.request("Order Christa some roses, up to 80 dollars")
    view = errand.wait_until(lambda view: view.open_question is not None, DEADLINE_S)
    assert view.open_question is not None
    assert "delivery address" in view.open_question[1].text
    assert shop.rings() == []
    tom.answer(errand, "12 Oak Street")
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE, view.request.outcome
    assert len(shop.rings()) == 1
    assert "12 oak street" in shop.heard()
    view = errand.wait_until(lambda view: bool(view.disclosures), DEADLINE_S)
    assert "delivery_address" in {told.fact for told in view.disclosures}
    # The question went to the person's phone as well.
    assert any("delivery address" in text for text in tom.texts())


def test_what_only_the_callee_asks_is_asked_while_they_are_kept_company(town: Town) -> None:
    """If this fails Floyd invents an answer, or lets the callee wait in silence."""
    school = town.callee(
        greeting="hello lincoln elementary school",
        lines=[
            {
                "say": "what is her date of birth please",
                "when": [{"hears": ["moment"], "say": "sure", "then": "stay", "patience_s": 30}],
            },
            {"say": "okay i have written it down thank you for letting us know goodbye", "hang_up": True},
        ],
    )
    tom = town.requester()
    tom.knows(school_name="Lincoln Elementary", school_number=school.number, child_name="Mara Baker")

    errand = tom.request("Tell Mara's school that she is sick today")
    errand.wait_until(lambda view: any(turn.heard in lines.COMPANY for turn in view.turns.values()), DEADLINE_S)
    tom.answer(errand, "May 4th 2017")
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE, view.request.outcome
    assert len(school.rings()) == 1
    before, _, after = school.heard().partition(spoken(lines.COMPANY[0]))
    assert "2017" not in before
    assert "may 4th 2017" in after
