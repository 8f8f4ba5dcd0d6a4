"""A person's side of Floyd, as an app has it: the API over HTTP, the documents by subscription, nothing else."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx2

from floyd.command.errand import Errand
from floyd.command.running import Running
from floyd.documents import Fact, Person
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


class Client:
    """One signed-in person. The token is the unsigned kind that only a local stack accepts."""

    def __init__(self, running: Running, uid: str, *, number: str = "", name: str = "") -> None:
        self.running = running
        self.uid = uid
        self._claims = {"phone_number": number, "name": name}
        self._api = httpx2.Client(base_url=running.api, timeout=API_S)
        self._documents = running.documents()

    def close(self) -> None:
        self._api.close()
        self._documents.close()  # type: ignore[no-untyped-call]

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
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        signed = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        return ".".join((*signed, ""))

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

    def has(self, rid: str) -> bool:
        """Whether this person has such a request."""
        place = ("users", self.uid, "requests", rid)
        return bool(rid) and "/" not in rid and bool(self._documents.document(*place).get().exists)

    def follow(self, rid: str) -> Errand:
        return Errand(self._documents, self.uid, rid)

    def answer(self, rid: str, qid: str, answer: str) -> None:
        self.call("POST", f"/requests/{rid}/questions/{qid}/answer", {"answer": answer})

    def introduce(self, person: Person) -> None:
        """Write the person's own profile, as the app does at sign-up."""
        self._documents.document("users", self.uid).set(person.to_store(), merge=True)

    def facts(self) -> dict[str, Fact]:
        """Every fact by its id."""
        found = self._documents.collection("users", self.uid, "facts").stream()
        return {each.id: Fact.from_store(each.to_dict()) for each in found}

    def save_fact(self, fact: Fact) -> None:
        """Write a fact; its key is its id, so a second time replaces the first."""
        self._documents.document("users", self.uid, "facts", fact.key).set(fact.to_store())

    def remove_fact(self, key: str) -> None:
        self._documents.document("users", self.uid, "facts", key).delete()
