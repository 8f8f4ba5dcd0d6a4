"""The whole of Floyd on this machine, each part a process of its own, as in production."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import phonenumbers

from floyd.command import emulator, running, vendors
from floyd.command.child import Child, ChildError, answers, free_port, listening, stop_all
from floyd.command.telephone import TelephoneNetwork
from floyd.errors import ConfigError

FUNCTIONS = ("api", "plan", "dial", "carrier", "sweep")
STAND_INS = {"phone-network": "twilio", "openai": "openai", "google-speech": "google", "google-tts": "google"}
"""Each stand-in and the vendor whose keys make it unnecessary."""
TRIGGERS = {
    "plan": "users/{uid}/requests/{rid}/jobs/{id}",
    "dial": "users/{uid}/requests/{rid}/calls/{attempt}",
}
ACCOUNT_SID, AUTH_TOKEN = "AC" + "0" * 32, "stand-in-token"
CALLER_NUMBER = "+12025550100"
ARGUMENTS = {
    "phone-network": (f"--account-sid={ACCOUNT_SID}", f"--auth-token={AUTH_TOKEN}"),
    # Loading the recogniser takes one to two seconds, which a first caller would spend unheard.
    "google-speech": ("--warm",),
}
RULES = running.ROOT / "infra" / "firestore.rules"
# Everything at once on two busy cores takes about ten seconds.
READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to start a stack. `first_port` fixes all ports in a row (absent: free ones); `stand_ins` are extra
    arguments by stand-in; `settings` are variables added to every process; `also_allowed` are numbers that may be
    rung beside those of the simulated network."""

    directory: Path
    first_port: int | None = None
    relays: int = 2
    sweep_every_s: float = 10.0
    only_stand_ins: bool = False
    stand_ins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    also_allowed: tuple[str, ...] = ()


