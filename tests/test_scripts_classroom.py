"""The folder for a room without internet: what is in it, and a laptop that starts from it."""

import json
import os
import platform
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
HERE = {
    "python": ".".join(map(str, sys.version_info[:2])),
    "system": platform.system(),
    "machine": platform.machine(),
}
COURSE = """
import os, sys
def main():
    offline = os.environ.get("NGFF_PRACTICAL_OFFLINE")
    print("course", *sys.argv[1:], "offline:", offline, "in", os.getcwd())
    return 7
"""


@pytest.fixture
def folder(tmp_path):
    """A folder as `make classroom` packs it, but with one small stand-in for all packages."""
    pack = runpy.run_path(str(SCRIPTS / "classroom.py"))
    place = tmp_path / "class room"
    pack["pack_course"](place)
    pack["pack_labels"](place)
    (place / "wheels").mkdir()
    with zipfile.ZipFile(place / "wheels" / "ngff_practical-0.1.0-py3-none-any.whl", "w") as wheel:
        info = "ngff_practical-0.1.0.dist-info"
        wheel.writestr("stand_in.py", COURSE)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: ngff-practical\nVersion: 0.1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\nngff-practical = stand_in:main\n")
        wheel.writestr(f"{info}/RECORD", "")
    return place


def start(folder, *arguments, **variables):
    """Run the folder's script from elsewhere, as a laptop whose registry does not answer."""
    environment = os.environ | {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", **variables}
    return subprocess.run(
        [sys.executable, str(folder / "start.py"), *arguments],
        env=environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_laptop_installs_from_the_folder_alone_and_starts(folder):
    first = start(folder, "--check")
    assert (first.returncode, first.stdout.count("Installing")) == (7, 1), first
    assert f"course doctor --offline offline: 1 in {folder}" in first.stdout
    again = start(folder, "--no-browser")
    assert "Installing" not in again.stdout
    assert f"course lab --no-browser --folder notebooks offline: 1 in {folder}" in again.stdout


@pytest.mark.parametrize(("key", "other"), [("python", "2.7"), ("system", "Amiga"), ("machine", "m68k")])
def test_another_laptop_is_told_what_the_folder_was_made_for(folder, key, other):
    (folder / "made-for.json").write_text(json.dumps(HERE | {key: other}))
    refused = start(folder)
    assert refused.returncode == 1
    assert other in refused.stderr
    assert HERE[key] in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (folder / ".venv").exists()


def test_a_package_that_is_missing_is_said_and_is_not_taken_for_installed(folder):
    next((folder / "wheels").iterdir()).unlink()
    failed = start(folder, "--check")
    assert "could not be installed" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (folder / ".venv" / "ready").exists()


def test_the_folder_holds_the_lessons_without_outputs_and_what_they_link_to(folder):
    packed = {path.name for path in (folder / "notebooks").glob("*.ipynb")}
    assert packed == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    for path in (folder / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert [cell for cell in cells if cell.cell_type == "code" and cell.outputs] == []
    assert (folder / "docs" / "glossary.md").is_file()
    assert json.loads((folder / "made-for.json").read_text()) == HERE
    assert "start.py --check" in (folder / "READ-ME.txt").read_text()


def test_the_guide_names_the_command_and_the_script():
    guide = (ROOT / "docs" / "instructor.md").read_text("utf-8")
    assert "make classroom" in guide
    assert "start.py --check" in guide
