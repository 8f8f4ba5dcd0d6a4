"""Who is on the line, and what is remembered about it."""

from dataclasses import dataclass, field
from enum import StrEnum


class LineKind(StrEnum):
    """Who or what is at the far end just now. Only a person converses; somebody unknown counts as one."""

    UNKNOWN = "unknown"
    PERSON = "person"
    MENU = "menu"
    """A machine that wants a key or a word."""
    HOLD = "hold"
    """Music, ringing, announcements: nobody."""
    VOICEMAIL = "voicemail"
    SCREENING = "screening"
    """A machine that asks for a person who is calling and why."""
    TONE = "tone"
    """A fax, a busy line, a number that does not exist."""


@dataclass(slots=True)
class Line:
    """Moments are seconds of the session's clock."""

    kind: LineKind = LineKind.UNKNOWN
    since: float = 0.0
    judged: str = ""
    """The pending words that were last looked at."""
    suspect: bool = False
    """The words sound somewhat like a machine: not the moment to begin talking."""
    undecided: list[str] = field(default_factory=list)
    """Turns of the callee's that may be a machine's or a person's: a pause will tell."""
    held_s: float = 0.0
    """Spent on hold before the present hold."""
    tone_due: bool = False
    """The machine has announced a tone to speak after."""
    messages: int = 0
    """How often the message was begun on this voicemail."""
    asked: int = 0
    answers: int = 0
    """How often a screening machine asked, and had its answer."""
    menus: list[frozenset[str]] = field(default_factory=list)
    """The words of every menu that was heard out, in order."""
    reacted: set[tuple[int, str]] = field(default_factory=set)
    """Turns of menus, by number and words, that a choice has followed."""

    @property
    def converses(self) -> bool:
        return self.kind in (LineKind.PERSON, LineKind.UNKNOWN)

    def silence_s(self, *, asked_to_wait: bool) -> float:
        """The longest silence of both sides that is meant; the conversation's own deadlines are shorter."""
        if self.kind is LineKind.HOLD:
            return float("inf")
        return 15.0 if self.converses and not asked_to_wait else 60.0
