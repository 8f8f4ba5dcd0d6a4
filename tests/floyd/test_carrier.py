"""The carrier client against the phone network's stand-in, over sockets: what is known after each kind of failure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from floyd import carrier, twiml
from floyd.carrier import CallRefused, Carrier, MaybePlaced, NotSent, Placed, PlacedCall
from floyd.documents import CallStatus
from floyd.errors import VendorError
from standins.phone_network.exchange import Exchange
from standins.phone_network.server import running

ACCOUNT, TOKEN = "AC" + "1" * 32, "token-of-the-tests"
CALLEE, CALLER = "+13125550142", "+13125550100"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Network:
    exchange: Exchange
    carrier: Carrier

    async def place(self, to: str = CALLEE) -> Placed:
        # Nobody has this number in the network, so it only rings.
        return await self.carrier.place_call(
            to=to, from_=CALLER, twiml=twiml.hang_up("Bye."), status_callback="http://127.0.0.1:9/status"
        )


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    exchange = Exchange(ACCOUNT, TOKEN)
    async with running(exchange, "127.0.0.1", 0) as port:
        client = Carrier(ACCOUNT, TOKEN, api_base=f"http://127.0.0.1:{port}")
        yield Network(exchange, client)
        await client.close()


async def test_a_call_is_placed_with_all_its_limits(network: Network) -> None:
    """Fails if a call could ring for ever, talk for ever, or keep its progress to itself."""
    placed = await network.place()
    assert isinstance(placed, PlacedCall)
    order = network.exchange.calls[placed.sid].order
    assert (order.to, order.from_) == (CALLEE, CALLER)
    assert (order.ring_s, order.time_limit_s) == (carrier.RING_LIMIT_S, carrier.TALK_LIMIT_S)
    assert order.status_callback_events == {"initiated", "ringing", "answered", "completed"}
    assert order.twiml


async def test_a_lost_answer_is_never_taken_for_a_refusal(network: Network) -> None:
    """Fails if a call that exists could be placed again because its answer was lost."""
    network.exchange.faults.accept_then_drop = 1
    assert isinstance(await network.place(), MaybePlaced)
    network.exchange.faults.drop_before_accept = 1
    assert isinstance(await network.place(), MaybePlaced)
    network.exchange.faults.status, network.exchange.faults.status_acts = 503, True
    assert isinstance(await network.place(), MaybePlaced)
    assert len(network.exchange.calls) == 2, "each order must have been sent exactly once"


async def test_definite_refusals(network: Network) -> None:
    """Fails if Floyd waits for a call that the carrier refused, or gives up on one that it may ask for again."""
    refused = await network.place("+1312")
    assert isinstance(refused, CallRefused)
    assert (refused.code, refused.later) == (21211, False)
    network.exchange.faults.status = 429
    busy = await network.place()
    assert isinstance(busy, CallRefused)
    assert busy.later
    wrong = Carrier(ACCOUNT, "wrong", api_base=network.carrier._api_base)
    denied = await wrong.place_call(to=CALLEE, from_=CALLER, twiml=twiml.hang_up(), status_callback="http://x.test/")
    await wrong.close()
    assert isinstance(denied, CallRefused)
    assert denied.code == 20003


async def test_nothing_was_sent_when_nobody_listens() -> None:
    """Fails if a carrier out of reach leaves a request unconfirmed although no phone can have rung."""
    client = Carrier(ACCOUNT, TOKEN, api_base="http://127.0.0.1:1")
    placed = await client.place_call(to=CALLEE, from_=CALLER, twiml="<Response/>", status_callback="http://x.test/")
    await client.close()
    assert isinstance(placed, NotSent)


async def test_a_call_of_unknown_fate_is_found_by_its_numbers(network: Network) -> None:
    """Fails if a call whose answer was lost cannot be found, above all while it is still queued."""
    network.exchange.faults.queue_s = 60
    network.exchange.faults.accept_then_drop = 1
    before = datetime.now(UTC)
    await network.place()
    found = await network.carrier.list_calls(to=CALLEE, from_=CALLER, since=before)
    assert [call.status for call in found] == [CallStatus.QUEUED]
    assert not found[0].ended
    assert await network.carrier.list_calls(to="+13125550143", from_=CALLER, since=LONG_AGO) == []
    assert await network.carrier.list_calls(to=CALLEE, from_=CALLER, since=before + timedelta(minutes=1)) == []


async def test_cancel_ends_what_rings_and_what_is_gone_counts_as_ended(network: Network) -> None:
    """Fails if a cancelled call rings on, or a hang-up that came too late is reported as a failure."""
    network.exchange.faults.queue_s = 60
    placed = await network.place()
    assert isinstance(placed, PlacedCall)
    await network.carrier.cancel_call(placed.sid)
    call = await network.carrier.fetch_call(placed.sid)
    assert call is not None
    assert call.status is CallStatus.CANCELED
    await network.carrier.end_call(placed.sid)
    await network.carrier.end_call("CA" + "0" * 32)
    assert await network.carrier.fetch_call("CA" + "0" * 32) is None
    assert not await network.carrier.update_twiml(placed.sid, twiml.hang_up())
    assert network.exchange.rings == []


async def test_a_hang_up_is_tried_again(network: Network) -> None:
    """Fails if one error of the carrier's leaves a line open, or an endless one goes unreported."""
    network.exchange.faults.queue_s = 60
    placed = await network.place()
    assert isinstance(placed, PlacedCall)
    network.exchange.faults.on, network.exchange.faults.status = "update", 500
    network.exchange.faults.status_times = carrier.END_TRIES - 1
    await network.carrier.end_call(placed.sid)
    assert network.exchange.calls[placed.sid].over
    network.exchange.faults.status_times = carrier.END_TRIES
    with pytest.raises(VendorError):
        await network.carrier.end_call(placed.sid)


async def test_texts(network: Network) -> None:
    """Fails if a text is lost silently, or somebody who said STOP is reported as told."""
    assert await network.carrier.send_text(to=CALLEE, from_=CALLER, body="Floyd asks: red or white?")
    assert [text.body for text in network.exchange.messages.all.values()] == ["Floyd asks: red or white?"]
    network.exchange.messages.stopped.add((CALLER, CALLEE))
    assert not await network.carrier.send_text(to=CALLEE, from_=CALLER, body="Again")
    network.exchange.faults.on, network.exchange.faults.status = "message", 503
    with pytest.raises(VendorError):
        await network.carrier.send_text(to="+13125550143", from_=CALLER, body="Once more")
