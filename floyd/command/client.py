"""A person's side of Floyd, as an app has it: the API over HTTP, the documents by subscription, nothing else."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx2
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from floyd.command.running import Running
from floyd.documents import LIVE, TERMINAL, Call, Disclosure, Fact, Live, Person, Question, Request, Task, Turn
from floyd.errors import FloydError

# The API only writes documents; ten seconds is a machine in trouble.
API_S = 10.0
# As long as Firebase's own tokens live.
TOKEN_S = 3600


class ApiError(FloydError):
    """The API refused; `status` and `code` are its own, the message is for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ErrandView:
    """One request with everything that hangs on it, as its owner sees it at one moment."""

    rid: str
    request: Request | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)
    calls: Mapping[int, Call] = field(default_factory=dict)
    turns: Mapping[int, Turn] = field(default_factory=dict)
    live: Live | None = None
    tasks: tuple[Task, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()

    @property
    def finished(self) -> bool:
        return self.request is not None and self.request.status in TERMINAL

    @property
    def open_question(self) -> tuple[str, Question] | None:
        """The newest question that waits for the person."""
        waiting = [(qid, question) for qid, question in self.questions.items() if question.status == "open"]
        return max(waiting, key=lambda pair: (pair[1].attempt, pair[1].deadline)) if waiting else None

    @property
    def newest_turn(self) -> int:
        """The number of the last turn so far; 0 before the first."""
        return max(self.turns, default=0)

    def settled(self, seq: int) -> bool:
        """Whether a turn will change no more: another has followed it, or nobody is on the line any longer."""
        talking = self.request is not None and self.request.status in LIVE
        return seq < self.newest_turn or not talking

    def gap_ms(self, seq: int) -> int | None:
        """For a turn of Floyd's that answers the callee: the silence before it, in milliseconds."""
        turn, before = self.turns.get(seq), self.turns.get(seq - 1)
        if not turn or not before or turn.speaker != "floyd" or before.speaker != "callee" or turn.call != before.call:
            return None
        return turn.start_ms - before.end_ms


class Errand:
    """A request kept current by subscription; `view` is always a whole, consistent value. Close it when done."""

    def __init__(self, client: firestore.Client, uid: str, rid: str) -> None:
        self.rid = rid
        self._view = ErrandView(rid)
        self._changed = threading.Condition()
        self._changes = 0
        person = client.document("users", uid)
        request = person.collection("requests").document(rid)

        def about(name: str) -> firestore.Query:
            query: firestore.Query = person.collection(name).where(filter=FieldFilter("request", "==", rid))
            return query

        watched = (
            ("request", request, _one(Request)),
            ("questions", request.collection("questions"), _by_id(Question, str)),
            ("calls", request.collection("calls"), _by_id(Call, int)),
            ("turns", request.collection("turns"), _by_id(Turn, int)),
            ("live", request.collection("live").document("now"), _one(Live)),
            ("tasks", about("tasks"), _all(Task)),
            ("disclosures", about("disclosures"), _all(Disclosure)),
        )
        self._watches = [place.on_snapshot(self._on(name, read)) for name, place, read in watched]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for watch in self._watches:
            watch.unsubscribe()

    @property
    def view(self) -> ErrandView:
        with self._changed:
            return self._view

    def wait_until(self, wanted: Callable[[ErrandView], bool], timeout_s: float) -> ErrandView:
        """The first view that satisfies `wanted`; raises TimeoutError, with where it stood, after `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self._view), timeout_s):
                raise TimeoutError(f"after {timeout_s:.0f} s: {_summary(self._view)}")
            return self._view

    def wait_for_change(self, seen: int, timeout_s: float) -> tuple[int, ErrandView]:
        """The newest view as soon as more than `seen` changes have arrived, or after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes > seen, timeout_s)
            return self._changes, self._view

    def _on(self, name: str, read: Callable[[list[Any]], Any]) -> Callable[[list[Any], Any, Any], None]:
        def receive(found: list[Any], _changes: Any, _read_time: Any) -> None:
            value = read(found)
            with self._changed:
                self._view = replace(self._view, **{name: value})
                self._changes += 1
                self._changed.notify_all()

        return receive


