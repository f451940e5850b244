"""Text in still pictures: what the font has no sign for is a box or a number, and no warning."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ngff_practical.model.wording import escaped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BOX = "\N{WHITE SQUARE}"
_LONGEST = 2000


def spell(figure: Figure) -> None:
    """Make every text of a figure drawable, wherever it came from."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_text(drawable(text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):  # ticks are written when they are drawn
            labels = [text.get_text() for text in axis.get_ticklabels()]
            if [drawable(one) for one in labels] != labels:
                axis.set_ticks(axis.get_ticklocs(), [drawable(one) for one in labels])


def drawable(text: str) -> str:
    """Return text with control signs by their number, and a box for each sign that the font lacks."""
    known = _known()
    lines = (escaped(line, limit=_LONGEST) for line in text.split("\n"))
    return "\n".join("".join(sign if ord(sign) in known else _BOX for sign in line) for line in lines)


@cache
def _known() -> frozenset[int]:
    """Return the signs of the font that figures are drawn with, and of those it falls back to."""
    from matplotlib import rcParams

    plain = frozenset[int]().union(*(_charmap(name) for name in rcParams["font.family"]))
    return plain & _charmap("monospace")


def _charmap(family: str) -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    return frozenset(get_font(fontManager.findfont(FontProperties(family=[family]))).get_charmap())
