"""Speech as the vendor's own client has it."""

import httpx2
import numpy as np
import openai
import pytest

from standins import tones
from standins.audio import encode_mulaw
from tests.standins.openai.conftest import StandIn

TEXT = "your table is booked for seven"


def telephone(pcm: bytes) -> bytes:
    """Every third sample: the stand-in says each three times."""
    return encode_mulaw(np.frombuffer(pcm, "<i2")[::3].astype(np.int16))


async def spoken(standin: StandIn, **changed: object) -> bytes:
    asked: dict[str, object] = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": "pcm"} | changed
    async with standin.openai.audio.speech.with_streaming_response.create(**asked) as response:  # type: ignore[arg-type]
        return b"".join([piece async for piece in response.iter_bytes()])


async def test_the_vendors_client_hears_the_text(standin: StandIn) -> None:
    """If this fails the second voice is tested against something that no client would understand."""
    assert tones.decode(telephone(await spoken(standin))) == TEXT


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"voice": "en-US-Chirp3-HD-Charon"}, "voice"),
        ({"model": "gpt-6-luna"}, "model"),
        ({"response_format": "mulaw"}, "response_format"),
        ({"extra_body": {"sample_rate": 8000}}, "sample_rate"),
    ],
)
async def test_what_the_vendor_would_refuse_is_refused(
    standin: StandIn, changed: dict[str, object], param: str
) -> None:
    """If this fails a client that the vendor refuses passes here."""
    with pytest.raises(openai.BadRequestError) as caught:
        await spoken(standin, **changed)
    assert caught.value.param == param


async def test_a_speech_can_be_refused_or_cut_off(standin: StandIn) -> None:
    """If this fails nothing shows what becomes of a call whose voice breaks."""
    whole = len(await spoken(standin))
    for fault in ({"kind": "status", "status": 503}, {"kind": "truncated"}, {"kind": "cut", "after_tokens": 3}):
        assert (await standin.http.post("/control/faults", json={"of": "speech", **fault})).status_code == 201
    with pytest.raises(openai.InternalServerError):
        await spoken(standin)
    assert len(await spoken(standin)) < whole
    with pytest.raises(httpx2.RemoteProtocolError):
        await spoken(standin)
