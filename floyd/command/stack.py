"""The whole of Floyd on this machine, each part a process of its own, as in production."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import phonenumbers

from floyd.command import emulator, running, vendors
from floyd.command.child import Child, answers, free_ports, listening, stop_all
from floyd.command.cloud import FUNCTIONS
from floyd.command.telephone import TelephoneNetwork
from floyd.errors import ConfigError

CONTROLS = {"google-speech": "speech-control", "google-tts": "tts-control"}
"""Stand-ins whose control surface has a port of its own, which opens last: they speak gRPC on the other."""
_LOCAL_TWILIO = vendors.KNOWN["twilio"]["settings"]
ACCOUNT_SID, AUTH_TOKEN = _LOCAL_TWILIO["TWILIO_ACCOUNT_SID"], _LOCAL_TWILIO["TWILIO_AUTH_TOKEN"]
CALLER_NUMBER = _LOCAL_TWILIO["FLOYD_CALLER_NUMBER"]
RULES = running.ROOT / "infra" / "firestore.rules"
# Everything at once on two busy cores takes about ten seconds.
READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to start a stack. `first_port` fixes all ports in a row (0: free ones); `stand_ins` are extra
    arguments by stand-in; `settings` are variables added to every process; `also_allowed` are numbers that may be
    rung beside those of the simulated network."""

    directory: Path
    first_port: int = 0
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
        stand_ins = [name for known in vendors.KNOWN.values() for name in known["stand_ins"]]
        names = ["firestore", "dispatcher", *FUNCTIONS, *self._relays, *stand_ins, *CONTROLS.values()]
        self._ports = (
            _row(options.first_port, names) if options.first_port else dict(zip(names, free_ports(), strict=False))
        )
        self._places = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, *_: object) -> None:
        """End every process, within about a second."""
        running.forget(self.options.directory)
        stop_all(self.children.values())

    __exit__ = stop

    def check(self) -> None:
        """Raise ChildError with its last words if any process has ended."""
        for child in self.children.values():
            child.check()

    def start_again(self, name: str) -> None:
        """Start a part anew that has ended, and wait until it is ready. The emulator comes back empty."""
        self.children[name].start_again()
        self._wait(name)

    def _origin(self, name: str) -> str:
        return f"http://{self._places[name]}"

    def _start(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._tell("starting the Firestore emulator and the vendors' stand-ins")
        plain = self._plain_environment()
        self.children["firestore"] = emulator.start(
            port=self._ports["firestore"],
            events_to=self._places["dispatcher"],
            log=self._logs / "firestore.log",
            environment=plain,
            rules=RULES if RULES.exists() else None,
        )
        stand_ins = {name: usual for vendor in self.vendors.values() for name, usual in vendor.stand_ins.items()}
        for name, usual in stand_ins.items():
            control = [f"--control-port={self._ports[CONTROLS[name]]}"] if name in CONTROLS else []
            arguments = [f"--port={self._ports[name]}", *control, *usual, *self.options.stand_ins.get(name, ())]
            self._run(name, plain, "standins", name, *arguments)
        phone = self._origin("phone-network") if "phone-network" in stand_ins else ""
        numbers = self._connect_phones(phone) if phone else os.environ["FLOYD_DIAL_ALLOW"].split(",")
        numbers += self.options.also_allowed

        self._tell("starting the functions and the relays")
        settings = self._settings(numbers, plain)
        triggers = {name: documents for name, documents in FUNCTIONS.items() if documents}
        events = [f"{name}={self._origin(name)}" for name in triggers]
        tick = f"{self.options.sweep_every_s}={self._origin('sweep')}"
        self._run("dispatcher", plain, "floyd.command.dispatcher", str(self._ports["dispatcher"]), *events, tick)
        function = ("functions_framework", "--source", "functions/main.py", "--host", "127.0.0.1", "--target")
        for name in FUNCTIONS:
            self._run(name, settings, *function, name)
        for name, url in zip(self._relays, settings["FLOYD_RELAY_URLS"].split(","), strict=True):
            self._run(name, {**settings, "FLOYD_RELAY_URL": url.strip()}, "relay")

        self._tell("waiting until every part is ready")
        for name in self.children:
            self._wait(name)
        for name, documents in triggers.items():
            emulator.register_trigger(self._ports["firestore"], settings["GOOGLE_CLOUD_PROJECT"], name, documents)
        self.running = running.Running(
            pid=os.getpid(),
            project=settings["GOOGLE_CLOUD_PROJECT"],
            firestore=settings["FIRESTORE_EMULATOR_HOST"],
            **{name: self._origin(name) for name in FUNCTIONS},
            relays=[f"ws://{self._places[name]}" for name in self._relays],
            phone=phone,
            controls={name: self._origin(CONTROLS.get(name, name)) for name in stand_ins},
            numbers=numbers,
            processes={name: child.pid for name, child in self.children.items()},
            logs=str(self._logs),
        )
        self.running.save(self.options.directory)

    def _connect_phones(self, origin: str) -> list[str]:
        """Give the simulated network our addresses; every number that somebody answers there."""
        self._wait("phone-network")
        with closing(TelephoneNetwork(origin)) as network:
            carrier = self._origin("carrier")
            network.connect(CALLER_NUMBER, sms_url=f"{carrier}/sms", voice_url=f"{carrier}/inbound")
            return sorted(number for numbers in network.callees().values() for number in numbers)

    def _plain_environment(self) -> dict[str, str]:
        """This process's environment without anything that leads to a vendor, and with no proxy for the loopback."""
        kept = {name: value for name, value in os.environ.items() if name not in vendors.VENDOR_VARIABLES}
        return {**kept, **running.without_proxy(kept), "PYTHONUNBUFFERED": "1"}

    def _settings(self, numbers: list[str], plain: dict[str, str]) -> dict[str, str]:
        """The environment of functions and relays: this stack's own, then what each vendor or its stand-in needs."""
        regions = {phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "" for number in numbers}
        local = {
            "FLOYD_ENV": "local",
            "GOOGLE_CLOUD_PROJECT": running.PROJECT,
            "FIRESTORE_EMULATOR_HOST": self._places["firestore"],
            "FLOYD_RELAY_URLS": ",".join(f"ws://{self._places[name]}" for name in self._relays),
            "FLOYD_DIAL_ALLOW": ",".join(numbers),
            "FLOYD_DIAL_REGIONS": ",".join(filter(None, sorted(regions))),
        }
        for vendor in self.vendors.values():
            local |= vendor.environment(os.environ, self._places)
        return {"FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099", **plain, **local, **self.options.settings}

    def _run(self, name: str, environment: Mapping[str, str], *module: str) -> None:
        """Start a Python module with its arguments."""
        self.children[name] = Child(
            name,
            [sys.executable, "-m", *module],
            log=self._logs / f"{name}.log",
            environment={**environment, "PORT": str(self._ports[name])},
            directory=running.ROOT,
        )

    def _wait(self, name: str) -> None:
        """Until the part serves: the emulator and the relays say so themselves."""
        pages = {"firestore": "/", **dict.fromkeys(self._relays, "/ready")}
        if name in pages:
            self.children[name].wait_until(lambda: answers(self._origin(name) + pages[name]), READY_S)
        else:
            self.children[name].wait_until(lambda: listening(self._ports[CONTROLS.get(name, name)]), READY_S)


def _row(first: int, names: list[str]) -> dict[str, int]:
    """Ports one after another. Raises ConfigError when something listens on one."""
    ports = {name: first + place for place, name in enumerate(names)}
    if busy := [f"{port} ({name})" for name, port in ports.items() if listening(port)]:
        raise ConfigError(
            f"Port {', '.join(busy)} is in use. Stop what listens there (another stack?) "
            "or choose other ports: floyd dev --first-port N"
        )
    return ports
