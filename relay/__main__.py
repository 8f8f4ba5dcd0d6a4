"""`python -m relay`: read the settings, build the clients, serve until SIGTERM."""

import asyncio
import gc
import json
import logging
import signal
import sys
from functools import partial

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
from relay.clients import attend
from relay.core.policy import Policy
from relay.dictation import Dictation
from relay.google_services import GoogleSpeech, GoogleVoice, open_channel
from relay.media_call import House, MediaCall
from relay.mouth import RenderedLines
from relay.openai_responses import OpenAIMind
from relay.pacer import Pacer
from relay.registry import Registry
from relay.replying import Breaker
from relay.server import RelayServer
from relay.session import Tools
from relay.voice import PunctualVoice

logger = logging.getLogger("relay")

CALLS_PER_CORE = 80  # more than this and turn gaps grow (measured with stand-in vendors; the process uses one core)


async def serve(settings: Settings) -> None:
    """One relay, from its clients to their end."""
    from google.cloud.firestore import AsyncClient  # noqa: PLC0415 - after the settings have been found good

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url, account = settings.own_relay_url, settings.twilio_account_sid
    secrets = [each.get_secret_value() for each in (settings.twilio_auth_token, settings.floyd_twilio_auth_token_next)]
    client = AsyncClient(project=settings.google_cloud_project)
    store = Store(client, keep_days=settings.floyd_keep_days)
    carrier = Carrier(account, secrets[0], api_base=settings.floyd_twilio_api_base)
    location = settings.floyd_speech_location or settings.floyd_region
    recogniser = GoogleSpeech(
        open_channel(f"{location}-speech.googleapis.com", settings.floyd_speech_endpoint),
        project=settings.google_cloud_project,
        location=location,
        model=settings.floyd_speech_model,
    )
    voice: OpenAISpeech | GoogleVoice
    if settings.floyd_voice_backend == "openai-speech":
        voice = OpenAISpeech(settings)
    else:
        channel = open_channel("texttospeech.googleapis.com", settings.floyd_tts_endpoint)
        voice = GoogleVoice(channel, name=settings.floyd_voice)
    mind = OpenAIMind(api_key=settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url)
    breaker = Breaker(settings.floyd_mind_model, settings.floyd_mind_fallback_model)
    house = House(
        store,
        carrier,
        Tools(recogniser, mind, PunctualVoice(voice), Pacer(), breaker),
        RenderedLines(store, settings.floyd_voice),
        settings.floyd_caller_number,
        Policy() if settings.floyd_speculation else Policy(speculations_per_turn=0),
    )
    calls: set[MediaCall] = set()
    capacity = min(CALLS_PER_CORE, settings.floyd_max_calls)
    verify = Tokens(settings).verify
    server = RelayServer(
        house,
        Admission(store, url, account, secrets, settings.floyd_web_origins),
        Registry(store, url, capacity=capacity, live=lambda: len(calls)),
        calls,
        dictate=Dictation(recogniser, verify, Intake(store, settings).take, settings.floyd_language).dictate,
        attend=partial(attend, verify=verify, calls=calls),
    )
    try:
        await server.run(settings.port, stop, started=_announce)
    finally:
        await asyncio.gather(recogniser.close(), voice.close(), mind.close(), carrier.close())
        await client._firestore_api.transport.close()  # the async client has no way of its own to let go of its channel


def _announce(port: int) -> None:
    """Tell whoever started us that calls can come."""
    # What is loaded by now stays: walked through again by each full collection, it stops every call for some 80 ms.
    gc.collect()
    gc.freeze()
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
