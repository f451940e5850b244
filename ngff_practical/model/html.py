"""Images and findings as HTML for a notebook: tables and a metadata tree, without scripts.

Every text is escaped, and what a terminal could not show is not shown here either. Colours are those of
JupyterLab's theme, and elsewhere those of the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import islice

from ngff_practical.model.image import Axis, Channel, Pyramid
from ngff_practical.model.report import (
    Description,
    Issue,
    ValidationReport,
    elsewhere_text,
    findings_text,
    gathered,
)
from ngff_practical.model.stack import StackSource
from ngff_practical.model.wording import axis_text, escaped, names_text, shape_text, size_text, voxel_text

_MOST_VALUES = 2000  # of a metadata tree
_MOST_ISSUES = 200
_FEW_PLACES, _MOST_PLACES = 4, 1000
_MOST_CHANNELS = 32
_MOST_LINES = 48  # rows or columns of a plate: 1536 wells have 32 x 48

_LINE = "var(--jp-border-color2, rgba(128,128,128,.35))"
_DIM = "var(--jp-ui-font-color2, rgba(128,128,128,1))"
_BOX = (
    "font:13px/1.5 var(--jp-ui-font-family, system-ui, sans-serif);"
    f"color:var(--jp-ui-font-color1, inherit);border:1px solid {_LINE};border-radius:6px;"
    "padding:10px 14px;margin:4px 0;max-width:100%;width:fit-content;box-sizing:border-box;overflow-x:auto"
)
_TABLE = "border-collapse:collapse;margin:8px 0 2px;font-size:inherit;border:none;color:inherit"
_CELL = (
    f"padding:3px 14px 3px 0;border:none;border-bottom:1px solid {_LINE};vertical-align:top;max-width:none"
)
_MONO = "font-family:var(--jp-code-font-family, ui-monospace, monospace);font-size:12px"
_NUMBER = f"text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;{_CELL}"
_COLOURS = {"must": "#b3261e", "data": "#7b3fa0", "should": "#8a5a00", "valid": "#1f7a3f"}


def pyramid_html(image: Pyramid) -> str:
    """Return an image as a box with its facts and a table of its levels."""
    head = _head("image", image.name, f"OME-Zarr {image.version}")
    return _box(head + _facts(_image_facts(image)) + _levels(image))


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
            f"shape ({_text(', '.join(stack.axis_names))})",
            _text(shape_text(stack.shape).replace(" x ", " × ")),
        ),
        ("axes", _axes(stack.axes)),
        ("voxel size", _text(", ".join(sizes), 300)),
        ("type", _text(stack.dtype)),
    ]
    if stack.channels:
        facts.append(("channels", "".join(map(_channel, stack.channels[:32]))))
    facts += [("note", _text(note, 1000)) for note in stack.notes]
    return _box(_head("stack", stack.name, f"from {files}") + _facts(facts))


def description_html(found: Description) -> str:
    """Return what is stored at a place as a box, with its metadata as a tree that unfolds."""
    image = found.image
    name = (image.name if image else "") or found.location.rstrip("/").rsplit("/", 1)[-1]
    stated = f"OME-Zarr {found.version}" if found.version else ""
    parts = [_head("no OME-Zarr" if found.kind == "none" else found.kind, name, stated)]
    facts = [("place", escape(escaped(found.location, limit=300)))]
    if image:
        facts += _image_facts(image)
    elif found.axes:
        facts.append(("axes", _axes(found.axes)))
    facts += [
        (title, escape(escaped(names_text(names), limit=400)))
        for title, names in (("images", found.images), ("labels", () if image else found.labels))
        if names
    ]
    if found.wells:
        facts.append(("wells", f"{len(found.wells)} of {len(found.rows) * len(found.columns)}"))
    parts.append(_facts(facts))
    if found.problem:
        parts.append(
            f'<div style="margin-top:8px">{_chip("must", "unreadable")} {_text(found.problem)}</div>'
        )
    if image:
        parts.append(_levels(image))
    if found.wells:
        parts.append(_plate(found))
    if found.document:
        parts.append(_tree(found.document))
    return _box("".join(parts))


def report_html(report: ValidationReport) -> str:
    """Return a verdict as a box: every finding, and what was not looked at."""
    name = report.location.rstrip("/").rsplit("/", 1)[-1]
    verdict = _chip("valid", "valid") if report.valid else _chip("must", "not valid")
    stated = f"{report.kind}, OME-Zarr {report.version}" if report.version else report.kind
    head = f"{verdict} <b>{_text(name)}</b> {_dim(stated)}"
    notes = "".join(f'<div style="color:{_DIM}">{_text(note)}</div>' for note in report.notes)
    return _box(f"<div>{head}</div>{_count(report.issues)}{_issues(report.issues)}{notes}")


def issues_html(issues: Sequence[Issue]) -> str:
    """Return findings as a box; where there is none, that is said."""
    if not issues:
        return _box(f"{_chip('valid', 'valid')} nothing is wrong")
    return _box(_count(issues) + _issues(issues))


def _image_facts(image: Pyramid) -> list[tuple[str, str]]:
    facts = [("axes", _axes(image.axes)), ("type", _text(image.dtype))]
    if image.channels:
        more = len(image.channels) - _MOST_CHANNELS
        rest = f"and {more} more" if more > 0 else ""
        facts.append(("channels", "".join(map(_channel, image.channels[:_MOST_CHANNELS])) + _dim(rest)))
    if image.labels:
        facts.append(("labels", escape(escaped(names_text(image.labels), limit=400))))
    total = f"{size_text(image.nbytes)} uncompressed, {image.objects:,} objects when fully written"
    return [*facts, ("in all", _text(total))]


def _axes(axes: Iterable[Axis]) -> str:
    return ", ".join(f"<span style='white-space:nowrap'>{_text(axis_text(axis))}</span>" for axis in axes)


def _channel(channel: Channel) -> str:
    known = channel.color if re.fullmatch("[0-9A-Fa-f]{6}", channel.color or "") else None
    swatch = (
        "<span style='display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.4em;"
        f"border:1px solid {_LINE};background:{f'#{known}' if known else 'transparent'}'></span>"
    )
    shown = f" {_dim(f'{channel.window[2]:g} to {channel.window[3]:g}')}" if channel.window else ""
    return f"<span style='white-space:nowrap;margin-right:1em'>{swatch}{_text(channel.label)}{shown}</span> "


def _levels(image: Pyramid) -> str:
    names = escape(escaped(", ".join(image.axis_names)))
    titles = ("level", f"shape ({names})", "chunks", "shards", "voxel size", "objects", "uncompressed")
    rows = [
        (
            level.path,
            *(shape_text(shape).replace(" x ", " × ") for shape in (level.shape, level.chunks, level.shards)),
            voxel_text(level, image.axes).replace(" x ", " × "),
            f"{level.objects:,}",
            size_text(level.nbytes),
        )
        for level in image.levels
    ]
    head = "".join(
        f"<th scope='col' style='text-align:{'right' if index > 4 else 'left'};font-weight:600;{_CELL}'>"
        f"{title}</th>"
        for index, title in enumerate(titles)
    )
    body = "".join(
        "<tr style='background:none'>"
        + "".join(
            f"<td style='{_NUMBER if index > 4 else f'text-align:left;white-space:nowrap;{_CELL}'}'>"
            f"{_text(text)}</td>"
            for index, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table style='{_TABLE}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plate(plate: Description) -> str:
    """Return the plate as a grid in which wells that are there are filled."""
    there, columns = set(plate.wells), plate.columns[:_MOST_LINES]
    small = "padding:1px 2px;border:none;text-align:center;font-size:11px;min-width:16px;line-height:1"
    head = "".join(
        f"<th scope='col' style='{small};color:{_DIM};font-weight:400'>{_text(name)}</th>" for name in columns
    )
    lines = []
    for row in plate.rows[:_MOST_LINES]:
        cells = "".join(_well(row, column, f"{row}/{column}" in there, small) for column in columns)
        name = f"<th scope='row' style='{small};color:{_DIM};font-weight:400'>{_text(row)}</th>"
        lines.append(f"<tr style='background:none'>{name}{cells}</tr>")
    return (
        f"<table style='{_TABLE}'><thead><tr><td style='{small}'></td>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _well(row: str, column: str, there: bool, style: str) -> str:
    name = f"{_text(row)}/{_text(column)}{'' if there else ' is not there'}"
    fill = "var(--jp-brand-color1, #1976d2)" if there else "transparent"
    dot = (
        "display:inline-block;width:11px;height:11px;border-radius:50%;box-sizing:border-box;"
        f"background:{fill};border:1px solid {'transparent' if there else _LINE}"
    )
    return (
        f"<td style='{style}'><span role='img' title='{name}' aria-label='{name}' style='{dot}'></span></td>"
    )


def _count(issues: Sequence[Issue]) -> str:
    text = findings_text(issues)
    return f"<div style='color:{_DIM}'>{text}</div>" if text else ""


def _issues(issues: Sequence[Issue]) -> str:
    if not issues:
        return ""
    found = gathered(issues)
    rows = "".join(
        f"<tr style='background:none'><td style='text-align:left;{_CELL}'>"
        f"{_chip(issue.severity, issue.severity)}</td>"
        f"<td style='text-align:left;{_CELL}'><div style='{_MONO};overflow-wrap:anywhere'>"
        f"{_text(issue.where or 'the whole', 300)}</div>{_elsewhere(others)}"
        f"<div>{_text(issue.message, 1000)}</div><div style='color:{_DIM};font-size:12px'>"
        f"{_text(issue.rule)}</div></td></tr>"
        for issue, others in found[:_MOST_ISSUES]
    )
    more = len(found) - _MOST_ISSUES
    rest = f"<div style='color:{_DIM}'>and {more} more</div>" if more > 0 else ""
    return f"<table style='{_TABLE}'><tbody>{rows}</tbody></table>{rest}"


def _elsewhere(places: Sequence[str]) -> str:
    """Return where else the same is found, as a line that unfolds where there are many places."""
    if not places:
        return ""
    line = _text(elsewhere_text(places), 300)
    if len(places) <= _FEW_PLACES:
        return f"<div style='color:{_DIM};font-size:12px'>{line}</div>"
    names = ", ".join(_text(place, 300) for place in places[:_MOST_PLACES])
    cut = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    return (
        f"<details style='color:{_DIM};font-size:12px'><summary style='cursor:pointer'>{line}</summary>"
        f"<div style='{_MONO};overflow-wrap:anywhere'>{names}{cut}</div></details>"
    )


def _tree(document: str) -> str:
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    lines = list(islice(_branch("metadata", value), _MOST_VALUES + 1))
    if len(lines) > _MOST_VALUES:
        cut = f"<div style='color:{_DIM}'>cut after {_MOST_VALUES} lines</div>"
        opened = sum(line.count("<details") - line.count("</details") for line in lines)
        lines.append(cut + "</details>" * opened)
    return f"<div style='margin-top:8px;{_MONO}'>{''.join(lines)}</div>"


def _branch(name: str, value: object) -> Iterator[str]:
    """Yield a value line by line; lists of plain values stand in one."""
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        children = [(f"[{index}]", item) for index, item in enumerate(value)]
    if not children:
        said = json.dumps(value, ensure_ascii=False, allow_nan=True)
        yield f"<div style='margin-left:1.2em;overflow-wrap:anywhere'>{_dim(name)}: {_text(said, 300)}</div>"
        return
    one, many = ("entry", "entries") if isinstance(value, list) else ("key", "keys")
    count = f"{len(children)} {one if len(children) == 1 else many}"
    yield (
        "<details style='margin-left:1.2em'><summary style='cursor:pointer;margin-left:-1.2em'>"
        f"{_text(name)} {_dim(count)}</summary>"
    )
    for key, child in children:
        yield from _branch(key, child)
    yield "</details>"


def _head(kind: str, name: str, stated: str) -> str:
    return f"<div><b>{_text(name)}</b> {_dim(', '.join(text for text in (kind, stated) if text))}</div>"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f"<div style='color:{_DIM}'>{title}</div><div style='overflow-wrap:anywhere'>{html}</div>"
        for title, html in facts
    )
    return f"<div style='display:grid;grid-template-columns:max-content auto;gap:1px 14px'>{rows}</div>"


def _chip(severity: str, words: str) -> str:
    return (
        f"<span style='background:{_COLOURS[severity]};color:#fff;border-radius:4px;padding:1px 7px;"
        f"font-size:11px;font-weight:600;white-space:nowrap'>{words}</span>"
    )


def _dim(text: str) -> str:
    return f"<span style='color:{_DIM}'>{_text(text)}</span>"


def _text(text: str, limit: int = 120) -> str:
    return escape(escaped(text, limit=limit))


def _box(inside: str) -> str:
    return f'<div style="{_BOX}">{inside}</div>'
