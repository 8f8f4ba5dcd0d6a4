"""From sound to words, in a process of its own: a recogniser holds the interpreter for up to 0.3 s, and calls must not
stutter meanwhile."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing.connection import wait
from typing import NamedTuple, ParamSpec, TypeVar

from standins import tones
from standins.listener import Ears, Final, Listener, Mode

P = ParamSpec("P")
T = TypeVar("T")


class Word(NamedTuple):
    """A word and where in the sound it begins."""

    text: str
    start_ms: int


class Hearing:
    """Started when first needed; one worker, so at most one core."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def words(self, mulaw: bytes) -> list[Word]:
        """What was said in this sound: the audible code exactly, a real voice as well as it goes."""
        return await self._work(_words, mulaw)

    async def follow(self, call: str, mulaw: bytes, mode: Mode, over: bool) -> tuple[list[Word], bool]:
        """The words that the next sound of a call completes, timed from its first, and whether more are under way."""
        return await self._work(_follow, call, mulaw, mode, over)

    async def warm(self) -> None:
        """Load the recogniser of voices, so that nobody waits for it in a call."""
        await self._work(_warm)

    async def _work(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _live_and_die_with_parent)
        return await asyncio.get_running_loop().run_in_executor(self._pool, task, *args)

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._pool is not None:
            for process in list(self._pool._processes.values()):
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)


# In the worker.

_listeners: dict[str, Listener] = {}  # one for each call that is followed
_loop = cache(asyncio.new_event_loop)


def _live_and_die_with_parent() -> None:
    """Ctrl-C is the parent's to answer, and a parent that was killed leaves no child behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()


def _words(mulaw: bytes) -> list[Word]:
    """Code first, since it is certain; only sound without any goes to the recogniser of voices."""
    decoder = tones.Decoder()
    code = [Word(word.word, round(word.start_ms)) for word in [*decoder.feed(mulaw), *decoder.finish()]]
    return code or _follow("", mulaw, "general", True)[0]


def _follow(call: str, mulaw: bytes, mode: Mode, over: bool) -> tuple[list[Word], bool]:
    listener = _listeners.setdefault(call, Listener(_ears(mode)))
    heard = _loop().run_until_complete(listener.feed(mulaw))
    if over:
        heard += _loop().run_until_complete(_listeners.pop(call).finish())
    words = []
    for final in heard:
        if isinstance(final, Final):
            texts = final.text.split()
            step = (final.end_ms - final.start_ms) / len(texts)  # the recogniser times utterances, not words
            words += [Word(text, round(final.start_ms + place * step)) for place, text in enumerate(texts)]
    return words, listener.in_utterance


def _warm() -> None:
    _loop().run_until_complete(_ears("general").warm())


@cache
def _ears(mode: Mode) -> Ears:
    # What may be said to a callee is all of English, so the recogniser's own model it is.
    return Ears((), mode)
