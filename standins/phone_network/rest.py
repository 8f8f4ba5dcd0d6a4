"""Twilio's REST API, version 2010-04-01: Calls and Messages, as strict as Twilio and a little stricter."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiohttp import web

from standins.phone_network import account
from standins.phone_network.call import API_VERSION, Call
from standins.phone_network.exchange import Exchange
from standins.phone_network.faults import Request
from standins.phone_network.forms import CallQuery, Form, NewText, Order, Query, TwilioError, Update
from standins.phone_network.messages import Text

Handler = Callable[[web.Request], Awaitable[web.Response]]
F = TypeVar("F", bound=Form)


class Rest:
    """The handlers; state lives in the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        secret = base64.b64encode(f"{exchange.account_sid}:{exchange.auth_token}".encode()).decode()
        self._authorization = f"Basic {secret}"

    def add_routes(self, app: web.Application) -> None:
        """Under /2010-04-01/Accounts/{account}."""
        base = f"/{API_VERSION}/Accounts/{self._exchange.account_sid}"
        call, text = base + "/Calls/{sid:CA[0-9a-f]{32}}.json", base + "/Messages/{sid:SM[0-9a-f]{32}}.json"
        routes: tuple[tuple[str, str, Request, Handler], ...] = (
            ("POST", f"{base}/Calls.json", "create", self._create),
            ("GET", f"{base}/Calls.json", "list", self._list),
            ("GET", call, "fetch", self._fetch),
            ("POST", call, "update", self._update),
            ("POST", f"{base}/Messages.json", "message", self._send_message),
            ("GET", f"{base}/Messages.json", "list", self._list_messages),
            ("GET", text, "fetch", self._fetch_message),
            *(("GET", path, "fetch", handler) for path, handler in account.routes(self._exchange)),
            ("*", f"/{API_VERSION}/{{rest:.*}}", "fetch", self._nothing_there),
        )
        for method, path, kind, handler in routes:
            app.router.add_route(method, path, self._guard(kind, handler))

    def _guard(self, kind: Request, handler: Handler) -> Handler:
        """Authentication, faults and errors around a handler."""

        async def guarded(request: web.Request) -> web.Response:
            faults = self._exchange.faults
            try:
                if request.headers.get("Authorization") != self._authorization:
                    raise TwilioError(20003, "Authenticate", 401)
                struck = faults.strike(kind)
                response = None
                if struck in {None, "accept_then_drop"} or (struck == "status" and faults.status_acts):
                    response = await handler(request)
                if struck == "status" and faults.status is not None:
                    code, words = (20429, "Too Many Requests") if faults.status == 429 else (20500, "Internal Error")
                    raise TwilioError(code, words, faults.status)
                if struck is not None and request.transport is not None:
                    request.transport.abort()
                return response or web.Response()
            except TwilioError as error:
                more = f"https://www.twilio.com/docs/errors/{error.code}"
                body = {"code": error.code, "message": str(error), "more_info": more, "status": error.status}
                return web.json_response(body, status=error.status)

        return guarded

    async def _nothing_there(self, request: web.Request) -> web.Response:
        raise _not_found(request)

    # Calls

    async def _create(self, request: web.Request) -> web.Response:
        order = await _form(request, Order)
        self._check_owned(order.from_)
        return web.json_response(self._exchange.place(order).resource(), status=201)

    def _check_owned(self, from_: str) -> None:
        owned = self._exchange.voice_urls.keys() | self._exchange.messages.sms_urls.keys()
        if owned and from_ not in owned:
            raise TwilioError(21210, f"The 'From' number {from_} is not yet verified for your account.")

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self._call(request).resource())

    async def _update(self, request: web.Request) -> web.Response:
        call, form = self._call(request), await _form(request, Update)
        life, talking = self._exchange.lives[call.sid], call.status == "in-progress"
        if call.over or not (form.status or talking):
            raise TwilioError(21220, f"Call is not in-progress. Cannot redirect. (It is {call.status}.)")
        if form.status == "completed" or (form.status == "canceled" and not talking):
            life.end("completed" if talking else "canceled", "REST")
        elif form.twiml or form.url:
            life.redirect(form)
        return web.json_response(call.resource())

    async def _list(self, request: web.Request) -> web.Response:
        query = CallQuery.read(request.query_string)
        calls = [call for call in self._exchange.calls.values() if query.status in {"", call.rest_status}]
        return _page(request, query, "calls", [call for call in calls if _between(call.order, query)])

    def _call(self, request: web.Request) -> Call:
        call = self._exchange.calls.get(request.match_info["sid"])
        if call is None:
            raise _not_found(request)
        return call

    # Messages

    async def _send_message(self, request: web.Request) -> web.Response:
        new = await _form(request, NewText)
        self._check_owned(new.from_)
        if (new.from_, new.to) in self._exchange.messages.stopped:
            raise TwilioError(21610, "Attempt to send to unsubscribed recipient")
        text = self._exchange.messages.send(new.to, new.from_, new.body, new.status_callback)
        return web.json_response(text.resource(), status=201)

    async def _fetch_message(self, request: web.Request) -> web.Response:
        text = self._exchange.messages.all.get(request.match_info["sid"])
        if text is None:
            raise _not_found(request)
        return web.json_response(text.resource())

    async def _list_messages(self, request: web.Request) -> web.Response:
        query = Query.read(request.query_string)
        texts = [text for text in self._exchange.messages.all.values() if _between(text, query)]
        return _page(request, query, "messages", texts)


async def _form(request: web.Request, form: type[F]) -> F:
    if request.content_type != "application/x-www-form-urlencoded":
        message = f"Content-Type {request.content_type} is not application/x-www-form-urlencoded"
        raise TwilioError(20001, message, 415)
    return form.read(await request.text())


def _not_found(request: web.Request) -> TwilioError:
    return TwilioError(20404, f"The requested resource {request.path} was not found", 404)


def _between(item: Order | Text, query: Query) -> bool:
    return query.to in {"", item.to} and query.from_ in {"", item.from_}


def _page(request: web.Request, query: Query, name: str, items: Sequence[Call | Text]) -> web.Response:
    """One page of a list, newest first, with the way to the next."""
    start = query.page_size * query.page
    found = [item.resource() for item in reversed(items)]
    following = request.rel_url.update_query(Page=query.page + 1, PageSize=query.page_size)
    body = {
        name: found[start : start + query.page_size],
        "page": query.page,
        "page_size": query.page_size,
        "start": start,
        "end": min(len(found), start + query.page_size) - 1,
        "uri": str(request.rel_url),
        "next_page_uri": str(following) if len(found) > start + query.page_size else None,
    }
    return web.json_response(body)
