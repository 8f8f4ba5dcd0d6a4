"""Twilio's REST API, version 2010-04-01: Calls and Messages, as strict as Twilio and a little stricter.

Whatever is not imitated is refused with a message that says so, rather than ignored.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from standins.phone_network.call import API_VERSION, Call, Instructions, Order
from standins.phone_network.exchange import Exchange, is_number
from standins.phone_network.faults import Request
from standins.phone_network.webhooks import FINAL

Form = Mapping[str, list[str]]

MAX_TWIML_CHARS = 4000
MAX_BODY_CHARS = 1600
MAX_RING_S = 600
MAX_TIME_LIMIT_S = 86_400

_PARTIES = frozenset({"To", "From"})
_TWIML = frozenset({"Twiml", "Url", "Method"})
_CALLBACK = frozenset({"StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod"})
_TIMES = frozenset({"StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>"})
_PAGING = frozenset({"PageSize", "Page"})
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_STATUSES = frozenset({"queued", "ringing", "in-progress"}) | FINAL


class RestError(Exception):
    """An error in Twilio's words and numbers."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def body(self) -> dict[str, object]:
        """Twilio's JSON error."""
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": str(self), "more_info": more, "status": self.status}


Handler = Callable[[web.Request], Awaitable[web.Response]]


class Rest:
    """The handlers; state lives in the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add_routes(self, app: web.Application) -> None:
        """Under /2010-04-01/Accounts/{account}."""
        base = f"/{API_VERSION}/Accounts/{{account}}"
        for ending in (".json", ""):
            app.router.add_post(f"{base}/Calls{ending}", self._guard("create", self._create))
            app.router.add_get(f"{base}/Calls{ending}", self._guard("list", self._list))
            app.router.add_post(f"{base}/Messages{ending}", self._guard("message", self._send_message))
            app.router.add_get(f"{base}/Messages{ending}", self._guard("list", self._list_messages))
        app.router.add_get(f"{base}/Calls/{{sid:CA[0-9a-f]{{32}}}}.json", self._guard("fetch", self._fetch))
        app.router.add_post(f"{base}/Calls/{{sid:CA[0-9a-f]{{32}}}}.json", self._guard("update", self._update))
        app.router.add_get(f"{base}/Messages/{{sid:SM[0-9a-f]{{32}}}}.json", self._guard("fetch", self._fetch_message))
        app.router.add_route("*", f"/{API_VERSION}/{{rest:.*}}", self._guard("fetch", self._nothing_there))

    def _guard(self, request_kind: Request, handler: Handler) -> Handler:
        """Authentication, faults and errors around a handler."""

        async def guarded(request: web.Request) -> web.Response:
            faults = self._exchange.faults
            try:
                self._authenticate(request)
                struck = faults.strike(request_kind)
                if struck == "drop_before_accept":
                    return _torn(request)
                response = await handler(request) if struck != "status" or faults.status_acts else None
                if struck == "accept_then_drop":
                    return _torn(request)
                if struck == "status":
                    assert faults.status is not None, "the fault strikes only with a status"
                    code = 20429 if faults.status == 429 else 20500
                    raise RestError(
                        faults.status, code, "Too Many Requests" if code == 20429 else "Internal Server Error"
                    )
                assert response is not None, "only a status fault leaves the request undone"
                return response
            except RestError as error:
                self._exchange.refusals.append({"path": request.path, **error.body()})
                return web.json_response(error.body(), status=error.status)

        return guarded

    def _authenticate(self, request: web.Request) -> None:
        kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        exchange = self._exchange
        if kind.lower() != "basic" or (user, password) != (exchange.account_sid, exchange.auth_token):
            raise RestError(401, 20003, "Authenticate")
        if request.match_info.get("account", exchange.account_sid) != exchange.account_sid:
            raise _not_found(request)

    async def _nothing_there(self, request: web.Request) -> web.Response:
        raise _not_found(request)

    # Calls

    async def _create(self, request: web.Request) -> web.Response:
        form = await _form(request, _PARTIES | _TWIML | _CALLBACK | {"Timeout", "TimeLimit"})
        to, from_ = self._parties(form, missing_to=21201, missing_from=21213)
        instructions = _instructions(form)
        if instructions is None:
            raise RestError(400, 21205, "Url parameter is required.")
        callback = _url(form, "StatusCallback", 21609)
        events = [event for value in form.get("StatusCallbackEvent", []) for event in value.split(" ")]
        if wrong := [event for event in events if event not in _EVENTS]:
            raise RestError(400, 21626, f"Invalid StatusCallbackEvent: {wrong[0]}")
        order = Order(
            account_sid=self._exchange.account_sid,
            to=to,
            from_=from_,
            instructions=instructions,
            status_callback=callback,
            status_callback_method=_method(form, "StatusCallbackMethod"),
            status_callback_events=frozenset(events) or frozenset({"completed"}),
            ring_s=_seconds(form, "Timeout", 60, MAX_RING_S),
            time_limit_s=_seconds(form, "TimeLimit", 14_400, MAX_TIME_LIMIT_S),
        )
        return web.json_response(self._exchange.place(order).resource(), status=201)

    def _parties(self, form: Form, missing_to: int, missing_from: int) -> tuple[str, str]:
        to, from_ = _one(form, "To"), _one(form, "From")
        if not to:
            raise RestError(400, missing_to, "No 'To' number is specified")
        if not from_:
            raise RestError(400, missing_from, "A 'From' number is required")
        if not is_number(to):
            raise RestError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if not is_number(from_):
            raise RestError(400, 21212, f"The 'From' number {from_} is not a valid phone number.")
        owned = self._exchange.voice_urls.keys() | self._exchange.messages.sms_urls.keys()
        if owned and from_ not in owned:
            raise RestError(400, 21210, f"The 'From' number {from_} is not yet verified for your account.")
        return to, from_

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self._call(request).resource())

    async def _update(self, request: web.Request) -> web.Response:
        call = self._call(request)
        life = self._exchange.lives[call.sid]
        form = await _form(request, _TWIML | {"Status"})
        status, instructions = _one(form, "Status"), _instructions(form)
        if status not in {"", "completed", "canceled"}:
            raise RestError(400, 21218, f"Invalid Status '{status}': only completed and canceled can be asked for")
        if not status and instructions is None:
            raise RestError(400, 21205, "Url, Twiml or Status is required.")
        if call.over or (not status and call.status != "in-progress"):
            raise RestError(400, 21220, f"Call is not in-progress. Cannot redirect. (It is {call.status}.)")
        if status == "completed":
            life.end("completed" if call.status == "in-progress" else "canceled", "REST")
        elif status == "canceled" and call.status != "in-progress":
            life.end("canceled", "REST")
        elif instructions is not None:
            life.redirect(instructions)
        return web.json_response(call.resource())

    async def _list(self, request: web.Request) -> web.Response:
        query = _checked(request.query_string, _PARTIES | _TIMES | _PAGING | {"Status"})
        if (status := _one(query, "Status")) and status not in _STATUSES:
            raise RestError(400, 20001, f"Invalid Status '{status}'")
        calls = [call for call in self._exchange.calls.values() if _matches(call, query)]
        return _page(request, query, "calls", [call.resource() for call in reversed(calls)])

    def _call(self, request: web.Request) -> Call:
        call = self._exchange.calls.get(request.match_info["sid"])
        if call is None:
            raise _not_found(request)
        return call

    # Messages

    async def _send_message(self, request: web.Request) -> web.Response:
        form = await _form(request, _PARTIES | {"Body", "StatusCallback"})
        to, from_ = self._parties(form, missing_to=21604, missing_from=21603)
        body = _one(form, "Body")
        if not body:
            raise RestError(400, 21602, "Message body is required.")
        if len(body) > MAX_BODY_CHARS:
            raise RestError(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if (from_, to) in self._exchange.messages.stopped:
            raise RestError(400, 21610, "Attempt to send to unsubscribed recipient")
        callback = _url(form, "StatusCallback", 21609)
        return web.json_response(self._exchange.messages.send(to, from_, body, callback).resource(), status=201)

    async def _fetch_message(self, request: web.Request) -> web.Response:
        text = self._exchange.messages.all.get(request.match_info["sid"])
        if text is None:
            raise _not_found(request)
        return web.json_response(text.resource())

    async def _list_messages(self, request: web.Request) -> web.Response:
        query = _checked(request.query_string, _PARTIES | _PAGING)
        to, from_ = _one(query, "To"), _one(query, "From")
        texts = [t for t in self._exchange.messages.all.values() if to in {"", t.to} and from_ in {"", t.from_}]
        return _page(request, query, "messages", [text.resource() for text in reversed(texts)])


def _torn(request: web.Request) -> web.Response:
    """The connection dies; what is returned never arrives."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _not_found(request: web.Request) -> RestError:
    return RestError(404, 20404, f"The requested resource {request.path} was not found")


