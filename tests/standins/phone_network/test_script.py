"""The personas of the repository: complete, rendered, reachable at every hour."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers.timezone import time_zones_for_number

from standins.audio import FRAME, is_loud
from standins.phone_network.forms import is_number
from standins.phone_network.script import Script, load_persona, load_personas
from standins.phone_network.sounds import RENDERED, rendered_path

PERSONAS = load_personas()


def test_files_and_lines_agree() -> None:
    """If this fails a persona is silent or robotic without flite, or the repository carries sound nobody says."""
    wanted = {rendered_path(text, script.voice) for script in PERSONAS for text in script.texts()}

    assert set(RENDERED.glob("*/*.ulaw")) == wanted, "run python -m standins.phone_network.sounds"
    for path in wanted:
        sound = path.read_bytes()
        frames = [sound[at : at + FRAME] for at in range(0, len(sound), FRAME)]
        assert sum(map(is_loud, frames)) * 0.02 > 0.2, f"{path.name} is not audible"
        assert path.stat().st_size < 60_000


def test_different_lines_have_different_files() -> None:
    """If this fails one line is heard as another."""
    texts = {text for script in PERSONAS for text in script.texts()}

    assert len({rendered_path(text, "rms") for text in texts}) == len(texts)


@pytest.mark.parametrize("script", PERSONAS, ids=lambda script: script.name)
def test_somewhere_it_is_day(script: Script) -> None:
    """If this fails there is an hour at which the demo may ring nobody."""
    zones = [ZoneInfo(time_zones_for_number(phonenumbers.parse(number))[0]) for number in script.numbers]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(0, 24 * 365, 7):
        moment = start + timedelta(hours=hour)
        assert any(8 <= moment.astimezone(zone).hour < 21 for zone in zones), f"{script.name} at {moment}"


def test_numbers_are_valid_and_nobody_shares_one() -> None:
    """If this fails a persona cannot be rung, or two answer at once."""
    numbers = [number for script in PERSONAS for number in script.numbers]

    assert all(is_number(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_persona_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    """If this fails the author of a persona looks for a mistake in the dark."""
    (tmp_path / "odd.toml").write_text('again = "nowhere"')

    with pytest.raises(ValueError, match=r"(?s)odd\.toml.*nowhere"):
        load_persona(tmp_path / "odd.toml")
