"""One real call to the team's own number proves a release: `python -m deploy.smoke OUTPUTS.json`.

The smoke-test account signs in as any client does, hands in a request, and the request must end `done` in time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

IDENTITY = "https://identitytoolkit.googleapis.com/v1"
REQUEST_S = 30.0
ENDS_WITHIN_S = 300.0
POLL_S = 5.0
ENDED = {"done", "failed", "cancelled", "unconfirmed"}


def sign_in(key: str, email: str, password: str, *, identity: str = IDENTITY) -> str:
    """An ID token, as Firebase gives it to a client."""
    body = {"email": email, "password": password, "returnSecureToken": True}
    answer = httpx2.post(f"{identity}/accounts:signInWithPassword?key={key}", json=body, timeout=REQUEST_S)
    answer.raise_for_status()
    return str(answer.json()["idToken"])


def call(api: str, token: str, number: str, *, release: str, key: str, poll_s: float = POLL_S) -> Mapping[str, Any]:
    """Have Floyd ring the number; the request as it ended. Raises TimeoutError when it did not."""
    with httpx2.Client(base_url=api, headers={"authorization": f"Bearer {token}"}, timeout=REQUEST_S) as client:
        text = f"Call {number} and tell them that release {release} of Floyd is running."
        made = client.post("/requests", json={"text": text, "idempotency_key": key})
        made.raise_for_status()
        rid = made.json()["id"]
        deadline = time.monotonic() + ENDS_WITHIN_S
        while True:
            documents = client.get("/export").raise_for_status().json()["documents"]
            found: Mapping[str, Any] = next(
                (fields for path, fields in documents.items() if path.endswith(f"/requests/{rid}")), {}
            )
            if found.get("status") in ENDED:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"the call has not ended: {found.get('status')}: {found.get('status_reason')}")
            time.sleep(poll_s)


def main(outputs: Mapping[str, Any]) -> int:
    number = os.environ["SMOKE_NUMBER"]
    if not number:
        sys.stdout.write("no SMOKE_NUMBER: the release is not proved by a call\n")
        return 0
    token = sign_in(outputs["web"]["value"]["api_key"], os.environ["SMOKE_EMAIL"], os.environ["SMOKE_PASSWORD"])
    release, build = os.environ["COMMIT_SHA"][:8], os.environ["BUILD_ID"]
    ended = call(outputs["api_url"]["value"], token, number, release=release, key=build)
    sys.stdout.write(f"{ended['status']}: {ended.get('status_reason', '')}\n")
    return 0 if ended["status"] == "done" else 1


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text())))
