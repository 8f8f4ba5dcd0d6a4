"""What clients send: one model per body. An unknown field is refused, so that a misspelt `dry_run` rings nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool
from starlette.requests import Request

from floyd.errors import SlowError, TooLargeError
from floyd.intake import LONGEST_KEY, LONGEST_TEXT
from floyd.plans import MandateTerms

LONGEST_ANSWER = 1000
DEADLINE_S = 10.0
_Term = Annotated[str, Field(max_length=200)]


class Mandate(MandateTerms):
    """A mandate in the person's own words. More money than any errand costs is a mistyped limit: better refused."""

    max_amount: Annotated[str, Field(pattern=r"^(?:[0-9]{1,5}(?:\.[0-9]{1,4})?|100000(?:\.0+)?)$")] = "0"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    times: list[_Term] = Field(default_factory=list, max_length=20)
    promises: list[_Term] = Field(default_factory=list, max_length=20)


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


class Standing(BaseModel):
    """Where a request stands now."""

    status: str


class RequestMade(Standing):
    """A request's id and where it stands."""

    id: str


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


async def read_body(request: Request, limit: int, *, deadline_s: float = DEADLINE_S) -> bytes:
    """A body of at most `limit` bytes. Raises TooLargeError, SlowError."""
    raw = bytearray()
    try:
        async with asyncio.timeout(deadline_s):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise TooLargeError(f"A body has at most {limit} bytes.")
    except TimeoutError:
        raise SlowError(f"The body did not arrive within {deadline_s:.0f} seconds.") from None
    return bytes(raw)
