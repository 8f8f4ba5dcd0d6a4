"""What the planning model returns before a call and the outcome model after it, in strict schemas."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class _Strict(BaseModel):
    """OpenAI's strict mode wants every property required and nothing additional."""

    model_config = ConfigDict(extra="forbid")


class Callee(_Strict):
    name: str
    number: str | None = None
    number_source: Literal["request", "fact", "place", "look_up", "none"]


class MandateTerms(BaseModel):
    """How far Floyd may agree: money at most `max_amount` (decimal string; "0" is nothing), times, promises."""

    model_config = ConfigDict(extra="forbid")

    max_amount: str = "0"
    currency: str = "USD"
    times: list[str] = Field(default_factory=list)
    promises: list[str] = Field(default_factory=list)


class Plan(_Strict):
    """Schema `plan`. The defaults are for reading stored plans, which leave absent values out; a model gives all."""

    needs_call: bool
    answer_key: str | None = None
    goal: str
    done_when: list[str]
    callee: Callee
    facts_needed: list[str]
    facts_missing: list[str]
    steps: list[str]
    opening: str
    voicemail: str
    mandate: MandateTerms
    questions: list[str]


# The callee agreed to something, so without a proved claim nobody may be told so.
Agreed = Literal["done", "done_differently", "call_back_promised"]
# The relay, the carrier or code knows it better than anybody who reads the words.
Decided = Literal[
    "no_answer",
    "busy",
    "do_not_call",
    "cancelled",
    "number_invalid",
    "hold_limit",
    "voicemail_left",
    "voicemail_no_message",
    "refused_by_policy",
]
Asks = Literal["needs_answer", "needs_approval"]
Failed = Literal["declined_by_callee", "wrong_number", "closed", "no_progress", "line_failed", "vendor_failed"]
Limit = Literal["cost_limit", "time_limit"]
Category = Literal[Agreed, Decided, Asks, Failed, Limit, "answered_without_call", "unconfirmed"]
SUCCEEDED = frozenset({*get_args(Agreed), "answered_without_call", "voicemail_left"})


class Claim(_Strict):
    """Something the call established, with the numbers of the turns that say so."""

    text: str
    turns: list[int]


class FoundTask(_Strict):
    title: str
    due: str | None = None
    kind: Literal["promise", "appointment", "follow_up"]
    turn: int


class FoundFact(_Strict):
    key: str
    value: str
    turn: int


class OutcomeDraft(_Strict):
    """Schema `outcome`, as the model gives it. Nothing in it is believed before code has checked the turns."""

    category: Category
    summary: str
    claims: list[Claim]
    tasks: list[FoundTask]
    facts: list[FoundFact]


class CheckedClaim(BaseModel):
    """A claim after the check: `proved` only if a cited callee turn holds its numbers, dates or key words."""

    text: str
    turns: list[int] = Field(default_factory=list)
    proved: bool = False


class Outcome(BaseModel):
    """What a request came to. `unproved` lists what the model said without support."""

    category: Category
    summary: str
    claims: list[CheckedClaim] = Field(default_factory=list)
    facts: list[FoundFact] = Field(default_factory=list)


class _StrictSchema(GenerateJsonSchema):
    """The form that OpenAI's strict mode takes: every property required, none additional, no defaults."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer that the model must give."""
    return model.model_json_schema(schema_generator=_StrictSchema)
