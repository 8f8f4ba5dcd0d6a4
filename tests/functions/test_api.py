"""The API through the real functions-framework application, on the real emulator."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from aiohttp import web
from functions_framework.aio import create_asgi_app
from google.cloud import firestore

from floyd.documents import CallStatus, Fact, JobReason, Lease, Question, Released, Status
from floyd.lifecycle.before_the_call import JobClaimed, Planned, QuestionAsked
from floyd.lifecycle.during_the_call import DialClaimed, DialDue, Posted, StreamStarted
from floyd.plans import Callee, MandateTerms, Plan
from floyd.relays import Heartbeat
from floyd.store import Store
from functions import api as module
from tests.functions.tokens import claims, unsigned

ORIGIN = "http://localhost:5173"
RELAY = "ws://127.0.0.1:9"
PLAN = Plan(
    needs_call=True,
    goal="g",
    done_when=[],
    callee=Callee(name="c", number="+13125550142", number_source="fact"),
    facts_needed=[],
    facts_missing=[],
    steps=[],
    opening="I am calling.",
    voicemail="",
    mandate=MandateTerms(),
    questions=[],
)


class Client:
    """One person with a browser."""

    def __init__(self, http: httpx2.AsyncClient, project: str, uid: str) -> None:
        self.http = http
        self.uid = uid
        self.token = unsigned(claims(project, uid, phone_number="+12125550111", name="Tom Baker"))

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        authorization = {"authorization": f"Bearer {self.token}"} if "authorization" not in headers else {}
        return await self.http.request(method, path, json=body, headers=authorization | headers)

    async def make(self, key: str = "k1", text: str = "tell the school", **fields: object) -> str:
        answer = await self.send("POST", "/requests", {"text": text, "idempotency_key": key, **fields})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])


@pytest.fixture
def open_signup() -> str:
    """Whether this deployment takes anybody; a test may say otherwise."""
    return "true"


@pytest.fixture
async def http(
    firestore_client: firestore.AsyncClient, open_signup: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    """The function `api` as the framework serves it."""
    monkeypatch.setenv("FLOYD_ENV", "local")
    if "FIREBASE_AUTH_EMULATOR_HOST" not in os.environ:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setenv("FLOYD_WEB_ORIGINS", ORIGIN)
    monkeypatch.setenv("FLOYD_OPEN_SIGNUP", open_signup)
    monkeypatch.setenv("FLOYD_RELAY_URLS", RELAY)
    # The framework writes these two; setting them first has them restored.
    monkeypatch.setenv("FUNCTION_TARGET", "api")
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "http")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    app = create_asgi_app("api", "functions/main.py")  # type: ignore[no-untyped-call]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as client:
        yield client
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def tom(http: httpx2.AsyncClient, firestore_client: firestore.AsyncClient) -> Client:
    return Client(http, firestore_client.project, "tom")


@pytest.fixture
def ann(http: httpx2.AsyncClient, firestore_client: firestore.AsyncClient) -> Client:
    return Client(http, firestore_client.project, "ann")


async def planned(store: Store, rid: str, **changes: Any) -> None:
    moved = await store.move("tom", rid, JobClaimed("w", JobReason.NEW, 1))
    lease = moved.errand.request.lease
    assert isinstance(lease, Lease)
    values: dict[str, Any] = {"plan": PLAN, "release": (), "mandate": MandateTerms()}
    await store.move("tom", rid, Planned(lease.epoch, "new-1", **(values | changes)))


async def talking(store: Store, rid: str) -> None:
    await planned(store, rid)
    await store.move("tom", rid, DialDue("+13125550142", "+12125550100"))
    await store.move("tom", rid, DialClaimed(1))
    await store.move("tom", rid, Posted(1, "CA1"))
    await store.move("tom", rid, StreamStarted(1, RELAY, 1))


async def test_a_request_is_made_once_per_key(tom: Client, store: Store) -> None:
    """If this fails a client that repeats its POST rings twice, or does not learn the id."""
    body = {"text": "tell the school", "idempotency_key": "k1"}
    first = await tom.send("POST", "/requests", body)
    again = await asyncio.gather(*(tom.send("POST", "/requests", body) for _ in range(20)))
    other = await tom.send("POST", "/requests", body | {"text": "tell the bus"})

    assert first.status_code == 201
    assert first.json() == {"id": first.json()["id"], "status": "pending"}
    assert {(each.status_code, each.json()["id"]) for each in again} == {(200, first.json()["id"])}
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
    assert len(await store.below("users/tom/requests")) == 1
    person = await store.person("tom")
    assert (person.number, person.name) == ("+12125550111", "Tom Baker")


async def test_the_fields_of_a_request_are_kept(tom: Client, store: Store) -> None:
    """If this fails a dry run rings, or a call comes at a time that the person excluded."""
    rid = await tom.make(dry_run=True, language="fr-CA", not_before="2026-12-01T09:00:00-05:00")

    request = await store.request("tom", rid)

    assert request is not None
    assert (request.dry_run, request.language) == (True, "fr-CA")
    assert request.not_before == datetime(2026, 12, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"text": "x"},
        {"text": "", "idempotency_key": "k"},
        {"text": "   ", "idempotency_key": "k"},
        {"text": "x" * 2001, "idempotency_key": "k"},
        {"text": "x", "idempotency_key": ""},
        {"text": "x", "idempotency_key": "k" * 129},
        {"text": "x", "idempotency_key": "k", "dryrun": True},
        {"text": "x", "idempotency_key": "k", "dry_run": "yes"},
        {"text": "x", "idempotency_key": "k", "not_before": "tomorrow"},
        {"text": "x", "idempotency_key": "k", "not_before": "2026-12-01T09:00:00"},
        {"text": "x", "idempotency_key": "k", "language": "../.."},
        {"text": "a\0b", "idempotency_key": "k"},
        {"text": ["x"], "idempotency_key": "k"},
    ],
)
async def test_what_is_no_request_is_refused_in_words(tom: Client, body: object) -> None:
    """If this fails bad input becomes a call, or a stack trace."""
    answer = await tom.send("POST", "/requests", body)

    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_broken_and_giant_bodies_are_refused(tom: Client) -> None:
    """If this fails one client fills the memory of all."""
    headers = {"authorization": f"Bearer {tom.token}"}

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 8192

    broken = await tom.http.post("/requests", content=b'{"text": "\xff"', headers=headers)
    surrogate = await tom.http.post(
        "/requests", content=b'{"text": "\\ud800", "idempotency_key": "k"}', headers=headers
    )
    giant = await tom.http.post("/requests", content=b"x" * 40_000, headers=headers)
    streamed = await tom.http.post("/requests", content=endless(), headers=headers)

    assert [each.status_code for each in (broken, surrogate, giant, streamed)] == [400, 400, 413, 413]


def bad_tokens(project: str) -> dict[str, str]:
    good = claims(project)
    header = {"alg": "none"}
    return {
        "no token": "",
        "no jwt": "x",
        "two parts": "a.b",
        "not base64": "!.!.",
        "other project": unsigned(claims(project, aud="other")),
        "other issuer": unsigned(claims(project, iss="https://securetoken.google.com/other")),
        "expired": unsigned(claims(project, exp=good["iat"] - 31)),
        "issued later": unsigned(claims(project, iat=good["iat"] + 60)),
        "no expiry": unsigned(claims(project, exp=None)),
        "no subject": unsigned(claims(project, sub=None)),
        "empty subject": unsigned(claims(project, sub="")),
        "a path as subject": unsigned(claims(project, sub="tom/requests")),
        "a number as subject": unsigned(claims(project, sub=1)),
        "true as expiry": unsigned(claims(project, exp=True)),
        "signed": unsigned(good, header, "c2ln"),
        "another algorithm": unsigned(good, {"alg": "HS256"}),
        "a list": unsigned([], header),  # type: ignore[arg-type]
        "giant": unsigned(good | {"x": "x" * 10_000}),
    }


async def test_every_bad_token_gets_the_same_words(
    tom: Client, store: Store, firestore_client: firestore.AsyncClient
) -> None:
    """If this fails a stranger gets in, or learns why they did not."""
    answers = {}
    for name, token in bad_tokens(firestore_client.project).items():
        answers[name] = await tom.send(
            "POST", "/requests", {"text": "x", "idempotency_key": "k"}, authorization=f"Bearer {token}"
        )
    answers["basic"] = await tom.send("GET", "/export", authorization=f"Basic {tom.token}")

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}
    assert len({answer.text for answer in answers.values()}) == 1
    assert await store.below("users/tom/requests") == []


async def test_clocks_may_differ_by_half_a_minute(tom: Client, firestore_client: firestore.AsyncClient) -> None:
    """If this fails a phone whose clock is a little off cannot sign in."""
    now = claims(firestore_client.project)["iat"]
    tom.token = unsigned(claims(firestore_client.project, iat=now + 25, exp=now - 25))

    assert (await tom.send("GET", "/export")).status_code == 200


@pytest.mark.parametrize("open_signup", ["false"])
async def test_only_the_admitted_get_in_unless_sign_up_is_open(
    tom: Client, firestore_client: firestore.AsyncClient
) -> None:
    """If this fails anybody with a mail address makes calls at the operator's expense."""
    stranger = await tom.send("GET", "/export")
    tom.token = unsigned(claims(firestore_client.project, floyd=True))
    admitted = await tom.send("GET", "/export")
    tom.token = unsigned(claims(firestore_client.project, floyd="true"))
    nearly = await tom.send("GET", "/export")

    assert [each.status_code for each in (stranger, admitted, nearly)] == [403, 200, 403]
    assert stranger.json()["error"]["code"] == "not_admitted"


