"""What only tests do to the simulated telephone network: script its phones, ring from them, read texts, break it."""

from typing import Any

from floyd.command.telephone import TelephoneNetwork


class ScriptedNetwork(TelephoneNetwork):
    """The network as those who play both of its ends see it."""

    def heard(self, sid: str) -> str:
        """Everything that reached the callee's ear, as words."""
        return " ".join(word["word"] for word in self.call(sid).get("heard", []))

    def messages(self, to: str | None = None) -> list[dict[str, Any]]:
        """Every text message, oldest first."""
        return [message for message in self._get("/messages") if to in (None, message["to"])]

    def text(self, from_: str, to: str, body: str) -> None:
        """A person sends a text message."""
        self._http.post("/messages", json={"from": from_, "to": to, "body": body}).raise_for_status()

    def ring(self, from_: str, to: str, script: dict[str, Any]) -> str:
        """A person rings a number of the account and goes by this script; the call's sid."""
        order = {"from": from_, "to": to, "script": script}
        return str(self._http.post("/calls", json=order).raise_for_status().json()["sid"])

    def enlist(self, number: str, script: dict[str, Any]) -> None:
        """From now on this number is answered by this script."""
        self._http.put(f"/callees/{number}", json=script).raise_for_status()

    def faults(self, faults: dict[str, Any]) -> None:
        """Replace the set of what goes wrong on purpose."""
        self._http.put("/faults", json=faults).raise_for_status()
