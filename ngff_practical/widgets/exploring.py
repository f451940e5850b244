"""What reading a region would touch, level by level, as values that a picture and a table are made of."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from ngff_practical.meter import bytes_text
from ngff_practical.model import Level, Pyramid
from ngff_practical.model.wording import shape_text
from ngff_practical.pyramid import chunk_access, object_keys, touched_cells
from ngff_practical.widgets.counting import counted
from ngff_practical.widgets.regions import Region, on_level

MOST_KEYS = 200


@dataclass(frozen=True, slots=True)
class Grid:
    """One plane of a level in voxels (rows, columns): its chunks, its shards, and which of them are touched.

    `lit` is first row, end row, first column and end column of the chunks touched, `lit_objects` the same of
    the shards; `box` the region itself.
    """

    size: tuple[int, int]
    chunk: tuple[int, int]
    shard: tuple[int, int] | None
    lit: tuple[int, int, int, int]
    lit_objects: tuple[int, int, int, int]
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Exploration:
    """What a region touches: the grid of the chosen level, a row for each level, and the keys of objects."""

    grid: Grid
    rows: tuple[tuple[str, ...], ...]
    keys: tuple[tuple[str, str], ...]
    more_keys: int
    sentence: str


HEAD = ("level", "chunks", "objects", "requests", "stored", "decoded", "useful", "shape", "chunk shape")


def explore(
    pyramid: Pyramid,
    region: Region,
    *,
    level: int,
    plane: tuple[int, int],
    sizes: Mapping[int, Mapping[str, int]] | None = None,
) -> Exploration:
    """Return what reading a region (of the full resolution) touches.

    `plane` are the two axes that the picture shows; `sizes` the stored bytes by key of the levels where they
    are known. A shard that is read in part counts with that share of its bytes.
    """
    chosen = pyramid.levels[level]
    part = on_level(region, pyramid.shape, chosen.shape)
    access = chunk_access(chosen, part)
    known = (sizes or {}).get(level)
    keys = list(itertools.islice(object_keys(pyramid, chosen, part), MOST_KEYS))
    rows = tuple(
        _row(pyramid, one, on_level(region, pyramid.shape, one.shape), (sizes or {}).get(index))
        for index, one in enumerate(pyramid.levels)
    )
    return Exploration(
        grid=_grid(chosen, part, plane),
        rows=rows,
        keys=tuple((key, _stored_text(known, key)) for key in keys),
        more_keys=access.objects - len(keys),
        sentence=(
            f"{pyramid.name}, level {chosen.path}: {counted(access.chunks, 'chunk')} in "
            f"{counted(access.objects, 'object')}, {counted(access.requests, 'request')}; "
            f"{bytes_text(access.bytes_read)} decoded for {bytes_text(access.bytes_wanted)} wanted, "
            f"{_share(access.useful)} useful."
        ),
    )


def _row(pyramid: Pyramid, level: Level, part: Region, sizes: Mapping[str, int] | None) -> tuple[str, ...]:
    access = chunk_access(level, part)
    return (
        level.path,
        f"{access.chunks:,}",
        f"{access.objects:,}",
        f"{access.requests:,}",
        _stored(pyramid, level, part, sizes),
        bytes_text(access.bytes_read),
        _share(access.useful),
        shape_text(level.shape, by="×"),
        " in ".join(shape_text(shape, by="×") for shape in (level.chunks, level.shards) if shape),
    )


def _stored(pyramid: Pyramid, level: Level, part: Region, sizes: Mapping[str, int] | None) -> str:
    if sizes is None:
        return "not known"
    whole = sum(sizes.get(key, 0) for key in object_keys(pyramid, level, part))
    if level.shards is None:
        return bytes_text(whole)
    read, held = 1, 1
    for touched, objects, shard, chunk, size in zip(
        touched_cells(level.chunks, level, part),
        touched_cells(level.shards, level, part),
        level.shards,
        level.chunks,
        level.shape,
        strict=True,
    ):
        read *= len(touched)
        held *= -(-min(objects.stop * shard, size) // chunk) - objects.start * shard // chunk
    return f"about {bytes_text(whole * read / held)}" if read < held else bytes_text(whole)


def _grid(level: Level, part: Region, plane: tuple[int, int]) -> Grid:
    chunks = touched_cells(level.chunks, level, part)
    objects = touched_cells(level.object_shape, level, part)
    row, column = plane
    return Grid(
        size=(level.shape[row], level.shape[column]),
        chunk=(level.chunks[row], level.chunks[column]),
        shard=(level.shards[row], level.shards[column]) if level.shards else None,
        lit=(chunks[row].start, chunks[row].stop, chunks[column].start, chunks[column].stop),
        lit_objects=(objects[row].start, objects[row].stop, objects[column].start, objects[column].stop),
        box=(part[row].start, part[row].stop, part[column].start, part[column].stop),
    )


def _stored_text(sizes: Mapping[str, int] | None, key: str) -> str:
    if sizes is None:
        return ""
    return bytes_text(sizes[key]) if key in sizes else "not stored"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else f"{share * 100:.1g}%"
