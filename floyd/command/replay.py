"""One call again, from what it left in the store: `floyd replay UID/RID[/ATTEMPT]`."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from subprocess import PIPE, STDOUT
from typing import Annotated, Any

import typer
from rich.text import Text

from floyd.command.arguments import AsJson, Project, show
from floyd.command.deployment import PATIENCE, connect
from floyd.command.errand import ErrandView
from floyd.command.panels import result_panel, stages_table
from floyd.documents import Call, Request, Turn
from floyd.errors import InvalidInputError, NotFoundError

CORE_S = 60.0

# What is told of an event or action: who, style, and the field to quote. Whatever is not here is told by its name.
TOLD = {
    "FinalHeard": ("callee", "cyan", "text"),
    "SegmentStarted": ("floyd", "green", "segment_id"),
    "PersonAnswered": ("person", "magenta", "answer"),
    "AskPerson": ("asks", "magenta", "question"),
    "ClearPlayout": ("floyd", "yellow", ""),
    "HangUp": ("ends", "bold", "outcome"),
}
# Told only with `--all`: they come many times a second, or say what the lines beside them say.
DETAILS = {
    *("CallStarted", "VoiceStarted", "VoiceStopped", "InterimHeard", "SegmentSent", "MarkReached"),
    *("ReplyText", "ReplyFinished", "Speak", "CancelReply", "CancelSpeech"),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """A call's documents. `tapes`: one per relay that held it, in order, with the raw bytes that the core reads."""

    view: ErrandView
    attempt: int
    tapes: tuple[dict[str, Any], ...]

    def lines(self, *, everything: bool = False) -> Iterator[tuple[float, str, str, str]]:
        """(seconds into the call, who, style, words). Without a tape: the turns."""
        for tape in self.tapes:
            yield from _tape_lines(tape, () if everything else DETAILS)
        if not self.tapes:
            for turn in self.view.turns.values():
                yield turn.start_ms / 1000, turn.speaker, "dim", turn.heard + (" -- cut" if turn.cut else "")

    def judged_by_core(self) -> tuple[bool, str]:
        """Whether today's core decides as the core did then, and what it says about it."""
        if not self.tapes:
            return False, "This call left no tape."
        # The core belongs to the relay, which nothing here may import: it is asked as a program.
        command = [sys.executable, "-m", "relay.tape"]
        runs = [
            subprocess.run(command, input=tape["tape"], stdout=PIPE, stderr=STDOUT, timeout=CORE_S, check=False)  # noqa: S603
            for tape in self.tapes
        ]
        said = b"".join(run.stdout for run in runs).decode()
        return all(run.returncode == 0 for run in runs), said.strip()


def load(target: str, project: str) -> Recording:
    """Read a call from a project, or from the stack on this machine. Raises InvalidInputError and NotFoundError."""
    match target.split("/"):
        case [uid, rid] if uid and rid:
            wanted = None
        case [uid, rid, number] if uid and rid and number.isdecimal():
            wanted = int(number)
        case _:
            raise InvalidInputError(f"{target}: expected UID/RID or UID/RID/ATTEMPT, as they stand in the log")
    root = connect(project).document("users", uid, "requests", rid)
    found = root.get(**PATIENCE)
    if not found.exists:
        raise NotFoundError(f"There is no request {uid}/{rid}.")

    def below(name: str) -> dict[str, dict[str, Any]]:
        return {each.id: each.to_dict() or {} for each in root.collection(name).stream(**PATIENCE)}

    request = Request.from_store(found.to_dict())
    attempt = wanted or request.attempt
    calls = {int(name): Call.from_store(fields) for name, fields in below("calls").items() if name == str(attempt)}
    if wanted and not calls:
        raise NotFoundError(f"{uid}/{rid} has no call {wanted}; its last attempt is {request.attempt}.")
    turns = {int(name): Turn.from_store(fields) for name, fields in below("turns").items()}
    turns = {seq: turn for seq, turn in sorted(turns.items()) if turn.call == attempt}
    tapes = [fields for fields in below("tapes").values() if fields["attempt"] == attempt]
    view = ErrandView(rid, request, calls=calls, turns=turns)
    return Recording(view, attempt, tuple(sorted(tapes, key=lambda tape: int(tape["epoch"]))))


def steps(tape: dict[str, Any]) -> list[Any]:
    """[now, {event: fields} or None, [{action: fields}]], with `now` in seconds into the call."""
    plain = json.loads(zlib.decompress(tape["tape"]))
    moved = tape["earlier_s"] - tape["since"]
    return [[round(now + moved, 3), event, actions] for now, event, actions in plain["steps"]]


def _tape_lines(tape: dict[str, Any], hidden: Iterable[str]) -> Iterator[tuple[float, str, str, str]]:
    texts: dict[str, str] = {}
    for at, event, actions in steps(tape):
        for each in ([event] if event else [{"deadline": {}}] if actions else []) + actions:
            ((name, fields),) = each.items()
            if name == "Speak":
                texts[fields["segment_id"]] = fields["text"]
            if name in hidden:
                continue
            who, style, quoted = TOLD.get(name, ("", "dim", ""))
            words = str(fields.get(quoted, "")) if quoted else _named(name, fields)
            yield at, who, style, texts.get(words, words)


def _named(name: str, fields: dict[str, Any]) -> str:
    return " ".join((name, *(f"{key}={value}" for key, value in fields.items() if value not in ("", [], {}, None))))


def text_of(line: tuple[float, str, str, str]) -> Text:
    at, who, style, words = line
    return Text.assemble((f"{at:8.2f} s ", "dim"), (f"{who:>7} ", "dim"), (words, style))


def replay(
    call: Annotated[str, typer.Argument(metavar="UID/RID[/ATTEMPT]", help="As in the log.", show_default=False)],
    *,
    core: Annotated[
        bool, typer.Option("--core", help="Ask whether today's core decides alike; status 1 if not.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every event, not only what was said and decided.")] = False,
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """A call again, from what it left in the store: what was heard, said and decided when."""
    recording = load(call, project)
    same, verdict = recording.judged_by_core() if core else (True, "")
    data = recording.view.report() | {"attempt": recording.attempt}
    data |= {"tapes": [steps(tape) for tape in recording.tapes], "core": verdict}
    lines = map(text_of, recording.lines(everything=everything))
    show(data, as_json, *lines, stages_table(recording.view), result_panel(recording.view), verdict)
    if not same:
        raise typer.Exit(1)
