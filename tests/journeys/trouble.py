"""What goes wrong in a town on purpose: vendors' faults, parts that stop, events that come twice or never."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx2

from floyd.command.stack import Stack
from tests.scripted_network import ScriptedNetwork

ASK_S = 30.0
POLL_S = 0.05


class Trouble:
    """Everything done here is undone by `mend`."""

    def __init__(self, stack: Stack, network: ScriptedNetwork) -> None:
        self._stack = stack
        self._network = network
        self._controls = {name: f"{url}/control" for name, url in stack.running.controls.items()}
        self._http = httpx2.Client(timeout=ASK_S)
        self._frozen: set[str] = set()
        self._killed: set[str] = set()

    def with_network(self, **faults: Any) -> None:
        """See `standins.phone_network.faults`; replaces what was there."""
        self._network.faults(faults)

    def with_model(self, kind: str, **more: Any) -> None:
        """See `standins.control.Fault`."""
        self._post("openai", {"kind": kind, **more})

    def with_ears(self, kind: str, **more: Any) -> None:
        """See `standins.control.Fault`; so for the voice."""
        self._post("google-speech", {"kind": kind, **more})

    def with_voice(self, kind: str, **more: Any) -> None:
        self._post("google-tts", {"kind": kind, **more})

    def freeze(self, part: str) -> None:
        """The process does nothing until it is thawed, as on a machine that swaps."""
        self._frozen.add(part)
        self._stack.children[part].signal(signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        self._frozen.discard(part)
        self._stack.children[part].signal(signal.SIGCONT)

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL, within_s: float = 10.0) -> int:
        """End a process; its exit code. Cloud Run leaves ten seconds after SIGTERM."""
        self._killed.add(part)
        child = self._stack.children[part]
        child.signal(number)
        wait_until(lambda: child.exit_code is not None, within_s, f"{part} does not end")
        assert child.exit_code is not None
        return child.exit_code

    def mend(self) -> None:
        """The town as it was."""
        for part in tuple(self._frozen):
            self.thaw(part)
        for part in sorted(self._killed):
            self._stack.start_again(part)
        self._killed.clear()
        self._network.faults({})
        for name in ("openai", "google-speech", "google-tts"):
            self._http.delete(f"{self._controls[name]}/faults").raise_for_status()

    def close(self) -> None:
        self._http.close()

    # What the vendors were sent

    def sent_to_model(self, person: str, name: str | None = None) -> list[dict[str, Any]]:
        """Every question asked for this person (`safety_identifier`), of one schema's `name` if given."""
        answer = self._http.get(f"{self._controls['openai']}/requests").raise_for_status().json()
        bodies = [json.loads(each["text"]) for each in answer["requests"]]
        return [
            body
            for body in bodies
            if body["safety_identifier"] == person
            and name in (None, body.get("text", {}).get("format", {}).get("name"))
        ]

    def spoken(self) -> list[str]:
        """Every text that was sent to be spoken."""
        log = self._http.get(f"{self._controls['google-tts']}/texts").raise_for_status().json()
        return [each["text"] for each in log["texts"]]

    def everything_sent(self) -> str:
        """Every byte that the model was sent, and every text for the voice."""
        answer = self._http.get(f"{self._controls['openai']}/requests").raise_for_status().json()
        return "\n".join([*(each["text"] for each in answer["requests"]), *self.spoken()])

    def _post(self, stand_in: str, fault: dict[str, Any]) -> None:
        self._http.post(f"{self._controls[stand_in]}/faults", json=fault).raise_for_status()


def wait_until(wanted: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    """Wait for what only asking tells; AssertionError saying `otherwise` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, otherwise
        time.sleep(POLL_S)
