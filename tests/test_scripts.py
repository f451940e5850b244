"""The helpers behind the Makefile: finding a Python and a browser, keeping .venv right, running notebooks."""

import importlib.util
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nbformat.v4 as nb
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
posix = pytest.mark.skipif(os.name != "posix", reason="make and sh are for Linux and macOS")


# Finding Python

TOOLS = ("sh", "ls", "grep", "sort", "cat")
NOTHING = "echo 'pyenv: python: command not found' >&2; exit 127"


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def pretend(path: Path, version: str, verdict: str = "ok") -> Path:
    """Put a command there that answers as a Python of that version does."""
    return executable(path, f"echo '{version} {verdict} {path}'")


class Machine:
    """An empty computer: a folder for commands, one for pyenv, and the checkout."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.pyenv, self.checkout = folder / "bin", folder / "pyenv", folder / "checkout"
        self.bin.mkdir()
        self.checkout.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def find(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(SCRIPTS / "find_python.sh")],
            cwd=self.checkout,
            env={"PATH": str(self.bin), "HOME": "/nowhere", "PYENV_ROOT": str(self.pyenv), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def found(self, **variables: str) -> str:
        return self.find(**variables).stdout.strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    if os.name != "posix":
        pytest.skip("find_python.sh is for Linux and macOS")
    return Machine(tmp_path)


def test_the_newest_tested_python_on_path_wins(machine: Machine) -> None:
    pretend(machine.bin / "python3", "3.14.1")
    pretend(machine.bin / "python3.12", "3.12.9")
    newest = pretend(machine.bin / "python3.13", "3.13.0")
    assert machine.found() == str(newest)


def test_a_command_that_does_not_run_is_passed_over(machine: Machine) -> None:
    executable(machine.bin / "python3.13", NOTHING)
    real = pretend(machine.bin / "python3.12", "3.12.1")
    assert machine.found() == str(real)


def test_a_python_that_is_too_old_is_passed_over(machine: Machine) -> None:
    pretend(machine.bin / "python3", "3.11.7", "old")
    fits = pretend(machine.bin / "python", "3.12.1")
    assert machine.found() == str(fits)


def test_a_python_without_venv_is_passed_over(machine: Machine) -> None:
    pretend(machine.bin / "python3.13", "3.13.0", "venv")
    fits = pretend(machine.bin / "python3.12", "3.12.1")
    assert machine.found() == str(fits)


def test_pyenv_is_searched_after_path_and_its_newest_patch_wins(machine: Machine) -> None:
    pretend(machine.bin / "python3", "3.11.7", "old")
    for version in ("3.9.18", "3.13.2", "3.13.11", "3.12.12"):
        verdict = "old" if version.startswith("3.9") else "ok"
        pretend(machine.pyenv / "versions" / version / "bin" / "python", version, verdict)
    assert machine.found() == str(machine.pyenv / "versions" / "3.13.11" / "bin" / "python")


def test_pyenvs_newer_versions_serve_where_no_tested_one_is(machine: Machine) -> None:
    fits = pretend(machine.pyenv / "versions" / "3.14.0" / "bin" / "python", "3.14.0")
    assert machine.found() == str(fits)


def test_the_python_of_the_existing_environment_stays(machine: Machine) -> None:
    pretend(machine.bin / "python3.13", "3.13.0")
    stays = pretend(machine.checkout / ".venv" / "bin" / "python", "3.12.1")
    assert machine.found() == str(stays)


def test_an_asked_for_python_beats_all_others(machine: Machine, tmp_path: Path) -> None:
    pretend(machine.bin / "python3.13", "3.13.0")
    pretend(machine.checkout / ".venv" / "bin" / "python", "3.13.0")
    asked = pretend(tmp_path / "my own" / "python", "3.12.1")
    assert machine.found(PYTHON=str(asked)) == str(asked)


@pytest.mark.parametrize(
    ("version", "verdict", "words"),
    [
        ("3.11.7", "old", ["is Python 3.11.7", "3.12 or newer"]),
        ("3.12.1", "venv", ["without the modules venv", "apt install python3.12-venv"]),
        ("3.13.0", "build", ["free-threaded"]),
    ],
    ids=["old", "no venv", "special build"],
)
def test_an_asked_for_python_that_does_not_fit_is_refused_with_the_reason(
    machine: Machine, version: str, verdict: str, words: list[str]
) -> None:
    pretend(machine.bin / "python3.13", "3.13.0")
    asked = pretend(machine.bin / "mine", version, verdict)
    answer = machine.find(PYTHON=str(asked))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert all(word in answer.stderr for word in words)


def test_an_asked_for_python_that_does_not_run_is_refused(machine: Machine) -> None:
    answer = machine.find(PYTHON="python9")
    assert answer.returncode == 1
    assert "PYTHON=python9 does not run" in answer.stderr


def test_without_any_python_it_says_what_was_seen_and_what_to_install(machine: Machine) -> None:
    pretend(machine.bin / "python3", "3.11.7", "old")
    answer = machine.find()
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "python3 is Python 3.11.7" in answer.stderr
    assert "make lab PYTHON=" in answer.stderr


def test_a_real_python_answers_what_is_asked(machine: Machine) -> None:
    found = machine.found(PYTHON=sys.executable)
    command = [found, "-c", "import sys; print(sys.base_prefix)"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == sys.base_prefix
    )


# Setting up


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REAL_RUN = subprocess.run
PROJECT = """
[project]
name = "small"
dependencies = ["{}"]
[dependency-groups]
test = ["pytest"]
[tool.ruff]
line-length = {}
"""


class SetUp:
    """The set-up in a small checkout: its .venv is made of links, and its pip only notes what it is told."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self.patch = root, patch
        self.calls: list[str] = []
        self.pip: Callable[..., None] = lambda *arguments: None
        root.mkdir()
        self.write_project()
        (root / "constraints.txt").write_text("zarr==3.4.2\n")

    def write_project(self, dependency: str = "zarr", line_length: int = 100) -> None:
        (self.root / "pyproject.toml").write_text(PROJECT.format(dependency, line_length))

    def __call__(self, name: str, version: tuple[int, ...] = sys.version_info[:3]) -> list[str]:
        """Set up and return what was done."""
        script = load("set_up")
        venv = self.root / ".venv"
        for constant, value in {
            "ROOT": self.root,
            "VENV": venv,
            "PYTHON": venv / "bin" / "python",
            "LOG": venv / "set-up.log",
            "INSTALLING": venv / "installing",
            "ORIGIN": venv / "origin.json",
        }.items():
            self.patch.setattr(script, constant, value)
        build = script.build

        def make(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
            if command[1:3] != ["-m", "venv"]:
                return REAL_RUN(command, **options)
            (venv / "bin").mkdir()
            (venv / "bin" / "python").symlink_to(sys.executable)
            return subprocess.CompletedProcess(command, 0, "")

        def noted_build() -> None:
            self.calls.append("build")
            build()

        def noted_pip(*arguments: str) -> None:
            self.pip(*arguments)
            if "--editable" in arguments:
                group = arguments[arguments.index("--group") + 1] if "--group" in arguments else "lab"
                self.calls.append(f"install {group}")

        def origin() -> dict[str, object]:
            return {"venv": str(venv), "version": list(version[:2]), "base": "/usr"}

        self.patch.setattr(script.subprocess, "run", make)
        self.patch.setattr(script, "build", noted_build)
        self.patch.setattr(script, "pip", noted_pip)
        self.patch.setattr(script, "origin", origin)
        self.calls = []
        script.main(name)
        return self.calls


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    if os.name != "posix":
        pytest.skip("set_up.py is for Linux and macOS")
    return SetUp(tmp_path / "checkout", monkeypatch)


def test_the_first_set_up_builds_and_the_second_does_nothing(set_up: SetUp) -> None:
    assert set_up("lab") == ["build", "install lab"]
    assert set_up("lab") == []


def test_learners_do_not_get_the_test_tools(set_up: SetUp) -> None:
    assert set_up("lab") == ["build", "install lab"]
    assert set_up("test") == ["install test"]
    assert set_up("lab") == []


def test_the_tools_for_development_hold_the_test_tools(set_up: SetUp) -> None:
    set_up("dev")
    assert set_up("test") == []


def test_a_changed_dependency_is_installed_into_what_is_there(set_up: SetUp) -> None:
    set_up("lab")
    set_up.write_project(dependency="zarr>=3.4")
    assert set_up("lab") == ["install lab"]


def test_changed_constraints_are_installed_into_what_is_there(set_up: SetUp) -> None:
    set_up("lab")
    (set_up.root / "constraints.txt").write_text("zarr==3.4.3\n")
    assert set_up("lab") == ["install lab"]


def test_a_tools_setting_is_no_reason_to_install(set_up: SetUp) -> None:
    set_up("lab")
    set_up.write_project(line_length=120)
    assert set_up("lab") == []


def test_an_interrupted_installation_is_built_anew(set_up: SetUp) -> None:
    def interrupt(*arguments: str) -> None:
        raise KeyboardInterrupt

    set_up.pip = interrupt
    with pytest.raises(KeyboardInterrupt):
        set_up("lab")
    set_up.pip = lambda *arguments: None
    assert set_up("lab") == ["build", "install lab"]


def test_after_pip_gave_up_the_next_run_goes_on_from_there(set_up: SetUp) -> None:
    def give_up(*arguments: str) -> None:
        raise SystemExit("no network")

    set_up.pip = give_up
    with pytest.raises(SystemExit, match="no network"):
        set_up("lab")
    set_up.pip = lambda *arguments: None
    assert set_up("lab") == ["install lab"]


def test_an_environment_of_another_python_is_built_anew(set_up: SetUp) -> None:
    set_up("lab", version=(3, 12, 1))
    assert set_up("lab", version=(3, 13, 0)) == ["build", "install lab"]


def test_a_newer_patch_of_the_same_python_is_no_reason_to_build(set_up: SetUp) -> None:
    set_up("lab", version=(3, 13, 0))
    assert set_up("lab", version=(3, 13, 1)) == []


def test_a_moved_environment_is_built_anew(set_up: SetUp, tmp_path: Path) -> None:
    set_up("lab")
    set_up.root = set_up.root.rename(tmp_path / "elsewhere")
    assert set_up("lab") == ["build", "install lab"]


def test_an_environment_whose_python_is_gone_is_built_anew(set_up: SetUp) -> None:
    set_up("lab")
    python = set_up.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    assert set_up("lab") == ["build", "install lab"]


def test_an_environment_made_by_hand_is_built_anew(set_up: SetUp) -> None:
    (set_up.root / ".venv" / "bin").mkdir(parents=True)
    assert set_up("lab") == ["build", "install lab"]


# Finding a browser


def chromium(commands: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "chromium.py")],
        env={"PATH": str(commands), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@posix
def test_a_browser_that_is_a_stub_is_passed_over(tmp_path: Path) -> None:
    executable(tmp_path / "chromium-browser", "echo 'install it with snap' >&2; exit 1")
    real = executable(tmp_path / "google-chrome", "echo Chrome 156")
    assert chromium(tmp_path).stdout.strip() == str(real)


@posix
def test_an_asked_for_browser_beats_the_one_on_path(tmp_path: Path) -> None:
    executable(tmp_path / "chromium", "echo Chromium 156")
    asked = executable(tmp_path / "mine", "echo Chromium 157")
    assert chromium(tmp_path, CHROMIUM=str(asked)).stdout.strip() == str(asked)


@posix
def test_an_asked_for_browser_that_does_not_run_is_refused(tmp_path: Path) -> None:
    executable(tmp_path / "chromium", "echo Chromium 156")
    answer = chromium(tmp_path, CHROMIUM="/nowhere/chromium")
    assert answer.returncode == 1
    assert "CHROMIUM=/nowhere/chromium does not run" in answer.stderr


# Running notebooks


def write_notebook(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    notebook = nb.new_notebook(cells=[nb.new_markdown_cell("# A lesson")])
    notebook.cells += [nb.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    path.write_text(json.dumps(notebook))
    return path


def run_notebooks(script: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *map(str, paths)], capture_output=True, text=True, check=False
    )


def test_notebooks_run_apart_and_the_failing_cell_is_named(tmp_path: Path) -> None:
    writes = "import os; open('left-over', 'w').close(); print(os.environ['NGFF_PRACTICAL_OFFLINE'])"
    fine = write_notebook(tmp_path / "01_fine.ipynb", "x = 1", writes)
    broken = write_notebook(tmp_path / "02_broken.ipynb", "y = 2", "x + y")
    before = fine.read_bytes()
    answer = run_notebooks(SCRIPTS / "run_notebooks.py", fine, broken)
    assert answer.returncode == 1
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["notebook", fine.name, broken.name]
    assert "02_broken.ipynb, cell 3 of 3" in answer.stderr
    assert "NameError: name 'x' is not defined" in answer.stderr
    assert fine.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [fine, broken]


def test_a_cell_that_is_meant_to_fail_must_fail(tmp_path: Path) -> None:
    fails = write_notebook(tmp_path / "01_fails.ipynb", "1 / 0", tags=("raises-exception",))
    survives = write_notebook(tmp_path / "02_survives.ipynb", "1 / 1", tags=("raises-exception",))
    answer = run_notebooks(SCRIPTS / "run_notebooks.py", fails, survives)
    assert answer.returncode == 1
    assert answer.stderr.startswith("\n02_survives.ipynb, cell 2 of 2 is meant to fail and did not")


def test_a_notebook_that_takes_more_memory_than_binder_gives_fails(tmp_path: Path) -> None:
    greedy = write_notebook(tmp_path / "01_greedy.ipynb", "x = b'x' * 700_000_000")
    answer = run_notebooks(SCRIPTS / "run_notebooks.py", greedy)
    assert answer.returncode == 1
    assert re.search(r"^01_greedy.ipynb +[\d.]+ +[\d.]+ +7\d\d  FAILED$", answer.stdout, flags=re.MULTILINE)
    assert re.search(r"01_greedy.ipynb, takes 7\d\d MB of memory, 600 MB are the most", answer.stderr)


def test_the_budget_counts_processor_time_and_not_the_clock() -> None:
    run = runpy.run_path(str(SCRIPTS / "run_notebooks.py"))["Run"]
    assert run("a", seconds=900.0, cpu_seconds=60.0, peak_mb=600.0, failure=None).excess is None
    busy = run("a", seconds=1.0, cpu_seconds=61.0, peak_mb=100.0, failure=None)
    assert busy.excess == "takes 61 s of processor time, 60 s are the most"


def test_a_course_without_notebooks_says_so(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(SCRIPTS / "run_notebooks.py", tmp_path / "scripts")
    answer = run_notebooks(Path(script))
    assert (answer.returncode, answer.stdout) == (0, "There is no notebook in notebooks/ yet.\n")


# Cleaning up


@posix
def test_cleaning_keeps_what_learners_made(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    made = [
        "notebooks/00_start_here.ipynb",
        "notebooks/my notes.ipynb",
        "notebooks/scratch/05/own.ome.zarr/zarr.json",
        "embryo.ome.zarr/zarr.json",
    ]
    rest = ["ngff_practical/__pycache__/a.pyc", ".venv/bin/python", "scratch/big.tif", ".mypy_cache/x"]
    for folder in ("tests", "scripts", "benchmarks"):
        (tmp_path / folder).mkdir()
    for name in [*made, *rest]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, check=True)
    assert [name for name in made if not (tmp_path / name).exists()] == []
    assert [name for name in rest if (tmp_path / name).exists()] == []
