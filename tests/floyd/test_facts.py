"""The release set: needed and allowed, nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from floyd.documents import Fact, Released
from floyd.facts import fill, filled, for_model, needed_keys, release
from floyd.plans import Callee, MandateTerms, Plan

KEYS = ["a", "b", "c", "d"]


def plan(**fields: Any) -> Plan:
    empty: dict[str, Any] = {
        "needs_call": True,
        "goal": "",
        "done_when": [],
        "callee": Callee(name="c", number_source="none"),
        "facts_needed": [],
        "facts_missing": [],
        "steps": [],
        "opening": "",
        "voicemail": "",
        "mandate": MandateTerms(),
        "questions": [],
    }
    return Plan(**(empty | fields))


shares = st.sampled_from(["always", "ask", "never"])
facts = st.dictionaries(st.sampled_from(KEYS), shares).map(
    lambda shared: [
        Fact(key=key, value=f"value {key}", share=share)  # type: ignore[arg-type]  # one of the three
        for key, share in shared.items()
    ]
)
some_keys = st.lists(st.sampled_from([*KEYS, "unknown"]), unique=True)


@given(facts, some_keys, some_keys, st.none() | some_keys)
def test_only_what_is_needed_and_allowed_is_released(
    known: list[Fact], needed: list[str], told: list[str], wished: list[str] | None
) -> None:
    """If this fails a callee hears a fact that the errand does not need or that the person did not allow."""
    answered = [Released(key=key, value=f"told {key}") for key in told]
    result = release(plan(facts_needed=needed), known, answered=answered, wished=wished)

    by_key = {fact.key: fact for fact in known}
    released = {fact.key for fact in result.allowed}
    assert released <= set(needed if wished is None else wished) | (set(told) if wished is None else set())
    assert all(key not in by_key or by_key[key].share != "never" for key in released)
    asked = {key for key in released if key in by_key and by_key[key].share == "ask"}
    assert wished is not None or asked <= set(told)
    assert not released & {fact.key for fact in result.proposed}
    assert all(by_key[fact.key].share == "ask" for fact in result.proposed)


@given(facts)
def test_a_model_sees_values_only_of_what_is_always_shared(known: list[Fact]) -> None:
    """If this fails a vendor learns what the person keeps to themselves."""
    shown = for_model(known)

    assert {fact["key"] for fact in shown} == {fact.key for fact in known}
    assert {fact["key"] for fact in shown if "value" in fact} == {f.key for f in known if f.share == "always"}


def test_keys_written_into_texts_are_needed_too() -> None:
    """If this fails a text names a fact that was never judged, and the callee hears a gap."""
    wanted = plan(facts_needed=["a"], opening="I call for {b}.", steps=["Say { c }."], goal="{a}")

    assert needed_keys(wanted) == ["a", "b", "c"]


def test_placeholders_leave_no_trace_when_nothing_is_released() -> None:
    """If this fails the callee hears "brace school name brace"."""
    assert fill("I call about {child}, in class {class}.", {"child": "Mara"}) == "I call about Mara, in class."
    assert fill("No braces,  two spaces", {}) == "No braces,  two spaces"
    whole = filled(plan(opening="For {a}.", questions=["{b}?"]), [Released(key="a", value="{b}")])
    assert whole.opening == "For {b}."
    assert whole.questions == ["?"]
