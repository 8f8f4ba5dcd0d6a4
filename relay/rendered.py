"""Sound that was synthesised before the call: the opening and the stock lines."""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Iterable

from google.api_core.exceptions import GoogleAPIError

from floyd import lines
from floyd.store import Store

logger = logging.getLogger(__name__)

KEPT = 128
"""Lines kept in memory over all calls, some 20 kB each: all stock lines of one voice, and those of the newest calls."""


class _Newest(dict[str, bytes]):
    """Forgets the oldest."""

    def __setitem__(self, text: str, sound: bytes) -> None:
        self.pop(text, None)
        super().__setitem__(text, sound)
        while len(self) > KEPT:
            del self[next(iter(self))]


class RenderedLines:
    """Reads prepared lines of one voice from the store, and keeps the newest; keeps short clauses of all calls, too."""

    def __init__(self, store: Store, voice: str) -> None:
        self._store = store
        self._voice = voice
        self._kept = _Newest()
        self._clauses = _Newest()

    def of_a_call(self) -> ChainMap[str, bytes]:
        """Sound by its text: what `load` brings for one call, and the clauses that calls put in, for all of them."""
        return ChainMap(self._clauses, {})

    async def load(self, texts: Iterable[str], into: ChainMap[str, bytes]) -> bool:
        """Add those of the lines that are prepared, mu-law; the others will be synthesised when needed. False when
        lines are missing that may yet be prepared: planning goes on while the phone rings."""
        wanted = [text for text in dict.fromkeys(texts) if text not in into]
        missing = {lines.speech_name(self._voice, text): text for text in wanted if text not in self._kept}
        found = {text: self._kept[text] for text in wanted if text in self._kept}
        if missing:
            try:
                spoken = await self._store.spoken(list(missing))
                found |= {missing[digest]: speech.audio for digest, speech in spoken.items()}
            except GoogleAPIError as error:
                logger.warning("prepared lines could not be read: %s", type(error).__name__)
        for text, sound in found.items():
            self._kept[text] = into.maps[1][text] = sound
        return len(found) == len(wanted)
