"""An image as the viewer sees it: planes of voxels by tile, channels in colour, labels over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ngff_practical.errors import MetadataError
from ngff_practical.inspection import describe_image
from ngff_practical.meter import Recorder
from ngff_practical.model import Place, Pyramid
from ngff_practical.widgets.channels import ChannelView, first_channels, measured
from ngff_practical.widgets.pixels import Levels, Voxels, grey
from ngff_practical.widgets.regions import Region
from ngff_practical.widgets.tiles import Blocks
from ngff_practical.widgets.viewing import Tile
from ngff_practical.widgets.volumes import Volumes, count_labels

type Pixels = npt.NDArray[np.uint8]

_DEEPEST_BLOCK = 16 * 2**20  # bytes of a block for which the whole depth of a chunk is kept
_SAMPLED = 512  # pixels of a side, in the middle of the coarsest level, from which the contrast is taken


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
        inside = self.inside(tile.level, at, full)
        for axis, index in enumerate(inside):
            size, depth = level.shape[axis], level.chunks[axis]
            box.append((index // depth * depth, min((index // depth + 1) * depth, size)))
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

    def inside(self, level: int, at: Mapping[str, int], full: Mapping[str, int]) -> list[int]:
        """Return where along a level's axes before y and x a place `at` lies, of an image of size `full`."""
        sizes = self.pyramid.levels[level].shape
        return [
            min(at.get(name, 0) * sizes[axis] // max(full.get(name, sizes[axis]), 1), sizes[axis] - 1)
            for axis, name in enumerate(self.pyramid.axis_names[:-2])
        ]

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
        self._volumes: dict[tuple[str, tuple[tuple[int, int], ...]], Volumes] = {}
        self.channels = tuple(first_channels(self.pyramid, self._some_values))

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
        ids = self.labels(name).plane(tile, at, self.sizes)
        return outlined(colour_labels(ids), ids)

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
        return f"Label {found}: {self._volumes_at(name, at).of(found)}."

    def measured(self, index: int, channel: ChannelView) -> ChannelView:
        """Return a channel with the contrast of its own values, for one that was not visible before."""
        return measured(channel, self._some_values(index))

    def _volumes_at(self, name: str, at: Mapping[str, int]) -> Volumes:
        """Return the sizes of labels at a place in time: those of other times are other objects."""
        stack = self.labels(name)
        where = {
            axis: index
            for axis, index in enumerate(stack.inside(0, at, self.sizes))
            if stack.pyramid.axis_names[axis] != "z"
        }
        key = (name, tuple(where.items()))
        if key not in self._volumes:
            self._volumes[key] = count_labels(stack.levels, where)
        return self._volumes[key]

    def _some_values(self, channel: int) -> Voxels:
        """Return the middle of a channel's coarsest level, halfway along z and t."""
        coarse = len(self.pyramid.levels) - 1
        height, width = self.pyramid.levels[coarse].shape[-2:]
        top, left = max(height - _SAMPLED, 0) // 2, max(width - _SAMPLED, 0) // 2
        tile = Tile(coarse, top, left, min(height, _SAMPLED), min(width, _SAMPLED))
        at = {name: size // 2 for name, size in self.sizes.items() if name in "zt"}
        return self.stack.plane(tile, {**at, "c": channel}, self.sizes)


def colour_labels(ids: Voxels) -> Pixels:
    """Return ids as RGBA: neighbouring ids get colours far apart, 0 gets none."""
    with np.errstate(invalid="ignore"):  # ids are integers, whatever a file stores them as
        number = ids.astype(np.int64).view(np.uint64)
    mixed = number * np.uint64(0x9E3779B97F4A7C15)  # golden ratio: consecutive numbers fall far apart
    hue = (mixed >> np.uint64(56)).astype(np.float32) / 255 * 6
    made = np.empty((*ids.shape, 4), np.uint8)
    for part, shift in enumerate((0.0, 4.0, 2.0)):
        ramp = np.clip(np.abs((hue + shift) % 6 - 3) - 1, 0, 1)
        made[..., part] = (70 + 185 * ramp).astype(np.uint8)
    made[..., 3] = np.where(number != 0, 255, 0)
    return made


def outlined(colours: Pixels, ids: Voxels) -> Pixels:
    """Return colours of labels with dark rims: neighbours can be told apart by people who see few colours."""
    rim = np.zeros(ids.shape, bool)
    rim[:, :-1] |= ids[:, :-1] != ids[:, 1:]
    rim[:-1] |= ids[:-1] != ids[1:]
    colours[rim, :3] //= 4
    return colours


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
