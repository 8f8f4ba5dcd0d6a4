"""The structure of the source is a promise: who may import whom, how long a file is, what a file may be called."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("floyd", "functions", "relay")

# Which of our own packages each part may import. The longest matching prefix decides.
MAY_IMPORT = {
    "floyd": {"floyd"},
    "floyd.command": {"floyd"},
    "functions": {"floyd", "functions"},
    "relay": {"floyd", "relay"},
    "relay.core": {
        "relay.core",
        "floyd.english",
        "floyd.figures",
        "floyd.lines",
        "floyd.mandate",
        "floyd.money",
        "floyd.mulaw",
    },
    "standins": {"standins"},
    "deploy": {"deploy", "floyd"},
}

# What makes an interpreter start slowly and is needed only on some paths, hence imported where it is used.
HEAVY = (
    "openai",
    "twilio.rest",
    "google.cloud.speech_v2",
    "google.cloud.texttospeech",
    "google.cloud.run_v2",
    "firebase_admin",
)

DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}


def sources(*tops: str) -> list[Path]:
    return [path for top in tops for path in sorted((ROOT / top).rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module name that a file imports, with whether the import runs when the file is loaded."""
    tree = ast.parse(path.read_text())
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside.update(id(child) for child in ast.walk(node))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            inside.update(id(child) for child in ast.walk(node))
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in inside
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (start, node.module) if part)
            for alias in node.names:
                yield f"{name}.{alias.name}", id(node) not in inside


def _within(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


@pytest.mark.parametrize("path", sources(*PRODUCT, "standins", "deploy"), ids=module_name)
def test_imports_follow_the_picture(path: Path) -> None:
    """If this fails two parts that must be deployable and understandable apart have been tied together."""
    module = module_name(path)
    rule = max((prefix for prefix in MAY_IMPORT if _within(module, {prefix})), key=len)
    ours = {name for name, _ in imports(path) if _within(name, {*PRODUCT, "standins", "tests"})}

    wrong = {name for name in ours if not _within(name, MAY_IMPORT[rule])}
    if rule not in ("floyd.command", "deploy"):
        wrong |= {name for name in ours if _within(name, {"floyd.command"})}

    assert not wrong, f"{module} may not import {sorted(wrong)}"


@pytest.mark.parametrize("path", sources("relay/core"), ids=module_name)
def test_the_core_has_no_clock_no_loop_no_log(path: Path) -> None:
    """If this fails a conversation cannot be replayed from its events any more."""
    forbidden = {"asyncio", "time", "datetime", "logging", "random", "socket", "threading", "os"}

    assert not {name for name, _ in imports(path) if _within(name, forbidden)}


@pytest.mark.parametrize("path", sources("functions", "floyd"), ids=module_name)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path) -> None:
    """If this fails every function pays a second of start-up for a vendor it may not call."""
    eager = {name for name, at_load in imports(path) if at_load and _within(name, set(HEAVY))}

    assert not eager


@pytest.mark.parametrize("path", sources(*PRODUCT, "standins", "deploy", "tests"), ids=module_name)
def test_files_are_short_and_named_for_what_they_hold(path: Path) -> None:
    """If this fails nobody can guess where a thing is, or read the file in one sitting."""
    assert path.stem not in DRAWERS
    if path.parts[len(ROOT.parts)] != "tests":
        assert len(path.read_text().splitlines()) <= 400


def test_the_whole_does_not_grow() -> None:
    """A ratchet toward 10,000 product lines and 4,000 of stand-ins, which one head can hold: only ever lowered."""

    def lines(*tops: str) -> int:
        return sum(len(path.read_text().splitlines()) for path in sources(*tops))

    assert lines(*PRODUCT) < 17_800
    assert lines("standins") < 6_200
