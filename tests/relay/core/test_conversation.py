"""Calls as stories: what the callee does, what the model says, and what must follow."""

from collections.abc import Callable, Sequence

import pytest

from floyd import lines
from relay.core.actions import (
    AskPerson,
    CancelReply,
    CancelSpeech,
    ClearPlayout,
    HandOver,
    HangUp,
    Message,
    PausePlayout,
    PrepareSpeech,
    PressKeys,
    RecordOptOut,
    ResumePlayout,
    Role,
    SaveTranscript,
    Speak,
    StartReply,
)
from relay.core.conversation import SETTLING, TRANSITIONS, Conversation
from relay.core.events import (
    AskRequested,
    CallStarted,
    DigitPressed,
    DrainRequested,
    EarLost,
    EarRestored,
    EndCallRequested,
    Event,
    FactNoted,
    FinalHeard,
    HangUpRequested,
    InterimHeard,
    KeysRequested,
    LineClassified,
    MarkReached,
    PersonAnswered,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
    SegmentFailed,
    SegmentSent,
    SegmentStarted,
    StreamStopped,
    VoiceStarted,
    VoiceStopped,
)
from relay.core.line_kinds import LineKind
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from relay.core.state import Floor, Phase
from relay.core.transcript import Speaker, Speculations, Turn
from tests.relay.core.corpora import OPT_OUTS, ROBOT_QUESTIONS
from tests.relay.core.play import OPENING, Play, brief, says

GREETING = "Rosie's Flowers, hello?"


def opened(mind: Callable[[int, Sequence[Message]], list[Event]] | None = None, **changes: object) -> Play:
    """A call whose opening has been heard."""
    play = Play(brief(**changes), mind)
    play.answer(GREETING)
    play.settle()
    return play


def texts(messages: Sequence[Message], role: Role) -> list[str]:
    return [message.text for message in messages if message.role is role]


# A script, word for word


def test_one_exchange_action_by_action() -> None:
    """If this fails the driver is told to do something else than the contract says, or in another order."""
    conversation = Conversation(brief(opening=("Hello, this is an AI.",)))
    script: list[tuple[float, Event | None, list[object]]] = [
        (0.0, CallStarted("CA1", "MZ1"), []),
        (0.5, VoiceStarted(500), []),
        (1.0, InterimHeard("hello", 0.9, 500, 1000), []),
        (1.06, VoiceStopped(1000), []),
        (1.08, None, [SaveTranscript, Speak("1.1", "Hello, this is an AI.")]),
        (1.2, FinalHeard("Hello?", 0.9, 500, 1000), [SaveTranscript]),
        (1.3, SegmentStarted("1.1"), []),
        (3.0, SegmentSent("1.1", 1.9), []),
        (3.2, MarkReached("1.1"), [SaveTranscript]),
        (3.5, VoiceStarted(3500), []),
        (4.5, InterimHeard("what do you want", 0.9, 3500, 4500), [StartReply]),
        (4.6, VoiceStopped(4500), []),
        (4.7, FinalHeard("What do you want?", 0.9, 3500, 4500), []),
        (4.8, ReplyText(2, "Roses, please."), [PrepareSpeech("Roses, please.")]),
        (4.8, ReplyFinished(2), []),
        (4.85, None, [SaveTranscript, Speak("2.1", "Roses, please.")]),
        (5.4, SegmentStarted("2.1"), []),
        (6.0, SegmentSent("2.1", 0.8), []),
        (6.2, MarkReached("2.1"), [SaveTranscript]),
        (6.5, StreamStopped("stop"), [SaveTranscript]),
    ]
    for now, event, expected in script:
        if event is None:
            assert conversation.next_deadline() == pytest.approx(now)
            conversation.handle_timer(now)
        else:
            conversation.receive(event, now)
        actions = conversation.actions()
        shown = [type(action) if isinstance(action, SaveTranscript | StartReply) else action for action in actions]
        assert shown == expected, now

    turns = conversation.transcript().turns
    assert [(turn.seq, turn.speaker, turn.heard) for turn in turns] == [
        (1, Speaker.CALLEE, "Hello?"),
        (2, Speaker.FLOYD, "Hello, this is an AI."),
        (3, Speaker.CALLEE, "What do you want?"),
        (4, Speaker.FLOYD, "Roses, please."),
    ]
    stages = turns[3].stages
    assert stages is not None
    assert (stages.reply_id, stages.end_of_speech, stages.endpoint) == (2, 4.5, 4.85)
    assert (stages.asked, stages.first_final, stages.first_text, stages.first_sound) == (4.5, 4.7, 4.8, 5.4)
    assert (turns[3].start_ms, turns[3].end_ms) == (5400, 6200)


# Opening


