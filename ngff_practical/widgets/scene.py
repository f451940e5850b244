"""An image as the viewer sees it: planes of voxels by tile, channels in colour, labels over them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ngff_practical.errors import MetadataError, NgffPracticalError
from ngff_practical.inspection import describe_image
from ngff_practical.meter import Recorder
from ngff_practical.model import Place, Pyramid, Shape
from ngff_practical.widgets.colours import OKABE_ITO
from ngff_practical.widgets.pixels import Levels, Voxels, contrast, grey
from ngff_practical.widgets.regions import Region
from ngff_practical.widgets.tiles import Blocks
from ngff_practical.widgets.viewing import Tile

type Pixels = npt.NDArray[np.uint8]

_DEEPEST_BLOCK = 16 * 2**20  # bytes of a block for which the whole depth of a chunk is kept
_COUNTED = 64 * 2**20  # voxels of a label level that are counted to tell volumes
_SHOWN = 4  # channels that are visible at first


@dataclass(frozen=True, slots=True)
class ChannelView:
    """How one channel is shown: `color` is six hex digits, `low` is black, `high` its full colour."""

    name: str
    color: str
    low: float
    high: float
    limits: tuple[float, float]
    visible: bool = True


class Stack:
    """One pyramid (an image or its labels) whose planes are read by tile."""

    def __init__(self, place: Place, recorder: Recorder) -> None:
        self.pyramid = describe_image(place)
        if self.pyramid.axis_names[-2:] != ("y", "x"):
            raise MetadataError(
                f"{self.pyramid.name} has the axes {', '.join(self.pyramid.axis_names)}; the viewer shows "
                "images whose last axes are y and x"
            )
        self.levels = Levels(place, self.pyramid, recorder=recorder)
        self._blocks: Blocks[tuple[int, tuple[tuple[int, int], ...]]] = Blocks(self._read)

    def plane(self, tile: Tile, at: Mapping[str, int], full: Mapping[str, int]) -> Voxels:
        """Return a tile's (y, x) voxels; `at` is the place along other axes, in an image of size `full`."""
        level = self.pyramid.levels[tile.level]
        box: list[tuple[int, int]] = []
        inside: list[int] = []
        for axis, name in enumerate(self.pyramid.axis_names[:-2]):
            size = level.shape[axis]
            index = min(at.get(name, 0) * size // max(full.get(name, size), 1), size - 1)
            depth = level.chunks[axis]
            box.append((index // depth * depth, min((index // depth + 1) * depth, size)))
            inside.append(index)
        box += [(tile.top, tile.top + tile.height), (tile.left, tile.left + tile.width)]
        voxels = level.itemsize
        for start, stop in box:
            voxels *= stop - start
        if voxels > _DEEPEST_BLOCK:
            box[:-2] = [(index, index + 1) for index in inside]
        block = self._blocks.get((tile.level, tuple(box)))
        where = tuple(index - start for index, (start, _) in zip(inside, box, strict=False))
        plane: Voxels = block[where]
        return plane

    def _read(self, key: tuple[int, tuple[tuple[int, int], ...]]) -> Voxels:
        level, box = key
        region: Region = tuple(slice(start, stop) for start, stop in box)
        return self.levels.read(level, region)


class Scene:
    """An image with its channels and, where there are any, its first label image."""

    def __init__(self, place: Place, recorder: Recorder) -> None:
        self.stack = Stack(place, recorder)
        self.pyramid = self.stack.pyramid
        self.sizes = dict(zip(self.pyramid.axis_names, self.pyramid.shape, strict=True))
        self.label_names = self.pyramid.labels
        self._place, self._recorder = place, recorder
        self._labels: dict[str, Stack] = {}
        self._volumes: dict[str, tuple[npt.NDArray[np.int64], float, str]] = {}
        self.channels = self._first_channels()

    def labels(self, name: str) -> Stack:
        """Return a label image of this image."""
        if name not in self._labels:
            self._labels[name] = Stack(self._place / "labels" / name, self._recorder)
        return self._labels[name]

    def render(self, tile: Tile, at: Mapping[str, int], channels: Sequence[ChannelView]) -> Pixels:
        """Return a tile as RGBA: the visible channels in their colours, added up."""
        total = np.zeros((tile.height, tile.width, 3), np.uint16)
        for index, channel in enumerate(channels):
            if channel.visible:
                values = self.stack.plane(tile, {**at, "c": index}, self.sizes)
                shade = grey(values, channel.low, channel.high).astype(np.uint16)
                for part, full in enumerate(bytes.fromhex(channel.color)):
                    if full:
                        total[..., part] += shade * full // 255 if full < 255 else shade
        made = np.full((tile.height, tile.width, 4), 255, np.uint8)
        made[..., :3] = np.minimum(total, 255)
        return made

    def render_labels(self, name: str, tile: Tile, at: Mapping[str, int]) -> Pixels:
        """Return a tile of a label image as RGBA: a colour for each id, nothing where there is no label."""
        return colour_labels(self.labels(name).plane(tile, at, self.sizes))

    def pick(self, name: str, at: Mapping[str, int], y: float, x: float) -> str:
        """Return in words which label lies at a place of the full resolution, and how large it is."""
        stack = self.labels(name)
        level = stack.pyramid.levels[0]
        row = min(int(y * level.shape[-2] / self.pyramid.shape[-2]), level.shape[-2] - 1)
        column = min(int(x * level.shape[-1] / self.pyramid.shape[-1]), level.shape[-1] - 1)
        if row < 0 or column < 0:
            return "There is no label here."
        found = int(stack.plane(Tile(0, row, column, 1, 1), at, self.sizes)[0, 0])
        if found == 0:
            return "There is no label here."
        return f"Label {found}: {self._volume(name, found)}."

    def _volume(self, name: str, label: int) -> str:
        if name not in self._volumes:
            pyramid = self.labels(name).pyramid
            index = next(
                (n for n, level in enumerate(pyramid.levels) if _voxels(level.shape) <= _COUNTED), None
            )
            if index is None:
                return "its volume would take too long to count"
            level = pyramid.levels[index]
            values = self.labels(name).levels.read(index, tuple(slice(0, size) for size in level.shape))
            ids = values.ravel().astype(np.int64)
            counts = (
                np.bincount(ids) if ids.size and ids.min() >= 0 and ids.max() < 10**7 else np.zeros(0, int)
            )
            unit = pyramid.axes[-1].unit
            space = [axis for axis, one in enumerate(pyramid.axes) if one.name in "zyx"]
            size = float(np.prod([level.scale[axis] for axis in space])) if unit == "micrometer" else 1.0
            power = "³" if len(space) == 3 else "²"
            self._volumes[name] = (counts, size, f"µm{power}" if unit == "micrometer" else "voxels")
        counts, size, unit_text = self._volumes[name]
        if label >= len(counts):
            return "its volume is not known"
        count = int(counts[label])
        if unit_text == "voxels":
            return f"{count:,} voxels of the level counted"
        return f"{count * size:,.4g} {unit_text} ({count:,} voxels)"

    def _first_channels(self) -> tuple[ChannelView, ...]:
        count = self.sizes.get("c", 1)
        stated = self.pyramid.channels
        palette = [
            OKABE_ITO[name][1:] for name in ("sky", "orange", "green", "purple", "yellow", "vermilion")
        ]
        made = []
        coarse = len(self.pyramid.levels) - 1
        level = self.pyramid.levels[coarse]
        tile = Tile(coarse, 0, 0, min(level.shape[-2], 512), min(level.shape[-1], 512))
        at = {name: size // 2 for name, size in self.sizes.items() if name in "zt"}
        for index in range(count):
            channel = stated[index] if index < len(stated) else None
            stated_color = hex_digits(channel.color) if channel and channel.color else ""
            color = stated_color or ("FFFFFF" if count == 1 else palette[index % len(palette)])
            low, high, limits = 0.0, 1.0, (0.0, 1.0)
            if index < _SHOWN:
                try:
                    values = self.stack.plane(tile, {**at, "c": index}, self.sizes)
                except NgffPracticalError:
                    values = np.zeros(1)
                low, high = contrast(values)
                limits = _limits(values, high)
            name = channel.label if channel and channel.label else f"channel {index}"
            made.append(ChannelView(name, color, low, high, limits, index < _SHOWN))
        return tuple(made)

    def measured(self, index: int, channel: ChannelView) -> ChannelView:
        """Return a channel with the contrast of its own values, for one that was not visible before."""
        coarse = len(self.pyramid.levels) - 1
        level = self.pyramid.levels[coarse]
        tile = Tile(coarse, 0, 0, min(level.shape[-2], 512), min(level.shape[-1], 512))
        at = {name: size // 2 for name, size in self.sizes.items() if name in "zt"}
        values = self.stack.plane(tile, {**at, "c": index}, self.sizes)
        low, high = contrast(values)
        return replace(channel, low=low, high=high, limits=_limits(values, high))


def colour_labels(ids: Voxels) -> Pixels:
    """Return ids as RGBA: neighbouring ids get colours far apart, 0 gets none."""
    number = ids.astype(np.uint32)
    mixed = number * np.uint32(2654435769)  # golden ratio: consecutive numbers fall far apart
    hue = (mixed >> np.uint32(24)).astype(np.float32) / 255 * 6
    made = np.empty((*ids.shape, 4), np.uint8)
    for part, shift in enumerate((0.0, 4.0, 2.0)):
        ramp = np.clip(np.abs((hue + shift) % 6 - 3) - 1, 0, 1)
        made[..., part] = (70 + 185 * ramp).astype(np.uint8)
    made[..., 3] = np.where(number > 0, 255, 0)
    return made


def hex_digits(text: str) -> str:
    """Return the six hex digits of a colour, "" where the text is none."""
    digits = text.removeprefix("#").upper()
    return digits if re.fullmatch("[0-9A-F]{6}", digits) else ""


def _limits(values: Voxels, high: float) -> tuple[float, float]:
    finite = values.astype(np.float64)
    finite = finite[np.isfinite(finite)]
    low = min(float(finite.min()), 0.0) if finite.size else 0.0
    top = float(finite.max()) if finite.size else 1.0
    return low, max(top, high * 1.5, low + 1.0)


def _voxels(shape: Shape) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def label_tile(image: Pyramid, labels: Pyramid, tile: Tile) -> Tile:
    """Return the tile of a label image that covers a tile of its image, at the level nearest in size."""
    wanted = image.levels[tile.level].shape[-1] / image.shape[-1]
    shares = [abs(level.shape[-1] / labels.shape[-1] - wanted) for level in labels.levels]
    index = shares.index(min(shares))
    ours, level = image.levels[tile.level], labels.levels[index]
    y, x = level.shape[-2] / ours.shape[-2], level.shape[-1] / ours.shape[-1]
    top, left = int(tile.top * y), int(tile.left * x)
    bottom = min(max(round((tile.top + tile.height) * y), top + 1), level.shape[-2])
    right = min(max(round((tile.left + tile.width) * x), left + 1), level.shape[-1])
    return Tile(index, min(top, bottom - 1), min(left, right - 1), max(bottom - top, 1), max(right - left, 1))


def channel_trait(channel: ChannelView) -> dict[str, object]:
    """Return a channel as the page takes it."""
    low, high = channel.limits
    return {
        "name": channel.name,
        "color": f"#{channel.color}",
        "low": channel.low,
        "high": channel.high,
        "min": low,
        "max": high,
        "step": 1 if high - low > 20 else (high - low) / 200,
        "visible": channel.visible,
    }
