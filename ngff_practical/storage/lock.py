"""One writer of a folder at a time: a lock that ends with its process."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ngff_practical.errors import ExistsError, StorageError

LOCK = ".lock"
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def alone(final: Path, work: str) -> Iterator[None]:
    """Hold the lock of a destination: the file `NAME.lock` beside it, there only while it is held.

    After `kill -9` the file stays and its lock does not, so the next one takes it over. A file system
    without locks (some network folders) is used without. `work` is what is done, for the message.

    Raises
    ------
    ExistsError
        Another process, or another thread of this one, is writing the same destination now.
    """
    path = final.with_name(final.name + LOCK)
    descriptor = _locked(path, final, work)
    try:
        yield
    finally:
        if sys.platform == "win32":  # where an open file cannot be removed
            os.close(descriptor)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(descriptor)


def _locked(path: Path, final: Path, work: str) -> int:
    """Return a locked file that still has its name: its last owner removes it before letting go."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(
                f"{final.parent} cannot be written: {error.strerror or error}; "
                "choose another folder, or change its permissions"
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in _TAKEN:
                return descriptor
            os.close(descriptor)
            raise ExistsError(
                f"another {work} is writing {final} now; wait for its end, or choose another name"
            ) from error
        if sys.platform == "win32":  # where it keeps its name, and network drives number it anew each time
            return descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
