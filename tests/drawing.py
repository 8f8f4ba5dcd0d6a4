"""Draws what docs/architecture.md shows from the code itself. `python -m tests.drawing` writes it (make docs)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from relay.core.conversation import SETTLING, TRANSITIONS
from relay.core.deadlines import Deadline
from tests.test_layout import PRODUCT, imports, module_name, sources

PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"


def import_diagram() -> str:
    """Who imports whom among our packages, as a Mermaid graph: one box a package, one arrow a dependency."""
    packages = {
        "functions",
        "relay",
        "relay.core",
        "floyd",
        "floyd.store",
        "floyd.lifecycle",
        "floyd.command",
        "standins",
    }

    def package(name: str) -> str | None:
        return max((each for each in packages if name == each or name.startswith(f"{each}.")), key=len, default=None)

    arrows: dict[str, set[str]] = defaultdict(set)
    for path in sources(*PRODUCT, "standins"):
        importer = package(module_name(path))
        for name, _ in imports(path):
            imported = package(name)
            if importer and imported and importer != imported:
                arrows[importer].add(imported)
    boxes = [f'    {each.replace(".", "_")}["{each.replace(".", "/")}/"]' for each in sorted(packages)]
    lines = [
        f"    {importer.replace('.', '_')} --> {imported.replace('.', '_')}"
        for importer in sorted(arrows)
        for imported in sorted(arrows[importer])
    ]
    return "\n".join(["```mermaid", "graph LR", *boxes, *lines, "```"])


def transition_table() -> str:
    """The conversation's moves: where it may be, what comes, where it may lead, what it may emit."""

    def words(name: str) -> str:
        return name.lower().replace("_", "-")

    rows = ["| where | what | becomes | may emit |", "|---|---|---|---|"]
    for row in TRANSITIONS:
        floors = ", ".join(words(floor.name) for floor in row.floors)
        triggers = ", ".join(
            f"*{words(each.name)} deadline*" if isinstance(each, Deadline) else each.__name__ for each in row.triggers
        )
        becomes = [words(floor.name) for floor in row.becomes] + (["same"] if row.stays else [])
        emits = ", ".join(dict.fromkeys(action.__name__ for action in row.emits))
        rows.append(f"| {floors} | {triggers} | {' or '.join(becomes)} | {emits} |")
    settled = [f"- {rule.name}" for rule in SETTLING]
    return "\n".join([*rows, "", "After every input, until none applies any more:", "", *settled])


DRAWINGS = {"imports": import_diagram, "transitions": transition_table}


def drawn(page: str) -> str:
    """The page with every drawing renewed between its two marker lines."""
    for name, draw in DRAWINGS.items():
        before, start, rest = page.partition(f"<!-- {name}: drawn from the code -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        assert start, f"{PAGE.name} has no place for {name}"
        assert end, f"{PAGE.name} does not close {name}"
        page = f"{before}{start}\n{draw()}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
