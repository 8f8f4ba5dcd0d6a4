"""Far ends that are machines, at first or for good: menus, holds, mailboxes, screening, tones; and another Floyd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.core import events as ev
from relay.core.sounds import KINDS
from tests.simulation.callee import Callee
from tests.simulation.line import Sound

if TYPE_CHECKING:
    from tests.simulation.world import World

Step = tuple[str, str, float]
"""What the machine does: `say` words, make a `sound` (one of `sounds.KINDS`), `hear` a reaction for at most so long,
`end` the call; and the seconds until its next step."""

_MENU: tuple[Step, ...] = (
    ("say", "Thank you for calling Rosie's Flowers. For sales press 1. For billing press 2.", 0.3),
    ("hear", "", 9.0),
)
_MUSIC: Step = ("sound", "music", 5.0)
_HOLD: Step = ("say", "All of our agents are currently busy, please stay on the line.", 0.5)
_GREETING: tuple[Step, ...] = (
    ("say", "Hello, you have reached the Garcia family, we are not at home.", 0.6),
    ("say", "Please leave a message after the tone.", 0.7),
)
SCRIPTS: dict[str, tuple[Step, ...]] = {
    "menu": (*_MENU, ("say", "For roses press 1. For tulips press 2.", 0.3), ("hear", "", 9.0)),
    "menu without end": (*_MENU * 8, ("end", "", 0.0)),
    "hold": (_HOLD, *(_MUSIC,) * 6),
    "menu and hold": (*_MENU, _HOLD, *(_MUSIC,) * 6),
    "hold without end": (_HOLD, *(("sound", "music", 60.0),) * 25, ("end", "", 0.0)),
    "ringing": (("sound", "ringing", 4.0), ("sound", "ringing", 4.0)),
    "mailbox": (*_GREETING, ("sound", "beep", 0.2), ("hear", "", 20.0), ("end", "", 0.0)),
    "mailbox, late beep": (*_GREETING, ("say", "Thank you.", 4.0), ("sound", "beep", 40.0), ("end", "", 0.0)),
    "mailbox, no beep": (*_GREETING, ("hear", "", 60.0), ("end", "", 0.0)),
    "mailbox, picked up": (*_GREETING, ("sound", "beep", 2.0)),
    "screening": (("say", "Please state your name and why you are calling.", 0.2), ("hear", "", 20.0)),
    "fax": (("sound", "fax", 2.0), ("sound", "fax", 30.0), ("end", "", 0.0)),
    "busy": (("sound", "busy", 3.0), ("end", "", 0.0)),
    "no such number": (("say", "The number you have dialed is not in service.", 3.0), ("end", "", 0.0)),
}


class Machine(Callee):
    """Plays a script; after it, unless it ends the call, a person comes to the phone."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        name = list(SCRIPTS)[int(len(SCRIPTS) * world.random.random())]
        self._steps = list(SCRIPTS[name])
        self._step = 0
        self._hearing = False

    def pick_up(self) -> None:
        self.world.later(0.5, self._go_on, 0)

    def _go_on(self, step: int) -> None:
        world = self.world
        if step != self._step or world.judge.closed:
            return
        self._step += 1
        self._hearing = False
        if step >= len(self._steps):
            self._steps = []
            self._say("Hello, this is Rosie speaking, how can I help you {}?")
            return
        what, value, seconds = self._steps[step]
        match what:
            case "say":
                self.talking_until = world.ear.hear(value)
                seconds += self.talking_until - world.now
            case "sound":
                world.feed(ev.LineClassified(*KINDS[value], value))
            case "hear":
                self._hearing = True
            case _:
                world.hang_up()
        world.later(seconds, self._go_on, self._step)

    def floyd_began(self, sound: Sound) -> None:
        if not self._steps:
            super().floyd_began(sound)

    def floyd_fell_silent(self) -> None:
        if not self._steps:
            super().floyd_fell_silent()
        elif self._hearing:
            self.world.later(1.0, self._go_on, self._step)


class Echo(Callee):
    """A bad line: Floyd's own words come back."""

    def floyd_began(self, sound: Sound) -> None:
        """Machines do not interrupt."""

    def floyd_said(self, sound: Sound) -> None:
        self.world.later(0.3, self._repeat, sound.text)

    def floyd_fell_silent(self) -> None:
        """An echo has nothing to add."""

    def _answer(self, plan: int) -> None:
        """Nor has it anything to say of its own."""

    def _repeat(self, text: str) -> None:
        if text:
            self._say(text.replace("zx", "ex"))


class Parrot(Echo):
    """Waits for the end of Floyd's turn and says its last sentence."""

    def floyd_said(self, sound: Sound) -> None:
        self._last = sound.text

    def floyd_fell_silent(self) -> None:
        self.world.later(0.5, self._repeat, self._last)


class OtherFloyd(Callee):
    """Says whatever the conversation in another world says; `World.run` plays both."""

    other: World

    def pick_up(self) -> None:
        """The other one opens as well."""

    def floyd_began(self, sound: Sound) -> None:
        self.other.ear.voice(sound.start, sound.end)

    def floyd_said(self, sound: Sound) -> None:
        self.other.ear.understand(sound.text.split(), sound.start, sound.end)

    def floyd_fell_silent(self) -> None:
        """Nothing to hear is nothing to say."""
