"""Fetch an image from S3: complete and proven under its name, or under no name at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ngff_practical.errors import AccessError, ExistsError, NotFoundError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, StoredObject, TransferReport
from ngff_practical.storage import list_folder
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.local import list_files
from ngff_practical.storage.lock import alone
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.fetching import Fetched, fetch_object, fetched_weight, keep_object, local_trouble
from ngff_practical.transfer.keys import check_local_names, local_path, waves
from ngff_practical.transfer.manifest import local_root, make_manifest, manifest_path, write_manifest
from ngff_practical.transfer.report import Progress

if TYPE_CHECKING:
    from ngff_practical.transfer.crop import Heads, Part


def download(
    source: Location,
    destination: str | Path,
    *,
    levels: Sequence[int] | None = None,
    region: Mapping[str, tuple[float, float]] | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    on_object: Progress | None = None,
) -> TransferReport:
    """Fetch an image (or a single object) from S3 and return what was fetched, skipped and proven.

    `destination` is the image's own path, and never a folder to put it in. Everything is written to
    "<destination>.part" first, which takes its name when all of it is there; a broken-off download goes on
    there, and fetches again only what is missing. An object is proven when its ETag is a checksum of the
    bytes that arrived; servers need not give such ETags, and then the report's `verified` is smaller than
    `objects`. The manifest is written beside the destination.

    With `levels` or `region` part of the image becomes an image of its own, without labels; the objects it
    touches are fetched whole and proven, then cut. The report counts these objects.

    Parameters
    ----------
    levels
        Numbers of the levels to fetch, 0 being the full resolution; None for all.
    region
        Lower and upper bound along some axes, such as {"z": (0, 50), "y": (100, 300)}, in the unit of each
        axis (micrometers, say; indices where it has no unit). Voxels whose centres lie between them are
        part of the image, whose translation says where it lay.
    overwrite
        Replace what is at the destination, at the very end.
    dry_run
        Only look; the report counts what would be fetched, its manifest has sizes and no checksums.
    on_object
        Called with the number of objects done (skipped ones included) and of all.

    Raises
    ------
    NotFoundError
        Nothing is stored there; the message lists what is beside it.
    ExistsError
        The destination exists.
    TransferError
        It began and could not end; the message says how to go on.
    """
    started = time.monotonic()
    target = local_root(destination)
    part = target.with_name(target.name + ".part")
    with Crew() as crew:
        objects = Objects(source, pause=crew.pause, ease=crew.ease)
        chosen = None
        if levels is not None or region is not None:
            from ngff_practical.transfer.crop import choose  # brings zarr, and whole images need none

            heads = _heads(objects, crew)
            chosen = crew.do(lambda: choose(objects, levels, region, heads))
        found = chosen.found if chosen else crew.do(lambda: _find(objects))
        check_local_names(key for key in found if key)
        with nullcontext() if dry_run else _held(target):
            _refuse_existing(target, overwrite)
            there = _sizes(part)
            missing = [stored for stored in found.values() if there.get(stored.key) != stored.nbytes]
            _check_space(target, sum(stored.nbytes for stored in missing))
            if dry_run:
                lacking = {stored.key for stored in missing}
                fetched = [
                    Fetched(
                        ManifestEntry(stored.key, stored.nbytes, ""),
                        proven=False,
                        copied=stored.key in lacking,
                    )
                    for stored in found.values()
                ]
            else:
                fetched = _fetch_all(found, there, objects, crew, part, on_object)
                _finish(fetched, found, chosen, part, target)
    manifest = _manifest(target, fetched)
    copied = sum(f.copied for f in fetched)
    return TransferReport(
        source=str(source),
        destination=str(destination),
        manifest=manifest,
        copied=copied,
        skipped=len(fetched) - copied,
        verified=sum(f.proven for f in fetched),
        problems=(),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


@contextmanager
def _held(target: Path) -> Iterator[None]:
    """Keep other downloads to the same place out; the folders above it are made where they are not."""
    with local_trouble(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target, "download"):
        yield


def _manifest(target: Path, fetched: Iterable[Fetched]) -> Manifest:
    return Manifest(target.name, tuple(sorted((f.entry for f in fetched), key=lambda entry: entry.key)))


def _finish(
    fetched: list[Fetched], found: dict[str, StoredObject], chosen: Part | None, part: Path, target: Path
) -> None:
    """Give what was fetched its name, and the manifest beside it."""
    with local_trouble(part):
        _clear_extra(part, found)
        if chosen:
            _make_part(chosen, part, target)
        else:
            _take_name(part, target)
    with local_trouble(manifest_path(target)):
        write_manifest(make_manifest(target) if chosen else _manifest(target, fetched), manifest_path(target))


def _find(objects: Objects) -> dict[str, StoredObject]:
    """Return the object at the location, or else all objects below it."""
    location = objects.location
    if location.key:
        try:
            return {"": objects.head()}
        except (NotFoundError, AccessError):  # also what S3 says of a key that is only a prefix
            pass
    found = {stored.key: stored for stored in objects.list()}
    if found:
        return found
    if not location.key:
        raise NotFoundError(f"{location.url} is an empty bucket")
    parent = Location(location.endpoint, location.bucket, location.key.rpartition("/")[0], location.anonymous)
    folders, files = list_folder(parent)
    beside = [*(f"{name}/" for name in folders), *(stored.key for stored in files)]
    listed = ", ".join(beside[:8]) + (f" and {len(beside) - 8} more" if len(beside) > 8 else "")
    raise NotFoundError(
        f"nothing is stored at {location.url}, neither an object nor an image; "
        f"{parent.url} holds {listed or 'nothing'}"
    )


def _heads(objects: Objects, crew: Crew) -> Heads:
    def head(key: str) -> StoredObject | None:
        try:
            return objects.head(key)
        except NotFoundError:
            return None

    return lambda keys: (stored for _, stored in crew.each(keys, head, lambda _: 0))


def _make_part(chosen: Part, part: Path, target: Path) -> None:
    cut = target.with_name(target.name + ".cut.part")
    shutil.rmtree(cut, ignore_errors=True)  # of a run that was ended here
    made = chosen.finish(part, cut)
    _take_name(made, target)
    if made != part:
        shutil.rmtree(part)


def _refuse_existing(target: Path, overwrite: bool) -> None:
    with local_trouble(target):
        free = _is_free(target)
    if overwrite or free:
        return
    raise ExistsError(
        f"{target} exists already; nothing was fetched. Give the image a name of its own "
        f"(such as {target / 'embryo.ome.zarr'}), or ask to overwrite (overwrite=True, --overwrite)"
        if target.is_dir()
        else f"{target} exists already; nothing was fetched. Choose another name, or ask to overwrite "
        "(overwrite=True, --overwrite)"
    )


def _is_free(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and not any(target.iterdir()))


def _check_space(target: Path, needed: int) -> None:
    folder = next(parent for parent in target.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{needed / 1e6:.1f} MB are to be fetched, and the disk of {folder} has "
            f"{free / 1e6:.1f} MB free; make room, or choose another disk"
        )


def _fetch_all(
    found: dict[str, StoredObject],
    there: dict[str, int],
    objects: Objects,
    crew: Crew,
    part: Path,
    on_object: Progress | None,
) -> list[Fetched]:
    fetched: list[Fetched] = []
    single = set(found) == {""}

    def way_on() -> str:
        return (
            f"{len(fetched)} of {len(found)} objects are in {part}; run the same command again: "
            "what is there is not fetched again"
        )

    try:
        with local_trouble(part):
            if part.exists() and part.is_dir() == single:
                raise StorageError(f"{part} is in the way; move it away")
            folders = set() if single else {key.rpartition("/")[0] for key in found}
            for folder in folders:
                local_path(part, folder).mkdir(parents=True, exist_ok=True)

        def fetch(key: str) -> Fetched:
            stored, path = found[key], local_path(part, key)
            kept = keep_object(stored, path) if there.get(key) == stored.nbytes else None
            return kept or fetch_object(stored, objects, crew, path)

        for group in waves(found):
            for _, one in crew.each(group, fetch, lambda key: fetched_weight(found[key].nbytes)):
                fetched.append(one)
                if on_object:
                    on_object(len(fetched), len(found))
    except (StorageError, TransferError) as error:
        raise TransferError(f"{error}. {way_on()}") from error
    except KeyboardInterrupt as stop:
        stop.add_note(way_on())
        raise
    return fetched


def _sizes(part: Path) -> dict[str, int]:
    """Return the sizes of the files that are there by key, that of a single file under ""."""
    with local_trouble(part):
        if part.is_file():
            return {"": part.stat().st_size}
        return {file.key: file.nbytes for file in list_files(part)} if part.is_dir() else {}


def _clear_extra(part: Path, found: dict[str, StoredObject]) -> None:
    """Leave in the folder what the server has and nothing else, and make sure that all of it is there."""
    there = _sizes(part)
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


def _take_name(part: Path, target: Path) -> None:
    if target.is_dir():
        old = Path(tempfile.mkdtemp(prefix=f"{target.name}.old-", dir=target.parent))
        target.rename(old / target.name)
        part.rename(target)
        shutil.rmtree(old)
    else:
        part.replace(target)
