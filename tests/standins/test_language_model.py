"""What the recogniser of speech expects to hear."""

from standins.language_model import phone_phrases, plain_words


def test_text_becomes_the_words_a_voice_says() -> None:
    """If this fails, the model expects words that no voice ever says."""
    assert plain_words("That's all — OK?  I'm late.") == "that's all ok i'm late"


def test_phrases_are_filled_and_the_same_each_time() -> None:
    """If this fails, the recogniser is asked to expect braces, or hears differently on each run."""
    phrases = phone_phrases()
    assert phrases == phone_phrases()
    assert len(phrases) > 500
    assert not any("{" in phrase or " | " in phrase for phrase in phrases)
