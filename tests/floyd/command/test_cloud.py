"""What `floyd doctor --cloud` says about deployments: good ones, each fault alone, and what cannot be read."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from floyd.command import cloud
from floyd.command.cloud import CREATED, FUNCTIONS, KNOWN
from floyd.command.doctor import healthy
from floyd.command.running import ROOT
from floyd.errors import ConfigError
from standins.phone_network.exchange import Exchange
from standins.phone_network.server import running as phone_network

ACCOUNT, TOKEN, NUMBER = "AC" + "3" * 32, "token", "+12125550100"
CARRIER = "https://floyd-carrier-1.us-central1.run.app"
API, DIAL, CARRIERS = (f"functions.functions.{position}.serviceConfig" for position in (0, 2, 3))
DATABASE = "projects/p/databases/(default)"


def function(name: str, documents: str) -> dict[str, Any]:
    trigger = {
        "eventType": CREATED,
        "eventFilters": [
            {"attribute": "database", "value": "(default)"},
            {"attribute": "document", "value": documents},
        ],
    }
    return {
        "name": f"projects/p/locations/l/functions/floyd-{name}",
        "state": "ACTIVE",
        "buildConfig": {"entryPoint": name},
        "serviceConfig": {
            "environmentVariables": {
                "GOOGLE_CLOUD_PROJECT": "p",
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "FLOYD_CALLER_NUMBER": NUMBER,
                "FLOYD_CARRIER_URL": CARRIER,
                "FLOYD_MAX_CALLS": "2",
            },
            "secretEnvironmentVariables": [
                {"key": key, "projectId": "p", "secret": key, "version": "latest"}
                for key in ("TWILIO_AUTH_TOKEN", "OPENAI_API_KEY")
            ],
        },
    } | ({"eventTrigger": trigger} if documents else {})


def relay(shard: int) -> dict[str, Any]:
    name = f"floyd-relay-{shard}"
    return {
        "name": f"projects/p/locations/l/services/{name}",
        "labels": {"floyd-relay": str(shard)},
        "template": {
            "scaling": {"maxInstanceCount": 1},
            "timeout": "3600s",
            "maxInstanceRequestConcurrency": 1000,
            "containers": [{"resources": {"limits": {"cpu": "1"}}}],
        },
        "trafficStatuses": [{"revision": f"{name}-c1", "percent": 100, "tag": "c1", "uri": "https://c1---x"}],
        "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
    }


def quota(name: str, value: int) -> dict[str, Any]:
    return {"quotaInfos": [{"quotaId": name, "dimensionsInfos": [{"details": {"value": str(value)}}]}]}


def good() -> dict[str, Any]:
    """Answers about a deployment that lacks nothing, in the vendors' own shapes."""
    fields = [{"fieldPath": "status", "order": "ASCENDING"}, {"fieldPath": "deadline", "order": "ASCENDING"}]
    risks = {"high_risk_special_numbers_enabled": False, "high_risk_tollfraud_numbers_enabled": False}
    return {
        "functions": {"functions": [function(name, documents) for name, documents in FUNCTIONS.items()]},
        "services": {"services": [relay(0), relay(1), {"name": "projects/p/locations/l/services/floyd-api"}]},
        "database": {
            "type": "FIRESTORE_NATIVE",
            "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_ENABLED",
            "deleteProtectionState": "DELETE_PROTECTION_ENABLED",
        },
        "indexes": {"indexes": [{"state": "READY", "fields": [*fields, {"fieldPath": "__name__"}]}]},
        "ttls": {
            "fields": [
                {
                    "name": f"{DATABASE}/collectionGroups/{each.split('.')[0]}/fields/{each.split('.')[1]}",
                    "ttlConfig": {"state": "ACTIVE"},
                }
                for each in KNOWN["expiring"]
            ]
        },
        "scheduler": {"name": "projects/p/locations/l/jobs/floyd-sweep", "state": "ENABLED", "schedule": "* * * * *"},
        "voice quota": quota("Chirp3RequestsPerMinutePerProject", 200),
        "ear quota": quota("StreamingRecognizeConcurrentStreams", 300),
        "secret OPENAI_API_KEY": {"versions": [{"state": "ENABLED"}]},
        "secret TWILIO_AUTH_TOKEN": {"versions": [{"state": "ENABLED"}]},
        "account": {"status": "active", "type": "Full"},
        "number": {
            "incoming_phone_numbers": [
                {"phone_number": NUMBER, "voice_url": f"{CARRIER}/inbound", "sms_url": f"{CARRIER}/sms"}
            ]
        },
        "countries": {
            "content": [
                {"iso_code": "US", "low_risk_numbers_enabled": True, **risks},
                {"iso_code": "CA", "low_risk_numbers_enabled": True, **risks},
                {"iso_code": "GB", "low_risk_numbers_enabled": False, **risks},
            ]
        },
        "profiles": {"results": []},
    }


