"""A finished errand as its owner sees it, for tests of what is shown and judged."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from floyd.command.errand import ErrandView
from floyd.documents import Call, CallStatus, Disclosure, Gap, Question, Request, Status, Task, Turn
from floyd.plans import Callee, CheckedClaim, MandateTerms, Outcome, Plan

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

PLAN = Plan(
    needs_call=True,
    answer_key=None,
    goal="Order roses for Christa.",
    done_when=["The callee confirms the order."],
    callee=Callee(name="Rose Flower Shop", number="+12125550143", number_source="fact"),
    facts_needed=[],
    facts_missing=[],
    steps=["Ask what it costs."],
    opening="I am calling to order roses.",
    voicemail="Please call back.",
    mandate=MandateTerms(max_amount="80"),
    questions=[],
)


def turn(speaker: str, heard: str, start_ms: int, end_ms: int, **more: Any) -> Turn:
    return Turn.model_validate(
        {"call": 1, "speaker": speaker, "heard": heard, "start_ms": start_ms, "end_ms": end_ms, **more}
    )


def flowers(*lines: tuple[str, str], **more: Any) -> ErrandView:
    """The flowers, ordered within 80 dollars after 560 were asked; `lines` replace what was said."""
    said = lines or (
        ("callee", "hello rose flower shop"),
        ("floyd", "I am calling to order roses."),
        ("callee", "a large bouquet for five hundred and sixty dollars is that all right"),
        ("floyd", "I have to check that, one moment please."),
        ("floyd", "Eighty dollars is the most."),
        ("callee", "a small bouquet for seventy five dollars would you like that"),
        ("floyd", "Yes please."),
    )
    turns = {
        seq: turn(speaker, heard, seq * 3000, seq * 3000 + 2500) for seq, (speaker, heard) in enumerate(said, start=1)
    }
    request = Request(
        text="Order Christa some roses, up to 80 dollars",
        status=Status.DONE,
        created_at=NOW,
        deadline=NOW,
        plan=PLAN,
        mandate=MandateTerms(max_amount="80"),
        outcome=Outcome(
            category="done",
            summary="A small bouquet is ordered.",
            claims=[
                CheckedClaim(text="A small bouquet costs 75 dollars.", turns=[6], proved=True),
                CheckedClaim(text="It comes on Friday.", turns=[2], proved=False),
            ],
        ),
    )
    view = ErrandView(
        rid="r",
        request=request,
        questions={
            "q": Question(text="560 dollars. All right?", kind="mandate", status="answered", answer="no", deadline=NOW)
        },
        calls={
            1: Call(
                to="+12125550143",
                from_="+12025550100",
                status=CallStatus.COMPLETED,
                sid="CA1",
                gaps=[Gap(turn=2, endpoint_ms=180, token_ms=None, frame_ms=412.6)],
            )
        },
        turns=turns,
        tasks=(Task(title="Be at home", due="thursday", kind="promise", request="r", turn=6),),
        disclosures=(Disclosure(fact="christa_address", to="Rose Flower Shop", request="r", turn=7, at=NOW),),
    )
    return replace(view, **more)
