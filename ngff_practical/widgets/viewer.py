"""The pyramid viewer: pan and zoom like a map; only the tiles that are seen are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import traitlets

from ngff_practical.errors import MetadataError, NgffPracticalError
from ngff_practical.inspection import describe
from ngff_practical.meter import Recorder
from ngff_practical.model import Place
from ngff_practical.storage import parse_place
from ngff_practical.widgets.base import Message, Widget, script, style
from ngff_practical.widgets.channels import hex_digits
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.opening import first_that_opens
from ngff_practical.widgets.scene import Scene, label_tile
from ngff_practical.widgets.tiles import Wishes
from ngff_practical.widgets.viewing import (
    Tile,
    TileJob,
    choose_level,
    chunk_steps,
    look,
    on_full,
    scale_bar,
    window_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OVERVIEW = 640  # pixels of the still picture's side
_WHOLE = 2048  # pixels of a side, above which the still picture shows the middle


class PyramidViewer(Widget):
    """Look at an OME-Zarr of any size: local or on S3, any version, with its labels, a plate well by well.

    ```python
    PyramidViewer("embryo.ome.zarr")
    ```
    Drag to pan; the wheel zooms once the picture has the focus. The level follows the zoom. What it read is
    counted below the picture.
    """

    _esm = script("viewer")
    _css = style("viewer")
    picture_size = (6.0, 5.0)

    scene = traitlets.Dict(help="Name, size, sliders and labels of the image.").tag(sync=True)
    channels: traitlets.List[object] = traitlets.List(help="How each channel is shown.").tag(sync=True)
    choices = traitlets.Dict(help="Wells and fields, or images, that may be chosen.").tag(sync=True)
    meter = traitlets.Unicode("", help="Requests, bytes and time so far.").tag(sync=True)

    def __init__(self, image: str | Place) -> None:
        super().__init__()
        self._place = parse_place(image) if isinstance(image, str) else image
        self.recorder = Recorder()
        self._number = 0
        self._wishes: Wishes[TileJob] = Wishes(self._make)
        self._wells: tuple[str, ...] = ()
        self._fields: tuple[str, ...] = ()
        self._well = self._field = ""
        self._failed: dict[str, str] = {}  # why a tile of the newest wish cannot be shown, "" where it can
        self._open_place()

    def receive(self, message: Message, buffers: Sequence[memoryview]) -> bool:
        """Do what a person did in the view."""
        with self._lock:
            match message:
                case {"do": "see"}:
                    return self._see(message)
                case {"do": "channel", "index": int() as index} if 0 <= index < len(self._scene.channels):
                    self._change_channel(index, message)
                case {"do": "pick", "label": str() as name} if name in self._scene.label_names:
                    y, x = message.get("y"), message.get("x")
                    if isinstance(y, int | float) and isinstance(x, int | float):
                        picked = self._scene.pick(name, self._at(message), float(y), float(x))
                        self.send({"picked": picked, "y": y, "x": x})
                        self.meter = str(self.recorder.totals)
                case {"do": "choose", "well": str() as well, "field": str() as field}:
                    self._choose(well, field)
        return False

    # Opening

    def _open_place(self) -> None:
        found = describe(self._place)
        if found.kind == "plate":
            self._wells = found.wells
            if not self._wells:
                raise MetadataError(f"the plate at {self._place} has no wells to look at")
            _, _, passed_over = first_that_opens(self._wells, lambda well: self._choose(well, ""))
            self.notice = passed_over or self.notice
        elif found.kind in ("well", "bioformats2raw", "scene"):
            self._fields = found.images
            if not self._fields:
                raise MetadataError(f"the {found.kind} at {self._place} holds no image to look at")
            self._choose("", "")
        else:
            self._show(Scene(self._place, self.recorder))

    def _choose(self, well: str, field: str) -> None:
        """Show a field, the first that opens where none is named; if none does, what is shown stays."""
        place, fields = self._place, self._fields
        if self._wells:
            if well not in self._wells:
                return
            place = place / well
            if well != self._well:
                fields = describe(place).images
        if not fields:
            raise MetadataError(f"the well {well} holds no field to look at; choose another")
        field, scene, passed_over = first_that_opens(
            (field,) if field in fields else fields, lambda name: Scene(place / name, self.recorder)
        )
        self._well, self._field, self._fields = well, field, fields
        with self.hold_sync():  # the menus and the picture change at once
            self.choices = {
                "wells": list(self._wells),
                "well": well,
                "fields": list(fields),
                "field": field,
                "what": "field" if self._wells else "image",
            }
            self._show(scene)
            self.notice = passed_over

    def _show(self, scene: Scene) -> None:
        self._scene = scene
        self._number += 1
        self._look = 0
        pyramid = scene.pyramid
        self.notice = ""
        with self.hold_sync():
            self.scene = {
                "number": self._number,
                "name": pyramid.name,
                "height": pyramid.shape[-2],
                "width": pyramid.shape[-1],
                "sliders": [
                    [name, size // 2 if name == "z" else 0, size]
                    for name, size in zip(pyramid.axis_names[:-2], pyramid.shape[:-2], strict=True)
                    if name != "c" and size > 1
                ],
                "labels": list(scene.label_names),
                "levels": [level.path for level in pyramid.levels],
            }
            self._say_channels()
            self.meter = str(self.recorder.totals)
            self.text = self._sentence(len(pyramid.levels) - 1, {})

    # Seeing

    def _see(self, message: Message) -> bool:
        window = window_of(message)
        if window is None:
            return False
        scene, at = self._scene, self._at(message)
        where = tuple(sorted(at.items()))
        seen = look(scene.pyramid, window)
        jobs = [TileJob(self._number, "image", tile, where, self._look) for tile in seen.tiles]
        unread, label = "", message.get("label")
        if isinstance(label, str) and label in scene.label_names:
            try:
                scene.labels(label)
            except NgffPracticalError as error:
                unread = str(error)
            else:
                jobs += [TileJob(self._number, f"labels/{label}", tile, where, 0) for tile in seen.tiles]
        failed = self._failed = {job.key: "" for job in jobs} | {"labels": unread}
        have = message.get("have")
        known = set(have) if isinstance(have, list) else set()
        self.send(
            {
                "plan": {
                    "states": sorted({job.state for job in jobs}),
                    "level": seen.level,
                    "keys": [job.key for job in jobs],
                    "grid": list(chunk_steps(scene.pyramid, scene.pyramid.levels[seen.level])),
                    "bar": list(scale_bar(scene.pyramid, window.zoom)),
                    "cut": seen.cut,
                }
            }
        )

        def done() -> None:
            with self._lock:
                said = [why for why in failed.values() if why]
                self.meter = str(self.recorder.totals)
                self.text = self._sentence(seen.level, at, cut=seen.cut, failed=len(said))
                if failed is self._failed:
                    self.notice = next(iter(said), "")
            self.finish(message)

        self._wishes.replace([job for job in jobs if job.key not in known], done)
        return True

    def _make(self, job: TileJob) -> None:
        """Render one tile and send it; called in threads of the queue."""
        scene = self._scene
        if job.scene != self._number:
            return
        at = dict(job.at)
        about: dict[str, object] = {
            "tile": job.key,
            "layer": job.layer.split("/")[0],
            "state": job.state,
            "level": job.tile.level,
            "rect": list(on_full(scene.pyramid, job.tile)),
        }
        try:
            if job.layer == "image":
                pixels = scene.render(job.tile, at, scene.channels)
            else:
                name = job.layer.removeprefix("labels/")
                tile = label_tile(scene.pyramid, scene.labels(name).pyramid, job.tile)
                pixels = scene.render_labels(name, tile, at)
        except NgffPracticalError as error:
            if job.key in self._failed:
                self._failed[job.key] = str(error)
            self.send({**about, "failed": True})
            return
        self.send({**about, "size": [pixels.shape[0], pixels.shape[1]]}, [pixels.tobytes()])

    def _at(self, message: Message) -> dict[str, int]:
        """Return the place along the other axes that a message names, within the image."""
        stated = message.get("at")
        found = stated if isinstance(stated, dict) else {}
        at = {}
        for name, start, size in self.scene["sliders"]:
            wanted = found.get(name, start)
            at[name] = min(max(wanted, 0), size - 1) if isinstance(wanted, int) else start
        return at

    def _sentence(self, level: int, at: Mapping[str, int], *, cut: bool = False, failed: int = 0) -> str:
        pyramid = self._scene.pyramid
        shape = " × ".join(f"{name} {size}" for name, size in self._scene.sizes.items())
        place = "".join(f", {name} {index}" for name, index in at.items())
        names = ", ".join(one.name for one in self._scene.channels if one.visible) or "no channel"
        words = f"{pyramid.name} ({shape}): level {pyramid.levels[level].path}{place}; {names}."
        if cut:
            words += " There is no coarser level: only the middle is read. Zoom in to see the rest."
        return f"{words} {counted(failed, 'tile')} cannot be read." if failed else words

    # Channels

    def _change_channel(self, index: int, message: Message) -> None:
        channel = self._scene.channels[index]
        visible, low, high = message.get("visible"), message.get("low"), message.get("high")
        color = message.get("color")
        if isinstance(visible, bool):
            if visible and channel.limits is None:
                channel = self._scene.measured(index, channel)
            channel = replace(channel, visible=visible)
        if isinstance(low, int | float) and isinstance(high, int | float) and math.isfinite(low + high):
            channel = replace(channel, low=float(low), high=float(high))
        if isinstance(color, str) and (digits := hex_digits(color)):
            channel = replace(channel, color=digits)
        changed = [*self._scene.channels]
        changed[index] = channel
        self._scene.channels = tuple(changed)
        self._look += 1
        self._say_channels()

    def _say_channels(self) -> None:
        self.channels = [channel.trait for channel in self._scene.channels]

    def draw(self, figure: Figure) -> None:
        """Draw the whole plane from the level that fits, the middle where even the coarsest is large."""
        scene = self._scene
        pyramid = scene.pyramid
        height, width = pyramid.shape[-2], pyramid.shape[-1]
        index = choose_level(pyramid, min(_OVERVIEW / max(height, width), 1.0))
        height, width = pyramid.levels[index].shape[-2:]
        rows, columns = (side if side <= _WHOLE else _OVERVIEW for side in (height, width))
        tile = Tile(index, (height - rows) // 2, (width - columns) // 2, rows, columns)
        axes = figure.subplots()
        axes.set_title(self.text, fontsize=8, wrap=True, parse_math=False)
        axes.axis("off")
        try:
            axes.imshow(scene.render(tile, self._at({}), scene.channels))
        except NgffPracticalError as error:
            axes.text(0.02, 0.5, str(error), wrap=True, fontsize=8, parse_math=False)
