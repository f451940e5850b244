"""Every notebook runs as it is: in a fresh kernel, top to bottom, with no network but this machine."""

import json
import re
from functools import lru_cache
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))

# Runs before the first cell: a connection to any other machine raises, so that no lesson depends on one.
ONLY_THIS_MACHINE = """
import socket as _socket
_connect = _socket.socket.connect
def _guarded(self, address):
    inet = self.family in (_socket.AF_INET, _socket.AF_INET6)
    if inet and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a notebook reached out to {address[0]}")
    return _connect(self, address)
_socket.socket.connect = _guarded
"""

pytestmark = [
    pytest.mark.s3,
    pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem),
]


@pytest.fixture(scope="module")
def run(course_environment, tmp_path_factory):
    """Execute a notebook in a folder of its own; each is executed once for all tests of this module."""
    folder = tmp_path_factory.mktemp("notebooks")

    def execute(path):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(ONLY_THIS_MACHINE))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute(
            env=course_environment
        )
        return notebook

    return lru_cache(execute), execute


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_a_notebook_runs_untouched_and_offline(path, run):
    once, _ = run
    shown = outputs(once(path))
    assert shown
    assert [output for output in shown if output.output_type == "error"] == []
    assert [
        output.text for output in shown if output.get("name") == "stderr" and "Warning" in output.text
    ] == []


def test_a_notebook_runs_again_where_it_has_run_before(path, run):
    once, execute = run
    once(path)
    assert [output for output in outputs(execute(path)) if output.output_type == "error"] == []


def test_no_key_is_shown(path, run, course_environment):
    once, _ = run
    assert course_environment["AWS_SECRET_ACCESS_KEY"] not in json.dumps(once(path))


def test_take_home_numbers_are_computed(path, run):
    once, _ = run
    cells = once(path).cells
    title = next(index for index, cell in enumerate(cells) if cell.source.startswith("## Take home"))
    (shown,) = cells[title + 1].outputs
    points = shown.data["text/markdown"].strip().splitlines()
    assert len(points) == 3
    assert all(re.search(r"\d", point) for point in points)
