"""Run notebooks from top to bottom, headless and offline, and tell the time and the memory of each.

Names of notebooks as arguments, or none for all of notebooks/ in order. The files are only read; what the
lessons write lands in folders that are removed, and the S3 server they start is one of this run's own.
Exits 1 where a notebook fails, with its name and the cell's, or takes more than Binder's small machine has
for it: 600 MB of memory or 60 s of processor time. Wall time depends on what else runs, and is only printed.
"""

import os
import re
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ngff_practical import sandbox

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
CELL_TIMEOUT_S = 300
MOST_MB = 600
MOST_CPU_S = 60
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Run:
    """What one notebook took, and where it failed, if it did."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    failure: str | None

    @property
    def excess(self) -> str | None:
        """What was taken beyond the budget, None where nothing was."""
        over = []
        if self.peak_mb > MOST_MB:
            over.append(f"takes {self.peak_mb:.0f} MB of memory, {MOST_MB} MB are the most")
        if self.cpu_seconds > MOST_CPU_S:
            over.append(f"takes {self.cpu_seconds:.0f} s of processor time, {MOST_CPU_S} s are the most")
        return "; ".join(over) or None


class Gauge(threading.Thread):
    """The highest resident memory and the processor time of one process, looked at twenty times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.peak_mb = 0.0
        self.cpu_seconds = 0.0

    def run(self) -> None:
        """Look until told to stop, or until the process is gone."""
        while not self._over.wait(0.05):
            try:
                self.look()
            except psutil.NoSuchProcess:
                return

    def look(self) -> None:
        """Take what it has by now."""
        self.peak_mb = max(self.peak_mb, self._process.memory_info().rss / 1e6)
        self.cpu_seconds = sum(self._process.cpu_times()[:4])  # its own, and its finished children's

    def stop(self) -> None:
        """End; what was measured stays."""
        self._over.set()
        self.join()


def run(path: Path) -> Run:
    """Run one notebook in a fresh kernel and an empty working directory."""
    notebook = nbformat.read(path, as_version=4)
    gauges: list[Gauge] = []
    reached = 0

    def started(notebook: nbformat.NotebookNode) -> None:
        gauges.append(Gauge(client.km.provisioner.pid))
        gauges[0].start()

    def reach(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal reached
        reached = cell_index

    start, failure = time.monotonic(), None
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=CELL_TIMEOUT_S,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
            on_notebook_start=started,
            on_cell_start=reach,
            on_cell_executed=lambda cell, cell_index, execute_reply: gauges[0].look(),
        )
        try:
            client.execute()
            failure = survivor(notebook)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = f"cell {reached + 1} of {len(notebook.cells)}\n{COLOURS.sub('', str(error)).strip()}"
    for gauge in gauges:
        gauge.stop()
    return Run(
        path.name,
        time.monotonic() - start,
        sum(gauge.cpu_seconds for gauge in gauges),
        max((gauge.peak_mb for gauge in gauges), default=0.0),
        failure,
    )


def survivor(notebook: nbformat.NotebookNode) -> str | None:
    """Return which cell is tagged as meant to fail and did not, if one is."""
    for number, cell in enumerate(notebook.cells, start=1):
        meant_to_fail = "raises-exception" in cell.metadata.get("tags", [])
        if meant_to_fail and all(output.output_type != "error" for output in cell.outputs):
            return f"cell {number} of {len(notebook.cells)} is meant to fail and did not:\n{cell.source}"
    return None


def run_all(paths: list[Path]) -> int:
    """Run the notebooks one after the other, print a line for each, and return how many failed."""
    failed = 0
    print(f"{'notebook':<32}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}")
    for path in paths:
        result = run(path)
        wrong = result.failure or result.excess
        took = f"{result.seconds:>9.1f}{result.cpu_seconds:>9.1f}{result.peak_mb:>9.0f}"
        print(f"{result.name:<32}{took}{'  FAILED' if wrong else ''}", flush=True)
        if wrong:
            print(f"\n{result.name}, {wrong}\n", file=sys.stderr, flush=True)
            failed += 1
    return failed


def main(names: list[str]) -> int:
    """Run what was asked for, apart from whatever else this computer does with S3."""
    paths = [Path(name) for name in names] or sorted(FOLDER.glob("*.ipynb"))
    if not paths:
        print(f"There is no notebook in {FOLDER.name}/ yet.")
        return 0
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[variable]
    os.environ["NGFF_PRACTICAL_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as state:
        os.environ["NGFF_PRACTICAL_STATE"] = state
        try:
            return run_all(paths)
        finally:
            sandbox.stop()


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
