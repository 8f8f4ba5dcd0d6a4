"""Ears by Google Speech-to-Text v2, streaming.

A stream at Google lives five minutes at most, breaks for reasons of its own and cannot be resumed; a call knows nothing
of that. So one ear uses many streams, one at a time: sound is kept until a final result covers it, and each new stream
starts where the last final ended. One stream speaks for each stretch of sound: no word is lost or doubled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
from google.cloud.speech_v2.types import cloud_speech

from relay.core.events import EarLost, EarRestored, FinalHeard, InterimHeard
from relay.ears import EarsUsage, Heard, Sound
from relay.google_channel import EOF

_Request: Any = cloud_speech.StreamingRecognizeRequest.pb()
_Response: Any = cloud_speech.StreamingRecognizeResponse.pb()
# The bare protobuf classes: the library's wrappers cost more per message than all our own work on it.
_METHOD = "/google.cloud.speech.v2.Speech/StreamingRecognize"

CHUNK_MS = 40
"""Sound per message: half the remote calls of 20 ms at half a frame's mean delay; 100 ms costs a turn 58 ms more."""
KEPT_S = 20.0
"""Sound kept for the next stream when no final covers it."""
PREROLL_MS = 300
"""Repeated before the first voice that has no final yet: word onsets are softer than what a detector calls voice."""
ROTATE_S = 230.0
"""A stream is replaced at the first pause after this; Google ends it at 300 s (Speech-to-Text quotas)."""
ROTATE_AT_ONCE_S = 270.0
DEAF_MS = 3000
"""Voice without any answer for this long: the stream hangs. Doubles with each vain attempt: it may be hold music."""
DEAF_LIMIT_MS = 60_000
LOST_S = 3.0
"""Without a working stream for this long the callee is told that we cannot hear."""
SHORT_LIFE_S = 1.0
"""A stream that ends sooner has failed, whatever its status says."""
OPEN_S = 3.0
BACKOFF_S = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
_ROUTINE = (grpc.StatusCode.OK, grpc.StatusCode.ABORTED, grpc.StatusCode.OUT_OF_RANGE)
"""How Google ends a stream that has run too long or heard nothing for too long: nothing is wrong with the service."""


class GoogleSpeech:
    """Opens ears on one channel."""

    def __init__(self, channel: grpc.aio.Channel, *, project: str, location: str, model: str) -> None:
        self._channel = channel
        self._recognizer = f"projects/{project}/locations/{location}/recognizers/_"
        self._model = model
        self._method = channel.stream_stream(
            _METHOD, request_serializer=_Request.SerializeToString, response_deserializer=_Response.FromString
        )

    def open(self, report: Callable[[Heard], None], *, sound: Sound, language: str) -> GoogleEars:
        return GoogleEars(self._method, self._configuration(sound, language), report, sound)

    async def close(self) -> None:
        await self._channel.close(None)

    def _configuration(self, sound: Sound, language: str) -> Any:
        phone = sound is Sound.PHONE
        encoding = cloud_speech.ExplicitDecodingConfig.AudioEncoding
        return cloud_speech.StreamingRecognizeRequest.pb(
            cloud_speech.StreamingRecognizeRequest(
                recognizer=self._recognizer,
                streaming_config=cloud_speech.StreamingRecognitionConfig(
                    config=cloud_speech.RecognitionConfig(
                        explicit_decoding_config=cloud_speech.ExplicitDecodingConfig(
                            encoding=encoding.MULAW if phone else encoding.LINEAR16,
                            sample_rate_hertz=8000 if phone else 16000,
                            audio_channel_count=1,
                        ),
                        model=self._model,
                        language_codes=[language],
                        features=cloud_speech.RecognitionFeatures(enable_automatic_punctuation=True),
                    ),
                    streaming_features=cloud_speech.StreamingRecognitionFeatures(
                        interim_results=True, enable_voice_activity_events=True
                    ),
                ),
            )
        )


