"""What is deployed, and what is wrong with it: `floyd doctor --cloud`.

Readers only fetch, each answer as its vendor gives it; `judge` only judges. What could not be read is a finding too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from floyd.command.doctor import Finding
from floyd.errors import ConfigError
from floyd.relays import SERVICE_LABEL
from floyd.settings import REQUIRED, Process

READ_S = 15.0

# Where each answer comes from. {p}: project, {r}: region, {a}: Twilio account, {n}: caller number without its plus.
_FIRESTORE = "firestore.googleapis.com/v1/projects/{p}/databases/(default)"
_QUOTAS = "cloudquotas.googleapis.com/v1/projects/{p}/locations/global/services"
GOOGLE = {
    "functions": "cloudfunctions.googleapis.com/v2/projects/{p}/locations/{r}/functions",
    "services": "run.googleapis.com/v2/projects/{p}/locations/{r}/services",
    "database": _FIRESTORE,
    "indexes": _FIRESTORE + "/collectionGroups/requests/indexes",
    "ttls": _FIRESTORE + "/collectionGroups/-/fields?filter=ttlConfig:*",
    "scheduler": "cloudscheduler.googleapis.com/v1/projects/{p}/locations/{r}/jobs",
    "voice quota": _QUOTAS + "/texttospeech.googleapis.com/quotaInfos",
    "ear quota": _QUOTAS + "/speech.googleapis.com/quotaInfos",
}
VERSIONS = "secretmanager.googleapis.com/v1/projects/{p}/secrets/{s}/versions?filter=state:ENABLED"
TWILIO = {
    "account": "api.twilio.com/2010-04-01/Accounts/{a}.json",
    "number": "api.twilio.com/2010-04-01/Accounts/{a}/IncomingPhoneNumbers.json?PhoneNumber=%2B{n}",
    "countries": "voice.twilio.com/v1/DialingPermissions/Countries?PageSize=300",
    "profiles": "trusthub.twilio.com/v1/CustomerProfiles?Status=twilio-approved",
}
CREATED = "google.cloud.firestore.document.v1.created"
# Every function by its entry point, and the documents whose creation starts it.
FUNCTIONS: Mapping[Process, str] = {
    "api": "",
    "plan": "users/{uid}/requests/{rid}/jobs/{id}",
    "dial": "users/{uid}/requests/{rid}/calls/{attempt}",
    "carrier": "",
    "sweep": "",
}
# What Firestore itself removes in time: infra/firestore.indexes.json.
TTLS = {f"{each}.expires_at" for each in ("deliveries", "facts", "speech", "tapes", "turns")}
TTLS |= {"dial_locks.until", "stream_tokens.not_after"}
# Quotas by a word of their names, and how much of each a lively call uses: some ten answers a minute, each one stream
# of the voice; the recogniser's streams overlap.
PER_CALL = {"voice quota": ("chirp", 10), "ear quota": ("stream", 2)}
# Twilio's limit of calls at once without an approved profile (Twilio support article 223180028).
WITHOUT_PROFILE = 2

Answers = Mapping[str, Any]
Judged = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Unread:
    """An answer that could not be had, and why."""

    reason: str


def google_token() -> str:
    """An access token of whoever is signed in here. Raises ConfigError."""
    import google.auth  # noqa: PLC0415 - slow import
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - slow import
    from google.auth.transport.requests import Request  # noqa: PLC0415 - slow import

    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise ConfigError("Sign in first: gcloud auth application-default login") from error
    return str(credentials.token)


def examine(project: str, region: str, environment: Mapping[str, str]) -> list[Finding]:
    """Read and judge a deployment. Raises ConfigError without a project or without Google's credentials."""
    project = project or environment.get("GOOGLE_CLOUD_PROJECT", "")
    if not project:
        raise ConfigError("Name the deployment: floyd doctor --cloud --project PROJECT")
    return judge(read({"p": project, "r": region}, google_token(), environment.get("TWILIO_AUTH_TOKEN", "")))


def read(places: Mapping[str, str], token: str, twilio_token: str, bases: Mapping[str, str] | None = None) -> Answers:
    """Every answer by name; Unread where there was none. `bases` replaces hosts by other addresses."""

    def fetch(where: str, **how: Any) -> Any:
        import httpx2  # noqa: PLC0415 - slow import

        host, _, path = where.partition("/")
        try:
            answer = httpx2.get(f"{(bases or {}).get(host, f'https://{host}')}/{path}", timeout=READ_S, **how)
            return answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            return Unread(str(error).partition("\n")[0])

    bearer = {"authorization": f"Bearer {token}"}
    found = {name: fetch(where.format(**places), headers=bearer) for name, where in GOOGLE.items()}
    for secret in sorted({each for name in FUNCTIONS for each in _config(found, name)[1].values()}):
        found[f"secret {secret}"] = fetch(VERSIONS.format(s=secret, **places), headers=bearer)
    settings = _config(found, "carrier")[0]
    account, number = settings.get("TWILIO_ACCOUNT_SID", ""), settings.get("FLOYD_CALLER_NUMBER", "").lstrip("+")
    for name, where in TWILIO.items():
        if twilio_token and account:
            found[name] = fetch(where.format(a=account, n=number), auth=(account, twilio_token))
        else:
            found[name] = Unread("deploy the functions, and set TWILIO_AUTH_TOKEN here")
    return found


