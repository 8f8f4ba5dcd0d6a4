"""The tables in infra/README.md, made of variables.tf and outputs.tf: `python -m tests.infra.tables` writes them."""

from __future__ import annotations

import re
from pathlib import Path

INFRA = Path(__file__).parents[2] / "infra"
PAGE = INFRA / "README.md"


def blocks(kind: str, text: str) -> dict[str, dict[str, str]]:
    """`{name: {argument: its text on one line}}` of all blocks of this kind, in the file's order."""
    found = {}
    for name, body in re.findall(rf'^{kind} "(\w+)" {{\n(.*?)^}}', text, re.MULTILINE | re.DOTALL):
        arguments = re.findall(r"^  (\w+) += (.*?)(?=^  \w|\n\n|\Z)", body, re.MULTILINE | re.DOTALL)
        found[name] = {argument: re.sub(r"\s+", " ", value).strip().strip('"') for argument, value in arguments}
    return found


def rows() -> list[str]:
    variables = blocks("variable", (INFRA / "variables.tf").read_text())
    outputs = blocks("output", (INFRA / "outputs.tf").read_text())
    lines = ["| variable | meaning | type | default |", "|---|---|---|---|"]
    for name, of in variables.items():
        default = f"`{of['default']}`" if "default" in of else "required"
        lines.append(f"| `{name}` | {of['description']} | `{of['type']}` | {default} |")
    lines += ["", "| output | meaning |", "|---|---|"]
    return lines + [f"| `{name}` | {of['description']} |" for name, of in outputs.items()]


def drawn(page: str) -> str:
    """The page with its tables as they should be."""
    begin, end = "<!-- tables: made of the code -->\n", "\n<!-- end of tables -->"
    head, rest = page.split(begin)
    return head + begin + "\n".join(rows()) + end + rest.split(end)[1]


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
