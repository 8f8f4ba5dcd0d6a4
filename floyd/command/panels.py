"""How a plan, a question and a result look in a terminal. Pure: values in, rich renderables out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from floyd.command.errand import ErrandView, percentile
from floyd.documents import Question, Request, Status

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
STYLES, STAGES, SOURCES = _WORDS["styles"], _WORDS["stages"], _WORDS["sources"]


def grid(rows: Mapping[str, str], style: str) -> Table:
    """Labels in this style, and what belongs to each."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows.items():
        table.add_row(label, Text(text))
    return table


def _panel(content: RenderableType, title: str, style: str) -> Panel:
    return Panel(content, title=title, title_align="left", border_style=style, box=box.ROUNDED)


def plan_panel(request: Request) -> RenderableType:
    """What Floyd means to do, whom it rings, what it may say and how far it may agree. The request has a plan."""
    plan, mandate = request.plan, request.mandate
    assert plan
    rows = {"goal": [plan.goal]}
    if plan.needs_call:
        told = [f"{fact.key}: {fact.value}" for fact in request.release]
        rows |= {
            "rings": [f"{plan.callee.name} {plan.callee.number or ''} ({SOURCES[plan.callee.number_source]})"],
            "says": [plan.opening],
            "done when": plan.done_when,
            "may tell": told or ["nothing about you but your name"],
        }
        if mandate:
            most = f"up to {mandate.max_amount} {mandate.currency}"
            limit = most if Decimal(mandate.max_amount) else "to nothing that costs money"
            rows["may agree"] = [limit, *mandate.times, *(f"promise: {promise}" for promise in mandate.promises)]
        if request.not_before:
            rows["not before"] = [f"{request.not_before:%Y-%m-%d %H:%M %Z}"]
    else:
        rows["no call"] = [f"the answer is your fact {plan.answer_key}"]
    lines = {label: "\n".join(filter(None, texts)) for label, texts in rows.items()}
    return _panel(grid({label: text for label, text in lines.items() if text}, "dim"), "plan", "blue")


def question_text(question: Question) -> Text:
    choices = f" ({' / '.join(question.choices)})" if question.choices else ""
    return Text.assemble(("  ? ", "bold red"), ("Floyd asks you: ", "bold"), question.text, (choices, "dim"))


def turn_text(view: ErrandView, seq: int) -> RenderableType:
    """One turn of the transcript, with the gap before an answer of Floyd's."""
    turn = view.turns[seq]
    gap = view.gap_ms(seq)
    text = Text(turn.heard, "yellow" if turn.speaker == "callee" else "")
    if turn.cut:
        text.append(" — interrupted", "red")
    if gap is not None:
        text.append(f"   {max(0, gap)} ms", "green" if gap < 1000 else "dim")
    return _said(Text.assemble((f"{seq:4d} ", "dim"), (f"{turn.speaker:>7} ", STYLES[turn.speaker])), text)


def _said(who: Text, words: Text) -> RenderableType:
    """Words in a column of their own, however long."""
    row = Table.grid()
    row.add_column(no_wrap=True)
    row.add_row(who, words)
    return row


def present_text(view: ErrandView, words: int) -> RenderableType:
    """What is being said at this moment, up to this many words: the callee's interim words, or Floyd's turn, of which
    what was heard already is no longer grey. Below it the cost so far."""
    if view.finished:
        return Text("")
    spoken = _spoken_now(view, words)
    return Group(spoken, Text(f"     {view.cost:.3f} dollars so far", "dim")) if view.cost else spoken


def _spoken_now(view: ErrandView, words: int) -> RenderableType:
    live, newest = view.live, view.turns.get(view.newest_turn)
    if live and live.line == "hold" and live.line_since:
        minutes, seconds = divmod(int((datetime.now(UTC) - live.line_since).total_seconds()), 60)
        return Text(f"     on hold {minutes}:{seconds:02}", "dim")
    if live and live.interim and live.seq > view.newest_turn:
        return _being_said(live.speaker, "", live.interim, words)
    if newest and not view.settled(view.newest_turn):
        return _being_said(newest.speaker, newest.heard, newest.planned or newest.heard, words)
    return Text("")


def _being_said(speaker: str, heard: str, text: str, words: int) -> RenderableType:
    shown = " ".join(text.split()[:words])
    certain = min(len(heard), len(shown))
    grey = Text.assemble(shown[:certain], (shown[certain:], "bright_black italic"), (" ▏", "dim"))
    return _said(Text(f"     {speaker:>7} ", "dim"), grey)


def result_panel(view: ErrandView) -> RenderableType:
    """The outcome with its proofs, what was told to whom, and how long everything took. The request exists."""
    request = view.request
    assert request
    style = "green" if request.status is Status.DONE else "red"
    return _panel(Group(*_result(view, request)), f"result: {request.status.value}", style)


def _result(view: ErrandView, request: Request) -> Iterator[Text]:
    if outcome := request.outcome:
        yield Text.assemble((outcome.category.replace("_", " "), "bold"), f"   {outcome.summary}")
        for claim in outcome.claims:
            mark = ("  ✓ ", "green") if claim.proved else ("  ? ", "yellow")
            turns = ", ".join(f"turn {turn}" for turn in claim.turns) or "no turn"
            yield Text.assemble(mark, claim.text, (f"   [{turns}{'' if claim.proved else ': not proved'}]", "dim"))
        for fact in outcome.facts:
            yield Text.assemble(
                ("  + ", "cyan"), f"{fact.key}: {fact.value}", (f"   [turn {fact.turn}, proposed]", "dim")
            )
    else:
        yield Text(request.status_reason or "no result")
    for task in view.tasks:
        yield Text.assemble(("  ☐ ", "cyan"), task.title, (f"   {task.due or ''} [turn {task.turn}]", "dim"))
    if view.disclosures:
        told = ", ".join(f"{entry.fact} (turn {entry.turn})" for entry in view.disclosures)
        yield Text.assemble(("  told ", "dim"), told, (f"   to {view.disclosures[0].to}", "dim"))
    gaps = view.gaps
    speed = f", turn gap p50 {percentile(gaps, 50)} ms, p95 {percentile(gaps, 95)} ms" if gaps else ""
    yield Text(f"  {len(view.turns)} turns, {len(view.calls)} call(s){speed}, cost {view.cost:.3f} dollars", "dim")


def stages_table(view: ErrandView) -> RenderableType:
    """Milliseconds from the callee's last word to each stage of every answer."""
    gaps = [gap.model_dump() for call in view.calls.values() for gap in call.gaps]
    if not gaps:
        return Text("")
    table = Table(title="from the callee's last word, ms", title_style="dim", box=box.SIMPLE, pad_edge=False)
    for label in ("turn", *STAGES.values()):
        table.add_column(label, justify="right", style="dim" if label == "turn" else None)
    for gap in gaps:
        table.add_row(*("·" if gap[name] is None else f"{gap[name]:.0f}" for name in ("turn", *STAGES)))
    return table
