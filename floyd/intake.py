"""Taking a request: the same checks whether it was typed, dictated, or sent from the command line."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from floyd import logs
from floyd.documents import Request
from floyd.errors import InvalidInputError, NotAdmittedError, TooManyError
from floyd.identity import Identity
from floyd.settings import Settings
from floyd.store import Store, Taken

LONGEST_TEXT = 2000
LONGEST_KEY = 128
# How many requests within which time, unless a person's `limits` say otherwise under these names; then wait so long.
# A daily limit slides, so asking again sooner is useless but harmless.
LIMITS = {"requests_per_minute": (10, timedelta(minutes=1), 60), "requests_per_day": (100, timedelta(days=1), 3600)}
# People recently refused are turned away without asking the store; the oldest is forgotten first.
REMEMBERED = 10_000


class Intake:
    """Takes requests. One per process: it remembers whom it has just turned away."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._refused: OrderedDict[str, float] = OrderedDict()

    async def take(
        self,
        person: Identity,
        text: str,
        idempotency_key: str,
        *,
        language: str | None = None,
        not_before: datetime | None = None,
        dry_run: bool = False,
    ) -> Taken:
        """Check and keep a request; the trigger on its first job does the rest.

        Raises InvalidInputError, ConflictError (key used with other text), TooManyError, NotAdmittedError.
        """
        text = checked_text(text)
        if not 1 <= len(idempotency_key) <= LONGEST_KEY:
            raise InvalidInputError(f"idempotency_key: 1 to {LONGEST_KEY} characters.")
        self._turn_away_again(person.uid)
        known, profile, leaving = await asyncio.gather(
            self._store.known_request(person.uid, text, idempotency_key),
            self._store.person(person.uid),
            self._store.buried(person.uid),
        )
        if leaving:
            raise NotAdmittedError("This account is being removed.")
        if known is not None:
            logs.trace.set(known.request.trace)
            return known
        await self._keep_limits(person.uid, profile.limits)
        learnt = {} if profile.name or not person.name else {"name": person.name}
        if person.number and person.number != profile.number:
            learnt["number"] = person.number
        if learnt:
            await self._store.note_person(person.uid, learnt)
        now = datetime.now(UTC)
        request = Request(
            text=text,
            language=language or profile.locale or self._settings.floyd_language,
            created_at=now,
            deadline=now,
            not_before=not_before,
            dry_run=dry_run,
            trace=uuid4().hex,
        )
        taken = await self._store.create_request(person.uid, idempotency_key, request)
        logs.trace.set(taken.request.trace)
        return taken

    async def _keep_limits(self, uid: str, limits: dict[str, int]) -> None:
        """Refuse who asks too often. Counted in the store, so that every process counts alike."""
        now = datetime.now(UTC)
        windows = (window for _, window, _ in LIMITS.values())
        counts = await asyncio.gather(*(self._store.requests_since(uid, now - window) for window in windows))
        for count, (name, (most, _, wait_s)) in zip(counts, LIMITS.items(), strict=True):
            if count >= limits.get(name, most):
                self._refused[uid] = time.monotonic() + min(wait_s, 60)
                self._refused.move_to_end(uid)
                while len(self._refused) > REMEMBERED:
                    self._refused.popitem(last=False)
                raise TooManyError("Too many requests. Wait and try again.", retry_after_s=wait_s)

    def _turn_away_again(self, uid: str) -> None:
        wait_s = self._refused.get(uid, 0.0) - time.monotonic()
        if wait_s > 0:
            raise TooManyError("Too many requests. Wait and try again.", retry_after_s=max(1, round(wait_s)))
        self._refused.pop(uid, None)


def checked_text(text: str) -> str:
    """The words of a request, stripped. Raises InvalidInputError for what is no text, or too much of it."""
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise InvalidInputError(f"text: 1 to {LONGEST_TEXT} characters.")
    # Firestore takes no lone surrogates, and nothing that Floyd writes to takes NUL.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError("text: characters that are no text.")
    return text
