"""What strangers and broken clients send to the real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from floyd.command.stack import ACCOUNT_SID, AUTH_TOKEN
from floyd.documents import Status
from floyd.signatures import HEADER, sign
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Requester, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
KB, MB = 1000, 1_000_000
CLOSED_S = 10.0


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def somebody(town: Town) -> Requester:
    return town.requester()


GOOD = {"text": NEWS, "idempotency_key": "k", "dry_run": True}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"[" * 20_000, 400),
        (json.dumps([GOOD]).encode(), 400),
        (json.dumps(GOOD | {"text": ""}).encode(), 400),
        (json.dumps(GOOD | {"text": "x" * 2001}).encode(), 400),
        (json.dumps(GOOD | {"text": "a\0b"}).encode(), 400),
        (json.dumps(GOOD | {"text": "\ud800"}).encode(), 400),
        (json.dumps(GOOD | {"dryrun": True}).encode(), 400),
        (json.dumps(GOOD | {"not_before": "soon"}).encode(), 400),
        (json.dumps(GOOD | {"text": "x" * 100 * KB}).encode(), 413),
        (json.dumps(GOOD | {"text": "x" * 10 * MB}).encode(), 413),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_its_code(
    town: Town, http: httpx2.Client, somebody: Requester, body: bytes, status: int
) -> None:
    """If this fails nonsense takes the API down, or becomes a request."""
    headers = {"authorization": f"Bearer {somebody.client.token()}", "content-type": "application/json"}

    answer = http.post(f"{town.stack.running.api}/requests", content=body, headers=headers)

    assert (answer.status_code, set(answer.json()["error"])) == (status, {"code", "message"})


STRANGERS = ["", "Bearer", "Bearer x.y.z", "Basic dG9tOnRvbQ==", "Bearer " + "x" * 16 * KB]


@pytest.mark.parametrize("authorization", STRANGERS)
def test_nobody_comes_in_without_a_token(town: Town, http: httpx2.Client, authorization: str) -> None:
    """If this fails strangers make Floyd ring people."""
    answer = http.post(f"{town.stack.running.api}/requests", json=GOOD, headers={"authorization": authorization})

    assert answer.status_code == 401


def test_others_requests_are_not_there(town: Town, http: httpx2.Client, somebody: Requester) -> None:
    """If this fails one person steers another's calls."""
    rid = somebody.client.call("POST", "/requests", GOOD)["id"]
    headers = {"authorization": f"Bearer {town.requester().client.token()}"}
    api = town.stack.running.api

    answers = [
        http.post(f"{api}/requests/{name}/{what}", headers=headers)
        for name in (rid, "nothing", "..%2f..%2fsystem", "x" * 5000)
        for what in ("cancel", "retry", "approve")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers[:6]}) == 1


@pytest.mark.parametrize("path", ["/sms", "/inbound", "/calls/tom/r1/1/status", "/calls/tom/r1/1/resume", "/nothing"])
@pytest.mark.parametrize("body", [b"", b"CallSid=CA1&CallStatus=completed", b"\xff" * 100 * KB, b"a=" + b"x" * 10 * MB])
def test_what_the_carrier_did_not_sign_is_refused(town: Town, http: httpx2.Client, path: str, body: bytes) -> None:
    """If this fails anybody can tell Floyd that a call has ended, or answer a person's question."""
    url = f"{town.stack.running.carrier}{path}"
    signatures = ["", "forged", sign("another token", url), sign(AUTH_TOKEN, url, [("CallSid", "CA2")])]

    answers = [http.post(url, content=body, headers={HEADER: each}).status_code for each in signatures]

    assert set(answers) == {403}