def test_the_opening_waits_for_the_callees_first_words() -> None:
    """If this fails Floyd talks over the callee's hello."""
    play = Play()
    play.wait(0.4)
    play.callee("Hello?", final_after=0.8)
    spoke = next(at for at, action in play.log if isinstance(action, Speak))
    assert spoke - play.started_at == pytest.approx(0.4 + 0.3 + 0.1), "as soon as the voice is known to have stopped"
    assert not play.did(StartReply), "the model is not asked before the callee has answered the opening"
    assert play.conversation.transcript().turns[0].heard == "Hello?", "late words go before the opening"


def test_the_opening_does_not_wait_for_ever() -> None:
    """If this fails a silent callee hears nothing and hangs up."""
    play = Play()
    play.wait(1.6)
    assert play.spoken() == list(OPENING)


def test_an_opening_cut_by_hello_is_begun_again_once() -> None:
    """If this fails the callee never hears who is calling, or hears it for ever."""
    play = Play()
    play.wait(2.5)
    for _ in range(2):
        play.callee("hello? hello?", seconds=0.6)
        play.wait(1.5)
    assert play.spoken().count(OPENING[0]) == 2
    assert len(play.did(StartReply)) == 1


def test_a_resumed_call_is_not_opened_as_new() -> None:
    """If this fails a callee is greeted afresh in mid-call after a relay died, or turn numbers collide."""
    prior = (
        Turn(1, Speaker.CALLEE, "Hello?", 0, 500),
        Turn(2, Speaker.FLOYD, "Hello, this is an AI.", 600, 2000),
        Turn(3, Speaker.CALLEE, "We have roses.", 2500, 3500),
    )
    play = Play(brief(prior=prior))
    assert play.spoken() == [lines.resumed(brief().on_behalf_of)]
    play.settle()
    play.answer("No problem, where were we?")
    turns = play.did(StartReply)[0].turns
    assert "We have roses." in texts(turns, Role.CALLEE)
    assert [turn.seq for turn in play.conversation.transcript().turns][:5] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("last", "replies"), [(Speaker.CALLEE, 1), (Speaker.FLOYD, 0)])
def test_what_was_said_into_a_dead_line_is_answered(last: Speaker, replies: int) -> None:
    """If this fails a callee has to ask again because a relay died, or is answered twice."""
    prior = (Turn(1, Speaker.FLOYD, "Hello, this is an AI.", 0, 2000), Turn(2, last, "Which roses?", 2500, 3500))
    play = Play(brief(prior=prior), says("The red ones."))
    play.wait(6.0)
    assert len(play.did(StartReply)) == replies
    assert play.spoken() == [lines.resumed(brief().on_behalf_of), *["The red ones."] * replies]


# Turn-taking


def test_the_reply_is_thought_ahead_and_said_when_the_turn_is_over() -> None:
    """If this fails the model's time adds to the patience, or Floyd talks before the turn is over."""
    play = opened(says("Roses."))
    play.callee("Roses and tulips")
    end = play.now - 0.2
    play.wait(1.0)
    assert next(at for at, action in play.log if isinstance(action, PrepareSpeech)) == pytest.approx(end + 0.2 + 0.4)
    assert next(at for at, action in play.log if action == Speak("3.1", "Roses.")) == pytest.approx(end + 0.8)
    assert play.conversation.transcript().speculations == Speculations(started=1, kept=1)


def test_without_thinking_ahead_the_models_time_follows_the_patience() -> None:
    """If this fails the switch does nothing, or the core adds waiting of its own to every answer."""
    play = Play(brief(), says("Roses."), Policy(speculations_per_turn=0))
    play.answer(GREETING)
    play.settle()
    play.callee("What would you like?")
    end = play.now - 0.2
    play.wait(1.0)
    assert play.log[-1][0] - end == pytest.approx(0.35 + 0.4)


def test_words_that_change_the_meaning_throw_the_thought_away() -> None:
    """If this fails Floyd answers half a question, or a model works for nothing."""
    play = opened(says("I see."))
    play.callee("we have nice roses")
    play.callee("but they are not fresh")
    play.settle()
    last = play.answers()[-1]
    assert texts(last.turns, Role.CALLEE)[-1] == "we have nice roses but they are not fresh"
    counted = play.conversation.transcript().speculations
    assert counted.wasted == counted.started - 1 == len(play.did(CancelReply))
    assert play.spoken().count("I see.") == 1


def test_thinking_ahead_has_a_budget() -> None:
    """If this fails a callee who never ends a sentence costs a prompt a word."""
    play = opened(says("I see."))
    play.receive(VoiceStarted(play.ms))
    start, said = play.ms, "we have one"
    for place in range(12):
        play.wait(0.3)
        said = f"{said} rose{place}"
        play.receive(InterimHeard(said, 0.9, start, play.ms))
    assert len(play.did(StartReply)) == Policy().speculations_per_turn - 1, "one is kept for the end"


def test_what_a_reply_does_ahead_is_done_when_the_turn_is_over() -> None:
    """If this fails the person is asked about a sentence that the callee had not finished."""
    play = opened(asking)
    play.callee("Which colour would you like?")
    assert not play.did(AskPerson)
    play.settle()
    assert len(play.did(AskPerson)) == 1


