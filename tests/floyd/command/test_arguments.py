"""How every command gives its result."""

import json

import pytest
from rich.panel import Panel

from floyd.command.arguments import show


def test_lines_stay_whole_and_values_stay_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails an id or a path cannot be copied, or brackets in a value vanish."""
    monkeypatch.setenv("COLUMNS", "40")
    line = "tom [bold] " * 10

    show({}, False, line, Panel("word " * 20))

    first, *panel = capsys.readouterr().out.splitlines()
    assert first.strip() == line.strip()
    assert max(map(len, panel)) <= 40


def test_json_is_one_object_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails a program that reads the result gets words for people."""
    show({"id": "r1"}, True, "words for people")

    assert json.loads(capsys.readouterr().out) == {"id": "r1"}
