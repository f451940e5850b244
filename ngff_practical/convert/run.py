"""Run a conversion from the first check to the renamed, verified image."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import zarr

from ngff_practical.convert.arrays import create_level, open_level, remove_leftovers, remove_level, write_root
from ngff_practical.convert.attended import Heed, attended
from ngff_practical.convert.cluster import lost_work
from ngff_practical.convert.destination import under_construction
from ngff_practical.convert.machine import default_workers, peak_memory
from ngff_practical.convert.readback import Thoroughness, check_counts, count_objects, read_back
from ngff_practical.convert.work import Step, work_on_band
from ngff_practical.errors import ConversionError, NgffPracticalError, PlanError, StackError
from ngff_practical.metadata.writing import Rgba
from ngff_practical.model import ConversionReport, Location, Place, Pyramid, StackSource
from ngff_practical.pyramid import plan_passes
from ngff_practical.stack import StackReader
from ngff_practical.storage import parse_place, zarr_store
from ngff_practical.storage.threads import Threads

_LISTEN_S = 0.5


def convert_stack(
    source: StackSource,
    destination: str | Path | Location,
    pyramid: Pyramid,
    *,
    overwrite: bool = False,
    verify: Thoroughness = "sample",
    executor: Executor | None = None,
    on_slab: Callable[[int, int], None] | None = None,
) -> zarr.Group:
    """Write the stack as the planned pyramid and return the image, open for reading; see `convert`."""
    convert(
        source, destination, pyramid, overwrite=overwrite, verify=verify, executor=executor, on_slab=on_slab
    )
    store = zarr_store(_place(destination))
    return zarr.open_group(store, mode="r", zarr_format=pyramid.zarr_format)


def convert(
    source: StackSource,
    destination: str | Path | Location,
    pyramid: Pyramid,
    *,
    overwrite: bool = False,
    verify: Thoroughness = "sample",
    executor: Executor | None = None,
    label_colors: Mapping[int, Rgba] | None = None,
    on_slab: Callable[[int, int], None] | None = None,
) -> ConversionReport:
    """Write the stack as the planned pyramid and report what was counted and read back afterwards.

    The stack is read once, in bands; each band yields whole objects of levels 0 and 1, and every further
    level is made from the one before. Memory is a few bands, whatever the depth of the stack.

    A local image is written beside its destination (`NAME.partial`) and renamed when all is verified; on S3
    the root metadata are written last. Either way an interrupted conversion does not open as an image, and
    can simply be run again.

    Parameters
    ----------
    source, pyramid
        From `find_stack` and `plan_pyramid`.
    destination
        A folder to be made (its parent exists), or a Location on S3.
    overwrite
        Replace an OME-Zarr image that is already there; a local one is kept until the new one is complete.
    verify
        What to read back: "full", "sample" (a few slabs of each level) or "none". Objects are always counted.
    executor
        Where bands are worked on: threads of this process by default, one per processor.
    label_colors
        Colours of label ids; given (it may be empty) where this is a label image, see `convert_labels`.
    on_slab
        Called with (slabs done, slabs in all).

    Raises
    ------
    PlanError
        The plan belongs to another stack.
    StackError
        The stack turned out to be damaged while it was read.
    ExistsError, StorageError
        The destination exists already, or cannot be written.
    ConversionError
        What was written is not what was planned.
    """
    if (pyramid.shape, pyramid.dtype) != (source.shape, source.dtype):
        raise PlanError(
            f"the plan is for {pyramid.shape} {pyramid.dtype}, the stack is {source.shape} {source.dtype}; "
            "plan again with this stack"
        )
    final = _place(destination)
    remote = () if executor else (final, *source.files)  # a cluster's work is not ours to leave
    return attended(
        lambda heed: _convert(
            source, final, pyramid, overwrite, verify, executor, label_colors, on_slab, heed
        ),
        final,
        remote,
    )


def _convert(
    source: StackSource,
    final: Place,
    pyramid: Pyramid,
    overwrite: bool,
    verify: Thoroughness,
    executor: Executor | None,
    label_colors: Mapping[int, Rgba] | None,
    on_slab: Callable[[int, int], None] | None,
    heed: Heed,
) -> ConversionReport:
    began = time.perf_counter()
    stamps = _stamps(source)
    building = under_construction(final, pyramid, overwrite, source.files)
    with building as place, StackReader(source) as reader:
        try:
            for level in pyramid.levels:
                heed()
                create_level(place, pyramid, level)
            _write_levels(place, pyramid, reader, executor, on_slab, heed)
            _check_unchanged(stamps)
            read_back(place, pyramid, reader, verify, heed)
            check_counts(place, pyramid)
            heed()
            write_root(place, pyramid, label_colors=label_colors)
            written = count_objects(place, pyramid)
        except NgffPracticalError:
            raise
        except OSError as error:
            raise ConversionError(
                f"{final} could not be written: {error.strerror or error}. Nothing is left that opens as an "
                "image; mend that, and run the same conversion again"
            ) from error
        finally:
            open_level.cache_clear()
    return ConversionReport(
        source=source,
        destination=str(final),
        pyramid=pyramid,
        level_bytes=written.level_bytes,
        objects=written.objects,
        nbytes=written.nbytes,
        peak_memory_bytes=peak_memory(),
        seconds=time.perf_counter() - began,
    )


def _write_levels(
    place: Place,
    pyramid: Pyramid,
    reader: StackReader,
    executor: Executor | None,
    on_slab: Callable[[int, int], None] | None,
    heed: Heed,
) -> None:
    """Make every level from the one before, the first two from the stack; a level waits for its source."""
    passes = plan_passes(pyramid, rows_together=reader.rows_together)
    total = sum(len(band.slabs) for one in passes for band in one.bands)
    done, run = 0, uuid4().hex
    with _workers(executor, default_workers(pyramid, reader.rows_together)) as pool:
        for one in passes:
            step = Step(place, pyramid, one.fine, one.coarse, one.write_fine, run)
            needed = reader if one.write_fine else None
            if one.coarse and one.coarse not in pyramid.levels:
                create_level(place, replace(pyramid, codec="none"), one.coarse)
            jobs = [pool.submit(work_on_band, step, band, needed) for band in one.bands]
            for slabs in _in_order_of_completion(jobs, heed):
                done += slabs
                if on_slab:
                    on_slab(done, total)
            if one.fine not in pyramid.levels:
                remove_level(place, one.fine)
    if executor is not None:
        remove_leftovers(place)


def _stamps(source: StackSource) -> dict[Path, tuple[int, int]]:
    """Return size and time of every local file of a stack; what is amiss with one, reading it will say."""
    found = {}
    for file in source.files:
        if isinstance(file, Path) and file.exists():
            state = file.stat()
            found[file] = (state.st_size, state.st_mtime_ns)
    return found


def _check_unchanged(stamps: Mapping[Path, tuple[int, int]]) -> None:
    for file, (size, time_ns) in stamps.items():
        state = file.stat() if file.exists() else None
        if state is None or (state.st_size, state.st_mtime_ns) != (size, time_ns):
            now = f"{state.st_size} bytes and another time" if state else "gone"
            raise StackError(
                f"{file} has changed while it was converted: {size} bytes before, {now} now; "
                "wait until nothing writes there any more, and convert again"
            )


def _in_order_of_completion(jobs: list[Future[int]], heed: Heed) -> Iterator[int]:
    """Yield results as they come; when one fails, or nobody waits any more, cancel those not begun."""
    pending = set(jobs)
    try:
        while pending:
            finished, pending = wait(pending, timeout=_LISTEN_S, return_when=FIRST_COMPLETED)
            heed()
            for job in finished:
                try:
                    slabs = job.result()
                except lost_work() as error:
                    raise ConversionError(
                        "the executor lost or cancelled a part of the work, as it does when workers are "
                        "killed again and again (often: too little memory); nothing is left that opens, "
                        "look at the workers' logs and run the same conversion again"
                    ) from error
                yield slabs
    finally:
        for job in pending:
            job.cancel()


@contextmanager
def _workers(executor: Executor | None, count: int) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    with Threads(count, "convert") as threads:
        yield threads


def _place(destination: str | Path | Location) -> Place:
    return destination if isinstance(destination, Location) else parse_place(destination)