@pytest.mark.parametrize("what", ["status", "stream", "resume"])
def test_what_the_carrier_says_of_an_unknown_call_changes_nothing(town: Town, http: httpx2.Client, what: str) -> None:
    """If this fails a late word about an erased account takes a function down."""
    url = f"{town.stack.running.carrier}/calls/nobody/none/1/{what}"
    form = {"AccountSid": ACCOUNT_SID, "CallSid": "CA" + "1" * 32, "CallStatus": "completed"}
    form |= {"StreamEvent": "stream-stopped"}

    answers = [http.post(url, data=form, headers={HEADER: sign(AUTH_TOKEN, url, form.items())}) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {404}


def test_what_is_no_event_wakes_nobody(town: Town, http: httpx2.Client) -> None:
    """If this fails a stray request makes a function plan or ring."""
    event = {
        "ce-id": "1",
        "ce-type": "google.cloud.firestore.document.v1.created",
        "ce-source": "//firestore.googleapis.com/projects/demo-floyd/databases/(default)",
        "ce-specversion": "1.0",
        "content-type": "application/protobuf",
    }
    for function in (town.stack.running.plan, town.stack.running.dial):
        assert http.post(function, content=b"nonsense").status_code == 400
        for document in ("", "users/tom", "users/tom/requests/none/jobs/new-1", "users/tom/requests/none/calls/1"):
            answer = http.post(function, content=b"\xff" * MB, headers={**event, "ce-document": document})
            assert answer.status_code == 200


# Sockets


def opened(town: Town, path: str = "/media", *, signature: str | None = None, **headers: str) -> ClientConnection:
    """A socket at the first relay, signed as the carrier does unless another signature is given."""
    url = f"{town.stack.running.relays[0]}{path}"
    signed = {HEADER: sign(AUTH_TOKEN, url) if signature is None else signature}
    return connect(url, additional_headers={**signed, **headers}, open_timeout=CLOSED_S, max_size=None)


def closed_with(socket: ClientConnection, *messages: str | bytes) -> int:
    """Send these and return the code with which the relay closes."""
    with socket:
        try:
            for message in messages:
                socket.send(message)
            while True:
                socket.recv(timeout=CLOSED_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


def start(call_sid: str = "CA" + "1" * 32, **parameters: str) -> str:
    sid = "MZ" + "2" * 32
    audio = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    told: dict[str, Any] = {"accountSid": ACCOUNT_SID, "streamSid": sid, "callSid": call_sid, "tracks": ["inbound"]}
    told |= {"mediaFormat": audio, "customParameters": parameters}
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": sid, "start": told})


CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
MEDIA = json.dumps({"event": "media", "streamSid": "MZ" + "2" * 32, "media": {"payload": "//8="}})


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/media", {"signature": ""}, 403),
        ("/media", {"signature": "forged"}, 403),
        ("/media", {"origin": "https://evil.example"}, 403),
        ("/dictate", {"origin": "https://evil.example"}, 403),
        ("/elsewhere", {}, 404),
    ],
)
def test_a_socket_that_may_not_open_does_not(town: Town, path: str, headers: dict[str, str], status: int) -> None:
    """If this fails strangers speak into calls."""
    with pytest.raises(InvalidStatus) as refused:
        opened(town, path, **headers)
    assert refused.value.response.status_code == status


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([b"\xff" * 160], 1003),
        (["{"], 1007),
        (["[]"], 1007),
        (["x" * 100 * KB], 1009),
        (["x" * 10 * MB], 1009),
        ([b"x" * 10 * MB], 1009),
        ([MEDIA], 1008),
        ([start()], 1008),
        ([CONNECTED, MEDIA], 1008),
        ([CONNECTED, CONNECTED], 1008),
        ([CONNECTED, start()], 1008),
        ([CONNECTED, start(token="guessed")], 1008),
    ],
)
def test_a_stream_that_breaks_the_rules_is_closed_by_its_code(
    town: Town, messages: list[str | bytes], code: int
) -> None:
    """If this fails a broken stream takes a relay down, with every call on it."""
    assert closed_with(opened(town), *messages) == code


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        ("/dictate", b"\0" * 640, 1003),
        ("/dictate", "{", 1007),
        ("/dictate", json.dumps({"type": "auth", "token": "x.y.z", "idempotency_key": "k"}), 4401),
        ("/dictate", "x" * 10 * MB, 1009),
        ("/calls/none", json.dumps({"type": "auth", "token": ""}), 4401),
        ("/calls/none", json.dumps({"type": "listen"}), 4401),
    ],
)
def test_a_client_without_a_token_is_closed_by_its_code(town: Town, path: str, message: str | bytes, code: int) -> None:
    """If this fails strangers listen to calls, or dictate requests."""
    assert closed_with(opened(town, path, signature=""), message) == code


def test_a_token_is_good_for_one_stream(town: Town, somebody: Requester) -> None:
    """If this fails whoever saw a call's instructions can speak in Floyd's place, or end the call."""
    callee = library(town)
    person = reader(town, callee)
    errand = person.request(NEWS)
    errand.wait_until(lambda view: bool(view.turns), DEADLINE_S)
    sid = callee.rings()[0]["call_sid"]
    timeline = town.network.call(sid, words=False)["timeline"]
    used = next(each["parameters"] for each in timeline if each["what"] == "stream started")

    assert closed_with(opened(town), CONNECTED, start(sid, **used)) == 1008
    authenticated = json.dumps({"type": "auth", "token": somebody.client.token()})
    assert closed_with(opened(town, f"/calls/{errand.rid}", signature=""), authenticated) == 4404
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert [turn.heard for turn in view.turns.values() if turn.speaker == "callee"] == callee.said()
    assert view.calls[1].epoch == 1
