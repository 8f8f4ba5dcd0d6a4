"""Whole calls in sound and virtual time: echoes, noises, hiss, hours on hold, dead lines, and another Floyd."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from relay.core.actions import Message
from relay.core.events import DrainRequested, HangUpRequested, StreamStopped
from relay.core.outcome import Outcome
from relay.core.transcript import Speaker
from relay.mind import Prompt
from standins import tones
from standins.audio import encode_mulaw
from standins.phone_network.sounds import sound
from tests.relay.core.play import OPENING, brief
from tests.relay.virtual import Call, Step, on_hold, play, says

ANSWER = "I would like to order a dozen red roses for Friday, please. They are for a birthday party."
ASKED = "what would you like to order today"
HEARD_OPENING = " ".join(tones.spoken_words(" ".join(OPENING)))


def yields(number: int, prompt: Prompt) -> list[Step]:
    """The answer to what was asked, and a word of regret to whoever cuts it off."""
    stopped = any("stop" in message.text for message in prompt.history if isinstance(message, Message))
    return [0.3, "Sorry, go on." if stopped else ANSWER]


async def opened(call: Call) -> None:
    """Somebody answers and hears the opening."""
    call.quiet(0.4)
    call.say("hello")
    await call.heard(OPENING[-1])
    await call.quiet_line(2.0)


# Echo


@pytest.mark.parametrize("delay_ms", [40, 100, 200, 400, 600])
@pytest.mark.parametrize("level", [0.05, 0.1, 0.25, 0.5, 0.8])
def test_our_echo_is_nobody(level: float, delay_ms: int) -> None:
    """If this fails a loudspeaker in the callee's room makes Floyd stammer, or talk to itself."""

    async def call() -> None:
        line = Call(says(ANSWER), room={"echo": {"level": level, "delay_ms": delay_ms}})
        await opened(line)
        line.say(ASKED)
        await line.heard("birthday party")
        await line.quiet_line(2.0)
        heard = [turn.heard for turn in line.transcript.turns if turn.speaker is Speaker.CALLEE]
        assert line.words().count(HEARD_OPENING) == 1
        assert " ".join(tones.spoken_words(ANSWER)) in line.words()
        # An echo so soon may pass for the end of the hello that we answer, and silence us for a moment.
        assert line.clears <= (delay_ms < 80)
        assert [text.removesuffix(f" {tones.GARBLED}") for text in heard] == ["hello", ASKED]
        await line.hang_up(StreamStopped("stop"))

    play(call())


@pytest.mark.parametrize("delay_ms", [40, 200, 400])
@pytest.mark.parametrize("level", [0.1, 0.25])
def test_whoever_talks_over_our_echo_is_heard(level: float, delay_ms: int) -> None:
    """If this fails a callee on a loudspeaker cannot interrupt."""

    async def call() -> None:
        line = Call(yields, room={"echo": {"level": level, "delay_ms": delay_ms}})
        await opened(line)
        line.say(ASKED)
        await line.heard("a dozen")
        line.say("no wait stop please we are out of roses")
        await line.heard("sorry go on")
        assert "birthday" not in line.words()
        assert any(turn.cut for turn in line.transcript.turns)
        await line.hang_up(StreamStopped("stop"))

    play(call())


# Noise


def burst(seconds: float, level_db: float, seed: int) -> bytes:
    """A cough, a door, a scrape: noise with a sharp beginning and a tail."""
    t = np.arange(round(seconds * 8000)) / 8000
    wave = np.random.default_rng(seed).standard_normal(len(t)) * np.exp(-1.5 * t / seconds)
    return encode_mulaw(np.clip(wave * 32768 * 10 ** (level_db / 20), -32768, 32767).astype(np.int16))


