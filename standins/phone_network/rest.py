"""Twilio's REST API, version 2010-04-01: Calls and Messages, as strict as Twilio and a little stricter.

Beside it what an account's owner reads of it, partly at other products' addresses: its numbers' webhooks, where it may
ring.
"""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from standins.phone_network.call import Call
from standins.phone_network.exchange import Exchange
from standins.phone_network.faults import Request
from standins.phone_network.forms import API_VERSION, CallQuery, Form, NewText, Order, Query, TwilioError, Update
from standins.phone_network.messages import Text

ALLOWED = {"US": True, "CA": True, "GB": False, "JP": False}
"""A fresh account's geographic permissions, of the few countries that callees of the stand-in live in."""

Json = dict[str, Any]
Handler = Callable[[web.Request, Any], Json]
"""Gets the request and, checked, the form or the query that came with it."""
T = TypeVar("T")


class Rest:
    """The handlers; state lives in the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._messages = exchange, exchange.messages
        secret = base64.b64encode(f"{exchange.account_sid}:{exchange.auth_token}".encode()).decode()
        self._authorization = f"Basic {secret}"

    def add_routes(self, app: web.Application) -> None:
        """Under /2010-04-01/Accounts/{account}, and the two other products'."""
        account = f"/{API_VERSION}/Accounts/{self._exchange.account_sid}"
        call, text = account + "/Calls/{sid:CA[0-9a-f]{32}}.json", account + "/Messages/{sid:SM[0-9a-f]{32}}.json"
        state = {"sid": self._exchange.account_sid, "status": "active", "type": "Full"}
        routes: tuple[tuple[str, str, Request, type[Form] | None, Handler], ...] = (
            ("POST", f"{account}/Calls.json", "create", Order, self._create),
            ("GET", f"{account}/Calls.json", "list", CallQuery, self._list),
            ("GET", call, "fetch", None, lambda request, _: _named(request, self._exchange.calls).resource()),
            ("POST", call, "update", Update, self._update),
            ("POST", f"{account}/Messages.json", "message", NewText, self._send_message),
            ("GET", f"{account}/Messages.json", "list", Query, self._list_messages),
            ("GET", text, "fetch", None, lambda request, _: _named(request, self._messages.all).resource()),
            ("GET", f"{account}.json", "fetch", None, lambda _, __: state),
            ("GET", f"{account}/IncomingPhoneNumbers.json", "fetch", None, self._numbers),
            ("GET", "/v1/DialingPermissions/Countries", "fetch", None, lambda _, __: _v1_page("content", _countries())),
            ("GET", "/v1/CustomerProfiles", "fetch", None, lambda _, __: _v1_page("results", [])),
            ("*", f"/{API_VERSION}/{{rest:.*}}", "fetch", None, lambda request, _: _named(request, {})),
        )
        for method, path, kind, form, handler in routes:
            app.router.add_route(method, path, self._guard(kind, form, handler))

    def _guard(
        self, kind: Request, form: type[Form] | None, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Authentication, faults and errors around a handler."""

        async def guarded(request: web.Request) -> web.Response:
            faults = self._exchange.faults
            try:
                if request.headers.get("Authorization") != self._authorization:
                    raise TwilioError(20003, "Authenticate", 401)
                struck = faults.strike(kind)
                found: Json = {}
                if struck in {None, "accept_then_drop"} or (struck == "status" and faults.status_acts):
                    found = handler(request, form and form.read(await _fields(request)))
                if struck == "status" and faults.status is not None:
                    code, words = (20429, "Too Many Requests") if faults.status == 429 else (20500, "Internal Error")
                    raise TwilioError(code, words, faults.status)
                if struck is not None and request.transport is not None:
                    request.transport.abort()
                return web.json_response(found, status=201 if kind in {"create", "message"} else 200)
            except TwilioError as error:
                more = f"https://www.twilio.com/docs/errors/{error.code}"
                body = {"code": error.code, "message": str(error), "more_info": more, "status": error.status}
                return web.json_response(body, status=error.status)

        return guarded

    def _create(self, _: web.Request, order: Order) -> Json:
        self._check_owned(order.from_)
        return self._exchange.place(order).resource()

    def _check_owned(self, from_: str) -> None:
        owned = self._exchange.voice_urls.keys() | self._messages.sms_urls.keys()
        if owned and from_ not in owned:
            raise TwilioError(21210, f"The 'From' number {from_} is not yet verified for your account.")

    def _update(self, request: web.Request, form: Update) -> Json:
        call = _named(request, self._exchange.calls)
        talking = call.status == "in-progress"
        if call.over or not (form.status or talking):
            raise TwilioError(21220, f"Call is not in-progress. Cannot redirect. (It is {call.status}.)")
        if form.status == "completed" or (form.status == "canceled" and not talking):
            call.end("completed" if talking else "canceled", "REST")
        elif form.twiml or form.url:
            call.redirect(form)
        return call.resource()

    def _list(self, request: web.Request, query: CallQuery) -> Json:
        calls = [call for call in self._exchange.calls.values() if query.status in {"", call.rest_status}]
        return _page(request, query, "calls", [call for call in calls if _between(call.order, query)])

    def _send_message(self, _: web.Request, new: NewText) -> Json:
        self._check_owned(new.from_)
        if (new.from_, new.to) in self._messages.stopped:
            raise TwilioError(21610, "Attempt to send to unsubscribed recipient")
        return self._messages.send(new.to, new.from_, new.body, new.status_callback).resource()

    def _list_messages(self, request: web.Request, query: Query) -> Json:
        return _page(
            request, query, "messages", [text for text in self._messages.all.values() if _between(text, query)]
        )

    def _numbers(self, request: web.Request, _: None) -> Json:
        voice, texts = self._exchange.voice_urls, self._messages.sms_urls
        found = [
            {"phone_number": number, "voice_url": voice.get(number), "sms_url": texts.get(number)}
            for number in sorted(voice.keys() | texts.keys())
            if request.query.get("PhoneNumber", "") in number
        ]
        return {"incoming_phone_numbers": found, "page": 0, "page_size": 50, "next_page_uri": None}


async def _fields(request: web.Request) -> str:
    """The query of a GET, the form of a POST."""
    if request.method == "GET":
        return request.query_string
    if request.content_type != "application/x-www-form-urlencoded":
        message = f"Content-Type {request.content_type} is not application/x-www-form-urlencoded"
        raise TwilioError(20001, message, 415)
    return await request.text()


def _named(request: web.Request, kept: dict[str, T]) -> T:
    if (found := kept.get(request.match_info.get("sid", ""))) is None:
        raise TwilioError(20404, f"The requested resource {request.path} was not found", 404)
    return found


def _between(item: Order | Text, query: Query) -> bool:
    return query.to in {"", item.to} and query.from_ in {"", item.from_}


def _page(request: web.Request, query: Query, name: str, items: Sequence[Call | Text]) -> Json:
    """One page of a list, newest first, with the way to the next."""
    start = query.page_size * query.page
    found = [item.resource() for item in reversed(items)]
    following = request.rel_url.update_query(Page=query.page + 1, PageSize=query.page_size)
    return {
        name: found[start : start + query.page_size],
        "page": query.page,
        "page_size": query.page_size,
        "start": start,
        "end": min(len(found), start + query.page_size) - 1,
        "uri": str(request.rel_url),
        "next_page_uri": str(following) if len(found) > start + query.page_size else None,
    }


def _countries() -> list[Json]:
    closed = {"high_risk_special_numbers_enabled": False, "high_risk_tollfraud_numbers_enabled": False}
    return [{"iso_code": code, "low_risk_numbers_enabled": low, **closed} for code, low in ALLOWED.items()]


def _v1_page(key: str, items: list[Json]) -> Json:
    """As the newer products write it."""
    return {key: items, "meta": {"key": key, "page": 0, "page_size": 50, "next_page_url": None}}
