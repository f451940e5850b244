"""Still pictures of what a lesson talks about: the bytes of stored arrays, drawn from end to end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ngff_practical.model import ByteMap, Holds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart by colour-blind people
_COLOURS: dict[Holds, str] = {
    "pixels": "#56b4e9",
    "index": "#009e73",
    "metadata": "#d55e00",
    "other": "#cccccc",
}
_LIT = "#0072b2"


def byte_picture(maps: Mapping[str, ByteMap], *, lit: Mapping[str, Collection[str]]) -> Figure:
    """Return a picture with a bar for each map: its bytes from left to right, one file after the other.

    `lit` names, for a map, the labels of the segments to draw dark.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(9, 0.5 * len(maps) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for row, (name, found) in enumerate(maps.items()):
        at, wanted = 0, lit.get(name, ())
        bars, colours = [], []
        for segment in found.segments:
            bars.append((at, segment.nbytes))
            colours.append(_LIT if segment.label in wanted else _COLOURS[segment.holds])
            at += segment.nbytes
        axes.broken_barh(bars, (row - 0.4, 0.8), facecolors=colours, edgecolor="white", linewidth=0.1)
    axes.set_yticks(range(len(maps)), [f"{name}: {len(found.keys)}" for name, found in maps.items()])
    axes.invert_yaxis()
    axes.set_xlabel("bytes, one file after the other; behind each name the number of files")
    named: dict[str, str] = {"wanted": _LIT}
    named.update(_COLOURS.items())
    handles = [Patch(color=colour, label=label) for label, colour in named.items()]
    figure.legend(handles=handles, ncols=len(handles), loc="outside upper center", frameon=False)
    return figure
