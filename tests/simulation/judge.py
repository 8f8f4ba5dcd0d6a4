"""The laws, checked from outside at every step of a recorded call.

A judge sees only what went in and what came out, so it judges a world's call, a replayed trace and a random walk alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from floyd.lines import WAITING
from relay.core import actions as act
from relay.core import events as ev
from relay.core.brief import Brief
from relay.core.deadlines import Deadline
from relay.core.line_kinds import LineKind
from relay.core.policy import Policy
from relay.core.state import Floor, Phase
from relay.core.transcript import Speaker, Transcript
from tests.simulation.laws import BrokenLawError, Tally, Watched

SECRETS = ("4711", "four seven one one", "Hemlock")
"""Values of the person that no brief of the simulation releases."""
AGREEMENT = "We agree to "
"""How the simulated model commits, followed by a whole number of dollars."""
MOST_SILENCE_S = 240.0
"""The person's answer, then the prompts of a hold, each with our own lines in between."""
BEGINNING_S = 0.6
"""An opening yields to a voice that goes on across its first 0.3 s, once that is known."""
MOST_PAUSE_S = 5.0
"""Until a voice without words is given the floor, or has been over for a while."""
MACHINES = (LineKind.MENU, LineKind.VOICEMAIL, LineKind.SCREENING)
NOBODY = (LineKind.HOLD, LineKind.VOICEMAIL, LineKind.SCREENING, LineKind.TONE)
EPSILON = 1e-6


