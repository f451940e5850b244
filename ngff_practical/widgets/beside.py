"""Before and after: the same plane of several arrays side by side, and how much they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.comparing import Stored, leading, planes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BeforeAfter(Widget):
    """A plane as it was and as it was written; a coarser level shows the plane of its own that covers it.

    ```python
    BeforeAfter({"TIFF": tifffile.imread("stack.tif"), "level 0": image["0"], "level 1": image["1"]})
    ```
    The first array is what the others are compared with.
    """

    _esm = script("beside")
    _css = style("beside")

    panels: traitlets.List[object] = traitlets.List(help="A picture and a sentence for each array.").tag(
        sync=True
    )
    places: traitlets.List[object] = traitlets.List(help="Name, index and size of each axis.").tag(sync=True)

    def __init__(self, arrays: Mapping[str, Stored]) -> None:
        super().__init__()
        self._arrays = dict(arrays)
        self._axes = leading(self._arrays)
        self.picture_size = (2.6 * len(self._arrays), 3.2)
        self._at = tuple(size // 2 for _, size in self._axes)
        self._show()

    def look(self, at: Mapping[str, int]) -> None:
        """Choose a plane by the names of its axes: `look({"c": 1, "z": 48})`."""
        with self._lock:
            self._at = tuple(
                min(max(at.get(name, now), 0), size - 1)
                for (name, size), now in zip(self._axes, self._at, strict=True)
            )
            self._show()

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Choose an index along one axis."""
        match message:
            case {"do": "at", "axis": str() as axis, "index": int() as index} if axis in dict(self._axes):
                self.look({axis: index})
        return False

    def _show(self) -> None:
        self.notice = ""
        self._planes = planes(self._arrays, self._at)
        where = ", ".join(f"{name} {index}" for (name, _), index in zip(self._axes, self._at, strict=True))
        with self.hold_sync():
            self.panels = [
                {
                    "name": each.name,
                    "said": each.said,
                    "height": each.picture.shape[0],
                    "width": each.picture.shape[1],
                    "grey": each.picture.tobytes(),
                }
                for each in self._planes
            ]
            self.places = [
                [name, index, size] for (name, size), index in zip(self._axes, self._at, strict=True)
            ]
            told = "; ".join(f"{each.name}: {each.said}" for each in self._planes)
            self.text = f"{where or 'The plane'}. {told}."

    def draw(self, figure: Figure) -> None:
        """Draw the planes side by side."""
        figure.suptitle(self.text.partition(". ")[0], x=0.02, ha="left", fontsize=10, parse_math=False)
        panels = figure.subplots(1, len(self._planes), squeeze=False)[0]
        for panel, each in zip(panels, self._planes, strict=True):
            panel.imshow(each.picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            panel.set_title(f"{each.name}\n{each.said}", fontsize=7, parse_math=False, wrap=True)
            panel.set_axis_off()
