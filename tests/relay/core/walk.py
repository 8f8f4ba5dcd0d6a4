"""Conversations in which anything may happen at any moment, sensible or not, with every law checked at every step."""

from collections.abc import Callable
from random import Random

from relay.core import events as ev
from relay.core.line_kinds import LineKind
from relay.core.policy import Policy
from tests.relay.core.play import brief
from tests.simulation.judge import Judge
from tests.simulation.laws import Tally

CALLEE = (
    "hello this is rosie",
    "okay",
    "yes",
    "that would be five hundred and sixty dollars",
    "one moment please",
    "are you a robot",
    "bye bye",
    "could you tell me when",
    "my number is five five",
    "no wait stop please",
    "stop calling me",
    "please leave a message after the tone",
    "press one for sales",
)
OURS = ("I see, thank you.", "We'll take it.", "Goodbye.", "Our limit is eighty dollars.", "I promise that he comes.")


class Walk:
    """One random conversation. Call `step` as often as you like."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        choice = self.random.choice
        plan = brief(limit_s=choice((30.0, 600.0)), voicemail="Please call Tom Baker back.")
        self.judge = Judge(plan, Policy(answer_s=choice((5.0, 90.0)), company_s=choice((0.5, 9.0))), Tally())
        self.now = self.started_at = 100.0
        self.pace = choice(((0.0, 0.02, 0.1, 0.3), (0.02, 0.1, 0.4, 0.8), (0.1, 0.5, 1.0, 9.0)))
        """Seconds between inputs: hectic, natural or slow."""
        self.count = 0

    def step(self) -> None:
        """Let some time pass, with its deadlines, then something happens."""
        end = self.now + self.random.choice(self.pace)
        while (deadline := self.judge.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.judge.fire(self.now)
        self.now = end
        self.count += 1
        if self.judge.conversation.floor.name == "CONNECTING" and self.random.random() < 0.7:
            self.started_at = self.now
            self.judge.receive(ev.CallStarted("CA1", "MZ1"), self.now)
        else:
            kinds = (self._callee, self._callee, self._mouth, self._mouth, self._mind, self._mind, self._anybody)
            self.judge.receive(self.random.choice(kinds)(), self.now)

    @property
    def ms(self) -> int:
        return round((self.now - self.started_at) * 1000)

    def _callee(self) -> ev.Event:
        end_ms = max(0, self.ms - self.random.choice((0, 200, 900)))
        start_ms = max(0, end_ms - self.random.choice((100, 1000, 5000)))
        words = self.random.choice(CALLEE)
        makes: tuple[Callable[[], ev.Event], ...] = (
            lambda: ev.VoiceStarted(self.ms),
            lambda: ev.VoiceStopped(self.ms),
            lambda: ev.InterimHeard(words, 0.5, start_ms, end_ms),
            lambda: ev.FinalHeard(words, 0.9, start_ms, end_ms),
            lambda: ev.DigitPressed(self.random.choice("0123456789*#")),
            lambda: ev.LineClassified(self.random.choice(tuple(LineKind)), 0.9, "music"),
        )
        return self.random.choice(makes)()

    def _mouth(self) -> ev.Event:
        name = self.random.choice([*self.judge.on_their_way, "9.9"])
        makes: tuple[Callable[[str], ev.Event], ...] = (
            ev.SegmentStarted,
            lambda name: ev.SegmentSent(name, self.random.uniform(0.0, 4.0)),
            ev.MarkReached,
            lambda name: ev.SegmentFailed(name, "broke"),
        )
        return self.random.choice(makes)(name)

    def _mind(self) -> ev.Event:
        reply = self.random.choice([*self.judge.open_replies, self.judge.newest_reply])
        makes: tuple[Callable[[int], ev.Event], ...] = (
            lambda reply: ev.ReplyText(reply, f"zx{'x' * self.count}, {self.random.choice(OURS)}"),
            ev.ReplyFinished,
            lambda reply: ev.ReplyFailed(reply, "broke"),
            ev.EndCallRequested,
            lambda reply: ev.KeysRequested(reply, "1"),
            lambda reply: ev.FactNoted(reply, "price", "560"),
            lambda reply: ev.AskRequested(reply, "Is 560 all right?"),
        )
        return self.random.choice(makes)(reply)

    def _anybody(self) -> ev.Event:
        asked = self.judge.asked
        rare: list[ev.Event] = [ev.EarLost("gone"), ev.EarRestored(), ev.CallStarted("CA2", "MZ2")]
        rare += [ev.PersonAnswered(asked.question_id if asked else "none", self.random.choice(("yes", "no")))]
        if self.random.random() < 0.05:
            rare += [ev.HangUpRequested(), ev.DrainRequested(), ev.StreamStopped("stop")]
        return self.random.choice(rare)
