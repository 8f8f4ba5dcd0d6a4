"""What the conversation knows about its errand before the phone is picked up."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from floyd.mandate import Mandate
from relay.core.actions import AskPerson
from relay.core.transcript import Turn
from relay.core.values import Seconds, Words

LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Brief:
    """The plan, cut down to what talking needs. Whatever is not in here cannot be spoken."""

    goal: str
    on_behalf_of: Words  # the person's name as the callee may hear it
    opening: Annotated[tuple[Words, ...], Field(min_length=1)]
    """Disclosure and purpose, one entry per segment: what was heard of a cut opening is known per entry."""
    mandate: Mandate = Mandate()
    callee: str = ""
    release: Mapping[str, str] = field(default_factory=dict)  # every fact of the person that may be spoken, by key
    steps: tuple[str, ...] = ()
    done_when: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()  # what the callee will probably ask
    voicemail: str = ""
    confidential: tuple[str, ...] = ()  # never read out, not even in part: the model's instructions
    limit_s: Seconds = LIMIT_S  # longest call, from `CallStarted`; time on hold does not count
    line_s: Seconds = 1800.0  # so long after `CallStarted` the carrier ends the call, whatever goes on
    notes: tuple[str, ...] = ()  # told to the model before the first turn: earlier calls, the person's answers
    heard_before: tuple[str, ...] = ()  # from the callee in earlier calls: their offers stand and may be named
    line: str = "unknown"  # who was on the line when another relay held this call, a `LineKind`
    held_s: Seconds = 0.0  # on hold at other relays that held this call
    prior: tuple[Turn, ...] = ()  # the turns so far when another relay resumes the call; empty for a fresh call
    asked: AskPerson | None = None  # what the person is being asked when another relay resumes the call

    def speakable(self) -> tuple[str, ...]:
        """Every text whose values may be spoken."""
        about = (self.goal, self.on_behalf_of, self.callee, self.voicemail, *self.opening, *self.release.values())
        return (*about, *self.steps, *self.done_when, *self.questions, *self.notes)
