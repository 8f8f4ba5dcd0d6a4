"""Everything around one conversation, in virtual time and from one seed: callee, ear, mind, line, person, operator."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from random import Random
from typing import Any, TypeVar

from relay.core import actions as act
from relay.core import events as ev
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from relay.core.transcript import Speaker, Transcript, Turn
from tests.relay.core.play import OPENING, brief
from tests.simulation.callee import PRICES, Callee
from tests.simulation.ear import Ear
from tests.simulation.judge import Judge
from tests.simulation.laws import BrokenLawError, Tally
from tests.simulation.line import Line
from tests.simulation.machines import Machine, OtherFloyd
from tests.simulation.mind import Mind

T = TypeVar("T")

FAULTS = (
    "voice slow", "voice stalls", "voice fails", "voice breaks off", "mark lost", "mark late",
    "voice start lost", "voice stop lost", "interims lost", "interims wrong", "finals lost", "finals split",
    "finals late", "finals out of order", "finals twice", "ear lost",
    "model slow", "model stalls", "model stalls later", "model breaks off", "model late", "model empty",
    "model rambles", "model loops", "model reads out data", "model betrays",
    "line dies", "timer late", "nonsense", "drain", "cancel", "person never answers",
)  # fmt: skip
"""What can go wrong. A faulty call has one to three of them; each strikes now and then."""
FAULTY = 0.55
MACHINES = 0.15
LETTERS = "abcdefghijklmnoprstuvwy"
"""23 of them, so that neither "zq" nor "zx" can come about inside a token."""

MESSAGE = "Hello, this is an AI assistant calling for Tom Baker. Please call him back."
PRIOR = (Turn(1, Speaker.FLOYD, OPENING[0], 0, 2000), Turn(2, Speaker.CALLEE, "Which roses?", 2500, 3500))
BRIEFS = (brief(voicemail=MESSAGE), brief(voicemail=MESSAGE, limit_s=45.0), brief(voicemail=MESSAGE, prior=PRIOR))
"""A fresh call, one of 45 s, and one that another relay began."""
NO_CONCERN = (
    *(act.HangUp, act.HandOver, act.SaveTranscript, act.RecordOptOut),
    *(act.RestEars, act.WakeEars, act.PrepareSpeech),
)
"""Actions that change nothing around the conversation."""
POLICIES = (Policy(), Policy(answer_s=20.0, company_s=3.0, questions=2))


class World:
    """One call. `run` it once; afterwards the fields tell what became of it."""

    def __init__(self, seed: int, tally: Tally, callee: type[Callee] | None = None) -> None:
        self.random = Random(seed)
        draw = self.random.random
        self.faults = frozenset(FAULTS[int(len(FAULTS) * draw())] for _ in range(1 + int(3 * draw())))
        if draw() > FAULTY:
            self.faults = frozenset()
        self.severity = (0.5, 1.0, 4.0)[int(3 * draw())]
        self.struck: set[str] = set()
        plan = BRIEFS[0] if draw() < 0.9 else BRIEFS[1 + int(2 * draw())]
        self.judge = Judge(plan, POLICIES[draw() < 0.3], tally)
        self.now = self.started_at = 1000.0 * draw()
        self.agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.order = count()
        self._tokens = 0
        self.line = Line(self)
        self.ear = Ear(self)
        self.mind = Mind(self)
        self.callee = (callee or (Machine if draw() < MACHINES else Callee))(self)
        self.acts: dict[type[Any], Callable[[Any], None]] = {
            act.Speak: lambda action: self.line.speak(action.segment_id, action.text),
            act.PressKeys: lambda action: self.line.speak(action.segment_id, action.digits, 0.2 * len(action.digits)),
            act.CancelSpeech: lambda action: self.line.cancel(),
            act.ClearPlayout: lambda action: self.line.clear(),
            act.PrepareSpeech: lambda action: None,
            act.PausePlayout: lambda action: self.line.pause(),
            act.ResumePlayout: lambda action: self.line.resume(),
            act.PausePlayout: lambda action: self.line.pause(),
            act.ResumePlayout: lambda action: self.line.resume(),
            act.StartReply: self.mind.start,
            act.CancelReply: lambda action: self.mind.cancel(action.reply_id),
            act.AskPerson: self._ask,
            **dict.fromkeys(NO_CONCERN, lambda action: None),
        }

    # Time

    def at(self, moment: float, do: Callable[..., None], *values: Any) -> None:
        heapq.heappush(self.agenda, (moment, next(self.order), do, values))

    def later(self, seconds: float, do: Callable[..., None], *values: Any) -> None:
        self.at(self.now + seconds, do, *values)

    def ms(self, moment: float) -> int:
        """A moment as a position in the callee's audio."""
        return max(0, round((moment - self.started_at) * 1000))

    def run(self) -> Transcript:
        """Play the call to its end and some way beyond."""
        return run(self)[0]

    def begin(self) -> None:
        """The call is picked up."""
        if self.strikes("nonsense"):
            self.feed(ev.VoiceStarted(0))
        self.feed(ev.CallStarted("CA1", "MZ1"))
        self._arrange_trouble()
        self.callee.pick_up()

    def fire(self) -> None:
        """The timer rings."""
        self._perform(self.judge.fire(self.now))

    def finish(self) -> Transcript:
        transcript = self.judge.finish(self.now)
        if "nonsense" not in self.struck:  # it reports as heard what has not been played
            self._check_truth(transcript)
        return transcript

    def feed(self, event: ev.Event) -> None:
        self._perform(self.judge.receive(event, self.now))

    def _perform(self, actions: list[act.Action]) -> None:
        for action in actions:
            if do := self.acts.get(type(action)):
                do(action)
            else:
                self.judge.tally.strange.add(f"an action the world does not know: {type(action).__name__}")

    # Chance

    def pick(self, among: Sequence[T]) -> T:
        return among[int(len(among) * self.random.random())]

    def strikes(self, fault: str, share: float = 1.0) -> bool:
        """Whether this fault happens here."""
        if fault not in self.faults or self.random.random() >= share * self.severity:
            return False
        self.struck.add(fault)
        return True

    def token(self, prefix: str) -> str:
        """A word that nobody has said yet in this call, by which it is known wherever it turns up."""
        self._tokens += 1
        return prefix + "".join(LETTERS[self._tokens // size % len(LETTERS)] for size in (529, 23, 1))

    # The others

    def _arrange_trouble(self) -> None:
        draw = self.random.random
        when = 90.0 * draw()
        if self.strikes("line dies"):
            reason = ev.StreamStopped("socket died", Outcome.LINE_FAILED)
            self.later(when * draw(), self.feed, reason)
        if self.strikes("ear lost"):
            for _ in range(3):
                self.later(120.0 * draw(), self.ear.lose, 5.0 * draw() if draw() < 0.4 else 20.0)
        if self.strikes("drain"):
            self.later(when, self.feed, ev.DrainRequested())
        if self.strikes("cancel"):
            self.later(when, self.feed, ev.HangUpRequested())
        if self.strikes("nonsense"):
            for _ in range(40):
                self.later(120.0 * draw(), self._nonsense)

    def _nonsense(self) -> None:
        """Something of before once more, or about what never was."""
        before = (event for _, event in self.judge.trace if event and not isinstance(event, ev.ReplyText))
        events: list[ev.Event] = list(before)
        events += [ev.MarkReached("nobody's"), ev.ReplyText(99, "zx"), ev.AskRequested(99, "What?"), ev.EarRestored()]
        events += [ev.MarkReached(sound.segment_id) for sound in self.line.sounds[-1:]]
        events += [ev.SegmentFailed("99.1", "broke"), ev.VoiceStopped(self.ms(self.now) + 5000)]
        self.feed(self.pick(events))

    def _ask(self, action: act.AskPerson) -> None:
        """The person answers, in time or too late or not at all."""
        draw = self.random.random
        if not self.strikes("person never answers") and draw() < 0.9:
            answer = self.pick(("yes", "no", "up to 70", "up to 100", "the red ones"))
            if action.amount and str(action.amount.amount) not in PRICES:
                answer = "no"
            wait = 15.0 * draw() if draw() < 0.8 else 120.0 * draw()
            self.later(wait, self.feed, ev.PersonAnswered(action.question_id, answer))

    def hang_up(self) -> None:
        """The callee hangs up."""
        if not self.judge.closed:
            self.feed(ev.StreamStopped("stop"))

    # Truth

    def _check_truth(self, transcript: Transcript) -> None:
        """What the transcript says was heard was heard, and when."""
        ours = [turn for turn in transcript.turns if turn.speaker is Speaker.FLOYD]
        whole = {sound.text for sound in self.line.sounds if sound.whole}
        for sound in self.line.sounds:
            for turn in ours if "zx" in sound.text else ():
                if sound.text not in turn.heard or (sound.text in whole and not sound.whole):
                    continue
                if sound.text not in whole:
                    raise BrokenLawError("heard", f"{sound.text!r} did not reach the ear")
                if turn.start_ms > self.ms(sound.start) + 1 or turn.end_ms < self.ms(sound.end) - 1:
                    raise BrokenLawError("heard", f"{sound} is not within {turn}")


def run(*worlds: World) -> list[Transcript]:
    """Play calls that share one line to their end, and some way beyond."""
    agenda = worlds[0].agenda
    for world in worlds:
        world.begin()
    while all(world.judge.deadline is not None for world in worlds):
        first = min(worlds, key=lambda world: world.judge.deadline or 0.0)
        moment = (first.judge.deadline or 0.0) + 0.4 * first.random.random() * first.strikes("timer late", 0.1)
        timer = not agenda or moment < agenda[0][0]
        moment, _, do, values = (moment, 0, first.fire, ()) if timer else heapq.heappop(agenda)
        for world in worlds:
            world.now = max(world.now, moment)
        do(*values)
    for world in worlds:
        if len(worlds) > 1:
            world.hang_up()  # whoever is left hears the line close
        for _ in range(min(5, len(agenda))):
            moment, _, do, values = heapq.heappop(agenda)
            world.now = max(world.now, moment)
            do(*values)
    return [world.finish() for world in worlds]


def talk(seed: int, tally: Tally) -> list[Transcript]:
    """Two conversations that ring each other."""
    one, other = World(seed, tally, OtherFloyd), World(seed + 1, tally, OtherFloyd)
    other.agenda, other.order = one.agenda, one.order
    other.now = other.started_at = one.now
    for world, far in ((one, other), (other, one)):
        world.faults = frozenset()
        assert isinstance(world.callee, OtherFloyd)
        world.callee.other = far
    return run(one, other)