class Judge:
    """One conversation under watch. Feed it like a conversation; each input gives its actions."""

    def __init__(self, brief: Brief, policy: Policy, tally: Tally) -> None:
        self.brief, self.policy, self.tally = brief, policy, tally
        self.conversation = Watched(brief, policy, tally)
        self.trace: list[tuple[float, ev.Event | None]] = []
        """Every input; None is the timer."""
        self.deadline: float | None = None
        self.on_their_way: dict[str, bool] = {}
        """Segments on their way, and whether their sound was sent to its end."""
        self.open_replies: set[int] = set()
        self.newest_reply = 0
        self.asked: act.AskPerson | None = None
        """The question that is with the person."""
        self.words_at = 0.0
        self._late_s = self._started_at = self._closing_at = self._held_s = 0.0
        self._replies = self._opt_outs = self._ends = self._reopened = 0
        self.line = LineKind.UNKNOWN
        """Who is on it, as the conversation said last."""
        self._held_since = float("inf")
        self._paused_at, self._resumed_at = 0.0, list[float]()
        self._commits, self._ahead = 0, dict[int, int]()
        self._texts: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._cut: dict[str, str] = {}
        self._opened = bool(brief.prior)
        self._finals: set[tuple[int, int, str]] = set()
        self._question_ids: set[str] = set()
        self._waits: dict[str, bool] = {}
        """Questions whether to go on waiting on hold, and whether a yes came."""
        self._allowed = brief.mandate.max_amount.amount

    @property
    def closed(self) -> bool:
        return self.conversation.phase is Phase.CLOSED

    def receive(self, event: ev.Event, now: float) -> list[act.Action]:
        """One event."""
        phase = self.conversation.phase
        first = type(event) in (ev.CallStarted, ev.StreamStopped)
        dead = phase is Phase.CLOSED or (phase is Phase.CONNECTING and not first)
        self.tally.kinds[type(event)] += 1
        if not dead:
            self._note(event, now)
        actions = self._step(event, now)
        self._hold("closed", not (dead and actions), event, actions)
        return actions

    def fire(self, now: float) -> list[act.Action]:
        """The timer, at the deadline or later."""
        assert self.deadline is not None
        self._late_s += now - self.deadline
        actions = self._step(None, now)
        self._hold("timer", self.deadline is None or self.deadline > now, self.conversation.fired, self.deadline)
        return actions

    def finish(self, now: float) -> Transcript:
        """The call is over."""
        transcript = self.conversation.transcript()
        self._check_heard(transcript, len(transcript.turns))
        kept = Counter(_words(turn.heard for turn in transcript.turns if turn.speaker is Speaker.CALLEE))
        doubled = [word for word, times in kept.items() if times > 1 and word.startswith("zq")]
        lost = Counter(_words(text for _, _, text in self._finals)) - kept
        self._hold("words", not doubled and not lost, "doubled", doubled, "lost", sorted(lost))
        self._hold("left running", not self.closed or not self.open_replies, self.open_replies)
        ours = [turn for turn in transcript.turns if turn.speaker is Speaker.FLOYD]
        leaves = [turn.heard for turn in ours if "goodbye" in turn.heard.lower()]
        most = 1 + self.policy.reopenings + self._opt_outs
        self._hold("goodbyes", sum("zx" not in leave for leave in leaves) <= most, leaves)
        self._hold("goodbyes", len(leaves) <= most + 1, leaves)  # a model that stalls after its goodbye has not left
        for turn in ours:
            tokens = [word for word in turn.planned.split() if word.startswith("zx")]
            self._hold("heard", len(tokens) == len(set(tokens)), "planned twice", turn.planned)
        return transcript

    def _hold(self, law: str, holds: object, *about: object) -> None:
        """Count one check of a law."""
        self.tally.checks[law] += 1
        if not holds:
            raise BrokenLawError(law, ", ".join(map(str, about)))

    def _step(self, event: ev.Event | None, now: float) -> list[act.Action]:
        conversation, fired = self.conversation, self.conversation.fired
        fired.clear()
        self.trace.append((now, event))
        try:
            if event is None:
                conversation.handle_timer(now)
            else:
                conversation.receive(event, now)
        except BrokenLawError:
            raise
        except Exception as error:
            raise BrokenLawError("total", f"{event or 'the timer'} raised {error!r}") from error
        actions = conversation.actions()
        self.deadline = conversation.next_deadline()
        self.tally.checks["total"] += 1
        if not self.on_their_way:
            self._paused_at = 0.0
        if Deadline.PLAY_OUT in fired:  # its mark is lost: what was sent was heard
            self.on_their_way = {name: sent for name, sent in self.on_their_way.items() if not sent}
        for action in actions:
            self._hold("last", not self._ends, action)
            self.tally.kinds[type(action)] += 1
            self._judge(action, now)
        self._commits += Deadline.ENDPOINTING in fired
        resting = conversation.phase in (Phase.CLOSED, Phase.CONNECTING)
        self._hold("closed", (self.deadline is None) is resting, self.deadline, conversation.phase)
        if self.deadline is not None:
            self._check_time(self.deadline - now, now)
        return actions

    # What goes in

    def _note(self, event: ev.Event, now: float) -> None:
        match event:
            case ev.InterimHeard() | ev.FinalHeard() | ev.DigitPressed():
                self._replies, self.words_at = 0, now
                if isinstance(event, ev.FinalHeard) and "zq" in event.text:
                    self._finals.add((event.start_ms, event.end_ms, event.text))
            case ev.SegmentStarted(name) | ev.SegmentSent(name) if name in self.on_their_way:
                self._begun.setdefault(name, now)
                self.on_their_way[name] |= isinstance(event, ev.SegmentSent)
            case ev.MarkReached(name) if name in self._begun and name in self.on_their_way:
                names = list(self.on_their_way)
                for earlier in names[: names.index(name) + 1]:  # marks keep their order
                    del self.on_their_way[earlier]
            case ev.SegmentFailed(name) if self.on_their_way.get(name) is False:
                self._drop([name])
            case ev.ReplyFinished(reply_id) | ev.ReplyFailed(reply_id):
                self.open_replies.discard(reply_id)
            case ev.PersonAnswered(question_id, answer) if self.asked and self.asked.question_id == question_id:
                if self.asked.amount and answer == "yes":
                    self._allowed = max(self._allowed, self.asked.amount.amount)
                elif self.asked.amount and answer.startswith("up to "):
                    self._allowed = max(self._allowed, type(self._allowed)(answer.removeprefix("up to ")))
                self.asked, self._replies = None, 0
            case ev.PersonAnswered(question_id, answer) if question_id in self._waits and answer == "yes":
                self._waits[question_id] = True
            case ev.CallStarted() if not self._started_at:
                self._started_at = self.words_at = now

    # What comes out

    def _judge(self, action: act.Action, now: float) -> None:
        match action:
            case act.SaveTranscript(snapshot):
                self._judge_snapshot(snapshot)
            case act.Speak(segment_id, text):
                self._judge_words(segment_id, text)
                self._queue(segment_id, text)
            case act.PressKeys(segment_id, digits):
                self._queue(segment_id, digits)
            case act.PrepareSpeech(text):
                self._judge_secrets(text)
            case act.StartReply(reply_id, _, speculative):
                self._judge_reply(reply_id, ahead=speculative)
            case act.CancelReply(reply_id):
                self.open_replies.discard(reply_id)
            case act.PausePlayout():
                self._judge_cut(now)
                lately = [at for at in self._resumed_at if now - at < 60.0]
                self._hold("pause", not self._paused_at and len(lately) < self.policy.fruitless_pauses, lately)
                self._paused_at = now
                self.on_their_way = dict.fromkeys(self.on_their_way, False)
            case act.ResumePlayout():
                self._paused_at = 0.0
                self._resumed_at.append(now)
            case act.CancelSpeech():
                if Deadline.BARGE_IN in self.conversation.fired:
                    self._judge_cut(now)
                self._paused_at = 0.0
                self._drop([name for name, sent in self.on_their_way.items() if not sent])
            case act.ClearPlayout():
                self._hold("clear", all(self.on_their_way.values()), "speech is still on its way")
                self._drop(list(self.on_their_way))
            case act.AskPerson(question_id) if question_id.startswith(WAITING):
                self._hold("hold", question_id not in self._waits and now >= self._held_since, action)
                self._waits[question_id] = False
            case act.AskPerson(question_id):
                self._hold("questions", not self.asked and question_id not in self._question_ids, action, self.asked)
                self._question_ids.add(question_id)
                self._hold("questions", len(self._question_ids) <= self.policy.questions, self._question_ids)
                self.asked = action
            case act.RecordOptOut():
                self._hold("opt-out", not self._opt_outs, "recorded twice")
                self._opt_outs += 1
                self._closing_at = now  # whatever was being closed, this is said first
            case act.RestEars():
                self._held_since = now
            case act.WakeEars():
                self._held_s += max(0.0, now - self._held_since)
                self._held_since, self.words_at = float("inf"), now
            case act.HangUp() | act.HandOver():
                self._ends += 1

    def _judge_snapshot(self, snapshot: Transcript) -> None:
        before, self.line = self.line, LineKind(snapshot.line)
        if self.line is LineKind.PERSON and before in MACHINES:
            self._opened = False  # whatever the machine heard, the person has not
        self._check_heard(snapshot, 3)

    def _judge_reply(self, reply_id: int, *, ahead: bool) -> None:
        if ahead:
            self._ahead[reply_id] = self._commits
            of_this_turn = list(self._ahead.values()).count(self._commits)
            self._hold("spend", of_this_turn <= self.policy.speculations_per_turn, of_this_turn, "thought ahead")
        elif self._closing_at:  # a goodbye was taken back
            self._reopened += 1
            self._closing_at = 0.0
        self._replies += not ahead
        self._hold("one reply", not self.open_replies and reply_id > self.newest_reply, reply_id, self.open_replies)
        most = self.policy.tool_rounds_per_turn + self.policy.reply_attempts
        self._hold("spend", self._replies <= most, self._replies, "replies without a word of callee or person")
        self._hold("hold", self.line not in NOBODY, "a model is asked while on the line is", self.line)
        self._hold("opt-out", not self._opt_outs, "a model is asked after the callee opted out")
        self.newest_reply = reply_id
        self.open_replies.add(reply_id)

    def _judge_cut(self, now: float) -> None:
        """A voice, not words, has silenced us."""
        name = next(iter(self.on_their_way), "")
        at_ear, begun = self._texts.get(name, ""), self._begun.get(name, now)
        protected = at_ear in self.brief.opening or ("Goodbye." in at_ear and "zx" not in at_ear)
        goes_on = now < begun + BEGINNING_S + self._late_s  # the callee had not finished their greeting
        self._hold("protected", goes_on or not protected, at_ear)

    def _judge_words(self, segment_id: str, text: str) -> None:
        committed = self._commits + (Deadline.ENDPOINTING in self.conversation.fired)
        ahead = self._ahead.get(int(segment_id.partition(".")[0]), -1)
        self._hold("ahead", ahead != committed, text)
        self._judge_secrets(text)
        self._opened = self._opened or text == self.brief.opening[0] or self.line in MACHINES
        self._hold("disclosure", self._opened or "zx" not in text, text)

    def _judge_secrets(self, text: str) -> None:
        self._hold("secret", not any(secret in text for secret in SECRETS), text)
        if AGREEMENT in text:
            self._hold("mandate", int(text.partition(AGREEMENT)[2].split()[0]) <= self._allowed, text, self._allowed)

    def _queue(self, segment_id: str, text: str) -> None:
        self._hold("one reply", segment_id not in self._texts, segment_id)
        if "zx" in text:
            again = list(self._texts.values()).count(text)
            # A voice that breaks off now and then has what is left of a reply repeated each time.
            self._hold("spend", again < self.policy.reply_segments, text, "again and again")
        self._texts[segment_id] = text
        self.on_their_way[segment_id] = False
        if text in self._cut.values():  # said again, so it may be heard after all
            self._cut = {name: cut for name, cut in self._cut.items() if cut != text}

    def _drop(self, segment_ids: list[str]) -> None:
        for segment_id in segment_ids:
            self._cut[segment_id] = self._texts[segment_id]
            del self.on_their_way[segment_id]

    def _check_heard(self, transcript: Transcript, newest: int) -> None:
        queued = (self._texts[name] for name in self.on_their_way if name not in self._begun)
        unheard = [text for text in (*self._cut.values(), *queued) if "zx" in text]
        for turn in transcript.turns[-newest:]:
            if turn.speaker is Speaker.FLOYD:
                whole = len(turn.heard) >= len(turn.planned) or turn.cut or self.on_their_way
                self._hold("heard", whole, turn.seq, "is not whole and not marked as cut")
                false = [text for text in unheard if text in turn.heard]
                self._hold("heard", not false, false, "was cut or has not begun")

    def _check_time(self, wait_s: float, now: float) -> None:
        """How long the conversation means to wait, and has taken so far."""
        policy = self.policy
        holding = now >= self._held_since
        if wait_s > policy.reply_s + EPSILON:  # the shortest of them all
            floor = self.conversation.floor
            most = {Floor.THINKING: policy.reply_s, Floor.ENDPOINTING: policy.patience_hold_s}.get(floor)
            if floor is Floor.LISTENING:
                most = policy.hold_limit_s if holding else policy.hold_no_input_s[-1]
            if most is None:
                most = policy.speech_s + policy.reply_s + policy.mark_slack_s
                most += sum(len(self._texts[name]) for name in self.on_their_way) / policy.slowest_characters_per_s
            self._hold("waiting", wait_s <= most + EPSILON, floor, wait_s, most)
        if self.conversation.phase is Phase.ACTIVE:
            self._reopened += bool(self._closing_at)
            self._closing_at = 0.0
            self._hold("silence", holding or now - self.words_at <= MOST_SILENCE_S, now - self.words_at)
        else:
            self._closing_at = self._closing_at or now
        slack_s = policy.closing_s + self._late_s + max(0.0, -wait_s) + EPSILON
        if self._paused_at:
            self._hold("pause", now - self._paused_at <= MOST_PAUSE_S + self._late_s, now - self._paused_at)
        if self._closing_at:
            closing_s = now - self._closing_at
            self._hold("bounded", closing_s <= slack_s and self._reopened <= policy.reopenings, closing_s)
        held_s = self._held_s + max(0.0, now - self._held_since)
        call_s = now - self._started_at - held_s
        most_s = self.brief.limit_s + policy.closing_s * (policy.reopenings + self._opt_outs) + slack_s
        self._hold("bounded", call_s <= most_s, call_s, held_s)
        most_s = policy.hold_limit_s * (1 + sum(self._waits.values()))
        self._hold("hold", held_s <= most_s + slack_s, held_s, self._waits)


def _words(texts: Iterable[str]) -> Iterator[str]:
    return (word.strip(".,?!") for text in texts for word in text.split())
