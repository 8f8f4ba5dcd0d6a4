"""The entry points, as the cloud starts and calls them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest
from functions_framework.aio import create_asgi_app
from google.cloud import firestore
from google.events.cloud import firestore as events

from floyd.documents import Request, Status
from floyd.store import Store
from standins.openai.server import Delays, application, listening
from tests.functions.planning_stage import FACTS, NOW, SCHOOL, UID

HEAVY = ("openai", "twilio.rest", "google.cloud.texttospeech", "google.cloud.run_v2", "firebase_admin", "httpx2")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=kept | environment
    )


def test_loading_the_entry_points_loads_no_vendor() -> None:
    """If this fails every cold start waits for libraries that most requests never use."""
    loaded = python(f"import sys, functions.main; print([name for name in {HEAVY!r} if name in sys.modules])")

    assert loaded.stdout.strip() == "[]", loaded.stderr


@pytest.mark.parametrize("target", ["api", "plan", "dial", "carrier", "sweep"])
def test_a_function_without_its_settings_does_not_start(target: str) -> None:
    """If this fails a deployment with a missing secret looks healthy and fails at the first request."""
    code = f"from functions_framework.aio import create_asgi_app; create_asgi_app({target!r}, 'functions/main.py')"

    started = python(code, OPENAI_API_KEY=" ", TWILIO_AUTH_TOKEN="")

    assert started.returncode != 0
    assert "GOOGLE_CLOUD_PROJECT is not set" in started.stderr
    assert target != "plan" or "OPENAI_API_KEY is not set" in started.stderr


@pytest.fixture
async def plan(
    firestore_client: firestore.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    """The function `plan` as the framework serves it, before the model's stand-in."""
    quick = Delays(first_token_ms=0, tokens_per_s=1_000_000)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    async with listening(application(delays=quick), "127.0.0.1", 0) as port:
        for name, value in {
            "FLOYD_ENV": "local",
            "OPENAI_API_KEY": "any",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "FLOYD_CALLER_NUMBER": "+12125550100",
            "FLOYD_DIAL_ALLOW": SCHOOL,
            "FLOYD_VOICE_BACKEND": "openai-speech",
            "FLOYD_VOICE_BASE_URL": "http://127.0.0.1:9/v1",
            # The framework writes these two; setting them first has them restored.
            "FUNCTION_TARGET": "plan",
            "FUNCTION_SIGNATURE_TYPE": "cloudevent",
        }.items():
            monkeypatch.setenv(name, value)
        app = create_asgi_app("plan", "functions/main.py")  # type: ignore[no-untyped-call]
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://plan") as client:
            yield client
    root.handlers[:] = handlers
    root.setLevel(level)


def created(path: str, project: str) -> tuple[dict[str, str], bytes]:
    """The event that Eventarc sends when a document is created."""
    data = events.DocumentEventData(
        value=events.Document(name=f"projects/{project}/databases/(default)/documents/{path}")
    )
    headers = {
        "ce-id": "1",
        "ce-type": "google.cloud.firestore.document.v1.created",
        "ce-source": f"//firestore.googleapis.com/projects/{project}/databases/(default)",
        "ce-specversion": "1.0",
        "ce-document": path,
        "content-type": "application/protobuf",
    }
    return headers, events.DocumentEventData.serialize(data)


async def test_the_creation_of_a_job_has_it_done_once(
    plan: httpx2.AsyncClient, store: Store, firestore_client: firestore.AsyncClient
) -> None:
    """If this fails nothing that a person asks for is ever planned, or everything twice."""
    await store.note_person(UID, {"name": "Tom Baker", "time_zone": "America/Chicago"})
    for fact in FACTS:
        await store.put(f"users/{UID}/facts/{fact.key}", fact)
    wanted = Request(text="Tell Mara's school she is sick", created_at=NOW, deadline=NOW)
    rid, _, _ = await store.create_request(UID, "k", wanted)
    headers, body = created(f"users/{UID}/requests/{rid}/jobs/new-1", firestore_client.project)

    answers = [await plan.post("/", content=body, headers=headers) for _ in range(3)]

    request = await store.request(UID, rid)
    assert {answer.status_code for answer in answers} == {200}
    assert request is not None
    assert request.status in (Status.READY, Status.DIALING)


@pytest.mark.parametrize("path", ["users/tom/requests/r1/jobs/none", "users/tom/facts/f1", "x", "relays/a/inbox/b"])
async def test_events_about_anything_else_are_dropped(
    plan: httpx2.AsyncClient, firestore_client: firestore.AsyncClient, path: str
) -> None:
    """If this fails a stray event is delivered again for a day."""
    headers, body = created(path, firestore_client.project)

    assert (await plan.post("/", content=body, headers=headers)).status_code == 200
