"""Requests from the network to the program under test: signed form posts, and one call's status callbacks in order."""

import asyncio
import base64
import hashlib
import hmac
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from standins.phone_network.faults import Faults

DEADLINE_S = 15.0
"""Twilio's default for the whole request."""

MAX_ANSWER_BYTES = 64 * 1024

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

log = logging.getLogger(__name__)


class WebhookError(Exception):
    """What Twilio notes in its debugger under this number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer."""

    content_type: str
    text: str


class Webhooks:
    """Signs and sends."""

    def __init__(self, auth_token: str) -> None:
        self._key = auth_token.encode()
        self._session: aiohttp.ClientSession | None = None

    def sign(self, url: str, params: Mapping[str, str]) -> str:
        """X-Twilio-Signature: HMAC-SHA1 over the URL and every form field, sorted by name, base64."""
        text = url + "".join(name + params[name] for name in sorted(params))
        return base64.b64encode(hmac.new(self._key, text.encode(), hashlib.sha1).digest()).decode()

    async def send(self, url: str, params: Mapping[str, str], method: str = "POST") -> Answer:
        """Deliver, once more if no connection came about; raises WebhookError."""
        if method == "GET":
            url, params = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}", {}
        headers = {
            "X-Twilio-Signature": self.sign(url, params),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        body = urlencode(params) if method == "POST" else None
        try:
            return await self._request(method, url, headers, body)
        except aiohttp.ClientConnectorError:
            return await self._retry(method, url, headers, body)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def _retry(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        try:
            return await self._request(method, url, headers, body)
        except aiohttp.ClientConnectorError as error:
            raise WebhookError(11205, f"no connection to {url}: {error}") from error

    async def _request(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_S))
        try:
            async with self._session.request(method, url, headers=headers, data=body) as response:
                content = await response.read()
                if not response.ok:
                    raise WebhookError(11200, f"{url} answered {response.status}")
                if len(content) > MAX_ANSWER_BYTES:
                    raise WebhookError(11750, f"{url} answered more than 64 KiB")
                return Answer(response.content_type, content.decode("utf-8", "replace"))
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise WebhookError(11200, f"{url}: {type(error).__name__} {error}") from error


class StatusCallbacks:
    """Delivers one call's status callbacks in the order of events, unless a fault says otherwise."""

    def __init__(self, webhooks: Webhooks, faults: Faults, url: str, method: str) -> None:
        self._webhooks = webhooks
        self._faults = faults
        self._url, self._method = url, method
        self._events: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()

    def put(self, params: dict[str, str] | None) -> None:
        """An event to tell about; None: there will be no more."""
        self._events.put_nowait(params)

    async def run(self) -> None:
        """Deliver until there is no more."""
        held: dict[str, str] | None = None
        while True:
            params = await self._events.get()
            if self._faults.reorder_callbacks and held is None and params is not None:
                held = params
                continue
            for each in (params, held):
                if each is not None and not self._faults.suppresses(each["CallStatus"]):
                    await self._deliver(each)
            held = None
            if params is None:
                return

    async def _deliver(self, params: dict[str, str]) -> None:
        await asyncio.sleep(self._faults.delay_callbacks_s)
        for _ in range(1 + self._faults.duplicate_callbacks):
            try:
                await self._webhooks.send(self._url, params, self._method)
            except WebhookError as error:
                log.warning("status callback: %s", error)
