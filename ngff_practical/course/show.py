"""How exercises look in a notebook: small boxes that say with a sign, a word and a colour how it went."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from ngff_practical.course.exercise import Outcome, Verdict

# Okabe and Ito's colours: told apart by colour-blind people, on light and on dark pages
_SIGNS: dict[Outcome, tuple[str, str, str]] = {
    "passed": ("✔", "Passed", "#009e73"),
    "not yet": ("↻", "Not yet", "#e69f00"),
    "not attempted": ("○", "Not attempted", "#8c8c8c"),
    "could not run": ("⚠", "Could not run", "#d55e00"),
}
_HINT = ("?", "#56b4e9")


@dataclass(frozen=True, slots=True)
class Box:
    """A title with its sign, and paragraphs of plain text in which backticks mark code."""

    sign: str
    title: str
    colour: str
    paragraphs: tuple[str, ...]
    code: str | None = None

    def __repr__(self) -> str:
        lines = [f"{self.sign} {self.title}", *self.paragraphs]
        return "\n".join([*lines, *([self.code] if self.code else [])])

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return the box as HTML; all its text is escaped."""
        body = "".join(f'<p style="margin:.3em 0 0">{_inline(text)}</p>' for text in self.paragraphs)
        if self.code:
            body += f'<pre style="margin:.5em 0 0;white-space:pre-wrap">{escape(self.code)}</pre>'
        sign = f'<span aria-hidden="true" style="color:{self.colour}">{escape(self.sign)}</span>'
        return (
            f'<div role="status" style="border-left:4px solid {self.colour};padding:.3em .8em;margin:.3em 0;'
            f'max-width:46em;line-height:1.4">{sign} <strong>{escape(self.title)}</strong>{body}</div>'
        )


def verdict_box(verdict: Verdict, *, notes: tuple[str, ...] = ()) -> Box:
    """Return the box of a verdict; notes follow its message."""
    sign, title, colour = _SIGNS[verdict.outcome]
    return Box(sign, title, colour, (verdict.message, *notes))


def hint_box(text: str, number: int, of: int) -> Box:
    """Return the box of one hint."""
    return Box(_HINT[0], f"Hint {number} of {of}", _HINT[1], (text,))


def solution_box(code: str, why: str) -> Box:
    """Return the box of a solution."""
    return Box("=", "One way to do it", _HINT[1], (why,), code)


def note_box(title: str, *paragraphs: str) -> Box:
    """Return a box that judges nothing."""
    return Box("·", title, _HINT[1], paragraphs)


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
