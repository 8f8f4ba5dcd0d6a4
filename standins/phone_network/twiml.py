"""TwiML as Twilio reads it: the elements of `twiml.toml`, each with exactly its own attributes. Pure."""

import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from standins.phone_network.forms import TwilioError

ELEMENTS: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

MAX_PARAMETER_CHARS = 500  # name and value of a `<Parameter>` together


@dataclass(frozen=True, slots=True)
class Verb:
    """One instruction; attributes that were not given are absent."""

    name: str
    text: str
    attributes: dict[str, str]
    nested: tuple["Verb", ...] = ()
    """What stands inside: of a Connect its one Stream, of that the Parameters, of a Gather what is read out."""

    @property
    def method(self) -> str:
        """Of a verb that fetches."""
        return self.attributes.get("method", "POST")

    @property
    def parameters(self) -> dict[str, str]:
        """Of a Stream: what arrives in its `start` message."""
        return {each.attributes["name"]: each.attributes.get("value", "") for each in self.nested}


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
    return list(_verb(root).nested)


def _verb(element: ET.Element) -> Verb:
    known = ELEMENTS[element.tag]
    for name, value in element.attrib.items():
        if not re.fullmatch(known.get("attributes", {}).get(name, "(?!)"), value):
            raise TwilioError(12200, f"<{element.tag} {name}='{value}'> is not allowed, or not imitated here")
    if missing := set(known.get("needs", ())) - element.attrib.keys():
        raise TwilioError(12200, f"<{element.tag}> needs {', '.join(missing)}, or is imitated only with it")
    for child in element:
        if element.tag not in ELEMENTS.get(child.tag, {}).get("in", ()):
            raise TwilioError(12200, f"<{child.tag}> is not allowed in <{element.tag}>, or not imitated here")
    verb = Verb(element.tag, (element.text or "").strip(), dict(element.attrib), tuple(map(_verb, element)))
    if verb.name == "Redirect" and not verb.text:
        raise TwilioError(12200, "<Redirect> is empty")
    if verb.name == "Connect" and len(verb.nested) != 1:
        raise TwilioError(12200, "<Connect> needs exactly one <Stream>")
    if verb.name == "Stream":
        _check_stream(verb)
    return verb


def _check_stream(stream: Verb) -> None:
    url = stream.attributes["url"]
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"}:
        raise TwilioError(31922, f"Stream url '{url}' does not begin with wss:// (or ws://, here only)")
    if not parts.hostname or parts.query or parts.fragment:
        raise TwilioError(31923, f"Stream url '{url}' is malformed: it needs a host and may not have a query")
    if stream.attributes.get("track", "inbound_track") != "inbound_track":
        raise TwilioError(31941, "only track='inbound_track' is legal in <Connect><Stream>")
    if any(len(name) + len(value) > MAX_PARAMETER_CHARS for name, value in stream.parameters.items()):
        raise TwilioError(12200, f"a <Parameter> is longer than {MAX_PARAMETER_CHARS} characters")