class Stack:
    """A running stack; a context manager. Enter it from the main thread, before any other thread is started."""

    def __init__(self, options: Options, tell: Callable[[str], None] = lambda _: None) -> None:
        """`tell` receives one short line per step, for people who wait."""
        self.options = options
        self.vendors = vendors.choose(os.environ, only_stand_ins=options.only_stand_ins)
        self.children: dict[str, Child] = {}
        self.running: running.Running
        self._tell = tell
        self._logs = options.directory / "logs"
        # With the real network every relay is reached through a tunnel of its own.
        tunnels = os.environ["FLOYD_RELAY_URLS"].split(",") if self.vendors["twilio"].real else []
        self._relays = [f"relay-{number}" for number in range(1, (len(tunnels) or options.relays) + 1)]
        self._ports = self._choose_ports(["firestore", "dispatcher", *FUNCTIONS, *self._relays, *STAND_INS])

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process, within about a second."""
        running.forget(self.options.directory)
        stop_all(self.children.values())

    def check(self) -> None:
        """Raise ChildError with its last words if any process has ended."""
        for child in self.children.values():
            child.check()

    def start_again(self, name: str) -> None:
        """Start a part anew that has ended, and wait until it is ready. The emulator comes back empty."""
        self.children[name].start_again()
        self._wait(name)

    def _choose_ports(self, names: list[str]) -> dict[str, int]:
        first = self.options.first_port
        if first is None:
            return {name: free_port() for name in names}
        ports = {name: first + place for place, name in enumerate(names)}
        if busy := [f"{port} ({name})" for name, port in ports.items() if listening(port)]:
            raise ConfigError(
                f"Port {', '.join(busy)} is in use. Stop what listens there (another stack?) "
                "or choose other ports: floyd dev --first-port N"
            )
        return ports

    def _origin(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _start(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._tell("starting the Firestore emulator and the vendors' stand-ins")
        plain = self._plain_environment()
        self.children["firestore"] = emulator.start(
            port=self._ports["firestore"],
            events_to=f"127.0.0.1:{self._ports['dispatcher']}",
            log=self._logs / "firestore.log",
            environment=plain,
            rules=RULES if RULES.exists() else None,
        )
        wanted = [name for name, vendor in STAND_INS.items() if not self.vendors[vendor].real]
        for name in wanted:
            arguments = [f"--port={self._ports[name]}", *ARGUMENTS.get(name, ()), *self.options.stand_ins.get(name, ())]
            self._python(name, ["-m", "standins", name, *arguments], plain)
        phone = self._origin("phone-network") if "phone-network" in wanted else ""
        if phone:
            self._announcement("phone-network")
        numbers = self._connect_phones(phone) if phone else os.environ["FLOYD_DIAL_ALLOW"].split(",")
        numbers += self.options.also_allowed

        self._tell("starting the functions and the relays")
        settings = self._settings(numbers, plain)
        targets = [f"--target={name}={self._origin(name)}" for name in TRIGGERS]
        tick = f"--tick={self.options.sweep_every_s}={self._origin('sweep')}"
        self._python(
            "dispatcher",
            ["-m", "floyd.command.dispatcher", f"--port={self._ports['dispatcher']}", tick, *targets],
            plain,
        )
        framework = str(Path(sys.executable).with_name("functions-framework"))
        for name in FUNCTIONS:
            port = str(self._ports[name])
            arguments = ["--target", name, "--source", "functions/main.py", "--host", "127.0.0.1", "--port", port]
            self._child(name, [framework, *arguments], {**settings, "PORT": port})
        for name, url in zip(self._relays, settings["FLOYD_RELAY_URLS"].split(","), strict=True):
            self._python(
                name, ["-m", "relay"], {**settings, "PORT": str(self._ports[name]), "FLOYD_RELAY_URL": url.strip()}
            )

        self._tell("waiting until every part is ready")
        for name in self.children:
            self._wait(name)
        announced = {name: self._announcement(name) for name in wanted}
        for name, document in TRIGGERS.items():
            emulator.register_trigger(self._ports["firestore"], settings["GOOGLE_CLOUD_PROJECT"], name, document)
        self.running = running.Running(
            pid=os.getpid(),
            project=settings["GOOGLE_CLOUD_PROJECT"],
            firestore=settings["FIRESTORE_EMULATOR_HOST"],
            **{name: self._origin(name) for name in FUNCTIONS},
            relays=[self._origin(name).replace("http", "ws", 1) for name in self._relays],
            phone=phone,
            controls={
                name: f"http://127.0.0.1:{line.get('control_port', line['port'])}" for name, line in announced.items()
            },
            numbers=numbers,
            processes={name: child.pid for name, child in self.children.items()},
            logs=str(self._logs),
        )
        running.save(self.running, self.options.directory)

    def _connect_phones(self, origin: str) -> list[str]:
        """Give the simulated network our addresses; every number that somebody answers there."""
        network = TelephoneNetwork(origin)
        carrier = self._origin("carrier")
        network.connect(CALLER_NUMBER, sms_url=f"{carrier}/sms", voice_url=f"{carrier}/inbound")
        numbers = sorted(number for numbers in network.callees().values() for number in numbers)
        network.close()
        return numbers

    def _plain_environment(self) -> dict[str, str]:
        """This process's environment without anything that leads to a vendor, and with no proxy for the loopback."""
        kept = {name: value for name, value in os.environ.items() if name not in vendors.VENDOR_VARIABLES}
        loopback = ",".join(filter(None, (kept.get("NO_PROXY") or kept.get("no_proxy"), "127.0.0.1,localhost")))
        return {**kept, "NO_PROXY": loopback, "no_proxy": loopback, "PYTHONUNBUFFERED": "1"}

    def _settings(self, numbers: list[str], plain: dict[str, str]) -> dict[str, str]:
        """The environment of functions and relays: stand-ins' addresses, then what the real vendors need."""
        regions = sorted({phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "" for number in numbers})
        port = self._ports
        local = {
            "FLOYD_ENV": "local",
            "GOOGLE_CLOUD_PROJECT": running.PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{port['firestore']}",
            "FIREBASE_AUTH_EMULATOR_HOST": os.environ.get("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099"),
            "OPENAI_API_KEY": "sk-stand-in",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "FLOYD_CALLER_NUMBER": CALLER_NUMBER,
            "FLOYD_CARRIER_URL": self._origin("carrier"),
            "FLOYD_RELAY_URLS": ",".join(self._origin(name).replace("http", "ws", 1) for name in self._relays),
            "FLOYD_DIAL_ALLOW": ",".join(numbers),
            "FLOYD_DIAL_REGIONS": ",".join(filter(None, regions)),
        }
        addresses = {
            "OPENAI_BASE_URL": ("openai", f"{self._origin('openai')}/v1"),
            "FLOYD_SPEECH_ENDPOINT": ("google", f"127.0.0.1:{port['google-speech']}"),
            "FLOYD_TTS_ENDPOINT": ("google", f"127.0.0.1:{port['google-tts']}"),
            "FLOYD_TWILIO_API_BASE": ("twilio", self._origin("phone-network")),
        }
        local |= {name: where for name, (vendor, where) in addresses.items() if not self.vendors[vendor].real}
        return {**plain, **local, **vendors.real_environment(self.vendors, os.environ), **self.options.settings}

    def _python(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        self._child(name, [sys.executable, *arguments], environment)

    def _child(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.children[name] = Child(
            name, command, log=self._logs / f"{name}.log", environment=environment, directory=running.ROOT
        )

    def _wait(self, name: str) -> None:
        self.children[name].wait_until(lambda: self._is_ready(name), READY_S)

    def _is_ready(self, name: str) -> bool:
        if name == "firestore":
            return emulator.ready(self._ports[name])
        return answers(f"{self._origin(name)}/ready") if name in self._relays else listening(self._ports[name])

    def _announcement(self, name: str) -> dict[str, Any]:
        """The line of JSON that a stand-in prints once it is ready."""
        child = self.children[name]

        def line() -> dict[str, Any] | None:
            found = (
                text for text in child.log.read_text(errors="replace").splitlines() if text.startswith('{"standin"')
            )
            text = next(found, None)
            return json.loads(text) if text and text.endswith("}") else None

        child.wait_until(lambda: line() is not None, READY_S)
        announced = line()
        if announced is None:
            raise ChildError(f"{name} took back its announcement")
        return announced
