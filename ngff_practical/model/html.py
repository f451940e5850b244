"""Images and findings as HTML for a notebook: boxes with tables and a metadata tree, without scripts.

The values shown here import this module when they are shown, so it takes nothing but types from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ngff_practical.model.findings import FEW_PLACES, elsewhere_text, findings_text, gathered
from ngff_practical.model.markup import (
    CELL,
    DIM,
    LINE,
    MONO,
    TABLE,
    boxed,
    chip,
    dimmed,
    fact_grid,
    heading,
    safe,
    unfolding,
)
from ngff_practical.model.wording import (
    LEVEL_TITLES,
    axis_text,
    bytes_text,
    level_texts,
    names_text,
    shape_text,
)

if TYPE_CHECKING:
    from ngff_practical.model.image import Axis, Channel, Pyramid
    from ngff_practical.model.report import Description, Issue, ValidationReport
    from ngff_practical.model.stack import StackSource

_MOST_ISSUES = 200
_MOST_PLACES = 1000
_MOST_CHANNELS = 32
_MOST_LINES = 48  # rows or columns of a plate: 1536 wells have 32 x 48

_NUMBER = f"text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;{CELL}"


def pyramid_html(image: Pyramid) -> str:
    """Return an image as a box with its facts and a table of its levels."""
    head = heading("image", image.name, f"OME-Zarr {image.version}")
    return boxed(head + fact_grid(_image_facts(image)) + _levels(image))


def stack_html(stack: StackSource) -> str:
    """Return a stack as a box: what it is, from which files, and what was assumed."""
    files = f"{len(stack.files):,} files" if len(stack.files) != 1 else "one file"
    sizes = (
        f"{axis.name} {size:.6g} {axis.unit or '(no unit)'}"
        for axis, size in zip(stack.axes, stack.voxel_size, strict=True)
        if axis.type != "channel"
    )
    facts = [
        (
            f"shape ({safe(', '.join(stack.axis_names))})",
            safe(shape_text(stack.shape, by=" × ")),
        ),
        ("axes", _axes(stack.axes)),
        ("voxel size", safe(", ".join(sizes), 300)),
        ("type", safe(stack.dtype)),
    ]
    if stack.channels:
        facts.append(("channels", "".join(map(_channel, stack.channels[:32]))))
    facts += [("note", safe(note, 1000)) for note in stack.notes]
    return boxed(heading("stack", stack.name, f"from {files}") + fact_grid(facts))


def description_html(found: Description) -> str:
    """Return what is stored at a place as a box, with its metadata as a tree that unfolds."""
    image = found.image
    name = (image.name if image else "") or found.location.rstrip("/").rsplit("/", 1)[-1]
    stated = f"OME-Zarr {found.version}" if found.version else ""
    parts = [heading("no OME-Zarr" if found.kind == "none" else found.kind, name, stated)]
    facts = [("place", safe(found.location, 300))]
    if image:
        facts += _image_facts(image)
    elif found.axes:
        facts.append(("axes", _axes(found.axes)))
    facts += [
        (title, safe(names_text(names), 400))
        for title, names in (("images", found.images), ("labels", () if image else found.labels))
        if names
    ]
    if found.wells:
        facts.append(("wells", f"{len(found.wells)} of {len(found.rows) * len(found.columns)}"))
    parts.append(fact_grid(facts))
    if found.problem:
        parts.append(f'<div style="margin-top:8px">{chip("must", "unreadable")} {safe(found.problem)}</div>')
    if image:
        parts.append(_levels(image))
    if found.wells:
        parts.append(_plate(found))
    if found.document:
        parts.append(unfolding(found.document))
    return boxed("".join(parts))


def report_html(report: ValidationReport) -> str:
    """Return a verdict as a box: every finding, and what was not looked at."""
    name = report.location.rstrip("/").rsplit("/", 1)[-1]
    verdict = chip("valid", "valid") if report.valid else chip("must", "not valid")
    stated = f"{report.kind}, OME-Zarr {report.version}" if report.version else report.kind
    head = f"{verdict} <b>{safe(name)}</b> {dimmed(stated)}"
    notes = "".join(f'<div style="color:{DIM}">{safe(note)}</div>' for note in report.notes)
    return boxed(f"<div>{head}</div>{_count(report.issues)}{_issues(report.issues)}{notes}")


def issues_html(issues: Sequence[Issue]) -> str:
    """Return findings as a box; where there is none, that is said."""
    if not issues:
        return boxed(f"{chip('valid', 'valid')} nothing is wrong")
    return boxed(_count(issues) + _issues(issues))


def _image_facts(image: Pyramid) -> list[tuple[str, str]]:
    facts = [("axes", _axes(image.axes)), ("type", safe(image.dtype))]
    if image.channels:
        more = len(image.channels) - _MOST_CHANNELS
        rest = f"and {more} more" if more > 0 else ""
        facts.append(("channels", "".join(map(_channel, image.channels[:_MOST_CHANNELS])) + dimmed(rest)))
    if image.labels:
        facts.append(("labels", safe(names_text(image.labels), 400)))
    total = f"{bytes_text(image.nbytes)} uncompressed, {image.objects:,} objects when fully written"
    return [*facts, ("in all", safe(total))]


def _axes(axes: Iterable[Axis]) -> str:
    whole = "<span style='white-space:nowrap'>"  # a comma does not begin a line
    return f"{whole}{f',</span> {whole}'.join(safe(axis_text(axis)) for axis in axes)}</span>"


def _channel(channel: Channel) -> str:
    known = channel.color if re.fullmatch("[0-9A-Fa-f]{6}", channel.color or "") else None
    swatch = (
        "<span style='display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.4em;"
        f"border:1px solid {LINE};background:{f'#{known}' if known else 'transparent'}'></span>"
    )
    shown = f" {dimmed(f'{channel.window[2]:g} to {channel.window[3]:g}')}" if channel.window else ""
    return f"<span style='white-space:nowrap;margin-right:1em'>{swatch}{safe(channel.label)}{shown}</span> "


def _levels(image: Pyramid) -> str:
    names = safe(", ".join(image.axis_names), 80)
    titles = (title.replace("shape", f"shape ({names})") for title in (*LEVEL_TITLES, "uncompressed"))
    rows = [(*level_texts(level, image.axes, by=" × "), bytes_text(level.nbytes)) for level in image.levels]
    head = "".join(
        f"<th scope='col' style='text-align:{'right' if index > 4 else 'left'};font-weight:600;{CELL}'>"
        f"{title}</th>"
        for index, title in enumerate(titles)
    )
    body = "".join(
        "<tr style='background:none'>"
        + "".join(
            f"<td style='{_NUMBER if index > 4 else f'text-align:left;white-space:nowrap;{CELL}'}'>"
            f"{safe(text)}</td>"
            for index, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table style='{TABLE}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plate(plate: Description) -> str:
    """Return the plate as a grid in which wells that are there are filled."""
    there, columns = set(plate.wells), plate.columns[:_MOST_LINES]
    small = "padding:1px 2px;border:none;text-align:center;font-size:11px;min-width:16px;line-height:1"
    head = "".join(
        f"<th scope='col' style='{small};color:{DIM};font-weight:400'>{safe(name)}</th>" for name in columns
    )
    lines = []
    for row in plate.rows[:_MOST_LINES]:
        cells = "".join(_well(row, column, f"{row}/{column}" in there, small) for column in columns)
        name = f"<th scope='row' style='{small};color:{DIM};font-weight:400'>{safe(row)}</th>"
        lines.append(f"<tr style='background:none'>{name}{cells}</tr>")
    return (
        f"<table style='{TABLE}'><thead><tr><td style='{small}'></td>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _well(row: str, column: str, there: bool, style: str) -> str:
    name = f"{safe(row)}/{safe(column)}{'' if there else ' is not there'}"
    fill = "var(--jp-brand-color1, #1976d2)" if there else "transparent"
    dot = (
        "display:inline-block;width:11px;height:11px;border-radius:50%;box-sizing:border-box;"
        f"background:{fill};border:1px solid {'transparent' if there else LINE}"
    )
    return (
        f"<td style='{style}'><span role='img' title='{name}' aria-label='{name}' style='{dot}'></span></td>"
    )


def _count(issues: Sequence[Issue]) -> str:
    text = findings_text(issues)
    return f"<div style='color:{DIM}'>{text}</div>" if text else ""


def _issues(issues: Sequence[Issue]) -> str:
    if not issues:
        return ""
    found = gathered(issues)
    rows = "".join(
        f"<tr style='background:none'><td style='text-align:left;{CELL}'>"
        f"{chip(issue.severity, issue.severity)}</td>"
        f"<td style='text-align:left;{CELL}'><div style='{MONO};overflow-wrap:anywhere'>"
        f"{safe(issue.where or 'the whole', 300)}</div>{_elsewhere(others)}"
        f"<div>{safe(issue.message, 1000)}</div><div style='color:{DIM};font-size:12px'>"
        f"{safe(issue.rule)}</div></td></tr>"
        for issue, others in found[:_MOST_ISSUES]
    )
    more = len(found) - _MOST_ISSUES
    rest = f"<div style='color:{DIM}'>and {more} more</div>" if more > 0 else ""
    return f"<table style='{TABLE}'><tbody>{rows}</tbody></table>{rest}"


def _elsewhere(places: Sequence[str]) -> str:
    """Return where else the same is found, as a line that unfolds where there are many places."""
    if not places:
        return ""
    line = safe(elsewhere_text(places), 300)
    if len(places) <= FEW_PLACES:
        return f"<div style='color:{DIM};font-size:12px'>{line}</div>"
    names = ", ".join(safe(place, 300) for place in places[:_MOST_PLACES])
    cut = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    return (
        f"<details style='color:{DIM};font-size:12px'><summary style='cursor:pointer'>{line}</summary>"
        f"<div style='{MONO};overflow-wrap:anywhere'>{names}{cut}</div></details>"
    )
