"""The byte map: every byte of stored stacks as a strip, and which of them one plane needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.formats import byte_map, plane_order
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.mapping import HEAD, planes, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ngff_practical.widgets.mapping import Strip

_LOOKS = {
    "touched": OKABE_ITO["orange"],
    "even": OKABE_ITO["sky"],
    "odd": OKABE_ITO["blue"],
    "index": OKABE_ITO["purple"],
    "metadata": OKABE_ITO["green"],
    "other": "#999999",
}


_SHAPES = {"metadata": (-0.25, 0.5), "index": (0.25, 0.5), "other": (0.0, 0.2)}  # middle and height


class ByteMapView(Widget):
    """Which bytes of a file, or of a folder of chunks, one plane needs; several formats one below the other.

    ```python
    ByteMapView("stack.tif", "stack.h5", "planes.zarr", "cubes.zarr")
    ```
    """

    _esm = script("bytes")
    _css = style("bytes")

    head = traitlets.List(list(HEAD)).tag(sync=True)
    strips: traitlets.List[object] = traitlets.List(help="Each stored stack as runs.").tag(sync=True)
    setting = traitlets.Dict(help="The plane chosen, and how many there are.").tag(sync=True)

    def __init__(self, *paths: str | Path, plane: int = 0) -> None:
        super().__init__()
        self._maps = [byte_map(path) for path in paths]
        self._orders = [plane_order(path) for path in paths]
        self.picture_size = (8.0, 0.9 + 1.0 * len(self._maps))
        pairs = zip(self._maps, self._orders, strict=True)
        self._most = max((planes(found, order) for found, order in pairs), default=1)
        self.select(plane)

    def select(self, plane: int) -> None:
        """Choose a plane along the first axis, counted from 0."""
        with self._lock:
            self._plane = min(max(plane, 0), self._most - 1)
            self._strips: list[Strip] = [
                strip(found, self._plane, order)
                for found, order in zip(self._maps, self._orders, strict=True)
            ]
            with self.hold_sync():
                self.strips = [
                    {
                        **asdict(one),
                        "runs": [[run.start, run.width, run.kind, run.label] for run in one.runs],
                        "row": list(one.row),
                        "touched": [list(row) for row in one.touched],
                    }
                    for one in self._strips
                ]
                self.setting = {"plane": self._plane, "planes": self._most, "looks": _LOOKS}
                self.text = "\n".join(one.sentence for one in self._strips)

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Choose a plane."""
        match message:
            case {"do": "plane", "plane": int() as plane}:
                self.select(plane)
        return False

    def draw(self, figure: Figure) -> None:
        """Draw each strip with the bytes of the plane marked."""
        if not self._strips:
            return
        figure.suptitle(f"Bytes that plane {self._plane} needs", x=0.02, ha="left", fontsize=11)
        subplots = figure.subplots(len(self._strips), 1, squeeze=False)[:, 0]
        for one, axes in zip(self._strips, subplots, strict=True):
            _draw_strip(axes, one)


def _draw_strip(axes: Axes, one: Strip) -> None:
    axes.set_title(one.sentence, fontsize=7.5, loc="left", parse_math=False)
    runs = sorted(one.runs, key=lambda run: run.kind == "touched")
    axes.barh(
        [_SHAPES.get(run.kind, (0.0, 1.0))[0] for run in runs],
        [max(run.width, 0.003) if run.kind == "touched" else run.width for run in runs],
        left=[run.start for run in runs],
        color=[_LOOKS[run.kind] for run in runs],
        height=[_SHAPES.get(run.kind, (0.0, 1.0))[1] for run in runs],
    )
    for border in one.borders:
        axes.axvline(border, color="white", linewidth=0.6)
    axes.set(xlim=(0, 1), ylim=(-0.5, 0.5))
    axes.set_axis_off()
