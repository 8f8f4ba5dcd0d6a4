"""A request spoken into a relay, from a WAV file as if from a microphone."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from floyd.command.client import Client
from floyd.errors import FloydError, InvalidInputError

RATE_HZ = 16_000
CHUNK_S = 0.04
# The relay sends the request by itself after 0.8 s of quiet; a file may end in the middle of its last word.
QUIET_S = 1.5
# A final result and the intake's commit follow the quiet.
ANSWER_S = 15.0
LONGEST_S = 120.0


def read_sound(path: Path) -> bytes:
    """A WAV file of 16-bit samples as 16 kHz mono, little-endian. Raises InvalidInputError for anything else."""
    try:
        with wave.open(str(path)) as file:
            channels, width, rate, frames = file.getparams()[:4]
            if width != 2 or frames > rate * LONGEST_S:
                raise InvalidInputError(f"{path}: expected 16-bit samples and at most {LONGEST_S:.0f} s")
            samples = np.frombuffer(file.readframes(frames), "<i2").reshape(-1, channels).mean(axis=1)
    except (OSError, EOFError, wave.Error) as error:
        raise InvalidInputError(f"{path} is not a readable WAV file: {error}") from error
    return _resampled(samples, rate).round().clip(-32768, 32767).astype("<i2").tobytes()


def _resampled(samples: np.ndarray[Any, np.dtype[np.float64]], rate_hz: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The same sound at 16 kHz: its spectrum cut or filled up, which is exact for a whole file."""
    count = round(len(samples) * RATE_HZ / rate_hz)
    if rate_hz == RATE_HZ or not count:
        return samples
    spectrum = np.fft.rfft(samples)
    resized = np.zeros(count // 2 + 1, complex)
    kept = min(len(spectrum), len(resized))
    resized[:kept] = spectrum[:kept]
    return np.fft.irfft(resized, count) * (count / len(samples))


def dictate(client: Client, sound: bytes, *, tell: Callable[[str, bool], None]) -> str:
    """Speak `sound` at the pace of speech; the id of the request that the relay made of it.

    `tell` receives the words so far and whether they are final. Raises FloydError when nothing was understood.
    """
    address = str(client.call("POST", "/dictations", {})["url"])
    try:
        with connect(address, open_timeout=ANSWER_S) as socket:
            hello = {"type": "auth", "token": client.token(), "idempotency_key": uuid.uuid4().hex}
            socket.send(json.dumps(hello))
            return _speak(socket, sound + bytes(int(QUIET_S * RATE_HZ) * 2), tell)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise FloydError(f"The relay ended the dictation: {error}") from error


def _speak(socket: ClientConnection, sound: bytes, tell: Callable[[str, bool], None]) -> str:
    """Send everything at its pace, then wait for the answer; the request's id as soon as it has been sent."""
    size, due = int(RATE_HZ * CHUNK_S) * 2, time.monotonic()
    pieces: list[bytes | str] = [sound[place : place + size] for place in range(0, len(sound), size)]
    for piece in [*pieces, json.dumps({"type": "stop"})]:
        socket.send(piece)
        due += CHUNK_S if isinstance(piece, bytes) else ANSWER_S
        while (left_s := due - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                if rid := _understood(socket.recv(timeout=left_s), tell):
                    return rid
    raise TimeoutError(f"no answer for {ANSWER_S:.0f} s")


def _understood(message: str | bytes, tell: Callable[[str, bool], None]) -> str | None:
    """Handle one message of the relay; the request's id once there is one."""
    said = json.loads(message)
    if said["type"] in ("interim", "final"):
        tell(said["text"], said["type"] == "final")
    if said["type"] == "empty":
        raise FloydError("The relay heard no words in it")
    return str(said["id"]) if said["type"] == "sent" else None