def test_words_before_our_first_sound_take_the_turn_back() -> None:
    """If this fails a callee who pauses in mid-sentence is answered twice, or half."""
    play = opened(says("I see."))
    play.callee("We do have roses.")
    play.wait(0.16)
    assert play.conversation.floor is Floor.SPEAKING or play.conversation.floor is Floor.THINKING
    play.callee("but only red ones")
    play.settle()
    last = play.answers()[-1].turns
    assert texts(last, Role.CALLEE)[-1] == "We do have roses. but only red ones"


def test_a_late_final_with_another_meaning_is_thought_about_again() -> None:
    """If this fails the model answers what the recogniser guessed first."""
    play = opened(says("I see."))
    start = play.ms
    play.receive(VoiceStarted(start))
    play.wait(1.0)
    play.receive(InterimHeard("we have noses.", 0.5, start, play.ms))
    play.receive(VoiceStopped(play.ms))
    end = play.ms
    play.wait(0.4)
    assert play.conversation.floor is Floor.THINKING
    play.receive(FinalHeard("We have noses.", 0.9, start, end))
    assert len(play.did(StartReply)) == 1, "same words, other spelling"
    play.receive(FinalHeard("We have roses.", 0.9, start + 1, end))
    assert len(play.did(StartReply)) == 2
    assert texts(play.did(StartReply)[-1].turns, Role.CALLEE)[-1].endswith("We have roses.")


