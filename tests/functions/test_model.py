"""Asking the model once, before its stand-in: what fails how, and what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from floyd.errors import VendorError
from floyd.plans import OutcomeDraft
from floyd.settings import Settings
from functions.model import Model
from standins.openai.server import Delays, application, listening
from tests.functions.test_outcomes import DRAFT

CONTENT: dict[str, Any] = {"request": "order flowers", "turns": []}


@pytest.fixture
async def control() -> AsyncIterator[httpx2.AsyncClient]:
    quick = Delays(first_token_ms=0, tokens_per_s=1_000_000)
    async with (
        listening(application(delays=quick), "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def settings(control: httpx2.AsyncClient) -> Settings:
    given = {"floyd_env": "local", "openai_api_key": "any", "openai_base_url": f"{control.base_url}/v1"}
    return Settings.model_validate(given)


@pytest.fixture
async def model(settings: Settings) -> AsyncIterator[Model]:
    made = Model(settings)
    yield made
    await made.client.close()


async def ask(model: Model) -> OutcomeDraft:
    return (await model.ask("outcome", "rules", CONTENT, OutcomeDraft, person="tom"))[0]


async def test_an_answer_comes_with_its_price(model: Model, control: httpx2.AsyncClient) -> None:
    """If this fails the daily limit counts calls without their planning, or answers are not values."""
    text = OutcomeDraft.model_validate(DRAFT).model_dump_json()
    await control.post("/control/faults", json={"kind": "reply", "of": "outcome", "text": text})
    answer, dollars = await model.ask("outcome", "rules", CONTENT, OutcomeDraft, person="tom")
    assert answer == OutcomeDraft.model_validate(DRAFT)
    assert Decimal(0) < dollars < Decimal("0.1")


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [
        ({"kind": "status", "status": 500}, True),
        ({"kind": "status", "status": 429}, True),
        ({"kind": "status", "status": 401}, False),
        ({"kind": "status", "status": 400}, False),
        ({"kind": "garbage"}, True),
        ({"kind": "empty"}, True),
        ({"kind": "reply", "text": '{"category": "done"}'}, True),
        ({"kind": "reply", "text": '{"category": "splendid"}'}, True),
    ],
)
async def test_each_trouble_says_whether_asking_again_helps(
    model: Model, control: httpx2.AsyncClient, fault: dict[str, Any], retryable: bool
) -> None:
    """If this fails a wrong key is tried for ever, or a moment's trouble ends somebody's errand."""
    (await control.post("/control/faults", json=fault)).raise_for_status()
    with pytest.raises(VendorError) as caught:
        await ask(model)
    assert caught.value.retryable is retryable
    sent = (await control.get("/control/requests")).json()["requests"]
    assert len(sent) == 1, "the client must not ask again by itself"


async def test_a_vendor_out_of_reach_may_be_asked_again() -> None:
    """If this fails a network that is away for a second ends somebody's errand."""
    away = Model(
        Settings.model_validate(
            {"floyd_env": "local", "openai_api_key": "any", "openai_base_url": "http://127.0.0.1:1/v1"}
        )
    )
    with pytest.raises(VendorError) as caught:
        await ask(away)
    await away.client.close()
    assert caught.value.retryable


async def test_a_model_that_does_not_answer_is_given_up(settings: Settings, control: httpx2.AsyncClient) -> None:
    """If this fails a stalled vendor holds a function until the platform kills it, and nobody learns why."""
    hasty = Model(settings, deadline_s=0.3)
    await control.post("/control/faults", json={"kind": "stall"})
    with pytest.raises(VendorError) as caught:
        await ask(hasty)
    await hasty.client.close()
    assert caught.value.retryable
