"""What a callee will say and do: personas as TOML files, or the same as JSON by `PUT /control/callees/{number}`."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERSONAS = Path(__file__).parent.parent / "personas"

RENDERED = PERSONAS / "audio"

STEPS = ("next", "stay", "repeat", "hang_up")
"""What `When.then` may say besides a label."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Part):
    """What the callee does if it heard one of these words or phrases in answer to a line."""

    hears: list[str] = Field(min_length=1)
    say: str = ""
    then: str = "next"
    """A label, or: next (line), stay (wait again), repeat (say the last line again), hang_up."""
    patience_s: float | None = None
    """How long to wait then, instead of the script's patience."""


class Line(_Part):
    """One thing the callee does, in order."""

    say: str = ""
    label: str = ""
    pause_s: float = 0.2
    """Thinking time before it."""
    wait: bool = True
    """Whether the other party must have had its turn first."""
    press: str = Field(default="", pattern=r"^[0-9*#]*$")
    beep: bool = False
    """A voicemail's tone instead of words."""
    interrupt_after_s: float | None = None
    """Do not wait for the end of the other's turn: begin after this much of its speech."""
    hang_up_after_s: float | None = None
    """Hang up, without a word, after this much of the other's speech."""
    hang_up: bool = False
    """Hang up after this line."""
    when: list[When] = []


class Script(_Part):
    """A person, or a machine, at the far end."""

    name: str = ""
    numbers: list[str] = []
    voice: str = "rms"
    """`rms` (a real voice) or `tones` (the audible code)."""
    outcome: Literal["answers", "busy", "no-answer", "failed"] = "answers"
    answer_after_s: float = 2.0
    """How long it rings before the outcome."""
    greeting: str = ""
    greeting_after_s: float = 0.5
    quiet_s: float = 0.6
    """People wait this long before they take a pause for the end of a turn."""
    patience_s: float = 8.0
    hello: str = "hello"
    """Said when patience runs out; after the third time the callee hangs up."""
    again: str = ""
    """The label from which a caller is served who rings again."""
    again_greeting: str = ""
    lines: list[Line] = []
    when: list[When] = []
    """Applies after every line, after the line's own."""

    @model_validator(mode="after")
    def _labels_exist(self) -> Self:
        labels = {line.label for line in self.lines if line.label}
        asked = {self.again} | {when.then for when in self.whens()} - set(STEPS)
        if missing := asked - labels - {""}:
            raise ValueError(f"no line is labelled {', '.join(sorted(missing))}")
        return self

    def whens(self) -> Iterator[When]:
        """Everything that words can bring about; a script without any need not listen to them."""
        yield from self.when
        for line in self.lines:
            yield from line.when

    def texts(self) -> set[str]:
        """Every sentence that may have to be spoken."""
        lines = {line.say for line in self.lines} | {when.say for when in self.whens()}
        return (lines | {self.greeting, self.again_greeting, self.hello}) - {""}

    def index(self, label: str) -> int:
        """Where the line with this label stands."""
        return next(place for place, line in enumerate(self.lines) if line.label == label)


def load_personas(folder: Path = PERSONAS) -> list[Script]:
    """All personas of a folder; raises ValueError with the file's name for one that makes no sense."""
    return [load_persona(path) for path in sorted(folder.glob("*.toml"))]


def load_persona(path: Path) -> Script:
    """One persona."""
    try:
        return Script(**tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def rendered_path(text: str, voice: str) -> Path:
    """Where a persona's line is kept as sound: headerless 8 kHz mu-law."""
    return RENDERED / voice / f"{'-'.join(re.findall(r'[a-z0-9]+', text.lower()))}.ulaw"
