"""Our instructions, read back by the phone network's strict parser."""

from floyd import twiml
from standins.phone_network.twiml import parse

RESUME = "https://carrier.example.com/calls/u/r/1/resume"
STREAM = "https://carrier.example.com/calls/u/r/1/stream"


def verbs(text: str) -> list[tuple[str, str]]:
    return [(verb.name, verb.text) for verb in parse(text)]


def test_the_sound_goes_to_the_relay_and_the_way_back_is_open() -> None:
    """Fails if the token could be lost on the way to the relay, or a broken stream would end the call."""
    text = twiml.stream("wss://relay.example.com", "t" * 43, stream_callback=STREAM, resume_url=RESUME)
    connect, redirect = parse(text)
    (stream,) = connect.nested
    assert stream.attributes["url"] == "wss://relay.example.com/media"
    assert stream.parameters == {twiml.TOKEN_PARAMETER: "t" * 43}
    assert (stream.attributes["statusCallback"], stream.attributes["statusCallbackMethod"]) == (STREAM, "POST")
    assert (redirect.name, redirect.text, redirect.method) == ("Redirect", RESUME, "POST")
    assert len(text) < 4000, "the carrier refuses longer instructions with the order of a call"


def test_ends_and_pauses() -> None:
    """Fails if a call would go on after its goodbye, or two repairs would spin without a pause."""
    assert verbs(twiml.hang_up("Goodbye & <thanks>.")) == [("Say", "Goodbye & <thanks>."), ("Hangup", "")]
    assert verbs(twiml.hang_up()) == [("Hangup", "")]
    pause, redirect = parse(twiml.wait_and_ask_again(RESUME))
    assert pause.attributes == {"length": str(twiml.RESUME_PAUSE_S)}
    assert redirect.text == RESUME


def test_replies() -> None:
    """Fails if a reply is sent where none is meant."""
    assert verbs(twiml.reply("Thank you.")) == [("Message", "Thank you.")]
    assert parse(twiml.reply()) == []


def test_who_rang_can_be_keyed_away() -> None:
    """Fails if somebody who rings back hears no way to opt out, or is left on an open line."""
    text = twiml.who_rang("Press 9.", "Goodbye.", keyed_url="https://carrier.example.com/inbound")
    assert '<Gather action="https://carrier.example.com/inbound" method="POST" numDigits="1"' in text
    assert "<Say>Press 9.</Say></Gather><Say>Goodbye.</Say><Hangup" in text
