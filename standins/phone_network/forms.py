"""What Twilio's REST API accepts and how it writes, and the number of the error it answers with otherwise.

Whatever is not imitated is refused with a message that says so, rather than ignored.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_pascal
from pydantic_core import PydanticCustomError

API_VERSION = "2010-04-01"


class TwilioError(Exception):
    """An error in Twilio's words and under Twilio's number, as REST answers it or the debugger notes it."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def new_sid(kind: str) -> str:
    """CA… for a call, SM… for a message, MZ… for a stream."""
    return kind + secrets.token_hex(16)


def rfc2822(moment: datetime | None) -> str | None:
    """As REST resources and callbacks write times."""
    return None if moment is None else format_datetime(moment)


def is_number(text: str) -> bool:
    """E.164 and a number that can exist."""
    try:
        return text.startswith("+") and phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return not text or (parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in parts.netloc)


def rule(code: int, message: str, holds: Callable[[str], object]) -> AfterValidator:
    """What a field must satisfy, and Twilio's error when it does not; `{}` in *message* is the field."""

    def check(value: str) -> str:
        if not holds(value):
            raise PydanticCustomError(str(code), "{message}", {"message": message.format(value)})
        return value

    return AfterValidator(check)


def _split(given: str | Iterable[str]) -> list[str]:
    return " ".join([given] if isinstance(given, str) else given).split()


_VALID_TO = rule(21211, "The 'To' number {} is not a valid phone number.", is_number)
_VALID_FROM = rule(21212, "The 'From' number {} is not a valid phone number.", is_number)
Callback = Annotated[str, rule(21609, "StatusCallback is not a valid URL: {}", _is_url)]
Method = Annotated[str, rule(21403, "A method must be GET or POST, not {}", {"GET", "POST"}.__contains__)]
EVENTS = {"initiated", "ringing", "answered", "completed"}
Event = Annotated[str, rule(21626, "Invalid StatusCallbackEvent: {}", EVENTS.__contains__)]
Ending = rule(21218, "Invalid Status '{}': ask for completed or canceled", {"", "completed", "canceled"}.__contains__)
_BODY = (
    rule(21602, "Message body is required.", bool),
    rule(21617, "The message body exceeds the 1600 character limit", lambda text: len(text) <= 1600),
)


class Form(BaseModel):
    """The fields of a request, which go by Twilio's names outside: `status_callback` is StatusCallback."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        alias_generator=lambda name: to_pascal(name.removesuffix("_")),
    )

    @classmethod
    def read(cls, encoded: str) -> Self:
        """A form or a query string. Raises `TwilioError` for the first thing wrong with it."""
        fields = parse_qs(encoded, keep_blank_values=True)
        try:
            return cls.model_validate({name: all_ if len(all_) > 1 else all_[0] for name, all_ in fields.items()})
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"].isdecimal():
                raise TwilioError(int(first["type"]), first["msg"]) from error
            reason = "unknown, or not imitated here" if first["type"] == "extra_forbidden" else first["msg"]
            raise TwilioError(20001, f"Parameter '{first['loc'][0]}': {reason}") from error


class Instructions(Form):
    """Where a call's TwiML comes from, and, of one under way, whether it shall end."""

    twiml: Annotated[str, rule(20001, "Twiml may have 4000 characters", lambda text: len(text) <= 4000)] = ""
    url: Annotated[str, rule(21205, "Url is not a valid URL: {}", _is_url)] = ""
    method: Method = "POST"

    @model_validator(mode="after")
    def _instructed(self) -> Self:
        if not (self.twiml or self.url or getattr(self, "status", "")):
            raise PydanticCustomError("21205", "Url parameter is required.")
        return self


class Order(Instructions):
    """A call to be placed."""

    to: Annotated[str, rule(21201, "No 'To' number is specified", bool), _VALID_TO] = ""
    from_: Annotated[str, rule(21213, "A 'From' number is required", bool), _VALID_FROM] = ""
    status_callback: Callback = ""
    status_callback_method: Method = "POST"
    status_callback_events: Annotated[frozenset[Event], BeforeValidator(_split)] = Field(
        default=frozenset({"completed"}), alias="StatusCallbackEvent"
    )
    ring_s: int = Field(default=60, alias="Timeout", ge=1, le=600)
    time_limit_s: int = Field(default=14_400, alias="TimeLimit", ge=1, le=86_400)


class Update(Instructions):
    """What is to become of a call: an end, or other TwiML."""

    status: Annotated[str, Ending] = ""


class NewText(Form):
    """A text message to be sent."""

    to: Annotated[str, rule(21604, "A 'To' number is required", bool), _VALID_TO] = ""
    from_: Annotated[str, rule(21603, "A 'From' number is required", bool), _VALID_FROM] = ""
    body: Annotated[str, *_BODY] = ""
    status_callback: Callback = ""


class Query(Form):
    """Which messages of a list, or calls."""

    to: str = ""
    from_: str = ""
    page_size: int = Field(default=50, ge=1, le=1000)
    page: int = Field(default=0, ge=0)


class CallQuery(Query):
    """Which calls of the list."""

    status: Literal["", "queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"] = ""
