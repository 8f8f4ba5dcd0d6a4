"""Our signature check against the vendor's own validator, and against forgers."""

import random
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from floyd.signatures import is_genuine_handshake, is_genuine_webhook, sign

TOKEN, NEXT = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
TOKENS = (TOKEN, NEXT)
URLS = [
    "https://carrier.example.com/sms",
    "https://example.com:8443/a/calls/u/r/1/status?x=1",
    "http://127.0.0.1:9100/sms",
]
# Any text that a form can carry over HTTP: lone surrogates have no UTF-8 form.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(URLS), st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_agrees_with_the_vendors_validator(url: str, form: list[tuple[str, str]]) -> None:
    """Fails if a form with blank, repeated or strange fields is signed otherwise than Twilio signs it."""
    oracle = RequestValidator(TOKEN)
    theirs = oracle.compute_signature(url, MultiDict(form))
    assert sign(TOKEN, url, form) == theirs
    assert is_genuine_webhook(url, form, theirs, TOKENS)
    assert oracle.validate(url, MultiDict(form), theirs)


def test_the_port_may_be_named_or_not() -> None:
    """Fails if Twilio's inconsistent naming of the default port makes genuine requests look forged."""
    for signed in ("https://example.com/sms", "https://example.com:443/sms"):
        signature = RequestValidator(TOKEN).compute_signature(signed, {})
        assert is_genuine_webhook("https://example.com/sms", (), signature, TOKENS)
        assert is_genuine_webhook("https://example.com:443/sms", (), signature, TOKENS)


def test_both_tokens_count_while_they_rotate_and_no_empty_one() -> None:
    """Fails if a rotation drops calls, or an unset second token lets anybody sign with the empty key."""
    url, form = URLS[0], [("From", "+13125550142"), ("Body", "")]
    assert is_genuine_webhook(url, form, sign(NEXT, url, form), TOKENS)
    assert not is_genuine_webhook(url, form, sign(NEXT, url, form), (TOKEN,))
    assert not is_genuine_webhook(url, form, sign("", url, form), (TOKEN, ""))


def test_a_thousand_mutations_are_refused() -> None:
    """Fails if a change of the URL, a field, the signature or the token goes unnoticed."""
    random_ = random.Random(69)
    url = "https://carrier.example.com/calls/u/r/1/status"
    form = [("CallSid", "CA1"), ("CallStatus", "completed"), ("SequenceNumber", "3"), ("Empty", "")]
    genuine = sign(TOKEN, url, form)
    accepted = 0
    for _ in range(1000):
        address, fields, given_, tokens = url, list(form), genuine, TOKENS
        match random_.randrange(6):
            case 0:
                place = random_.randrange(len(url))
                address = url[:place] + random_.choice("XYZ") + url[place + random_.randrange(2) :]
            case 1:
                field = random_.randrange(len(fields))
                fields[field] = (fields[field][0], fields[field][1] + random_.choice("0 x"))
            case 2:
                fields.pop(random_.randrange(len(fields)))
            case 3:
                fields.append((random_.choice(["CallStatus", "Extra", "Empty"]), random_.choice(["busy", "1"])))
            case 4:
                place = random_.randrange(len(genuine) - 1)
                given_ = genuine[:place] + chr((ord(genuine[place]) + 1) % 128) + genuine[place + 1 :]
            case _:
                address = random_.choice([url.replace("https", "http"), url.replace("carrier", "evil"), url + "?a=1"])
        accepted += is_genuine_webhook(address, fields, given_, tokens)
    assert accepted == 0
    for junk in ("", "\u00e9", "=" * 28, genuine + " "):
        assert not is_genuine_webhook(url, form, junk, TOKENS)


@pytest.mark.parametrize(
    "signed", [f"wss://relay.example.com{port}/media{slash}" for port in ("", ":443") for slash in ("", "/")]
)
def test_handshakes_in_every_form_seen(signed: str) -> None:
    """Fails if a genuine media stream is refused because its URL was signed with a port or a final slash."""
    assert is_genuine_handshake(
        "wss://relay.example.com/media", RequestValidator(TOKEN).compute_signature(signed, {}), TOKENS
    )


@pytest.mark.parametrize(
    "signed",
    [
        "https://relay.example.com/media",
        "wss://relay.example.com/dictate",
        "wss://evil.example.com/media",
        "wss://relay.example.com:80/media",
        "ws://relay.example.com/media",
    ],
)
def test_handshakes_for_something_else(signed: str) -> None:
    """Fails if a signature that Twilio made for another address opens a media stream."""
    assert not is_genuine_handshake("wss://relay.example.com/media", sign(TOKEN, signed), TOKENS)


def test_a_parsed_form_keeps_its_signature() -> None:
    """Fails if the way our server reads forms loses blank fields, which Twilio signs."""
    form = [("From", "+13125550142"), ("FromCity", ""), ("Body", " yes & no + \u20ac ")]
    body = urlencode(form)
    assert is_genuine_webhook(URLS[0], parse_qsl(body, keep_blank_values=True), sign(TOKEN, URLS[0], form), TOKENS)
