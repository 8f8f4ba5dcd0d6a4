"""Which turn a recognition result belongs to, by time alone."""

from relay.core.hearing import HeardTurn, Hearing, Piece


def heard() -> Hearing:
    return Hearing(straddle_ms=250)


def interim(text: str, start_ms: int, end_ms: int) -> Piece:
    return Piece(text, start_ms, end_ms, final=False)


def final(text: str, start_ms: int, end_ms: int) -> Piece:
    return Piece(text, start_ms, end_ms, final=True)


def committed(hearing: Hearing, *pieces: Piece, stop_ms: int = 0) -> HeardTurn:
    for piece in pieces:
        hearing.place(piece)
    return hearing.commit(1, stop_ms)


def test_a_final_replaces_the_interim_of_its_range() -> None:
    """If this fails words appear twice: once guessed, once final."""
    hearing = heard()
    hearing.place(interim("we have", 0, 500))
    hearing.place(interim("we have noses", 0, 900))
    assert hearing.pending_text == "we have noses"
    hearing.place(final("We have roses.", 0, 1000))
    hearing.place(interim("and", 1100, 1200))
    assert hearing.pending_text == "We have roses. and"


def test_a_final_delivered_twice_counts_once() -> None:
    """If this fails a recogniser that reconnects doubles words."""
    hearing = heard()
    hearing.place(final("one", 0, 500))
    assert not hearing.place(final("one", 0, 500)).news
    turn = hearing.commit(1, 500)
    assert not hearing.place(final("one", 0, 500)).news
    assert turn.text == "one"


def test_an_interim_that_a_final_has_overtaken_is_stale() -> None:
    """If this fails old guesses come back after the final."""
    hearing = heard()
    hearing.place(final("one two", 0, 1000))
    assert not hearing.place(interim("one", 0, 600)).news
    assert hearing.pending_text == "one two"


def test_a_late_final_amends_its_turn() -> None:
    """If this fails the transcript keeps the first guess, or the words become a turn of their own."""
    hearing = heard()
    turn = committed(hearing, interim("we have noses", 0, 1000))
    placed = hearing.place(final("We have roses.", 0, 1100))
    assert placed.amended == (turn,)
    assert turn.text == "We have roses."
    assert not hearing.pending


def test_a_late_final_with_the_same_meaning_is_no_amendment() -> None:
    """If this fails punctuation makes the model start again."""
    hearing = heard()
    turn = committed(hearing, interim("we have five roses", 0, 1000))
    assert not hearing.place(final("We have 5 roses.", 0, 1000)).amended
    assert turn.text == "We have 5 roses."


def test_a_final_across_a_commit_is_shared_out() -> None:
    """If this fails words after an early commit are lost, or answered as if they came before."""
    hearing = heard()
    turn = committed(hearing, interim("what is the price", 0, 1000), stop_ms=1000)
    placed = hearing.place(final("What is the price of a dozen roses?", 0, 2500))
    assert turn.text == "What is the price"
    assert placed.pending
    assert hearing.pending_text == "of a dozen roses?"


def test_a_final_over_two_turns_and_more_is_shared_out() -> None:
    """If this fails one long result after two early commits loses or doubles words."""
    hearing = heard()
    one = committed(hearing, interim("a b", 0, 1000), stop_ms=1000)
    hearing.place(interim("a b c d", 0, 2000))
    two = hearing.commit(2, 2000)
    hearing.place(final("a b c d e f", 0, 3000))
    assert (one.text, two.text, hearing.pending_text) == ("a b", "c d", "e f")


def test_a_final_that_begins_inside_a_committed_interim_replaces_its_end_only() -> None:
    """If this fails a sentence that the recogniser ends in two finals loses its beginning, and its end doubles."""
    hearing = heard()
    turn = committed(hearing, interim("it would be ready", 0, 1000), stop_ms=1000)
    hearing.place(interim("it would be ready on Friday", 0, 1500))
    hearing.place(final("Ready on Friday.", 750, 1500))
    assert (turn.text, hearing.pending_text) == ("it would be Ready", "on Friday.")
    hearing.place(final("It would be", 0, 750))
    assert (turn.text, hearing.pending_text) == ("It would be Ready", "on Friday.")


def test_a_final_that_begins_at_the_end_of_a_committed_interim_leaves_it() -> None:
    """If this fails the next sentence overwrites the one before, whose end the recogniser had put too late."""
    hearing = heard()
    turn = committed(hearing, interim("we have roses", 0, 2000), stop_ms=2000)
    hearing.place(final("They are red.", 1900, 3000))
    assert (turn.text, hearing.pending_text) == ("we have roses", "They are red.")


def test_a_final_leaves_nothing_of_the_guess_it_replaces() -> None:
    """If this fails words that were guessed after a commit are heard twice."""
    hearing = heard()
    turn = committed(hearing, interim("it would be ready", 0, 1000), stop_ms=1000)
    hearing.place(interim("it would be ready on Friday", 0, 1500))
    hearing.place(final("Ready on Friday", 0, 1500))
    assert (turn.text, hearing.pending_text) == ("Ready on Friday", "")


def test_words_of_a_turn_committed_empty_still_find_it() -> None:
    """If this fails the callee's hello, recognised late, is taken for an answer to the opening."""
    hearing = heard()
    turn = hearing.commit(1, 900)
    assert hearing.place(final("Hello?", 400, 900)).amended == (turn,)
    assert turn.text == "Hello?"


def test_a_turn_can_be_taken_back() -> None:
    """If this fails a callee who goes on loses the beginning of their sentence."""
    hearing = heard()
    turn = committed(hearing, final("one", 0, 400), interim("two", 500, 900))
    hearing.place(interim("three", 1000, 1200))
    hearing.reopen(turn)
    assert hearing.pending_text == "one two three"
    hearing.place(final("two three four", 500, 1500))
    assert hearing.pending_text == "one two three four"


def test_a_final_for_a_gap_is_not_lost() -> None:
    """If this fails words recognised long after everybody went on disappear."""
    hearing = heard()
    turn = committed(hearing, final("later", 2000, 3000))
    hearing.place(final("earlier", 500, 900))
    assert turn.text == "earlier later"
