"""What is deployed, and what is wrong with it: `floyd doctor --cloud`. What is read, and what must hold: `cloud.toml`.

Readers only fetch, each answer as its vendor gives it; `judge` only judges. What could not be read is a finding too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import google.auth
import httpx2
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from floyd.command.deployment import SIGN_IN
from floyd.command.doctor import Finding
from floyd.errors import ConfigError
from floyd.relays import SERVICE_LABEL
from floyd.settings import REQUIRED, Process

READ_S = 15.0
KNOWN: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
FUNCTIONS: Mapping[Process, str] = KNOWN["functions"]
CREATED = "google.cloud.firestore.document.v1.created"
# Twilio's limit of calls at once without an approved profile (Twilio support article 223180028).
WITHOUT_PROFILE = 2

Answers = Mapping[str, Any]
"""Each a JSON object; where there is none a string says why."""
Judged = Iterator[Finding]


def google_token() -> str:
    """An access token of whoever is signed in here. Raises ConfigError."""
    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise ConfigError(SIGN_IN) from error
    return str(credentials.token)


def examine(project: str, region: str, environment: Mapping[str, str]) -> list[Finding]:
    """Read and judge a deployment. Raises ConfigError without a project or without Google's credentials."""
    project = project or environment.get("GOOGLE_CLOUD_PROJECT", "")
    if not project:
        raise ConfigError("Name the deployment: floyd doctor --cloud --project PROJECT")
    return judge(read({"p": project, "r": region}, google_token(), environment.get("TWILIO_AUTH_TOKEN", "")))


def read(places: Mapping[str, str], token: str, twilio_token: str, bases: Mapping[str, str] | None = None) -> Answers:
    """Every answer by name. `bases` replaces hosts by other addresses."""

    def fetch(where: str, **how: Any) -> Any:
        host, _, path = where.partition("/")
        try:
            answer = httpx2.get(f"{(bases or {}).get(host, f'https://{host}')}/{path}", timeout=READ_S, **how)
            return answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            return str(error).partition("\n")[0]

    bearer = {"authorization": f"Bearer {token}"}
    found = {name: fetch(where.format(**places), headers=bearer) for name, where in KNOWN["google"].items()}
    for secret in sorted({each for name in FUNCTIONS for each in _config(found, name)[1].values()}):
        found[f"secret {secret}"] = fetch(KNOWN["versions"].format(s=secret, **places), headers=bearer)
    settings = _config(found, "carrier")[0]
    account, number = settings.get("TWILIO_ACCOUNT_SID", ""), settings.get("FLOYD_CALLER_NUMBER", "").lstrip("+")
    for name, where in KNOWN["twilio"].items():
        if twilio_token and account:
            found[name] = fetch(where.format(a=account, n=number), auth=(account, twilio_token))
        else:
            found[name] = "deploy the functions, and set TWILIO_AUTH_TOKEN here"
    return found


def judge(answers: Answers) -> list[Finding]:
    """Everything that is wrong, and how to mend it; and what is right."""
    known = {name: answer for name, answer in answers.items() if not isinstance(answer, str)}
    found = [
        _unless(check["name"], {check["mend"]: not _holds(check, known[check["answer"]])}, needed="needed" in check)
        for check in KNOWN["checks"]
        if check["answer"] in known
    ]
    found += [finding for name in known for judged in JUDGES.get(name, ()) for finding in judged(known)]
    for name, answer in answers.items():
        if name not in known:
            needed = name not in KNOWN["twilio"] and name not in KNOWN["quotas"]
            found.append(Finding(name, False, f"could not be read: {answer}", needed=needed))
        elif name.startswith("secret "):
            advice = f"write one: gcloud secrets versions add {name[7:]} --data-file=-"
            found.append(Finding(name, ok := bool(answer.get("versions")), "has a value" if ok else advice))
    return found


