"""Run notebooks from top to bottom, headless and offline, and tell the seconds and the memory of each.

Names of notebooks as arguments, or none for all of notebooks/ in order. The files are only read; what the
lessons write lands in folders that are removed, and the S3 server they start is one of this run's own.
Exits 1 where a notebook fails, with its name and the cell's.
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
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Run:
    """What one notebook took, and where it failed, if it did."""

    name: str
    seconds: float
    peak_mb: float
    failure: str | None


class Gauge(threading.Thread):
    """The highest resident memory of one process, looked at twenty times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._peak = 0

    def run(self) -> None:
        """Look until told to stop, or until the process is gone."""
        while not self._over.wait(0.05):
            try:
                self._peak = max(self._peak, self._process.memory_info().rss)
            except psutil.NoSuchProcess:
                return

    def stop(self) -> float:
        """End and return the peak in MB."""
        self._over.set()
        self.join()
        return self._peak / 1e6


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
        )
        try:
            client.execute()
            failure = survivor(notebook)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failure = f"cell {reached + 1} of {len(notebook.cells)}\n{COLOURS.sub('', str(error)).strip()}"
    return Run(path.name, time.monotonic() - start, sum(gauge.stop() for gauge in gauges), failure)


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
    print(f"{'notebook':<32}{'seconds':>9}{'peak MB':>9}")
    for path in paths:
        result = run(path)
        verdict = "" if result.failure is None else "  FAILED"
        print(f"{result.name:<32}{result.seconds:>9.1f}{result.peak_mb:>9.0f}{verdict}", flush=True)
        if result.failure is not None:
            print(f"\n{result.name}, {result.failure}\n", file=sys.stderr, flush=True)
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
