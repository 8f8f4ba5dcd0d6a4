"""What only the simulated telephone network knows: who can be rung, what really rang, what was really heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx2

from floyd import hours

# Decoding a whole call's sound takes seconds on a busy machine.
ASK_S = 60.0
# An errand with a call back must not run into the callee's evening.
ERRAND = timedelta(minutes=30)


class TelephoneNetwork:
    """The control surface of the stand-in at `origin`; independent of every document of ours, hence a judge."""

    def __init__(self, origin: str) -> None:
        self._http = httpx2.Client(base_url=f"{origin}/control", timeout=ASK_S)

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str, **query: str) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def callees(self) -> dict[str, list[str]]:
        """Every persona's numbers by its name."""
        found: dict[str, list[str]] = {}
        for entry in self._get("/callees"):
            found.setdefault(entry["name"], []).append(entry["number"])
        return found

    def number_by_day(self, name: str, now: datetime) -> str | None:
        """A number of this persona where one may ring now and for a while yet, by the callee's clock."""
        moments = (now, now + ERRAND)
        numbers = self.callees().get(name, [])
        return next((each for each in numbers if all(hours.is_allowed(each, at) for at in moments)), None)

    def rings(self, number: str | None = None) -> list[dict[str, Any]]:
        """Every ring of every phone, oldest first: {number, from, call_sid, at}."""
        rings: list[dict[str, Any]] = self._get("/rings", **({"number": number} if number else {}))
        return rings

    def call(self, sid: str, *, words: bool = True) -> dict[str, Any]:
        """One call as the phone had it: timeline, gaps, barge-ins, line; with `words`, what the callee's ear heard."""
        record: dict[str, Any] = self._get(f"/calls/{sid}", words=str(words).lower())
        return record

    def sound(self, sid: str) -> bytes:
        """A stereo WAV file: left the callee, right Floyd as the callee heard it."""
        return self._http.get(f"/calls/{sid}/audio.wav").raise_for_status().content

    def connect(self, number: str, *, sms_url: str, voice_url: str) -> None:
        """Where the network sends texts and calls for a number of the account."""
        self._http.put(f"/numbers/{number}", json={"sms_url": sms_url, "voice_url": voice_url}).raise_for_status()
