"""What lies in a folder, on this machine or on S3: paths whose names can be read, and the places behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from ngff_practical.model import Location, Place
from ngff_practical.stack.faults import reading, shown
from ngff_practical.storage import list_folder

AT_ONCE = 16  # requests under way: each waits for an answer, and together they fill a line
_ENDINGS = (".tif", ".tiff")
_OTHER_ENDINGS = (".btf", ".tf2", ".tf8", ".stk", ".lsm")  # TIFFs, too, where no others are
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in one folder, or in all folders of one depth."""

    files: list[PurePath]
    folders: list[PurePath]
    others: list[PurePath]


class Folder:
    """A folder of TIFFs. Its `path` stands before all paths in it; on S3 it is bucket and key."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path: PurePath = place if isinstance(place, Path) else PurePosixPath(place.bucket, place.key)

    @property
    def called(self) -> str:
        """What messages call the folder."""
        return f"the folder {shown(self.place.resolve() if isinstance(self.place, Path) else self.place)}"

    def file(self, path: PurePath) -> Place:
        """Return the place of a file in the folder."""
        if isinstance(self.place, Path):
            return Path(path)
        return self.place / path.relative_to(self.path).as_posix()

    def listing(self, folders: Sequence[PurePath] | None = None) -> Listing:
        """Return what lies in this folder, or in some inside it, sorted; hidden files do not count.

        On S3 one request answers for up to 1,000 names of one folder.
        """
        inside = [self.path] if folders is None else folders
        listing = Listing([], [], [])
        for folder, names in zip(inside, self.map(self._names, inside), strict=True):
            for name, is_folder in names:
                _sort_in(listing, folder / name, is_folder=is_folder)
        if not listing.files:
            listing.files.extend(path for path in listing.others if path.suffix.lower() in _OTHER_ENDINGS)
            listing.others[:] = [path for path in listing.others if path not in set(listing.files)]
        return listing

    def map[A, B](self, act: Callable[[A], B], things: Sequence[A]) -> Iterator[B]:
        """Yield what `act` returns for each; on S3 some wait for their answers at the same time."""
        if isinstance(self.place, Path) or len(things) < 2:
            yield from map(act, things)
            return
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="headers") as threads:
            jobs = [threads.submit(act, thing) for thing in things]
            try:
                for job in jobs:
                    yield job.result()
            finally:
                for job in jobs:
                    job.cancel()

    def _names(self, folder: PurePath) -> list[tuple[str, bool]]:
        """Return the names in one folder, and whether each is a folder."""
        place = self.place if folder == self.path else self.file(folder)
        if isinstance(place, Location):
            folders, objects = list_folder(place)
            found = [(name, True) for name in folders] + [(stored.key, False) for stored in objects]
            return sorted(pair for pair in found if pair[0] not in ("", ".", ".."))
        with reading(place):
            return sorted((entry.name, (place / entry.name).is_dir()) for entry in os.scandir(place))


def _sort_in(listing: Listing, path: PurePath, *, is_folder: bool) -> None:
    hidden, ending = path.name.startswith("."), path.suffix.lower()
    if is_folder:
        if not hidden:
            listing.folders.append(path)
    elif ending in _ENDINGS and not hidden and not _is_device(path):
        listing.files.append(path)
    elif path.name.lower() not in _SYSTEM_FILES and ending != ".ome":
        listing.others.append(path)


def _is_device(path: PurePath) -> bool:
    """Return True for pipes and devices, which would be waited for; broken links are found when read."""
    return isinstance(path, Path) and path.exists() and not path.is_file()