PATHS = [
    ("PATCH", "/requests/{rid}", {"text": "mine now"}),
    ("POST", "/requests/{rid}/cancel", None),
    ("POST", "/requests/{rid}/approve", {}),
    ("POST", "/requests/{rid}/retry", None),
    ("POST", "/requests/{rid}/questions/q1/answer", {"answer": "yes"}),
]


@pytest.mark.parametrize("call", PATHS)
async def test_somebody_elses_request_looks_like_none(
    tom: Client, ann: Client, store: Store, call: tuple[str, str, object]
) -> None:
    """If this fails one person reads or moves another's errand, or learns that it exists."""
    method, path, body = call
    rid = await tom.make()
    before = await store.request("tom", rid)

    hers = await ann.send(method, path.format(rid=rid), body)
    nobodys = await ann.send(method, path.format(rid="0" * 20), body)
    odd = [await ann.send(method, path.format(rid=name), body) for name in ("__x__", "%2e%2e", "a%2Fb", "x" * 2000)]

    assert hers.status_code == 404
    assert {(each.status_code, each.json()["error"]["code"]) for each in odd} == {(404, "not_found")}
    assert (hers.status_code, hers.json()) == (nobodys.status_code, nobodys.json())
    assert await store.request("tom", rid) == before


async def test_a_flood_of_one_person_is_slowed_and_nobody_elses(tom: Client, ann: Client, store: Store) -> None:
    """If this fails one account's loop costs every account its service."""
    answers = [await tom.send("POST", "/requests", {"text": "x", "idempotency_key": f"k{n}"}) for n in range(13)]
    hers = await ann.send("POST", "/requests", {"text": "x", "idempotency_key": "k"})
    repeated = await tom.send("POST", "/requests", {"text": "x", "idempotency_key": "k0"})

    assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 3
    assert answers[-1].json()["error"]["retry_after"] > 0
    assert int(answers[-1].headers["retry-after"]) > 0
    assert hers.status_code == 201
    assert repeated.status_code == 429
    assert len(await store.below("users/tom/requests")) == 10


