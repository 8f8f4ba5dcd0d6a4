"""TwiML: what the vendor's own builder writes is understood, and nothing else."""

import pytest
from twilio.twiml.voice_response import Connect, Gather, VoiceResponse

from standins.phone_network.forms import TwilioError
from standins.phone_network.twiml import parse


def test_what_the_vendors_builder_writes() -> None:
    """If this fails a document that Twilio accepts is refused here."""
    response = VoiceResponse()
    connect = Connect(action="https://floyd.example/after")
    stream = connect.stream(url="wss://relay.example/media", status_callback="https://floyd.example/stream")
    stream.parameter(name="token", value="secret")
    response.append(connect)
    response.say("Sorry.")
    response.pause(length=2)
    response.play(digits="1w2#")
    gather = Gather(input="dtmf speech", num_digits=1, action="https://floyd.example/keyed", finish_on_key="")
    gather.say("Press nine.")
    response.append(gather)
    response.redirect("https://floyd.example/resume?call=1", method="POST")
    response.hangup()

    verbs = parse(str(response))

    assert [verb.name for verb in verbs] == ["Connect", "Say", "Pause", "Play", "Gather", "Redirect", "Hangup"]
    assert verbs[0].nested[0].parameters == {"token": "secret"}
    assert verbs[0].nested[0].attributes["statusCallback"] == "https://floyd.example/stream"
    assert [verb.text for verb in verbs[4].nested] == ["Press nine."]
    assert verbs[5].text == "https://floyd.example/resume?call=1"


STREAM = "<Response><Connect><Stream url='{}'{}/></Connect></Response>"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<Response>", 12100),
        ("<Twiml/>", 12100),
        ("<Response><Dial>+1</Dial></Response>", 12200),
        ("<Response><Say pitch='1'>x</Say></Response>", 12200),
        ("<Response><Pause length='a'/></Response>", 12200),
        ("<Response><Play>https://x.example/a.mp3</Play></Response>", 12200),
        ("<Response><Redirect/></Response>", 12200),
        ("<Response><Gather><Say>x</Say></Gather></Response>", 12200),
        ("<Response><Gather action='https://a' input='voice'/></Response>", 12200),
        ("<Response><Gather action='https://a'><Hangup/></Gather></Response>", 12200),
        ("<Response><Connect/></Response>", 12200),
        ("<Response><Stream url='wss://a'/></Response>", 12200),
        (STREAM.format("https://a", ""), 31922),
        (STREAM.format("wss://", ""), 31923),
        (STREAM.format("wss://a/media?token=1", ""), 31923),
        (STREAM.format("wss://a", " track='both_tracks'"), 31941),
        (STREAM.format("wss://a", " statusCallbackMethod='PUT'"), 12200),
        (
            STREAM.format("wss://a", "").replace("/>", f"><Parameter name='t' value='{'x' * 500}'/></Stream>"),
            12200,
        ),
    ],
)
def test_what_is_refused(text: str, code: int) -> None:
    """If this fails a document that Twilio stumbles over works here."""
    with pytest.raises(TwilioError) as caught:
        parse(text)

    assert caught.value.code == code