def test_words_cut_us_off_and_only_the_heard_part_counts() -> None:
    """If this fails Floyd cannot be interrupted, or believes it said what nobody heard."""
    play = opened(says("I would like to order a dozen roses.", "Sorry."))

    def two(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [ReplyText(reply_id, "First we need roses."), ReplyText(reply_id, "Then we need very many tulips.")]

    play.mind = two
    play.callee("What would you like?")
    play.wait(3.0)
    play.mind = says("Sorry, go on.")
    before = len(play.log)
    play.callee("no wait, we are out of roses", seconds=0.5)
    kinds = [type(action) for _, action in play.log[before:]]
    assert kinds.index(CancelSpeech) < kinds.index(ClearPlayout)
    play.settle()
    cut = next(turn for turn in play.conversation.transcript().turns if "tulips" in turn.planned)
    assert (cut.heard, cut.cut) == ("First we need roses.", True)
    last = play.did(StartReply)[-1].turns
    assert "First we need roses." in texts(last, Role.ASSISTANT)
    assert not any("tulips" in message.text for message in last)
    assert any("interrupted" in text for text in texts(last, Role.NOTE))


def test_a_backchannel_does_not_cut_us_off_nor_is_it_answered() -> None:
    """If this fails every mm-hm stops Floyd in mid-sentence."""
    play = opened(says("I would like to order a dozen roses for Friday, please."))
    play.callee("What would you like?")
    play.wait(1.5)
    play.callee("mm-hm", seconds=0.3)
    play.settle()
    assert not play.did(ClearPlayout)
    assert len(play.did(StartReply)) == 1
    assert "mm-hm" in [turn.heard for turn in play.conversation.transcript().turns], "but it is not lost"


def speaking() -> Play:
    """A call in which we are in the middle of a sentence."""
    play = opened(says("I would like to order a dozen roses for Friday, please."))
    play.callee("What would you like?")
    play.wait(1.2)
    assert play.conversation.floor is Floor.SPEAKING
    return play


def test_a_cough_silences_us_for_a_moment_only() -> None:
    """If this fails a cough makes Floyd give a sentence up, or talk over somebody."""
    play = speaking()
    play.receive(VoiceStarted(play.ms))
    play.wait(0.13)
    assert play.did(PausePlayout)
    play.wait(0.2)
    play.receive(VoiceStopped(play.ms))
    play.settle()
    assert len(play.did(ResumePlayout)) == 1
    assert not play.did(ClearPlayout)
    assert play.conversation.transcript().turns[-1].heard.endswith("Friday, please.")


def test_words_confirm_an_interruption_that_began_with_a_voice() -> None:
    """If this fails Floyd goes on over somebody who has more to say."""
    play = speaking()
    play.callee("but", seconds=0.3)
    assert play.did(PausePlayout)
    assert play.did(ClearPlayout)
    play.settle()
    cut = next(turn for turn in play.conversation.transcript().turns if turn.cut)
    assert cut.heard == ""


def test_a_backchannel_in_a_pause_lets_us_go_on() -> None:
    """If this fails every "mm-hm" makes Floyd begin its sentence again."""
    play = speaking()
    play.callee("mm-hm", seconds=0.3)
    play.wait(0.5)
    assert len(play.did(PausePlayout)) == len(play.did(ResumePlayout)) == 1
    play.settle()
    assert not play.did(ClearPlayout)


def test_after_two_fruitless_pauses_only_words_silence_us() -> None:
    """If this fails a dog keeps Floyd from finishing a sentence."""
    play = opened(lambda reply_id, messages: [ReplyText(reply_id, "And so on and on.") for _ in range(9)])
    play.callee("What would you like?")
    play.wait(1.2)
    for _ in range(4):
        play.receive(VoiceStarted(play.ms))
        play.wait(0.3)
        play.receive(VoiceStopped(play.ms))
        play.wait(0.8)
    assert len(play.did(PausePlayout)) == Policy().fruitless_pauses
    play.callee("no wait", seconds=0.4)
    assert play.did(ClearPlayout)


def test_a_voice_that_lasts_without_words_is_given_the_floor_and_asked() -> None:
    """If this fails shouting that no recogniser understands leaves both sides silent."""
    play = speaking()
    play.receive(VoiceStarted(play.ms))
    play.wait(1.8)
    assert play.did(ClearPlayout)
    play.receive(VoiceStopped(play.ms))
    play.settle()
    play.wait(4.0)
    assert lines.AFTER_CUT in play.spoken(), "a cut without words is asked about"


def test_cutting_in_is_excused_once_and_makes_more_patient() -> None:
    """If this fails Floyd cuts in again and again on somebody who thinks while they talk, or grovels."""
    play = opened(says("I see, thank you very much."))
    for _ in range(2):
        play.callee("we have roses")
        play.wait(0.5)
        assert play.conversation.floor is Floor.SPEAKING
        play.callee("in red and white", seconds=0.6)
        play.settle()
    assert play.spoken().count(lines.CUT_IN) == 1
    play.callee("that is all we have")
    assert (play.conversation.next_deadline() or 0.0) > play.now - 0.2 + Policy().patience_complete_s + 0.05


def test_our_own_words_coming_back_are_neither_an_interruption_nor_a_turn() -> None:
    """If this fails a loudspeaker in the callee's room makes Floyd talk to itself."""
    play = speaking()
    asked = len(play.answers())
    play.receive(InterimHeard("to order a dozen", 0.9, play.ms - 400, play.ms))
    play.receive(FinalHeard("to order a dozen roses", 0.9, play.ms - 400, play.ms))
    play.settle()
    play.wait(2.0)
    assert not play.did(ClearPlayout)
    assert len(play.answers()) == asked
    assert play.conversation.transcript().turns[-1].speaker is Speaker.FLOYD


def test_what_was_audible_of_a_cut_sentence_is_sent() -> None:
    """If this fails the person is not told that the callee heard half of a sentence with their number in it."""
    play = speaking()
    play.wait(0.8)
    play.callee("stop stop", seconds=0.4)
    play.settle()
    cut = next(turn for turn in play.conversation.transcript().turns if turn.cut)
    assert cut.planned.startswith(cut.sent)
    assert "I would like to order a dozen" in cut.sent
    assert cut.heard == ""


def test_a_cancel_in_the_opening_is_acted_on_at_once() -> None:
    """If this fails a callee has to hear out an errand that is no longer wanted."""
    play = Play()
    play.wait(2.5)
    play.receive(HangUpRequested())
    assert [type(action) for _, action in play.log[-4:]] == [CancelSpeech, ClearPlayout, Speak, SaveTranscript]
    assert play.spoken()[-1] == lines.CANCELLED


def test_a_greeting_that_only_paused_is_heard_out() -> None:
    """If this fails Floyd talks over the second half of "Rosie's Flowers, how can I help you?"."""
    play = Play()
    play.callee("Rosie's Flowers,", final_after=0.1)
    play.wait(0.2)
    assert play.spoken()
    play.receive(VoiceStarted(play.ms))
    play.wait(0.2)
    assert play.did(PausePlayout)


def test_an_opening_yields_to_words_not_to_a_voice() -> None:
    """If this fails noise on the line keeps the disclosure from being heard."""
    play = Play()
    play.wait(2.0)
    play.wait(0.5)
    play.receive(VoiceStarted(play.ms))
    play.wait(2.0)
    assert not play.did(ClearPlayout) + play.did(PausePlayout)


def test_a_reply_does_not_begin_over_a_voice() -> None:
    """If this fails Floyd starts to talk exactly when the callee goes on."""
    play = opened(says("Yes, please."))
    play.callee("Shall I wrap them?")
    play.receive(VoiceStarted(play.ms))
    play.wait(0.5)
    assert "Yes, please." not in play.spoken()
    play.receive(VoiceStopped(play.ms))
    play.wait(0.4)
    assert play.spoken()[-1] == "Yes, please."


def test_a_late_mark_of_cut_speech_is_not_heard() -> None:
    """If this fails a clear makes the transcript claim that cut words were heard."""
    play = opened(says("I would like a dozen roses, please, for Friday."))
    play.callee("What would you like?")
    play.wait(1.5)
    play.callee("stop stop stop", seconds=0.6)
    play.wait(0.5)
    assert not any("dozen" in turn.heard for turn in play.conversation.transcript().turns)


def test_one_moment_gets_a_long_patience_and_no_answer() -> None:
    """If this fails Floyd talks to a callee who is looking something up."""
    play = opened(says("I see."))
    play.callee("One moment, please, let me check.")
    play.wait(20.0)
    assert not play.did(StartReply)
    assert not set(lines.NO_INPUT) & set(play.spoken())
    play.answer("Okay, we have a dozen.")
    assert len(play.did(StartReply)) == 1


def test_a_pressed_key_is_heard() -> None:
    """If this fails "press one to accept the call" goes unnoticed."""
    play = opened(says("I see."))
    play.receive(DigitPressed("1"))
    play.settle()
    assert texts(play.did(StartReply)[0].turns, Role.CALLEE)[-1] == "(pressed 1)"


# The model fails


def silent(reply_id: int, messages: Sequence[Message]) -> list[Event]:
    return []


class Hanging(Play):
    """A model that never finishes a reply."""

    def later(self, seconds: float, event: Event) -> None:
        if not isinstance(event, ReplyFinished):
            super().later(seconds, event)


@pytest.mark.parametrize("segments", range(4))
def test_a_model_that_stalls_never_leaves_dead_air(segments: int) -> None:
    """If this fails a model that hangs after n segments leaves the callee in silence."""

    def stall(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [ReplyText(reply_id, "I see what you mean.") for _ in range(segments)]

    play = Hanging(brief(), stall)
    play.answer(GREETING)
    play.settle()
    asked_at = play.now
    play.callee("What would you like?")
    play.wait(1.7)
    if not segments:
        assert play.spoken()[-1] == lines.FILLERS[0]
    play.wait(30.0)
    if segments:
        assert lines.NO_INPUT[0] in play.spoken(), "the callee has the floor again"
    else:
        apology = next(at for at, action in play.log if isinstance(action, Speak) and action.text == lines.APOLOGY)
        assert apology - asked_at < 12.0
        assert play.did(HangUp) == [HangUp(Outcome.VENDOR_FAILED)]


def test_an_empty_or_broken_reply_is_tried_again() -> None:
    """If this fails one hiccup of the model ends a call."""
    replies: list[list[Event]] = [[], [ReplyText(3, "Roses, please.")]]

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return replies.pop(0)

    play = opened(mind)
    play.answer("What would you like?")
    assert play.spoken()[-1] == "Roses, please." or len(play.did(StartReply)) == 2


def test_a_failed_reply_is_tried_again_then_excused() -> None:
    """If this fails a model that is down leaves the callee in silence."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [ReplyFailed(reply_id, "503")]

    play = opened(mind)
    play.answer("What would you like?")
    play.wait(20.0)
    assert len(play.did(StartReply)) == 2
    assert lines.APOLOGY in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.VENDOR_FAILED)]


def test_notes_lead_to_words_and_tool_loops_end() -> None:
    """If this fails a model that only calls tools leaves dead air, or loops at our cost."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [FactNoted(reply_id, "price", "75")]

    play = opened(mind)
    play.answer("It is 75 dollars.")
    play.wait(20.0)
    assert len(play.did(StartReply)) <= 6
    assert play.did(HangUp)
    assert play.conversation.transcript().noted == (("price", "75"),)


def test_an_endless_reply_is_cut() -> None:
    """If this fails a model gone astray talks until the call limit."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [ReplyText(reply_id, "And so on.") for _ in range(100)]

    play = opened(mind)
    play.callee("What would you like?")
    play.wait(2.0)
    assert play.spoken().count("And so on.") == Policy().reply_segments


def test_keys_are_pressed_as_sound() -> None:
    """If this fails menus cannot be operated, or nobody sees that they were."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [KeysRequested(reply_id, "2")]

    play = opened(mind)
    play.answer("For orders, press two.")
    assert [action.digits for action in play.did(PressKeys)] == ["2"]
    assert "(pressed 2)" in [turn.heard for turn in play.conversation.transcript().turns]


# The voice fails


def test_a_sentence_that_could_not_be_spoken_is_repeated_once() -> None:
    """If this fails one fault of the voice loses a sentence or the call."""
    conversation = Conversation(brief(opening=("Hello.",)))
    conversation.receive(CallStarted("CA1", "MZ1"), 0.0)
    conversation.handle_timer(1.5)
    conversation.receive(SegmentFailed("1.1", "503"), 2.0)
    spoken = [action for action in conversation.actions() if isinstance(action, Speak)]
    assert [(action.segment_id, action.text) for action in spoken] == [("1.1", "Hello."), ("2.1", "Hello.")]
    conversation.receive(SegmentFailed("2.1", "503"), 3.0)
    assert Speak("3.1", lines.APOLOGY) in conversation.actions()
    conversation.receive(SegmentFailed("3.1", "503"), 4.0)
    conversation.handle_timer(6.0)
    assert HangUp(Outcome.VENDOR_FAILED) in conversation.actions()


def test_a_voice_that_never_sounds_is_given_up() -> None:
    """If this fails a hanging voice leaves only the call limit."""
    conversation = Conversation(brief(opening=("Hello.",)))
    conversation.receive(CallStarted("CA1", "MZ1"), 0.0)
    now = 0.0
    while (deadline := conversation.next_deadline()) is not None:
        now = deadline
        conversation.handle_timer(now)
    assert now < 40.0
    assert HangUp(Outcome.VENDOR_FAILED) in conversation.actions()


def test_lost_marks_are_assumed_heard() -> None:
    """If this fails one lost mark makes Floyd deaf to its own end."""
    conversation = Conversation(brief(opening=("Hello.",)))
    conversation.receive(CallStarted("CA1", "MZ1"), 0.0)
    conversation.handle_timer(1.5)
    conversation.receive(SegmentStarted("1.1"), 1.6)
    conversation.receive(SegmentSent("1.1", 1.0), 2.4)
    conversation.handle_timer(4.6)
    assert conversation.floor is Floor.LISTENING
    assert conversation.transcript().turns[0].heard == "Hello."


# Silence and deafness


def test_silence_is_prompted_twice_then_ended() -> None:
    """If this fails an open line is billed for ever, or a slow callee is cut off."""
    play = Play()
    play.wait(1.5)
    play.wait(7.0)
    end = play.now
    play.wait(60.0)
    at = {action.text: when - end for when, action in play.log if isinstance(action, Speak)}
    first, second, last = (at[line] for line in (*lines.NO_INPUT, lines.NO_INPUT_GOODBYE))
    assert second - first == pytest.approx(8.0, abs=0.1)
    assert last - first == pytest.approx(22.0, abs=0.1)
    assert play.did(HangUp) == [HangUp(Outcome.NO_ANSWER)]


def test_a_noise_that_never_stops_does_not_hold_the_call() -> None:
    """If this fails a detector stuck on noise leaves only the call limit."""
    play = opened(says("I see."))
    play.receive(VoiceStarted(play.ms))
    play.wait(70.0)
    assert play.did(HangUp)


def test_deafness_is_admitted_and_ended() -> None:
    """If this fails Floyd goes on as if it could hear."""
    play = opened(says("I see."))
    play.receive(EarLost("stream closed"))
    assert play.spoken()[-1] == lines.EAR_LOST
    play.wait(4.0)
    play.receive(EarRestored())
    play.settle()
    assert play.spoken()[-1] == lines.EAR_RESTORED
    play.receive(EarLost("again"))
    play.wait(25.0)
    assert play.did(HangUp) == [HangUp(Outcome.VENDOR_FAILED)]


# Fixed answers


@pytest.mark.parametrize("question", ROBOT_QUESTIONS)
def test_robot_questions_never_reach_the_model(question: str) -> None:
    """If this fails the model may be talked into denying what it is."""
    play = opened(says("No, I am a person."))
    play.answer(question)
    assert not play.answers()
    assert not any(question in texts(asked.turns, Role.CALLEE) for asked in play.did(StartReply))
    assert "AI assistant" in play.spoken()[-1] or play.spoken()[-1] == lines.transcribed(brief().on_behalf_of)


@pytest.mark.parametrize("words", OPT_OUTS)
def test_an_opt_out_is_recorded_at_once_and_ends_the_call(words: str) -> None:
    """If this fails somebody who wants no calls is called again."""
    play = opened(says("Please reconsider."))
    play.callee(words)
    play.wait(1.5)
    assert [action.text for action in play.did(RecordOptOut)] == [words]
    assert play.spoken()[-1] == lines.OPTED_OUT
    play.wait(15.0)
    assert play.did(HangUp) == [HangUp(Outcome.DO_NOT_CALL)]
    assert not play.answers()


def test_an_opt_out_before_the_opening_counts() -> None:
    """If this fails an annoyed callee has to listen to the opening first."""
    play = Play()
    play.callee("Stop calling me!")
    play.wait(1.0)
    assert play.did(RecordOptOut)
    assert OPENING[0] not in play.spoken()[-1]


def test_an_opt_out_survives_the_callee_hanging_up() -> None:
    """If this fails hanging up quickly loses the wish not to be called."""
    play = opened()
    play.callee("Never call me again.")
    play.wait(1.0)
    play.receive(StreamStopped("stop"))
    assert play.conversation.transcript().outcome is Outcome.DO_NOT_CALL


def test_the_rest_of_a_turn_with_a_fixed_question_reaches_the_model() -> None:
    """If this fails an offer made in the same breath is ignored."""
    play = opened(says("Do you deliver on Friday?"))
    play.answer("Are you a robot? Anyway, we have very nice tulips for fifty dollars today.")
    assert play.spoken()[-2:] == [lines.i_am_an_ai(brief().on_behalf_of), "Do you deliver on Friday?"]


# Asking the person


def asking(reply_id: int, messages: Sequence[Message]) -> list[Event]:
    if any("your person answered" in message.text for message in messages):
        return [ReplyText(reply_id, "Red ones, please.")]
    return [AskRequested(reply_id, "Which colour?", ("red", "white"))]


def test_the_callee_is_kept_company_while_the_person_is_asked() -> None:
    """If this fails the callee hears dead air, or the same line again and again."""
    play = opened(asking)
    play.answer("Which colour would you like?")
    [asked] = play.did(AskPerson)
    assert (asked.question, asked.choices) == ("Which colour?", ("red", "white"))
    assert play.spoken()[-1] == lines.LET_ME_CHECK
    play.wait(40.0)
    company = [text for text in play.spoken() if text in lines.COMPANY]
    assert len(company) >= 3
    assert len(set(company)) == len(company)

    play.answer("No problem, take your time.")
    assert len(play.answers()) == 1, "patience needs no answer"
    play.receive(PersonAnswered(asked.question_id, "red"))
    play.settle()
    assert play.spoken()[-1] == "Red ones, please."
    note = texts(play.did(StartReply)[-1].turns, Role.NOTE)[-1]
    assert note == 'note: your person answered "red" to "Which colour?"'


def test_no_answer_in_time_ends_with_the_promise_to_call_back() -> None:
    """If this fails a callee waits for ever, or is left without a word."""
    play = opened(asking)
    play.answer("Which colour would you like?")
    play.wait(120.0)
    assert lines.BAIL in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.NEEDS_ANSWER)]
    play.receive(PersonAnswered(play.did(AskPerson)[0].question_id, "red"))
    assert play.conversation.floor is Floor.CLOSED


