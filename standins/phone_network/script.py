"""What a callee will say and do: personas as TOML files, or the same as JSON by `PUT /control/callees/{number}`.

The fields are told in the README, under "Scripts".
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PERSONAS = Path(__file__).parent.parent / "personas"

NEVER = 86_400.0  # seconds: longer than any call
STEPS = ("next", "stay", "repeat", "hang_up")
"""What `When.then` may say besides a label: the next line, wait again, say the last line again, put the phone down."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Made(_Part):
    """A sound: words, then a signal, each if given."""

    say: str = ""
    play: Literal["", "beep", "ringback", "busy", "fax", "music", "noise"] = ""
    seconds: float = Field(default=0.6, gt=0)
    level_db: float = Field(default=-20, le=-3)


class Aside(Made):
    """Made while the other talks, and no turn: "uh huh", a cough, a door."""

    after_s: float


class Echo(_Part):
    """How much of what comes in goes back out; the delay in steps of 20 ms."""

    level: float = Field(gt=0, le=1)
    delay_ms: int = Field(ge=0, le=2000)


class When(Made):
    """What the callee does if it heard, after a line, one of these words or phrases; or keys; or nothing."""

    hears: list[str] = []
    keys: str = ""
    silent_s: float | None = None
    then: str = "next"
    patience_s: float | None = None

    @model_validator(mode="after")
    def _on_something(self) -> Self:
        if not (self.hears or self.keys or self.silent_s):
            raise ValueError("a when needs hears, keys or silent_s")
        return self


class Line(Made):
    """One thing the callee does, in order: pause, make a sound, press keys, hang up."""

    label: str = ""
    pause_s: float = 0.2
    wait_for: Literal["turn", "keys", "nothing"] = "turn"
    expects: list[str] = []
    press: str = Field(default="", pattern=r"^[0-9*#]*$")
    interrupt_after_s: float = NEVER
    hang_up_after_s: float = NEVER
    hang_up: bool = False
    when: list[When] = []
    asides: list[Aside] = []


class Script(_Part):
    """A person, or a machine, at the far end."""

    name: str = ""
    numbers: list[str] = []
    voice: str = "rms"
    outcome: Literal["answers", "busy", "no-answer", "failed"] = "answers"
    answer_after_s: float = 2.0
    greeting: str = ""
    greeting_after_s: float = 0.5
    quiet_s: float = 0.6
    patience_s: float = 8.0
    hello: str = "hello"
    sorry: str = "sorry could you say that again"
    again: str = ""
    again_greeting: str = ""
    lines: list[Line] = []
    when: list[When] = []
    asides: list[Aside] = []
    echo: Echo | None = None
    hiss_db: float | None = Field(default=None, le=-20)

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
        return any(when.keys for when in self.whens()) or any(line.wait_for == "keys" for line in self.lines)

    def whens(self) -> Iterator[When]:
        """Everything that the other can bring about."""
        yield from self.when
        for line in self.lines:
            yield from line.when

    def texts(self) -> set[str]:
        """Every sentence that may have to be spoken."""
        made = [*self.lines, *self.whens(), *self.asides, *(aside for line in self.lines for aside in line.asides)]
        spoken = {self.greeting, self.again_greeting, self.hello, *(part.say for part in made)}
        return (spoken | ({self.sorry} if self.listens else set())) - {""}

    def index(self, label: str) -> int:
        return next(place for place, line in enumerate(self.lines) if line.label == label)


def load_personas(folder: Path = PERSONAS) -> list[Script]:
    """All personas of a folder; raises ValueError with the file's name for one that makes no sense."""
    return [load_persona(path) for path in sorted(folder.glob("*.toml"))]


def load_persona(path: Path) -> Script:
    try:
        return Script(**tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