async def test_an_edit_plans_again_until_the_phone_rings(tom: Client, store: Store) -> None:
    """If this fails the call goes out with words that the person has taken back."""
    rid = await tom.make()
    edited = await tom.send("PATCH", f"/requests/{rid}", {"text": "tell the bus", "mandate": {"max_amount": "20"}})
    nothing = await tom.send("PATCH", f"/requests/{rid}", {})
    wrong = await tom.send("PATCH", f"/requests/{rid}", {"mandate": {"max_amount": "lots"}})
    unknown = await tom.send("PATCH", f"/requests/{rid}", {"release": ["nothing"]})
    request = await store.request("tom", rid)
    other = await tom.make("k2")
    await talking(store, other)
    late = await tom.send("PATCH", f"/requests/{other}", {"text": "too late"})

    assert (edited.status_code, edited.json()) == (200, {"status": "planning"})
    assert [each.status_code for each in (nothing, wrong, unknown, late)] == [400, 400, 400, 409]
    assert request is not None
    assert (request.text, request.attempt) == ("tell the bus", 1)
    assert request.wishes.mandate == MandateTerms(max_amount="20")


async def test_a_fact_that_may_never_be_told_cannot_be_released(tom: Client, store: Store) -> None:
    """If this fails a slip in the app tells a stranger a card number."""
    rid = await tom.make()
    await store.put("users/tom/facts/card", Fact(key="card", value="4111", share="never"))
    await store.put("users/tom/facts/birthday", Fact(key="birthday", value="May 1", share="ask"))
    asked = Question(text="?", kind="approval", deadline=datetime.now(UTC))
    proposed = (Released(key="birthday", value="May 1"),)
    await planned(store, rid, questions=(("approval-1", asked),), proposed=proposed)

    never = await tom.send("POST", f"/requests/{rid}/approve", {"release": ["card"]})
    nothing = await store.request("tom", rid)
    approved = await tom.send("POST", f"/requests/{rid}/approve", {"release": ["birthday"]})
    twice = await tom.send("POST", f"/requests/{rid}/approve", {})

    assert never.status_code == 400
    assert nothing is not None
    assert nothing.status is Status.WAITING
    assert (approved.status_code, approved.json()) == (200, {"status": "ready"})
    assert twice.status_code == 409
    request = await store.request("tom", rid)
    assert request is not None
    assert request.release == [Released(key="birthday", value="May 1")]


