"""Names, colours and display limits of channels, as far as a file states them and `omero` can hold them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import tifffile

from ngff_practical.model import Channel, Shape
from ngff_practical.stack.faults import clean
from ngff_practical.stack.ome import OmeImage, number
from ngff_practical.stack.stated import metaseries_of

type Channels = tuple[Channel, ...]

_RGB = (Channel("Red", "FF0000"), Channel("Green", "00FF00"), Channel("Blue", "0000FF"), Channel("Alpha"))
_YCBCR, _RGB_SAMPLES = 6, 2


def stated_channels(
    tif: tifffile.TiffFile, key: tifffile.TiffPage, image: OmeImage | None, stored: str, shape: Shape
) -> tuple[Channels, tuple[str, ...]]:
    """Return the channels of an image, () where its file states nothing of them, and notes.

    `stored` and `shape` are tifffile's axes. What does not fit the number of channels is left out, and said.
    """
    count = math.prod(size for code, size in zip(stored, shape, strict=True) if code in "CS")
    colour = key.photometric in (_RGB_SAMPLES, _YCBCR) and count == key.samplesperpixel in (3, 4)
    if colour and (image is None or len(image.channels) != count):
        return _RGB[:count], ()
    if image is not None:
        return _fitting(image.channels, count, "OME-XML")
    if tif.is_imagej:
        return imagej_channels(tif.imagej_metadata or {}, stored, shape, np.dtype(key.dtype))
    if tif.is_lsm:
        return _fitting(lsm_channels(tif.lsm_metadata or {}), count, "LSM metadata")
    if tif.is_metaseries and count == 1:
        plane = (metaseries_of(tif) or {}).get("PlaneInfo")
        setting = plane.get("_IllumSetting_") if isinstance(plane, Mapping) else None
        return ((Channel(name),) if (name := clean(str(setting or ""))) else ()), ()
    return (), ()


def imagej_channels(
    metadata: Mapping[str, object], stored: str, shape: Shape, dtype: np.dtype[np.generic]
) -> tuple[Channels, tuple[str, ...]]:
    """Return channels from ImageJ's slice labels, look-up tables and display ranges.

    A channel's name is the label that all its planes share and that no other channel has; its colour is the
    brightest entry of its table.
    """
    lead = [(code, size) for code, size in zip(stored, shape, strict=True) if code not in "YX"]
    count = math.prod(size for code, size in lead if code in "CS")
    labels = _texts(metadata.get("Labels"))
    names = _names(labels, lead) if count > 1 else ("",)
    tables = metadata.get("LUTs")
    colors = [_brightest(table) for table in tables] if isinstance(tables, list) else []
    ranges = metadata.get("Ranges")
    limits = [number(value) for value in ranges] if isinstance(ranges, tuple) else []
    if count == 1 and not limits:
        limits = [number(metadata.get("min")), number(metadata.get("max"))]
    notes = []
    if colors and len(colors) != count:
        notes.append(_said_other("ImageJ metadata", f"{len(colors)} look-up tables", count))
        colors = []
    if len(limits) != 2 * count:
        if limits:
            notes.append(_said_other("ImageJ metadata", f"{len(limits) // 2} display ranges", count))
        limits = [math.nan] * 2 * count
    windows = [_window(low, high, dtype) for low, high in itertools.batched(limits, 2)]
    colors = colors or [None] * count
    if not (any(names) or any(colors) or any(windows)):
        return (), tuple(notes)
    every = zip(names or [""] * count, colors, windows, strict=True)
    named = [
        Channel(name or f"channel {index}", color, window)
        for index, (name, color, window) in enumerate(every)
    ]
    return tuple(named), tuple(notes)


def lsm_channels(metadata: Mapping[str, object]) -> Channels:
    """Return the channels of a Zeiss LSM file: names, and colours as red, green, blue and nothing more."""
    stated = metadata.get("ChannelColors")
    if not isinstance(stated, Mapping):
        return ()
    names, colors = _texts(stated.get("ColorNames")), stated.get("Colors")
    rgba = colors if isinstance(colors, list) and len(colors) == len(names) else [None] * len(names)
    return tuple(
        Channel(clean(name) or f"channel {index}", _hexadecimal(color))
        for index, (name, color) in enumerate(zip(names, rgba, strict=True))
    )


def joined_channels(files: Sequence[Channels], letters: Sequence[str], shape: Shape) -> Channels:
    """Return the channels of a stack in several files, which are laid out in C order over `letters`.

    Along c each file brings one channel of its own, which all files at the same place have to share;
    otherwise all files have to state the same channels.
    """
    if "c" not in letters:
        return files[0] if all(channels == files[0] for channels in files) else ()
    if any(len(channels) != 1 for channels in files):
        return ()
    at = list(letters).index("c")
    grid = np.arange(len(files)).reshape(shape)
    found: list[Channel] = []
    for index in range(shape[at]):
        place = [files[number][0] for number in grid.take(index, axis=at).ravel().tolist()]
        same = {(channel.label, channel.color) for channel in place}
        if len(same) > 1:
            return ()
        windows = {channel.window for channel in place}
        found.append(Channel(place[0].label, place[0].color, windows.pop() if len(windows) == 1 else None))
    return tuple(found)


def _fitting(channels: Channels, count: int, where: str) -> tuple[Channels, tuple[str, ...]]:
    if not channels or len(channels) == count:
        return channels, ()
    return (), (_said_other(where, f"{len(channels)} channels", count),)


def _said_other(where: str, stated: str, count: int) -> str:
    return (
        f"The {where} describes {stated}, the image has {count} channel{'s' if count > 1 else ''}; they are "
        "left out."
    )


def _texts(value: object) -> list[str]:
    """Return a list of texts; tifffile gives a single one bare."""
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []


def _names(labels: Sequence[str], lead: Sequence[tuple[str, int]]) -> list[str]:
    """Return the label of each channel where its planes share one and no two channels have the same."""
    sizes = [size for _, size in lead]
    if len(labels) != math.prod(sizes):
        return []
    grid = np.arange(len(labels)).reshape(sizes)
    rest = [index for index, (code, _) in enumerate(lead) if code not in "CS"]
    by_channel = np.moveaxis(grid, rest, range(-len(rest), 0)) if rest else grid
    per_channel = by_channel.reshape(-1, math.prod(sizes[index] for index in rest))
    sets = [{clean(labels[number]) for number in row} for row in per_channel.tolist()]
    names = [group.pop() if len(group) == 1 else "" for group in sets]
    return names if all(names) and len(set(names)) == len(names) else []


def _brightest(table: object) -> str | None:
    if isinstance(table, np.ndarray) and table.shape == (3, 256) and table.dtype == np.uint8:
        return "".join(f"{int(value):02X}" for value in table[:, 255])
    return None


def _hexadecimal(color: object) -> str | None:
    if (
        isinstance(color, list)
        and len(color) >= 3
        and all(isinstance(v, int) and 0 <= v < 256 for v in color)
    ):
        return "".join(f"{value:02X}" for value in color[:3])
    return None


def _window(low: float, high: float, dtype: np.dtype[np.generic]) -> tuple[float, float, float, float] | None:
    """Return min, max, start and end for a display range that the data type can have, else None."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    if dtype.kind not in "iu":
        return (low, high, low, high)
    limits = np.iinfo(dtype.name)
    if not limits.min <= low < high <= limits.max:
        return None
    return (limits.min, limits.max, low, high)
