"""Who may talk to a relay: the handshake of a media stream, then its token, then whether the call is still wanted.

No vendor is opened, and nothing is said, before all of it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from floyd import hours
from floyd.documents import Person, Question, Turn
from floyd.lifecycle import Errand
from floyd.lifecycle.events import CallFinished, Posted, StreamStarted
from floyd.signatures import is_genuine_handshake
from floyd.store import Store, StreamToken
from floyd.tokens import token_digest
from floyd.twiml import TOKEN_PARAMETER
from relay.media_stream import Started, ViolationError
from relay.turns import CallKey

REFUSED = ViolationError(1008, "this stream is not wanted")
"""One answer for every reason: whoever tries tokens learns nothing."""


class NotWantedError(Exception):
    """The token was good, but the call must not go on: it has to be ended at the carrier."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may begin, with everything that was read to decide so."""

    key: CallKey
    epoch: int
    call_sid: str
    errand: Errand
    person: Person
    turns: tuple[tuple[int, Turn], ...] = ()
    """All turns of the request so far, of this call and of earlier ones."""
    questions: tuple[tuple[str, Question], ...] = ()
    """All questions of the request with their documents' names, oldest first."""


class Admission:
    """One per process. `url` is this relay's origin as it stands in the TwiML."""

    def __init__(self, store: Store, *, url: str, account_sid: str, tokens: Collection[str], origins: Collection[str]):
        """`tokens`: the account's secrets, two of them while one replaces the other. `origins`: browsers let in."""
        self._store = store
        self._url = url
        self._account_sid = account_sid
        self._tokens = tokens
        self._origins = frozenset(origins)

    def may_open(self, path: str, signature: str) -> bool:
        """Whether the carrier itself opens this socket."""
        return is_genuine_handshake(self._url + path, signature, self._tokens)

    def is_origin_allowed(self, origin: str | None) -> bool:
        """Only browsers send an Origin, and only ours may."""
        return origin is None or origin in self._origins

    async def admit(self, started: Started) -> Admitted:
        """Consume the stream's token and ask the lifecycle whether the call is still wanted.

        Raises ViolationError for a stranger's stream, NotWantedError for a call that must end.
        """
        token = await self._use_token(started)
        key = CallKey(token.uid, token.rid, token.attempt)
        switch, snapshot, person, turns = await asyncio.gather(
            self._store.switch(),
            self._store.load(key.uid, key.rid, attempt=key.attempt),
            self._store.person(key.uid),
            self._store.turns(key.uid, key.rid),
        )
        errand = snapshot.errand
        if errand.call is None or errand.request.attempt != key.attempt:
            raise NotWantedError
        if not switch.dialling:
            await self._store.move(key.uid, key.rid, CallFinished(key.attempt, "refused_by_policy"))
            raise NotWantedError
        if errand.call.sid is None:
            # The carrier opened the stream before it answered the order that placed the call.
            posted = await self._store.move(key.uid, key.rid, Posted(key.attempt, started.call_sid))
            errand = posted.errand
        if errand.call is None or errand.call.sid != started.call_sid:
            raise NotWantedError
        if token.epoch == errand.call.epoch == 1 and await self._unwelcome(errand.call.to):
            await self._store.move(key.uid, key.rid, CallFinished(key.attempt, "refused_by_policy"))
            raise NotWantedError
        moved = await self._store.move(key.uid, key.rid, StreamStarted(key.attempt, self._url, token.epoch))
        if moved.decision.ignored is not None:
            raise REFUSED if moved.decision.ignored == "another epoch" else NotWantedError
        # After the move: from here on whoever answers a question tells this relay.
        asked = await self._store.questions(key.uid, key.rid)
        return Admitted(key, token.epoch, started.call_sid, moved.errand, person, tuple(turns), tuple(asked))

    async def _use_token(self, started: Started) -> StreamToken:
        secret = started.parameters.get(TOKEN_PARAMETER, "")
        if not secret or started.account_sid != self._account_sid:
            raise REFUSED
        token = await self._store.use_token(token_digest(secret), call_sid=started.call_sid, used_by=self._url)
        if token is None or token.account_sid != started.account_sid:
            raise REFUSED
        return token

    async def _unwelcome(self, number: str) -> bool:
        """Rules may have changed between the order and the answer; they are not asked again in the middle of a call."""
        if not hours.is_allowed(number, datetime.now(UTC)):
            return True
        return (await self._store.callee_at(number)).do_not_call
