"""What clients send: one model per body. An unknown field is refused, so that a misspelt `dry_run` rings nobody."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from floyd.intake import LONGEST_KEY, LONGEST_TEXT
from floyd.plans import MandateTerms

LONGEST_ANSWER = 1000
# More than any errand of a person costs; a mistyped limit is better refused than believed.
LARGEST_AMOUNT = Decimal(100_000)


def _sensible(mandate: MandateTerms) -> MandateTerms:
    try:
        amount = Decimal(mandate.max_amount)
    except InvalidOperation:
        raise ValueError("max_amount: a decimal string") from None
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        raise ValueError(f"max_amount: 0 to {LARGEST_AMOUNT}")
    if len(mandate.currency) != 3 or not mandate.currency.isascii() or not mandate.currency.isupper():
        raise ValueError("currency: three capital letters")
    if any(len(text) > 200 for text in (*mandate.times, *mandate.promises)) or len(mandate.times) > 20:
        raise ValueError("times, promises: at most 200 characters each")
    return mandate


Mandate = Annotated[MandateTerms, AfterValidator(_sensible)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
FactKeys = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewRequest(_Body):
    """`POST /requests`."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    idempotency_key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    language: Language | None = None
    not_before: Moment | None = None
    dry_run: StrictBool = False


class Changes(_Body):
    """`PATCH /requests/{rid}`; absent means unchanged."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)] | None = None
    release: FactKeys | None = None
    mandate: Mandate | None = None
    not_before: Moment | None = None


class Approval(_Body):
    """`POST /requests/{rid}/approve`; absent means as proposed."""

    release: FactKeys | None = None
    mandate: Mandate | None = None


class Reply(_Body):
    """`POST /requests/{rid}/questions/{qid}/answer`."""

    answer: Annotated[str, Field(min_length=1, max_length=LONGEST_ANSWER)]


class Nothing(_Body):
    """A call without a body."""


class RequestMade(BaseModel):
    """A request's id and where it stands."""

    id: str
    status: str


class Standing(BaseModel):
    """Where a request stands now."""

    status: str


class Address(BaseModel):
    """A full websocket URL."""

    url: str


class Problem(BaseModel):
    """Every error."""

    class Detail(BaseModel):
        code: str
        message: str
        retry_after: int | None = None

    error: Detail
