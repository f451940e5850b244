"""Keys: in which order they travel, and which of them may become a file on this computer."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import PurePath

from ngff_practical.errors import StorageError

_METADATA = (".zgroup", ".zarray", ".zmetadata", ".zattrs", "zarr.json")  # the ones that open an image last
_JUNK = (".DS_Store", "Thumbs.db", "desktop.ini")
_MOST_BYTES = 1024  # of a key, by S3's rules
_LONGEST_NAME = 255  # bytes: what Linux, macOS and Windows give a file
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_ON_WINDOWS = re.compile(
    r'[<>:"|?*]|[ .]$|^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)', re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:")


def is_root_metadata(key: str) -> bool:
    """Return True for the objects without which nothing opens as an image."""
    return key in _METADATA


def is_metadata(key: str) -> bool:
    """Return True for metadata of any group or array."""
    return key.rsplit("/", 1)[-1] in _METADATA


def is_junk(key: str) -> bool:
    """Return True for what desktops leave in folders they have shown."""
    name = key.rsplit("/", 1)[-1]
    return name in _JUNK or name.startswith("._")


def waves(keys: Iterable[str]) -> list[list[str]]:
    """Return the keys in groups to be sent one after the other, those of a group in any order.

    First all chunks, then metadata from the innermost array outwards, at last the root's, one at a time:
    whatever is missing when a transfer breaks off, the root is.
    """
    chunks: list[str] = []
    inner: dict[int, list[str]] = {}
    root: list[str] = []
    for key in sorted(keys):
        if not is_metadata(key):
            chunks.append(key)
        elif is_root_metadata(key):
            root.append(key)
        else:
            inner.setdefault(key.count("/"), []).append(key)
    nested = [inner[depth] for depth in sorted(inner, reverse=True)]
    last = [[key] for key in sorted(root, key=_METADATA.index)]
    return [group for group in ([chunks] if chunks else []) + nested + last if group]


def check_sendable(key: str, prefix: str = "") -> None:
    """Raise StorageError for a file name that makes no key every S3 client can read."""
    if _CONTROL.search(key) or "\\" in key:
        raise StorageError(f"{key!r} has a control character or a backslash in its name; rename it")
    try:
        length = len(f"{prefix}/{key}".encode())
    except UnicodeEncodeError:
        raise StorageError(f"{key!r} is not valid Unicode; rename it") from None
    if length > _MOST_BYTES:
        raise StorageError(f"the key of {key!r} would have {length} bytes, and S3 allows {_MOST_BYTES}")


def check_local_names(keys: Iterable[str], *, windows: bool = sys.platform == "win32") -> None:
    """Raise StorageError unless all keys, as a server listed them, can be files below one folder.

    A key that leads elsewhere ("../x", "/x", "C:x", a backslash) is refused, and so is one that is both a
    file and a folder, or on Windows one that would name a device or a hidden stream ("nul", "a:b").
    """
    wanted = set(keys)
    for key in wanted:
        parts = key.split("/")
        if (
            any(part in ("", ".", "..") for part in parts)
            or any(_DRIVE.match(part) for part in parts)
            or "\\" in key
            or _CONTROL.search(key)
            or (windows and any(_NOT_ON_WINDOWS.search(part) for part in parts))
        ):
            raise StorageError(
                f"the server lists the key {key!r}, which cannot be a file below the destination; "
                "nothing was downloaded. Ask its owner to give the object another key"
            )
        if any(len(part.encode()) > _LONGEST_NAME for part in parts):
            raise StorageError(
                f"the server lists the key {key!r}, a part of which is longer than the {_LONGEST_NAME} bytes "
                "that a file's name may have; nothing was downloaded"
            )
    for key in wanted:
        above = key.rpartition("/")[0]
        while above:
            if above in wanted:
                raise StorageError(
                    f"the server holds both an object {above!r} and objects below it, such as {key!r}; "
                    "a computer's folders cannot; nothing was downloaded"
                )
            above = above.rpartition("/")[0]


def local_path[P: PurePath](root: P, key: str) -> P:
    """Return the file for a key below a folder; the key "" is the place itself."""
    return root.joinpath(*key.split("/")) if key else root
