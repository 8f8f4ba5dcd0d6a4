"""Streaming recognition of one voice: the audible code when the sound is code, a real recogniser when it is speech.

Which of the two it is is decided by the sound alone, at the beginning of each utterance. Time is the sound's own: a
listener knows no clock, so a final comes a fixed length of *silence* after the words.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pocketsphinx import Config, Decoder
from pocketsphinx.lm import ArpaBoLM

from standins import tones
from standins.audio import PER_MS, SILENCE, decode_mulaw
from standins.language_model import plain_words

Mode = Literal["domain", "general", "tones"]
"""``domain``: speech by the model of telephone talk and the given phrases. ``general``: by the recogniser's own model,
which knows all of English and errs more. ``tones``: code only; speech is activity without words."""


@dataclass(frozen=True, slots=True)
class Interim:
    """What the utterance under way says so far; may change."""

    text: str
    end_ms: float
    stability: float


@dataclass(frozen=True, slots=True)
class Final:
    """What an utterance said; will not change."""

    text: str
    start_ms: float
    end_ms: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Activity:
    """A voice began, or has been quiet for so long that its utterance is over."""

    kind: Literal["begin", "end"]
    at_ms: float


Heard = Interim | Final | Activity

T = TypeVar("T")

_SLICE = 100 * PER_MS
"""Sound is looked at 100 ms at a time: no word fits between two looks, and a recogniser is not woken too often."""
_PRE_ROLL = 3 * _SLICE
"""Sound kept from before an utterance is recognised as one: the time to decide, and a soft beginning."""
_DECIDING = 60 * PER_MS
"""So much sound tells code from speech; the shortest word of code is 80 ms, a click much shorter."""
_LONGEST_MS = 15_000
"""An utterance is ended after so long even if the sound goes on (music, a crowded room)."""


class Ears:
    """Real recognisers, shared by all streams: each is lent for one utterance.

    They are made when first needed (a second and 150 MB each) and work in threads. The recogniser keeps the
    interpreter's lock while it works, some 5 ms for 100 ms of speech and up to 150 ms at an utterance's end.
    """

    CMN = "50.36,4.76,11.11,13.29,6.39,-7.88,3.91,-2.24,-8.33,12.81,-10.01,11.83,2.01"
    """Mean cepstrum of synthetic voices over a telephone, as measured. Every utterance starts from it, so that what is
    heard does not depend on who spoke before."""

    def __init__(self, phrases: Sequence[str], mode: Mode = "domain", most: int = 4) -> None:
        self.mode = mode
        self.idle: asyncio.LifoQueue[Decoder | None] = asyncio.LifoQueue()
        """Recognisers to lend; None stands for one that is yet to be made."""
        for _ in range(most):
            self.idle.put_nowait(None)
        self._sentences = [plain_words(phrase) for phrase in phrases]
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="ears")

    async def borrow(self) -> "SpokenUtterance":
        """A recogniser at the beginning of an utterance, whose `end` gives it back."""
        idle = await self.idle.get()

        def begun() -> Decoder:
            decoder = idle or self._made()
            decoder.set_cmn(self.CMN)
            decoder.start_utt()
            return decoder

        try:
            return SpokenUtterance(self, await self.work(begun))
        except BaseException:
            self.idle.put_nowait(None)
            raise

    async def warm(self) -> None:
        """Make a recogniser now rather than at somebody's first word."""
        if self.mode != "tones":
            await (await self.borrow()).end()

    async def work(self, task: Callable[[], T]) -> T:
        """Run *task* in one of the recognisers' threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, task)

    def close(self) -> None:
        """End the threads; nobody may borrow any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _made(self) -> Decoder:
        quiet = {"samprate": 16000, "loglevel": "FATAL"}
        if self.mode == "general":
            return Decoder(Config(**quiet))
        decoder = Decoder(Config(lm=None, **quiet))
        words = {word for sentence in self._sentences for word in sentence.split()}
        if unknown := sorted(word for word in words if decoder.lookup_word(word) is None):
            raise ValueError(f"the recogniser's dictionary lacks {', '.join(unknown)}: say it in other words")
        # Of 0.3 and 0.5 (the default) the smaller discount hears a little better.
        model = ArpaBoLM(text="\n".join(self._sentences), add_start=True, discount_mass=0.3)
        model.compute()
        with tempfile.TemporaryDirectory(prefix="ears-") as folder:
            model.write_file(path := str(Path(folder, "domain.arpa")))
            decoder.add_lm_file("domain", path)
        decoder.activate_search("domain")
        return decoder


