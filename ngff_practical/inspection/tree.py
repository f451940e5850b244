"""Metadata documents below a place, local or on S3: found, bounded, and never outside of it."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ngff_practical.errors import AccessError, MetadataError, NotFoundError, StorageError
from ngff_practical.metadata import Document, parse_document
from ngff_practical.metadata.documents import LARGEST_DOCUMENT
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.wording import escaped, quoted
from ngff_practical.model import Issue, Place, StoredObject
from ngff_practical.storage import list_folder, list_objects, object_exists, parse_place, read_object

type ZarrFormat = Literal[2, 3]

_KEPT = 256 * 2**10  # bytes of a document that is kept: only those of plates are larger
_AT_ONCE = 8  # requests under way for one group's levels
_STATED_VERSION = re.compile(r"(?<![0-9.])v?0[._]?([1-9])(?![0-9.])")


class UnreadableError(MetadataError):
    """A metadata document that may not be read, is no JSON object, or is too large; `key` is where it is."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = escaped(key)


@dataclass(frozen=True, slots=True)
class Node:
    """A Zarr group or array: its own document and its attributes.

    `document` is zarr.json, .zgroup or .zarray, and None for a v2 group of which only .zattrs was read.
    """

    path: str
    zarr_format: ZarrFormat
    node_type: Literal["group", "array"]
    attributes: Mapping[str, object]
    document: Document | None = None
    attributes_document: Document | None = None


@dataclass(slots=True)
class Tree:
    """A place and what has been read below it; documents of usual size are fetched once."""

    place: Place
    fetched: dict[str, bytes | None] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """True for a folder of this machine."""
        return isinstance(self.place, Path)

    def fetch(self, keys: Iterable[str]) -> None:
        """Read documents at the same time, so that nobody waits for them one by one later."""
        if not self.local:
            wanted = [key for key in keys if key not in self.fetched]
            self.fetched.update(zip(wanted, self.each(self._bytes, wanted), strict=True))

    def document(self, key: str) -> Document | None:
        """Return a JSON document below the place, None where there is none (or none that may be read).

        Raises
        ------
        UnreadableError
            It is there, but no JSON object, or too large.
        """
        data = self.fetched[key] if key in self.fetched else self._bytes(key)
        if data is None or len(data) <= _KEPT:
            self.fetched[key] = data
        try:
            return None if data is None else parse_document(data, escaped(key))
        except MetadataError as error:
            raise UnreadableError(key, str(error)) from None

    def _bytes(self, key: str) -> bytes | None:
        if path_fault(key):
            raise UnreadableError(key, f"the path {quoted(key)} {path_fault(key)}")
        if isinstance(self.place, Path) and not _regular(self.place, key):
            return None
        try:
            return read_object(self.place, key)
        except NotFoundError:
            return None
        except AccessError as error:
            if isinstance(self.place, Path):  # a link that leads elsewhere, or permissions
                raise UnreadableError(key, str(error)) from None
            return None  # what S3 answers for a missing key in a bucket that may not be listed

    def node(self, path: str = "", *, first: ZarrFormat | None = None) -> Node | None:
        """Return the group or array at a path, None where there is none; `first` is the format to try first.

        Without `first` a version in the place's own name decides, as in IDR's keys (".../v0.4/..."): each
        guess that is wrong costs a request.
        """
        for zarr_format in (2, 3) if (first or self._likely_format()) == 2 else (3, 2):
            node = self._v3(path) if zarr_format == 3 else self._v2(path)
            if node is not None:
                return node
        return None

    def array(self, path: str, zarr_format: ZarrFormat) -> Document | None:
        """Return the document of an array in one format, None where there is none."""
        return self.document(array_key(path, zarr_format))

    def everything(self, path: str = "") -> Iterable[StoredObject]:
        """Return everything stored below a path."""
        return list_objects(self._below(path))

    def list_folder(self, path: str = "") -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
        """Return the names of the folders and the objects directly below a path."""
        return list_folder(self._below(path))

    def holds(self, key: str) -> bool:
        """Return True where a file is stored under a key."""
        try:
            return object_exists(self.place, key)
        except AccessError:
            return False

    def holds_below(self, path: str) -> bool:
        """Return True where anything is stored below a path; False, too, where nobody says."""
        try:
            folders, objects = self.list_folder(path)
        except StorageError:
            return False
        return bool(folders or objects)

    def each[Item, Result](self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Return a function's results in order: at once where every call waits for a server."""
        if self.local:
            return [function(item) for item in items]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(function, items))

    def _below(self, path: str) -> Place:
        return self.place / path if path else self.place

    def _likely_format(self) -> ZarrFormat:
        stated = _STATED_VERSION.findall(str(self.place))
        return 2 if stated and stated[-1] in "1234" else 3

    def _v3(self, path: str) -> Node | None:
        document = self.document(join(path, "zarr.json"))
        if document is None:
            return None
        attributes = document.value.get("attributes")
        found = attributes if isinstance(attributes, dict) else {}
        if document.value.get("node_type") == "array":
            return Node(path, 3, "array", found, document, document)
        return Node(path, 3, "group", found, document, document)

    def _v2(self, path: str) -> Node | None:
        attributes = self.document(join(path, ".zattrs"))
        if attributes is not None:
            value = attributes.value
            if value.keys() & _OME_KEYS:
                return Node(path, 2, "group", value, None, attributes)
        found = attributes.value if attributes else {}
        group = self.document(join(path, ".zgroup"))
        if group is not None:
            return Node(path, 2, "group", found, group, attributes)
        array = self.document(join(path, ".zarray"))
        if array is not None:
            return Node(path, 2, "array", found, array, attributes)
        return Node(path, 2, "group", attributes.value, None, attributes) if attributes else None


_OME_KEYS = {"multiscales", "plate", "well", "labels", "bioformats2raw.layout", "series", "ome"}


def open_tree(place: str | Place) -> Tree:
    """Return the tree at a place.

    Raises
    ------
    NotFoundError
        There is no such local file or folder.
    """
    found = parse_place(place) if isinstance(place, str) else place
    if isinstance(found, Path) and not found.exists():
        raise NotFoundError(f"there is nothing at {found}; check the spelling")
    return Tree(found)


def join(path: str, name: str) -> str:
    """Return the path of something below a group."""
    return f"{path}/{name}" if path else name


def array_key(path: str, zarr_format: ZarrFormat) -> str:
    """Return the key of an array's own document."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zarray")


def attributes_key(path: str, zarr_format: ZarrFormat) -> str:
    """Return the key of the document that holds a group's attributes."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zattrs")


def below(path: str, issue: Issue) -> Issue:
    """Return a finding with the path of its group before the path into the metadata."""
    if not path:
        return issue
    return replace(issue, where=f"{escaped(path)}: {issue.where}" if issue.where else escaped(path))


def _regular(root: Path, key: str) -> bool:
    """Return True for a file of a size that metadata may have; a pipe or a device would never end."""
    try:
        status = (root / key).stat()
    except (OSError, ValueError):
        return False
    if stat.S_ISREG(status.st_mode) and status.st_size > LARGEST_DOCUMENT:
        raise UnreadableError(
            key,
            f"{key} is {status.st_size / 2**20:.0f} MB large; "
            f"metadata stays below {LARGEST_DOCUMENT // 2**20} MB",
        )
    return stat.S_ISREG(status.st_mode)
