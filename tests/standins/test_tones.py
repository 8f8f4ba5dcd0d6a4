"""The audible code: what is said is heard, and what is damaged on the way shows."""

import string

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from standins.audio import FRAME, SAMPLE_RATE, SILENCE, decode_mulaw, encode_mulaw, loudness_db
from standins.tones import (
    ALPHABET,
    GARBLED,
    TONES_HZ,
    Decoder,
    HeardWord,
    decode,
    encode,
    sounds_like_code,
    spoken_words,
)

KEYPAD_HZ = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
SENTENCE = "Hello, this is an AI assistant calling for Tom Baker. This call is transcribed."
WORDS = st.text(ALPHABET, min_size=1, max_size=14)


def hear(sound: bytes, sizes: list[int]) -> list[HeardWord]:
    """Everything a decoder hears in *sound* when it comes in chunks of *sizes* bytes, over and over."""
    decoder, heard, at, turn = Decoder(), [], 0, 0
    while at < len(sound):
        heard += decoder.feed(sound[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    return heard + decoder.finish()


@given(st.text(string.printable, max_size=80))
def test_what_is_spoken_is_heard(text: str) -> None:
    """If this fails, tests that compare words are meaningless."""
    assert decode(encode(text)) == " ".join(spoken_words(text))


@given(
    st.lists(WORDS, min_size=1, max_size=6), st.integers(0, 400), st.lists(st.integers(1, 900), min_size=1, max_size=4)
)
def test_chunks_and_alignment_do_not_matter(words: list[str], offset: int, sizes: list[int]) -> None:
    """If this fails, what is heard depends on how a network cuts the stream."""
    sound = SILENCE * offset + encode(" ".join(words))
    heard = hear(sound, sizes)
    assert [word.word for word in heard] == words
    assert heard == hear(sound, [len(sound)])
    assert heard[0].start_ms == pytest.approx(offset / 8, abs=1)


@given(WORDS, st.integers(0, FRAME - 1), st.data())
@settings(max_examples=300)
def test_a_damaged_frame_shows(word: str, offset: int, data: st.DataObject) -> None:
    """If this fails, lost, doubled, swapped or blanked audio passes silently."""
    sound = SILENCE * (2 * FRAME + offset) + encode(word)
    sound += SILENCE * (2 * FRAME - len(sound) % FRAME)
    frames = [sound[at : at + FRAME] for at in range(0, len(sound), FRAME)]
    end = 2 * FRAME + offset + len(encode(word).rstrip(SILENCE))
    inside = data.draw(st.integers(-(-(2 * FRAME + offset) // FRAME), end // FRAME - 1))
    before, frame, after = frames[:inside], frames[inside], frames[inside + 1 :]
    damage = data.draw(st.sampled_from(["lost", "doubled", "swapped", "blank"]))
    if damage == "swapped":
        assume((inside + 2) * FRAME <= end)
        damaged = [*before, after[0], frame, *after[1:]]
    else:
        damaged = {"lost": [*before, *after], "doubled": [*frames[: inside + 1], frame, *after]}.get(
            damage, [*before, SILENCE * FRAME, *after]
        )
    heard = decode(b"".join(damaged))
    assert heard != word
    # A single character in pieces is too short to be told from noise: nothing is heard of it.
    assert GARBLED in heard or (len(word) == 1 and not heard)


@pytest.mark.parametrize("gain_db", [-10, 0, 10])
@pytest.mark.parametrize("noise", [0, 80])
def test_level_and_hiss_do_not_matter(gain_db: int, noise: int) -> None:
    """If this fails, a quiet or noisy line garbles words that no frame was lost of."""
    pcm = decode_mulaw(SILENCE * 1000 + encode(SENTENCE)) * 10 ** (gain_db / 20)
    pcm = pcm + np.random.default_rng(8000).normal(0, noise, len(pcm))
    assert decode(encode_mulaw(np.clip(pcm, -32768, 32767).astype(np.int16))) == " ".join(spoken_words(SENTENCE))


def test_a_second_mu_law_encoding_does_no_harm() -> None:
    """If this fails, a relay that decodes and encodes again garbles the code."""
    sound = encode(SENTENCE)
    assert decode(encode_mulaw(decode_mulaw(sound))) == decode(sound)


def test_it_passes_for_a_voice_at_telephone_level() -> None:
    """If this fails, voice detectors tuned for speech do not hear the code, or time limits for speech do not fit it."""
    sound = encode(SENTENCE)
    assert -25 < loudness_db(sound) < -18
    assert 2.5 < len(spoken_words(SENTENCE)) / (len(sound) / SAMPLE_RATE) < 4.5
    assert len(sound) % FRAME == 0
    assert not sound.startswith(SILENCE * 8)


def test_no_tone_is_near_a_key() -> None:
    """If this fails, code may be taken for a pressed key, or the other way round."""
    assert all(abs(tone / key - 1) > 0.025 for tone in TONES_HZ for key in KEYPAD_HZ)
    assert TONES_HZ.min() > 300
    assert TONES_HZ.max() < 3400


def test_other_sounds_are_not_code() -> None:
    """If this fails, noise, keys, ringing or music are reported as garbled words."""
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    rng = np.random.default_rng(8000)
    sounds = {
        "noise": rng.normal(0, 1500, len(t)),
        "ringing": 4000 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)),
        "key 1": 4000 * (np.sin(2 * np.pi * 697 * t) + np.sin(2 * np.pi * 1209 * t)),
        "chord": sum(2000 * np.sin(2 * np.pi * hz * t) for hz in (262, 330, 392, 523)),
        "buzz": 3000 * np.sign(np.sin(2 * np.pi * 120 * t)),
    }
    for name, wave in sounds.items():
        pcm = np.asarray(wave).astype(np.int16)
        assert not sounds_like_code(pcm), name
        assert decode(encode_mulaw(pcm)) == "", name


def test_figures_are_spoken_as_words_of_the_code() -> None:
    """If this fails, an oracle that compares spoken words with a text's words sees differences that are none."""
    words = "it's 560 dollars or 1200 dollars 50 cents ok 20 percent off jose's"
    assert " ".join(spoken_words("It's $560, or $1,200.50 – OK? 20% off; José's.")) == words


def test_a_word_cut_short_is_garbled() -> None:
    """If this fails, "fourteen" that was interrupted is heard as "four"."""
    whole = encode("fourteen")
    for frames in range(2, 17):
        assert decode(whole[: frames * FRAME]) == GARBLED
