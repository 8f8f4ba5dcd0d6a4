"""A person with a script, who goes by sound alone. Pure: time is an argument.

Takes its turn when the other party was audible and then quiet, or when patience runs out. Lines come in order; a line's
`when` may turn the order if the words were made out. Understanding nothing, the callee still goes through its lines.
"""

from collections.abc import Sequence

from standins.phone_network.person import MISSED_QUIET_S, Person, Phone
from standins.phone_network.script import Line, Script, When
from standins.phone_network.voices import sound_of

HELLOS = 3
"""How often a person asks into the silence before hanging up."""

THINK_S = 3.0
"""How long the callee puzzles over words it could not make out before it goes on regardless."""

FAREWELL_S = 4.0
"""A callee who has nothing left to say puts the phone down after this much quiet."""

BEEP = bytes([0xFF, 0xA6, 0x9F, 0xA6, 0xFF, 0x26, 0x1F, 0x26]) * 600
"""The tone of an answering machine: 0.6 s of 1000 Hz, whose eight samples repeat."""


class Callee(Person):
    """One answered call's person."""

    def __init__(self, script: Script, phone: Phone, now: float, again: bool = False) -> None:
        """again: this caller was served before."""
        super().__init__(phone, now)
        self._script = script
        self._next = script.index(script.again) if again and script.again else 0
        self._last: Line | None = None
        self._patience_s = script.patience_s
        self._hellos = 0
        self._words: Sequence[str] | None = None
        self._asked: float | None = None
        self._starting: list[Line] = []
        self._start_at: float | None = None
        self._hang_up_after = False
        if greeting := (again and script.again_greeting) or script.greeting:
            self._begin(now, [Line(say=greeting, pause_s=script.greeting_after_s)])

    def tick(self, loud: bool, now: float) -> bytes:
        """Hears whether the last 20 ms were loud; makes the next 20 ms."""
        if not self.speaking:
            self.hear(loud, now)
            if self._start_at is None:
                self._decide(now)
            if self._start_at is not None and now >= self._start_at:
                self._start(now)
        spoke = self.speaking
        frame = self.speak(now)
        if spoke and not self.speaking:
            self._line_ended(now)
        return frame

    def understood(self, turn: float, words: Sequence[str]) -> None:
        """The words of the other's turn so far; out of date when the other has gone on talking."""
        if turn == self.talked_s:
            self._words = words

    def _decide(self, now: float) -> None:
        line = self._script.lines[self._next] if self._next < len(self._script.lines) else None
        quiet_s = now - self.quiet_since
        if line is not None and line.hang_up_after_s is not None and self.talked_s >= line.hang_up_after_s:
            self.phone.hang_up()
        elif line is not None and (
            not line.wait or (line.interrupt_after_s is not None and self.talked_s >= line.interrupt_after_s)
        ):
            self._begin(now, [line], advance=True)
        elif self.audible:
            # Once per pause of the other, and only when the script can make use of words.
            if self._whens() and quiet_s >= MISSED_QUIET_S and self._asked != self.talked_s:
                self._asked, self._words = self.talked_s, None
                self.ask_for_words()
            known = not self._whens() or self._words is not None or quiet_s >= THINK_S
            if quiet_s >= self._script.quiet_s and known:
                self._take_turn(now, line, quiet_s)
        elif quiet_s >= self._patience_s:
            self._hellos += 1
            self._begin(now, [Line(say=self._script.hello) if self._hellos <= HELLOS else Line(hang_up=True)])

    def _whens(self) -> list[When]:
        return [*(self._last.when if self._last else ()), *self._script.when]

    def _take_turn(self, now: float, line: Line | None, quiet_s: float) -> None:
        self._hellos = 0
        heard = f" {' '.join(self._words or ())} "
        when = next((when for when in self._whens() if any(f" {phrase} " in heard for phrase in when.hears)), None)
        if when is not None:
            self._branch(now, when)
        elif line is not None:
            self._begin(now, [line], advance=True)
        elif quiet_s >= FAREWELL_S:
            self.phone.hang_up()

    def _branch(self, now: float, when: When) -> None:
        lines = [Line(say=when.say)] if when.say else []
        goes_on = when.then not in {"stay", "repeat", "hang_up"}
        if when.then == "repeat" and self._last is not None:
            lines.append(Line(say=self._last.say))
        elif when.then == "hang_up":
            lines.append(Line(hang_up=True))
        elif goes_on and when.then != "next":
            self._next = self._script.index(when.then)
        if goes_on and self._next < len(self._script.lines):
            self._begin(now, [*lines, self._script.lines[self._next]], advance=True)
        else:
            self._begin(now, lines)
        if when.patience_s is not None:
            self._patience_s = when.patience_s

    def _begin(self, now: float, lines: list[Line], advance: bool = False) -> None:
        """Say these lines in one breath, after the first one's pause; with `advance` the last is the script's next."""
        self._starting = lines
        self._start_at = now + (lines[0].pause_s if lines else 0.0)
        if advance:
            self._last = lines[-1]
            self._next += 1
            self._patience_s = self._script.patience_s

    def _start(self, now: float) -> None:
        lines, self._starting, self._start_at = self._starting, [], None
        for line in lines:
            if line.say:
                self.say(line.say, sound_of(line.say, self._script.voice))
            if line.beep:
                self.say("(beep)", BEEP)
            if line.press:
                self.phone.press(line.press)
            self._hang_up_after |= line.hang_up
        if not self.speaking:
            self._line_ended(now)

    def _line_ended(self, now: float) -> None:
        if self._hang_up_after:
            self.phone.hang_up()
        self.new_turn(now)
        self._words = self._asked = None
