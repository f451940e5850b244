"""Compare what is stored on S3 with a manifest, byte for byte."""

from __future__ import annotations

import time
from pathlib import Path

from ngff_practical.errors import NotFoundError
from ngff_practical.model import Location, Manifest, ManifestEntry, Problem, StoredObject, TransferReport
from ngff_practical.storage import refuse_portal
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.checksums import read_weight, sha256_of_object
from ngff_practical.transfer.manifest import is_manifest_path, make_manifest, read_manifest
from ngff_practical.transfer.report import Progress


def verify(
    manifest: Manifest | str | Path, location: Location, *, on_object: Progress | None = None
) -> tuple[Problem, ...]:
    """Return every object that is missing, changed or extra; nothing means every object is there as it was.

    Every object is read in full and its SHA-256 compared: an ETag is not believed. `manifest` may also be
    the path of a manifest, or of the local image itself, which is then read as it is now.

    Raises
    ------
    StorageError
        The location, the manifest or the local image cannot be read.
    """
    return verify_copy(manifest, location, on_object=on_object).problems


def verify_copy(
    source: Manifest | str | Path, location: Location, *, on_object: Progress | None = None
) -> TransferReport:
    """Return what `verify` finds as a report: how many objects were proven, and how long it took."""
    started = time.monotonic()
    manifest = _manifest(source)
    with Crew() as crew:
        objects = Objects(location, pause=crew.pause, ease=crew.ease)
        stored = crew.do(lambda: stored_objects(objects, single=is_single(manifest)))
        if manifest.entries and not stored:
            crew.do(lambda: refuse_portal(location))
        problems = [
            Problem("extra", key, f"{objects.url(key)} is there and not part of {manifest.name}")
            for key in stored.keys() - {entry.key for entry in manifest.entries}
        ]

        def compare(entry: ManifestEntry) -> Problem | None:
            other = stored.get(entry.key)
            return _missing(entry, objects) if other is None else _difference(entry, other, objects, crew)

        for done, (_, problem) in enumerate(
            crew.each(manifest.entries, compare, lambda entry: read_weight(entry.nbytes)), 1
        ):
            if problem:
                problems.append(problem)
            if on_object:
                on_object(done, len(manifest.entries))
    unproven = sum(problem.kind != "extra" for problem in problems)
    return TransferReport(
        source=manifest.name if isinstance(source, Manifest) else str(source),
        destination=str(location),
        manifest=manifest,
        copied=0,
        skipped=0,
        verified=len(manifest.entries) - unproven,
        problems=tuple(sorted(problems, key=lambda problem: problem.key)),
        seconds=time.monotonic() - started,
    )


def is_single(manifest: Manifest) -> bool:
    """Return True for the manifest of one file, whose only key is ""."""
    return [entry.key for entry in manifest.entries] == [""]


def stored_objects(objects: Objects, *, single: bool) -> dict[str, StoredObject]:
    """Return what is stored at a place (`single`) or below it, by key."""
    if not single:
        return {stored.key: stored for stored in objects.list()}
    try:
        return {"": objects.head()}
    except NotFoundError:
        return {}


def _manifest(source: Manifest | str | Path) -> Manifest:
    if isinstance(source, Manifest):
        return source
    return read_manifest(source) if is_manifest_path(source) else make_manifest(source)


def _difference(entry: ManifestEntry, other: StoredObject, objects: Objects, crew: Crew) -> Problem | None:
    url = objects.url(entry.key)
    if other.nbytes != entry.nbytes:
        return Problem("changed", entry.key, f"{url} has {other.nbytes} bytes, {entry.nbytes} are right")
    try:
        sha256 = sha256_of_object(objects, other, crew)
    except NotFoundError:
        return _missing(entry, objects)
    if sha256 != entry.sha256:
        return Problem("changed", entry.key, f"{url} has the right size, and other bytes")
    return None


def _missing(entry: ManifestEntry, objects: Objects) -> Problem:
    return Problem("missing", entry.key, f"{objects.url(entry.key)} is not there ({entry.nbytes} bytes)")
