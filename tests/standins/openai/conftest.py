"""The stand-in on a real socket, and the vendor's own client pointed at it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from openai import AsyncOpenAI

from standins.openai.server import Delays, application, listening


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: the vendor's client for its API, a plain client for its control surface."""

    openai: AsyncOpenAI
    http: httpx2.AsyncClient


@pytest.fixture
async def standin() -> AsyncIterator[StandIn]:
    app = application(delays=Delays(first_token_ms=0, tokens_per_s=1_000_000), api_key="right-key")
    async with listening(app, "127.0.0.1", 0) as port:
        root = f"http://127.0.0.1:{port}"
        async with (
            AsyncOpenAI(api_key="right-key", base_url=f"{root}/v1", max_retries=0, timeout=10) as client,
            httpx2.AsyncClient(base_url=root, timeout=10) as http,
        ):
            yield StandIn(client, http)


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()
