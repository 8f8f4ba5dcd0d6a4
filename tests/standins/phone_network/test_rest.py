"""The REST API, judged by the vendor's own client, synchronous and asynchronous."""

import asyncio
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from standins.phone_network.exchange import Exchange
from standins.phone_network.faults import Faults
from standins.phone_network.script import Script
from tests.standins.phone_network.peer import ACCOUNT, CALLEE, FLOYD, TOKEN

EMPTY = "<Response/>"


@pytest.fixture
def client(base_url: str, exchange: Exchange) -> Client:
    """The synchronous client (call it in a thread); CALLEE rings without end."""
    exchange.enlist(CALLEE, Script(outcome="no-answer"))
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=10, max_retries=None))
    client.api.base_url = base_url
    return client


async def refused(call: Any, **arguments: object) -> tuple[int, int]:
    """The HTTP status and Twilio's number of the error that this request gets."""
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(call, **arguments)
    return caught.value.status, caught.value.code


async def test_create_fetch_list_with_the_plain_client(client: Client) -> None:
    """If this fails the vendor's client cannot place a call or find it again."""
    call = await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)
    assert call.sid.startswith("CA")
    assert (call.status, call.direction, call.to, call._from) == ("queued", "outbound-api", CALLEE, FLOYD)
    fetched = await asyncio.to_thread(client.calls(call.sid).fetch)
    assert fetched.sid == call.sid
    assert fetched.date_created.tzinfo is not None

    async def sids(**query: object) -> list[str]:
        return [found.sid for found in await asyncio.to_thread(client.calls.list, **query)]

    assert await sids(to=CALLEE, from_=FLOYD) == [call.sid]
    assert await sids(to=FLOYD) == []
    assert await sids(status="ringing") == [call.sid]
    assert await sids(status="completed") == []


async def test_a_queued_call_has_no_start_time(client: Client, exchange: Exchange) -> None:
    """If this fails a call still in the queue seems to have begun."""
    exchange.faults.queue_s = 60
    call = await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)

    assert call.start_time is None
    assert len(await asyncio.to_thread(client.calls.list, to=CALLEE, status="queued")) == 1


async def test_lists_come_in_pages(client: Client) -> None:
    """If this fails a client that follows pages loses calls, or never ends."""
    for _ in range(5):
        await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)

    assert len(await asyncio.to_thread(client.calls.list, page_size=2)) == 5


async def test_the_asynchronous_client(client: Client, base_url: str) -> None:
    """If this fails async callers need another stand-in."""
    http = AsyncTwilioHttpClient(timeout=10)
    concurrent = Client(ACCOUNT, TOKEN, http_client=http)
    concurrent.api.base_url = base_url
    call = await concurrent.calls.create_async(to=CALLEE, from_=FLOYD, twiml=EMPTY)
    updated = await concurrent.calls(call.sid).update_async(status="canceled")
    await http.close()

    assert updated.sid == call.sid


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"to": "+1555"}, 21211),
        ({"to": "5551234"}, 21211),
        ({"to": ""}, 21201),
        ({"from_": "+1911"}, 21212),
        ({"from_": ""}, 21213),
        ({"twiml": ""}, 21205),
        ({"twiml": "", "url": "ftp://example.com"}, 21205),
        ({"twiml": f"<Response>{' ' * 4000}</Response>"}, 20001),
        ({"status_callback": "not a url"}, 21609),
        ({"status_callback": "http://under_score.example.com/"}, 21609),
        ({"status_callback_event": ["answered", "exploded"]}, 21626),
        ({"timeout": 601}, 20001),
        ({"record": True}, 20001),
        ({"machine_detection": "Enable"}, 20001),
    ],
)
async def test_bad_calls_are_refused_with_the_vendors_number(
    client: Client, arguments: dict[str, object], code: int
) -> None:
    """If this fails a request that the vendor refuses seems to work."""
    given = {"to": CALLEE, "from_": FLOYD, "twiml": EMPTY, **arguments}
    assert await refused(client.calls.create, **given) == (400, code)


async def test_only_numbers_of_the_account_can_call(client: Client, exchange: Exchange) -> None:
    """If this fails a wrong caller number is noticed only in production."""
    exchange.voice_urls["+13125550199"] = "http://127.0.0.1:9/"

    assert await refused(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY) == (400, 21210)