def judge(answers: Answers) -> list[Finding]:
    """Everything that is wrong, and how to mend it; and what is right."""
    known = {name: answer for name, answer in answers.items() if not isinstance(answer, Unread)}
    found = [
        Finding(what, ok := holds(known[name]), "as it should be" if ok else mend.strip("()"), needed=mend[0] != "(")
        for name, what, holds, mend in CHECKS
        if name in known
    ]
    found += [finding for name, judged in JUDGES if name in known for finding in judged(known)]
    for name, answer in answers.items():
        if isinstance(answer, Unread):
            needed = name not in TWILIO and name not in PER_CALL
            found.append(Finding(name, False, f"could not be read: {answer.reason}", needed=needed))
        elif name.startswith("secret "):
            advice = f"write one: gcloud secrets versions add {name[7:]} --data-file=-"
            found.append(Finding(name, ok := bool(answer.get("versions")), "has a value" if ok else advice))
    return found


def _function(answers: Answers, entry_point: str) -> dict[str, Any]:
    listed = answers["functions"].get("functions", ()) if isinstance(answers.get("functions"), dict) else ()
    return next((each for each in listed if each.get("buildConfig", {}).get("entryPoint") == entry_point), {})


def _config(answers: Answers, entry_point: str) -> tuple[dict[str, str], dict[str, str]]:
    """A function's settings, and its secrets' names by variable."""
    config = _function(answers, entry_point).get("serviceConfig", {})
    secrets = {each["key"]: each["secret"] for each in config.get("secretEnvironmentVariables", ())}
    return config.get("environmentVariables", {}), secrets


def _functions(answers: Answers) -> Judged:
    for name, documents in FUNCTIONS.items():
        function, (settings, secrets) = _function(answers, name), _config(answers, name)
        trigger = function.get("eventTrigger", {})
        filters = {each["attribute"]: each["value"] for each in trigger.get("eventFilters", ())}
        missing = [each for each in REQUIRED[name] if each not in settings | secrets]
        faults = {
            "not deployed: terraform apply with a release": not function,
            f"{', '.join(missing)} not set": bool(function and missing),
            "not active: see its build's log": bool(function) and function.get("state") != "ACTIVE",
            "FLOYD_ENV is not production": settings.get("FLOYD_ENV", "production") != "production",
            f"its trigger must be {CREATED} of {documents}": bool(function and documents)
            and (trigger.get("eventType"), filters.get("document")) != (CREATED, documents),
        }
        yield _unless(f"function {name}", faults)


def _relays(answers: Answers) -> Judged:
    relays = [each for each in answers["services"].get("services", ()) if SERVICE_LABEL in each.get("labels", {})]
    if len(relays) < 2:
        yield Finding("relays", False, "a call outlives its relay only with a second one: relay_shards = 2 or more")
    for relay in relays:
        template, traffic = relay.get("template", {}), relay.get("trafficStatuses", ())
        resources = (template.get("containers") or [{}])[0].get("resources", {})
        serving = [each.get("revision") for each in traffic if each.get("percent")]
        faults = {
            "it is not ready: see its log": relay.get("terminalCondition", {}).get("state") != "CONDITION_SUCCEEDED",
            "an address must lead to one process: 1 instance": template.get("scaling", {}).get("maxInstanceCount") != 1,
            "sound is paced between requests: CPU always": resources.get("cpuIdle", False),
            "calls last longer than its timeout: 3600s": template.get("timeout") != "3600s",
            "callees would wait in a queue: concurrency 1000": template.get("maxInstanceRequestConcurrency", 80) < 1000,
            "the revision with the traffic has no tag, so nobody can listen": not any(
                each.get("tag") and each.get("revision") in serving for each in traffic
            ),
        }
        yield _unless(relay["name"].rsplit("/", 1)[-1], faults)


def _unless(name: str, faults: Mapping[str, bool]) -> Finding:
    wrong = [fault for fault, is_so in faults.items() if is_so]
    return Finding(name, not wrong, "; ".join(wrong) or "as it should be")


def _on(field: str) -> Callable[[Any], bool]:
    return lambda answer: str(answer.get(field)).endswith("_ENABLED")


