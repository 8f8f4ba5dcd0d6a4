"""Whoever holds the phone at the far end, who goes by sound alone. Pure: time is an argument, in monotonic seconds.

Takes its turn when the other party was audible and then quiet, or when patience runs out. Lines come in order; a line's
`when` may turn the order if the words were made out, and keys do so at once. A callee whose hearing takes too long
goes through its lines all the same; one that hears nonsense asks again first.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from standins.audio import FRAME, SILENCE
from standins.phone_network.line import FRAME_S, QUIET
from standins.phone_network.script import Aside, Line, Made, Script, When
from standins.phone_network.sounds import KeyEar, sound, sound_of
from standins.tones import GARBLED

AUDIBLE_S = 0.1  # shorter sounds are clicks, not a turn
HELLOS = 3  # how often a person asks into the silence before hanging up
SORRIES = 2  # how often a person asks again before going on without having understood
THINK_S = 3.0  # how long the callee waits for words to be made out before it goes on regardless
FAREWELL_S = 4.0  # a callee who has nothing left to say puts the phone down after this much quiet
KEYS_DONE_S = 2.0  # so long after the last key a number that has no # at its end is complete


@dataclass(slots=True)
class Said:
    """A line, as the timeline shows it."""

    text: str
    start: float
    end: float | None = None


class Callee:
    """One answered call's person, moved on by 20 ms at a time."""

    def __init__(
        self, script: Script, hang_up: Callable[[], None], press: Callable[[str], None], now: float, again: bool = False
    ) -> None:
        """hang_up, press: of the phone in their hand; again: this caller was served before."""
        self.hang_up, self.press = hang_up, press
        self.listens = script.listens  # whether words shall be made out; they come through `understood`
        self.said: list[Said] = []
        self._saying: deque[tuple[str, bytes]] = deque()
        self._at = 0
        self._script, self._last = script, Line()
        self._next = script.index(script.again) if again and script.again else 0
        self._patience_s = script.patience_s
        self._hellos = self._sorries = 0
        self._settled = now
        self._key_ear = KeyEar() if script.keyed else None
        self._pressed, self._pressed_at = "", now
        self._starting: list[Line] = []
        self._start_at: float | None = None
        self._beside = False  # whether what is being said takes no turn
        self._hang_up_after = False
        self._new_turn(now)
        if greeting := (again and script.again_greeting) or script.greeting:
            self._last = Line(say=greeting, pause_s=script.greeting_after_s)
            self._begin(now, [self._last])

    # The mouth

    @property
    def speaking(self) -> bool:
        """Whether a line is under way, its pauses included."""
        return bool(self._saying)

    def say(self, text: str, mulaw: bytes) -> None:
        """Say it after what is being said; text without sound is nothing said."""
        if mulaw:
            self._saying.append((text, mulaw))

    def speak(self, now: float) -> bytes:
        """The mouth's next 20 ms."""
        if not self._saying:
            return QUIET
        text, mulaw = self._saying[0]
        if self._at == 0:
            self.said.append(Said(text, now))
        frame = mulaw[self._at : self._at + FRAME].ljust(FRAME, SILENCE)
        self._at += FRAME
        if self._at >= len(mulaw):
            self._saying.popleft()
            self._at, self.said[-1].end = 0, now
        return frame

    def _hush(self, now: float) -> None:
        if self._at:
            self.said[-1].end = now
        self._saying.clear()
        self._at = 0

    # The ear

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
            if loud:
                self._talked_s += FRAME_S
                self._quiet_since = now
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

    def _new_turn(self, now: float) -> None:
        """Forget what was heard so far: it has been answered."""
        self._talked_s = 0.0
        self._quiet_since = now
        self._words: list[str] = []
        self._asides: set[Aside] = set()

    # The mind

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
        self._hush(now)
        self._hang_up_after, self._pressed = False, ""
        self._new_turn(now)
        if when:
            self._branch(now, when)
        else:
            self._go_on(now)

    def _decide(self, now: float) -> None:
        line, quiet_s = self._line, now - self._quiet_since
        if line and self._talked_s >= line.hang_up_after_s:
            self.hang_up()
        elif line and (line.wait_for == "nothing" or self._talked_s >= line.interrupt_after_s):
            self._go_on(now)
        elif self._talked_s >= AUDIBLE_S:
            made_out = self._settled >= self._quiet_since
            if quiet_s < self._script.quiet_s:
                self._chime_in()
            elif made_out or not self.listens or quiet_s >= THINK_S:
                self._take_turn(now, line, made_out and self.listens)
        elif when := next((w for w in self._whens() if w.silent_s is not None and quiet_s >= w.silent_s), None):
            self._branch(now, when)
        elif quiet_s >= self._patience_s:
            self._hellos += 1
            self._begin(now, [Line(say=self._script.hello) if self._hellos <= HELLOS else Line(hang_up=True)])

    def _take_turn(self, now: float, line: Line | None, made_out: bool) -> None:
        self._hellos = 0
        heard = f" {' '.join(word for word in self._words if word != GARBLED)} "

        def holds(phrases: Iterable[str]) -> bool:
            return any(f" {phrase} " in heard for phrase in phrases)

        sense = heard.strip() and (line is None or not line.expects or holds(line.expects))
        if when := next((when for when in self._whens() if holds(when.hears)), None):
            self._branch(now, when)
        elif any(when.keys for when in self._last.when) or (line and line.wait_for == "keys"):
            self._new_turn(now)  # a machine that wants keys does not listen to words
        elif made_out and not sense and self._sorries < SORRIES and self._script.sorry:
            self._sorries += 1
            self._begin(now, [Line(say=self._script.sorry)])
        elif line is not None:
            self._go_on(now)
        elif now - self._quiet_since >= FAREWELL_S:
            self.hang_up()

    def _chime_in(self) -> None:
        for aside in (*self._last.asides, *self._script.asides):
            if self._talked_s >= aside.after_s and aside not in self._asides:
                self._asides.add(aside)
                self._beside = True
                self._make(aside)

    def _branch(self, now: float, when: When) -> None:
        made = [Line(**when.model_dump(include=set(Made.model_fields)))] if when.say or when.play else []
        if when.then == "repeat":
            self._begin(now, [*made, self._last])
        elif when.then == "hang_up":
            self._begin(now, [*made, Line(hang_up=True)])
        elif when.then == "stay":
            self._begin(now, made)
        else:
            if when.then != "next":
                self._next = self._script.index(when.then)
            self._go_on(now, made)
        if when.patience_s is not None:
            self._patience_s = when.patience_s

    def _go_on(self, now: float, first: Sequence[Line] = ()) -> None:
        """With the script's next line, if one is left, after these."""
        if self._line is None:
            self._begin(now, [*first])
            return
        self._last = self._line
        self._begin(now, [*first, self._last])
        self._next += 1
        self._sorries = 0
        self._patience_s = self._script.patience_s

    def _begin(self, now: float, lines: list[Line]) -> None:
        """Say these lines in one breath, after the first one's pause."""
        self._starting = lines
        self._start_at = now + (lines[0].pause_s if lines else 0.0)

    def _start(self, now: float) -> None:
        lines, self._starting, self._start_at = self._starting, [], None
        self._beside = False
        for line in lines:
            self._make(line)
            if line.press:
                self.press(line.press)
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
            self.hang_up()
        self._new_turn(now)
