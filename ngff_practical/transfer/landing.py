"""Where a download lands: free before, held meanwhile, complete before it gets its name."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ngff_practical.errors import ExistsError, StorageError, TransferError
from ngff_practical.model import StoredObject
from ngff_practical.storage.local import list_files
from ngff_practical.storage.lock import alone
from ngff_practical.transfer.fetching import local_trouble
from ngff_practical.transfer.keys import is_root_metadata, local_path
from ngff_practical.transfer.manifest import manifest_path

_logger = logging.getLogger(__name__)


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Keep other downloads to the same place out; the folders above it are made where they are not."""
    with local_trouble(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target, "download"):
        yield


def refuse_existing(target: Path, overwrite: bool) -> None:
    """Raise ExistsError where something stands under the name, and may not be replaced.

    Asked to, a file or an image is replaced; a folder of other things never is.
    """
    with local_trouble(target):
        free, other = _is_free(target), _is_other_folder(target)
    if free or (overwrite and not other):
        return
    raise ExistsError(
        f"{target} exists already and is no image; nothing was fetched, and no such folder is overwritten. "
        f"Give the image a name of its own (such as {target / 'embryo.ome.zarr'})"
        if other
        else f"{target} exists already; nothing was fetched. Choose another name, or ask to overwrite "
        "(overwrite=True, --overwrite)"
    )


def _is_other_folder(target: Path) -> bool:
    """Return True for a folder that is no image by its name or its content, nor has a manifest beside it."""
    return (
        target.is_dir()
        and target.suffix != ".zarr"
        and not manifest_path(target).exists()
        and not any(is_root_metadata(path.name) for path in target.iterdir())
    )


def _is_free(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and not any(target.iterdir()))


def check_way(target: Path, part: Path, *, single: bool) -> None:
    """Raise StorageError where something stands in the way of the folder, or of the `single` file."""
    with local_trouble(target):
        above = next(parent for parent in target.parents if parent.exists())
        if not above.is_dir():
            raise StorageError(f"{target} cannot be written: {above} is a file, where a folder is needed")
        if target.is_symlink() and not target.exists():
            raise StorageError(
                f"{target} is a link to {target.readlink()}, where nothing is; remove the link, or choose "
                "another name"
            )
        if part.exists() and part.is_dir() == single:
            raise StorageError(f"{part} is in the way; move it away")


def check_space(target: Path, needed: int) -> None:
    """Raise StorageError where the disk has less room than so many bytes."""
    folder = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{needed / 1e6:.1f} MB are to be fetched, and the disk of {folder} has "
            f"{free / 1e6:.1f} MB free; make room, or choose another disk"
        )


def sizes(part: Path) -> dict[str, int]:
    """Return the sizes of the files that are there by key, that of a single file under ""."""
    with local_trouble(part):
        if part.is_file():
            return {"": part.stat().st_size}
        return {file.key: file.nbytes for file in list_files(part)} if part.is_dir() else {}


def clear_extra(part: Path, found: Mapping[str, StoredObject]) -> None:
    """Leave in the folder what the server has and nothing else, and make sure that all of it is there."""
    there = sizes(part)
    for key in there.keys() - found:
        local_path(part, key).unlink()
    for folder, _, _ in os.walk(part, topdown=False):
        with suppress(OSError):  # unless it is empty
            Path(folder).rmdir()
    lost = sorted(key for key, stored in found.items() if there.get(key) != stored.nbytes)
    if lost and lost[0] in there:
        raise TransferError(
            f"{local_path(part, lost[0])} has {there[lost[0]]} bytes where {found[lost[0]].nbytes} were "
            "written; something else changes the folder. Run the same command again"
        )
    if lost:
        raise TransferError(
            f"{local_path(part, lost[0])} is not there, though it was fetched: this disk cannot tell some of "
            "the keys apart (upper and lower case, say), or something else changes the folder"
        )


def take_name(part: Path, target: Path) -> None:
    """Give what is complete its name; what stood under it is deleted afterwards."""
    if (not target.is_dir() and part.is_file()) or not target.exists():
        part.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f"{target.name}.old-", dir=target.parent))
    target.rename(old / target.name)
    try:
        part.rename(target)
    except OSError:
        (old / target.name).rename(target)
        old.rmdir()
        raise
    try:
        shutil.rmtree(old)
    except OSError as error:
        _logger.warning("what was at %s before stays in %s: %s", target, old, error.strerror)