async def test_an_answer_counts_once_and_goes_to_a_live_call(tom: Client, store: Store) -> None:
    """If this fails the callee waits for an answer that was given, or hears it twice."""
    rid = await tom.make()
    await talking(store, rid)
    question = Question(text="560?", kind="mandate", offer="560", deadline=datetime.now(UTC) + timedelta(days=1))
    await store.move("tom", rid, QuestionAsked(1, "q1", question))

    empty = await tom.send("POST", f"/requests/{rid}/questions/q1/answer", {"answer": " "})
    card = await tom.send("POST", f"/requests/{rid}/questions/q1/answer", {"answer": "4111 1111 1111 1111"})
    answered = await tom.send("POST", f"/requests/{rid}/questions/q1/answer", {"answer": "up to 80"})
    again = await tom.send("POST", f"/requests/{rid}/questions/q1/answer", {"answer": "up to 900"})
    unknown = await tom.send("POST", f"/requests/{rid}/questions/q9/answer", {"answer": "yes"})

    assert [each.status_code for each in (empty, card, answered, again, unknown)] == [400, 400, 200, 409, 404]
    assert [command.answer for _, command in await store.inbox(RELAY)] == ["up to 80"]
    request = await store.request("tom", rid)
    assert request is not None
    assert request.mandate is not None
    assert (request.status, request.mandate.max_amount) == (Status.TALKING, "80")


async def test_a_cancel_before_the_ring_is_final(tom: Client, store: Store) -> None:
    """If this fails a phone rings after the person was told that it will not."""
    rid = await tom.make()
    await planned(store, rid)
    await store.move("tom", rid, DialDue("+13125550142", "+12125550100"))

    cancelled = await tom.send("POST", f"/requests/{rid}/cancel")
    claimed = await store.move("tom", rid, DialClaimed(1))
    again = await tom.send("POST", f"/requests/{rid}/cancel")

    assert (cancelled.status_code, cancelled.json()) == (200, {"status": "cancelled"})
    assert claimed.ignored is not None
    assert again.json() == {"status": "cancelled"}
    call = await store.call("tom", rid, 1)
    assert call is not None
    assert call.status is CallStatus.CANCELED


async def test_a_cancel_of_a_live_call_reaches_its_relay(tom: Client, store: Store) -> None:
    """If this fails a person cannot stop a call that has begun."""
    rid = await tom.make()
    await talking(store, rid)

    cancelled = await tom.send("POST", f"/requests/{rid}/cancel")

    assert (cancelled.status_code, cancelled.json()) == (200, {"status": "talking"})
    assert [command.kind for _, command in await store.inbox(RELAY)] == ["hang_up"]


