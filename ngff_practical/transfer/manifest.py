"""The manifest: every object of an image with its size and SHA-256, kept beside the local data."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from ngff_practical.errors import NotFoundError, StorageError, TransferError
from ngff_practical.model import Location, Manifest, ManifestEntry, StoredObject
from ngff_practical.storage import list_objects, write_object
from ngff_practical.storage.crew import Crew
from ngff_practical.transfer.checksums import sha256_of_file
from ngff_practical.transfer.keys import check_sendable, is_junk, local_path

_SUFFIX = ".manifest.json"
_FORMAT = "ngff-practical manifest"
_FORMAT_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READERS = 4
_MOST_NBYTES = 2**31


def make_manifest(source: str | Path) -> Manifest:
    """Return the manifest of a local image: every file below the folder is read once.

    A single file (a TIFF) has one entry whose key is "". What desktops leave behind (.DS_Store, Thumbs.db)
    is left out.

    Raises
    ------
    StorageError
        The folder does not exist or is empty, or a file's name cannot be a key.
    """
    root = local_root(source)
    files = local_files(root)
    for file in files:
        check_sendable(file.key or root.name)
    sums: dict[str, str] = {}
    with Crew(workers=_READERS) as crew:
        for file, sha256 in crew.each(files, lambda file: _sum_of(local_path(root, file.key)), lambda _: 0):
            sums[file.key] = sha256
    entries = tuple(ManifestEntry(file.key, file.nbytes, sums[file.key]) for file in files)
    return Manifest(root.name, entries)


def manifest_path(place: str | Path) -> Path:
    """Return where the manifest of a local image is kept: beside it, never inside."""
    root = local_root(place)
    return root.with_name(root.name + _SUFFIX)


def is_manifest_path(path: str | Path) -> bool:
    """Return True for a path that is named like a manifest."""
    return str(path).endswith(_SUFFIX)


def write_manifest(manifest: Manifest, path: str | Path) -> Path:
    """Write a manifest, whole or not at all, and return its path. An older one is replaced."""
    target = local_root(path)
    objects = [
        {"key": entry.key, "bytes": entry.nbytes, "sha256": entry.sha256} for entry in manifest.entries
    ]
    document = {
        "format": _FORMAT,
        "version": _FORMAT_VERSION,
        "name": manifest.name,
        "objects": objects,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_object(target.parent, target.name, text.encode(), overwrite=True)
    return target


def read_manifest(path: str | Path) -> Manifest:
    """Return the manifest in a file.

    Raises
    ------
    NotFoundError
        There is no such file.
    TransferError
        It is not a manifest of this package, or a damaged one.
    """
    target = Path(path)
    if not target.is_file():
        raise NotFoundError(
            f"there is no manifest {target}; `upload` and `download` write it beside the data"
        )
    damaged = TransferError(
        f"{target} is not a manifest written by `upload` or `download`; give the image's folder instead"
    )
    if target.stat().st_size > _MOST_NBYTES:
        raise damaged
    try:
        document = json.loads(target.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise damaged from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise damaged
    if document.get("version") != _FORMAT_VERSION:
        raise TransferError(
            f"{target} is a manifest of version {document.get('version')!r}, this package reads version "
            f"{_FORMAT_VERSION}; update the package, or give the image's folder instead"
        )
    name, objects = document.get("name"), document.get("objects")
    if not isinstance(name, str) or not isinstance(objects, list):
        raise damaged
    entries = [_entry(item) for item in objects]
    kept = tuple(entry for entry in entries if entry is not None)
    if len(kept) != len(entries) or len({entry.key for entry in kept}) != len(kept):
        raise damaged
    return Manifest(name, kept)


def local_root(path: str | Path) -> Path:
    """Return an absolute path without "..", a trailing slash or "~", so that it has a name and a parent."""
    if isinstance(path, Location):
        raise StorageError(f"{path} is a place on S3; give the file or folder on this machine first")
    root = Path(os.path.normpath(Path(path).expanduser().absolute()))
    if not root.name or "\0" in str(root):
        raise StorageError(f"{str(root)!r} cannot be the name of a file or folder; give one of its own")
    return root


def local_files(root: Path) -> list[StoredObject]:
    """Return the files of a local image by key, without what desktops leave behind.

    Raises
    ------
    StorageError
        The folder does not exist or is empty.
    """
    if root.is_file():
        return [StoredObject("", root.stat().st_size)]
    files = [file for file in list_objects(root) if not is_junk(file.key)]
    if not files:
        raise StorageError(f"{root} is empty; there is nothing to send or to compare")
    return files


def _sum_of(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}") from None


def _entry(item: object) -> ManifestEntry | None:
    match item:
        case {"key": str(key), "bytes": int(nbytes), "sha256": str(sha256)}:
            return ManifestEntry(key, nbytes, sha256) if nbytes >= 0 and _SHA256.fullmatch(sha256) else None
    return None
