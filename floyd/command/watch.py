"""A request followed live: what happens is printed once and stays; the words of this moment stand below in grey."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from operator import is_not
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from floyd.command import household
from floyd.command.arguments import As, AsJson, show
from floyd.command.client import Client
from floyd.command.dictation import dictate
from floyd.command.errand import Errand, ErrandView
from floyd.command.panels import plan_panel, present_text, question_text, result_panel, stages_table, turn_text
from floyd.command.running import find
from floyd.documents import Question
from floyd.errors import InvalidInputError, NotFoundError

# Words reach the documents in lumps, at most once a second; shown at this pace they appear as they are spoken.
WORD_S = 0.12
# A person in front of a terminal needs no more; a pipe gets the answer that the caller chose.
AUTOMATIC_AFTER_S = 3.0

# Longer than any call may last, with a call back after it.
WATCH_S = 3600.0

Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the end.")]
Answering = Callable[[Question], str | None]
"""Gives the person's answer, or None to leave the question open."""


class Story:
    """Turns successive views of one request into lines, each told once."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._told: set[object] = set()

    def news(self, view: ErrandView, now: float) -> Iterator[RenderableType]:
        """What this view holds that no earlier one did, in the order in which it happened."""
        request = view.request
        if request is None:
            return
        if request.plan and self._first("plan", request.plan.model_dump_json(), str(request.mandate)):
            yield plan_panel(request)
        for number, call in view.calls.items():
            if self._first("call", number):
                yield Text.assemble(("  ☎ ", "bold green"), f"call {number} to {call.to}")
        asked = [question for qid, question in view.questions.items() if self._first("asked", qid)]
        for seq, turn in view.turns.items():
            # A question is about what the callee has just said, so that comes first.
            over = view.settled(seq) or (asked and turn.speaker == "callee")
            if over and self._first("turn", seq):
                yield turn_text(view, seq)
        yield from map(question_text, asked)
        for qid, question in view.questions.items():
            if question.status == "answered" and self._first("answered", qid):
                yield Text.assemble(("    you: ", "bold magenta"), question.answer or "")
        if self._first("status", request.status, request.attempt):
            told_below = view.finished and request.outcome
            reason = f": {request.status_reason}" if request.status_reason and not told_below else ""
            yield Text(f"{now - self._began:6.1f} s  {request.status.value}{reason}", style="dim")
        if view.finished and request.outcome and self._first("end", request.attempt):
            yield result_panel(view)
            yield stages_table(view)

    def _first(self, *what: object) -> bool:
        known = what in self._told
        self._told.add(what)
        return not known


def follow(
    errand: Errand,
    console: Console,
    *,
    answering: Answering,
    client: Client,
    timeout_s: float,
    check: Callable[[ErrandView], None] = lambda _: None,
) -> ErrandView:
    """Show a request until it is finished and return its last view.

    `answering` is asked once per question; `check` sees every view and raises when there is no point in waiting any
    longer. Raises TimeoutError when the request is not finished after `timeout_s`.
    """
    story = Story(began := time.monotonic())
    asked: set[str] = set()
    seen: ErrandView | None = None
    speaking, since = (0, 0), began
    footer = Spinner("dots", style="dim")
    with Live(footer, console=console, refresh_per_second=10, transient=True) as live:
        while True:
            with suppress(TimeoutError):
                errand.wait_until(partial(is_not, seen), WORD_S)
            seen = view = errand.view
            now = time.monotonic()
            for line in story.news(view, now):
                live.console.print(line)
            if speaking != (speaking := (view.newest_turn, view.live.seq if view.live else 0)):
                since = now
            live.update(Group(present_text(view, 1 + int((now - since) / WORD_S)), footer))
            if view.finished and view.request and view.request.outcome:
                return view
            if view.open_question and view.open_question[0] not in asked:
                qid, question = view.open_question
                asked.add(qid)
                live.update(Group(), refresh=True)  # what stands below is wiped here, or stopping wipes the line above
                live.stop()
                if answer := answering(question):
                    client.answer(errand.rid, qid, answer)
                live.start()
            check(view)
            if time.monotonic() > began + timeout_s:
                raise TimeoutError(f"The request is not finished after {timeout_s:.0f} s")


def ask_at_terminal(console: Console, otherwise: str | None = None) -> Answering:
    """Ask whoever sits at the terminal. Enter, or with no terminal a few seconds, means `otherwise`; without that the
    question stays open for the app."""

    def answer(_: Question) -> str | None:
        if sys.stdin.isatty():
            hint = f"Enter: {otherwise}" if otherwise else "empty: later"
            return console.input(f"    [bold magenta]your answer[/] ({hint}) ").strip() or otherwise
        time.sleep(AUTOMATIC_AFTER_S if otherwise else 0)
        return otherwise

    return answer


def request(
    text: Annotated[str, typer.Argument(help="What Floyd should do, in your words.", show_default=False)] = "",
    *,
    voice: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Speak the request from this recording instead.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    uid: As = household.UID,
    timeout: Timeout = WATCH_S,
    as_json: AsJson = False,
) -> None:
    """Hand in a request, in words or as a recording."""
    if bool(text) == bool(voice):
        raise InvalidInputError("Say either what to do (floyd request 'tell …') or which recording holds it (--voice)")
    client = household.sign_in(find(), uid)
    errand = client.follow(dictate(client, voice, Console(stderr=as_json))) if voice else client.request(text)
    if watch:
        _watch(errand, client, timeout, as_json)
        return
    errand.close()
    show({"id": errand.rid}, as_json, f"{errand.rid}   follow it: floyd watch {errand.rid}")


def watch(
    rid: Annotated[str, typer.Argument(metavar="ID", help="The request's id.", show_default=False)],
    uid: As = household.UID,
    timeout: Timeout = WATCH_S,
    as_json: AsJson = False,
) -> None:
    """Follow a request live: plan, words, gaps, questions (answered here), result, cost."""
    client = household.sign_in(find(), uid)
    if not client.has(rid):
        raise NotFoundError(f"{uid} has no request {rid}. Its id is what floyd request prints; --as names the person")
    _watch(client.follow(rid), client, timeout, as_json)


def _watch(errand: Errand, client: Client, timeout_s: float, as_json: bool) -> None:
    console = Console(stderr=as_json)
    with errand:
        view = follow(errand, console, answering=ask_at_terminal(console), client=client, timeout_s=timeout_s)
    if as_json:
        typer.echo(json.dumps(view.report()))
