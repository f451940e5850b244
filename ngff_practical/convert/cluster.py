"""Bands on other machines: a dask scheduler's executor, and what its failures mean."""

from __future__ import annotations

import logging
import platform
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from ngff_practical.errors import ConversionError, StorageError

if TYPE_CHECKING:
    from distributed import Client
    from distributed.client import VersionsDict

CONNECT_S = 5
ALIKE = ("ngff_practical", "zarr", "numpy", "tifffile")


@contextmanager
def connected(address: str) -> Iterator[Executor]:
    """Give the executor of the dask scheduler at an address such as tcp://host:8786.

    Nothing but the bands' descriptions travels: workers read the source and write the destination
    themselves, with keys for S3 from their own environment.

    Raises
    ------
    StorageError
        No scheduler answers there, it has no workers, or these do not run what runs here.
    ConversionError
        The scheduler stopped while it was in use.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise StorageError(
            f"no dask scheduler answers at {address} within {CONNECT_S} s; "
            "give the address it printed when it started, such as tcp://host:8786"
        ) from error
    with _quiet(), client:
        _check_workers(client, address)
        executor: Executor = client.get_executor()  # type: ignore[no-untyped-call]
        try:
            yield executor
        except (ConversionError, OSError, RuntimeError) as error:
            if client.status == "running":
                raise
            raise ConversionError(
                f"the dask scheduler at {address} stopped, or cannot be reached any more, in the middle "
                "of the conversion; nothing is left that opens as an image: start scheduler and workers "
                "again, and run the same conversion again"
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what dask's client logs of a lost connection, tracebacks and all, off the screen: it is raised."""
    loggers = [logging.getLogger(f"distributed.{name}") for name in ("client", "utils", "core", "batched")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def lost_work() -> tuple[type[Exception], ...]:
    """Return what executors raise for work they have lost; dask's own only where dask is in use."""
    scheduler = sys.modules.get("distributed.scheduler")
    dask: tuple[type[Exception], ...] = (scheduler.KilledWorker,) if scheduler else ()
    return (CancelledError, BrokenExecutor, *dask)


def _check_workers(client: Client, address: str) -> None:
    versions = cast("VersionsDict", client.get_versions(packages=list(ALIKE)))
    workers = versions["workers"]
    if not workers:
        raise StorageError(f"the scheduler at {address} has no workers; start some, then convert again")
    here = {"python": platform.python_version(), **_versions_here()}
    for name, found in sorted(workers.items()):
        there = _versions_there(found)
        for what, own in here.items():
            other = there.get(what)
            if what == "python" and other and other.split(".")[:2] == own.split(".")[:2]:
                continue
            if other != own:
                raise StorageError(
                    f"{what} is {other or 'not installed'} on the worker {name} and {own} here; "
                    "start the workers from the environment this command runs in"
                )


def _versions_here() -> dict[str, str]:
    return {name: version(name.replace("_", "-")) for name in ALIKE}


def _versions_there(found: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    host, packages = found.get("host", {}), found.get("packages", {})
    stated = {"python": host.get("python"), **{name: packages.get(name) for name in ALIKE}}
    return {name: str(value).split(".final")[0] for name, value in stated.items() if value}
