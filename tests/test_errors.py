"""What a notebook shows of an error that was raised on purpose."""

import os
import subprocess
import sys

import pytest

from ngff_practical.errors import NotFoundError, StackError

QUIET = ("--simple-prompt", "--no-banner", "--colors=NoColor", "--HistoryManager.enabled=False")


def shown_by_ipython(tmp_path, code):
    """Return what IPython writes of a cell that fails."""
    done = subprocess.run(
        [sys.executable, "-m", "IPython", *QUIET, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        cwd=tmp_path,
    )
    assert done.returncode
    return (done.stdout + done.stderr).splitlines()


def test_a_cell_shows_its_line_and_the_sentence_and_nothing_between(tmp_path):
    code = "from ngff_practical import find_stack\npath = 'nowhere.tif'\nstack = find_stack(path)"
    assert shown_by_ipython(tmp_path, code) == [
        "----> 3 stack = find_stack(path)",
        "",
        "StackError: nowhere.tif does not exist; check the path",
    ]


def test_the_line_is_the_one_that_called_us_also_inside_a_function(tmp_path):
    code = "import ngff_practical\ndef look(path):\n    return ngff_practical.validate(path)\nlook('nowhere')"
    line, gap, sentence = shown_by_ipython(tmp_path, code)
    assert (line, gap) == ("----> 3 return ngff_practical.validate(path)", "")
    assert sentence.startswith("NotFoundError: there is nothing at nowhere")


def test_other_errors_keep_their_traceback(tmp_path):
    assert "Traceback" in "\n".join(shown_by_ipython(tmp_path, "1 / 0"))


@pytest.mark.parametrize("error", [StackError("a"), NotFoundError("b")])
def test_an_error_that_was_never_raised_shows_its_sentence(error):
    assert error._render_traceback_() == [f"{type(error).__name__}: {error}"]