@pytest.mark.parametrize("seed", range(24))
def test_a_noise_over_our_words_costs_none_of_them(seed: int) -> None:
    """If this fails a cough makes Floyd swallow words, or begin its answer again."""
    random = Random(seed)
    moment, seconds, level_db = random.uniform(0.2, 4.0), random.uniform(0.05, 1.0), random.uniform(-30.0, -15.0)
    print(f"seed {seed}: {seconds:.2f} s at {level_db:.0f} dB, {moment:.2f} s after our first word")

    async def call() -> None:
        line = Call(says(ANSWER))
        await opened(line)
        line.say(ASKED)
        await line.heard("i would")
        await line.wait(moment)
        line.say(burst(seconds, level_db, seed))
        await line.heard("party")
        await line.quiet_line(1.5)
        ear = line.words().partition(HEARD_OPENING)[2].split()
        missing = Counter(tones.spoken_words(ANSWER)) - Counter(ear)
        ours = [turn for turn in line.transcript.turns if turn.speaker is Speaker.FLOYD]
        # A word of code may be longer than how far we go back, and is then heard in two halves.
        assert missing.total() <= (tones.GARBLED in ear), missing
        assert line.words().count("i would") == 1
        assert (ours[-1].heard, ours[-1].cut) == (ANSWER, False)
        assert len(line.mind.asked) <= 2, "the warming and the answer, and nothing about the noise"
        await line.hang_up(StreamStopped("stop"))

    play(call())


@pytest.mark.parametrize("hiss_db", [None, -65, -55, -48, -42])
def test_nobody_there_is_prompted_twice_and_left(hiss_db: int | None) -> None:
    """If this fails a line that hisses passes for somebody who listens, and is paid for until the call's limit."""

    async def call() -> None:
        line = Call(room={"hiss_db": hiss_db} if hiss_db else None)
        await line.until(lambda: line.over)
        words = line.words()
        assert words.startswith(HEARD_OPENING)
        assert words.count("are you still there") == 2
        assert words.endswith("i cannot hear anybody so i will hang up now goodbye")
        assert line.session.outcome is Outcome.NO_ANSWER
        assert line.age_s < 60.0
        assert line.mind.asked == []
        await line.hang_up()

    play(call())


# Hold

MUSIC = sound("music", 30, -20)
ANNOUNCED = "your call is important to us please stay on the line"


@pytest.mark.parametrize("minutes", [40, 70])
def test_a_long_hold_costs_no_model_and_whoever_comes_back_is_told_who_calls(minutes: int) -> None:
    """If this fails music is talked to or paid for, the platform cuts a hold in two, or the next person is missed."""
    hop_s = 3000.0
    plan = brief(line_s=60.0 * minutes + 1200.0)
    waits = {"Go on waiting?": "yes"}

    async def call() -> None:
        line = Call(plan=plan, answers=waits)
        held_s = sent_s = left_s = 0.0
        line.say("all of our agents are currently busy please stay on the line")
        await line.said()
        await line.until(lambda: line.transcript.line == "hold")
        line.ear.clear()
        while left_s + line.age_s < 60.0 * minutes:
            line.say(MUSIC + MUSIC)
            line.say(ANNOUNCED)
            await line.said()
            assert not line.over
            if line.age_s > hop_s:
                line.session.feed(DrainRequested())
                await line.ended()
                assert line.session.outcome is Outcome.HANDED_OVER
                held_s, left_s = line.transcript.held_s, left_s + line.age_s
                sent_s += line.session.ears.sent_ms / 1000
                assert (line.mind.asked, line.words()) == ([], "")
                await line.hang_up()
                line = Call(plan=on_hold(plan, held_s), answers=waits)
        assert line.transcript.line == "hold"
        assert (line.mind.asked, line.words()) == ([], "")
        sent_s += line.session.ears.sent_ms / 1000
        assert sent_s < 0.3 * 60.0 * minutes, "the recogniser is paid for announcements, not for music"
        line.say("thanks for holding this is rosie how can i help you")
        await line.heard(OPENING[-1])
        assert line.words() == HEARD_OPENING
        await line.hang_up(StreamStopped("stop"))

    play(call())


