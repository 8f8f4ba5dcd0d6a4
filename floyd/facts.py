"""What may be said: the release set is the intersection of what the errand needs and what the person allows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from floyd.documents import Fact, Released
from floyd.plans import Plan

_PLACEHOLDER = re.compile(r"\{\s*([A-Za-z][A-Za-z0-9_]*)\s*\}")


@dataclass(frozen=True, slots=True)
class ReleaseSet:
    """`allowed` may be spoken; `proposed` needs the person's yes first; `missing` nobody has told Floyd yet."""

    allowed: tuple[Released, ...]
    proposed: tuple[Released, ...] = ()
    missing: tuple[str, ...] = ()


def for_model(facts: Iterable[Fact]) -> list[dict[str, str]]:
    """The facts as a planning model sees them: a value only where the person always allows it."""
    return [
        {"key": fact.key, "category": fact.category, "share": fact.share}
        | ({"value": fact.value} if fact.share == "always" else {})
        for fact in facts
    ]


def release(
    plan: Plan, facts: Sequence[Fact], *, answered: Sequence[Released] = (), wished: Sequence[str] | None = None
) -> ReleaseSet:
    """Intersect what the plan needs with what may be said.

    `answered`: what the person told for this errand, which is allowed by being told. `wished`: exactly these keys, if
    the person chose them; a wish cannot release a fact with share `never`.
    """
    known, told = {fact.key: fact for fact in facts}, {fact.key: fact for fact in answered}
    needed = list(dict.fromkeys(wished if wished is not None else [*needed_keys(plan), *told]))
    allowed: list[Released] = []
    proposed: list[Released] = []
    for key in needed:
        fact = known.get(key)
        if fact is not None and fact.share == "never":
            continue  # The plan must do without it.
        if key in told:
            allowed.append(told[key])
        elif fact is not None:
            mine = allowed if fact.share == "always" or wished is not None else proposed
            mine.append(Released(key=key, value=fact.value))
    missing = dict.fromkeys(key for key in (*needed, *plan.facts_missing) if key not in known and key not in told)
    return ReleaseSet(tuple(allowed), tuple(proposed), tuple(missing))


def needed_keys(plan: Plan) -> list[str]:
    """The keys a plan names and those it writes as `{key}`, first mention first."""
    texts = [plan.goal, plan.opening, plan.voicemail, *plan.steps, *plan.done_when, *plan.questions]
    written = [match[1] for text in texts for match in _PLACEHOLDER.finditer(text)]
    return list(dict.fromkeys([*plan.facts_needed, *written]))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put released values where the planner wrote `{key}`. What is not released leaves no trace of its key."""
    filled = _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), text)
    return re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"[ \t]{2,}", " ", filled)).strip() if filled != text else text


def filled(plan: Plan, released: Iterable[Released]) -> Plan:
    """The plan with every placeholder filled, as it is frozen and carried out."""
    values = {fact.key: fact.value for fact in released}
    sentences = {name: fill(getattr(plan, name), values) for name in ("goal", "opening", "voicemail")}
    lists = {name: [fill(each, values) for each in getattr(plan, name)] for name in ("steps", "done_when", "questions")}
    return plan.model_copy(update=sentences | lists)
