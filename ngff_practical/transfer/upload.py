"""Send a local image to S3: chunks first, root metadata last, every object proven."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ngff_practical.errors import ExistsError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, Problem, TransferReport
from ngff_practical.storage import delete_object, list_objects
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.checksums import (
    LARGE_NBYTES,
    check_still,
    etag_of_parts,
    md5,
    part_nbytes,
    sha256_of_object,
)
from ngff_practical.transfer.comparing import Plan, compare, refuse
from ngff_practical.transfer.crew import Crew, weight
from ngff_practical.transfer.keys import check_sendable, is_metadata, is_root_metadata, local_path, waves
from ngff_practical.transfer.manifest import local_root, make_manifest, manifest_path, write_manifest
from ngff_practical.transfer.report import Progress

_logger = logging.getLogger(__name__)


def upload(
    source: str | Path,
    destination: Location,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    on_object: Progress | None = None,
) -> TransferReport:
    """Send a folder (or one file) to S3 and return what was sent, skipped and proven.

    The objects of a folder lie directly below the destination's key, whether or not there is a slash at
    the end of either; a file becomes the object with that key. Chunks go first and the root's metadata
    last, so that a broken-off upload opens nowhere as an image. Running it again sends only what is
    missing. The manifest is written beside the source. An object is proven when its ETag is the MD5 of the
    bytes sent, or else when it was read back and compared.

    Parameters
    ----------
    overwrite
        Replace an image that is there: it stops opening first, and objects of it that the source does not
        have are deleted.
    dry_run
        Only look and compare; the report counts what would be sent, and names as problems what would be
        deleted.
    on_object
        Called with the number of objects done (skipped ones included) and of all.

    Raises
    ------
    ExistsError
        Other objects are there already. Nothing was sent.
    TransferError
        It began and could not end; the message says how to go on.
    """
    started = time.monotonic()
    root = local_root(source)
    _check_destination(destination)
    manifest = make_manifest(root)
    for entry in manifest.entries:
        check_sendable(entry.key or root.name, destination.key)
    with Crew() as crew:
        objects = Objects(destination, pause=crew.pause, ease=crew.ease)
        plan = compare(root, manifest, objects, crew)
        refuse(plan, manifest, destination, overwrite)
        to_send = plan.new + plan.changed
        if plan.changed or plan.extra:  # the root goes first, and so has to come again
            again = [key for key in plan.same if is_root_metadata(key)]
            to_send += again
            plan.same = [key for key in plan.same if key not in again]
        if not dry_run:
            _keep_manifest(manifest, root)
            sending = _Sending(root, manifest, objects, crew, plan)
            sending.run(to_send, on_object)
    return TransferReport(
        source=str(source),
        destination=str(destination),
        manifest=manifest,
        copied=len(to_send),
        skipped=len(plan.same),
        verified=len(plan.same) + (0 if dry_run else len(to_send)),
        problems=_deletions(plan, objects) if dry_run else (),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


def _check_destination(destination: Location) -> None:
    if not destination.key:
        raise StorageError(
            f"{destination.url} is a whole bucket; give the image a key of its own, "
            f"such as s3://{destination.bucket}/your-name/embryo.ome.zarr"
        )


def _deletions(plan: Plan, objects: Objects) -> tuple[Problem, ...]:
    return tuple(Problem("extra", key, f"{objects.url(key)} would be deleted") for key in plan.extra)


def _keep_manifest(manifest: Manifest, root: Path) -> None:
    path = manifest_path(root)
    try:
        write_manifest(manifest, path)
    except OSError as error:  # read-only data can be uploaded, too
        _logger.warning("the manifest was not written: %s", error)


class _Sending:
    def __init__(self, root: Path, manifest: Manifest, objects: Objects, crew: Crew, plan: Plan) -> None:
        self._root = root
        self._entries = {entry.key: entry for entry in manifest.entries}
        self._objects = objects
        self._crew = crew
        self._plan = plan
        self._done = len(plan.same)

    def run(self, keys: list[str], on_object: Progress | None) -> None:
        total = len(self._entries)
        if on_object and self._done:
            on_object(self._done, total)
        counted = False
        try:
            self._take_root_away()
            groups = waves(keys)
            if (
                groups and len(groups[0]) > 1
            ):  # whoever may not write here is told before 31 more are under way
                groups[:1] = [groups[0][:1], groups[0][1:]]
            for group in groups:
                if is_metadata(group[0]):
                    self._clear_extra()
                if is_root_metadata(group[0]) and not counted:
                    self._count_rest()
                    counted = True
                for _ in self._crew.each(group, self._send, lambda key: weight(self._entries[key].nbytes)):
                    self._done += 1
                    if on_object:
                        on_object(self._done, total)
            self._clear_extra()
        except (StorageError, TransferError) as error:
            raise TransferError(f"{error}. {self._way_on()}") from error

    def _take_root_away(self) -> None:
        """Let an image that is to be replaced stop opening, before anything of it changes."""
        if not (self._plan.changed or self._plan.extra):
            return
        for key in sorted(self._plan.there, reverse=True):
            if is_root_metadata(key):
                delete_object(self._objects.location, key)
                self._plan.there.discard(key)
        self._plan.extra = [key for key in self._plan.extra if not is_root_metadata(key)]

    def _clear_extra(self) -> None:
        if self._plan.extra:
            delete_object(self._objects.location, self._plan.extra)
            self._plan.extra = []

    def _count_rest(self) -> None:
        """Make sure that everything but the root is there, and nothing else, before the image can open."""
        found = {stored.key: stored.nbytes for stored in list_objects(self._objects.location)}
        wanted = {key: entry.nbytes for key, entry in self._entries.items() if not is_root_metadata(key)}
        for key in sorted(wanted):
            if found.get(key) != wanted[key]:
                raise TransferError(
                    f"{self._objects.url(key)} has {found.get(key, 'no')} bytes where {wanted[key]} were "
                    "sent; somebody else changes the same place"
                )
        strange = sorted(key for key in found if key not in self._entries)
        if strange:
            raise TransferError(
                f"{self._objects.url(strange[0])} appeared during the upload; "
                "somebody else writes to the same place"
            )

    def _send(self, key: str) -> None:
        entry = self._entries[key]
        overwrite = key in self._plan.there
        try:
            if entry.nbytes > LARGE_NBYTES:
                self._send_parts(entry, overwrite)
            else:
                self._send_whole(entry, overwrite)
        except ExistsError:
            # ours, when only the answer to an earlier attempt got lost
            if overwrite or self._read_back(entry) != entry.sha256:
                raise ExistsError(
                    f"{self._objects.url(key)} appeared during the upload, with other content; somebody else "
                    "writes to the same place, and nothing of theirs was overwritten"
                ) from None

    def _send_whole(self, entry: ManifestEntry, overwrite: bool) -> None:
        path = local_path(self._root, entry.key)
        with _readable(path):
            data = path.read_bytes()
        check_still(hashlib.sha256(data).hexdigest(), entry.sha256, path)
        for attempt in range(2):
            etag = self._objects.put(entry.key, data, overwrite=overwrite or attempt > 0)
            if etag == md5(data) or self._read_back(entry) == entry.sha256:
                return
        raise self._altered(entry)

    def _send_parts(self, entry: ManifestEntry, overwrite: bool) -> None:
        path = local_path(self._root, entry.key)
        size = part_nbytes(entry.nbytes)
        digests: list[bytes] = []

        def parts() -> Iterator[bytes]:
            digests.clear()
            whole = hashlib.sha256()
            with _readable(path), path.open("rb") as file:
                while piece := file.read(size):
                    self._crew.pause(0)  # raises when the crew is to stop, which aborts the upload
                    whole.update(piece)
                    digests.append(hashlib.md5(piece, usedforsecurity=False).digest())
                    yield piece
            check_still(whole.hexdigest(), entry.sha256, path)

        for attempt in range(2):
            etag = self._objects.put_parts(entry.key, parts, overwrite=overwrite or attempt > 0)
            if etag == etag_of_parts(digests) or self._read_back(entry) == entry.sha256:
                return
        raise self._altered(entry)

    def _read_back(self, entry: ManifestEntry) -> str:
        return sha256_of_object(self._objects, self._objects.head(entry.key))

    def _altered(self, entry: ManifestEntry) -> TransferError:
        return TransferError(
            f"{self._objects.url(entry.key)} holds other bytes than were sent, twice in a row; "
            "something between this computer and the server changes data"
        )

    def _way_on(self) -> str:
        state = f"{self._done} of {len(self._entries)} objects are at {self._objects.location.url}"
        root = {key for key in self._entries if is_root_metadata(key)}
        if root.difference(self._plan.same):
            state += ", and the image does not open there before the last one is"
        return f"{state}. Run the same command again: what is there is not sent again"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be read any more: {error.strerror or error}") from None
