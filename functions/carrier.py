"""What Twilio tells Floyd: calls' progress, broken streams, texts, and people who ring back. Every word is signed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from floyd import texting, twiml
from floyd.documents import CALL_ENDED, LIVE, TERMINAL, CallStatus, Status
from floyd.errors import NotFoundError, SlowError, TooLargeError
from floyd.lifecycle import Errand
from floyd.lifecycle.during_the_call import CarrierProgress, ResumeGranted
from floyd.settings import Settings
from floyd.signatures import HEADER, is_genuine_webhook
from floyd.store import line_holder, name_of
from functions.bodies import read_body
from functions.live_calls import apply_progress, carrier_url, find_room, stream_twiml
from functions.messages import receive_text, who_rang_last
from functions.parts import Parts

log = logging.getLogger(__name__)

# Twilio waits 15 s for an answer; one that comes later is worth nothing.
BUDGET_S = 12.0
# Twilio's own forms stay under 10 KB.
BODY_LIMIT = 64 * 1024
# A redirect and a report of the same broken stream come within this; whichever is first repairs it.
BREAK_GRACE_S = 1.0
# A repaired stream is opened at once.
RESUMED_WITHIN = timedelta(minutes=1)

LINE_DROPPED = "I am sorry, the line is too bad to go on. Goodbye."
NOT_AGAIN = "You will not be called from this number again. Goodbye."
GOODBYE = "Goodbye."

_CALL_ROUTE = re.compile(r"/calls/([^/]{1,384})/([\w-]{1,64})/(\d{1,4})/(status|stream|resume)")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it arrived: `path` and `query` undecoded, `signature` the header's value."""

    method: str
    path: str
    query: str
    signature: str
    body: bytes


async def serve(request: Request, parts: Parts) -> Response:
    try:
        body = await read_body(request, BODY_LIMIT)
    except (SlowError, TooLargeError) as refusal:
        return Response(status_code=refusal.status if isinstance(refusal, SlowError) else 403)
    signature = request.headers.get(HEADER, "")
    return await receive(Incoming(request.method, request.url.path, request.url.query, signature, body), parts)


async def receive(incoming: Incoming, parts: Parts) -> Response:
    """Check the signature before anything else, then act. Never raises for anything that a request can contain."""
    form = _genuine_form(incoming, parts.settings) if incoming.method == "POST" else None
    if form is None:
        return Response("Forbidden", 403)
    try:
        async with asyncio.timeout(BUDGET_S):
            return await _route(_route_of(incoming.path, parts.settings), form, parts)
    except NotFoundError:
        return _nothing_there()
    except TimeoutError:
        log.error("no answer within %s s: %s", BUDGET_S, incoming.path.rsplit("/", 1)[-1])
        return Response("Timed out", 503)


def _nothing_there() -> Response:
    return Response("Not found", 404)


def _xml(words: str) -> Response:
    return Response(words, media_type="text/xml")


def _genuine_form(incoming: Incoming, settings: Settings) -> dict[str, str] | None:
    """The form's fields, the last of each name, or None when neither of our tokens signed it."""
    try:
        text, strict = incoming.body.decode(), bool(incoming.body)
        fields = parse_qsl(text, keep_blank_values=True, strict_parsing=strict, max_num_fields=200)
    except ValueError:
        return None
    route = _route_of(incoming.path, settings)
    url = settings.floyd_carrier_url + route + (f"?{incoming.query}" if incoming.query else "")
    tokens = [each.get_secret_value() for each in (settings.twilio_auth_token, settings.floyd_twilio_auth_token_next)]
    return dict(fields) if is_genuine_webhook(url, fields, incoming.signature, tokens) else None


def _route_of(path: str, settings: Settings) -> str:
    """The path below our public URL, whose own path a proxy may or may not have cut off.

    Proxies also differ in what they quote, so it is brought into the form in which the URL was handed out and signed.
    """
    route = path.removeprefix(urlsplit(settings.floyd_carrier_url).path)
    return "/".join(quote(unquote(part), safe="") for part in route.split("/"))


async def _route(route: str, form: Mapping[str, str], parts: Parts) -> Response:
    if route == "/sms":
        return _xml(twiml.reply(await receive_text(form, parts)))
    if route == "/inbound":
        return await _somebody_rings(form, parts)
    match = _CALL_ROUTE.fullmatch(route)
    if match is None or form.get("AccountSid") != parts.settings.twilio_account_sid:
        return _nothing_there()
    uid, rid, attempt = unquote(match[1]), match[2], int(match[3])
    if match[4] == "resume":
        return _xml(await _resume(uid, rid, attempt, form, parts))
    await (_progress if match[4] == "status" else _stream_event)(uid, rid, attempt, form, parts)
    return Response(status_code=204)


