"""Voice by any server that has OpenAI's `POST /audio/speech`: its 24 kHz PCM becomes telephone sound as it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import numpy as np

from floyd import mulaw
from floyd.errors import VendorError
from floyd.settings import Settings

CONNECT_S = 1.0
REQUEST_S = 30.0
"""Longer than any sentence; whoever listens has deadlines of their own."""
IDLE_CONNECTION_S = 300.0
STEP = 3
"""24 kHz (OpenAI, "Create speech": pcm is 24 kHz, 16-bit signed little-endian, without a header) to 8 kHz."""
_TAPS = np.sinc(np.arange(-24, 25) * (2 * 3600 / 24_000)) * np.hamming(49)
_TAPS /= _TAPS.sum()


class Narrower:
    """24 kHz PCM to mu-law at 8 kHz, piece by piece, without a seam: a windowed sinc that cuts off at 3.6 kHz. It holds
    back one millisecond."""

    def __init__(self) -> None:
        self._bytes = b""
        self._samples = np.zeros(len(_TAPS) // 2)

    def feed(self, pcm: bytes) -> bytes:
        """Pieces may end in the middle of a sample."""
        pcm = self._bytes + pcm
        whole = len(pcm) - len(pcm) % 2
        self._bytes = pcm[whole:]
        self._samples = np.concatenate([self._samples, np.frombuffer(pcm[:whole], "<i2")])
        count = (len(self._samples) - len(_TAPS)) // STEP + 1
        if count <= 0:
            return b""
        filtered = np.convolve(self._samples[: (count - 1) * STEP + len(_TAPS)], _TAPS, "valid")[::STEP]
        self._samples = self._samples[count * STEP :]
        return mulaw.encode(np.clip(np.rint(filtered), -32768, 32767).astype("<i2").tobytes())


class OpenAISpeech:
    """The voice and server that the settings name. The key may be empty: servers of one's own often want none."""

    def __init__(self, settings: Settings) -> None:
        import httpx2  # noqa: PLC0415 - slow vendor import, as the next
        import openai  # noqa: PLC0415

        self.name = settings.floyd_voice
        self._model = settings.floyd_voice_model
        self._errors = openai.OpenAIError, httpx2.HTTPError
        self._client = openai.AsyncOpenAI(
            api_key=settings.floyd_voice_api_key.get_secret_value() or "none",
            base_url=settings.floyd_voice_base_url,
            max_retries=0,
            timeout=httpx2.Timeout(REQUEST_S, connect=CONNECT_S),
            http_client=openai.DefaultAsyncHttpxClient(limits=httpx2.Limits(keepalive_expiry=IDLE_CONNECTION_S)),
        )
        self._speech = self._client.audio.speech.with_streaming_response

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """The text as mu-law, in pieces as they arrive. Raises VendorError."""
        narrower = Narrower()
        try:
            async with self._speech.create(
                model=self._model, voice=self.name, input=text, response_format="pcm"
            ) as response:
                async for pcm in response.iter_bytes():
                    if sound := narrower.feed(pcm):
                        yield sound
        except self._errors as error:
            status = getattr(error, "status_code", None)
            retryable = status is None or status in (408, 409, 429) or status >= 500
            raise VendorError("voice", str(error), retryable=retryable, code=str(status or "connection")) from error

    def warm(self) -> None:
        """A connection is kept between sentences and calls; there is no cheap way to open one before."""

    async def close(self) -> None:
        await self._client.close()
