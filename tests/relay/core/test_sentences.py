"""Where a reply is cut for speaking."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.sentences import LONGEST_CHARACTERS, Segmenter

WHOLE = (
    "Hello Mrs. Park",
    "The price is $1,200.50 for all of them",
    "Come at 3 p.m. tomorrow",
    "The number is 555, 1234, and 99",
    "It opens at 9:30 in the morning",
    "Dr. J. R. Smith said 3.5 percent",
    "Write to tom.baker@example.com now",
    "It is no. 5 on the list",
)


def segments_of(text: str) -> list[str]:
    """A whole text cut as a stream of it would be."""
    segmenter = Segmenter()
    return [segment for character in text for segment in segmenter.receive(character)] + segmenter.finish()


@pytest.mark.parametrize("text", WHOLE)
def test_no_cut_inside_names_numbers_and_times(text: str) -> None:
    """If this fails a voice reads "Mrs." and "Park" as two sentences, or half a price."""
    assert segments_of(text + ".") == [text + "."]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("She is sick today. She will be back soon.", ["She is sick today.", "She will be back soon."]),
        ("Is it open? Good!", ["Is it open?", "Good!"]),
        ("Come at 3 p.m. Then we go.", ["Come at 3 p.m.", "Then we go."]),
        ("No. I can't.", ["No.", "I can't."]),
        ("Well... Let me see.", ["Well...", "Let me see."]),
        ('He said "yes." Then he left.', ['He said "yes."', "Then he left."]),
        ("I am calling for Tom, who is ill today.", ["I am calling for Tom,", "who is ill today."]),
        ("Yes, that is right.", ["Yes, that is right."]),
        ("**Yes** that `is` right.", ["Yes that is right."]),
    ],
)
def test_cuts(text: str, segments: list[str]) -> None:
    """If this fails the first words come late, or sentences sound chopped."""
    assert segments_of(text) == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("I am calling to ask if you still have roses.", ["I am calling to ask", "if you still have roses."]),
        (
            "She wanted to thank everybody who helped her last week.",
            ["She wanted to thank everybody", "who helped her last week."],
        ),
        (
            "I was hoping to speak with somebody about the flowers.",
            ["I was hoping to speak", "with somebody about the flowers."],
        ),
    ],
)
def test_a_long_first_sentence_is_cut_at_a_phrase(text: str, segments: list[str]) -> None:
    """If this fails the callee waits for the whole of a sentence without a comma."""
    assert segments_of(text) == segments


@pytest.mark.parametrize(
    "text",
    [
        "I am calling for them.",
        "I am calling with news.",
        "I would like to book a table for four people.",
        "I am calling on behalf of Christa and Tom Baker today.",
        "That would be quite a lot for twelve roses.",
        "My sister would like a table on Friday evening please.",
        "That is really more than we can pay for them right now.",
        "I am really not sure that we want that many.",
        "We would be very happy to take all of them.",
    ],
)
def test_a_phrase_is_whole_near_figures_names_refusals_and_consent(text: str) -> None:
    """If this fails half a number, half a name or half a yes is said on its own."""
    assert segments_of(text) == [text]


def test_the_first_clause_comes_before_its_sentence_ends() -> None:
    """If this fails the callee waits for a whole sentence to be written."""
    segmenter = Segmenter()
    assert segmenter.receive("I am calling for Tom Baker, ") == ["I am calling for Tom Baker,"]
    assert segmenter.receive("who would like, if possible, ") == []
    assert segmenter.receive("to order roses. ") == ["who would like, if possible, to order roses."]


def test_an_endless_sentence_is_cut_somewhere() -> None:
    """If this fails a model without full stops is never heard."""
    segments = segments_of("and so on and on " * 60)
    assert all(len(segment) <= LONGEST_CHARACTERS + 20 for segment in segments)


@given(st.text(alphabet="ab 1,.?!'$-\n", max_size=400), st.integers(min_value=1, max_value=9))
def test_nothing_is_lost_however_the_stream_is_cut(text: str, size: int) -> None:
    """If this fails words of the model vanish or double, depending on how tokens arrive."""
    segmenter = Segmenter()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    segments = [segment for piece in pieces for segment in segmenter.receive(piece)] + segmenter.finish()
    assert re.sub(r"\s", "", "".join(segments)) == re.sub(r"\s", "", text)