async def _progress(uid: str, rid: str, attempt: int, form: Mapping[str, str], parts: Parts) -> None:
    """One status callback: once per call, event and number, in any order."""
    sid, status = form.get("CallSid", ""), form.get("CallStatus", "")
    if not sid or status not in set(CallStatus):
        return
    delivery = f"status-{name_of(sid, status, form.get('SequenceNumber', ''), form.get('Timestamp', ''))}"
    if not await parts.store.first_delivery(delivery, parts.now):
        return
    duration = form.get("CallDuration", "")
    event = CarrierProgress(attempt, sid, CallStatus(status), int(duration) if duration.isdecimal() else None)
    try:
        await apply_progress(uid, rid, event, parts)
    except Exception:
        # The carrier may deliver it again; if not, the sweeper asks.
        await parts.store.delete(f"deliveries/{delivery}")
        raise


async def _stream_event(uid: str, rid: str, attempt: int, form: Mapping[str, str], parts: Parts) -> None:
    """A media stream began, ended or failed. If a call goes on without one, give it another relay."""
    if form.get("StreamEvent") not in ("stream-stopped", "stream-error"):
        return
    before = await parts.store.load(uid, rid, attempt=attempt)
    if not _is_live(before, attempt, form):
        return
    await asyncio.sleep(BREAK_GRACE_S)
    errand = await parts.store.load(uid, rid, attempt=attempt)
    if not _is_live(errand, attempt, form) or errand.call is None or before.call is None:
        return
    on_the_line = await parts.carrier.fetch_call(form.get("CallSid", ""))
    if errand.call.epoch != before.call.epoch or on_the_line is None or on_the_line.ended:
        return
    if words := await _another_stream(errand, parts):
        await parts.carrier.update_twiml(form.get("CallSid", ""), words)


async def _resume(uid: str, rid: str, attempt: int, form: Mapping[str, str], parts: Parts) -> str:
    """The carrier has come to the end of a stream and asks what now: another stream, or the end."""
    errand = await parts.store.load(uid, rid, attempt=attempt)
    if errand.request.status is Status.WRAPPING or errand.request.status in TERMINAL:
        # The relay has said goodbye; it ends the call itself as well.
        return twiml.hang_up()
    words = await _another_stream(errand, parts) if _is_live(errand, attempt, form) else None
    return words or twiml.hang_up(LINE_DROPPED)


async def _another_stream(errand: Errand, parts: Parts) -> str | None:
    """Instructions for the next stream of a live call, or None when it may have none."""
    call, attempt = errand.call, errand.request.attempt
    assert call is not None
    room = line_holder(errand.uid, errand.rid, attempt, call.epoch + 1)
    # The redirect and the report of one break race for the right to repair it; the loser only waits.
    if not await parts.store.first_delivery(f"resume-{room}", parts.now):
        return twiml.wait_and_ask_again(carrier_url(errand, "resume", parts))
    url = await find_room(room, parts, not_at=call.relay_url)
    if url is None:
        return None
    granted = await parts.store.move(errand.uid, errand.rid, ResumeGranted(attempt))
    if granted.ignored is not None:
        await parts.store.free_room(url, room)
        return None
    return await stream_twiml(granted.errand, url, parts, not_after=parts.now + RESUMED_WITHIN)


def _is_live(errand: Errand, attempt: int, form: Mapping[str, str]) -> bool:
    """Whether this is the present call, and still wanted."""
    call = errand.call
    if errand.request.attempt != attempt or call is None or call.sid not in (None, form.get("CallSid")):
        return False
    wanted = errand.request.cancel_requested_at is None and call.status not in CALL_ENDED
    return wanted and errand.request.status in LIVE


async def _somebody_rings(form: Mapping[str, str], parts: Parts) -> Response:
    """Somebody rings Floyd's number: tell who had called, for whom, and how to opt out by key."""
    number = form.get("From", "")
    if form.get("Digits") == twiml.DO_NOT_CALL_KEY and number:
        await parts.store.set_do_not_call(number, True, parts.now)
        return _xml(twiml.hang_up(NOT_AGAIN))
    words = texting.who_rang(await who_rang_last(number, parts.store))
    offer = f"{words} Press {twiml.DO_NOT_CALL_KEY} and this number will never call you again."
    return _xml(twiml.who_rang(offer, GOODBYE, keyed_url=f"{parts.settings.floyd_carrier_url}/inbound"))