class SpokenUtterance:
    """An utterance in speech, and the recogniser that finds its words."""

    stability = 0.5

    def __init__(self, ears: Ears, decoder: Decoder) -> None:
        self._ears = ears
        self._decoder = decoder

    async def hear(self, mulaw: bytes, _words: list[str]) -> str:
        # The recogniser's model is for 16 kHz. Doubling each sample mirrors the telephone's band into the empty
        # upper one, which looks more like a voice than silence there: a third fewer errors than a clean resampling.
        doubled = np.repeat(decode_mulaw(mulaw), 2).tobytes()
        found = await self._ears.work(lambda: self._after(self._decoder.process_raw, doubled))
        return str(found.hypstr) if found else ""

    async def end(self) -> tuple[str, float]:
        """The words of the whole utterance and a confidence from 0 to 1. Gives the recogniser back."""
        try:
            found = await self._ears.work(lambda: self._after(self._decoder.end_utt))
        finally:
            self._ears.idle.put_nowait(self._decoder)
        if not found or not found.hypstr:
            return "", 0.0
        # The posterior of the whole; per word it does not fall with length.
        return str(found.hypstr), float(min(1.0, found.prob ** (1 / len(found.hypstr.split()))))

    def _after(self, step: Callable[..., object], *sound: bytes) -> Any:
        """What the recogniser takes the words for after this step; None if for nothing."""
        step(*sound)
        return self._decoder.hyp()


class CodeUtterance:
    """An utterance in audible code: the words come from the decoder of tones as they are. Speech has none to it."""

    stability = 0.9

    def __init__(self) -> None:
        self._words: list[str] = []

    async def hear(self, _mulaw: bytes, words: list[str]) -> str:
        self._words += words
        return " ".join(self._words)

    async def end(self) -> tuple[str, float]:
        return " ".join(self._words), 0.4 if tones.GARBLED in self._words else 0.98


class Listener:
    """Recognises one stream of mu-law. End it with `finish`, also when it is cut off: a recogniser may be borrowed."""

    def __init__(self, ears: Ears, quiet_ms: float = 200) -> None:
        self.quiet_ms = quiet_ms
        """So much silence ends an utterance. Below 120, words of code would be utterances of their own."""
        self._ears = ears
        self._sound = tones.Decoder()
        self._before = b""
        self._utterance: CodeUtterance | SpokenUtterance | None = None
        self._start_ms = 0.0
        self._text = ""

    @property
    def in_utterance(self) -> bool:
        """Whether there may be words whose final has not come."""
        return self._utterance is not None

    async def feed(self, mulaw: bytes) -> list[Heard]:
        """Take the next bytes of the stream, of any number; what they let us hear, in order."""
        heard: list[Heard] = []
        for at in range(0, len(mulaw), _SLICE):
            heard += await self._feed_slice(mulaw[at : at + _SLICE])
        return heard

    async def finish(self) -> list[Heard]:
        """The stream ends here: what is still due."""
        return [*await self.feed(SILENCE * _SLICE), *await self._end_utterance()]

    async def _feed_slice(self, mulaw: bytes) -> list[Heard]:
        words = self._sound.feed(mulaw)
        heard: list[Heard] = []
        if self._utterance is None:
            self._before = (self._before + mulaw)[-_PRE_ROLL:]
            self._utterance = await self._begun(bool(words))
            if self._utterance is None:
                return []
            self._start_ms = words[0].start_ms if words else self._sound.sound_start / PER_MS
            heard.append(Activity("begin", self._start_ms))
            mulaw = self._before
        text = await self._utterance.hear(mulaw, [each.word for each in words])
        if text not in ("", self._text):
            heard.append(Interim(text, self._sound.loud_until / PER_MS, self._utterance.stability))
            self._text = text
        now_ms, loud_until_ms = self._sound.heard_until / PER_MS, self._sound.loud_until / PER_MS
        if now_ms - loud_until_ms >= self.quiet_ms or now_ms - self._start_ms > _LONGEST_MS:
            heard += await self._end_utterance()
        return heard

    async def _begun(self, worded: bool) -> CodeUtterance | SpokenUtterance | None:
        sound = bytes(self._sound.sound)
        if not worded and len(sound) < _DECIDING:
            return None
        if worded or self._ears.mode == "tones" or tones.sounds_like_code(decode_mulaw(sound)):
            return CodeUtterance()
        return await self._ears.borrow()

    async def _end_utterance(self) -> list[Heard]:
        if self._utterance is None:
            return []
        utterance, self._utterance = self._utterance, None
        text, confidence = await utterance.end()
        self._before, self._text = b"", ""
        heard: list[Heard] = [Activity("end", self._sound.heard_until / PER_MS)]
        final = Final(text, self._start_ms, self._sound.loud_until / PER_MS, confidence)
        return [*heard, final] if text else heard