class GoogleEars:
    """One party's ears. Times are counted in the sound given to `hear`; chunk `i` covers `i * CHUNK_MS` onwards."""

    def __init__(self, method: Any, configuration: Any, report: Callable[[Heard], None], sound: Sound) -> None:
        self._method = method
        self._configuration = configuration
        self._report = report
        self._sound = sound
        self._loop = asyncio.get_running_loop()
        self._chunk_bytes = CHUNK_MS * sound.bytes_per_ms
        self._partial = bytearray()
        self._partial_voiced = False
        self.chunks: deque[bytes] = deque()
        self.first = 0  # index of chunks[0]
        self.finished = False
        self._all_heard = asyncio.Event()
        self._last_final_ms = 0
        self._voice_ms: int | None = None  # first voice that no final covers
        self._last_voice_ms = 0
        self._unanswered_ms = 0
        self._deaf_ms = DEAF_MS
        self._failures = 0
        self._failing_since: float | None = None
        self._lost = False
        self._closed = False
        self._retry: asyncio.TimerHandle | None = None
        self._sent_s = 0.0
        self._rotations = 0
        self._dropped_ms = 0
        self._stream: _Stream | None = None
        self._open_stream()

    @property
    def usage(self) -> EarsUsage:
        sent = self._sent_s + (self._stream.sent * CHUNK_MS / 1000 if self._stream else 0.0)
        return EarsUsage(sent_s=sent, rotations=self._rotations, dropped_ms=self._dropped_ms)

    def hear(self, audio: bytes, *, voiced: bool) -> None:
        self._partial += audio
        self._partial_voiced |= voiced
        while len(self._partial) >= self._chunk_bytes:
            chunk = bytes(self._partial[: self._chunk_bytes])
            del self._partial[: self._chunk_bytes]
            self._keep(chunk, self._partial_voiced)
            self._partial_voiced = voiced

    async def finish(self) -> None:
        if self._partial:
            self._keep(bytes(self._partial), voiced=False)
            self._partial.clear()
        self.finished = True
        if self._stream:
            self._stream.more.set()
        await self._all_heard.wait()

    async def close(self) -> None:
        self._closed = True
        if self._retry:
            self._retry.cancel()
        self._drop_stream()

    @property
    def end(self) -> int:
        """Index one beyond the newest chunk."""
        return self.first + len(self.chunks)

    def _keep(self, chunk: bytes, voiced: bool) -> None:
        at_ms = self.end * CHUNK_MS
        self.chunks.append(chunk)
        if voiced:
            self._last_voice_ms = at_ms + CHUNK_MS
            self._unanswered_ms += CHUNK_MS
            if self._voice_ms is None:
                self._voice_ms = at_ms
        if len(self.chunks) * CHUNK_MS > KEPT_S * 1000:
            self.chunks.popleft()
            self.first += 1
            if self._stream and self._stream.next < self.first:
                self._stream.next = self.first
                self._stream.shift_ms += CHUNK_MS
                self._dropped_ms += CHUNK_MS
        if self._stream:
            self._stream.more.set()
            self._judge(self._stream, voiced)

    def _judge(self, stream: _Stream, voiced: bool) -> None:
        age_s = self._loop.time() - stream.opened_at
        if (age_s > ROTATE_S and self._voice_ms is None and not voiced) or age_s > ROTATE_AT_ONCE_S:
            self._rotations += 1
            self._open_stream()
        elif self._unanswered_ms > self._deaf_ms:
            if self._deaf_ms > DEAF_MS:  # a fresh stream did not help
                self._tell_lost("no answers to voice")
            self._deaf_ms = min(2 * self._deaf_ms, DEAF_LIMIT_MS)
            self._rotations += 1
            self._open_stream()

    def _open_stream(self) -> None:
        """Go on from the first sound that no final covers and that may hold words."""
        self._drop_stream()
        self._retry = None
        self._unanswered_ms = 0
        if self._closed:
            return
        from_ms = self.end * CHUNK_MS if self._voice_ms is None else self._voice_ms
        start = max(self.first, self._last_final_ms // CHUNK_MS, (from_ms - PREROLL_MS) // CHUNK_MS)
        self._stream = _Stream(self, self._method, self._configuration, min(start, self.end))

    def _drop_stream(self) -> None:
        if self._stream:
            self._sent_s += self._stream.sent * CHUNK_MS / 1000
            self._stream.close()
            self._stream = None

    def ended(self, stream: _Stream, code: grpc.StatusCode, detail: str) -> None:
        """A stream is over; open another, at once if that is routine, else after a growing pause."""
        if stream is not self._stream or self._closed:
            return
        self._drop_stream()
        if self.finished and code is grpc.StatusCode.OK:
            self._all_heard.set()
            return
        self._rotations += 1
        now = self._loop.time()
        lived_s = now - stream.opened_at
        routine = code in _ROUTINE and lived_s > SHORT_LIFE_S
        self._failures = 0 if routine else self._failures + 1
        if self._failing_since is None or lived_s > LOST_S:
            self._failing_since = now
        elif not routine and now - self._failing_since > LOST_S:
            self._tell_lost(f"{code.name}: {detail}")
        pause_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._retry = self._loop.call_later(pause_s, self._open_stream)

    def _tell_lost(self, error: str) -> None:
        if not self._lost:
            self._lost = True
            self._report(EarLost(error))

    def take(self, stream: _Stream, response: Any) -> None:
        """Turn one response into events."""
        if stream is not self._stream:
            return
        self._failures = 0
        self._unanswered_ms = 0
        self._deaf_ms = DEAF_MS
        self._failing_since = None
        if self._lost:
            self._lost = False
            self._report(EarRestored())
        base_ms = stream.base_ms + stream.shift_ms
        interims: list[Any] = []
        for result in response.results:
            if not result.alternatives:
                continue
            if result.is_final:
                self._take_final(result, base_ms)
            else:
                interims.append(result)
        text = "".join(result.alternatives[0].transcript for result in interims).strip()
        if text:
            end_ms = self._end_ms(interims[-1], base_ms)
            start_ms = min(self._start_ms(), end_ms)
            self._report(InterimHeard(text, min(1.0, max(0.0, interims[0].stability)), start_ms, end_ms))

    def _take_final(self, result: Any, base_ms: int) -> None:
        end_ms = self._end_ms(result, base_ms)
        if end_ms <= self._last_final_ms:
            return
        best = result.alternatives[0]
        start_ms = min(self._start_ms(), end_ms)
        self._last_final_ms = end_ms
        self._voice_ms = None if self._last_voice_ms <= end_ms + PREROLL_MS else end_ms
        sent = self._stream.next if self._stream else self.end
        while self.chunks and self.first < min(end_ms // CHUNK_MS, sent):
            self.chunks.popleft()
            self.first += 1
        text = best.transcript.strip()
        if text:
            self._report(FinalHeard(text, min(1.0, max(0.0, best.confidence)), start_ms, end_ms))

    def _start_ms(self) -> int:
        """Google gives ends only; the beginning is the first voice after the last final."""
        return max(self._last_final_ms, self._voice_ms or 0)

    def _end_ms(self, result: Any, base_ms: int) -> int:
        offset = result.result_end_offset
        offset_ms: int = offset.seconds * 1000 + offset.nanos // 1_000_000
        heard_ms = self.end * CHUNK_MS
        return min(base_ms + offset_ms, heard_ms) if offset_ms else heard_ms


class _Stream:
    """One stream at Google: a task that sends chunks from `next` on and a task that reads."""

    def __init__(self, ears: GoogleEars, method: Any, configuration: Any, start: int) -> None:
        loop = asyncio.get_running_loop()
        self.opened_at = loop.time()
        self.next = start
        self.base_ms = start * CHUNK_MS
        self.shift_ms = 0  # sound that was dropped before it could be sent
        self.sent = 0
        self.more = asyncio.Event()
        self._ears = ears
        self._call = method()
        self._tasks = (
            loop.create_task(self._send(configuration)),
            loop.create_task(self._receive()),
        )

    def close(self) -> None:
        self._call.cancel()
        for task in self._tasks:
            task.cancel()

    async def _send(self, configuration: Any) -> None:
        ears = self._ears
        try:
            async with asyncio.timeout(OPEN_S):
                await self._call.write(configuration)
            while True:
                while self.next < ears.end:
                    chunk = ears.chunks[self.next - ears.first]
                    self.next += 1
                    self.sent += 1
                    await self._call.write(_Request(audio=chunk))
                if ears.finished:
                    await self._call.done_writing()
                    return
                self.more.clear()
                await self.more.wait()
        except TimeoutError:
            ears.ended(self, grpc.StatusCode.UNAVAILABLE, f"not open within {OPEN_S} s")
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the reader sees the same failure, with its status

    async def _receive(self) -> None:
        call = self._call
        try:
            while (response := await call.read()) is not EOF:
                self._ears.take(self, response)
            self._ears.ended(self, await call.code(), await call.details() or "")
        except grpc.aio.AioRpcError as error:
            self._ears.ended(self, error.code(), error.details() or "")
