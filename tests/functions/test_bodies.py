"""What clients may send, at the edges."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from floyd.errors import SlowError, TooLargeError
from functions.bodies import LONGEST_ANSWER, Approval, Changes, NewRequest, Reply, read_body

NEW = {"text": "ring the school", "idempotency_key": "k"}


@pytest.mark.parametrize("amount", ["0", "80", "80.00", "99999.99", "100000", "100000.00"])
def test_sensible_limits_are_taken(amount: str) -> None:
    """If this fails a person cannot say how much Floyd may spend."""
    body = Approval.model_validate({"mandate": {"max_amount": amount, "currency": "CAD", "times": ["Tuesday"]}})
    assert body.mandate is not None
    assert (body.mandate.max_amount, body.mandate.promises) == (amount, [])


@pytest.mark.parametrize(
    ("model", "body"),
    [
        *(
            (Approval, {"mandate": {"max_amount": amount}})
            for amount in ("-1", "100000.01", "1e9", "NaN", "", "8o", "٨")
        ),
        *((Approval, {"mandate": {"currency": currency}}) for currency in ("usd", "US", "DOLLARS", "")),
        (Approval, {"mandate": {"times": ["x" * 201]}}),
        (Approval, {"mandate": {"promises": ["x"] * 21}}),
        (Approval, {"mandate": {"max_amout": "80"}}),
        (Approval, {"release": [""]}),
        (Changes, {"release": ["x"] * 101}),
        (Changes, {"not_before": "2026-11-23T10:00:00"}),
        (NewRequest, NEW | {"dryrun": True}),
        (NewRequest, NEW | {"dry_run": "yes"}),
        (NewRequest, NEW | {"text": ""}),
        (NewRequest, NEW | {"text": "x" * 2001}),
        (NewRequest, NEW | {"idempotency_key": "k" * 129}),
        (NewRequest, NEW | {"language": "english please"}),
        (Reply, {"answer": "x" * (LONGEST_ANSWER + 1)}),
        (Reply, {}),
    ],
)
def test_nonsense_is_refused(model: type[BaseModel], body: dict[str, Any]) -> None:
    """If this fails a mistyped limit is believed, or a misspelt field silently means its default."""
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_moments_are_kept_in_one_zone() -> None:
    """If this fails a call for 10 o'clock is compared with another zone's clock."""
    body = NewRequest.model_validate(NEW | {"not_before": "2026-11-23T10:00:00-06:00"})
    assert body.not_before == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert body.not_before.utcoffset() == datetime(2026, 11, 23, tzinfo=UTC).utcoffset()


async def test_a_body_that_does_not_come_is_given_up() -> None:
    """If this fails slow bodies hold every worker."""
    never = asyncio.Event()
    pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> dict[str, object]:
        for piece in pieces:
            return piece
        await never.wait()
        return {}

    with pytest.raises(SlowError) as refused:
        await read_body(Request({"type": "http", "method": "POST", "headers": []}, receive), 100, deadline_s=0.05)
    assert refused.value.status == 408


async def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    """If this fails anybody can fill a worker's memory."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    with pytest.raises(TooLargeError):
        await read_body(Request({"type": "http", "method": "POST", "headers": []}, receive), 100)
