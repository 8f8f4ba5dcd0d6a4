"""`python -m relay`: read the settings, build the clients, serve until SIGTERM."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys

import uvloop

from floyd import logs
from floyd.carrier import Carrier
from floyd.errors import ConfigError
from floyd.identity import Tokens
from floyd.intake import Intake
from floyd.openai_speech import OpenAISpeech
from floyd.settings import Settings
from floyd.store import Store
from relay.admission import Admission
from relay.breaker import Breaker
from relay.core.policy import Policy
from relay.dictation import Dictation
from relay.google_channel import open_channel
from relay.google_speech import GoogleSpeech
from relay.google_voice import GoogleVoice
from relay.listening import Listening
from relay.media_call import House, MediaCall
from relay.openai_responses import OpenAIMind
from relay.pacer import Pacer
from relay.registry import Registry
from relay.rendered import RenderedLines
from relay.server import RelayServer
from relay.session import Tools
from relay.voice import PunctualVoice, Voice

logger = logging.getLogger("relay")

CALLS_PER_CORE = 80
"""More than this and turn gaps grow (measured with stand-in vendors; the process uses one core)."""


async def serve(settings: Settings) -> None:
    """One relay, from its clients to their end."""
    from google.cloud.firestore import AsyncClient  # noqa: PLC0415 - after the settings have been found good

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url = settings.own_relay_url
    location = settings.floyd_speech_location or settings.floyd_region
    client = AsyncClient(project=settings.google_cloud_project)
    store = Store(client)
    carrier = Carrier(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        api_base=settings.floyd_twilio_api_base,
    )
    ears = GoogleSpeech(
        open_channel(f"{location}-speech.googleapis.com", settings.floyd_speech_endpoint),
        project=settings.google_cloud_project,
        location=location,
        model=settings.floyd_speech_model,
    )
    voice = PunctualVoice(_voice(settings))
    mind = OpenAIMind(api_key=settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url)
    tools = Tools(
        ears=ears,
        mind=mind,
        voice=voice,
        pacer=Pacer(),
        breaker=Breaker(),
        models=(settings.floyd_mind_model, settings.floyd_mind_fallback_model),
    )
    house = House(
        store,
        carrier,
        tools,
        RenderedLines(store, settings.floyd_voice),
        settings.floyd_caller_number,
        Policy() if settings.floyd_speculation else Policy(speculations_per_turn=0),
    )
    admission = Admission(
        store,
        url=url,
        account_sid=settings.twilio_account_sid,
        tokens=[
            token.get_secret_value() for token in (settings.twilio_auth_token, settings.floyd_twilio_auth_token_next)
        ],
        origins=settings.floyd_web_origins,
    )
    calls: set[MediaCall] = set()
    capacity = min(CALLS_PER_CORE, settings.floyd_max_calls)
    registry = Registry(store, url, capacity=capacity, live=lambda: len(calls))
    tokens = Tokens(settings)
    server = RelayServer(
        house,
        admission,
        registry,
        calls,
        dictate=Dictation(ears, tokens.verify, Intake(store, settings).take, language=settings.floyd_language).dictate,
        attend=Listening(tokens.verify, calls).attend,
    )
    try:
        await server.run(settings.port, stop, started=_announce)
    finally:
        await asyncio.gather(ears.close(), voice.close(), mind.close(), carrier.close())
        await client._firestore_api.transport.close()  # the async client has no way of its own to let go of its channel


def _voice(settings: Settings) -> Voice:
    if settings.floyd_voice_backend == "openai-speech":
        return OpenAISpeech.chosen(settings)
    return GoogleVoice(
        open_channel("texttospeech.googleapis.com", settings.floyd_tts_endpoint),
        name=settings.floyd_voice,
        language="-".join(settings.floyd_voice.split("-")[:2]),
    )


def _announce(port: int) -> None:
    """Tell whoever started us that calls can come."""
    sys.stdout.write(json.dumps({"relay": "ready", "port": port}) + "\n")
    sys.stdout.flush()


def main() -> int:
    logs.set_up()
    try:
        settings = Settings.read("relay")
        if not settings.own_relay_url:
            raise ConfigError("relay cannot start: FLOYD_RELAY_URL is not set, nor does FLOYD_RELAY_URLS name our PORT")
    except ConfigError as error:
        logger.critical("%s", error)
        return 2
    uvloop.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
