"""The instructions Floyd gives the carrier for a call or a text. Pure: values in, TwiML out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio.twiml.voice_response import VoiceResponse

# The name under which the stream token travels to the relay, in `start.customParameters`.
TOKEN_PARAMETER = "token"  # noqa: S105 - the parameter's name, not a token
# How long a call waits when two repairs of its broken stream race, before it asks again.
RESUME_PAUSE_S = 2
DO_NOT_CALL_KEY = "9"


def stream(relay_url: str, token: str, *, stream_callback: str, resume_url: str) -> str:
    """Connect the call's sound to a relay; when the socket closes, ask `resume_url` what to do next.

    `relay_url` is the relay's origin (`wss://host`); a Stream URL may not have a query, so the token is a Parameter.
    """
    response = _voice()
    media = response.connect().stream(
        url=f"{relay_url}/media", status_callback=stream_callback, status_callback_method="POST"
    )
    media.parameter(name=TOKEN_PARAMETER, value=token)
    response.redirect(resume_url, method="POST")
    return str(response)


def hang_up(goodbye: str = "") -> str:
    """End the call, after a last sentence if one is owed."""
    response = _voice()
    if goodbye:
        response.say(goodbye)
    response.hangup()
    return str(response)


def wait_and_ask_again(resume_url: str) -> str:
    """Hold the line for a moment while another repair of the same call is under way."""
    response = _voice()
    response.pause(length=RESUME_PAUSE_S)
    response.redirect(resume_url, method="POST")
    return str(response)


def who_rang(words: str, goodbye: str, *, keyed_url: str) -> str:
    """Tell somebody who rings back who had called, and let them key that Floyd must never ring again."""
    response = _voice()
    response.gather(num_digits=1, action=keyed_url, method="POST", timeout=8).say(words)
    response.say(goodbye)
    response.hangup()
    return str(response)


def _voice() -> VoiceResponse:
    from twilio.twiml.voice_response import VoiceResponse  # noqa: PLC0415 - slow vendor import

    return VoiceResponse()


def reply(text: str = "") -> str:
    """The answer to a text: another text, or nothing."""
    from twilio.twiml.messaging_response import MessagingResponse  # noqa: PLC0415 - slow vendor import

    response = MessagingResponse()
    if text:
        response.message(text)
    return str(response)