def test_a_callee_who_talks_while_the_person_is_asked_is_answered() -> None:
    """If this fails asking the person makes Floyd deaf."""
    play = opened(asking)
    play.answer("Which colour would you like?")
    play.mind = says("Thank you, I am still waiting to hear.")
    play.answer("We are out of white ones, just so you know.")
    assert len(play.answers()) == 2
    assert len(play.did(AskPerson)) == 1


# Ends


def ending(reply_id: int, messages: Sequence[Message]) -> list[Event]:
    return [EndCallRequested(reply_id, "done"), ReplyText(reply_id, "Thank you, have a nice day.")]


def test_the_farewell_is_heard_before_hanging_up() -> None:
    """If this fails Floyd hangs up on its own last word, or never."""
    play = opened(ending)
    play.answer("All booked.")
    play.wait(10.0)
    heard_at = play.conversation.transcript().turns[-1].end_ms / 1000 + play.started_at
    hung_up_at = next(at for at, action in play.log if isinstance(action, HangUp))
    assert play.conversation.transcript().turns[-1].heard == "Thank you, have a nice day."
    assert hung_up_at - heard_at == pytest.approx(2.0)
    assert isinstance(play.log[-1][1], HangUp)


def test_an_end_without_words_gets_a_farewell() -> None:
    """If this fails Floyd hangs up without a goodbye."""
    play = opened(lambda reply_id, messages: [EndCallRequested(reply_id)])
    play.answer("All booked.")
    play.wait(10.0)
    assert lines.FAREWELL in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]


