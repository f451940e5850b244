"""Metadata documents below a place, local or on S3: found, bounded, and never outside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ngff_practical.errors import AccessError, MetadataError, NotFoundError, StorageError, TooLargeError
from ngff_practical.inspection.guessing import Top, format_by_name, top_of
from ngff_practical.inspection.keys import ZarrFormat, array_key, join
from ngff_practical.inspection.packed import Packed, unpacked
from ngff_practical.metadata import Document, parse_document
from ngff_practical.metadata.documents import LARGEST_DOCUMENT, is_web_page
from ngff_practical.metadata.paths import path_fault
from ngff_practical.metadata.wording import escaped, located, quoted
from ngff_practical.model import Place, StoredObject
from ngff_practical.storage import (
    ARCHIVES,
    file_size,
    list_folder,
    list_objects,
    object_exists,
    open_archive,
    parse_place,
    path_exists,
    read_object,
)

_KEPT = 256 * 2**10  # bytes of a document that is kept: only those of plates are larger
_PATIENCE_S = 30.0  # for one document, whose server may send a byte every second
_AT_ONCE = 8  # requests under way for one group's levels


class UnreadableError(MetadataError):
    """A metadata document that may not be read, is no JSON object, or is too large; `key` is where it is."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = located(key)


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
    """A place and what has been read below it; documents of usual size are fetched once.

    `packed` is set where the place is a zip archive: everything is then read from it.
    """

    place: Place
    packed: Packed | None = None
    fetched: dict[str, bytes | None] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)  # keys for which the server sent a web page instead
    top: Top | None = None  # where it was listed to find out the format

    def close(self) -> None:
        """Let go of the archive, where the place is one."""
        if self.packed:
            self.packed.archive.close()

    @property
    def local(self) -> bool:
        """True for a folder, or an archive, of this machine."""
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
        if self.top and self.top.lacks(key):
            return None
        try:
            data = self.read(key, LARGEST_DOCUMENT, timeout_s=_PATIENCE_S)
            if self.local or not is_web_page(data):
                return data
            self.pages.append(key)
        except NotFoundError:
            return None
        except TooLargeError:
            most = LARGEST_DOCUMENT // 2**20
            message = f"{escaped(key)} is more than {most} MB large; metadata stays below that"
            raise UnreadableError(key, message) from None
        except AccessError as error:
            if self.local:  # a link that leads elsewhere, or permissions
                raise UnreadableError(key, str(error)) from None
            return None  # what S3 answers for a missing key in a bucket that may not be listed
        except StorageError as error:
            if self.packed:
                raise UnreadableError(key, str(error)) from None
            raise
        return None  # what servers made for one web application answer for whatever is not there

    def read(self, key: str, limit: int, *, timeout_s: float | None = None) -> bytes:
        """Return the bytes of a file of at most `limit` bytes; a server may take `timeout_s` for it.

        Raises
        ------
        NotFoundError
            There is no file; a pipe or a device, whose end may never come, is none.
        TooLargeError
            It is larger; it was not read.
        StorageError
            It may not be read, or the archive is damaged there.
        """
        if self.packed:
            return self.packed.read(key, limit=limit)
        if isinstance(self.place, Path):
            nbytes = file_size(self.place, key)
            if nbytes is None:
                raise NotFoundError(f"there is no file {key!r} in {self.place}")
            if nbytes > limit:
                raise TooLargeError(f"{key!r} in {self.place} has more than {limit} bytes")
        return read_object(self.place, key, limit=limit, timeout_s=timeout_s)

    def node(self, path: str = "", *, first: ZarrFormat | None = None) -> Node | None:
        """Return the group or array at a path, None where there is none; `first` is the format to try first.

        Without `first` it is guessed (see `guessing`): a guess that is wrong costs a request.
        """
        if first is None and not (self.local or self.packed):
            first = format_by_name(self.place) or self._listed_format()
            if first == 2:
                return self._v2_of_ome(path) or self._v3(path) or self._v2(path)
        return self._v2(path) or self._v3(path) if first == 2 else self._v3(path) or self._v2(path)

    def array(self, path: str, zarr_format: ZarrFormat) -> Document | None:
        """Return the document of an array in one format, None where there is none."""
        return self.document(array_key(path, zarr_format))

    def everything(self, path: str = "") -> Iterable[StoredObject]:
        """Return everything stored below a path."""
        return self.packed.objects(path) if self.packed else list_objects(self._below(path))

    def list_folder(self, path: str = "") -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
        """Return the names of the folders and the objects directly below a path."""
        return self.packed.list_folder(path) if self.packed else list_folder(self._below(path))

    def holds(self, key: str) -> bool:
        """Return True where a document, readable or not, is stored under a key."""
        if self.packed:
            return key in self.packed.members
        try:
            return object_exists(self.place, key) if self.local else self._bytes(key) is not None
        except AccessError:
            return False
        except UnreadableError:
            return True

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

    def _listed_format(self) -> ZarrFormat | None:
        self.top = top_of(self.place)
        return self.top.zarr_format if self.top else None

    def _v3(self, path: str) -> Node | None:
        document = self.document(join(path, "zarr.json"))
        if document is None:
            return None
        attributes = document.value.get("attributes")
        found = attributes if isinstance(attributes, dict) else {}
        if document.value.get("node_type") == "array":
            return Node(path, 3, "array", found, document, document)
        return Node(path, 3, "group", found, document, document)

    def _v2_of_ome(self, path: str) -> Node | None:
        attributes = self.document(join(path, ".zattrs"))
        known = attributes is not None and attributes.value.keys() & _OME_KEYS
        return Node(path, 2, "group", attributes.value, None, attributes) if attributes and known else None

    def _v2(self, path: str) -> Node | None:
        known = self._v2_of_ome(path)
        if known is not None:
            return known
        attributes = self.document(join(path, ".zattrs"))
        found = attributes.value if attributes else {}
        group = self.document(join(path, ".zgroup"))
        if group is not None:
            return Node(path, 2, "group", found, group, attributes)
        array = self.document(join(path, ".zarray"))
        if array is not None:
            return Node(path, 2, "array", found, array, attributes)
        return Node(path, 2, "group", attributes.value, None, attributes) if attributes else None


