"""What a call leaves behind: turn documents, the live view, questions to the person. Nothing on the audio path waits.

Each turn is a document, written the moment it appears and again when more of it is known; the newest state of a turn
replaces an older one that is still waiting, so the outbox never holds more than the call's turns. When the store is
away, everything waits in order and is written when it returns.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from google.api_core.exceptions import GoogleAPIError

from floyd import documents
from floyd.asking import ask_in_call
from floyd.carrier import Carrier
from floyd.documents import Cost, Gap, Live, Question
from floyd.errors import FloydError
from floyd.store import Store
from relay.core.actions import AskPerson
from relay.core.transcript import Transcript, Turn

logger = logging.getLogger(__name__)

LIVE_EVERY_S = 1.0
"""Amendments and interim words are gathered this long: one document takes about one write a second."""
BACKOFF_S = (0.25, 0.5, 1.0, 2.0, 4.0)
QUESTION_OPEN = timedelta(days=7)
"""How long a question may be answered; the callee is kept waiting for a far shorter time."""


@dataclass(frozen=True, slots=True)
class CallKey:
    """Which call: the documents' address."""

    uid: str
    rid: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Reachable:
    """How the person is asked: `number` (E.164) gets a text; empty: the app alone."""

    number: str
    from_number: str


class CallRecord:
    """One call's record. `first_seq` is the number of turns that earlier calls of the request left."""

    def __init__(
        self,
        key: CallKey,
        store: Store,
        carrier: Carrier,
        *,
        epoch: int,
        callee_number: str,
        person: Reachable,
        first_seq: int = 0,
        known: Sequence[Turn] = (),
        gaps: Sequence[Gap] = (),
        began_ms: int = 0,
        expires_at: datetime | None = None,
    ) -> None:
        """`known`, `gaps`: turns of this call, and their stage times, that another relay has written.

        `began_ms`: how long the call had lasted when it came here. Turns count from the answer, whoever hears them.
        `expires_at`: when the store is to forget what was said.
        """
        self._key = key
        self._store = store
        self._carrier = carrier
        self._epoch = epoch
        self._callee_number = callee_number
        self._person = person
        self._first_seq = first_seq
        self._gaps = list(gaps)
        self._began_ms = began_ms
        self._expires_at = expires_at
        self._known = {turn.seq: turn for turn in known}
        self._first_known = len(self._known)
        self._waiting: dict[int, Turn | None] = {}  # None: taken back
        self._live: Live | None = None
        self._shown: str | None = ""
        self._line, self._line_since = "unknown", _now()
        self._urgent = False
        self._wake = asyncio.Event()
        self._clean = asyncio.Event()
        self._clean.set()
        self._questions: dict[str, str] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._writer = asyncio.get_running_loop().create_task(self._write())

    # What the session tells

    def save(self, snapshot: Transcript) -> None:
        for turn in snapshot.turns[self._first_known :]:
            before = self._known.get(turn.seq)
            if turn is before or turn == before:
                continue
            self._urgent |= before is None
            self._known[turn.seq] = turn
            self._waiting[turn.seq] = turn
        for seq in range(len(snapshot.turns) + 1, max(self._known, default=0) + 1):
            if self._known.pop(seq, None):
                self._waiting[seq] = None
        if snapshot.line != self._line:
            self._line, self._line_since, self._shown = snapshot.line, _now(), None
            line = {"line": snapshot.line}
            self._run(lambda: self._store.note_call(self._key.uid, self._key.rid, self._key.attempt, line))
        if snapshot.interim != self._shown:
            self._shown = snapshot.interim
            seq = self._first_seq + len(snapshot.turns) + 1
            self._live = Live(
                seq=seq,
                speaker="callee",
                interim=snapshot.interim,
                line=self._line,
                line_since=self._line_since,
                updated_at=_now(),
            )
        if self._waiting or self._live:
            self._clean.clear()
            self._wake.set()

    def ask(self, action: AskPerson) -> None:
        name = f"{self._key.attempt}-{self._epoch}-{action.question_id}"
        self._questions[name] = action.question_id
        question = Question(
            text=action.question,
            choices=list(action.choices),
            kind=action.kind.value,
            status="open",
            deadline=_now() + QUESTION_OPEN,
            offer=str(action.amount.amount) if action.amount else None,
            attempt=self._key.attempt,
            created_at=_now(),
        )
        self._run(lambda: self._ask(name, question))

    def opt_out(self, words: str) -> None:
        self._run(lambda: self._store.set_do_not_call(self._callee_number, True, _now()))

    def question_of(self, name: str) -> str:
        """The conversation's id of a question document: its own name when another relay made it."""
        return self._questions.get(name, name)

    def note(self, *, gaps: Sequence[Gap] = (), cost: Cost) -> None:
        """Add the call's measurements so far to its document."""
        self._run(lambda: self._note(gaps, cost))

    async def flush(self, within_s: float) -> bool:
        """Write everything that waits; False when the store did not take it in time."""
        self._urgent = True
        self._wake.set()
        try:
            async with asyncio.timeout(within_s):
                await self._clean.wait()
                while self._errands:
                    await asyncio.wait(self._errands)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Stop writing. What was not flushed is lost."""
        tasks = [self._writer, *self._errands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Writing

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            wrote_at = loop.time()
            turns, self._waiting = self._waiting, {}
            live, self._live = self._live, None
            self._urgent = False
            if turns or live:
                try:
                    await self._store.save_turns(
                        self._key.uid,
                        self._key.rid,
                        {self._first_seq + seq: self._document(turn) for seq, turn in sorted(turns.items())},
                        live,
                    )
                    failures = 0
                except GoogleAPIError as error:
                    # What has come since is newer and wins; interim words are disposable.
                    self._waiting = turns | self._waiting
                    self._wake.set()
                    logger.warning("turns wait for the store: %s", type(error).__name__)
                    await asyncio.sleep(_pause_s(failures))
                    failures += 1
                    continue
            if not self._waiting and not self._live:
                self._clean.set()
            await self._pause(wrote_at + LIVE_EVERY_S)

    async def _pause(self, until: float) -> None:
        """Let changes gather, unless a new turn appears."""
        try:
            async with asyncio.timeout_at(until):
                while not self._urgent:
                    await self._wake.wait()
                    if not self._urgent:
                        self._wake.clear()
        except TimeoutError:
            pass
        if self._waiting or self._live:
            self._wake.set()

    def _document(self, turn: Turn | None) -> documents.Turn | None:
        if turn is None:
            return None
        return documents.Turn(
            call=self._key.attempt,
            speaker=turn.speaker.value,
            planned=turn.planned or None,
            sent=turn.sent or None,
            heard=turn.heard,
            start_ms=self._began_ms + turn.start_ms,
            end_ms=self._began_ms + turn.end_ms,
            cut=turn.cut,
            at=_now(),
            expires_at=self._expires_at,
        )

    # Errands beside the transcript

    def _run(self, errand: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._persist(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _persist(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Try until the store takes it; whoever flushes decides how long that may last."""
        for failures in count():
            try:
                await errand()
            except GoogleAPIError as error:
                logger.warning("an errand waits for the store: %s", type(error).__name__)
                await asyncio.sleep(_pause_s(failures))
                continue
            except FloydError as error:
                logger.error("an errand of a call failed: %s", type(error).__name__)
            return

    async def _ask(self, name: str, question: Question) -> None:
        await ask_in_call(
            self._key.uid,
            self._key.rid,
            name,
            question,
            number=self._person.number,
            store=self._store,
            carrier=self._carrier,
            from_=self._person.from_number,
        )

    async def _note(self, gaps: Sequence[Gap], cost: Cost) -> None:
        fields: dict[str, Any] = {"cost": cost.model_dump()}
        if gaps:
            shifted = (gap.model_copy(update={"turn": gap.turn + self._first_seq}) for gap in gaps)
            fields["gaps"] = [gap.model_dump() for gap in (*self._gaps, *shifted)]
        await self._store.note_call(self._key.uid, self._key.rid, self._key.attempt, fields)


def _pause_s(failures: int) -> float:
    """How long to wait after so many failures; spread, so that calls do not return to the store all at once."""
    return BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] * random.uniform(0.5, 1.0)  # noqa: S311 - guards no secret


def _now() -> datetime:
    return datetime.now(UTC)
