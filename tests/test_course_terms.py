"""The words of the lessons: those of the glossary, which the first mention in each lesson links to."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")

# Terms that mean something of their own here. Left out are words of everyday language (key, object, access,
# field, well, plane, request, scale), which a reader meets in their everyday sense, too.
LINKED = (
    "bucket",
    "checksum",
    "chunk",
    "CORS",
    "endpoint",
    "label image",
    "latency",
    "manifest",
    "OME-TIFF",
    "prefix",
    "pyramid",
    "shard",
    "translation",
)

WRONG = dict(re.findall(r"^\| (?!not |-)([^|]+?) \| ([^|]+?) \|$", GLOSSARY, flags=re.MULTILINE))


# Code, answers to open, addresses of links, headings, tables, and lines that are the same in every lesson.
HIDDEN = (
    r"(?s)```.*?```",
    r"`[^`]*`",
    r"(?s)<details>.*?</details>",
    r"\]\([^)]*\)",
    r"(?m)^#.*$",
    r"(?m)^\|.*$",
    r"(?m)^\*\*(?:Time|Necessary|Data|Next):.*$",
    r"(?m)^\*\*\d\. .*$",
)


def anchor(term):
    return term.lower().replace(" ", "-")


def masked(text):
    """Return Markdown with everything that is not running prose blanked out, its length kept."""
    for pattern in HIDDEN:
        text = re.sub(pattern, lambda found: " " * len(found[0]), text)
    return text


def prose(path):
    """Return the cells of prose, without the one at the top, which names what the lesson leads to."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"][1:]


def first_mention(cells, term):
    """Return the cell and the place in it of a term's first mention, None where there is none."""
    word = re.compile(rf"\b{re.escape(term)}s?\b", re.IGNORECASE)
    for cell in cells:
        if found := word.search(masked(cell.source)):
            return cell, found
    return None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_mention_of_a_term_links_to_the_glossary(path):
    unlinked = []
    for term in LINKED:
        mention = first_mention(prose(path), term)
        if mention:
            cell, found = mention
            if not re.match(rf"[^\[\]]*\]\([^)]*glossary\.md#{anchor(term)}\)", cell.source[found.start() :]):
                unlinked.append((term, cell.source[max(0, found.start() - 30) : found.end() + 30]))
    assert unlinked == []


def test_the_list_of_words_that_are_not_used_is_read():
    assert len(WRONG) >= 8


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_uses_the_words_of_the_glossary(path):
    text = "\n".join(masked(cell.source) for cell in prose(path))
    used = [words for words in WRONG for word in words.split(", ") if re.search(rf"\b{word}s?\b", text)]
    assert used == []
