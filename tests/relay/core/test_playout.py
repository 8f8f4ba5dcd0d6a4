"""The ledger alone: late marks, lost marks, a clear between send and echo."""

from relay.core.playout import Ledger, Progress, Segment
from relay.core.policy import Policy

POLICY = Policy()


def ledger(*names: str) -> tuple[Ledger, list[Segment]]:
    books = Ledger(POLICY)
    segments = [Segment(name, "Some words.") for name in names]
    for segment in segments:
        books.queue(segment, 10.0)
    return books, segments


def test_a_segment_is_heard_when_its_mark_comes() -> None:
    """If this fails what was heard is not known."""
    books, [one] = ledger("1")
    assert books.started("1", 10.1)
    assert books.sent("1", 2.0, 11.9)
    assert one.was_sent
    assert books.reached("1")
    assert one.progress is Progress.HEARD
    assert not books.outstanding


def test_a_mark_after_a_clear_is_not_heard() -> None:
    """If this fails a clear, which returns all marks, makes cut words count as heard."""
    books, [one, two] = ledger("1", "2")
    books.started("1", 10.1)
    books.sent("1", 2.0, 11.9)
    assert books.clear(1.0)
    assert not books.reached("1")
    assert not books.reached("2")
    assert (one.progress, two.progress) == (Progress.CLEARED, Progress.CLEARED)
    assert not books.clear(1.0), "nothing left to clear"


def test_a_mark_proves_the_segments_before_it() -> None:
    """If this fails one lost mark makes everything before it unheard."""
    books, [one, two] = ledger("1", "2")
    for name in ("1", "2"):
        books.started(name, 10.0)
        books.sent(name, 1.0, 11.0)
    assert books.reached("2")
    assert one.progress is two.progress is Progress.HEARD


def test_a_mark_before_its_audio_is_nonsense() -> None:
    """If this fails a forged or doubled mark makes unsent words heard."""
    books, [one] = ledger("1")
    assert not books.reached("1")
    assert not books.reached("other")
    assert one.progress is Progress.QUEUED


def test_a_lost_mark_is_overdue_after_the_audio_and_some_slack() -> None:
    """If this fails a lost mark is waited for for ever, or given up before the words were played."""
    books, [one] = ledger("1")
    books.started("1", 10.0)
    assert books.play_out_deadline() is None
    books.sent("1", 3.0, 12.8)
    assert books.play_out_deadline() == 13.0 + POLICY.mark_slack_s
    books.assume_heard()
    assert one.progress is Progress.HEARD


def test_audio_lines_up_behind_what_still_plays() -> None:
    """If this fails the end of a long reply is given up while its beginning plays."""
    books, _ = ledger("1", "2")
    books.started("1", 10.0)
    books.sent("1", 3.0, 10.5)
    books.started("2", 10.5)
    books.sent("2", 2.0, 11.0)
    books.reached("1")
    assert books.play_out_deadline() == 15.0 + POLICY.mark_slack_s


def test_speech_in_real_time_is_not_overdue() -> None:
    """If this fails a long sentence is cut off while it is being sent in real time."""
    books = Ledger(POLICY)
    books.queue(Segment("1", "x" * 180), 10.0)
    assert books.speech_deadline() == 10.0 + POLICY.speech_s
    books.started("1", 11.0)
    assert books.speech_deadline() == 11.0 + POLICY.speech_s + 20.0
    books.sent("1", 12.0, 23.0)
    assert books.speech_deadline() is None


def test_giving_up_the_unsent_leaves_the_sent() -> None:
    """If this fails words in the carrier's buffer are reported as never heard."""
    books, [one, two] = ledger("1", "2")
    books.sent("1", 1.0, 11.0)
    assert books.clear_unsent() == (two,)
    assert books.outstanding == (one,)
    assert (one.progress, two.progress) == (Progress.SENT, Progress.CLEARED)


def test_protection_is_that_of_what_is_at_the_ear() -> None:
    """If this fails a farewell protects the sentence before it."""
    books = Ledger(POLICY)
    books.queue(Segment("1", "Words."), 10.0)
    books.queue(Segment("2", "Goodbye.", protected=True), 10.0)
    assert not books.protected
    books.sent("1", 1.0, 11.0)
    books.reached("1")
    assert books.protected