async def test_what_is_not_there_and_who_is_not_known(client: Client, base_url: str) -> None:
    """If this fails wrong credentials or sids look like success."""
    assert await refused(client.calls("CA" + "0" * 32).fetch) == (404, 20404)
    assert await refused(client.messages("SM" + "0" * 32).fetch) == (404, 20404)
    assert await refused(client.recordings("RE" + "0" * 32).fetch) == (404, 20404)
    stranger = Client(ACCOUNT, "wrong")
    stranger.api.base_url = base_url
    assert await refused(stranger.calls("CA" + "0" * 32).fetch) == (401, 20003)


async def test_an_ended_call_cannot_be_changed(client: Client, exchange: Exchange) -> None:
    """If this fails a late hang-up or hand-over looks as if it had worked."""
    exchange.enlist(CALLEE, Script(outcome="no-answer"))
    call = await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)
    assert await refused(client.calls(call.sid).update, twiml=EMPTY) == (400, 21220)
    await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    async with asyncio.timeout(5):
        while not exchange.calls[call.sid].over:
            await asyncio.to_thread(client.calls(call.sid).fetch)

    assert exchange.calls[call.sid].status == "canceled"
    assert await refused(client.calls(call.sid).update, status="completed") == (400, 21220)


@pytest.mark.parametrize(
    ("faults", "answer", "placed"),
    [
        ({"accept_then_drop": 1}, None, 1),
        ({"drop_before_accept": 1}, None, 0),
        ({"status": 503}, 503, 0),
        ({"status": 500, "status_acts": True}, 500, 1),
        ({"status": 429}, 429, 0),
    ],
)
async def test_faults_strike_once(
    client: Client, exchange: Exchange, faults: dict[str, object], answer: int | None, placed: int
) -> None:
    """If this fails the difference between "not placed" and "not known" cannot be rehearsed."""
    exchange.faults.become(Faults.model_validate(faults))
    if answer is None:
        with pytest.raises(Exception, match=r"Connection|RemoteDisconnected"):
            await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)
    else:
        status, _ = await refused(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)
        assert status == answer
    assert len(exchange.calls) == placed
    await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY)
    assert len(exchange.calls) == placed + 1


async def test_the_queue_lets_one_call_a_second_through(client: Client, exchange: Exchange) -> None:
    """If this fails calls that wait at the vendor ring at once here."""
    exchange.faults.calls_per_second = 0.01
    calls = [await asyncio.to_thread(client.calls.create, to=CALLEE, from_=FLOYD, twiml=EMPTY) for _ in range(2)]
    fetched = [await asyncio.to_thread(client.calls(call.sid).fetch) for call in calls]

    assert [call.status for call in fetched] == ["ringing", "queued"]


async def test_messages(client: Client, exchange: Exchange) -> None:
    """If this fails texts to a person cannot be sent, found, or refused after STOP."""
    sent = await asyncio.to_thread(client.messages.create, to=CALLEE, from_=FLOYD, body="Is 560 dollars all right?")
    assert (sent.status, sent.num_segments, sent.body) == ("queued", "1", "Is 560 dollars all right?")
    assert [text.sid for text in await asyncio.to_thread(client.messages.list, to=CALLEE)] == [sent.sid]
    assert (await asyncio.to_thread(client.messages(sent.sid).fetch)).sid == sent.sid

    assert await refused(client.messages.create, to=CALLEE, from_=FLOYD, body="") == (400, 21602)
    assert await refused(client.messages.create, to=CALLEE, from_=FLOYD, body="x" * 1601) == (400, 21617)
    exchange.messages.receive(FLOYD, CALLEE, " stop ")
    assert await refused(client.messages.create, to=CALLEE, from_=FLOYD, body="hello") == (400, 21610)
    exchange.messages.receive(FLOYD, CALLEE, "START")
    await asyncio.to_thread(client.messages.create, to=CALLEE, from_=FLOYD, body="hello")


async def test_the_vendors_client_reads_the_account(base_url: str, exchange: Exchange) -> None:
    """If this fails the stand-in's account is not what Twilio's looks like."""
    exchange.voice_urls[FLOYD] = "https://carrier.example.com/inbound"
    client = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=10, max_retries=None))
    for product in (client.api, client.voice, client.trusthub):
        product.base_url = base_url

    (number,) = await asyncio.to_thread(client.incoming_phone_numbers.list, phone_number=FLOYD)
    countries = await asyncio.to_thread(client.voice.v1.dialing_permissions.countries.list)
    account = await asyncio.to_thread(client.api.v2010.accounts(ACCOUNT).fetch)

    assert (number.phone_number, number.voice_url) == (FLOYD, "https://carrier.example.com/inbound")
    assert {each.iso_code for each in countries if each.low_risk_numbers_enabled} == {"US", "CA"}
    assert account.status == "active"
    assert await asyncio.to_thread(client.trusthub.v1.customer_profiles.list) == []
