"""Text messages both ways, and who has texted STOP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standins.phone_network import twiml
from standins.phone_network.call import API_VERSION, new_sid, rfc2822
from standins.phone_network.webhooks import WebhookError, Webhooks

STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START = frozenset({"START", "YES", "UNSTOP"})

STEP_S = 0.1
"""Between queued, sent and delivered."""


def segments(body: str) -> int:
    """How many parts are billed: 160 characters, or 153 each when split (GSM-7; 70 and 67 with other characters)."""
    whole, part = (160, 153) if body.isascii() else (70, 67)
    return 1 if len(body) <= whole else -(-len(body) // part)


@dataclass(slots=True)
class Text:
    """One message."""

    account_sid: str
    to: str
    from_: str
    body: str
    direction: str
    status: str
    status_callback: str = ""
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    error: str = ""
    """What went wrong on the way to the program under test."""

    def resource(self) -> dict[str, Any]:
        """The Message resource of the REST API."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "to": self.to,
            "from": self.from_,
            "body": self.body,
            "direction": self.direction,
            "status": self.status,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.created),
            "date_sent": None if self.status in {"queued", "accepted"} else rfc2822(self.created),
            "num_segments": str(segments(self.body)),
            "num_media": "0",
            **dict.fromkeys(("messaging_service_sid", "error_code", "error_message", "price")),
            "price_unit": "USD",
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }


class Messages:
    """All texts."""

    def __init__(self, account_sid: str, webhooks: Webhooks, spawn: Callable[[Awaitable[None]], object]) -> None:
        self.all: dict[str, Text] = {}
        self.sms_urls: dict[str, str] = {}
        self.stopped: set[tuple[str, str]] = set()
        """(account's number, person's number)."""
        self._account_sid = account_sid
        self._webhooks = webhooks
        self._spawn = spawn

    def send(self, to: str, from_: str, body: str, status_callback: str = "", reply: bool = False) -> Text:
        """From the account to a person."""
        direction = "outbound-reply" if reply else "outbound-api"
        text = Text(self._account_sid, to, from_, body, direction, "queued", status_callback)
        self.all[text.sid] = text
        self._spawn(self._deliver(text))
        return text

    def receive(self, to: str, from_: str, body: str) -> Text:
        """From a person to the account: the number's messaging URL is told."""
        text = Text(self._account_sid, to, from_, body, "inbound", "received")
        self.all[text.sid] = text
        word = body.strip().upper()
        if word in STOP:
            self.stopped.add((to, from_))
        elif word in START:
            self.stopped.discard((to, from_))
        if url := self.sms_urls.get(to):
            self._spawn(self._tell(text, url, word))
        return text

    async def _deliver(self, text: Text) -> None:
        for status in ("sent", "delivered"):
            await asyncio.sleep(STEP_S)
            text.status = status
            if text.status_callback:
                params = self._params(text) | {"MessageStatus": status, "SmsStatus": status}
                try:
                    await self._webhooks.send(text.status_callback, params)
                except WebhookError as error:
                    text.error = f"{error.code} {error}"

    async def _tell(self, text: Text, url: str, word: str) -> None:
        params = self._params(text) | {"Body": text.body, "NumMedia": "0", "NumSegments": str(segments(text.body))}
        params["SmsStatus"] = "received"
        if word in STOP | START:
            params["OptOutType"] = "STOP" if word in STOP else "START"
        try:
            answer = await self._webhooks.send(url, params)
            verbs = twiml.parse(answer.text) if answer.text.strip() else []
        except (WebhookError, twiml.TwimlError) as error:
            text.error = f"{error.code} {error}"
            return
        for verb in verbs:
            if verb.name == "Message" and (text.to, text.from_) not in self.stopped:
                self.send(text.from_, text.to, verb.text, reply=True)

    def _params(self, text: Text) -> dict[str, str]:
        return {
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsMessageSid": text.sid,
            "AccountSid": text.account_sid,
            "From": text.from_,
            "To": text.to,
            "ApiVersion": API_VERSION,
        }