class Client:
    """One signed-in person. The token is the unsigned kind that only a local stack accepts."""

    def __init__(self, running: Running, uid: str, *, number: str = "", name: str = "") -> None:
        self.running = running
        self.uid = uid
        self._claims = {"phone_number": number, "name": name}
        self._api = httpx2.Client(base_url=running.api, timeout=API_S)
        # The library takes the emulator's address from nowhere else, and reads it once, here.
        os.environ["FIRESTORE_EMULATOR_HOST"] = running.firestore
        self._firestore = firestore.Client(project=running.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._api.close()
        self._firestore.close()  # type: ignore[no-untyped-call]

    def token(self) -> str:
        """A fresh ID token of this person."""
        now = int(time.time())
        claims = {
            "iss": f"https://securetoken.google.com/{self.running.project}",
            "aud": self.running.project,
            "sub": self.uid,
            "user_id": self.uid,
            "auth_time": now,
            "iat": now,
            "exp": now + TOKEN_S,
            "floyd": True,
            "firebase": {"identities": {}, "sign_in_provider": "phone"},
            **{name: value for name, value in self._claims.items() if value},
        }
        return ".".join((_part({"alg": "none", "typ": "JWT"}), _part(claims), ""))

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One call of the API. Raises ApiError for its refusals and FloydError when it does not answer."""
        headers = {"authorization": f"Bearer {self.token()}"}
        try:
            answer = self._api.request(method, path, json=body, headers=headers)
        except httpx2.HTTPError as error:
            raise FloydError(f"The API at {self.running.api} does not answer: {type(error).__name__}") from error
        try:
            content: dict[str, Any] = answer.json() if answer.content else {}
        except ValueError as error:
            raise ApiError(answer.status_code, "not_json", f"The API answered {answer.text[:200]!r}") from error
        if not answer.is_success:
            refusal = content.get("error", {})
            raise ApiError(answer.status_code, refusal.get("code", ""), refusal.get("message", answer.reason_phrase))
        return content

    def request(self, text: str, *, key: str | None = None, **more: Any) -> Errand:
        """Hand in a request, as the app does, and follow it."""
        body = {"text": text, "idempotency_key": key or uuid.uuid4().hex, **more}
        return self.follow(str(self.call("POST", "/requests", body)["id"]))

    def follow(self, rid: str) -> Errand:
        return Errand(self._firestore, self.uid, rid)

    def answer(self, rid: str, qid: str, answer: str) -> None:
        self.call("POST", f"/requests/{rid}/questions/{qid}/answer", {"answer": answer})

    def approve(self, rid: str) -> None:
        self.call("POST", f"/requests/{rid}/approve", {})

    def introduce(self, person: Person) -> None:
        """Write the person's own profile, as the app does at sign-up."""
        self._firestore.document("users", self.uid).set(person.to_store(), merge=True)

    def facts(self) -> dict[str, Fact]:
        """Every fact by its id."""
        found = self._firestore.collection("users", self.uid, "facts").stream()
        return {each.id: Fact.from_store(each.to_dict()) for each in found}

    def save_fact(self, fact: Fact) -> None:
        """Write a fact; its key is its id, so a second time replaces the first."""
        self._firestore.document("users", self.uid, "facts", fact.key).set(fact.to_store())

    def remove_fact(self, key: str) -> None:
        self._firestore.document("users", self.uid, "facts", key).delete()


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _one(kind: type[Any]) -> Callable[[list[Any]], Any]:
    """The single document of a subscription, or None while it does not exist."""
    return lambda found: kind.from_store(found[0].to_dict()) if found and found[0].to_dict() else None


def _by_id(kind: type[Any], id_type: type[Any]) -> Callable[[list[Any]], Any]:
    """Documents by their ids, in order."""
    return lambda found: {
        key: kind.from_store(data) for key, data in sorted((id_type(each.id), each.to_dict()) for each in found)
    }


def _all(kind: type[Any]) -> Callable[[list[Any]], Any]:
    return lambda found: tuple(kind.from_store(each.to_dict()) for each in found)


def _summary(view: ErrandView) -> str:
    """Where a request stands, in one line for an error message."""
    if view.request is None:
        return f"request {view.rid} does not exist"
    calls = ", ".join(f"call {number} {call.status.value}" for number, call in sorted(view.calls.items())) or "no call"
    last = next((turn.heard for _, turn in sorted(view.turns.items(), reverse=True)), "")
    return (
        f"request {view.rid} is {view.request.status.value} ({view.request.status_reason or 'no reason given'}), "
        f"{calls}, {len(view.turns)} turns, last heard {last!r}"
    )
