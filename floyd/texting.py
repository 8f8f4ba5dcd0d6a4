"""What Floyd texts, and what a text to Floyd means. Pure.

Plain ASCII quotes and dashes keep a text within GSM-7, 160 characters a segment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from floyd.documents import Question
from floyd.english import TOPICS

# Twilio's limit for one message; longer words are cut, never split over two paid messages.
LONGEST_TEXT = 1600
Command = Literal["stop", "start", "help"]
"""A word that concerns the texting itself."""
COMMANDS: dict[str, Command] = {word: command for command, words in TOPICS["texting"].items() for word in words}
_CHOSEN = re.compile(r"#?(\d{1,2})(?:[:)]\s*|[.,]?\s+)(\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Words:
    """Anything else. If it begins with a number, `number` is that and `rest` what follows it."""

    text: str
    number: int | None = None
    rest: str = ""


def read(body: str) -> Command | Words:
    """What somebody texted."""
    text = body.strip()
    if command := COMMANDS.get(re.sub(r"[\s.!]+", " ", text).strip().lower()):
        return command
    chosen = _CHOSEN.fullmatch(text)
    return Words(text, int(chosen[1]), chosen[2].strip()) if chosen else Words(text)


def question(asked: Question) -> str:
    """The text that asks the person one question."""
    choices = f" ({' / '.join(asked.choices)})" if asked.choices else ""
    return _fit(f"Floyd: {asked.text}{choices} Reply here or in the app.")


def numbered(asked: Sequence[Question]) -> str:
    """The text that lists several open questions; the answer names its number."""
    lines = (f"{number}. {_fit(each.text, 140)}" for number, each in enumerate(asked, 1))
    return _fit("Several questions are open. Reply with the number and your answer, like '1 yes'.\n" + "\n".join(lines))


def chosen_answer(asked: Question, said: str) -> str:
    """The answer in words: '2' means the second choice when choices were offered."""
    number = said.strip().rstrip(".)")
    if asked.choices and number.isdecimal() and 1 <= int(number) <= len(asked.choices):
        return asked.choices[int(number) - 1]
    return said.strip()


NO_CARDS = "Floyd never passes a card number on. Nothing was changed. Reply with another answer, or NO."
APP_NEEDED = (
    "For your safety this amount can be approved only in the Floyd app. Nothing was agreed. Reply NO to decline."
)
ANSWERED = "Thank you, passed on."
CLOSED = "That question is closed: it was answered or it expired. Nothing was changed."
NOTHING_OPEN = "No question is open right now. To ask Floyd for something, use the app."
STOPPED = "You will get no more texts from this number. Reply START to get them again."
STOPPED_STRANGER = "You will never be called or texted from this number again. Reply START to undo this."
STARTED = "Texts from Floyd are on again. Reply STOP to end them."
HELP = (
    "Floyd is an AI assistant that makes phone calls for people. Reply to its questions here. "
    "Reply STOP to get no more texts."
)
HELP_STRANGER = (
    "Floyd is an AI assistant that makes phone calls for people. Reply STOP and it will never ring or text you again."
)


def who_rang(name: str | None) -> str:
    """What a stranger who texts or rings back learns. `name` is for whom Floyd rang them last, if it did."""
    whom = (
        f" It called you for {name or 'one of its users'}." if name is not None else " It has no record of calling you."
    )
    return f"This is Floyd, an AI assistant that makes phone calls for people.{whom}"


def stranger(name: str | None) -> str:
    """The reply to a text from somebody who does not use Floyd."""
    return _fit(f"{who_rang(name)} Reply STOP and it will never ring or text you again.")


def _fit(text: str, most: int = LONGEST_TEXT) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