async def _form(request: web.Request, known: frozenset[str]) -> Form:
    if request.content_type != "application/x-www-form-urlencoded":
        raise RestError(415, 20001, f"Content-Type {request.content_type} is not application/x-www-form-urlencoded")
    return _checked(await request.text(), known)


def _checked(encoded: str, known: frozenset[str]) -> Form:
    form = parse_qs(encoded, keep_blank_values=True)
    if unknown := sorted(form.keys() - known):
        raise RestError(400, 20001, f"Parameter '{unknown[0]}' is unknown, or not imitated here")
    if doubled := [name for name in form if len(form[name]) > 1 and name != "StatusCallbackEvent"]:
        raise RestError(400, 20001, f"Parameter '{doubled[0]}' was given twice")
    return form


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def _url(form: Form, name: str, code: int) -> str:
    url = _one(form, name)
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname or "_" in parts.hostname):
        raise RestError(400, code, f"{name} is not a valid URL: {url}")
    return url


def _method(form: Form, name: str) -> str:
    method = _one(form, name) or "POST"
    if method not in {"GET", "POST"}:
        raise RestError(400, 21403, f"{name} must be GET or POST, not {method}")
    return method


def _instructions(form: Form) -> Instructions | None:
    twiml, url = _one(form, "Twiml"), _url(form, "Url", 21205)
    if len(twiml) > MAX_TWIML_CHARS:
        raise RestError(400, 20001, f"Twiml has {len(twiml)} characters, {MAX_TWIML_CHARS} are allowed")
    return Instructions(twiml, url, _method(form, "Method")) if twiml or url else None


