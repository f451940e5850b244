"""Tables for the terminal and for RESULTS.md, and what is kept of a run so that it can be resumed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from measuring import machine

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = "# Results\n\nWritten by `make bench`; [README.md](README.md) says how to run it.\n"


@dataclass(frozen=True)
class Target:
    """Something to reach: a number that was measured, and the most it may be."""

    words: str
    value: float | None
    limit: float
    unit: str = ""

    @property
    def reached(self) -> str:
        """Say whether it was."""
        if self.value is None:
            return "not measured"
        return "reached" if self.value <= self.limit else "not reached"

    def row(self) -> list[str]:
        """Return it as a row of a table."""
        value = "-" if self.value is None else f"{self.value:.2f}{self.unit}"
        return [self.words, value, f"<= {self.limit:.2f}{self.unit}", self.reached]


TARGET_HEAD = ["target", "measured", "wanted", ""]


class Kept:
    """The measurements of a run, written to disk one by one; a run that was broken off goes on from them."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._values: dict[str, object] = {}
        if resume and path.is_file():
            self._values = json.loads(path.read_text())

    def get(self, key: str) -> dict | None:
        """Return what was kept under a key."""
        return self._values.get(key)

    def put(self, key: str, value: object) -> dict:
        """Keep a value (a dataclass, say) at once."""
        self._values[key] = asdict(value)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._values, indent=1))
        return self._values[key]


def ratio(a: float | None, b: float | None) -> float | None:
    """Return a / b where both were measured."""
    return a / b if a and b else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up in a terminal, too; numbers to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    numeric = [
        all(re.fullmatch(r"[-\d.,x ]*", line[column]) for line in lines[1:]) for column in range(len(head))
    ]
    pads = [str.rjust if number else str.ljust for number in numeric]
    cells = [
        [pad(cell, width) for pad, cell, width in zip(pads, line, widths, strict=True)] for line in lines
    ]
    texts = [f"| {' | '.join(line)} |" for line in cells]
    rules = [
        "-" * (width + 1) + (":" if number else "-") for width, number in zip(widths, numeric, strict=True)
    ]
    return "\n".join([texts[0], f"|{'|'.join(rules)}|", *texts[1:]])


def told_when_and_where() -> str:
    """Return the date and the machine, without its name."""
    return f"{time.strftime('%Y-%m-%d')}; {machine()}."


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace one section of the results and leave the others as they are."""
    old = path.read_text() if path.is_file() else HEADING
    section = f"<!-- {name} -->\n{text.strip()}\n<!-- end of {name} -->\n"
    pattern = re.compile(f"<!-- {name} -->\n.*?<!-- end of {name} -->\n", re.S)
    new = pattern.sub(lambda _: section, old) if pattern.search(old) else f"{old.rstrip()}\n\n{section}"
    path.write_text(new)
