"""What a window onto an image shows: which level, which tiles of it, and how long a scale bar is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ngff_practical.model import Level, Pyramid

SIDE = 256
"""Pixels of a tile's side, at least, where chunks are smaller."""

LARGEST_SIDE = 1024
"""Pixels of a tile's side, at most, where chunks are larger."""

MOST_PIXELS = 24 * 2**20
"""Pixels of all tiles of a view, at most."""

_LONGEST_BAR = 140.0  # pixels of the screen
_UNITS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm", "angstrom": "Å", "meter": "m"}


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the full resolution that is seen, in its pixels, and screen pixels for each of them."""

    top: float
    left: float
    height: float
    width: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of one level, in the level's own pixels."""

    level: int
    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class TileJob:
    """A tile of one layer, as it is to look; `key` is what the page knows it by."""

    scene: int
    layer: str  # "image", or "labels/NAME"
    tile: Tile
    at: tuple[tuple[str, int], ...]
    look: int

    @property
    def state(self) -> str:
        """What tiles that may be shown together have in common."""
        return hashlib.sha256(repr((self.scene, self.layer, self.at, self.look)).encode()).hexdigest()[:12]

    @property
    def key(self) -> str:
        """The name of the tile."""
        return f"{self.state}/{self.tile.level}/{self.tile.top}/{self.tile.left}"


def window_of(message: Mapping[str, object]) -> Window | None:
    """Return the window that a message describes, None where it describes none."""
    values = [message.get(name) for name in ("top", "left", "height", "width", "zoom")]
    numbers = [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]
    if len(numbers) != 5 or min(numbers[2:]) <= 0:
        return None
    return Window(*numbers)


def choose_level(pyramid: Pyramid, zoom: float) -> int:
    """Return the coarsest level that still has a pixel for each pixel of the screen, else the finest."""
    full = pyramid.shape
    for index in reversed(range(len(pyramid.levels))):
        shape = pyramid.levels[index].shape
        if min(shape[-2] / full[-2], shape[-1] / full[-1]) >= min(zoom, 1.0) * 0.999:
            return index
    return 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window shows: tiles of one level, the middle first; `cut` where these are not all of it."""

    level: int
    tiles: tuple[Tile, ...]
    cut: bool = False


def look(pyramid: Pyramid, window: Window) -> Seen:
    """Return what the window shows.

    A tile holds whole chunks where these are small, and lies within one where they are large, so that no
    chunk is fetched for two tiles at once without need. Where the level for this zoom would take more than
    `MOST_PIXELS`, as that of a large image without a pyramid does, a coarser one is taken; of the coarsest
    the middle.
    """
    first = choose_level(pyramid, window.zoom)
    for index in range(first, len(pyramid.levels)):
        if _pixels(pyramid, index, window) <= MOST_PIXELS:
            return Seen(index, _tiles(pyramid, index, window))
    last = len(pyramid.levels) - 1
    part = _middle(pyramid, window, math.sqrt(MOST_PIXELS / _pixels(pyramid, last, window)) * 0.8)
    return Seen(last, _tiles(pyramid, last, part), cut=True)


def _spans(pyramid: Pyramid, index: int, window: Window) -> list[tuple[int, range, float]]:
    """Return side, numbers and middle of the tiles along y and x that the window touches."""
    level = pyramid.levels[index]
    spans = []
    for axis, start, length in ((-2, window.top, window.height), (-1, window.left, window.width)):
        share = level.shape[axis] / pyramid.shape[axis]
        first, last = start * share, (start + length) * share
        if last <= 0 or first >= level.shape[axis]:
            return []
        side = tile_side(level.chunks[axis])
        low = max(0, math.floor(first / side))
        high = min(-(-level.shape[axis] // side), math.ceil(last / side))
        spans.append((side, range(low, max(high, low + 1)), (first + last) / 2))
    return spans


def _pixels(pyramid: Pyramid, index: int, window: Window) -> int:
    """Return how many pixels all tiles of a level in the window have, as if none lay at a border."""
    spans = _spans(pyramid, index, window)
    return math.prod(side * len(numbers) for side, numbers, _ in spans) if spans else 0


def _middle(pyramid: Pyramid, window: Window, share: float) -> Window:
    """Return the middle of what the window shows of the image."""
    ends = (window.top + window.height, window.left + window.width)
    spans = [
        (max(start, 0.0), min(end, float(size)))
        for start, end, size in zip((window.top, window.left), ends, pyramid.shape[-2:], strict=True)
    ]
    (top, height), (left, width) = (
        (low + (high - low) * (1 - share) / 2, (high - low) * share) for low, high in spans
    )
    return Window(top, left, height, width, window.zoom)


def _tiles(pyramid: Pyramid, index: int, window: Window) -> tuple[Tile, ...]:
    spans = _spans(pyramid, index, window)
    if not spans:
        return ()
    level = pyramid.levels[index]
    (height, rows, middle_row), (width, columns, middle_column) = spans
    tiles = [
        Tile(
            index,
            row * height,
            column * width,
            min(height, level.shape[-2] - row * height),
            min(width, level.shape[-1] - column * width),
        )
        for row in rows
        for column in columns
    ]
    return tuple(
        sorted(
            tiles,
            key=lambda tile: math.hypot(
                tile.top + tile.height / 2 - middle_row, tile.left + tile.width / 2 - middle_column
            ),
        )
    )


def tile_side(chunk: int) -> int:
    """Return the side of tiles for chunks of this side: whole chunks up to 256, then the chunk up to 1024."""
    if chunk < SIDE:
        return chunk * (SIDE // chunk)
    parts = -(-chunk // LARGEST_SIDE)
    while chunk % parts:
        parts += 1
    return chunk // parts if chunk // parts >= SIDE // 2 else LARGEST_SIDE


def on_full(pyramid: Pyramid, tile: Tile) -> tuple[float, float, float, float]:
    """Return a tile's top, left, height and width in pixels of the full resolution."""
    level = pyramid.levels[tile.level]
    y, x = pyramid.shape[-2] / level.shape[-2], pyramid.shape[-1] / level.shape[-1]
    return tile.top * y, tile.left * x, tile.height * y, tile.width * x


def chunk_steps(pyramid: Pyramid, level: Level) -> tuple[float, float]:
    """Return height and width of a chunk in pixels of the full resolution."""
    y, x = pyramid.shape[-2] / level.shape[-2], pyramid.shape[-1] / level.shape[-1]
    return level.chunks[-2] * y, level.chunks[-1] * x


def scale_bar(pyramid: Pyramid, zoom: float) -> tuple[float, str]:
    """Return the length of a scale bar in pixels of the full resolution, and its text.

    A round length that takes at most 140 pixels of the screen; in pixels where no unit is stated.
    """
    unit, step = pyramid.axes[-1].unit, pyramid.levels[0].scale[-1]
    if unit is None or step <= 0:
        unit, step = "pixel", 1.0
    most = _LONGEST_BAR / zoom * step
    power = 10.0 ** math.floor(math.log10(most))
    length = max(power * factor for factor in (1, 2, 5) if power * factor <= most * (1 + 1e-9))
    if unit == "micrometer" and length < 1:
        return length / step, f"{length * 1000:g} nm"
    if unit == "micrometer" and length >= 1000:
        return length / step, f"{length / 1000:g} mm"
    name = _UNITS.get(unit, unit if unit != "pixel" or length == 1 else "pixels")
    return length / step, f"{length:g} {name}"
