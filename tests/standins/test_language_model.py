"""What the recogniser of speech expects to hear."""

import math
from collections import defaultdict
from pathlib import Path

import pytest

from standins.language_model import arpa, guessed_pronunciation, number_words, persona_lines, phone_phrases, plain_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("That's $1,560.05 — OK?", "that's one thousand five hundred sixty dollars and five cents ok"),
        (
            "Call 312-555-0142 at 4 p.m.",
            "call three hundred twelve five hundred fifty five zero one four two at four p m",
        ),
        ("Am I late?  I'm 30.", "am i late i'm thirty"),
        ("Order 10023456", "order one zero zero two three four five six"),
    ],
)
def test_text_becomes_the_words_a_voice_says(text: str, words: str) -> None:
    """If this fails, the model expects words that no voice ever says."""
    assert plain_words(text) == words


def test_numbers_are_read_aloud() -> None:
    """If this fails, prices are missing from the model."""
    assert [number_words(number) for number in (0, 13, 40, 99, 100, 560, 20_019)] == [
        *("zero", "thirteen", "forty", "ninety nine", "one hundred", "five hundred sixty", "twenty thousand nineteen")
    ]


def test_the_model_is_a_probability_distribution() -> None:
    """If this fails, the recogniser prefers words for no reason."""
    lines = arpa(["hello there", "hello you there", "you are there", "hello"]).splitlines()
    grams = [line.split() for line in lines if line.startswith("-")]
    unigrams = {gram[1]: 10 ** float(gram[0]) for gram in grams if len(gram) == 3 and gram[0] != "-99"}
    assert sum(unigrams.values()) == pytest.approx(1, abs=1e-3)
    start = lines.index("\\2-grams:")
    seen: dict[str, dict[str, float]] = defaultdict(dict)
    for line in lines[start + 1 : lines.index("\\3-grams:") - 1]:
        probability, first, second = line.split()[:3]
        seen[first][second] = 10 ** float(probability)
    backoffs = {gram[1]: 10 ** float(gram[2]) for gram in grams if gram[1] in seen and len(gram) == 3}
    for first, followers in seen.items():
        rest = sum(probability for word, probability in unigrams.items() if word not in followers)
        assert math.isclose(sum(followers.values()) + backoffs[first] * rest, 1, abs_tol=2e-3), first


def test_phrases_are_filled_and_the_same_each_time() -> None:
    """If this fails, the recogniser is asked to expect braces, or hears differently on each run."""
    phrases = phone_phrases()
    assert phrases == phone_phrases()
    assert len(phrases) > 500
    assert not any("{" in phrase or " | " in phrase for phrase in phrases)


def test_persona_lines_are_found_at_any_depth(tmp_path: Path) -> None:
    """If this fails, scripted callees are misheard because their lines are not in the model."""
    (tmp_path / "shop.toml").write_text(
        'name = "shop"\ngreeting = "Rose and Thorn."\n[[turn]]\nhear = "flowers"\nsay = ["Which ones?", "For whom?"]\n'
        '[turn.else]\nsay = "Pardon?"\n'
    )
    assert sorted(persona_lines(tmp_path)) == ["For whom?", "Pardon?", "Rose and Thorn.", "Which ones?"]


def test_any_word_gets_phones() -> None:
    """If this fails, a persona with an unusual name cannot be loaded."""
    assert guessed_pronunciation("schweetz") == "SH W IY T Z"
    assert guessed_pronunciation("ñ") == "AH"