def test_a_goodbye_is_returned_without_the_model() -> None:
    """If this fails Floyd thinks for a second about how to say goodbye."""
    play = opened(says("One more thing."))
    play.answer("Alright, thank you, bye bye!")
    play.wait(5.0)
    assert play.spoken()[-1] == lines.FAREWELL
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]


def test_a_callee_may_take_a_goodbye_back_once() -> None:
    """If this fails "oh wait" after the goodbye is hung up on, or two machines say goodbye for ever."""
    play = opened(says("Yes?", "Goodbye."))
    play.answer("Okay, bye!")
    play.answer("Oh wait, which address was it?")
    assert play.spoken()[-1] == "Yes?"
    play.answer("Never mind, I have it in the book.")
    play.answer("Oh and another thing I wanted to ask.")
    play.wait(5.0)
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]


def test_a_parrot_is_left_politely() -> None:
    """If this fails two machines talk until the call limit."""
    play = opened(says("I would like to order roses."))
    for _ in range(8):
        if play.conversation.phase is Phase.CLOSED:
            break
        play.answer("I would like to order roses.")
    play.wait(10.0)
    assert lines.GOING_IN_CIRCLES in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.NO_PROGRESS)]


def test_the_call_limit_ends_the_call_politely() -> None:
    """If this fails a call runs past the limit of the plan."""
    play = opened(says("I see."), limit_s=30.0)
    play.wait(40.0)
    assert lines.TIME_IS_UP in play.spoken() or play.did(HangUp)
    assert play.did(HangUp)[-1].outcome is Outcome.TIME_LIMIT


