"""`floyd facts`: what Floyd knows is shown as it is, and changed only by name."""

from pathlib import Path

import pytest

from floyd.command import household
from floyd.command.running import Running
from floyd.errors import InvalidInputError
from tests.floyd.command.test_running import STACK


def test_a_fact_is_shown_as_it_is_changed_and_forgotten(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails people cannot see or take back what Floyd may tell, or a mistyped name looks like success."""
    monkeypatch.setenv("FLOYD_STACK_DIR", str(tmp_path))
    running.model_copy(update={"pid": STACK.pid}).save(tmp_path)

    household.every("ann")
    household.add("child_name", "Mara [Baker]", "family", "ask", "ann")
    household.add("card_number", "4242", "payment", "never", "ann")
    household.share("child_name", "always", "ann")
    household.every("ann")
    household.remove("child_name", "ann")

    said = capsys.readouterr().out
    for words in (
        "nothing about ann",
        "told: if you say yes",
        "told: always",
        "Mara [Baker]",
        "child_name is forgotten",
    ):
        assert words in said
    assert "4242" not in said
    for change in (lambda: household.remove("child_name", "ann"), lambda: household.share("child_name", "ask", "ann")):
        with pytest.raises(InvalidInputError, match="no fact child_name"):
            change()
    with pytest.raises(InvalidInputError, match="lower-case"):
        household.add("Child Name", "Mara")
