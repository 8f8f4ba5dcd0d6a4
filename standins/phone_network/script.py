"""What a callee will say and do: personas as TOML files, or the same as JSON by `PUT /control/callees/{number}`."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERSONAS = Path(__file__).parent.parent / "personas"

RENDERED = PERSONAS / "audio"

NEVER = 86_400.0
"""Seconds: longer than any call."""

STEPS = ("next", "stay", "repeat", "hang_up")
"""What `When.then` may say besides a label."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Made(_Part):
    """A sound: words, then a signal, each if given."""

    say: str = ""
    play: Literal["", "beep", "ringback", "busy", "fax", "music", "noise"] = ""
    seconds: float = Field(default=0.6, gt=0)
    """Of `play`."""
    level_db: float = Field(default=-20, le=-3)
    """Of `play`, below full scale."""


class Aside(Made):
    """Made while the other talks, and no turn: "uh huh", a cough, a door."""

    after_s: float
    """So far into the other's turn."""


class Echo(_Part):
    """How much of what comes in goes back out."""

    level: float = Field(gt=0, le=1)
    delay_ms: int = Field(ge=0, le=2000)
    """In steps of 20."""


class When(Made):
    """What the callee does if it heard, after a line, one of these words or phrases; or keys; or nothing."""

    hears: list[str] = []
    keys: str = ""
    """A pattern for all keys pressed since the line began, taken at once, the line cut short: "1", "[2-9]"."""
    silent_s: float | None = None
    """After so much quiet."""
    then: str = "next"
    """A label, or: next (line), stay (wait again), repeat (say the last line again), hang_up."""
    patience_s: float | None = None
    """How long to wait then, instead of the script's patience."""

    @model_validator(mode="after")
    def _on_something(self) -> Self:
        if not (self.hears or self.keys or self.silent_s):
            raise ValueError("a when needs hears, keys or silent_s")
        return self


class Line(Made):
    """One thing the callee does, in order: pause, make a sound, press keys, hang up."""

    label: str = ""
    pause_s: float = 0.2
    """Thinking time before it."""
    wait_for: Literal["turn", "keys", "nothing"] = "turn"
    """What must have come first: words of the other; keys, ended by # or a pause; or the line before only."""
    expects: list[str] = []
    """Words of which the other must have said one; else the callee asks again, twice, before it goes on."""
    press: str = Field(default="", pattern=r"^[0-9*#]*$")
    interrupt_after_s: float = NEVER
    """Do not wait for the end of the other's turn: begin after this much of its speech."""
    hang_up_after_s: float = NEVER
    """Hang up, without a word, after this much of the other's speech."""
    hang_up: bool = False
    """Hang up after this line."""
    when: list[When] = []
    asides: list[Aside] = []
    """In the turn of the other that follows."""


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
    sorry: str = "sorry could you say that again"
    """Said to words that make no sense, if the script depends on words at all; empty: it goes on regardless."""
    again: str = ""
    """The label from which a caller is served who rings again."""
    again_greeting: str = ""
    lines: list[Line] = []
    when: list[When] = []
    """Applies after every line, after the line's own."""
    asides: list[Aside] = []
    """In every turn of the other."""
    echo: Echo | None = None
    hiss_db: float | None = Field(default=None, le=-20)
    """Comfort noise under everything, below full scale."""

    @model_validator(mode="after")
    def _labels_exist(self) -> Self:
        labels = {line.label for line in self.lines if line.label}
        asked = {self.again} | {when.then for when in self.whens()} - set(STEPS)
        if missing := asked - labels - {""}:
            raise ValueError(f"no line is labelled {', '.join(sorted(missing))}")
        return self

    @property
    def listens(self) -> bool:
        """Whether words matter: sound alone does for other scripts."""
        return any(when.hears for when in self.whens()) or any(line.expects for line in self.lines)

    @property
    def keyed(self) -> bool:
        """Whether keys matter."""
        return any(when.keys for when in self.whens()) or any(line.wait_for == "keys" for line in self.lines)

    def whens(self) -> Iterator[When]:
        """Everything that the other can bring about."""
        yield from self.when
        for line in self.lines:
            yield from line.when

    def texts(self) -> set[str]:
        """Every sentence that may have to be spoken."""
        made = [self, *self.lines, *self.whens()]
        said = {each.say for part in made for each in (part, *getattr(part, "asides", ())) if isinstance(each, Made)}
        return (said | {self.greeting, self.again_greeting, self.hello, self.sorry if self.listens else ""}) - {""}

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
