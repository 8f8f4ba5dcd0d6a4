"""Planning on a stage of real parts: the emulator, the model's stand-in on a socket, and a person with facts."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2

from floyd.documents import Call, Fact, Question, Request
from floyd.settings import Settings
from floyd.store import Store
from functions.parts import Parts
from functions.planning import run_job

UID = "tom"
# 10:15 in Chicago, 16:15 in London: decent hours wherever the tests' numbers ring.
NOW = datetime(2026, 11, 23, 16, 15, tzinfo=UTC)
SCHOOL = "+13125550142"
FACTS = (
    Fact(key="school_name", value="Lincoln Elementary", category="place", share="always"),
    Fact(key="school_number", value=SCHOOL, category="phone_number", share="always"),
    Fact(key="child_name", value="Mara Baker", category="person", share="always"),
)


@dataclass
class Stage:
    """The `plan` function's parts, and what the stand-in was sent."""

    store: Store
    parts: Parts
    control: httpx2.AsyncClient
    made: int = field(default=0)

    async def close(self) -> None:
        await self.parts.model.client.close()
        await self.parts.sound.server.close()
        await self.control.aclose()

    async def person(self, *facts: Fact, **profile: Any) -> None:
        """Tom Baker with these facts."""
        await self.store.note_person(UID, {"name": "Tom Baker", "time_zone": "America/Chicago"} | profile)
        for fact in facts:
            await self.store.put(f"users/{UID}/facts/{fact.key}", fact)

    async def request(self, text: str, **fields: Any) -> str:
        self.made += 1
        wanted = Request(text=text, created_at=NOW, deadline=NOW, **fields)
        return (await self.store.create_request(UID, f"k{self.made}", wanted)).rid

    async def run(self, rid: str) -> str:
        """Deliver each job once, as the triggers would, with those that it makes; returns the last one's word."""
        word, delivered = "nothing to do", set[str]()
        while names := [name for name in await self._open_jobs(rid) if name not in delivered]:
            for name in names:
                delivered.add(name)
                word = await run_job(UID, rid, name, self.parts)
        return word

    async def _open_jobs(self, rid: str) -> list[str]:
        jobs = await self.store.below(f"users/{UID}/requests/{rid}/jobs")
        return [name for name, fields in jobs if "done_at" not in fields]

    async def plan(self, text: str, **fields: Any) -> str:
        """Make a request and plan it."""
        rid = await self.request(text, **fields)
        await self.run(rid)
        return rid

    async def reply(self, of: str, answer: dict[str, Any]) -> None:
        """Let the stand-in answer exactly this, once."""
        fault = {"kind": "reply", "of": of, "text": json.dumps(answer)}
        (await self.control.post("/control/faults", json=fault)).raise_for_status()

    async def fail(self, kind: str, **fields: Any) -> None:
        (await self.control.post("/control/faults", json={"kind": kind, **fields})).raise_for_status()

    async def sent(self) -> list[bytes]:
        """Every body that the model was sent, byte for byte."""
        answer = (await self.control.get("/control/requests")).json()
        return [base64.b64decode(body["base64"]) for body in answer["requests"]]

    async def read(self, rid: str) -> Request:
        request = await self.store.request(UID, rid)
        assert request is not None
        return request

    async def call(self, rid: str, attempt: int = 1) -> Call:
        call = await self.store.call(UID, rid, attempt)
        assert call is not None
        return call

    async def asked(self, rid: str) -> list[Question]:
        """The questions that are open."""
        return [question for _, question in await self.store.questions(UID, rid) if question.status == "open"]


def stage(store: Store, port: int, **environment: str) -> Stage:
    """A stage before the stand-in at this port."""
    settings = Settings.read(
        "plan",
        {
            "FLOYD_ENV": "local",
            "GOOGLE_CLOUD_PROJECT": "demo",
            "OPENAI_API_KEY": "any",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "FLOYD_CALLER_NUMBER": "+12125550100",
            "FLOYD_DIAL_ALLOW": f"{SCHOOL},+13125550199",
            # No voice unless a test brings one: what is not prepared is synthesised during the call.
            "FLOYD_VOICE_BACKEND": "openai-speech",
            "FLOYD_VOICE_BASE_URL": "http://127.0.0.1:9/v1",
        }
        | environment,
    )
    control = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)
    return Stage(store, replace(Parts.of(settings, store), now=NOW, pause_s=0.0), control)


async def race(stage: Stage, rid: str, job: str, copies: int) -> list[str]:
    """Deliver one event many times at once."""
    return list(await asyncio.gather(*(run_job(UID, rid, job, stage.parts) for _ in range(copies))))
