"""A request spoken into a relay, from a recording."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from floyd.documents import Status
from standins import audio, tones
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def recording(path: Path, words: str) -> Path:
    """These words in the audible code, in a file; whoever reads it brings it to the microphone's rate."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.SAMPLE_RATE)
        file.writeframes(audio.decode_mulaw(tones.encode(words)).tobytes())
    return path


def test_a_recording_becomes_a_call(town: Town, tmp_path: Path) -> None:
    """If this fails people cannot speak a request, or Floyd rings about something they did not say."""
    callee = library(town)
    person = reader(town, callee)
    command = [sys.executable, "-m", "floyd.command", "request", "--as", person.client.uid, "--json"]

    said = subprocess.run(
        [*command, "--voice", str(recording(tmp_path / "request.wav", NEWS))],
        env={**os.environ, "FLOYD_STACK_DIR": str(town.stack.options.directory)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert said.returncode == 0, said.stderr
    assert NEWS.lower() in said.stderr
    view = person.client.follow(json.loads(said.stdout)["id"]).wait_until(finished, DEADLINE_S)
    assert view.request is not None
    assert view.request.text == NEWS.lower()
    assert view.request.status is Status.DONE
    assert "tom baker is ill" in callee.heard()
