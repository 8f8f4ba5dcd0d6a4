"""Requests from the network to the program under test: signed form posts."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from standins.phone_network.forms import TwilioError

DEADLINE_S = 15.0  # Twilio's default for the whole request
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer."""

    content_type: str
    text: str


class Webhooks:
    def __init__(self, auth_token: str) -> None:
        self._signer = RequestValidator(auth_token)
        self._session: aiohttp.ClientSession | None = None

    def sign(self, url: str, params: Mapping[str, str]) -> str:
        return str(self._signer.compute_signature(url, params))

    async def send(
        self, url: str, params: Mapping[str, str], blame: Callable[[int, str], None], method: str = "POST"
    ) -> Answer | None:
        """Deliver, once more if no connection came about; what goes wrong is blamed under the debugger's number."""
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
            try:
                return await self._request(method, url, headers, body)
            except aiohttp.ClientConnectorError:
                return await self._request(method, url, headers, body)
        except aiohttp.ClientConnectorError as error:
            blame(11205, f"no connection to {url}: {error}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            blame(11200, f"{url}: {type(error).__name__} {error}")
        except TwilioError as error:
            blame(error.code, str(error))
        return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _request(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_S))
        async with self._session.request(method, url, headers=headers, data=body) as response:
            content = await response.read()
            if not response.ok:
                raise TwilioError(11200, f"{url} answered {response.status}")
            if len(content) > MAX_ANSWER_BYTES:
                raise TwilioError(11750, f"{url} answered more than 64 KiB")
            return Answer(response.content_type, content.decode("utf-8", "replace"))
