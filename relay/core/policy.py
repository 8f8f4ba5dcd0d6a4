"""Every threshold of the conversation, with its unit and where it comes from. One frozen value per call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds end in `_s`, positions in the callee's audio in `_ms`. Starting points, to be tuned on whole calls."""

    # Opening
    opening_wait_s: float = 1.5  # silence after pick-up before we speak first: people say hello within a second
    opening_pause_s: float = 0.08
    """Quiet after the callee's first words before the opening. Short: "hello?" is complete, and silence after it is
    what makes people hang up on callers."""
    opening_restarts: int = 1  # how often an opening that was cut is begun again before the model takes over

    # Patience: quiet after the callee's words before the turn is ours
    patience_answer_s: float = 0.25  # after the yes or no that we asked for; people leave 0.2 s (Stivers 2009)
    patience_complete_s: float = 0.35  # after a complete sentence
    patience_unclear_s: float = 0.8
    patience_unfinished_s: float = 1.2  # in the middle of a number, a name, an address, or after "and"
    patience_hold_s: float = 8.0  # after "one moment": the words that follow belong to the same turn
    words_behind_ms: int = 400  # interim words that end so long before the voice are not all: the recogniser is behind
    voice_stuck_s: float = 6.0  # a voice without new words for so long is noise

    hasty_s: float = 0.1  # more patience for each turn of this callee's that we took for over too early; three at most

    # Thinking ahead, while the turn may not be over
    speculate_s: float = 0.1  # quiet before the model is asked: longer than most closures inside a word
    speculate_before_s: float = 0.6  # nor earlier than so long before the turn is ours: a first clause takes no longer
    speculate_words: int = 4  # while the voice goes on only a complete sentence of so many words is answered in advance
    speculations_per_turn: int = 4  # 0: think only when the turn is over
    speculations_wasted: int = 10
    """So many in a call may be in vain, and two more for each that was not; each costs a prompt, most of it from the
    vendor's cache."""

    # Barge-in and take-back
    barge_in_words: int = 2  # so many words over our speech take the floor; backchannels never do
    barge_in_voice_s: float = 0.12  # a voice over ours silences us until words are known; not in protected lines
    barge_in_wordless_s: float = 1.5  # silenced by a voice without words for so long, we give the floor away
    resume_s: float = 0.4  # the voice was over so long without words: go on; interim words lag by 0.1 to 0.3 s
    fruitless_pauses: int = 2  # after so many pauses for nothing within a minute, only words silence us
    held_s: float = 0.6  # a voice without words keeps a ready answer back no longer than this
    closure_ms: int = 150  # a voice that goes on after a shorter gap never stopped
    cut_in_s: float = 0.7  # a callee who goes on within so long of our first sound was cut off by it
    echo_guard_s: float = 0.3
    """Words that ended less than this after our first sound were said before it, not over it. A callee who goes on
    within this after the opening began had not finished their greeting."""
    straddle_ms: int = 250  # a result that reaches further beyond a turn holds later words, too; ends are this exact

    # The model
    filler_s: float = 1.5  # thinking in silence for so long gets a filler
    fillers: int = 3  # two models that hang take 10 s, and no silence in them may be longer than 4 s
    reply_s: float = 5.0
    """Longest wait for a reply's first text, and again for each next one. Two attempts and the apology stay
    within 12 s of the callee's last word."""
    reply_attempts: int = 2
    reply_segments: int = 24  # a reply longer than this is a model gone astray (about a minute and a half of talk)
    tool_rounds_per_turn: int = 3
    tool_rounds_per_call: int = 12

    # Our voice
    speech_s: float = 5.0  # longest wait for progress on queued speech, on top of its own length
    speech_attempts: int = 2  # a sentence that could not be spoken is repeated once
    slowest_characters_per_s: float = 9.0  # no voice is slower: bounds how long a segment takes to be sent in real time
    mark_slack_s: float = 2.0  # a mark so much later than its audio should have ended is lost: assume heard

    # Silence
    no_input_s: tuple[float, ...] = (8.0, 16.0, 30.0)  # since the callee's or our last words: two prompts, then goodbye
    cut_no_input_s: float = 2.5  # when we stopped for a voice that brought no words: ask what it was
    hold_no_input_s: tuple[float, ...] = (45.0, 75.0, 105.0)  # the same after "one moment": the callee is busy for us

    # Asking the person
    answer_s: float = 90.0  # how long a callee is kept waiting for the person's answer
    company_s: float = 9.0  # silence between company lines: a quiet line sounds dead after about ten seconds
    questions: int = 5  # most questions to the person in one call

    # Machines
    words_prove_s: float = 2.0  # whoever said words so short a time ago is a person, however much like music they sound
    suspect_pause_s: float = 1.2  # quiet before the opening when the first words sound like a recorded greeting
    beep_wait_s: float = 2.5  # quiet after a greeting in which the beep should have come
    messages: int = 2  # a message is begun again, once, when the beep comes while it is spoken
    screening_pause_s: float = 1.0
    screening_answers: int = 3
    menu_pause_s: float = 2.0  # menus pause up to a second and a half between their options
    menu_repeats: int = 3  # so often one menu may come again before the operator is asked for
    menus: int = 15  # most choices in one call
    machine_quiet_s: float = 45.0  # a machine that has had its answer may search for a person for so long
    hold_limit_s: float = 1200.0  # longest time on hold in one call, all holds together

    # Ends
    quiet_s: float = 2.0  # quiet after the farewell before hanging up
    closing_s: float = 20.0  # hang up regardless: longer than any farewell and its quiet, short enough not to be a bill
    drain_s: float = 5.0  # hand over regardless; the process has 10 s from SIGTERM, some of them for saving
    reopenings: int = 1  # how often the callee may take back a goodbye; after the second goodbye we go
    ear_lost_s: float = 12.0  # deaf for so long: apologise and end
    repeated_turns: int = 5  # so many callee turns in a row that say what was said before are no conversation
    stale_turns: int = 6  # so many callee turns in a row without a single new word or number neither
