"""The pages in docs/: the glossary is in order, and what lessons and pages name is there."""

import json
import re
from pathlib import Path

import pytest

from ngff_practical.cli.app import _COMMANDS

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def terms() -> list[str]:
    return re.findall(r"^### (.+)$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), flags=re.MULTILINE)


def anchor(heading: str) -> str:
    """Return the anchor that Markdown renderers give a heading."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def test_the_glossary_is_in_alphabetical_order() -> None:
    plain = [re.sub(r"\W", "", term).lower() for term in terms()]
    assert plain == sorted(plain)
    assert len(set(plain)) == len(plain) > 30


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_links_to_terms_that_the_glossary_has(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    linked = set(re.findall(r"glossary\.md#([\w-]+)", text))
    assert linked - {anchor(term) for term in terms()} == set()


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_the_page_of_the_command_line_names_every_command(command: str) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert re.search(rf"ngff-practical {command}\b|`{command}[` |]", page)


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []


def test_modules_that_the_map_names_are_there():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| in `(\w+)` \|.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert [package for package, _ in named] == ["stack", "storage", "widgets"]
    for package, rows in named:
        there = {path.stem for path in (ROOT / "ngff_practical" / package).glob("*.py")}
        assert set(re.findall(r"`([a-z_]+)`", rows)) <= there
