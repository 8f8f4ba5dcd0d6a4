"""Who is on the line, and what is remembered about it."""

from dataclasses import dataclass, field
from enum import StrEnum


class LineKind(StrEnum):
    """Who or what is at the far end just now. Only a person converses; somebody unknown counts as one."""

    UNKNOWN = "unknown"
    PERSON = "person"
    MENU = "menu"  # a machine that wants a key or a word
    HOLD = "hold"  # music, ringing, announcements: nobody
    VOICEMAIL = "voicemail"
    SCREENING = "screening"  # a machine that asks for a person who is calling and why
    TONE = "tone"  # a fax, a busy line, a number that does not exist

    @property
    def converses(self) -> bool:
        return self in (LineKind.PERSON, LineKind.UNKNOWN)


@dataclass(slots=True)
class Line:
    """Moments are seconds of the session's clock."""

    kind: LineKind = LineKind.UNKNOWN
    since: float = 0.0
    judged: str = ""  # the pending words that were last looked at
    suspect: bool = False  # the words sound somewhat like a machine: not the moment to begin talking
    undecided: list[str] = field(default_factory=list)  # turns of a machine's or a person's: a pause will tell
    held_s: float = 0.0  # spent on hold until `since`, at this relay
    extensions: int = 0  # how often the person chose to go on waiting
    question: str = ""  # the open one to the person, whether to go on waiting
    tone_due: bool = False  # the machine has announced a tone to speak after
    messages: int = 0  # how often the message was begun on this voicemail
    asked: int = 1  # how often a screening machine asked
    answers: int = 0  # and had its answer
    menus: list[frozenset[str]] = field(default_factory=list)  # the words of every menu that was heard out, in order
    reacted: set[tuple[int, str]] = field(default_factory=set)  # turns of menus that a choice has followed

    @property
    def converses(self) -> bool:
        return self.kind.converses

    def count_hold(self, now: float) -> None:
        """Enter the present hold's time so far."""
        if self.kind is LineKind.HOLD:
            self.held_s, self.since = self.held_s + now - self.since, now

    def silence_s(self, *, asked_to_wait: bool) -> float:
        """The longest silence of both sides that is meant; the conversation's own deadlines are shorter."""
        if self.kind is LineKind.HOLD:
            return float("inf")
        return 15.0 if self.converses and not asked_to_wait else 60.0