@pytest.mark.parametrize("held", [False, True])
def test_the_goodbye_comes_before_the_carrier_ends_the_call(held: bool) -> None:
    """If this fails a long call is cut in the middle of a sentence, and nobody knows why."""
    play = opened(says("I see."), line_s=40.0)
    if held:
        play.receive(LineClassified(LineKind.HOLD, 0.9, "music"))
    play.wait(30.0)
    assert play.spoken()[-1] == lines.TIME_IS_UP
    assert play.did(HangUp)[-1].outcome is Outcome.TIME_LIMIT


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.COST_LIMIT, Outcome.REFUSED_BY_POLICY])
def test_the_person_can_end_the_call_politely(outcome: Outcome) -> None:
    """If this fails a cancelled call goes on, or is cut without a word."""
    play = opened(says("I see."))
    play.receive(HangUpRequested(outcome))
    assert play.spoken()[-1] == lines.CANCELLED
    play.wait(10.0)
    assert play.did(HangUp) == [HangUp(outcome)]


def test_a_drain_hands_the_call_over_after_the_sentence() -> None:
    """If this fails a deploy kills calls, or cuts them in mid-word."""
    play = opened(says("I would like a dozen roses, please."))
    play.callee("What would you like?")
    play.wait(1.2)
    play.receive(DrainRequested())
    assert not play.did(HandOver)
    play.wait(4.0)
    assert play.did(HandOver)
    assert not play.did(HangUp)
    assert play.conversation.transcript().turns[-1].heard == "I would like a dozen roses, please."


