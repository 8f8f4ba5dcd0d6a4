"""The official Firestore emulator: found or fetched, started, asked to send its own Eventarc events."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import httpx2

from floyd.command.child import ASK_S, Child, answers
from floyd.errors import ConfigError, FloydError

MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
# The newest jar that runs on Java 11, with size and checksum as firebase-tools 14.27 publishes them for it.
VERSION = "1.19.8"
ADDRESS = f"https://storage.googleapis.com/firebase-preview-drop/emulator/cloud-firestore-emulator-v{VERSION}.jar"
SIZE_BYTES = 63_634_791
SHA256 = "9d43599ed6151199e8d604dc87fac51218e49e5f3a48519b1ae560bbe5e3382d"
OLDEST_JAVA = 11
# Measured: these halve the processor time of start and of writes; the emulator never runs long enough to gain by more.
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Ready in 0.7 s on an idle machine; a busy two-core one has taken ten times that.
READY_S = 30.0
FETCH_S = 60.0


def find_java(environment: Mapping[str, str]) -> Path:
    """The Java to run: JAVA_HOME's, else the one on the path. Raises ConfigError when absent or too old."""
    install = "install Java 17 or later (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
    home = environment.get("JAVA_HOME", "")
    found = shutil.which("java", path=f"{home}/bin" if home else environment.get("PATH"))
    if not found:
        raise ConfigError(f"The Firestore emulator needs Java and there is none: {install}")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    if not version or int(version[1]) < OLDEST_JAVA:
        raise ConfigError(f"{found} is not Java {OLDEST_JAVA} or later: {install}")
    return Path(found)


def find_jar(environment: Mapping[str, str]) -> Path | None:
    """The emulator's jar on this machine: the one named, the Google Cloud SDK's, or the Firebase CLI's."""
    if named := environment.get("FLOYD_FIRESTORE_EMULATOR_JAR"):
        if not Path(named).is_file():
            raise ConfigError(f"FLOYD_FIRESTORE_EMULATOR_JAR names no file: {named}")
        return Path(named)
    # `gcloud` knows where it lives, but takes a second to say so.
    gcloud = shutil.which("gcloud", path=environment.get("PATH"))
    sdks = [
        environment.get("CLOUDSDK_ROOT_DIR"),
        gcloud and Path(gcloud).resolve().parents[1],
        "/usr/lib/google-cloud-sdk",
    ]
    places = [Path(sdk, "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar") for sdk in sdks if sdk]
    places += sorted(_cache(environment).glob("cloud-firestore-emulator-v*.jar"), reverse=True)
    return next((place for place in places if place.is_file()), None)


def _cache(environment: Mapping[str, str]) -> Path:
    """Where the Firebase CLI keeps its emulators, so that either finds what the other fetched."""
    return Path(environment.get("FIREBASE_EMULATORS_PATH") or Path.home() / ".cache" / "firebase" / "emulators")


def fetch_jar(environment: Mapping[str, str], *, address: str = ADDRESS, sha256: str = SHA256) -> Path:
    """Download the emulator once and check it. Raises FloydError saying what to do instead when that fails."""
    target = _cache(environment) / address.rsplit("/", 1)[-1]
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.part")
    try:
        with urllib.request.urlopen(address, timeout=FETCH_S) as answer, partial.open("w+b") as out:  # noqa: S310
            shutil.copyfileobj(answer, out)
            out.seek(0)
            if hashlib.file_digest(out, "sha256").hexdigest() != sha256:
                raise FloydError("what came is not the emulator (its checksum differs)")
        return partial.replace(target)
    except (OSError, FloydError) as error:
        raise FloydError(
            f"The Firestore emulator ({SIZE_BYTES // 1_000_000} MB) could not be fetched from {address}: {error}. "
            "Install it another way (gcloud components install cloud-firestore-emulator, or "
            "apt-get install google-cloud-cli-firestore-emulator), or set FLOYD_FIRESTORE_EMULATOR_JAR to its jar"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def start(*, port: int, events_to: str, log: Path, environment: Mapping[str, str], rules: Path | None = None) -> Child:
    """Start the emulator on the loopback; it sends its events to `events_to` (host:port). Not yet ready on return."""
    java = find_java(environment)
    jar = find_jar(environment) or fetch_jar(environment)
    command = [str(java), *JAVA_OPTIONS, "-cp", str(jar), MAIN_CLASS, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--functions_emulator", events_to, *(["--rules", str(rules)] if rules else [])]
    return Child("firestore", command, log=log, environment=environment)


def ready(port: int) -> bool:
    """Whether the emulator on this port answers."""
    return answers(f"http://127.0.0.1:{port}/")


def register_trigger(port: int, project: str, name: str, document: str) -> None:
    """Have the creation of documents matching `document` sent as events to trigger `name`."""
    address = f"http://127.0.0.1:{port}/emulator/v1/projects/{project}/eventarcTrigger"
    body = {
        "eventType": "google.cloud.firestore.document.v1.created",
        "database": "(default)",
        "namespace": "(default)",
        "document": {"value": document, "matchType": "PATH_PATTERN"},
    }
    httpx2.post(address, params={"eventarcTriggerId": name}, json=body, timeout=ASK_S).raise_for_status()
