"""A request spoken into a relay, from a WAV file as if from a microphone."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
import wave
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text
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
    count = round(len(samples) * RATE_HZ / rate)
    if rate != RATE_HZ and count:
        # The spectrum cut or filled up, which is exact for a whole file.
        spectrum = np.fft.rfft(samples)[: count // 2 + 1]
        samples = np.fft.irfft(spectrum, count) * (count / len(samples))
    sound: bytes = samples.round().clip(-32768, 32767).astype("<i2").tobytes()
    return sound


def dictate(client: Client, recording: Path, console: Console) -> str:
    """Speak a recording at the pace of speech; the id of the request that the relay made of it.

    Words are shown as they are understood. Raises FloydError when nothing was.
    """
    sound = read_sound(recording)
    address = str(client.call("POST", "/dictations", {})["url"])
    try:
        with connect(address, open_timeout=ANSWER_S) as socket:
            hello = {"type": "auth", "token": client.token(), "idempotency_key": uuid.uuid4().hex}
            socket.send(json.dumps(hello))
            return _speak(socket, sound + bytes(int(QUIET_S * RATE_HZ) * 2), console)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise FloydError(f"The relay ended the dictation: {error}") from error


def _speak(socket: ClientConnection, sound: bytes, console: Console) -> str:
    """Send everything at its pace, then wait for the answer; the request's id as soon as it has been sent."""
    size, due = int(RATE_HZ * CHUNK_S) * 2, time.monotonic()
    pieces: list[bytes | str] = [sound[place : place + size] for place in range(0, len(sound), size)]
    for piece in [*pieces, json.dumps({"type": "stop"})]:
        socket.send(piece)
        due += CHUNK_S if isinstance(piece, bytes) else ANSWER_S
        while (left_s := due - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                if rid := _understood(socket.recv(timeout=left_s), console):
                    return rid
    raise TimeoutError(f"no answer for {ANSWER_S:.0f} s")


def _understood(message: str | bytes, console: Console) -> str | None:
    """Handle one message of the relay; the request's id once there is one."""
    match json.loads(message):
        case {"type": "final", "text": text}:
            console.print(Text(text))
        case {"type": "interim", "text": text} if console.is_terminal:
            console.print(Text(text, "bright_black italic", no_wrap=True, overflow="ellipsis"), end="\r")
        case {"type": "empty"}:
            raise FloydError("The relay heard no words in it")
        case {"type": "sent", "id": rid}:
            return str(rid)
    return None
