"""What `info` and `validate` show a person: facts, levels, wells, and findings, aligned."""

from __future__ import annotations

import sys
from shutil import get_terminal_size
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from ngff_practical.cli.output import escape, show
from ngff_practical.cli.pages import cells, print_table, table_of
from ngff_practical.model import Channel, Description, Pyramid, ValidationReport
from ngff_practical.model.findings import elsewhere_text, findings_text, gathered
from ngff_practical.model.wording import (
    LEVEL_TITLES,
    axis_text,
    bytes_text,
    level_texts,
    names_text,
)

_STYLES = {"must": "bold red", "data": "bold magenta", "should": "bold yellow", "note": "dim"}
_MOST_CHANNELS = 32
_MOST_LINES = 48  # rows or columns of a plate: 1536 wells have 32 x 48


def info_page(found: Description) -> None:
    """Print what is stored at a place."""
    image = found.image
    show(found.location)
    if found.kind == "none":
        show("no OME-Zarr; `ngff-practical validate` says what is there")
        return
    show(f"{found.kind}, OME-Zarr {found.version or '(version not stated)'}")
    print()
    facts = [("name", image.name if image else "")]
    axes = image.axes if image else found.axes
    facts.append(("axes", ", ".join(map(axis_text, axes))))
    facts.append(("type", image.dtype if image else ""))
    channels = image.channels if image else ()
    lines = [_channel_text(channel) for channel in channels[:_MOST_CHANNELS]]
    if len(channels) > _MOST_CHANNELS:
        lines.append(f"and {len(channels) - _MOST_CHANNELS} more")
    facts += [("" if number else "channels", line) for number, line in enumerate(lines)]
    facts += [("labels", names_text(found.labels)), ("images", names_text(found.images))]
    if found.wells:
        places = len(found.rows) * len(found.columns)
        facts.append(("wells", f"{len(found.wells)} of {places}: {names_text(found.wells, most=6)}"))
    facts.append(("problem", found.problem or ""))
    for title, text in facts:
        if text:
            show(f"{title:<9} {text}")
    if image:
        print()
        _levels(image)
        print()
        show(f"{bytes_text(image.nbytes)} uncompressed, {image.objects:,} objects when fully written")
    if found.wells and 0 < len(found.rows) <= _MOST_LINES and 0 < len(found.columns) <= _MOST_LINES:
        print()
        _plate(found)


def validation_page(report: ValidationReport) -> None:
    """Print every issue with its place and rule, and the verdict."""
    show(report.location)
    show(f"{report.kind}, OME-Zarr {report.version or '(version not stated)'}")
    print()
    for issue, others in gathered(report.issues):
        _styled(f"{issue.severity:<7} ", issue.where or "the whole", _STYLES[issue.severity])
        if others:
            _styled("        ", elsewhere_text(others), "", "dim")
        for line in _lines(issue.message):
            show(f"        {line}")
        _styled("        ", issue.rule, "", "dim")
    for note in report.notes:
        _styled(f"{'note':<7} ", note, _STYLES["note"])
    if report.issues or report.notes:
        print()
    found = findings_text(report.issues)
    if report.valid:
        _styled("", f"valid, with {found}" if found else "valid", "", "bold green")
    else:
        _styled("", f"not valid: {found}", "", "bold red")


def _lines(message: str) -> list[str]:
    """Return a sentence in lines that fit a terminal, and as one line for whatever else reads it."""
    if not sys.stdout.isatty():
        return [message]
    return wrap(message, max(40, get_terminal_size().columns - 8), break_long_words=False) or [message]


def _channel_text(channel: Channel) -> str:
    window = f"{channel.window[2]:g} to {channel.window[3]:g}" if channel.window else ""
    about = ", ".join(text for text in (channel.color, window) if text)
    return f"{channel.label} ({about})" if about else channel.label


def _levels(image: Pyramid) -> None:
    shape = escape(f"shape ({', '.join(image.axis_names)})")
    titles = (title.replace("shape", shape) for title in LEVEL_TITLES)
    table = table_of(*titles, "uncompressed")
    for level in image.levels:
        table.add_row(*cells(*level_texts(level, image.axes), bytes_text(level.nbytes)))
    print_table(table)


def _plate(plate: Description) -> None:
    """Print the plate as a grid: "o" for a well that is there, "." for one that is not."""
    there = set(plate.wells)
    width = max(len(escape(name)) for name in plate.columns)
    margin = max(len(escape(name)) for name in plate.rows)
    show(" ".join([" " * margin, *(f"{escape(name):>{width}}" for name in plate.columns)]))
    for row in plate.rows:
        wells = ("o" if f"{row}/{column}" in there else "." for column in plate.columns)
        show(" ".join([f"{escape(row):<{margin}}", *(f"{well:>{width}}" for well in wells)]))


def _styled(first: str, text: str, style: str, style_of_text: str = "") -> None:
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    console.print(Text.assemble((first, style), (escape(text), style_of_text)))
