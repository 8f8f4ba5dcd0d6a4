"""What the recogniser of speech expects to hear."""

import math
from collections import defaultdict

import pytest

from standins.language_model import arpa, phone_phrases, plain_words


def test_text_becomes_the_words_a_voice_says() -> None:
    """If this fails, the model expects words that no voice ever says."""
    assert plain_words("That's all — OK?  I'm late.") == "that's all ok i'm late"


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
