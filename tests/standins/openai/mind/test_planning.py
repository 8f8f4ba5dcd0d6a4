"""Plans for requests, judged by what the product builds on them."""

from typing import Any

import pytest

from tests.standins.openai.conftest import StandIn
from tests.standins.openai.conversation import fact, make_plan

FACTS = [
    fact("clinic_name", "place", "Lakeside Clinic"),
    fact("clinic_phone", "phone_number", "+13125550181"),
    fact("checkup_appointment", "appointment", "December 3, 15:00"),
    fact("home_address", "address", "9 Oak Road"),
    fact("aunt_rosa_address", "address", share="ask"),
    fact("card_number", "payment", share="never"),
    fact("my_phone", "phone_number", "+13125550100"),
]


async def test_a_question_about_ones_own_affairs_needs_no_call(standin: StandIn) -> None:
    """Breaks: Floyd rings a stranger to ask what the person has on file."""
    plan = await make_plan(standin.openai, "when is my checkup appointment?", FACTS)
    assert (plan["needs_call"], plan["answer_key"]) == (False, "checkup_appointment")
    plan = await make_plan(standin.openai, "when does the clinic open?", FACTS)
    assert (plan["needs_call"], plan["answer_key"]) == (True, None)


@pytest.mark.parametrize(
    ("request_text", "more", "number", "source"),
    [
        ("ask the clinic when they open", {}, "+13125550181", "fact"),
        ("call Lakeside and ask when they open", {}, "+13125550181", "fact"),
        ("call (312) 555-0199 and ask when they open", {}, "+13125550199", "request"),
        ("ask Elm Books when they open", {"places": [{"name": "Elm Books", "number": "+13125550177", "notes": ""}]},
         "+13125550177", "place"),
        ("ask the bakery when they open", {}, None, "none"),
    ],
)  # fmt: skip
async def test_the_number_and_where_it_is_from(
    standin: StandIn, request_text: str, more: dict[str, Any], number: str | None, source: str
) -> None:
    """Breaks: the wrong number is rung, or an unknown one is made up."""
    callee = (await make_plan(standin.openai, request_text, FACTS, **more))["callee"]
    assert (callee["number"], callee["number_source"]) == (number, source)


async def test_an_order_needs_an_address_and_keeps_the_limit_to_itself(standin: StandIn) -> None:
    """Breaks: the shop hears how much the person would pay, or the order has nowhere to go."""
    plan = await make_plan(standin.openai, "order Jonas a cake from Elm Bakery, up to 40 dollars", FACTS)
    assert plan["mandate"]["max_amount"] == "40"
    assert plan["facts_missing"] == ["delivery_address"]
    assert plan["opening"] == "I am calling to order a cake for Jonas."
    assert "40" not in plan["opening"] + plan["voicemail"] + " ".join(plan["steps"])
    plan = await make_plan(standin.openai, "order a pizza from Elm Bakery", FACTS)
    assert plan["facts_missing"] == []
    assert "home_address" in plan["facts_needed"]
    assert "card_number" not in plan["facts_needed"]


async def test_only_facts_of_this_errand_are_needed(standin: StandIn) -> None:
    """Breaks: the release set holds facts that have nothing to do with the call."""
    plan = await make_plan(standin.openai, "ask the library when they open", FACTS)
    assert plan["facts_needed"] == []


async def test_news_names_the_child(standin: StandIn) -> None:
    """Breaks: the school hears "she is sick" and must ask who."""
    plan = await make_plan(standin.openai, "tell Ida's school she is sick today", FACTS)
    assert plan["opening"] == "I am calling to tell you that Ida is sick today and will not be in school."
    assert "Ida" not in plan["voicemail"]


async def test_a_call_back_says_so_and_uses_the_answers(standin: StandIn) -> None:
    """Breaks: the second call starts from nothing and asks the person again."""
    answers = [
        {"question": "They ask 95 dollars. Is that all right?", "answer": "yes", "kind": "approval"},
        {"question": 'They would like to know: "what flavour". What may I say?', "answer": "lemon", "kind": "fact"},
        {"question": "What is the delivery address?", "answer": "12 Elm Street", "kind": "fact"},
    ]
    earlier = [{"attempt": 1, "summary": "They asked 95 dollars.", "end_reason": "needs_approval"}]
    plan = await make_plan(
        standin.openai, "order Jonas a cake, up to 40 dollars", FACTS, answers=answers, earlier=earlier
    )
    assert plan["opening"].startswith("I am calling back about our earlier call")
    assert plan["mandate"]["max_amount"] == "95"
    assert plan["facts_missing"] == []
    assert any("lemon" in step for step in plan["steps"])


async def test_a_booking_without_a_time_asks_for_one(standin: StandIn) -> None:
    """Breaks: a table is booked for a time that nobody wished for."""
    request = "book a table for two at Elm Bistro"
    assert (await make_plan(standin.openai, request))["facts_missing"] == ["preferred_time"]
    answer = {"question": "What is the preferred time?", "answer": "tomorrow at 7 pm", "kind": "fact"}
    plan = await make_plan(standin.openai, request, answers=[answer])
    assert plan["mandate"]["times"] == ["tomorrow at 7 pm"]
    assert plan["opening"].endswith("a table for two tomorrow at 7 pm.")
