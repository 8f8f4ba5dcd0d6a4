"""The environment, read once: all errors together, secrets never printed, each process checks only what it needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from floyd.errors import ConfigError

Process = Literal["api", "plan", "dial", "carrier", "sweep", "relay", "command"]


def _split(value: object) -> object:
    """A comma-separated list; blanks around entries and empty entries are dropped."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


# So long after its end a request is forgotten with its questions, calls, events and jobs.
KEEP_DAYS = 400

CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split)]

_TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
# What each process cannot work without. Everything else has a default or switches a feature off.
REQUIRED: Mapping[Process, tuple[str, ...]] = {
    "api": ("GOOGLE_CLOUD_PROJECT",),
    "plan": ("GOOGLE_CLOUD_PROJECT", "OPENAI_API_KEY"),
    "dial": ("GOOGLE_CLOUD_PROJECT", *_TWILIO, "FLOYD_CALLER_NUMBER", "FLOYD_CARRIER_URL"),
    "carrier": ("GOOGLE_CLOUD_PROJECT", *_TWILIO, "FLOYD_CARRIER_URL"),
    "sweep": ("GOOGLE_CLOUD_PROJECT", *_TWILIO, "FLOYD_CALLER_NUMBER"),
    "relay": ("GOOGLE_CLOUD_PROJECT", "OPENAI_API_KEY", *_TWILIO),
    "command": (),
}

# An address that only a local stack may set: it would send people's words somewhere unencrypted.
LocalOnly = Annotated[str, "local"]
# An address that must be encrypted anywhere else.
Encrypted = Annotated[str, "encrypted"]


class Settings(BaseModel):
    """Field names are the environment variables' names in lower case; docs/running.md describes each."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, str_strip_whitespace=True)

    floyd_env: Literal["production", "local"] = "production"
    google_cloud_project: str = ""
    floyd_region: str = "us-central1"
    firestore_emulator_host: LocalOnly = ""
    firebase_auth_emulator_host: LocalOnly = ""
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: Encrypted = ""
    floyd_speech_endpoint: LocalOnly = ""
    floyd_tts_endpoint: LocalOnly = ""
    floyd_speech_model: str = "telephony"
    floyd_speech_location: str = ""
    floyd_language: str = "en-US"
    floyd_voice: str = "en-US-Chirp3-HD-Charon"
    floyd_voice_backend: Literal["google", "openai-speech"] = "google"
    floyd_voice_base_url: Encrypted = ""
    floyd_voice_model: str = "tts-1"
    floyd_voice_api_key: SecretStr = SecretStr("")
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    floyd_twilio_auth_token_next: SecretStr = SecretStr("")
    floyd_twilio_api_base: LocalOnly = ""
    floyd_caller_number: str = ""
    floyd_carrier_url: Encrypted = ""
    floyd_relay_urls: Annotated[CommaSeparated, "encrypted"] = ()
    floyd_relay_url: Encrypted = ""
    floyd_web_origins: CommaSeparated = ()
    floyd_dial_allow: CommaSeparated | None = None
    floyd_dial_override: str = ""
    floyd_dial_regions: CommaSeparated = ("US", "CA")
    # Twilio's limit for accounts without an approved profile (Twilio support article 223180028).
    floyd_max_calls: Annotated[int, Field(ge=1)] = 2
    floyd_daily_spend: Annotated[Decimal, Field(ge=0)] = Decimal("20")
    floyd_planner_model: str = "gpt-6.1-terra"
    floyd_mind_model: str = "gpt-6-luna"
    floyd_mind_fallback_model: str = "gpt-5.6-luna"
    # A reply is asked for before the callee's turn is certain to be over: quicker, and dearer by the prompts in vain.
    floyd_speculation: bool = True
    floyd_places_api_key: SecretStr = SecretStr("")
    floyd_places_endpoint: Encrypted = ""
    floyd_sweep_invoker: str = ""
    # Longer than any question stays open, so that nothing expires that is still at work.
    floyd_keep_days: Annotated[int, Field(ge=30)] = KEEP_DAYS
    floyd_open_signup: bool | None = None
    port: Annotated[int, Field(ge=0, le=65535)] = 8080

    @property
    def local(self) -> bool:
        return self.floyd_env == "local"

    @property
    def open_signup(self) -> bool:
        """Whether anybody who can sign in may use the deployment; a laptop is open unless told otherwise."""
        return self.local if self.floyd_open_signup is None else self.floyd_open_signup

    @property
    def may_ring_anyone(self) -> bool:
        """Outside production only numbers on the allow list can ring; in production an absent list allows all."""
        return not self.local and self.floyd_dial_allow is None

    @property
    def own_relay_url(self) -> str:
        """This relay's origin: given, or the entry of the relay list whose port is ours (local stacks)."""
        if self.floyd_relay_url:
            return self.floyd_relay_url
        matches = (url for url in self.floyd_relay_urls if url.rsplit(":", 1)[-1] == str(self.port))
        return next(matches, "")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        plain = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            urls = value if isinstance(value, tuple) else (str(value),)
            open_ = "encrypted" in field.metadata and any(url.startswith(("http:", "ws:")) for url in urls)
            if open_ or (value and "local" in field.metadata):
                plain.append(name.upper())
        if plain and not self.local:
            problems.append(f"{', '.join(plain)}: allowed only with FLOYD_ENV=local")
        if self.floyd_dial_override and self.local and self.floyd_dial_override not in (self.floyd_dial_allow or ()):
            problems.append("FLOYD_DIAL_OVERRIDE must be one of FLOYD_DIAL_ALLOW outside production")
        if self.floyd_voice_backend == "openai-speech" and not self.floyd_voice_base_url:
            problems.append("FLOYD_VOICE_BACKEND=openai-speech needs FLOYD_VOICE_BASE_URL")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def read(cls, process: Process, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment for one process.

        Raises ConfigError naming every missing or wrong variable at once; values are never quoted.
        """
        given = os.environ if environment is None else environment
        known = {name: given[name.upper()] for name in cls.model_fields if given.get(name.upper(), "").strip()}
        # An allow list that is set but empty means "nobody", which is not the same as unset.
        if "FLOYD_DIAL_ALLOW" in given:
            known["floyd_dial_allow"] = given["FLOYD_DIAL_ALLOW"]
        problems = [f"{name} is not set" for name in REQUIRED[process] if name.lower() not in known]
        settings: Settings | None = None
        try:
            settings = cls.model_validate(known)
        except ValidationError as error:
            problems += [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]
        if problems or settings is None:
            raise ConfigError(f"{process} cannot start: " + "; ".join(problems))
        return settings


def _sentence(detail: Any) -> str:
    """One pydantic error as 'VARIABLE: what is wrong'."""
    place = ".".join(str(part) for part in detail["loc"][:1]).upper()
    message = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
