"""Prepared lines: read once, by voice and text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from floyd.lines import speech_name
from floyd.store import Speech, Store
from relay import rendered
from relay.rendered import RenderedLines


async def keep(store: Store, voice: str, text: str) -> None:
    speech = Speech(audio=text.encode(), text=text, expires_at=datetime.now(UTC) + timedelta(hours=1))
    await store.keep_speech(speech_name(voice, text), speech)


async def test_lines_are_found_by_voice_and_text(store: Store) -> None:
    """Fails if the opening were synthesised again while the callee waits, or spoken in another voice."""
    await keep(store, "v1", "Hello.")
    for voice, found in (("v1", {"Hello.": b"Hello."}), ("v2", {})):
        lines = RenderedLines(store, voice)
        sound = lines.of_a_call()
        assert not await lines.load(["Hello.", "Unknown."], sound)
        assert dict(sound) == found
        await keep(store, voice, "Unknown.")
        await keep(store, voice, "Hello.")
        assert await lines.load(["Hello.", "Unknown."], sound), "what was prepared meanwhile is found"


async def test_known_lines_need_no_store_and_the_oldest_are_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails if every call read all stock lines again, or a long-lived relay kept every opening it ever spoke."""
    monkeypatch.setattr(rendered, "KEPT", 2)
    lines = RenderedLines(store, "v")
    for text in ("a", "b", "c"):
        await keep(store, "v", text)
        assert await lines.load([text], sound := lines.of_a_call())
        assert sound[text] == text.encode()
    assert list(lines._kept) == ["b", "c"]
    await store.delete(f"speech/{speech_name('v', 'c')}")
    assert await lines.load(["c"], lines.of_a_call())


def test_short_clauses_are_shared_by_all_calls(store: Store) -> None:
    """Fails if "Thank you." cost a vendor's delay every time, or one call's lines showed up in another's."""
    lines = RenderedLines(store, "v")
    one, other = lines.of_a_call(), lines.of_a_call()
    one["Thank you."] = b"sound"
    assert other["Thank you."] == b"sound"
