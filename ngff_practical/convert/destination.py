"""The place an image grows in: one conversion at a time, and nothing that opens before it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ngff_practical.convert.lock import MARK, claimed
from ngff_practical.errors import ExistsError, StorageError
from ngff_practical.model import Location, Place, Pyramid
from ngff_practical.pyramid.bands import SCRATCH
from ngff_practical.storage import delete_object, list_objects
from ngff_practical.storage.lock import alone

PARTIAL = ".partial"
ROOT_DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs")


@contextmanager
def under_construction(final: Place, pyramid: Pyramid, overwrite: bool) -> Iterator[Place]:
    """Give the place to write to, and leave either a whole image at `final` or nothing that opens."""
    if isinstance(final, Location):
        with claimed(final, overwrite=overwrite):
            _clear_prefix(final, pyramid, overwrite)
            yield final
        return
    if final.exists():
        _check_may_replace(final, overwrite)
    if not final.parent.is_dir():
        raise StorageError(f"{final.parent} is not a folder; make it first, then convert into it")
    partial = final.with_name(final.name + PARTIAL)
    with alone(final, "conversion"):
        try:
            shutil.rmtree(partial, ignore_errors=True)  # what a killed conversion left
            partial.mkdir()
        except OSError as error:
            raise StorageError(f"{partial} cannot be made: {error.strerror or error}") from error
        try:
            yield partial
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        if final.exists():
            old = final.with_name(f"{final.name}.replaced")
            final.rename(old)
            partial.rename(final)
            shutil.rmtree(old)
        else:
            partial.rename(final)


def _check_may_replace(final: Path, overwrite: bool) -> None:
    if not overwrite:
        raise ExistsError(f"{final} exists already; choose another name, or say that it may be overwritten")
    is_image = final.is_dir() and any((final / name).is_file() for name in ROOT_DOCUMENTS)
    if not is_image and not (final.is_dir() and not any(final.iterdir())):
        raise ExistsError(f"{final} is not a Zarr image; it is never overwritten, remove it yourself")


def _clear_prefix(final: Location, pyramid: Pyramid, overwrite: bool) -> None:
    """Make sure the prefix is free; what an interrupted conversion left there is cleared away."""
    keys = [stored.key for stored in list_objects(final) if stored.key != MARK]
    if not keys:
        return
    paths = {name for level in pyramid.levels for name in (level.path, f"{level.path}.{SCRATCH}")}
    foreign = [key for key in keys if key.split("/", 1)[0] not in paths]
    if foreign and not overwrite:
        raise ExistsError(
            f"{final} holds {len(keys)} objects already (such as {foreign[0]!r}); choose another key, "
            "or say that it may be overwritten"
        )
    delete_object(final, sorted(keys, key=lambda key: key not in ROOT_DOCUMENTS))
