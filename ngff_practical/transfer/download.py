"""Fetch an image from S3: complete and proven under its name, or under no name at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ngff_practical.errors import AccessError, NotFoundError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, StoredObject, TransferReport
from ngff_practical.storage import list_folder, refuse_portal
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.fetching import Fetched, fetch_object, fetched_weight, keep_object, local_trouble
from ngff_practical.transfer.keys import check_local_names, local_path, waves
from ngff_practical.transfer.landing import (
    check_space,
    check_way,
    clear_extra,
    held,
    refuse_existing,
    sizes,
    take_name,
)
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
        Replace the image or the file at the destination, at the very end.
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
        check_way(target, part, single=set(found) == {""})
        with nullcontext() if dry_run else held(target):
            refuse_existing(target, overwrite)
            there = sizes(part)
            missing = [stored for stored in found.values() if there.get(stored.key) != stored.nbytes]
            check_space(target, sum(stored.nbytes for stored in missing))
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


def _manifest(target: Path, fetched: Iterable[Fetched]) -> Manifest:
    return Manifest(target.name, tuple(sorted((f.entry for f in fetched), key=lambda entry: entry.key)))


def _finish(
    fetched: list[Fetched], found: dict[str, StoredObject], chosen: Part | None, part: Path, target: Path
) -> None:
    """Give what was fetched its name, and the manifest beside it."""
    with local_trouble(part):
        clear_extra(part, found)
        if chosen:
            _make_part(chosen, part, target)
        else:
            take_name(part, target)
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
    refuse_portal(location)
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
    take_name(made, target)
    if made != part:
        shutil.rmtree(part)


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
            folders = set() if single else {key.rpartition("/")[0] for key in found}
            for folder in folders:
                local_path(part, folder).mkdir(parents=True, exist_ok=True)

        def fetch(key: str) -> Fetched:
            stored, path = found[key], local_path(part, key)
            if stored.etag is None:  # not every server lists them
                stored = replace(stored, etag=objects.head(key).etag)
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
