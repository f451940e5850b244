"""Every notebook runs as it is: in a fresh kernel, top to bottom, with no network but this machine."""

import json
import re
from functools import lru_cache
from pathlib import Path

import nbclient
import nbformat
import pytest

from ngff_practical.course.catalogue import exercises_of

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

BLANK = "answer = ____"

pytestmark = [
    pytest.mark.s3,
    pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem),
]


@pytest.fixture(scope="module")
def run(course_environment, tmp_path_factory):
    """Execute a notebook in a folder of its own; each is executed once for all tests of this module."""
    folder = tmp_path_factory.mktemp("notebooks")

    def execute(path, *, solved=False):
        notebook = nbformat.read(path, as_version=4)
        for cell in exercise_cells(notebook) if solved else []:
            assert cell.source.count(BLANK) == 1
            cell.source = cell.source.replace(BLANK, "exec(task.solution().code)")
        notebook.cells.insert(0, nbformat.v4.new_code_cell(ONLY_THIS_MACHINE))
        resources = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute(
            env=course_environment
        )
        return notebook

    return lru_cache(execute), execute


def exercise_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and "lesson.exercise(" in cell.source]


def outcomes(notebook):
    """Return the first line of what each exercise's check said."""
    shown = [
        [output.data["text/plain"] for output in cell.outputs if output.output_type == "execute_result"]
        for cell in exercise_cells(notebook)
    ]
    return [texts[-1].splitlines()[0] if texts else "nothing" for texts in shown]


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


def test_every_exercise_is_not_attempted_in_an_untouched_notebook(path, run):
    once, _ = run
    said = outcomes(once(path))
    assert said == ["○ Not attempted"] * len(exercises_of(path.stem))


def test_every_exercise_is_passed_in_a_solved_notebook(path, run):
    _, execute = run
    solved = execute(path, solved=True)
    assert [output for output in outputs(solved) if output.output_type == "error"] == []
    assert outcomes(solved) == ["✔ Passed"] * len(exercises_of(path.stem))


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
