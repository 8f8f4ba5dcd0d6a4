"""What the record says of sentences that nobody could hear."""

from floyd import lines
from relay.core.actions import Speak
from relay.core.conversation import Conversation
from relay.core.events import CallStarted, MarkReached, SegmentFailed, SegmentSent, SegmentStarted
from relay.core.outcome import Outcome
from tests.relay.core.play import OPENING, brief


def test_a_sentence_that_the_voice_could_not_say_was_not_said() -> None:
    """Fails if an errand counted as told to somebody who has heard nothing but our apology."""
    conversation = Conversation(brief())
    conversation.receive(CallStarted("CA1", "MZ1"), 0.0)
    spoken: list[Speak] = []
    now = 0.0
    while not conversation.transcript().outcome:
        now = max(now, conversation.next_deadline() or now)
        conversation.handle_timer(now)
        for action in conversation.actions():
            if isinstance(action, Speak) and action.text != lines.APOLOGY:
                # The first one breaks off in the middle, whenever it is tried; the others were never begun.
                if action.text == OPENING[0]:
                    conversation.receive(SegmentStarted(action.segment_id), now)
                    conversation.receive(SegmentFailed(action.segment_id, "truncated"), now + 0.5)
            elif isinstance(action, Speak):
                spoken.append(action)
    spoken += [action for action in conversation.actions() if isinstance(action, Speak)]
    apology = next(action for action in spoken if action.text == lines.APOLOGY)
    conversation.receive(SegmentStarted(apology.segment_id), now + 1)
    conversation.receive(SegmentSent(apology.segment_id, 3.0), now + 4)
    conversation.receive(MarkReached(apology.segment_id), now + 4)

    transcript = conversation.transcript()
    said = [turn for turn in transcript.turns if turn.heard]
    assert transcript.outcome is Outcome.VENDOR_FAILED
    assert [turn.heard for turn in said] == [lines.APOLOGY]
    for sentence in OPENING:
        assert any(sentence in turn.planned for turn in transcript.turns)
        assert not any(sentence in turn.sent for turn in transcript.turns)
    assert any(turn.cut for turn in transcript.turns)
