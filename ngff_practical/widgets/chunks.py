"""The chunk explorer: a plane with its chunks over it, and what reading a region of it would touch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.errors import NgffPracticalError, PlanError, StorageError
from ngff_practical.inspection import describe_image
from ngff_practical.model import Location, Place, Pyramid, spatial
from ngff_practical.storage import list_objects, parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.exploring import HEAD, Exploration, explore
from ngff_practical.widgets.grid_picture import draw_grid
from ngff_practical.widgets.pixels import Grey, Levels, contrast, grey
from ngff_practical.widgets.regions import (
    Region,
    dragged,
    middle,
    moved,
    on_level,
    parse_region,
    region_text,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_LISTED = 3000  # objects of a level whose sizes are asked for
_PICTURE_SIDE = 640  # pixels of the plane behind the grid
_MOST_PIXELS = 4_000_000  # of a plane whose coarsest level is still large


@dataclass(slots=True)
class _Layout:
    """One of the images shown: its plan, its voxels and stored sizes where it is stored, its chosen level."""

    pyramid: Pyramid
    levels: Levels | None
    sizes: Mapping[int, Mapping[str, int]]
    level: int = 0
    picture: Grey | None = None
    shown: Exploration | None = None


class ChunkExplorer(Widget):
    """Which chunks, objects and bytes a region needs: drag over the plane, or type the region.

    ```python
    ChunkExplorer("embryo.ome.zarr")
    ChunkExplorer(plan_pyramid(source, chunks=(1, 512, 512)), plan_pyramid(source, chunks=(64, 64, 64)))
    ```
    Takes a place, or a plan of which nothing is written yet; with `other`, a second layout of the same
    image, both are shown side by side.
    """

    _esm = script("chunks")
    _css = style("chunks")
    picture_size = (8.0, 4.2)

    panels: traitlets.List[object] = traitlets.List(help="Grid, rows and keys of each image.").tag(sync=True)
    pictures: traitlets.List[object] = traitlets.List(help="The plane of each image, grey.").tag(sync=True)
    setting = traitlets.Dict(help="The plane shown, the region, and what may be chosen.").tag(sync=True)

    def __init__(self, image: str | Place | Pyramid, other: str | Place | Pyramid | None = None) -> None:
        super().__init__()
        self._layouts = [_layout(one) for one in (image, other) if one is not None]
        first = self._layouts[0].pyramid
        for layout in self._layouts[1:]:
            if (layout.pyramid.axis_names, layout.pyramid.shape) != (first.axis_names, first.shape):
                raise PlanError(
                    f"{layout.pyramid.name} is {layout.pyramid.shape} along {layout.pyramid.axis_names}, "
                    f"{first.name} is {first.shape} along {first.axis_names}; compare layouts of one image"
                )
        self._axes, self._shape = first.axis_names, first.shape
        space = spatial(first.axes) or tuple(range(len(self._shape)))
        self._space = space if len(space) >= 2 else (len(self._shape) - 2, len(self._shape) - 1)
        self._along = self._space[0] if len(self._space) > 2 else None
        self._region = middle(self._shape)
        self._look()
        self._update()

    @property
    def region(self) -> Region:
        """The region, in voxels of the full resolution."""
        return self._region

    def select(self, region: str | Region) -> None:
        """Choose a region, as slices or as text: "0, 118, 0:100, :"."""
        text = region if isinstance(region, str) else region_text(region)
        self._choose(parse_region(text, self._axes, self._shape))

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Do what a person did in the view."""
        with self._lock:
            match message:
                case {"do": "drag", "begin": [float() | int() as y0, float() | int() as x0],
                      "end": [float() | int() as y1, float() | int() as x1]}:  # fmt: skip
                    self._choose(dragged(self._region, self._shape, self._plane, (y0, x0), (y1, x1)))
                case {
                    "do": "move",
                    "rows": int() as rows,
                    "columns": int() as columns,
                    "grow": bool() as grow,
                }:
                    level = self._layouts[0].pyramid.levels[self._layouts[0].level]
                    full, row, column = self._shape, *self._plane
                    steps = {
                        axis: count * -(-level.chunks[axis] * full[axis] // level.shape[axis])
                        for axis, count in ((row, rows), (column, columns))
                    }
                    self._choose(moved(self._region, self._shape, steps, grow=grow))
                case {"do": "type", "region": str() as text}:
                    self.select(text)
                case {"do": "level", "panel": int() as panel, "level": int() as level}:
                    layout = self._layouts[panel % len(self._layouts)]
                    layout.level = min(max(level, 0), len(layout.pyramid.levels) - 1)
                    self._update()
                case {"do": "at", "axis": str() as name, "at": int() as at} if name in self._axes:
                    axis = self._axes.index(name)
                    at = min(max(at, 0), self._shape[axis] - 1)
                    made = list(self._region)
                    made[axis] = slice(at, at + 1)
                    self._choose(tuple(made))
                case {"do": "along", "axis": str() as name} if name in self._axes:
                    axis = self._axes.index(name)
                    if axis in self._space and len(self._space) > 2:
                        self._turn(axis)
        return False

    @property
    def _plane(self) -> tuple[int, int]:
        row, column = [axis for axis in self._space if axis != self._along][-2:]
        return row, column

    def _turn(self, along: int) -> None:
        """Look along another axis: one voxel of it, and the middle of the axes that the plane shows then."""
        self._along = along
        region = list(self._region)
        at = (region[along].start + region[along].stop) // 2
        region[along] = slice(at, at + 1)
        for axis in self._plane:
            size = self._shape[axis]
            if region[axis].stop - region[axis].start == 1 and size > 1:
                region[axis] = slice(size * 3 // 8, max(size * 3 // 8 + 1, size * 5 // 8))
        self._region = tuple(region)
        self._look()
        self._update()

    def _choose(self, region: Region) -> None:
        def across(some: Region) -> list[slice]:
            return [part for axis, part in enumerate(some) if axis not in self._plane]

        turned = across(region) != across(self._region)
        self._region = region
        self.notice = ""
        if turned:
            self._look()
        self._update()

    def _look(self) -> None:
        """Read the plane behind the grids."""
        row, column = self._plane
        for layout in self._layouts:
            try:
                layout.picture = _plane_picture(layout, self._region, (row, column))
            except NgffPracticalError as error:
                layout.picture, self.notice = None, str(error)
        self.pictures = [
            {}
            if layout.picture is None
            else {
                "height": layout.picture.shape[0],
                "width": layout.picture.shape[1],
                "grey": layout.picture.tobytes(),
            }
            for layout in self._layouts
        ]

    def _update(self) -> None:
        row, column = self._plane
        first = self._layouts[0].pyramid.levels[0]
        steps = first.scale[row], first.scale[column]
        tall, wide = steps if min(steps) > 0 and math.isfinite(sum(steps)) else (1.0, 1.0)
        aspect = self._shape[row] * tall / (self._shape[column] * wide)
        with self.hold_sync():
            for layout in self._layouts:
                layout.shown = explore(
                    layout.pyramid, self._region, level=layout.level, plane=self._plane, sizes=layout.sizes
                )
            self.panels = [_panel(layout) for layout in self._layouts]
            self.setting = {
                "axes": list(self._axes),
                "region": region_text(self._region),
                "rows": self._axes[row],
                "columns": self._axes[column],
                "along": "" if self._along is None else self._axes[self._along],
                "choices": [self._axes[axis] for axis in self._space] if len(self._space) > 2 else [],
                "sliders": [
                    [name, self._region[axis].start, self._shape[axis]]
                    for axis, name in enumerate(self._axes)
                    if axis not in self._plane and self._shape[axis] > 1
                ],
                "aspect": min(max(aspect, 0.2), 3.0),
            }
            self.text = "\n".join(layout.shown.sentence for layout in self._layouts if layout.shown)

    def draw(self, figure: Figure) -> None:
        """Draw each plane with its grid."""
        subplots = figure.subplots(1, len(self._layouts), squeeze=False)[0]
        for layout, axes in zip(self._layouts, subplots, strict=True):
            if layout.shown is not None:
                title = f"{layout.pyramid.name}, level {layout.pyramid.levels[layout.level].path}"
                draw_grid(axes, layout.shown, layout.picture, title)


def _layout(image: str | Place | Pyramid) -> _Layout:
    if isinstance(image, Pyramid):
        return _Layout(image, None, {})
    place = parse_place(image) if isinstance(image, str) else image
    pyramid = describe_image(place)
    return _Layout(pyramid, Levels(place, pyramid), _stored_sizes(place, pyramid))


def _stored_sizes(place: Place, pyramid: Pyramid) -> dict[int, dict[str, int]]:
    """Return the sizes of the objects of each level that is small enough to be listed."""
    found = {}
    for index, level in enumerate(pyramid.levels):
        if level.objects > _MOST_LISTED:
            continue
        folder: Path | Location = place / level.path
        try:
            found[index] = {f"{level.path}/{one.key}": one.nbytes for one in list_objects(folder)}
        except StorageError:  # a plain web server lists nothing
            continue
    return found


def _plane_picture(layout: _Layout, region: Region, plane: tuple[int, int]) -> Grey | None:
    if layout.levels is None:
        return None
    levels = layout.pyramid.levels
    sides = [max(level.shape[axis] for axis in plane) for level in levels]
    fitting = next((index for index, side in enumerate(sides) if side <= _PICTURE_SIDE), len(levels) - 1)
    level = levels[fitting]
    if level.shape[plane[0]] * level.shape[plane[1]] > _MOST_PIXELS:
        return None
    part = [slice(at.start, at.start + 1) for at in on_level(region, layout.pyramid.shape, level.shape)]
    for axis in plane:
        part[axis] = slice(0, level.shape[axis])
    values = layout.levels.read(fitting, tuple(part))
    values = values.reshape(level.shape[plane[0]], level.shape[plane[1]])
    return grey(values, *contrast(values))


def _panel(layout: _Layout) -> dict[str, object]:
    shown = layout.shown
    if shown is None:
        return {}
    # of a plan nothing is stored yet
    columns = [at for at, title in enumerate(HEAD) if title != "stored" or layout.levels is not None]
    sharded = any(level.shards for level in layout.pyramid.levels)
    titles = {"chunk shape": "chunk in shard"} if sharded else {}
    return {
        "name": layout.pyramid.name,
        "stored": layout.levels is not None,
        "level": layout.level,
        "levels": [level.path for level in layout.pyramid.levels],
        "grid": asdict(shown.grid),
        "head": [titles.get(HEAD[column], HEAD[column]) for column in columns],
        "rows": [[row[column] for column in columns] for row in shown.rows],
        "keys": [list(key) for key in shown.keys],
        "more": shown.more_keys,
        "sentence": shown.sentence,
    }
