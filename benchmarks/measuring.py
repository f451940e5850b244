"""Run a program and measure it as a person would: wall time, CPU and memory of it and all it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_S = 0.05


@dataclass(frozen=True)
class Measured:
    """What a program took; `error` is its last line where it failed, else empty."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    error: str = ""
    output: str = ""


def measure(
    command: list[str], *, environment: dict[str, str] | None = None, timeout_s: float = 600
) -> Measured:
    """Run a command to its end; nothing of what it prints reaches the terminal.

    Programs may keep their compiled bytecode, as they do wherever nobody forbids it: what is imported for the
    first time is then slow once, not each time.
    """
    allowed = {**(os.environ if environment is None else environment)}
    allowed.pop("PYTHONDONTWRITEBYTECODE", None)
    if hasattr(os, "sync"):
        os.sync()  # what the one before left to write is not this one's work
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=allowed, start_new_session=True)
        memory = Memory(process.pid)
        late = threading.Timer(timeout_s, _end, [process.pid])
        late.start()
        if hasattr(os, "wait4"):
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # interrupted: leave nobody behind
                _end(process.pid)
                raise
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s = usage.ru_utime + usage.ru_stime
        else:
            process.wait()
            cpu_s = memory.cpu_s
        wall_s = time.perf_counter() - began
        late.cancel()
        memory.stop()
        out.seek(0)
        err.seek(0)
        error = ""
        if process.returncode:
            lines = [line.strip() for line in (err.read() or out.read()).splitlines() if line.strip()]
            error = "took too long" if wall_s > timeout_s else (lines or [f"exit {process.returncode}"])[-1]
            out.seek(0)
        return Measured(wall_s, cpu_s, memory.peak_bytes, error[:300], out.read())


class Memory(threading.Thread):
    """Looks at a process and all below it again and again, and keeps the largest sum it saw."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.cpu_s = 0.0
        self._pid = pid
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._over.wait(SAMPLE_S):
            try:
                root = psutil.Process(self._pid)
                family = [root, *root.children(recursive=True)]
                times = [one.cpu_times() for one in family]
                now = sum(one.memory_info().rss for one in family)
            except psutil.Error:
                continue
            self.cpu_s = max(self.cpu_s, sum(one.user + one.system for one in times))
            self.peak_bytes = max(self.peak_bytes, now, *(_high_water(one.pid) for one in family))

    def stop(self) -> None:
        """End the looking."""
        self._over.set()
        self.join()


def _high_water(pid: int) -> int:
    """Return the most memory a process has held so far, where the system keeps it; else 0."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _end(pid: int) -> None:
    try:
        root = psutil.Process(pid)
        for one in [*root.children(recursive=True), root]:
            one.kill()
    except psutil.Error:
        pass


def machine() -> str:
    """Return one line about this computer, without its name."""
    model = "processor unknown"
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        model = next(named, model)
    memory = psutil.virtual_memory().total / 2**30
    version = ".".join(map(str, sys.version_info[:3]))
    cores = f"{processors()} processors ({model})"
    return f"{cores}, {memory:.0f} GiB of memory, {sys.platform}, Python {version}"


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
