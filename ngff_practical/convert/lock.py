"""One conversion to a place on S3 at a time: S3 knows no locks, and gets a mark."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psutil

from ngff_practical.errors import ExistsError, NotFoundError, StorageError
from ngff_practical.model import Location
from ngff_practical.storage import delete_object, read_object, write_object

MARK = ".converting"
_running: set[str] = set()  # conversions to S3 of this process


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