async def test_a_retry_needs_an_end(tom: Client, store: Store) -> None:
    """If this fails a second tap rings twice, or an ended request cannot be tried again."""
    rid = await tom.make()
    early = await tom.send("POST", f"/requests/{rid}/retry")
    await tom.send("POST", f"/requests/{rid}/cancel")
    retried = await tom.send("POST", f"/requests/{rid}/retry")
    twice = await tom.send("POST", f"/requests/{rid}/retry")

    assert [each.status_code for each in (early, retried, twice)] == [409, 200, 409]
    assert retried.json() == {"status": "planning"}
    assert await store.job("tom", rid, "retry-2") is not None


async def test_browsers_of_listed_origins_only(tom: Client) -> None:
    """If this fails any page that a person visits may speak for them, or the app itself may not."""
    flight = await tom.http.options("/requests", headers={"origin": ORIGIN, "access-control-request-method": "POST"})
    ours = await tom.send("GET", "/export", origin=ORIGIN)
    theirs = await tom.send("GET", "/export", origin="https://evil.example")
    refused = await tom.send("GET", "/export", origin=ORIGIN, authorization="")

    assert flight.status_code == 204
    assert "authorization" in flight.headers["access-control-allow-headers"]
    assert "PATCH" in flight.headers["access-control-allow-methods"]
    assert ours.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in theirs.headers
    assert refused.headers["access-control-allow-origin"] == ORIGIN


async def test_the_description_names_every_call(tom: Client) -> None:
    """If this fails clients are made from a description of another API."""
    answer = await tom.http.get("/openapi.json")

    described = {(method, path) for path, methods in answer.json()["paths"].items() for method in methods}
    served = {(operation.method, operation.path) for operation in module.OPERATIONS}
    assert described == served - {("get", "/openapi.json")}


async def test_nothing_is_at_other_addresses(tom: Client) -> None:
    """If this fails a misspelt path does something."""
    answers = [
        await tom.send(method, path)
        for method, path in (("GET", "/"), ("GET", "/requests"), ("DELETE", "/requests/x"), ("POST", "/requests/x"))
    ]

    assert {answer.status_code for answer in answers} == {404}


async def test_an_export_holds_everything_of_one_person(tom: Client, ann: Client, store: Store) -> None:
    """If this fails a person does not get their data, or gets somebody else's."""
    rid = await tom.make()
    await ann.make()
    await store.put("users/tom/facts/card", Fact(key="card", value="4111", share="never"))

    exported = (await tom.send("GET", "/export")).json()

    assert exported["uid"] == "tom"
    assert f"users/tom/requests/{rid}/jobs/new-1" in exported["documents"]
    assert "4111" in str(exported)
    assert "users/ann" not in str(exported)


async def test_no_relay_awake_is_said_plainly(tom: Client, store: Store) -> None:
    """If this fails a person speaks to a relay that is not there."""
    await store.beat(Heartbeat(url=RELAY, live=0, room=2, draining=False, beat_at=datetime.now(UTC)))

    answer = await tom.send("POST", "/dictations")

    assert answer.status_code == 503
    assert answer.json()["error"]["retry_after"] > 0


async def test_leaving_ends_calls_and_removes_everything(
    removed_sign_ins: list[str], tom: Client, ann: Client, store: Store
) -> None:
    """If this fails a person who leaves is still called for, or still stored."""
    rid = await tom.make()
    await talking(store, rid)
    await ann.make()

    left = await tom.send("DELETE", "/account")
    after = await tom.send("POST", "/requests", {"text": "x", "idempotency_key": "k"})

    assert (left.status_code, left.json()) == (202, {"removed": True})
    assert [command.kind for _, command in await store.inbox(RELAY)] == ["hang_up"]
    assert await store.export("tom") == {}
    assert await store.export("ann") != {}
    assert removed_sign_ins == ["tom"]
    assert after.status_code == 403


@pytest.fixture
async def removed_sign_ins(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[list[str]]:
    """The Auth emulator's door for removing accounts, and whom it removed."""
    removed: list[str] = []

    async def delete(request: web.Request) -> web.Response:
        removed.append((await request.json())["localId"])
        return web.json_response({"kind": "identitytoolkit#DeleteAccountResponse"})

    app = web.Application()
    app.router.add_post("/identitytoolkit.googleapis.com/v1/projects/{project}/accounts:delete", delete)
    runner = web.AppRunner(app)
    await runner.setup()
    port = unused_tcp_port_factory()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", f"127.0.0.1:{port}")
    yield removed
    await runner.cleanup()
