"""A person with a script, who goes by sound alone. Pure: time is an argument.

Takes its turn when the other party was audible and then quiet, or when patience runs out. Lines come in order; a line's
`when` may turn the order if the words were made out, and keys do so at once. A callee whose hearing takes too long
goes through its lines all the same; one that hears nonsense asks again first.
"""

import re
from collections.abc import Sequence

from standins.phone_network.person import Person, Phone
from standins.phone_network.script import Aside, Line, Made, Script, When
from standins.phone_network.sounds import KeyEar, sound
from standins.phone_network.voices import sound_of
from standins.tones import GARBLED

HELLOS = 3
"""How often a person asks into the silence before hanging up."""

SORRIES = 2
"""How often a person asks again before going on without having understood."""

THINK_S = 3.0
"""How long the callee waits for words to be made out before it goes on regardless."""

FAREWELL_S = 4.0
"""A callee who has nothing left to say puts the phone down after this much quiet."""

KEYS_DONE_S = 2.0
"""So long after the last key a number that has no # at its end is complete."""


class Callee(Person):
    """One answered call's person."""

    def __init__(self, script: Script, phone: Phone, now: float, again: bool = False) -> None:
        """again: this caller was served before."""
        super().__init__(phone, now, script.listens)
        self._script = script
        self._next = script.index(script.again) if again and script.again else 0
        self._patience_s = script.patience_s
        self._hellos = self._sorries = 0
        self._settled = now
        self._key_ear = KeyEar() if script.keyed else None
        self._pressed, self._pressed_at = "", now
        self._starting: list[Line] = []
        self._start_at: float | None = None
        self._beside = False
        """Whether what is being said takes no turn."""
        self._hang_up_after = False
        greeting = (again and script.again_greeting) or script.greeting
        self._last = Line(say=greeting, pause_s=script.greeting_after_s)
        if greeting:
            self._begin(now, [self._last])

    def new_turn(self, now: float) -> None:
        """Forget what was heard so far, and in which asides."""
        super().new_turn(now)
        self._words: list[str] = []
        self._asides: set[Aside] = set()

    def tick(self, heard: bytes, loud: bool, now: float) -> bytes:
        """Hears the last 20 ms, and whether they were loud; makes the next 20 ms."""
        if self._key_ear is not None:
            is_key, key = self._key_ear.hear(heard)
            loud = loud and not is_key
            if key:
                self._pressed, self._pressed_at = self._pressed + key, now
            if self._pressed:
                self._obey_keys(now)
        if not self.speaking or self._beside:
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

    def understood(self, words: Sequence[str], settled: float) -> None:
        """The next words; nothing that was heard until the moment *settled* is still to be made out."""
        self._words += words
        self._settled = settled

    @property
    def _line(self) -> Line | None:
        """The next in order."""
        return self._script.lines[self._next] if self._next < len(self._script.lines) else None

    def _whens(self) -> list[When]:
        return [*self._last.when, *self._script.when]

    def _obey_keys(self, now: float) -> None:
        when = next((when for when in self._whens() if when.keys and re.fullmatch(when.keys, self._pressed)), None)
        complete = self._pressed.endswith("#") or now - self._pressed_at >= KEYS_DONE_S
        if when is None and not (complete and self._line and self._line.wait_for == "keys"):
            return
        self.hush(now)
        self._hang_up_after, self._pressed = False, ""
        self.new_turn(now)
        if when:
            self._branch(now, when)
        elif self._line:
            self._begin(now, [self._line], advance=True)

    def _decide(self, now: float) -> None:
        line, quiet_s = self._line, now - self.quiet_since
        if line and self.talked_s >= line.hang_up_after_s:
            self.phone.hang_up()
        elif line and (
            line.wait_for == "nothing"
            or (line.interrupt_after_s is not None and self.talked_s >= line.interrupt_after_s)
        ):
            self._begin(now, [line], advance=True)
        elif self.audible:
            known = not self.listens or self._settled >= self.quiet_since or quiet_s >= THINK_S
            if quiet_s < self._script.quiet_s:
                self._chime_in()
            elif known:
                self._take_turn(now, line, quiet_s)
        elif when := next((w for w in self._whens() if w.silent_s is not None and quiet_s >= w.silent_s), None):
            self._branch(now, when)
        elif quiet_s >= self._patience_s:
            self._hellos += 1
            self._begin(now, [Line(say=self._script.hello) if self._hellos <= HELLOS else Line(hang_up=True)])

    def _take_turn(self, now: float, line: Line | None, quiet_s: float) -> None:
        self._hellos = 0
        heard = f" {' '.join(word for word in self._words if word != GARBLED)} "

        def holds(phrases: Sequence[str]) -> bool:
            return any(f" {phrase} " in heard for phrase in phrases)

        sense = heard.strip() and (line is None or not line.expects or holds(line.expects))
        made_out = self.listens and self._settled >= self.quiet_since
        if when := next((when for when in self._whens() if holds(when.hears)), None):
            self._branch(now, when)
        elif any(when.keys for when in self._last.when) or (line and line.wait_for == "keys"):
            self.new_turn(now)  # a machine that wants keys does not listen to words
        elif made_out and not sense and self._sorries < SORRIES and self._script.sorry:
            self._sorries += 1
            self._begin(now, [Line(say=self._script.sorry)])
        elif line is not None:
            self._begin(now, [line], advance=True)
        elif quiet_s >= FAREWELL_S:
            self.phone.hang_up()

    def _chime_in(self) -> None:
        for aside in (*self._last.asides, *self._script.asides):
            if self.talked_s >= aside.after_s and aside not in self._asides:
                self._asides.add(aside)
                self._beside = True
                self._make(aside)

    def _branch(self, now: float, when: When) -> None:
        lines = [Line(**when.model_dump(include=set(Made.model_fields)))] if when.say or when.play else []
        goes_on = when.then not in {"stay", "repeat", "hang_up"}
        if when.then == "repeat":
            lines.append(self._last)
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
            self._sorries = 0
            self._patience_s = self._script.patience_s

    def _start(self, now: float) -> None:
        lines, self._starting, self._start_at = self._starting, [], None
        self._beside = False
        for line in lines:
            self._make(line)
            if line.press:
                self.phone.press(line.press)
            self._hang_up_after |= line.hang_up
        if not self.speaking:
            self._line_ended(now)

    def _make(self, made: Made) -> None:
        if made.say:
            self.say(made.say, sound_of(made.say, self._script.voice))
        if made.play:
            self.say(f"({made.play})", sound(made.play, made.seconds, made.level_db))

    def _line_ended(self, now: float) -> None:
        if self._beside:
            self._beside = False
            return
        if self._hang_up_after:
            self.phone.hang_up()
        self.new_turn(now)
