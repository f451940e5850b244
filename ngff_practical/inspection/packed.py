"""A zip archive as a tree of objects: safe names only, listed and read like a folder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from ngff_practical.errors import NotFoundError
from ngff_practical.metadata.paths import path_fault
from ngff_practical.model import StoredObject
from ngff_practical.storage import Archive, Member

ROOTS = ("zarr.json", ".zattrs", ".zgroup")
"""Documents of which one lies at the root of a hierarchy."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of an archive by their keys below `folder`, which is "" where the image lies at the top.

    Members whose names lead elsewhere are in none of the answers. Of two with one name the last counts,
    as for most programs.
    """

    archive: Archive
    folder: str
    members: dict[str, Member]
    _keys: list[str] = field(repr=False)

    def read(self, key: str, *, limit: int) -> bytes:
        """Return the bytes of one file, as `Archive.read` does.

        Raises
        ------
        NotFoundError
            There is no such file.
        """
        if key not in self.members:
            raise NotFoundError(f"there is no file {key!r} in {self.archive.place}")
        return self.archive.read(self.members[key], limit=limit)

    def objects(self, path: str = "") -> Iterator[StoredObject]:
        """Yield everything below a path, sorted by key, which is relative to it."""
        start = f"{path}/" if path else ""
        for index in range(bisect_left(self._keys, start), len(self._keys)):
            key = self._keys[index]
            if not key.startswith(start):
                return
            yield StoredObject(key[len(start) :], self.members[key].nbytes)

    def list_folder(self, path: str = "") -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
        """Return the names of the folders and the files directly below a path, each sorted."""
        folders: dict[str, None] = {}
        files = []
        for stored in self.objects(path):
            name, slash, _ = stored.key.partition("/")
            if slash:
                folders[name] = None
            else:
                files.append(stored)
        return tuple(sorted(folders)), tuple(files)


def unpacked(archive: Archive) -> Packed:
    """Return the files of an archive; where its only image lies in a folder, that folder is the top."""
    named = {
        member.name: member
        for member in archive.members
        if not member.folder and not path_fault(member.name) and not member.name.endswith("/")
    }
    folder = _folder(named)
    start = f"{folder}/" if folder else ""
    members = {name[len(start) :]: member for name, member in named.items() if name.startswith(start)}
    return Packed(archive, folder, members, sorted(members))


def _folder(named: dict[str, Member]) -> str:
    if any(name in named for name in ROOTS):
        return ""
    tops = {name.split("/", 1)[0] for name in named if name.count("/") == 1 and name.endswith(ROOTS)}
    images = [top for top in tops if any(f"{top}/{root}" in named for root in ROOTS)]
    return images[0] if len(images) == 1 else ""
