"""Signed requests to the program under test."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from standins.phone_network.webhooks import WebhookError, Webhooks
from tests.standins.phone_network.peer import TOKEN, Peer

NAMES = st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=8)


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=5), st.sampled_from(["", "?a=b", ":8443/x?y=%20"]))
def test_signatures_please_the_vendors_validator(params: dict[str, str], ending: str) -> None:
    """If this fails every webhook would be refused, or a wrong reading of the signature would pass unseen."""
    url = f"https://floyd.example{ending}"

    assert RequestValidator(TOKEN).validate(url, params, Webhooks(TOKEN).sign(url, params))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_delivery(peer: Peer, method: str) -> None:
    """If this fails forms arrive mangled or unsigned."""
    webhooks = Webhooks(TOKEN)
    answer = await webhooks.send(f"{peer.url}/voice?x=1", {"From": "+1 & co", "Empty": ""}, method)
    await webhooks.close()

    assert answer.text == "<Response/>"
    assert peer.hooks[0].signed
    if method == "POST":
        assert peer.hooks[0].form == {"From": "+1 & co", "Empty": ""}


async def test_errors_carry_the_vendors_number(peer: Peer) -> None:
    """If this fails the debugger of a failed call tells nothing."""
    webhooks = Webhooks(TOKEN)
    peer.answers = {"/500": (500, ""), "/big": (200, "x" * 70_000)}
    for url, code in ((f"{peer.url}/500", 11200), (f"{peer.url}/big", 11750), ("http://127.0.0.1:9/", 11205)):
        with pytest.raises(WebhookError) as caught:
            await webhooks.send(url, {})
        assert caught.value.code == code
    await webhooks.close()

    assert len(peer.hooks) == 2, "an answer of any kind is not tried again"


async def test_a_connection_that_failed_is_tried_once_more() -> None:
    """If this fails a restart of the program under test loses a callback that Twilio would have delivered."""
    webhooks, tries = Webhooks(TOKEN), 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(WebhookError):
        await webhooks.send(f"https://127.0.0.1:{port}/", {})  # no TLS there, so no connection comes about
    server.close()
    await webhooks.close()

    assert tries == 2
