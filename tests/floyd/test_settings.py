"""The environment is the operator's only handle: wrong values must be named, and secrets must never be shown."""

import pytest

from floyd.errors import ConfigError
from floyd.settings import REQUIRED, Settings

LOCAL_ONLY = sorted(name.upper() for name, field in Settings.model_fields.items() if "local" in field.metadata)

PRODUCTION = {
    "GOOGLE_CLOUD_PROJECT": "floyd",
    "OPENAI_API_KEY": "sk-secret-1",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKEN": "secret-2",
    "FLOYD_CALLER_NUMBER": "+12125550199",
    "FLOYD_CARRIER_URL": "https://carrier.example",
}


@pytest.mark.parametrize("process", list(REQUIRED))
def test_each_process_names_all_it_lacks(process: str) -> None:
    """If this fails an operator mends one variable, deploys, and learns of the next one."""
    if not REQUIRED[process]:
        assert Settings.read(process, {}).google_cloud_project == ""
        return

    with pytest.raises(ConfigError) as caught:
        Settings.read(process, {})

    assert all(name in str(caught.value) for name in REQUIRED[process])


@pytest.mark.parametrize("blank", ["", "   ", "\n"])
def test_a_blank_secret_is_a_missing_one(blank: str) -> None:
    """If this fails a process starts with an empty key and fails in the middle of somebody's call."""
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
        Settings.read("plan", PRODUCTION | {"OPENAI_API_KEY": blank})


def test_secrets_are_trimmed_and_never_shown() -> None:
    """A secret mounted from a file ends with a newline; and no log of the settings may show one."""
    settings = Settings.read("dial", PRODUCTION | {"TWILIO_AUTH_TOKEN": "secret-2\n"})

    assert settings.twilio_auth_token.get_secret_value() == "secret-2"
    assert "secret" not in repr(settings)


def test_a_wrong_value_is_not_quoted_in_the_error() -> None:
    """If this fails a key pasted into the wrong variable ends in the logs."""
    with pytest.raises(ConfigError) as caught:
        Settings.read("dial", PRODUCTION | {"PORT": "sk-secret-1", "FLOYD_ENV": "sk-secret-1"})

    assert "PORT" in str(caught.value)
    assert "FLOYD_ENV" in str(caught.value)
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("name", LOCAL_ONLY)
def test_production_refuses_local_endpoints(name: str) -> None:
    """If this fails a stray emulator variable lets unsigned tokens in, or sends words over plain text."""
    with pytest.raises(ConfigError, match=name):
        Settings.read("dial", PRODUCTION | {name: "127.0.0.1:1"})

    assert Settings.read("dial", PRODUCTION | {name: "127.0.0.1:1", "FLOYD_ENV": "local"}).local


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", "http://127.0.0.1:1/v1"),
        ("FLOYD_CARRIER_URL", "http://carrier.example"),
        ("FLOYD_RELAY_URLS", "wss://a.example,ws://b.example"),
        ("FLOYD_RELAY_URL", "ws://b.example"),
        ("FLOYD_VOICE_BASE_URL", "http://voice.example/v1"),
        ("FLOYD_PLACES_ENDPOINT", "http://places.example"),
    ],
)
def test_production_refuses_plain_text(name: str, value: str) -> None:
    """If this fails calls' words travel unencrypted."""
    with pytest.raises(ConfigError, match=name):
        Settings.read("dial", PRODUCTION | {name: value})


def test_an_unset_allow_list_differs_from_an_empty_one() -> None:
    """If this fails either production rings nobody or an empty list rings everybody."""
    assert Settings.read("dial", PRODUCTION).may_ring_anyone
    assert not Settings.read("dial", PRODUCTION | {"FLOYD_DIAL_ALLOW": ""}).may_ring_anyone
    assert not Settings.read("dial", PRODUCTION | {"FLOYD_ENV": "local"}).may_ring_anyone


def test_the_override_must_be_allowed_on_a_laptop() -> None:
    """If this fails a development machine can ring a number that nobody put on its list."""
    local = PRODUCTION | {"FLOYD_ENV": "local", "FLOYD_DIAL_OVERRIDE": "+12125550101"}

    with pytest.raises(ConfigError, match="FLOYD_DIAL_OVERRIDE"):
        Settings.read("dial", local)

    assert Settings.read("dial", local | {"FLOYD_DIAL_ALLOW": "+12125550100, +12125550101"}).floyd_dial_override


def test_a_speech_server_needs_its_address() -> None:
    """If this fails a relay whose voice has no server starts, and every callee hears silence."""
    chosen = PRODUCTION | {"FLOYD_VOICE_BACKEND": "openai-speech"}

    with pytest.raises(ConfigError, match="FLOYD_VOICE_BASE_URL"):
        Settings.read("relay", chosen)

    assert Settings.read("relay", chosen | {"FLOYD_VOICE_BASE_URL": "https://voice.example/v1"}).floyd_voice_base_url


def test_a_local_relay_finds_its_own_address_by_port() -> None:
    """If this fails a relay checks handshakes against the other relay's address and refuses every call."""
    settings = Settings.read(
        "command", {"FLOYD_ENV": "local", "FLOYD_RELAY_URLS": "ws://127.0.0.1:8101,ws://127.0.0.1:8102", "PORT": "8102"}
    )

    assert settings.own_relay_url == "ws://127.0.0.1:8102"
