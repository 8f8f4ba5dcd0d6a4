"""Text messages both ways, and who has texted STOP."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from standins.phone_network import twiml
from standins.phone_network.forms import API_VERSION, TwilioError, new_sid, rfc2822
from standins.phone_network.webhooks import Webhooks

OPT_OUTS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"), "STOP"),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "START"),
}

STEP_S = 0.1  # between queued, sent and delivered


@dataclass(slots=True)
class Text:
    """One message."""

    account_sid: str
    to: str
    from_: str
    body: str
    direction: str
    status: str = "queued"
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    error: str = ""

    def blame(self, code: int, message: str) -> None:
        """Something went wrong on the way to the program under test."""
        self.error = f"{code} {message}"

    @property
    def segments(self) -> str:
        """Parts billed: 160 characters, or 153 each when split (GSM-7; 70 and 67 with other characters)."""
        whole, part = (160, 153) if self.body.isascii() else (70, 67)
        return str(1 if len(self.body) <= whole else -(-len(self.body) // part))

    def resource(self) -> dict[str, Any]:
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        created = rfc2822(self.created)
        ids = {"sid": self.sid, "account_sid": self.account_sid, "api_version": API_VERSION, "uri": f"{base}.json"}
        text = {"to": self.to, "from": self.from_, "body": self.body, "direction": self.direction}
        sent = {"date_created": created, "date_updated": created, "date_sent": created, "status": self.status}
        if self.status == "queued":
            sent["date_sent"] = None
        price = {"num_segments": self.segments, "num_media": "0", "price_unit": "USD", "price": None}
        other = dict.fromkeys(("messaging_service_sid", "error_code", "error_message"))
        return {**ids, **text, **sent, **price, **other, "subresource_uris": {"media": f"{base}/Media.json"}}

    def webhook_params(self, **more: str) -> dict[str, str]:
        """The form fields that every messaging webhook carries."""
        sids = dict.fromkeys(("MessageSid", "SmsSid", "SmsMessageSid"), self.sid)
        parties = {"AccountSid": self.account_sid, "From": self.from_, "To": self.to}
        return {**sids, **parties, "ApiVersion": API_VERSION, **more}


class Messages:
    """All texts."""

    def __init__(self, account_sid: str, webhooks: Webhooks, spawn: Callable[[Awaitable[None]], object]) -> None:
        self.all: dict[str, Text] = {}
        self.sms_urls: dict[str, str] = {}
        self.stopped: set[tuple[str, str]] = set()  # (account's number, person's number)
        self._account_sid, self._webhooks, self._spawn = account_sid, webhooks, spawn

    def send(self, to: str, from_: str, body: str, status_callback: str = "", reply: bool = False) -> Text:
        """From the account to a person."""
        text = Text(self._account_sid, to, from_, body, "outbound-reply" if reply else "outbound-api")
        self.all[text.sid] = text
        self._spawn(self._deliver(text, status_callback))
        return text

    def receive(self, to: str, from_: str, body: str) -> Text:
        """From a person to the account: the number's messaging URL is told."""
        text = Text(self._account_sid, to, from_, body, "inbound", "received")
        self.all[text.sid] = text
        params = text.webhook_params(Body=body, NumMedia="0", NumSegments=text.segments, SmsStatus="received")
        opt_out = OPT_OUTS.get(body.strip().upper())
        if opt_out:
            params["OptOutType"] = opt_out
        if opt_out == "STOP":
            self.stopped.add((to, from_))
        elif opt_out == "START":
            self.stopped.discard((to, from_))
        if url := self.sms_urls.get(to):
            self._spawn(self._tell(text, url, params))
        return text

    async def _deliver(self, text: Text, status_callback: str) -> None:
        for status in ("sent", "delivered"):
            await asyncio.sleep(STEP_S)
            text.status = status
            if status_callback:
                params = text.webhook_params(MessageStatus=status, SmsStatus=status)
                await self._webhooks.send(status_callback, params, text.blame)

    async def _tell(self, text: Text, url: str, params: dict[str, str]) -> None:
        answer = await self._webhooks.send(url, params, text.blame)
        try:
            verbs = twiml.parse(answer.text) if answer and answer.text.strip() else []
        except TwilioError as error:
            return text.blame(error.code, str(error))
        for verb in verbs:
            if verb.name == "Message" and (text.to, text.from_) not in self.stopped:
                self.send(text.from_, text.to, verb.text, reply=True)
        return None
