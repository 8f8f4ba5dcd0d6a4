"""Noises and backchannels over our speech: each is a pause at most, and the same speech goes on after it."""

from collections.abc import Sequence

import pytest

from relay.core.actions import (
    CancelReply,
    CancelSpeech,
    ClearPlayout,
    Message,
    PausePlayout,
    ResumePlayout,
    StartReply,
)
from relay.core.events import Event, FinalHeard, InterimHeard, ReplyText, SegmentStarted, VoiceStarted, VoiceStopped
from tests.relay.core.play import Play, brief

SENTENCES = ("I would like to order a dozen red roses for Friday, please.", "They are for my mother's birthday party.")
NOISES: dict[str, tuple[float, ...]] = {
    "click": (0.06,),
    "door": (0.15,),
    "cough": (0.3,),
    "two coughs": (0.2, 0.15, 0.3),
    "sneeze": (0.5,),
    "throat": (0.7, 0.1, 0.2),
    "chair": (1.0,),
    "dog": (0.2, 0.5, 0.2, 0.5, 0.2),
    "keyboard": (0.08, 0.1) * 6 + (0.08,),
    "child": (0.4, 0.3, 0.6),
    "long scrape": (1.4,),
    "knocks": (0.07, 0.2, 0.07, 0.2, 0.07),
}
"""Seconds of sound and of quiet, in turn; none is a voice for as long as it takes to be given the floor."""
BACKCHANNELS = (
    *("mm-hm", "mhm", "uh-huh", "okay", "ok", "right", "I see", "sure", "alright", "got it", "okay okay"),
    *(
        "mm",
        "hmm",
        "uh huh okay",
        "right right",
        "oh okay",
        "okay sure",
        "I understand",
        "of course",
        "great",
        "perfect",
    ),
)
MOMENTS = tuple(tenths / 10 for tenths in range(0, 60, 4))
"""Seconds after our first sound; the two sentences take six."""


def talks(reply_id: int, messages: Sequence[Message]) -> list[Event]:
    return [ReplyText(reply_id, sentence) for sentence in SENTENCES]


def speaking(seconds: float) -> Play:
    """A call in which we have been speaking for so long."""
    play = Play(brief(), talks)
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    play.callee("What would you like?")
    began = len([event for _, event in play.trace if isinstance(event, SegmentStarted)])
    while len([event for _, event in play.trace if isinstance(event, SegmentStarted)]) == began:
        play.wait(0.02)
    play.wait(seconds)
    play.log.clear()
    return play


def went_on(play: Play) -> bool:
    """Whether what was being said was said to its end, once, and nothing was begun afresh."""
    play.settle()
    given_up = (*play.did(CancelReply), *play.did(CancelSpeech), *play.did(ClearPlayout), *play.did(StartReply))
    turns = [turn for turn in play.conversation.transcript().turns if SENTENCES[0] in turn.planned]
    return (
        not given_up
        and len(play.did(PausePlayout)) == len(play.did(ResumePlayout))
        and [(turn.heard, turn.cut) for turn in turns] == [(" ".join(SENTENCES), False)]
    )


@pytest.mark.parametrize("name", NOISES)
def test_a_noise_over_our_speech_never_ends_it(name: str) -> None:
    """If this fails a cough, a dog or a door makes Floyd drop a sentence or begin it again."""
    restarted = []
    for moment in MOMENTS:
        play = speaking(moment)
        for place, seconds in enumerate(NOISES[name]):
            if place % 2 == 0:
                play.receive(VoiceStarted(play.ms))
            play.wait(seconds)
            if place % 2 == 0:
                play.receive(VoiceStopped(play.ms))
        if not went_on(play):
            restarted.append(moment)
    assert restarted == []


@pytest.mark.parametrize("words", BACKCHANNELS)
@pytest.mark.parametrize(("lag", "final_after"), [(0.1, 0.3), (0.25, 0.6), (0.5, 1.2)])
def test_a_backchannel_over_our_speech_never_ends_it(words: str, lag: float, final_after: float) -> None:
    """If this fails whoever listens politely is taken for somebody who interrupts, quick recogniser or slow."""
    restarted = []
    for moment in MOMENTS:
        play = speaking(moment)
        start, seconds = play.ms, 0.15 + 0.2 * len(words.split())
        end = start + round(1000 * seconds)
        play.later(0.0, VoiceStarted(start))
        play.later(seconds, VoiceStopped(end))
        play.later(seconds + lag, InterimHeard(words, 0.6, start, end))
        play.later(seconds + final_after, FinalHeard(words, 0.9, start, end))
        play.wait(seconds + final_after)
        if not went_on(play):
            restarted.append(moment)
    assert restarted == []
