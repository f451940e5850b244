"""Read a written image back and compare: "no exception" does not mean "done"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from ngff_practical.convert.arrays import Pixels, read_region
from ngff_practical.convert.attended import Heed
from ngff_practical.convert.lock import MARK
from ngff_practical.convert.machine import default_workers
from ngff_practical.convert.work import covered, read_stack_region, shrink
from ngff_practical.errors import ConversionError
from ngff_practical.model import Level, Place, Pyramid
from ngff_practical.pyramid.bands import Region, level_factors, plan_bands
from ngff_practical.stack import StackReader
from ngff_practical.storage import list_objects
from ngff_practical.storage.threads import Threads

METADATA_DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
SAMPLES = 3

type Thoroughness = Literal["full", "sample", "none"]


@dataclass(frozen=True, slots=True)
class Written:
    """What a listing of the destination found: chunk objects and stored bytes per level, and in all."""

    level_objects: tuple[int, ...]
    level_bytes: tuple[int, ...]
    objects: int
    nbytes: int


def count_objects(place: Place, pyramid: Pyramid) -> Written:
    """Count what is stored below `place`; metadata documents count as objects, but not as a level's."""
    objects = dict.fromkeys((level.path for level in pyramid.levels), 0)
    nbytes = dict.fromkeys(objects, 0)
    everything = [stored for stored in list_objects(place) if stored.key != MARK]
    for stored in everything:
        path, _, rest = stored.key.partition("/")
        if path in objects:
            nbytes[path] += stored.nbytes
            objects[path] += rest not in METADATA_DOCUMENTS
    return Written(
        level_objects=tuple(objects.values()),
        level_bytes=tuple(nbytes.values()),
        objects=len(everything),
        nbytes=sum(stored.nbytes for stored in everything),
    )


def check_counts(place: Place, pyramid: Pyramid) -> None:
    """Compare the number of chunk objects of each level with the plan.

    Raises
    ------
    ConversionError
        A level holds another number of objects than planned.
    """
    for level, found in zip(pyramid.levels, count_objects(place, pyramid).level_objects, strict=True):
        if found != level.objects:
            raise ConversionError(
                f"level {level.path} of {place} holds {found} objects, {level.objects} were planned; "
                "convert again, and check the disk or server if it happens twice"
            )


def read_back(place: Place, pyramid: Pyramid, reader: StackReader, verify: Thoroughness, heed: Heed) -> None:
    """Compare level 0 with the stack and every other level with the mean of the one before.

    "sample" looks at up to three slabs of each level (first, middle, last), "full" at all of them.

    Raises
    ------
    ConversionError
        What was read back differs from what it should be.
    """
    if verify == "none":
        return
    rows = reader.rows_together
    checks = [
        partial(_check, place, pyramid, reader if index == 0 else None, fine, coarse, slab)
        for index, (fine, coarse) in enumerate(_pairs(pyramid.levels))
        for slab in _slabs(fine, coarse, verify, rows if index == 0 else 1)
    ]
    with Threads(default_workers(pyramid, rows), "read-back") as threads:
        jobs = [threads.submit(check) for check in checks]
        try:
            for job in jobs:
                heed()
                job.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _pairs(levels: Sequence[Level]) -> list[tuple[Level, Level | None]]:
    """Return each level with the one made from it; a single level with None."""
    return list(pairwise(levels)) or [(levels[0], None)]


def _check(
    place: Place,
    pyramid: Pyramid,
    reader: StackReader | None,
    fine: Level,
    coarse: Level | None,
    slab: Region,
) -> None:
    """Compare a slab of a level with the stack, given a reader of it, and its mean with the coarser level."""
    stored = read_region(place, pyramid, fine, slab)
    if reader:
        _compare(place, fine, slab, stored, read_stack_region(reader, slab))
    if not coarse:
        return
    factors = level_factors(fine, coarse)
    inside = covered(slab, coarse.shape, factors)
    expected = shrink(stored[tuple(slice(0, part.stop - part.start) for part in inside)], factors, pyramid)
    if not expected.size:
        return
    region = tuple(
        slice(part.start // factor, part.start // factor + size)
        for part, factor, size in zip(inside, factors, expected.shape, strict=True)
    )
    _compare(place, coarse, region, read_region(place, pyramid, coarse, region), expected)


def _slabs(fine: Level, coarse: Level | None, verify: Thoroughness, rows_together: int) -> Iterator[Region]:
    bands = plan_bands(fine, coarse, rows_together=rows_together, write_fine=False)
    slabs = [slab for band in bands for slab in band.slabs]
    if verify == "full":
        yield from slabs
        return
    picks = {round(index) for index in np.linspace(0, len(slabs) - 1, min(SAMPLES, len(slabs)))}
    yield from (slabs[index] for index in sorted(picks))


def _compare(place: Place, level: Level, region: Region, stored: Pixels, expected: Pixels) -> None:
    if np.array_equal(stored, expected, equal_nan=expected.dtype.kind == "f"):
        return
    different = int(np.count_nonzero(stored != expected))
    box = ", ".join(f"{part.start}:{part.stop}" for part in region)
    raise ConversionError(
        f"level {level.path} of {place} reads back wrong: {different} of {expected.size} voxels in "
        f"[{box}] differ from what was written; convert again, and check the disk if it happens twice"
    )