def test_a_hold_can_be_called_off() -> None:
    """If this fails the person's cancel button does nothing while music plays, at their cost."""

    async def call() -> None:
        line = Call()
        line.say(ANNOUNCED)
        line.say(MUSIC)
        await line.until(lambda: line.transcript.line == "hold" and line.age_s > 15.0)
        line.session.feed(HangUpRequested())
        since = line.age_s
        await line.ended()
        assert line.session.outcome is Outcome.CANCELLED
        assert line.age_s - since < 10.0
        assert line.mind.asked == []
        await line.hang_up()

    play(call())


# The line fails


def test_a_line_without_sound_is_given_up() -> None:
    """If this fails a half-open socket keeps its place, and a call that nobody is on goes on."""

    async def call() -> None:
        line = Call()
        await opened(line)
        line.dead = True
        since = line.age_s
        await line.until(lambda: line.over)
        assert line.session.outcome is Outcome.LINE_FAILED
        assert line.age_s - since < 12.0, "500 frames are missing"
        await line.hang_up()

    play(call())


def test_marks_that_never_come_back_do_not_stop_the_talk() -> None:
    """If this fails Floyd waits for ever for the end of its own sentence."""

    async def call() -> None:
        line = Call(says("One.", "Two.", "Three."))
        line.marks_lost = True
        await opened(line)
        for number in ("one", "two", "three"):
            await line.wait(2.5)
            line.say("and what else would you like")
            await line.heard(number, 20.0)
        assert [turn.heard for turn in line.transcript.turns if turn.speaker is Speaker.FLOYD][1:3] == ["One.", "Two."]
        await line.hang_up(StreamStopped("stop"))

    play(call())


def test_a_hang_up_at_any_of_a_hundred_instants_leaves_nothing_running() -> None:
    """If this fails some instant exists at which a hang-up leaves a task or a vendor's stream behind."""

    async def call(instant: int) -> None:
        line = Call(says(ANSWER, "Thank you.", "That is fine."))
        line.quiet(0.3)
        for text in ("rosie's flowers hello", "what would you like", "yes we have those", "that is forty dollars"):
            line.say(text)
            line.quiet(4.0)
        await line.wait(0.1 + 0.25 * instant)
        said = [turn.heard for turn in line.transcript.turns if turn.speaker is Speaker.CALLEE]
        await line.hang_up(StreamStopped("stop"))
        assert line.over
        assert asyncio.all_tasks() == {asyncio.current_task()}, instant
        kept = [turn.heard for turn in line.transcript.turns if turn.speaker is Speaker.CALLEE]
        assert " ".join(kept).startswith(" ".join(said)), instant

    for instant in range(100):
        play(call(instant))


# Another Floyd


@pytest.mark.parametrize("seed", range(4))
def test_two_floyds_on_one_line_let_go_of_each_other(seed: int) -> None:
    """If this fails two machines talk, or say goodbye, at the people's cost until the call's limit."""
    random = Random(seed)
    talk = [
        *("I would like to order roses.", "Do you have red ones?", "What would that cost?", "When can you deliver?"),
        *("Thank you.", "I see.", "Could you say that again?"),
    ]
    print(f"seed {seed}")

    async def call() -> None:
        texts = [random.sample(talk, len(talk)) for _ in range(2)]
        one, other = Call(says(*texts[0])), Call(says(*texts[1]), plan=replace(brief(), on_behalf_of="Una Hill"))
        one.on_frame, other.on_frame = other.say, one.say
        await one.until(lambda: one.over or other.over, 400.0)
        for line in (one, other):
            if not line.over:
                line.session.feed(StreamStopped("stop"))
        for line in (one, other):
            assert line.session.outcome is not None
            assert line.words().count("goodbye") <= 2
            assert line.age_s < 300.0, "half the call's limit"
            await line.hang_up()

    play(call())
