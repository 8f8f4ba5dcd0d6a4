"""Recognition of one stream: code to the letter, speech within an error rate, and when what is told."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standins import speaker
from standins.audio import SILENCE, encode_mulaw
from standins.language_model import phone_phrases, plain_words
from standins.listener import Activity, Ears, Final, Heard, Interim, Listener
from standins.phone_network.script import load_personas

needs_flite = pytest.mark.skipif(
    "rms" not in speaker.available(), reason="NOT TESTED: real voices need the program flite, which is not installed"
)

SPOKEN = [
    "Good morning, Lincoln Elementary. How may I help you?",
    "The total comes to five hundred sixty dollars, is that all right?",
    "I have Tuesday at three thirty or Thursday at ten in the morning.",
    "Okay, I will let the teacher know. Thank you for calling.",
    "What's the delivery address?",
    "Please leave a message after the tone.",
    "Am I talking to a robot?",
    "That's fine. Have a nice day. Goodbye.",
]


def quiet(ms: int) -> bytes:
    return SILENCE * (8 * ms)


async def hear(listener: Listener, sound: bytes, size: int) -> list[Heard]:
    heard: list[Heard] = []
    for at in range(0, len(sound), size):
        heard += await listener.feed(sound[at : at + size])
    return heard + await listener.finish()


def finals(heard: list[Heard]) -> list[str]:
    return [event.text for event in heard if isinstance(event, Final)]


def word_errors(said: list[str], heard: list[str]) -> int:
    """The least number of words to insert, drop or replace."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        above, row[0] = row[0], at
        for column, other in enumerate(heard, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (word != other))
    return row[-1]


@pytest.fixture
async def code_ears() -> AsyncIterator[Ears]:
    ears = Ears([], "tones")
    yield ears
    ears.close()


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    ears = Ears([*phone_phrases(), *(text for script in load_personas() for text in script.texts()), *SPOKEN])
    yield ears
    ears.close()


async def test_code_is_heard_to_the_letter_with_its_times(code_ears: Ears) -> None:
    """If this fails, a whole-call test cannot say which words crossed the line, or when."""
    sound = speaker.render("I would like to order some flowers")
    heard = await hear(Listener(code_ears), quiet(500) + sound + quiet(400), 160)
    begin, *interims, end, final = heard
    assert isinstance(begin, Activity)
    assert begin.kind == "begin"
    assert begin.at_ms == pytest.approx(500, abs=10)
    texts = [event.text for event in interims if isinstance(event, Interim)]
    words = ["i", "would", "like", "to", "order", "some", "flowers"]
    assert texts == [" ".join(words[: count + 1]) for count in range(len(words))]
    assert isinstance(end, Activity)
    assert isinstance(final, Final)
    assert final.text == texts[-1]
    assert final.end_ms == pytest.approx(500 + len(sound.rstrip(SILENCE)) / 8, abs=10)
    assert end.at_ms == pytest.approx(final.end_ms + 200, abs=25)


@given(sizes=st.integers(1, 4000), pause=st.integers(0, 300))
@settings(max_examples=25)
def test_the_network_s_chunks_do_not_change_the_words(sizes: int, pause: int) -> None:
    """If this fails, one relay's chunk size hears what another's does not."""

    async def listen() -> list[str]:
        sound = quiet(pause) + speaker.render("yes. that is fine, thank you") + quiet(300)
        return finals(await hear(Listener(Ears([], "tones")), sound, sizes))

    assert " ".join(asyncio.run(listen())) == "yes that is fine thank you"


async def test_a_longer_delay_joins_what_a_shorter_one_parts(code_ears: Ears) -> None:
    """If this fails, the delay of finals is not the silence after the words."""
    sound = speaker.render("one moment please. thank you") + quiet(1000)
    assert len(finals(await hear(Listener(code_ears, quiet_ms=200), sound, 320))) == 2
    assert len(finals(await hear(Listener(code_ears, quiet_ms=800), sound, 320))) == 1


async def test_sound_without_words_is_activity_only(code_ears: Ears) -> None:
    """If this fails, hold music or noise becomes words in a test that knows no recogniser."""
    noise = encode_mulaw(np.random.default_rng(1).normal(0, 2000, 8000).astype(np.int16))
    heard = await hear(Listener(code_ears), quiet(100) + noise + quiet(500), 320)
    assert [event.kind for event in heard if isinstance(event, Activity)] == ["begin", "end"]
    assert len(heard) == 2
    assert await hear(Listener(code_ears), quiet(30_000), 160) == []


@needs_flite
@pytest.mark.parametrize("voice", ["rms", "kal16"])
async def test_real_voices_are_understood(ears: Ears, voice: str) -> None:
    """If this fails, the simulated callees with real voices cannot be talked to."""
    errors = words = 0
    for line in SPOKEN:
        heard = await hear(Listener(ears, quiet_ms=400), quiet(300) + speaker.render(line, voice) + quiet(600), 320)
        assert any(isinstance(event, Interim) for event in heard)
        said = plain_words(line).split()
        errors += word_errors(said, " ".join(finals(heard)).split())
        words += len(said)
    assert errors / words < 0.10


@needs_flite
async def test_both_engines_hear_one_stream(ears: Ears) -> None:
    """If this fails, a call between a real voice and the code is heard on one side only."""
    sound = speaker.render("Hello, Lincoln Elementary.", "rms") + quiet(500)
    sound += speaker.render("order number x7") + quiet(500) + speaker.render("Can you hear me?", "rms") + quiet(500)
    first, second, third = finals(await hear(Listener(ears, quiet_ms=300), sound, 800))
    assert "elementary" in first
    assert second == "order number x7"
    assert "hear me" in third
