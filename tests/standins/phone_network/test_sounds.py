"""Signals, music, keys and echoes, as a line carries them."""

import numpy as np
import pytest

from relay.core import dtmf
from standins import speaker, tones
from standins.audio import FRAME, decode_mulaw, loudness_db
from standins.phone_network.line import QUIET
from standins.phone_network.script import Script
from standins.phone_network.sounds import KeyEar, Room, sound


def keys(mulaw: bytes) -> str:
    """The keys heard in a sound."""
    ear = KeyEar()
    return "".join(ear.hear(mulaw[at : at + FRAME].ljust(FRAME, b"\xff"))[1] for at in range(0, len(mulaw), FRAME))


@pytest.mark.parametrize("shift", [0, 37, 80, 123])
def test_every_key_is_heard(shift: int) -> None:
    """If this fails menus do not hear what Floyd presses."""
    assert keys(b"\xff" * shift + dtmf.render("0123456789*#ABCD")) == "0123456789*#ABCD"


@pytest.mark.parametrize("voice", speaker.available())
def test_no_voice_is_a_key(voice: str) -> None:
    """If this fails talking to a menu presses keys."""
    assert keys(speaker.render("please tell me which of these five departments opens at nine today", voice)) == ""


@pytest.mark.parametrize("kind", ["beep", "ringback", "busy", "fax", "music", "noise"])
def test_no_signal_is_a_key(kind: str) -> None:
    """If this fails hold music presses keys."""
    assert keys(sound(kind, 12, -15)) == ""


def test_signals_are_what_they_are_called() -> None:
    """If this fails a detector is tried on the wrong sound."""
    for kind, hz in (("beep", 1000), ("fax", 2100)):
        spectrum = np.abs(np.fft.rfft(decode_mulaw(sound(kind, 0.5, -20)).astype(float)))
        assert int(spectrum.argmax()) * 2 == hz
    ringing = sound("ringback", 6, -20)
    assert [loudness_db(ringing[s * 8000 : (s + 1) * 8000]) > -60 for s in range(6)] == [True] * 2 + [False] * 4
    for kind in ("beep", "music", "noise"):
        assert loudness_db(sound(kind, 0.6, -23)) == pytest.approx(-23, abs=0.5)


def test_an_echo_comes_back_late_and_softer() -> None:
    """If this fails Floyd is never tried against its own voice."""
    room = Room(Script.model_validate({"echo": {"level": 0.25, "delay_ms": 40}}))
    voice = tones.encode("hello")[:FRAME]
    back = [room.add(QUIET, voice if place == 0 else QUIET) for place in range(4)]

    assert [frame != QUIET for frame in back] == [False, False, True, False]
    assert loudness_db(back[2]) == pytest.approx(loudness_db(voice) - 12, abs=0.5)


def test_a_hiss_never_stops_and_a_quiet_line_has_none() -> None:
    """If this fails comfort noise cannot be told from digital silence."""
    hissing, quiet = Room(Script(hiss_db=-55)), Room(Script())

    assert all(loudness_db(hissing.add(QUIET, QUIET)) == pytest.approx(-55, abs=3) for _ in range(100))
    assert quiet.add(QUIET, QUIET) is QUIET
