"""What a call leaves behind: turn documents, the live view, questions to the person. Nothing on the audio path waits.

Each turn is a document, written the moment it appears and again when more of it is known; the newest state of a turn
replaces an older one that is still waiting, so the outbox never holds more than the call's turns. When the store is
away, everything waits in order and is written when it returns.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
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
from relay.admission import Admitted
from relay.core.actions import AskPerson
from relay.core.transcript import Transcript, Turn

logger = logging.getLogger(__name__)

LIVE_EVERY_S = 1.0  # amendments and interim words are gathered this long: one document takes about one write a second
BACKOFF_S = (0.25, 0.5, 1.0, 2.0, 4.0)
"""After so many failures; spread, so that calls do not return to the store all at once."""
QUESTION_OPEN = timedelta(days=7)
"""How long a question may be answered; the callee is kept waiting for a far shorter time."""


@dataclass(eq=False)
class CallRecord:
    """One call's record. The session's methods never wait: what they are given is written in time."""

    admitted: Admitted
    store: Store
    carrier: Carrier
    from_number: str  # whence the person is asked by text
    began_ms: int  # how long the call had lasted when it came here; turns count from the answer, whoever hears them

    def __post_init__(self) -> None:
        self._key = self.admitted.key
        self.expires_at = datetime.now(UTC) + timedelta(days=self.admitted.person.retention_days)
        """When the store is to forget what was said."""
        self._known = {turn.seq: turn for turn in self.admitted.prior_turns}
        self._first_known = len(self._known)
        self._waiting: dict[int, Turn | None] = {}  # None: taken back
        self._live: Live | None = None
        self._shown: str | None = ""
        self._line, self._line_since = "unknown", datetime.now(UTC)
        self._where: dict[str, Any] = {"line": "unknown", "held_s": 0.0}
        self._changed, self._urgent, self._clean = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._clean.set()
        self._questions: dict[str, str] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._writer = asyncio.get_running_loop().create_task(self._write())

    # What the session tells

    def save(self, snapshot: Transcript) -> None:
        """The conversation so far."""
        for turn in snapshot.turns[self._first_known :]:
            before = self._known.get(turn.seq)
            if turn is before or turn == before:
                continue
            if before is None:
                self._urgent.set()
            self._known[turn.seq] = self._waiting[turn.seq] = turn
        for seq in range(len(snapshot.turns) + 1, max(self._known, default=0) + 1):
            if self._known.pop(seq, None):
                self._waiting[seq] = None
        if snapshot.line != self._line:
            self._line, self._line_since, self._shown = snapshot.line, datetime.now(UTC), None
        if (where := {"line": snapshot.line, "held_s": snapshot.held_s}) != self._where:
            self._where = where
            self._note(where)
        if snapshot.interim != self._shown:
            self._shown = snapshot.interim
            self._live = Live(
                seq=self.admitted.first_seq + len(snapshot.turns) + 1,
                speaker="callee",
                interim=snapshot.interim,
                line=self._line,
                line_since=self._line_since,
                updated_at=datetime.now(UTC),
                expires_at=self.expires_at,
            )
        if self._waiting or self._live:
            self._clean.clear()
            self._changed.set()

    def ask(self, action: AskPerson) -> None:
        """Put a question to the person."""
        name = f"{self._key.attempt}-{self.admitted.epoch}-{action.question_id}"
        self._questions[name] = action.question_id
        now = datetime.now(UTC)
        question = Question(
            text=action.question,
            choices=list(action.choices),
            kind=action.kind.value,
            deadline=now + QUESTION_OPEN,
            offer=str(action.amount.amount) if action.amount else None,
            attempt=self._key.attempt,
            created_at=now,
        )
        about: dict[str, Any] = {"store": self.store, "carrier": self.carrier, "from_": self.from_number}
        about["number"] = self.admitted.person.number
        self._run(lambda: ask_in_call(self._key.uid, self._key.rid, name, question, **about))

    def opt_out(self) -> None:
        """The callee does not want calls from us."""
        self._run(lambda: self.store.set_do_not_call(self.admitted.call.to, True, datetime.now(UTC)))

    def question_of(self, name: str) -> str:
        """The conversation's id of a question document: its own name when another relay made it."""
        return self._questions.get(name, name)

    def note(self, *, gaps: Sequence[Gap] = (), cost: Cost) -> None:
        """Add the call's measurements so far to its document."""
        first = self.admitted.first_seq
        all_gaps = (*self.admitted.call.gaps, *(gap.model_copy(update={"turn": gap.turn + first}) for gap in gaps))
        measured = {"gaps": [gap.model_dump() for gap in all_gaps]} if gaps else {}
        self._note({"cost": cost.model_dump(), **measured})

    async def flush(self, within_s: float) -> bool:
        """Write everything that waits; False when the store did not take it in time."""
        self._urgent.set()
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
        """New turns at once, all else once a second."""
        loop = asyncio.get_running_loop()
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._urgent.clear()
            pause_until = loop.time() + LIVE_EVERY_S
            await _persist(self._write_waiting)
            if not self._waiting and not self._live:
                self._clean.set()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(pause_until):
                    await self._urgent.wait()

    async def _write_waiting(self) -> None:
        turns, self._waiting = self._waiting, {}
        live, self._live = self._live, None
        try:
            first = self.admitted.first_seq
            written = {first + seq: self._document(turn) if turn else None for seq, turn in sorted(turns.items())}
            await self.store.save_turns(self._key.uid, self._key.rid, written, live)
        except GoogleAPIError:
            self._waiting = turns | self._waiting  # what has come since is newer and wins; interim words are disposable
            raise

    def _document(self, turn: Turn) -> documents.Turn:
        return documents.Turn(
            call=self._key.attempt,
            speaker=turn.speaker.value,
            planned=turn.planned or None,
            sent=turn.sent or None,
            heard=turn.heard,
            start_ms=self.began_ms + turn.start_ms,
            end_ms=self.began_ms + turn.end_ms,
            cut=turn.cut,
            at=datetime.now(UTC),
            expires_at=self.expires_at,
        )

    def _note(self, fields: dict[str, Any]) -> None:
        self._run(lambda: self.store.note_call(*self._key, fields))

    def _run(self, errand: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(_persist(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


async def _persist(errand: Callable[[], Awaitable[None]]) -> None:
    """Try until the store takes it; whoever flushes decides how long that may last."""
    for failures in count():
        try:
            await errand()
        except GoogleAPIError as error:
            logger.warning("a call's traces wait for the store: %s", type(error).__name__)
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - guards no secret
            continue
        except FloydError as error:
            logger.error("an errand of a call failed: %s", type(error).__name__)
        return