def test_a_drain_in_silence_is_immediate() -> None:
    """If this fails the process is killed before it has handed its calls over."""
    play = opened(says("I see."))
    play.receive(DrainRequested())
    play.wait(0.0)
    assert play.did(HandOver)


def test_a_hang_up_of_the_callee_stops_everything_and_keeps_the_words() -> None:
    """If this fails the last sentence is lost or something goes on working for a dead call."""
    play = opened(says("I see."))
    play.callee("We do have roses.")
    play.wait(0.05)
    play.receive(InterimHeard("and tul", 0.3, play.ms, play.ms + 10))
    play.receive(StreamStopped("stop"))
    assert play.did(CancelReply)
    assert isinstance(play.log[-1][1], SaveTranscript)
    transcript = play.conversation.transcript()
    assert transcript.outcome is Outcome.CALLEE_HUNG_UP
    assert transcript.turns[-1].heard == "We do have roses. and tul"
    assert play.conversation.next_deadline() is None


@pytest.mark.parametrize("hundredth", range(0, 100, 4))
def test_a_hang_up_at_any_instant_leaves_nothing_running(hundredth: int) -> None:
    """If this fails some instant exists at which a hang-up leaves a model or a voice working."""
    play = opened(asking)
    play.callee("Which colour would you like?")
    play.wait(hundredth / 10)
    play.receive(StreamStopped("stop"))
    started = {action.reply_id for action in play.did(StartReply)}
    ended = {action.reply_id for action in play.did(CancelReply)}
    finished = {event.reply_id for _, event in play.trace if isinstance(event, ReplyFinished)}
    assert started <= ended | finished
    assert play.conversation.phase is Phase.CLOSED


# The tables


def test_the_table_names_every_event_once_per_floor() -> None:
    """If this fails two rows contradict each other, or an event is forgotten."""
    keys = [(floor, trigger) for row in TRANSITIONS for floor in row.floors for trigger in row.triggers]
    assert len(keys) == len(set(keys))
    triggers = {trigger for _, trigger in keys}
    assert set(Event.__args__) <= triggers
    assert len({rule.name for rule in SETTLING}) == len(SETTLING)


def test_stale_events_are_ignored() -> None:
    """If this fails an event for a dead reply or segment changes a live conversation."""
    play = opened(says("I see."))
    before = play.conversation.transcript()
    for event in (ReplyText(99, "Boo."), ReplyFinished(99), SegmentStarted("99.1"), MarkReached("99.1")):
        play.receive(event)
    assert play.conversation.transcript() == before


def test_too_many_questions_end_in_a_call_back() -> None:
    """If this fails a callee is put on hold again and again."""
    play = Play(brief(), asking, Policy(questions=0))
    play.answer(GREETING)
    play.settle()
    play.answer("Which colour would you like?")
    assert not play.did(AskPerson)
    assert lines.BAIL in play.spoken()
    assert play.conversation.transcript().outcome is Outcome.NEEDS_ANSWER


def test_a_model_that_breaks_off_after_ending_the_call_still_says_goodbye() -> None:
    """If this fails a fault at the very end hangs up without a word."""
    play = opened(lambda reply_id, messages: [EndCallRequested(reply_id), ReplyFailed(reply_id, "503")])
    play.answer("All booked.")
    play.wait(5.0)
    assert lines.FAREWELL in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]


def test_a_drain_during_the_farewell_ends_the_call_here() -> None:
    """If this fails a finished call is handed to another relay, which greets the callee again."""
    play = opened(ending)
    play.callee("All booked.")
    play.wait(1.5)
    play.receive(DrainRequested())
    play.wait(5.1)
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]
    assert not play.did(HandOver)
