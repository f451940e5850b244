"""One conversion to a place at a time: a lock on folders, a mark on S3, which knows no locks."""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

from ngff_practical.errors import ExistsError, NotFoundError, StorageError
from ngff_practical.model import Location
from ngff_practical.storage import delete_object, read_object, write_object

LOCK = ".lock"
MARK = ".converting"
_running: set[str] = set()  # conversions to S3 of this process
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def alone(final: Path) -> Iterator[None]:
    """Hold the lock of a destination: the file `NAME.lock` beside it, there only while it is held.

    After `kill -9` the file stays and its lock does not, so the next conversion takes it over. A file system
    without locks (some network folders) is used without.

    Raises
    ------
    ExistsError
        Another conversion is writing the same destination now.
    """
    path = final.with_name(final.name + LOCK)
    descriptor = _locked(path, final)
    try:
        yield
    finally:
        if sys.platform == "win32":  # where an open file cannot be removed
            os.close(descriptor)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(descriptor)


@contextmanager
def claimed(final: Location, *, overwrite: bool) -> Iterator[None]:
    """Hold a destination on S3: an object says which process of which computer is writing there.

    The mark of a process of this computer that has ended is taken over. Whether one of another computer has,
    nobody can tell: there `overwrite` is the way out.

    Raises
    ------
    ExistsError
        Another conversion is writing the same destination now, or did and was killed on another computer.
    """
    me = psutil.Process()
    run = uuid4().hex
    stated = {"host": platform.node(), "pid": me.pid, "started": me.create_time(), "run": run}
    mine = json.dumps(stated).encode()
    try:
        write_object(final, MARK, mine)
    except ExistsError:
        _take_over(final, mine, overwrite=overwrite)
    _running.add(run)
    try:
        yield
    finally:
        _running.discard(run)
        with suppress(StorageError):  # the mark of an ended process does not bind the next one
            delete_object(final, MARK)


def _take_over(final: Location, mine: bytes, *, overwrite: bool) -> None:
    host, alive = _owner(final)
    if alive and not (overwrite and host != platform.node()):
        raise ExistsError(
            f"another conversion, on {host}, is writing {final} now; wait for its end or choose another key"
            + ("" if host == platform.node() else ", or say overwrite if you know that it was killed")
        )
    write_object(final, MARK, mine, overwrite=True)


def _owner(final: Location) -> tuple[str, bool]:
    """Return the computer a mark is from, and whether its process may still live."""
    try:
        stated = json.loads(read_object(final, MARK))
        host, pid, started = str(stated["host"]), int(stated["pid"]), float(stated["started"])
        run = str(stated["run"])
    except (NotFoundError, ValueError, KeyError, TypeError):
        return platform.node(), False
    if host != platform.node():
        return host, True
    if pid == os.getpid():  # a mark of this process that could not be removed, as after a lost connection
        return host, run in _running
    try:
        return host, abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return host, False


def _locked(path: Path, final: Path) -> int:
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
                f"another conversion is writing {final} now; wait for its end, or choose another name"
            ) from error
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
