"""Sound that was synthesised before the call: the opening and the stock lines."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from google.api_core.exceptions import GoogleAPIError

from floyd import lines
from floyd.store import Store

logger = logging.getLogger(__name__)

KEPT = 128
"""Lines kept in memory over all calls, some 20 kB each: all stock lines of one voice, and those of the newest calls."""


class RenderedLines:
    """Reads prepared lines of one voice from the store, and keeps the newest."""

    def __init__(self, store: Store, voice: str) -> None:
        self._store = store
        self._voice = voice
        self._kept: dict[str, bytes] = {}

    async def load(self, texts: Iterable[str]) -> dict[str, bytes]:
        """The sound of those lines that are prepared, mu-law by text. The others will be synthesised when needed."""
        wanted = tuple(dict.fromkeys(texts))
        missing = {lines.speech_name(self._voice, text): text for text in wanted if text not in self._kept}
        if missing:
            try:
                for digest, speech in (await self._store.spoken(list(missing))).items():
                    self._kept[missing[digest]] = speech.audio
            except GoogleAPIError as error:
                logger.warning("prepared lines could not be read: %s", type(error).__name__)
        found = {text: self._kept.pop(text) for text in wanted if text in self._kept}
        self._kept |= found  # the newest last
        for oldest in list(self._kept)[: max(0, len(self._kept) - KEPT)]:
            del self._kept[oldest]
        return found
