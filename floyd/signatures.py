"""Whether a request really comes from Twilio: the signature on webhooks and on the media stream's handshake, and the
token that opens one media stream.

The signed URL is always built from configuration, never from Host or forwarding headers, which anybody can send.
https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from hashlib import sha1, sha256
from urllib.parse import SplitResult, urlsplit

HEADER = "X-Twilio-Signature"
_DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


def sign(token: str, url: str, form: Iterable[tuple[str, str]] = ()) -> str:
    """Twilio's signature: HMAC-SHA1 over the URL and each field's name and value, sorted; a value repeated under one
    name counts once, an empty value counts as its name alone."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in form:
        values[name].add(value)
    signed = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), sha1).digest()).decode()


def is_genuine_webhook(url: str, form: Iterable[tuple[str, str]], given: str, tokens: Collection[str]) -> bool:
    """Whether one of our tokens signed this form post to `url`. Twilio may or may not have named the port."""
    fields = tuple(form)
    return _matches(given, (sign(token, each, fields) for each in _port_forms(url) for token in tokens if token))


def is_genuine_handshake(url: str, given: str, tokens: Collection[str]) -> bool:
    """Whether one of our tokens signed the opening of a websocket at `url` (`wss://host/media` as in the TwiML).

    Twilio is seen to sign it with or without port and final slash, so all four count.
    """
    forms = {form for each in _port_forms(url) for form in (each.rstrip("/"), each.rstrip("/") + "/")}
    return _matches(given, (sign(token, each) for each in forms for token in tokens if token))


def _matches(given: str, expected: Iterable[str]) -> bool:
    # Every candidate is compared, so that the time taken tells nothing.
    received = given.encode("utf-8", "replace")
    return True in {hmac.compare_digest(received, each.encode()) for each in expected}


def _port_forms(url: str) -> set[str]:
    """The URL as it is, with its port spelled out, and without a port."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)
    host = parts.netloc.removesuffix(f":{port}")
    return {url, _with_host(parts, f"{host}:{port}"), _with_host(parts, host)}


def _with_host(parts: SplitResult, netloc: str) -> str:
    return parts._replace(netloc=netloc).geturl()


def new_token() -> str:
    """A fresh stream token of 256 random bits: 43 characters, safe in XML and JSON. Only its digest is ever stored."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """The document name under which a token is kept."""
    return sha256(token.encode()).hexdigest()
