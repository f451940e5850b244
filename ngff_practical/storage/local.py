"""Objects in a local folder: keys with "/" on every system, and never a way out of the folder."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ngff_practical.errors import AccessError, ExistsError, NotFoundError, StorageError, TooLargeError
from ngff_practical.model import StoredObject


def list_files(root: Path) -> Iterator[StoredObject]:
    """Yield every file below a folder, in no particular order."""
    top = _folder(root)
    pending = [(top, "")]
    while pending:
        folder, prefix = pending.pop()
        with told(folder), os.scandir(folder) as entries:
            for entry in entries:
                key = prefix + entry.name
                if _is_folder(entry, top, key):
                    pending.append((Path(entry.path), key + "/"))
                elif not entry.is_file():  # to open a pipe is to wait for whoever writes into it
                    raise StorageError(f"{key} in {top} is neither a file nor a folder; move it away")
                else:
                    yield StoredObject(key, entry.stat().st_size)


def list_files_here(root: Path) -> tuple[tuple[str, ...], tuple[StoredObject, ...]]:
    """Return the folders and the files directly in a folder."""
    top = _folder(root)
    folders, files = [], []
    with told(top), os.scandir(top) as entries:
        for entry in entries:
            if _is_folder(entry, top, entry.name):
                folders.append(entry.name)
            else:
                files.append(StoredObject(entry.name, entry.stat().st_size))
    return tuple(sorted(folders)), tuple(sorted(files, key=lambda file: file.key))


def read_file(root: Path, key: str, *, limit: int | None = None) -> bytes:
    """Return the bytes of one file, which has at most `limit`."""
    path = file_path(root, key)
    try:
        with path.open("rb") as file:
            data = file.read(-1 if limit is None else limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"there is no file {path}; check the spelling") from None
    except IsADirectoryError:
        raise NotFoundError(f"{path} is a folder, not a file") from None
    except PermissionError:
        if path.is_dir():  # what Windows answers for a folder
            raise NotFoundError(f"{path} is a folder, not a file") from None
        raise AccessError(f"{path} may not be read by this user; change its permissions") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from None
    if limit is not None and len(data) > limit:
        raise TooLargeError(f"{path} has more than {limit} bytes; it was not read")
    return data


def file_exists(root: Path, key: str) -> bool:
    """Return True where the key is a file."""
    path = file_path(root, key)
    with told(path):
        return path.is_file()


def path_exists(path: Path) -> bool:
    """Return True where something, whatever it is, has this path."""
    with told(path):
        return path.exists()


def file_size(root: Path, key: str) -> int | None:
    """Return the size of a file, None where there is none: a pipe or a device would never end."""
    path = file_path(root, key)
    with told(path):
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system says of a path that cannot be looked at into our errors.

    Raises
    ------
    NotFoundError
        No file can have such a name.
    AccessError
        It is closed to this user.
    StorageError
        The disk, or the network behind it, does not answer.
    """
    try:
        yield
    except StorageError:
        raise  # ours already
    except PermissionError as error:
        closed = error.filename or path
        raise AccessError(f"{closed} may not be read by this user; change its permissions") from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP):
            raise NotFoundError(f"there is nothing at {path}; check the spelling") from None
        raise StorageError(f"{error.filename or path} cannot be read: {error.strerror}") from None


def write_file(root: Path, key: str, data: bytes, *, overwrite: bool) -> None:
    """Write one file, whole or not at all, with the folders above it."""
    path = file_path(root, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
    except (FileExistsError, NotADirectoryError):
        raise StorageError(
            f"{path.parent} cannot hold {path.name!r}: a file stands where a folder is needed"
        ) from None
    except PermissionError:
        raise AccessError(f"{path.parent} may not be written by this user; choose another folder") from None
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if overwrite:
            part.replace(path)
        else:
            _move_into_place(part, path)
    finally:
        part.unlink(missing_ok=True)


def _move_into_place(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename, fails where the name is taken
    except FileExistsError:
        raise ExistsError(f"{path} exists already; nothing was overwritten") from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise ExistsError(f"{path} exists already; nothing was overwritten") from None
        part.replace(path)


def delete_file(root: Path, key: str) -> None:
    """Delete one file; a file that is not there is no error."""
    file_path(root, key).unlink(missing_ok=True)


def file_path(root: Path, key: str) -> Path:
    """Return the path of a key below a folder.

    Raises
    ------
    AccessError
        The key, or a link on its way, leads out of the folder.
    """
    path = root / key if key else root
    if "\0" in key or key.startswith("/") or not real_path(path).is_relative_to(real_path(root)):
        raise AccessError(f"{key!r} leads out of the folder {root}; nothing outside it is read or written")
    return path


def real_path(path: Path) -> Path:
    """Return a path without links; `Path.resolve` of Python 3.12 fails where they go in circles."""
    return Path(os.path.realpath(path))


def _folder(root: Path) -> Path:
    with told(root):
        if not root.exists():
            raise NotFoundError(f"there is no folder {root}; check the spelling")
        if not root.is_dir():
            raise StorageError(f"{root} is a file, not a folder")
    return root.resolve()


def _is_folder(entry: os.DirEntry[str], top: Path, key: str) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return True
    if not entry.is_symlink():
        return False
    target = real_path(Path(entry.path))
    if not target.is_file() or not target.is_relative_to(top):
        raise AccessError(
            f"{key} in {top} is a link to {Path(entry.path).readlink()}; "
            "only links to files in the same folder are followed, put a copy in its place"
        )
    return False
