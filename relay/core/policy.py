"""Every threshold of the conversation, with its unit and where it comes from. One frozen value per call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds end in `_s`, positions in the callee's audio in `_ms`. Starting points, to be tuned on whole calls."""

    # Opening
    opening_wait_s: float = 1.5
    """Silence after pick-up before we speak first. People say hello within a second; machines need not."""
    opening_pause_s: float = 0.08
    """Quiet after the callee's first words before the opening. Short: "hello?" is complete, and silence after it is
    what makes people hang up on callers."""
    opening_restarts: int = 1
    """How often an opening that was cut is begun again before the model takes over."""

    # Patience: quiet after the callee's words before the turn is ours
    patience_answer_s: float = 0.25
    """After the yes or no that we asked for. People leave each other about 0.2 s (Stivers 2009)."""
    patience_complete_s: float = 0.35
    """After a complete sentence."""
    patience_unclear_s: float = 0.8
    patience_unfinished_s: float = 1.2
    """In the middle of a number, a name, an address, or a sentence that ends in "and"."""
    patience_hold_s: float = 8.0
    """After "one moment": the words that follow belong to the same turn."""
    words_behind_ms: int = 400
    """Interim words that end so long before the voice did are not all: the recogniser is behind."""
    voice_stuck_s: float = 6.0
    """A voice without new words for so long is noise."""

    hasty_s: float = 0.1
    """So much more patience for each time this callee went on when we took their turn for over; three times at most."""

    # Thinking ahead, while the turn may not be over
    speculate_s: float = 0.1
    """Quiet before the model is asked: longer than most closures inside a word."""
    speculate_before_s: float = 0.6
    """The model is not asked earlier than so long before the turn is ours: its first clause takes no longer to come."""
    speculate_words: int = 4
    """While the voice goes on only a complete sentence of so many words is answered in advance."""
    speculations_per_turn: int = 4
    """0: think only when the turn is over."""
    speculations_wasted: int = 10
    """So many in a call may be in vain, and two more for each that was not; each costs a prompt, most of it from the
    vendor's cache."""

    # Barge-in and take-back
    barge_in_words: int = 2
    """So many words over our speech take the floor; backchannels never do."""
    barge_in_voice_s: float = 0.12
    """A voice over our speech for so long silences us until it is known to bring words; not in protected lines."""
    barge_in_wordless_s: float = 1.5
    """Silenced by a voice without words for so long, we give the floor away."""
    resume_s: float = 0.4
    """The voice has been over for so long without words: go on. Interim words come 0.1 to 0.3 s after they are said."""
    fruitless_pauses: int = 2
    """After so many pauses for nothing within a minute, only words silence us."""
    held_s: float = 0.6
    """A voice without words keeps a ready answer back no longer than this."""
    closure_ms: int = 150
    """A voice that goes on after a shorter gap never stopped."""
    cut_in_s: float = 0.7
    """A callee who goes on within so long of our first sound was cut off by it."""
    echo_guard_s: float = 0.3
    """Words that ended less than this after our first sound were said before it, not over it. A callee who goes on
    within this after the opening began had not finished their greeting."""
    straddle_ms: int = 250
    """A result reaching further beyond a committed turn holds later words, too: recognisers' ends are this exact."""

    # The model
    filler_s: float = 1.5
    """Thinking in silence for so long gets a filler."""
    fillers: int = 2
    reply_s: float = 5.0
    """Longest wait for a reply's first text, and again for each next one. Two attempts and the apology stay
    within 12 s of the callee's last word."""
    reply_attempts: int = 2
    reply_segments: int = 24
    """A reply longer than this is a model gone astray (about a minute and a half of talk)."""
    tool_rounds_per_turn: int = 3
    tool_rounds_per_call: int = 12

    # Our voice
    speech_s: float = 5.0
    """Longest wait for progress on queued speech, on top of its own length."""
    speech_attempts: int = 2
    """A sentence that could not be spoken is repeated once."""
    slowest_characters_per_s: float = 9.0
    """No voice is slower; bounds how long a segment may take to be sent in real time."""
    mark_slack_s: float = 2.0
    """A mark so much later than its audio should have ended is lost: assume heard."""

    # Silence
    no_input_s: tuple[float, ...] = (8.0, 16.0, 30.0)
    """Since the callee's or our last words: two prompts, then goodbye."""
    cut_no_input_s: float = 2.5
    """When we stopped for a voice that brought no words: ask what it was."""
    hold_no_input_s: tuple[float, ...] = (45.0, 75.0, 105.0)
    """The same after "one moment", since the callee is busy for us."""

    # Asking the person
    answer_s: float = 90.0
    """How long a callee is kept waiting for the person's answer."""
    company_s: float = 9.0
    """Silence between company lines: a quiet line sounds dead after about ten seconds."""
    questions: int = 5
    """Most questions to the person in one call."""

    # Machines
    words_prove_s: float = 2.0
    """Whoever said words so short a time ago is a person, however much like music they sound."""
    suspect_pause_s: float = 1.2
    """Quiet before the opening when the first words sound like a recorded greeting."""
    beep_wait_s: float = 2.5
    """Quiet after a greeting in which the beep should have come."""
    messages: int = 2
    """A message is begun again, once, when the beep comes while it is spoken."""
    screening_pause_s: float = 1.0
    screening_answers: int = 3
    menu_pause_s: float = 2.0
    """Menus pause up to a second and a half between their options."""
    menu_repeats: int = 3
    """So often one menu may come again before the operator is asked for."""
    menus: int = 15
    """Most choices in one call."""
    machine_quiet_s: float = 45.0
    """A machine that has had its answer may search for a person for so long."""
    hold_limit_s: float = 1200.0
    """Longest time on hold in one call, all holds together."""

    # Ends
    quiet_s: float = 2.0
    """Quiet after the farewell before hanging up."""
    closing_s: float = 20.0
    """Hang up regardless: longer than any farewell and its quiet, short enough not to be a bill."""
    drain_s: float = 5.0
    """Hand over regardless; the process has 10 s from SIGTERM to its end, of which saving needs some."""
    reopenings: int = 1
    """How often the callee may take back a goodbye; after the second goodbye we go."""
    ear_lost_s: float = 12.0
    """Deaf for so long: apologise and end."""
    repeated_turns: int = 5
    """So many callee turns in a row that say what was said before are no conversation."""
    stale_turns: int = 6
    """So many callee turns in a row without a single new word or number neither."""
