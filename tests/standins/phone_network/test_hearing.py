"""From sound to words, in another process."""

from collections.abc import AsyncIterator

import pytest

from standins import tones
from standins.audio import FRAME
from standins.audio import SILENCE as SAMPLE
from standins.phone_network.hearing import Hearing
from standins.phone_network.sounds import RENDERED

SILENCE = SAMPLE * FRAME


@pytest.fixture
async def hearing() -> AsyncIterator[Hearing]:
    """A worker of our own."""
    hearing = Hearing()
    yield hearing
    hearing.close()


async def test_code_is_heard_exactly(hearing: Hearing) -> None:
    """If this fails callees mishear what tests say to them."""
    words = await hearing.words(SILENCE * 50 + tones.encode("seventy five dollars"))

    assert [word.text for word in words] == ["seventy", "five", "dollars"]
    assert words[0].start_ms == pytest.approx(1000, abs=5)


async def test_a_voice_is_heard_well_enough(hearing: Hearing) -> None:
    """If this fails a person of the demo understands nothing of what a real voice says."""
    sound = (RENDERED / "rms" / "just-say-yes-to-nine-hundred-dollars.ulaw").read_bytes()
    heard = {word.text for word in await hearing.words(SILENCE * 20 + sound + SILENCE * 40)}

    assert len(heard & {"just", "say", "yes", "nine", "hundred", "dollars"}) >= 4


async def test_silence_holds_no_words(hearing: Hearing) -> None:
    """If this fails a silent line seems to speak."""
    assert await hearing.words(SILENCE * 100) == []
