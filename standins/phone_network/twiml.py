"""TwiML as Twilio reads it: the verbs that are imitated, each with exactly its own attributes. Pure."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urlsplit

from standins.phone_network.forms import TwilioError

MAX_PARAMETER_CHARS = 500
"""Name and value of a `<Parameter>` together."""

_METHOD = "GET|POST"
_VERBS = {
    "Connect": {"action": ".+", "method": _METHOD},
    "Redirect": {"method": _METHOD},
    "Say": {"voice": ".*", "language": ".*", "loop": "1"},
    "Pause": {"length": r"\d+"},
    "Play": {"digits": "[0-9*#wW]+"},
    "Gather": {
        **{"input": "dtmf|speech|dtmf speech|speech dtmf", "action": "https?://.+", "method": _METHOD},
        **{"timeout": r"\d+", "numDigits": r"[1-9]\d*", "finishOnKey": "[0-9*#]?", "language": ".*"},
        **{"speechTimeout": r"auto|\d+", "actionOnEmptyResult": "true|false"},
    },
    "Hangup": {},
    "Reject": {"reason": "rejected|busy"},
    "Message": {},
}
_ATTRIBUTES = _VERBS | {
    "Response": {},
    "Stream": {
        **{"url": ".*", "name": ".*", "track": ".*"},
        **{"statusCallback": "https?://.+", "statusCallbackMethod": _METHOD},
    },
    "Parameter": {"name": ".+", "value": ".*"},
}
"""Which attributes an element may have, and what they may say (whole match)."""

_CHILDREN = {"Response": set(_VERBS), "Connect": {"Stream"}, "Stream": {"Parameter"}, "Gather": {"Say", "Pause"}}
_NEEDED = {"Stream": "url", "Parameter": "name", "Play": "digits", "Gather": "action"}


@dataclass(frozen=True, slots=True)
class Stream:
    """A websocket to open; `parameters` arrive in its `start` message."""

    url: str
    name: str
    status_callback: str
    status_callback_method: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Verb:
    """One instruction. Attributes that were not given are absent."""

    name: str
    text: str
    attributes: dict[str, str]
    stream: Stream | None = None
    """Of a Connect, always there."""
    nested: tuple["Verb", ...] = ()
    """Of a Gather: carried out while it waits."""

    @property
    def method(self) -> str:
        """Of a verb that fetches."""
        return self.attributes.get("method", "POST")


def parse(text: str) -> list[Verb]:
    """The verbs of a document.

    Raises TwilioError 12100 for bad XML, 12200 for what the schema does not allow, 319xx for a bad stream.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 - from the program under test, on the same machine
    except ET.ParseError as error:
        raise TwilioError(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwilioError(12100, f"Document parse failure: the root is <{root.tag}>, not <Response>")
    _check(root)
    return [_verb(element) for element in root]


def _check(element: ET.Element) -> None:
    known = _ATTRIBUTES[element.tag]
    for name, value in element.attrib.items():
        if name not in known or not re.fullmatch(known[name], value):
            raise TwilioError(12200, f"<{element.tag} {name}='{value}'> is not allowed, or not imitated here")
    if (needed := _NEEDED.get(element.tag)) and needed not in element.attrib:
        raise TwilioError(12200, f"<{element.tag}> needs {needed}, or is imitated only with it")
    for child in element:
        if child.tag not in _CHILDREN.get(element.tag, set()):
            raise TwilioError(12200, f"<{child.tag}> is not allowed in <{element.tag}>, or not imitated here")
        _check(child)


def _verb(element: ET.Element) -> Verb:
    text = (element.text or "").strip()
    if element.tag == "Redirect" and not text:
        raise TwilioError(12200, "<Redirect> is empty")
    if element.tag != "Connect":
        return Verb(element.tag, text, dict(element.attrib), nested=tuple(map(_verb, element)))
    if len(element) != 1:
        raise TwilioError(12200, "<Connect> needs exactly one <Stream>")
    (stream,) = element
    url = stream.attrib["url"]
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"}:
        raise TwilioError(31922, f"Stream url '{url}' does not begin with wss:// (or ws://, here only)")
    if not parts.hostname or parts.query or parts.fragment:
        raise TwilioError(31923, f"Stream url '{url}' is malformed: it needs a host and may not have a query")
    if stream.get("track", "inbound_track") != "inbound_track":
        raise TwilioError(31941, "only track='inbound_track' is legal in <Connect><Stream>")
    parameters = {child.attrib["name"]: child.get("value", "") for child in stream}
    if any(len(name) + len(value) > MAX_PARAMETER_CHARS for name, value in parameters.items()):
        raise TwilioError(12200, f"a <Parameter> is longer than {MAX_PARAMETER_CHARS} characters")
    callback, method = stream.get("statusCallback", ""), stream.get("statusCallbackMethod", "POST")
    return Verb(
        "Connect", text, dict(element.attrib), Stream(url, stream.get("name", ""), callback, method, parameters)
    )
