"""How a plan, a question and a result look in a terminal. Pure: values in, rich renderables out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from floyd.command.client import ErrandView
from floyd.command.report import cost, percentile, turn_gaps
from floyd.documents import Gap, Question, Request, Status

STYLES = {"floyd": "bold cyan", "callee": "bold yellow", "person": "bold magenta"}
STAGES = {
    "endpoint_ms": "turn over",
    "final_ms": "last words",
    "token_ms": "first token",
    "clause_ms": "first clause",
    "audio_ms": "first sound",
    "frame_ms": "on the line",
}
SOURCES = {
    "request": "from your words",
    "fact": "from your facts",
    "place": "known from before",
    "look_up": "looked up",
    "none": "unknown",
}


def plan_panel(request: Request) -> RenderableType:
    """What Floyd means to do, whom it rings, what it may say and how far it may agree."""
    plan = request.plan
    if plan is None:
        return Text("")
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()

    def row(label: str, texts: Iterable[str]) -> None:
        found = [escape(text) for text in texts if text]
        if found:
            rows.add_row(label, "\n".join(found))

    row("goal", [plan.goal])
    if plan.needs_call:
        row("rings", [f"{plan.callee.name} {plan.callee.number or ''} ({SOURCES[plan.callee.number_source]})"])
        row("says", [plan.opening])
        row("done when", plan.done_when)
        told = [f"{fact.key}: {fact.value}" for fact in request.release]
        row("may tell", told or ["nothing about you but your name"])
        if request.mandate:
            most = f"{request.mandate.max_amount} {request.mandate.currency}"
            limit = f"up to {most}" if Decimal(request.mandate.max_amount) else "to nothing that costs money"
            row(
                "may agree",
                [limit, *request.mandate.times, *(f"promise: {promise}" for promise in request.mandate.promises)],
            )
        if request.not_before:
            row("not before", [f"{request.not_before:%Y-%m-%d %H:%M %Z}"])
    else:
        row("no call", [f"the answer is your fact {plan.answer_key}"])
    return Panel(rows, title="plan", title_align="left", border_style="blue", box=box.ROUNDED)


def question_text(question: Question) -> Text:
    choices = f" ({' / '.join(question.choices)})" if question.choices else ""
    return Text.assemble(("  ? ", "bold red"), ("Floyd asks you: ", "bold"), question.text, (choices, "dim"))


def turn_text(view: ErrandView, seq: int) -> RenderableType:
    """One turn of the transcript, with the gap before an answer of Floyd's."""
    turn = view.turns[seq]
    gap = view.gap_ms(seq)
    text = Text(turn.heard, "" if turn.speaker != "callee" else "yellow")
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
    what was heard already is no longer grey."""
    live, newest = view.live, view.turns.get(view.newest_turn)
    if view.finished:
        return Text("")
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
    """The outcome with its proofs, what was told to whom, and how long everything took."""
    request = view.request
    if request is None:
        return Text("")
    good = request.status is Status.DONE
    parts: list[RenderableType] = []
    outcome = request.outcome
    if outcome:
        parts.append(Text.assemble((outcome.category.replace("_", " "), "bold"), f"   {outcome.summary}"))
        for claim in outcome.claims:
            mark = ("✓ ", "green") if claim.proved else ("? ", "yellow")
            turns = ", ".join(f"turn {turn}" for turn in claim.turns) or "no turn"
            words = turns if claim.proved else f"{turns}: not proved"
            parts.append(Text.assemble("  ", mark, claim.text, (f"   [{words}]", "dim")))
        parts += [
            Text.assemble(("  + ", "cyan"), f"{fact.key}: {fact.value}", (f"   [turn {fact.turn}, proposed]", "dim"))
            for fact in outcome.facts
        ]
    else:
        parts.append(Text(request.status_reason or "no result"))
    parts += [
        Text.assemble(("  ☐ ", "cyan"), task.title, (f"   {task.due or ''} [turn {task.turn}]", "dim"))
        for task in view.tasks
    ]
    if view.disclosures:
        told = ", ".join(f"{entry.fact} (turn {entry.turn})" for entry in view.disclosures)
        parts.append(Text.assemble(("  told ", "dim"), told, (f"   to {view.disclosures[0].to}", "dim")))
    parts.append(_figures(view))
    return Panel(
        Group(*parts),
        title=f"result: {request.status.value}",
        title_align="left",
        border_style="green" if good else "red",
        box=box.ROUNDED,
    )


def _figures(view: ErrandView) -> Text:
    gaps = turn_gaps(view)
    words = f"  {len(view.turns)} turns, {len(view.calls)} call(s)"
    if gaps:
        words += f", turn gap p50 {percentile(gaps, 50)} ms, p95 {percentile(gaps, 95)} ms"
    return Text(f"{words}, cost {cost(view):.3f} dollars", style="dim")


def stages_table(view: ErrandView) -> RenderableType:
    """Milliseconds from the callee's last word to each stage of every answer."""
    gaps = [gap for call in view.calls.values() for gap in call.gaps]
    if not gaps:
        return Text("")
    table = Table(title="from the callee's last word, ms", title_style="dim", box=box.SIMPLE, pad_edge=False)
    table.add_column("turn", justify="right", style="dim")
    for label in STAGES.values():
        table.add_column(label, justify="right")
    for gap in gaps:
        table.add_row(str(gap.turn), *(_stage(gap, name) for name in STAGES))
    return table


def _stage(gap: Gap, name: str) -> str:
    value = getattr(gap, name)
    return "·" if value is None else f"{value:.0f}"
