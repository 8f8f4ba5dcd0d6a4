"""Who may talk to a relay: the handshake of a media stream, then its token, then whether the call is still wanted.

No vendor is opened, and nothing is said, before all of it holds.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from floyd import documents, hours
from floyd.documents import Call, Person, Question
from floyd.lifecycle import Errand
from floyd.lifecycle.during_the_call import CallFinished, Posted, StreamStarted
from floyd.signatures import is_genuine_handshake, token_digest
from floyd.store import Store, StreamToken
from floyd.twiml import TOKEN_PARAMETER
from relay.core.transcript import Speaker, Turn
from relay.media_stream import Started, ViolationError

REFUSED = ViolationError(1008, "this stream is not wanted")
"""One answer for every reason: whoever tries tokens learns nothing."""


class NotWantedError(Exception):
    """The token was good, but the call must not go on: it has to be ended at the carrier."""


class CallKey(NamedTuple):
    """Which call: the documents' address."""

    uid: str
    rid: str
    attempt: int


@dataclass(frozen=True)
class Admitted:
    """A call that may begin, with everything that was read to decide so."""

    epoch: int
    errand: Errand
    person: Person
    turns: tuple[tuple[int, documents.Turn], ...] = ()
    """All turns of the request so far, of this call and of earlier ones."""
    questions: tuple[tuple[str, Question], ...] = ()
    """All questions of the request with their documents' names, oldest first."""

    @property
    def key(self) -> CallKey:
        return CallKey(self.errand.uid, self.errand.rid, self.errand.request.attempt)

    @property
    def call(self) -> Call:
        assert self.errand.call is not None  # else it is not admitted
        return self.errand.call

    @property
    def earlier_turns(self) -> list[documents.Turn]:
        """What was said in earlier calls of the request."""
        return [turn for _, turn in self.turns if turn.call < self.key.attempt]

    @cached_property
    def first_seq(self) -> int:
        """How many turns earlier calls of the request left; numbers go on from there."""
        return max((seq for seq, turn in self.turns if turn.call < self.key.attempt), default=0)

    @cached_property
    def prior_turns(self) -> tuple[Turn, ...]:
        """What this very call has said before it came to this relay."""
        own = [turn for seq, turn in self.turns if turn.call == self.key.attempt and seq > self.first_seq]
        return tuple(
            Turn(
                seq=number,
                speaker=Speaker(turn.speaker),
                heard=turn.heard,
                start_ms=turn.start_ms,
                end_ms=turn.end_ms,
                planned=turn.planned or "",
                sent=turn.sent or "",
                cut=turn.cut,
            )
            for number, turn in enumerate(own, 1)
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """One per process."""

    store: Store
    url: str  # this relay's origin as it stands in the TwiML
    account_sid: str
    tokens: Collection[str]  # the account's secrets, two of them while one replaces the other
    origins: Collection[str]  # of browsers that are let in

    def may_open(self, path: str, signature: str) -> bool:
        """Whether the carrier itself opens this socket."""
        return is_genuine_handshake(self.url + path, signature, self.tokens)

    def is_origin_allowed(self, origin: str | None) -> bool:
        """Only browsers send an Origin, and only ours may."""
        return origin is None or origin in self.origins

    async def admit(self, started: Started) -> Admitted:
        """Consume the stream's token and ask the lifecycle whether the call is still wanted.

        Raises ViolationError for a stranger's stream, NotWantedError for a call that must end.
        """
        token = await self._use_token(started)
        uid, rid, attempt = token.uid, token.rid, token.attempt
        switch, errand, person, turns = await asyncio.gather(
            self.store.switch(),
            self.store.load(uid, rid, attempt=attempt),
            self.store.person(uid),
            self.store.turns(uid, rid),
        )
        if errand.call is None or errand.request.attempt != attempt:
            raise NotWantedError
        if not switch.dialling:
            await self.store.move(uid, rid, CallFinished(attempt, "refused_by_policy"))
            raise NotWantedError
        if errand.call.sid is None:
            # The carrier opened the stream before it answered the order that placed the call.
            errand = (await self.store.move(uid, rid, Posted(attempt, started.call_sid))).errand
        if errand.call is None or errand.call.sid != started.call_sid:
            raise NotWantedError
        if token.epoch == errand.call.epoch == 1 and await self._unwelcome(errand.call.to):
            await self.store.move(uid, rid, CallFinished(attempt, "refused_by_policy"))
            raise NotWantedError
        moved = await self.store.move(uid, rid, StreamStarted(attempt, self.url, token.epoch))
        if moved.ignored is not None:
            raise REFUSED if moved.ignored == "another epoch" else NotWantedError
        # After the move: from here on whoever answers a question tells this relay.
        asked = await self.store.questions(uid, rid)
        return Admitted(token.epoch, moved.errand, person, tuple(turns), tuple(asked))

    async def _use_token(self, started: Started) -> StreamToken:
        secret = started.custom_parameters.get(TOKEN_PARAMETER, "")
        if not secret or started.account_sid != self.account_sid:
            raise REFUSED
        token = await self.store.use_token(token_digest(secret), call_sid=started.call_sid, used_by=self.url)
        if token is None or token.account_sid != started.account_sid:
            raise REFUSED
        return token

    async def _unwelcome(self, number: str) -> bool:
        """Rules may have changed between the order and the answer; they are not asked again in the middle of a call."""
        if not hours.is_allowed(number, datetime.now(UTC)):
            return True
        return (await self.store.callee_at(number)).do_not_call
