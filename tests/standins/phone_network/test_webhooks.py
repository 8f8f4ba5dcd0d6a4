"""Signed requests to the program under test."""

import asyncio

import pytest

from standins.phone_network.webhooks import Webhooks
from tests.standins.phone_network.peer import TOKEN, Peer


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_delivery(peer: Peer, method: str) -> None:
    """If this fails forms arrive mangled or unsigned."""
    webhooks = Webhooks(TOKEN)
    blamed: list[int] = []
    params = {"From": "+1 & co", "Empty": ""}
    answer = await webhooks.send(f"{peer.url}/voice?x=1", params, lambda code, _: blamed.append(code), method)
    await webhooks.close()

    assert not blamed
    assert answer is not None
    assert answer.text == "<Response/>"
    assert peer.hooks[0].signed
    if method == "POST":
        assert peer.hooks[0].form == {"From": "+1 & co", "Empty": ""}


async def test_errors_carry_the_vendors_number(peer: Peer) -> None:
    """If this fails the debugger of a failed call tells nothing."""
    webhooks = Webhooks(TOKEN)
    peer.answers = {"/500": (500, ""), "/big": (200, "x" * 70_000)}
    for url, code in ((f"{peer.url}/500", 11200), (f"{peer.url}/big", 11750), ("http://127.0.0.1:9/", 11205)):
        blamed: list[int] = []
        assert await webhooks.send(url, {}, lambda code, _, into=blamed: into.append(code)) is None
        assert blamed == [code]
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
    blamed: list[int] = []
    # No TLS there, so no connection comes about.
    await webhooks.send(f"https://127.0.0.1:{port}/", {}, lambda code, _: blamed.append(code))
    server.close()
    await webhooks.close()

    assert (tries, blamed) == (2, [11205])
