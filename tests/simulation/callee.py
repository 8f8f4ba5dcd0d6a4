"""Who was rung: greets, answers, thinks, interrupts, mumbles, keeps silent, asks back, says goodbye, hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.core import events as ev
from relay.core.line_kinds import LineKind
from relay.core.sounds import KINDS
from tests.simulation.laws import BrokenLawError
from tests.simulation.line import Sound

if TYPE_CHECKING:
    from tests.simulation.world import World

GREETINGS = ("Hello?", "Rosie's Flowers, hello?", "Hello, this is Rosie speaking, what can I do for you?")
ANSWERS = (
    "we have roses and tulips today {}.",
    "yes of course we can do that {}.",
    "no I am afraid that is not possible {}.",
    "and what should the card say {}?",
    "it would be ready on {}",
    "my number is five five five {}",
    "the shop closes at six on Fridays {}.",
    "could you tell me the name {}?",
    "and we have some left {}.",
    "red ones or white ones or {}.",
)
PRICES = ("40", "75", "85", "560")
OFFERS = tuple(f"that would be {price} dollars {{}}." for price in PRICES)
FIXED = (
    "are you a robot?",
    "is this call recorded?",
    "who is calling please?",
    "who is responsible for this?",
    "are you a real person, and when do you need the {}?",
)
BACKCHANNELS = ("mm-hm", "okay", "right", "I see")
OBJECTIONS = ("no wait stop please {}", "that is not what I said {}", "hello? hello?", "sorry what was that {}?")
GOODBYES = ("okay thank you, goodbye", "alright, bye bye", "I have to go now, have a nice day")
PATIENT = ("sure, no problem", "okay", "take your time", "are you still checking {}?")
RETURNED = ("bye bye", "you too, goodbye", "never call me again, bye", "thanks, bye")
TALK = ((0.07, FIXED), (0.15, OFFERS), (0.16, ("please stop calling me",)), (0.22, ("yes", "no")), (0.86, ANSWERS))
"""Up to which chance what is said."""
USUAL_WAIT_S = 6.0
"""A cough in the gap, the longest patience after it, the wait for a filler, and what a voice needs to begin."""
MOST_WAIT_S = 12.0
"""Whatever the model does, and however late the ear is."""
OWN_PAUSE_S = 0.6
"""Nobody answers themselves at once."""
OF_EAR_AND_MODEL = ("finals", "interims", "model")
"""How the faults begin that delay an answer but do not keep it from being heard."""


class Callee:
    def __init__(self, world: World) -> None:
        self.world = world
        draw = world.random.random
        self.turns = 7 + int(11 * draw())
        """After so many answers the callee wants to end."""
        self.silent = 0.03 if draw() < 0.9 else 0.5 if draw() < 0.8 else 1.0
        """How often nothing is said where something is expected."""
        self.brisk = 0.2 + 0.6 * draw()
        """Typical pause before an answer, in seconds."""
        self.rude = 0.2 * draw()
        """How often Floyd is interrupted in a sentence."""
        self.mumbles = 0.25 * draw()
        self.talking_until = 0.0
        self._said = 0
        self._plan = 0
        """Number of the newest intention; older ones are void."""
        self._last = ""
        self._parting = False

    def pick_up(self) -> None:
        world, draw = self.world, self.world.random.random
        if self.silent < 1.0 and draw() < 0.85:
            world.later(0.2 + draw(), self._say, world.pick(GREETINGS))
        elif draw() < 0.5:
            world.later(2.0 * draw(), self._noise)

    # What Floyd does

    def floyd_began(self, sound: Sound) -> None:
        self._plan += 1
        chance, length = self.world.random.random(), sound.end - sound.start
        moment = sound.start + length * self.world.random.random()
        if chance < self.rude:
            self.world.at(moment, self._interject, self._plan, OBJECTIONS)
        elif chance < self.rude + self.mumbles:
            self.world.at(moment, self._interject, self._plan, BACKCHANNELS)
        elif chance > 0.97:
            self.world.at(moment, self._noise)

    def floyd_said(self, sound: Sound) -> None:
        self._last = sound.text

    def floyd_fell_silent(self) -> None:
        """Nothing of Floyd's is to be heard any more: our turn, if Floyd does not go on."""
        self._plan += 1
        draw = self.world.random.random
        pause = self.brisk * (0.4 + 1.2 * draw())
        self.world.later(pause if draw() < 0.95 else pause + 12.0 * draw(), self._answer, self._plan)

    # What the callee does

    def _interject(self, plan: int, among: tuple[str, ...]) -> None:
        if plan == self._plan and self.world.now >= self.talking_until:
            self._say(self.world.pick(among))

    def _answer(self, plan: int) -> None:
        world, draw = self.world, self.world.random.random
        if plan != self._plan or world.now < self.talking_until + OWN_PAUSE_S:
            return
        chance = draw()
        if "oodbye" in self._last or self._parting:
            self._part(chance)
        elif "one moment" in self._last.lower() or "heck" in self._last or "waiting" in self._last:
            if chance < 0.3:
                self._say(world.pick(PATIENT))
        elif chance < self.silent:
            world.later(30.0 * draw(), self._answer, plan)
        elif self._said > self.turns:
            self._parting = True
            self._say(world.pick(GOODBYES))
        else:
            self._talk(draw())

    def _talk(self, chance: float) -> None:
        world, draw = self.world, self.world.random.random
        self._said += 1
        if words := next((words for up_to, words in TALK if chance < up_to), None):
            self._say(world.pick(words), pause=draw() < 0.2)
        elif chance < 0.9:
            self._say("one moment please, let me check")
            world.later(2.0 + 14.0 * draw() if draw() < 0.85 else 60.0 + 60.0 * draw(), self._answer, self._plan)
        elif chance < 0.92:
            world.feed(ev.DigitPressed(world.pick("0123456789*#")))
        elif chance < 0.935:
            self._say(world.pick(ANSWERS))
            world.at(self.talking_until + draw(), world.hang_up)
        elif chance < 0.95:
            self._say("please hold the line, I will put you through")
            for pieces in range(1, 6):
                world.later(6.0 * pieces, world.feed, ev.LineClassified(*KINDS["music"], "music"))
            self.talking_until = world.now + 33.0
            world.at(self.talking_until, self._say, GREETINGS[2])
        else:
            self._noise()
            world.later(4.0, self._answer, self._plan)

    def _part(self, chance: float) -> None:
        """Goodbye was said."""
        world = self.world
        self._parting = True
        if chance < 0.15:
            self._parting = False
            self._last = ""
            self._say("oh wait, one more thing about the {}")
        elif chance < 0.6:
            self._say(world.pick(RETURNED))
            if chance < 0.35:
                world.later(1.0 + 2.0 * chance, world.hang_up)
        elif chance < 0.75:
            world.hang_up()
        elif chance < 0.8:
            self._say("okay thanks bye " * 32)

    def _say(self, text: str, pause: bool = False) -> None:
        world = self.world
        if world.now < self.talking_until:
            return
        words = text.format(world.token("zq"))
        self.talking_until = world.ear.hear(words, 2 if pause else 0, 0.3 + 0.7 * world.random.random())
        self._plan += 1
        if "zq" in words and all(fault.startswith(OF_EAR_AND_MODEL) for fault in world.faults):
            most = MOST_WAIT_S if world.faults else USUAL_WAIT_S
            world.at(self.talking_until + most, self._expect, self._plan, words, world.now)
        if world.random.random() < 0.05:  # a cough just when the answer comes
            cough = self.talking_until + 0.3 + 0.6 * world.random.random()
            world.ear.voice(cough, cough + 1.0)
        # Whoever gets no answer says something again.
        world.at(self.talking_until + 8.0 + 12.0 * world.random.random(), self._answer, self._plan)

    def _expect(self, plan: int, words: str, since: float) -> None:
        """By now Floyd has answered, or either has said something else."""
        judge = self.world.judge
        judge.tally.checks["answered"] += 1
        heard = judge.words_at > since and judge.line in (LineKind.UNKNOWN, LineKind.PERSON)
        if plan == self._plan and heard and not judge.asked and not judge.closed:
            raise BrokenLawError("answered", f"silence after {words!r}")

    def _noise(self) -> None:
        """A cough, a door, or a radio that goes on for a while."""
        world, draw = self.world, self.world.random.random
        length = 0.15 + 0.5 * draw() if draw() < 0.8 else 1.0 + 9.0 * draw()
        world.ear.voice(world.now, world.now + length)
