"""Documents that show the code must show this code."""

import re
from pathlib import Path

import pytest

from floyd.settings import Settings
from tests.drawing import PAGE, drawn

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_architecture_page_is_drawn_from_the_code() -> None:
    """If this fails the page lies about imports or about the conversation's moves: run `make docs`."""
    page = PAGE.read_text()

    assert drawn(page) == page


def test_every_setting_is_described() -> None:
    """If this fails an operator meets a variable that no page explains."""
    page = (ROOT / "docs" / "running.md").read_text()

    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """If this fails a reader follows a link into nothing."""
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []
