"""The place an image grows in: one conversion at a time, and nothing that opens before it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ngff_practical.convert.lock import MARK, claimed
from ngff_practical.errors import ExistsError, MetadataError, StorageError
from ngff_practical.metadata import kind_of, parse_document
from ngff_practical.model import Location, Place, Pyramid
from ngff_practical.pyramid.bands import SCRATCH
from ngff_practical.storage import delete_object, list_objects, object_exists, read_object
from ngff_practical.storage.lock import alone

PARTIAL = ".partial"
_REPLACE = "replace it with overwrite=True (--overwrite)"
_ARCHIVES = (".zip", ".ozx")
ROOT_DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs")


@contextmanager
def under_construction(
    final: Place, pyramid: Pyramid, overwrite: bool, keep: Sequence[Place] = ()
) -> Iterator[Place]:
    """Give the place to write to, and leave either a whole image at `final` or nothing that opens.

    `keep` are files that must not go with what is overwritten: those of the stack.
    """
    if final.name.lower().endswith(_ARCHIVES):
        raise StorageError(
            f"{final} has the name of an archive, and an image is written as a folder of chunks; choose a "
            "name such as embryo.ome.zarr"
        )
    if isinstance(final, Location):
        _check_keeps(final, keep)
        with claimed(final, overwrite=overwrite):
            _clear_prefix(final, pyramid, overwrite)
            yield final
        return
    final = _behind_link(final)
    if final.exists():
        _check_may_replace(final, overwrite)
        _check_keeps(final, keep)
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
        try:
            _put_in_place(partial, final)
        except OSError as error:
            raise StorageError(
                f"the image is whole, but cannot be renamed from {partial} to {final}: "
                f"{error.strerror or error}; rename it yourself"
            ) from error


def _put_in_place(partial: Path, final: Path) -> None:
    if not final.exists():
        partial.rename(final)
        return
    old = final.with_name(f"{final.name}.replaced")
    final.rename(old)
    partial.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _behind_link(final: Path) -> Path:
    """Return the path itself, or where the link there leads: the image is written behind the link."""
    try:
        if final.is_symlink() and not final.exists():
            raise StorageError(
                f"{final} is a link to {final.readlink()}, where nothing is; remove the link, or choose "
                "another name"
            )
        final.exists()  # raises where a name cannot be one
        str(final.absolute()).encode()  # likewise: what encodes chunks opens no other names
        return final.resolve() if final.is_symlink() else final
    except OSError as error:
        raise StorageError(
            f"{final} cannot be used: {error.strerror or error}; choose another name or folder"
        ) from error
    except UnicodeEncodeError:
        raise StorageError(f"{str(final)!r} is not valid Unicode; choose another name or folder") from None


def _check_keeps(final: Place, keep: Sequence[Place]) -> None:
    """Raise ExistsError where a file that is still needed lies in what would be replaced."""
    inside = next((file for file in keep if _is_inside(file, final)), None)
    if inside is not None:
        raise ExistsError(
            f"{final} holds the stack itself ({inside}), which would be lost; choose another place for the "
            "image"
        )


def _is_inside(file: Place, folder: Place) -> bool:
    if isinstance(file, Location) and isinstance(folder, Location):
        same = (file.endpoint, file.bucket) == (folder.endpoint, folder.bucket)
        return same and (not folder.key or file.key.startswith(folder.key.rstrip("/") + "/"))
    if isinstance(file, Path) and isinstance(folder, Path):
        return file.resolve().is_relative_to(folder.resolve())
    return False


def _check_may_replace(final: Path, overwrite: bool) -> None:
    try:
        replaceable = final.is_dir() and (not any(final.iterdir()) or _is_image(final))
    except OSError as error:
        raise ExistsError(
            f"{final} exists already and cannot be read: {error.strerror or error}; choose another name"
        ) from error
    if overwrite and not replaceable:
        raise ExistsError(f"{final} is not a Zarr image; it is never overwritten, remove it yourself")
    if not replaceable:
        raise ExistsError(f"{final} exists already and is not a Zarr image; choose another name")
    if not overwrite:
        raise ExistsError(f"{final} exists already; choose another name, or {_REPLACE}")


def _is_image(place: Place) -> bool:
    """Return True where the root documents describe one image or label image, and not a plate or an array."""
    for name in ("zarr.json", ".zattrs"):
        if not object_exists(place, name):
            continue
        try:
            document = parse_document(read_object(place, name), name).value
        except MetadataError:
            return False
        attributes = document.get("attributes", {}) if name == "zarr.json" else document
        return isinstance(attributes, dict) and kind_of(attributes) in ("image", "label")
    return False


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
            f"or {_REPLACE}"
        )
    stray = [key for key in foreign if not key.split("/", 1)[0].removesuffix(f".{SCRATCH}").isdecimal()]
    if stray and not _is_image(final):
        raise ExistsError(
            f"{final} holds {len(keys)} objects (such as {stray[0]!r}) and is not a Zarr image; it is never "
            "overwritten, remove them yourself or choose another key"
        )
    delete_object(final, sorted(keys, key=lambda key: key not in ROOT_DOCUMENTS))