_DOCUMENTS = {"zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata"}
_OME_KEYS = {"multiscales", "plate", "well", "labels", "bioformats2raw.layout", "series", "ome"}


@contextmanager
def open_tree(place: str | Place) -> Iterator[Tree]:
    """Give the tree at a place, open as long as it is looked at; that of a document is the folder it is in.

    Raises
    ------
    NotFoundError
        There is no such local file or folder.
    UnreadableError
        It is a file called .zip or .ozx, or one that begins like an archive, and none that can be read.
    """
    found = _above_document(parse_place(place) if isinstance(place, str) else place)
    if isinstance(found, Path) and not path_exists(found):
        raise NotFoundError(f"there is nothing at {found}; check the spelling")
    tree = Tree(found, _packed(found))
    try:
        yield tree
    finally:
        tree.close()


def _above_document(place: Place) -> Place:
    """Return the folder of a metadata document, whose address people copy, and any other place as it is."""
    if place.name not in _DOCUMENTS:
        return place
    if isinstance(place, Path):
        return place.parent if file_size(place, "") is not None else place
    return replace(place, key=place.key.rpartition("/")[0]) if "/" in place.key else place


def _packed(place: Place) -> Packed | None:
    called = place.name.lower().endswith(ARCHIVES)
    if not (file_size(place, "") is not None if isinstance(place, Path) else called):
        return None
    try:
        archive = open_archive(place)
    except NotFoundError:
        return None  # a prefix on S3 that is called like an archive
    except AccessError:
        if isinstance(place, Path):
            raise
        return None
    except StorageError as error:
        raise UnreadableError("", str(error)) from None
    if archive is None and called:
        raise UnreadableError("", f"{place} is no zip archive; it was probably not copied whole")
    return unpacked(archive) if archive else None