def test_a_good_deployment_has_no_fault() -> None:
    """If this fails the doctor cries wolf, or does not look at something."""
    findings = cloud.judge(good())

    assert [finding for finding in findings if not finding.ok] == []
    assert len(findings) >= 20


@pytest.mark.parametrize(
    ("path", "value", "name", "words"),
    [
        (f"{API}.environmentVariables.FLOYD_ENV", "local", "function api", "not production"),
        (f"{DIAL}.secretEnvironmentVariables", [], "function dial", "TWILIO_AUTH_TOKEN not set"),
        (f"{CARRIERS}.environmentVariables.FLOYD_MAX_CALLS", "30", "Twilio concurrency", "profile"),
        (f"{CARRIERS}.environmentVariables.FLOYD_MAX_CALLS", "30", "voice quota", "300 are wanted"),
        ("functions.functions.1", {}, "function plan", "not deployed"),
        ("functions.functions.2.state", "FAILED", "function dial", "not active"),
        ("functions.functions.1.eventTrigger.eventType", "written", "function plan", "trigger must be"),
        ("services.services.1", {"name": "other"}, "relays", "relay_shards"),
        ("services.services.0.template.scaling.maxInstanceCount", 3, "floyd-relay-0", "one process"),
        ("services.services.0.template.containers.0.resources.cpuIdle", True, "floyd-relay-0", "CPU"),
        ("services.services.0.template", {}, "floyd-relay-0", "1 instance"),
        ("services.services.0.template.timeout", "300s", "floyd-relay-0", "3600s"),
        ("services.services.0.template.maxInstanceRequestConcurrency", 80, "floyd-relay-0", "1000"),
        ("services.services.0.trafficStatuses.0.tag", "", "floyd-relay-0", "no tag"),
        ("services.services.0.terminalCondition.state", "CONDITION_FAILED", "floyd-relay-0", "not ready"),
        ("database.type", "DATASTORE_MODE", "Firestore", "native"),
        ("database.pointInTimeRecoveryEnablement", "POINT_IN_TIME_RECOVERY_DISABLED", "Firestore recovery", "off"),
        ("database.deleteProtectionState", "DELETE_PROTECTION_DISABLED", "Firestore protection", "deletion"),
        ("indexes.indexes.0.state", "CREATING", "index of requests", "being built"),
        ("ttls.fields.0.ttlConfig.state", "CREATING", "expiry", "not active"),
        ("scheduler.state", "PAUSED", "sweeper", "every minute"),
        ("secret OPENAI_API_KEY", {}, "secret OPENAI_API_KEY", "gcloud secrets versions add OPENAI_API_KEY"),
        ("account.status", "suspended", "Twilio account", "suspended"),
        ("account.type", "Trial", "Twilio trial", "verified"),
        ("number.incoming_phone_numbers", [], "Twilio number", "not a number of this account"),
        ("number.incoming_phone_numbers.0.sms_url", "", "Twilio number", f"messages to POST {CARRIER}/sms"),
        ("countries.content.1.low_risk_numbers_enabled", False, "Twilio countries", "allow CA"),
        ("countries.content.2.low_risk_numbers_enabled", True, "Twilio countries nobody needs", "close GB"),
        ("countries.content.0.high_risk_tollfraud_numbers_enabled", True, "Twilio high-risk numbers", "close US"),
    ],
)
def test_each_fault_is_found_and_says_how_to_mend_it(path: str, value: object, name: str, words: str) -> None:
    """If this fails an operator looks for this fault for hours."""
    answers = copy.deepcopy(good())
    *parents, last = path.split(".")
    place: Any = answers
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value

    (finding,) = [finding for finding in cloud.judge(answers) if finding.name == name]

    assert not finding.ok
    assert words in finding.advice