def _indexed(answer: Any) -> bool:
    ready = (each["fields"] for each in answer.get("indexes", ()) if each.get("state") == "READY")
    return any([field["fieldPath"] for field in fields][:2] == ["status", "deadline"] for fields in ready)


def _expiring(answer: Any) -> set[str]:
    active = (each for each in answer.get("fields", ()) if each.get("ttlConfig", {}).get("state") == "ACTIVE")
    return {".".join(each["name"].split("/")[-3::2]) for each in active}


def _sweeps(answer: Any) -> bool:
    jobs = (each for each in answer.get("jobs", ()) if each["name"].endswith("/floyd-sweep"))
    return any((job.get("state"), job.get("schedule")) == ("ENABLED", "* * * * *") for job in jobs)


def _at_once(answers: Answers) -> Judged:
    """Whether quotas and account bear as many calls as may be live."""
    calls = int(_config(answers, "carrier")[0].get("FLOYD_MAX_CALLS", WITHOUT_PROFILE))
    for name in PER_CALL.keys() & answers.keys():
        word, each_call = PER_CALL[name]
        quotas = (each for each in answers[name].get("quotaInfos", ()) if word in each["quotaId"].lower())
        limits = [int(info["details"]["value"]) for quota in quotas for info in quota.get("dimensionsInfos", ())]
        enough = bool(limits) and (min(limits) >= each_call * calls or -1 in limits)  # -1: unlimited
        said = f"{min(limits)}, and {each_call * calls} are wanted" if limits else "not listed: look in the console"
        yield Finding(name, enough, said, needed=False)
    if "profiles" in answers:
        faults = {f"{calls} calls at once need an approved profile (Twilio: Trust Hub)": calls > WITHOUT_PROFILE}
        yield _unless("Twilio concurrency", {} if answers["profiles"].get("results") else faults)


def _number(answers: Answers) -> Judged:
    base = _config(answers, "carrier")[0].get("FLOYD_CARRIER_URL", "")
    number: dict[str, Any] = next(iter(answers["number"].get("incoming_phone_numbers", ())), {})
    faults = {
        "FLOYD_CALLER_NUMBER is not a number of this account": not number,
        f"set its webhook for calls to POST {base}/inbound": number.get("voice_url") != f"{base}/inbound",
        f"set its webhook for messages to POST {base}/sms": number.get("sms_url") != f"{base}/sms",
    }
    yield _unless("Twilio number", faults)


def _countries(answers: Answers) -> Judged:
    wanted = {*_config(answers, "carrier")[0].get("FLOYD_DIAL_REGIONS", "US,CA").split(",")}
    countries = answers["countries"].get("content", ())
    risks = ("high_risk_special_numbers_enabled", "high_risk_tollfraud_numbers_enabled")
    allowed = {each["iso_code"] for each in countries if each.get("low_risk_numbers_enabled")}
    risky = {each["iso_code"] for each in countries if any(each.get(risk) for risk in risks)}
    where = "in Twilio's geographic permissions"
    yield _unless("Twilio countries", {f"allow {', '.join(sorted(wanted - allowed))} {where}": bool(wanted - allowed)})
    for name, codes in (("countries nobody needs", allowed - wanted), ("high-risk numbers", risky)):
        if codes:
            yield Finding(f"Twilio {name}", False, f"close {', '.join(sorted(codes))} {where}: fraud", needed=False)


# Answer, what is looked at, what must hold, and how to mend it; advice in brackets is worth having but not needed.
CHECKS: tuple[tuple[str, str, Callable[[Any], bool], str], ...] = (
    ("database", "Firestore", lambda a: a.get("type") == "FIRESTORE_NATIVE", "needs native mode: a new project"),
    ("database", "Firestore recovery", _on("pointInTimeRecoveryEnablement"), "(off: terraform apply)"),
    ("database", "Firestore protection", _on("deleteProtectionState"), "(deletion is possible: terraform apply)"),
    ("indexes", "index of requests", _indexed, "status, deadline: missing or still being built"),
    ("ttls", "expiry", lambda a: _expiring(a) >= TTLS, "(missing, or not active until minutes after terraform apply)"),
    ("scheduler", "sweeper", _sweeps, "floyd-sweep must run every minute: terraform apply"),
    ("account", "Twilio account", lambda a: a.get("status") == "active", "suspended or closed: ask Twilio"),
    ("account", "Twilio trial", lambda a: a.get("type") != "Trial", "(it rings only verified numbers: upgrade it)"),
)

JUDGES: tuple[tuple[str, Callable[[Answers], Judged]], ...] = (
    ("functions", _functions),
    ("services", _relays),
    ("functions", _at_once),
    ("number", _number),
    ("countries", _countries),
)
