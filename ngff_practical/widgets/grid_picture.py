"""The still picture of a chunk grid, for pages that run no JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.exploring import Exploration
from ngff_practical.widgets.pixels import Grey

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_grid(axes: Axes, shown: Exploration, picture: Grey | None, title: str) -> None:
    """Draw a plane, its chunks, those that are touched, and the region."""
    from matplotlib.patches import Rectangle

    height, width = shown.grid.size
    if picture is not None:
        axes.imshow(picture, cmap="gray", extent=(0, width, height, 0), aspect="auto")
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_xlabel(shown.sentence.split(": ", 1)[-1], fontsize=8, wrap=True, parse_math=False)
    for step, last, line in (
        (shown.grid.chunk[0], height, axes.axhline),
        (shown.grid.chunk[1], width, axes.axvline),
    ):
        if last / step <= 80:
            for at in range(0, last + 1, step):
                line(at, color="0.6", linewidth=0.6)
    top, bottom, left, right = shown.grid.lit
    y, x = shown.grid.chunk
    lit = Rectangle((left * x, top * y), (right - left) * x, (bottom - top) * y)
    lit.set(facecolor=(*_rgb("orange"), 0.4), edgecolor=OKABE_ITO["orange"], linewidth=1.5)
    axes.add_patch(lit)
    y0, y1, x0, x1 = shown.grid.box
    box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=OKABE_ITO["blue"], linestyle="--")
    axes.add_patch(box)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_xticks([])
    axes.set_yticks([])


def _rgb(name: str) -> tuple[float, float, float]:
    code = OKABE_ITO[name]
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