def test_the_doctor_knows_what_infra_makes() -> None:
    """If this fails the doctor asks for what `terraform apply` never makes, or misses what it should."""
    infra = ROOT / "infra"
    overrides = json.loads((infra / "firestore.indexes.json").read_text())["fieldOverrides"]
    functions = (infra / "functions.tf").read_text()

    assert {f"{each['collectionGroup']}.{each['fieldPath']}" for each in overrides if each.get("ttl")} == set(
        KNOWN["expiring"]
    )
    for documents in filter(None, FUNCTIONS.values()):
        assert documents.removeprefix("users/{uid}/requests/{rid}/") in functions


def test_what_cannot_be_read_is_said_and_the_rest_is_judged() -> None:
    """If this fails one missing permission hides everything else."""
    answers = good() | {"functions": "403 Forbidden", "ear quota": "404"}
    findings = {finding.name: finding for finding in cloud.judge(answers)}

    assert findings["functions"].advice == "could not be read: 403 Forbidden"
    assert findings["ear quota"].advice == "could not be read: 404"
    assert not findings["ear quota"].needed
    assert findings["Firestore"].ok
    assert not healthy(list(findings.values()))
    alone = cloud.judge(good() | {"ear quota": "404"})
    assert [finding.advice for finding in alone if finding.name == "ear quota"] == ["could not be read: 404"]


def test_without_credentials_or_project_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails a new operator meets a stack trace."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(ConfigError, match="--project"):
        cloud.examine("", "us-central1", {})
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        cloud.examine("p", "us-central1", {})


class Google(BaseHTTPRequestHandler):
    """Every Google API at one address: answers the readers' paths for project p in region l, and no other."""

    answers: dict[str, Any]

    def do_GET(self) -> None:
        places = {name: where.format(p="p", r="l") for name, where in KNOWN["google"].items()}
        known = {where.partition("/")[2]: self.answers[name] for name, where in places.items()}
        for key in ("OPENAI_API_KEY", "TWILIO_AUTH_TOKEN"):
            known[KNOWN["versions"].format(p="p", s=key).partition("/")[2]] = self.answers[f"secret {key}"]
        found = known.get(self.path[1:]) if self.headers["authorization"] == "Bearer token" else None
        raw = json.dumps(found or {}).encode()
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def google() -> Iterator[dict[str, str]]:
    """Addresses of all Google hosts that are read."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Google,), {"answers": good()}))
    Thread(target=server.serve_forever, daemon=True).start()
    hosts = {where.partition("/")[0] for where in (*KNOWN["google"].values(), KNOWN["versions"])}
    yield dict.fromkeys(hosts, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


async def test_a_deployment_is_read_from_google_and_from_the_phone_network(google: dict[str, str]) -> None:
    """If this fails the doctor judges what it never asked for."""
    exchange = Exchange(ACCOUNT, TOKEN)
    exchange.voice_urls[NUMBER] = f"{CARRIER}/inbound"
    async with phone_network(exchange, "127.0.0.1", 0) as port:
        bases = google | dict.fromkeys(
            (where.partition("/")[0] for where in KNOWN["twilio"].values()), f"http://127.0.0.1:{port}"
        )
        answers = await asyncio.to_thread(cloud.read, {"p": "p", "r": "l"}, "token", TOKEN, bases)
        without = await asyncio.to_thread(cloud.read, {"p": "p", "r": "l"}, "stale", "", bases)

    wrong = [finding for finding in cloud.judge(answers) if not finding.ok]
    assert [(finding.name, finding.advice) for finding in wrong] == [
        ("Twilio number", f"set its webhook for messages to POST {CARRIER}/sms")
    ]
    assert {type(answer) for answer in without.values()} == {str}
