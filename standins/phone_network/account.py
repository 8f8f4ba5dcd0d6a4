"""The account as its owner finds it at the other products' addresses: its numbers' webhooks, where it may ring."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from standins.phone_network.call import API_VERSION
from standins.phone_network.exchange import Exchange

Handler = Callable[[web.Request], Awaitable[web.Response]]
# A fresh account's geographic permissions, of the few countries that callees of the stand-in live in.
ALLOWED = {"US": True, "CA": True, "GB": False, "JP": False}


def routes(exchange: Exchange) -> list[tuple[str, Handler]]:
    """(path, handler) of everything that is only read."""
    account = f"/{API_VERSION}/Accounts/{exchange.account_sid}"

    def page(key: str, items: list[dict[str, Any]]) -> web.Response:
        return web.json_response({key: items, "meta": {"key": key, "page": 0, "page_size": 50, "next_page_url": None}})

    async def state(_: web.Request) -> web.Response:
        return web.json_response({"sid": exchange.account_sid, "status": "active", "type": "Full"})

    async def numbers(request: web.Request) -> web.Response:
        voice, texts = exchange.voice_urls, exchange.messages.sms_urls
        wanted = request.query.get("PhoneNumber", "")
        found = [
            {"phone_number": number, "voice_url": voice.get(number), "sms_url": texts.get(number)}
            for number in sorted(voice.keys() | texts.keys())
            if wanted in number
        ]
        listed = {"incoming_phone_numbers": found, "page": 0, "page_size": 50, "next_page_uri": None}
        return web.json_response(listed)

    async def countries(_: web.Request) -> web.Response:
        closed = {"high_risk_special_numbers_enabled": False, "high_risk_tollfraud_numbers_enabled": False}
        low = [{"iso_code": code, "low_risk_numbers_enabled": open_, **closed} for code, open_ in ALLOWED.items()]
        return page("content", low)

    async def profiles(_: web.Request) -> web.Response:
        return page("results", [])

    return [
        (f"{account}.json", state),
        (f"{account}/IncomingPhoneNumbers.json", numbers),
        ("/v1/DialingPermissions/Countries", countries),
        ("/v1/CustomerProfiles", profiles),
    ]
