"""The pieces of which boxes in a notebook are made: facts, chips, dim words, and JSON that unfolds.

Every text is escaped, and what a terminal could not show is not shown here either. Colours are those of
JupyterLab's theme, and elsewhere those of the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice

from ngff_practical.model.wording import escaped, plural

_MOST_VALUES = 2000  # of a metadata tree

LINE = "var(--jp-border-color2, rgba(128,128,128,.35))"
DIM = "var(--jp-ui-font-color2, rgba(128,128,128,1))"
_BOX = (
    "font:13px/1.5 var(--jp-ui-font-family, system-ui, sans-serif);"
    f"color:var(--jp-ui-font-color1, inherit);border:1px solid {LINE};border-radius:6px;"
    "padding:10px 14px;margin:4px 0;max-width:100%;width:fit-content;box-sizing:border-box;overflow-x:auto"
)
TABLE = "border-collapse:collapse;margin:8px 0 2px;font-size:inherit;border:none;color:inherit"
CELL = f"padding:3px 14px 3px 0;border:none;border-bottom:1px solid {LINE};vertical-align:top;max-width:none"
MONO = "font-family:var(--jp-code-font-family, ui-monospace, monospace);font-size:12px"
_COLOURS = {"must": "#b3261e", "data": "#7b3fa0", "should": "#8a5a00", "valid": "#1f7a3f"}


def safe(text: str, limit: int = 120) -> str:
    """Return text from a file as one harmless line of HTML, cut after `limit` characters."""
    return escape(escaped(text, limit=limit))


def dimmed(text: str) -> str:
    """Return text in the colour of what matters less."""
    return f"<span style='color:{DIM}'>{safe(text)}</span>"


def chip(meaning: str, words: str) -> str:
    """Return words on the colour of a meaning: "must", "data", "should" or "valid"."""
    return (
        f"<span style='background:{_COLOURS[meaning]};color:#fff;border-radius:4px;padding:1px 7px;"
        f"font-size:11px;font-weight:600;white-space:nowrap'>{words}</span>"
    )


def heading(kind: str, name: str, stated: str) -> str:
    """Return the first line of a box: a name, what it is the name of, and what is stated about it."""
    return f"<div><b>{safe(name)}</b> {dimmed(', '.join(part for part in (kind, stated) if part))}</div>"


def fact_grid(facts: Iterable[tuple[str, str]]) -> str:
    """Return titles, each beside its fact; both are HTML already."""
    rows = "".join(
        f"<div style='color:{DIM}'>{title}</div><div style='overflow-wrap:anywhere'>{html}</div>"
        for title, html in facts
    )
    return f"<div style='display:grid;grid-template-columns:max-content auto;gap:1px 14px'>{rows}</div>"


def boxed(inside: str) -> str:
    """Return HTML in the frame that every value has."""
    return f'<div style="{_BOX}">{inside}</div>'


def unfolding(document: str) -> str:
    """Return a JSON object as a tree that unfolds, "" for any other text; cut where nobody would read it."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    lines = list(islice(_branch("metadata", value), _MOST_VALUES + 1))
    if len(lines) > _MOST_VALUES:
        cut = f"<div style='color:{DIM}'>cut after {_MOST_VALUES} lines</div>"
        opened = sum(line.count("<details") - line.count("</details") for line in lines)
        lines.append(cut + "</details>" * opened)
    return f"<div style='margin-top:8px;{MONO}'>{''.join(lines)}</div>"


def _branch(name: str, value: object) -> Iterator[str]:
    """Yield a value line by line; lists of plain values stand in one."""
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        children = [(f"[{index}]", item) for index, item in enumerate(value)]
    if not children:
        said = json.dumps(value, ensure_ascii=False, allow_nan=True)
        yield f"<div style='margin-left:1.2em;overflow-wrap:anywhere'>{dimmed(name)}: {safe(said, 300)}</div>"
        return
    count = plural(len(children), *(("entry", "entries") if isinstance(value, list) else ("key",)))
    yield (
        "<details style='margin-left:1.2em'><summary style='cursor:pointer;margin-left:-1.2em'>"
        f"{safe(name)} {dimmed(count)}</summary>"
    )
    for key, child in children:
        yield from _branch(key, child)
    yield "</details>"