def _seconds(form: Form, name: str, default: int, most: int) -> int:
    value = _one(form, name)
    if value and not (value.isdecimal() and 1 <= int(value) <= most):
        raise RestError(400, 20001, f"{name} must be 1 to {most} seconds, not {value}")
    return int(value) if value else default


def _matches(call: Call, query: Form) -> bool:
    wanted = {"To": call.order.to, "From": call.order.from_, "Status": call.rest_status}
    if any(query.get(name, [actual]) != [actual] for name, actual in wanted.items()):
        return False
    return _in_time(call.started, "StartTime", query) and _in_time(call.ended, "EndTime", query)


def _in_time(moment: datetime | None, name: str, query: Form) -> bool:
    """`=` means the same day (UTC), `<` and `>` a day or a moment, included; what has no such time is never found."""
    for sign in ("", "<", ">"):
        if value := _one(query, name + sign):
            try:
                bound = datetime.fromisoformat(value)
            except ValueError as error:
                raise RestError(400, 20001, f"{name}{sign} is not a date: {value}") from error
            bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
            whole_day = len(value) == len("2026-11-23")
            if moment is None:
                return False
            if sign == "" and moment.date() != bound.astimezone(UTC).date():
                return False
            if sign == ">" and moment < bound:
                return False
            if sign == "<" and moment >= bound + (timedelta(days=1) if whole_day else timedelta(seconds=1)):
                return False
    return True


def _page(request: web.Request, query: Form, name: str, items: list[dict[str, Any]]) -> web.Response:
    """One page of a list, with the way to the next."""
    size, number = _one(query, "PageSize") or "50", _one(query, "Page") or "0"
    if not (size.isdecimal() and number.isdecimal() and 1 <= int(size) <= 1000):
        raise RestError(400, 20006, "Invalid paging values: PageSize is 1 to 1000")
    start = int(size) * int(number)
    rest = {key: value for key, value in request.query.items() if key != "Page"}

    def uri(page: int) -> str:
        return str(request.rel_url.with_query({**rest, "Page": str(page), "PageSize": size}))

    body = {
        name: items[start : start + int(size)],
        "page": int(number),
        "page_size": int(size),
        "start": start,
        "end": min(len(items), start + int(size)) - 1,
        "uri": str(request.rel_url),
        "first_page_uri": uri(0),
        "next_page_uri": uri(int(number) + 1) if len(items) > start + int(size) else None,
        "previous_page_uri": uri(int(number) - 1) if int(number) else None,
    }
    return web.json_response(body)
