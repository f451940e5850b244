"""All that is looked at before a course, at the same time: most of it is waiting for something else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ngff_practical.doctor.checks import Check
from ngff_practical.doctor.computer import check_computer
from ngff_practical.doctor.network import check_hosts
from ngff_practical.doctor.practice import check_sandbox


def check_everything(folder: Path, *, offline: bool) -> Iterator[Check]:
    """Yield what is right and wrong with this computer, the sandbox and, unless `offline`, the network."""
    with ThreadPoolExecutor(3) as threads:
        computer = threads.submit(lambda: tuple(check_computer(folder)))
        sandbox = threads.submit(lambda: tuple(check_sandbox()))
        hosts = None if offline else threads.submit(lambda: tuple(check_hosts()))
        yield from computer.result()
        yield from sandbox.result()
        if hosts:
            yield from hosts.result()
