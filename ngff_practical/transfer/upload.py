"""Send a local image to S3: chunks first, root metadata last, every object proven."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ngff_practical.errors import ExistsError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, Problem, TransferReport, check_location
from ngff_practical.storage import refuse_portal
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.exact import is_odd
from ngff_practical.storage.moving import Objects
from ngff_practical.storage.odd_keys import odd_key
from ngff_practical.transfer.checksums import (
    LARGE_NBYTES,
    etag_of_parts,
    md5,
    part_nbytes,
    sha256,
    sha256_of_object,
)
from ngff_practical.transfer.comparing import Plan, compare, refuse
from ngff_practical.transfer.keys import is_metadata, is_root_metadata, waves
from ngff_practical.transfer.manifest import local_root, manifest_path, write_manifest
from ngff_practical.transfer.report import Progress
from ngff_practical.transfer.source import SourceFile, source_files

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
    missing. Every file is read once, and its checksum goes into the manifest, which is written beside the
    source before the image can open. An object is proven when its ETag is the MD5 of the bytes sent, or
    else when it was read back and compared.

    Parameters
    ----------
    overwrite
        Replace an image that is there: it stops opening first, and objects of it that the source does not
        have are deleted.
    dry_run
        Only look and compare; the report counts what would be sent, and names as problems what would be
        deleted. Its manifest has checksums only of files that had to be compared.
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
    files = source_files(root, destination.key)
    with Crew() as crew:
        objects = Objects(destination, pause=crew.pause, ease=crew.ease)
        plan = compare(files, objects, crew)
        refuse(plan, files, root.name, destination, overwrite)
        to_send = plan.new + plan.changed
        if plan.changed or plan.extra:  # the root goes first, and so has to come again
            again = [key for key in plan.same if is_root_metadata(key)]
            to_send += again
            plan.same = [key for key in plan.same if key not in again]
        sums = plan.sums
        if not dry_run:
            sending = _Sending(root, files, objects, crew, plan)
            sending.run(to_send, on_object)
            sums = sending.sums
    return TransferReport(
        source=str(source),
        destination=str(destination),
        manifest=_manifest(root, files.values(), sums),
        copied=len(to_send),
        skipped=len(plan.same),
        verified=len(plan.same) + (0 if dry_run else len(to_send)),
        problems=_deletions(plan, objects) if dry_run else (),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


def _manifest(root: Path, files: Iterable[SourceFile], sums: Mapping[str, str]) -> Manifest:
    entries = (ManifestEntry(file.key, file.nbytes, sums.get(file.key, "")) for file in files)
    return Manifest(root.name, tuple(entries))


def _check_destination(destination: Location) -> None:
    check_location(destination)
    if not destination.key:
        raise StorageError(
            f"{destination.url} is a whole bucket; give the image a key of its own, "
            f"such as s3://{destination.bucket}/your-name/embryo.ome.zarr"
        )

    if is_odd(destination.key):
        raise odd_key(destination.url)


def _deletions(plan: Plan, objects: Objects) -> tuple[Problem, ...]:
    return tuple(Problem("extra", key, f"{objects.url(key)} would be deleted") for key in plan.extra)


def _weight(file: SourceFile) -> int:
    """Return the memory a file takes on its way: itself and the copy that is being sent, or a few parts."""
    return 2 * file.nbytes if file.nbytes <= LARGE_NBYTES else 6 * part_nbytes(file.nbytes)


class _Sending:
    def __init__(
        self, root: Path, files: Mapping[str, SourceFile], objects: Objects, crew: Crew, plan: Plan
    ) -> None:
        self.sums = {key: plan.sums[key] for key in plan.same}
        self._root = root
        self._files = files
        self._objects = objects
        self._crew = crew
        self._plan = plan
        self._done = len(plan.same)

    def run(self, keys: list[str], on_object: Progress | None) -> None:
        total = len(self._files)
        if on_object and self._done:
            on_object(self._done, total)
        counted = kept = False
        try:
            for key in filter(is_root_metadata, keys):  # small, and known before the image can open
                self.sums[key] = sha256(self._files[key].read())
            self._take_root_away()
            groups = waves(keys)
            if (
                groups and len(groups[0]) > 1
            ):  # whoever may not write here is told before all others are under way
                groups[:1] = [groups[0][:1], groups[0][1:]]
            for group in groups:
                if is_metadata(group[0]):
                    self._clear_extra()
                if is_root_metadata(group[0]) and not counted:
                    self._count_rest()
                    counted = True
                    self._keep_manifest()
                    kept = True
                sent = self._crew.each(group, self._send, lambda key: _weight(self._files[key]))
                for key, local in sent:
                    self.sums[key] = local
                    self._done += 1
                    if on_object:
                        on_object(self._done, total)
            self._clear_extra()
            if not kept:
                self._keep_manifest()
        except (StorageError, TransferError) as error:
            raise TransferError(f"{error}. {self._way_on()}") from error
        except KeyboardInterrupt as stop:
            stop.add_note(self._way_on())
            raise

    def _keep_manifest(self) -> None:
        manifest = _manifest(self._root, self._files.values(), self.sums)
        try:
            write_manifest(manifest, manifest_path(self._root))
        except OSError as error:  # read-only data can be uploaded, too
            _logger.warning("the manifest was not written: %s", error)

    def _take_root_away(self) -> None:
        """Let an image that is to be replaced stop opening, before anything of it changes."""
        if not (self._plan.changed or self._plan.extra):
            return
        for key in sorted(self._plan.there, reverse=True):
            if is_root_metadata(key):
                self._delete(key)
                self._plan.there.discard(key)
        self._plan.extra = [key for key in self._plan.extra if not is_root_metadata(key)]

    def _clear_extra(self) -> None:
        if self._plan.extra:
            self._delete(self._plan.extra)
            self._plan.extra = []

    def _delete(self, keys: str | list[str]) -> None:
        self._crew.do(lambda: self._objects.delete(keys))

    def _count_rest(self) -> None:
        """Make sure that everything but the root is there, and nothing else, before the image can open."""
        found = {stored.key: stored.nbytes for stored in self._crew.do(self._objects.list)}
        wanted = {key: file.nbytes for key, file in self._files.items() if not is_root_metadata(key)}
        for key in sorted(wanted):
            if found.get(key) != wanted[key]:
                self._crew.do(lambda: refuse_portal(self._objects.location))
                raise TransferError(
                    f"{self._objects.url(key)} has {found.get(key, 'no')} bytes where {wanted[key]} were "
                    "sent; somebody else changes the same place"
                )
        strange = sorted(key for key in found if key not in self._files)
        if strange:
            raise TransferError(
                f"{self._objects.url(strange[0])} appeared during the upload; "
                "somebody else writes to the same place"
            )

    def _send(self, key: str) -> str:
        """Send a file, and return its SHA-256 once it is proven to be there."""
        file = self._files[key]
        overwrite = key in self._plan.there
        send = self._send_parts if file.nbytes > LARGE_NBYTES else self._send_whole
        try:
            return send(file, overwrite)
        except ExistsError:
            # ours, when only the answer to an earlier attempt got lost
            local = file.sha256()
            if not overwrite and self._read_back(file) == local:
                return local
            raise ExistsError(
                f"{self._objects.url(key)} appeared during the upload, with other content; somebody else "
                "writes to the same place, and nothing of theirs was overwritten"
            ) from None

    def _send_whole(self, file: SourceFile, overwrite: bool) -> str:
        data = file.read()
        local, right = sha256(data), md5(data)
        if self.sums.get(file.key, local) != local:
            raise StorageError(f"{file.path} was changed while it was being sent; start again")
        for attempt in range(2):
            etag = self._objects.put(file.key, data, overwrite=overwrite or attempt > 0)
            if etag == right or self._read_back(file) == local:
                return local
        raise self._taken_back(file)

    def _send_parts(self, file: SourceFile, overwrite: bool) -> str:
        size = part_nbytes(file.nbytes)
        digests: list[bytes] = []
        whole = hashlib.sha256()

        def parts() -> Iterator[bytes]:
            nonlocal whole
            digests.clear()
            whole = hashlib.sha256()
            with file.unchanged(), file.path.open("rb") as opened:
                while piece := opened.read(size):
                    self._crew.pause(0)  # raises when the crew is to stop, which aborts the upload
                    whole.update(piece)
                    digests.append(hashlib.md5(piece, usedforsecurity=False).digest())
                    yield piece

        for attempt in range(2):
            etag = self._objects.put_parts(
                file.key, parts, overwrite=overwrite or attempt > 0, crew=self._crew
            )
            if etag == etag_of_parts(digests) or self._read_back(file) == whole.hexdigest():
                return whole.hexdigest()
        raise self._taken_back(file)

    def _read_back(self, file: SourceFile) -> str:
        return sha256_of_object(self._objects, self._objects.head(file.key), self._crew)

    def _taken_back(self, file: SourceFile) -> TransferError:
        """Delete an object that arrived wrong, which would be in the way of the next attempt."""
        with suppress(StorageError):
            self._objects.delete(file.key)
        return TransferError(
            f"{self._objects.url(file.key)} holds other bytes than were sent, twice in a row; "
            "something between this computer and the server changes data"
        )

    def _way_on(self) -> str:
        state = f"{self._done} of {len(self._files)} objects are at {self._objects.location.url}"
        root = {key for key in self._files if is_root_metadata(key)}
        if root.difference(self._plan.same):
            state += ", and the image does not open there before the last one is"
        return f"{state}. Run the same command again: what is there is not sent again"