def _unless(name: str, faults: Mapping[str, bool], *, needed: bool = True) -> Finding:
    wrong = [fault for fault, is_so in faults.items() if is_so]
    return Finding(name, not wrong, "; ".join(wrong) or "as it should be", needed=needed)


def _holds(check: Mapping[str, Any], answer: Any) -> bool:
    """Whether the answer, or one of the things that it lists, is as `check` wants it."""
    looked_at = answer.get(check["lists"], ()) if "lists" in check else (answer,)
    wanted = check["like"].items()
    return any(all((_at(each, path) or False) == value for path, value in wanted) for each in looked_at)


def _at(answer: Any, path: str) -> Any:
    for step in path.split("."):
        answer = answer[int(step)] if isinstance(answer, list) else (answer or {}).get(step)
    return answer


def _function(answers: Answers, entry_point: str) -> dict[str, Any]:
    functions = answers.get("functions")
    listed = functions.get("functions", ()) if isinstance(functions, dict) else ()
    return next((each for each in listed if _at(each, "buildConfig.entryPoint") == entry_point), {})


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
            f"{', '.join(missing)} not set": bool(missing),
            "not active: see its build's log": function.get("state") != "ACTIVE",
            "FLOYD_ENV is not production": settings.get("FLOYD_ENV", "production") != "production",
            f"its trigger must be {CREATED} of {documents}": bool(documents)
            and (trigger.get("eventType"), filters.get("document")) != (CREATED, documents),
        }
        absent = {"not deployed: terraform apply with a release": True}
        yield _unless(f"function {name}", faults if function else absent)


def _relays(answers: Answers) -> Judged:
    relays = [each for each in answers["services"].get("services", ()) if SERVICE_LABEL in each.get("labels", {})]
    if len(relays) < 2:
        yield Finding("relays", False, "a call outlives its relay only with a second one: relay_shards = 2 or more")
    for relay in relays:
        serving = [each for each in relay.get("trafficStatuses", ()) if each.get("percent")]
        tagged = {each.get("revision") for each in relay.get("trafficStatuses", ()) if each.get("tag")}
        untagged = not any(each.get("revision") in tagged for each in serving)
        faults = {check["mend"]: not _holds(check, relay) for check in KNOWN["relay"]}
        faults["the revision with the traffic has no tag, so nobody can listen"] = untagged
        yield _unless(relay["name"].rsplit("/", 1)[-1], faults)


def _expiry(answers: Answers) -> Judged:
    fields = answers["ttls"].get("fields", ())
    active = [each["name"].split("/") for each in fields if _at(each, "ttlConfig.state") == "ACTIVE"]
    lacking = set(KNOWN["expiring"]) - {".".join(path[-3::2]) for path in active}
    advice = "missing, or not active until minutes after terraform apply"
    yield _unless("expiry", {advice: bool(lacking)}, needed=False)


def _at_once(answers: Answers) -> Judged:
    """Whether quotas and account bear as many calls as may be live."""
    calls = int(_config(answers, "carrier")[0].get("FLOYD_MAX_CALLS", WITHOUT_PROFILE))
    for name in KNOWN["quotas"].keys() & answers.keys():
        word, wanted = KNOWN["quotas"][name]["word"], KNOWN["quotas"][name]["each_call"] * calls
        quotas = (each for each in answers[name].get("quotaInfos", ()) if word in each["quotaId"].lower())
        limits = [int(info["details"]["value"]) for quota in quotas for info in quota.get("dimensionsInfos", ())]
        enough = bool(limits) and (min(limits) >= wanted or -1 in limits)  # -1: unlimited
        said = f"{min(limits)}, and {wanted} are wanted" if limits else "not listed: look in the console"
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


JUDGES: Mapping[str, tuple[Callable[[Answers], Judged], ...]] = {
    "functions": (_functions, _at_once),
    "services": (_relays,),
    "ttls": (_expiry,),
    "number": (_number,),
    "countries": (_countries,),
}
