"""What the conversation knows about its errand before the phone is picked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from floyd.mandate import Mandate
from relay.core.actions import AskPerson
from relay.core.refusal import require, require_seconds, require_text
from relay.core.transcript import Turn


@dataclass(frozen=True, slots=True)
class Brief:
    """The plan, cut down to what talking needs. Whatever is not in here cannot be spoken."""

    goal: str
    on_behalf_of: str
    """The person's name as the callee may hear it."""
    opening: tuple[str, ...]
    """Disclosure and purpose, one entry per segment: what was heard of a cut opening is known per entry."""
    mandate: Mandate = field(default_factory=Mandate.nothing)
    callee: str = ""
    release: Mapping[str, str] = field(default_factory=dict)
    """Every fact that may be spoken, by key; nothing else about the person is known here."""
    steps: tuple[str, ...] = ()
    done_when: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    """What the callee will probably ask."""
    voicemail: str = ""
    confidential: tuple[str, ...] = ()
    """Texts that must never be read out, such as the model's instructions. Not spoken even in part."""
    limit_s: float = 600.0
    """Longest call, from `CallStarted`."""
    notes: tuple[str, ...] = ()
    """Told to the model before the first turn: earlier calls, answers of the person, today's date. Speakable."""
    heard_before: tuple[str, ...] = ()
    """What the callee said in earlier calls of this errand: their offers still stand and may be named."""
    line: str = "unknown"
    """Who was on the line when another relay held this call, a `LineKind`."""
    prior: tuple[Turn, ...] = ()
    """The turns so far when another relay resumes the call; empty for a fresh call."""
    asked: AskPerson | None = None
    """What the person is being asked when another relay resumes the call."""

    def __post_init__(self) -> None:
        require_text("on_behalf_of", self.on_behalf_of)
        require(bool(self.opening) and all(line.strip() for line in self.opening), "opening: expected words")
        require_seconds("limit_s", self.limit_s)

    def speakable(self) -> tuple[str, ...]:
        """Every text whose values may be spoken."""
        return (
            self.goal,
            self.on_behalf_of,
            self.callee,
            self.voicemail,
            *self.opening,
            *self.release.values(),
            *self.steps,
            *self.done_when,
            *self.questions,
            *self.notes,
        )
