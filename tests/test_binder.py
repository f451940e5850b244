"""The recipe of the Binder image: what it installs and makes, tried dry, with nothing fetched."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
SCRIPTS = ("postBuild", "start")
OFFLINE = "NGFF_PRACTICAL_OFFLINE"  # as samples/locate.py reads it

pytestmark = pytest.mark.skipif(os.name == "nt", reason="repo2docker builds Linux images")


def command(folder: Path, name: str, script: str) -> None:
    """Put a command on the PATH of a dry run; it says how it was called."""
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*"\n{script}\n')
    path.chmod(0o755)


def dry_run(
    folder: Path, script: str, *arguments: str, setting: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINDER / script), *arguments],
        env={"PATH": f"{folder}:/usr/bin:/bin", **setting},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_recipe_holds_no_file_that_binder_does_not_know() -> None:
    assert {path.name for path in BINDER.iterdir()} == {"environment.yml", *SCRIPTS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_started_and_parsed(name: str) -> None:
    path = BINDER / name
    assert os.access(path, os.X_OK)
    assert path.read_text().splitlines()[0] == "#!/usr/bin/env bash"
    assert re.search("^set -eu$", path.read_text(), flags=re.MULTILINE)
    bash = shutil.which("bash")
    assert bash
    assert subprocess.run([bash, "-n", str(path)], check=False).returncode == 0


def test_the_image_can_show_what_a_session_serves_through_jupyters_port() -> None:
    packages = yaml.safe_load((BINDER / "environment.yml").read_text())["dependencies"]
    assert [package for package in packages if str(package).startswith("jupyter-server-proxy>=")]
    assert [package for package in packages if str(package).startswith("jupyterlab>=")]


def test_building_installs_checks_and_makes_the_stand_ins_in_this_order(tmp_path: Path) -> None:
    command(tmp_path, "python", "")
    built = dry_run(tmp_path, "postBuild")
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines() == [
        "python -m pip install --no-cache-dir --editable .",
        "python -m pip check",
        "python -c from ngff_practical.samples import seed; seed()",
    ]


def test_an_image_with_packages_that_do_not_fit_is_not_built(tmp_path: Path) -> None:
    command(tmp_path, "python", '[ "$3" != check ]')
    built = dry_run(tmp_path, "postBuild")
    assert built.returncode == 1
    assert "seed" not in built.stdout


def test_what_the_scripts_call_is_there() -> None:
    statement = re.search(r'python -c "(.+?)"', (BINDER / "postBuild").read_text())
    assert statement
    named = statement[1].partition(";")[0]
    subprocess.run([sys.executable, "-c", named], check=True)
    called = re.search("^ngff-practical (.+?) >", (BINDER / "start").read_text(), flags=re.MULTILINE)
    assert called
    answer = subprocess.run(
        [sys.executable, "-m", "ngff_practical", *called[1].split(), "--help"],
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 0


@pytest.mark.parametrize("outcome", ["exit 0", "exit 1"], ids=["sandbox starts", "sandbox fails"])
def test_jupyter_starts_whatever_the_sandbox_does(tmp_path: Path, outcome: str) -> None:
    command(tmp_path, "ngff-practical", outcome)
    command(tmp_path, "jupyter", "exit 7")
    started = dry_run(tmp_path, "start", "jupyter", "lab", "--port 8888")
    assert started.returncode == 7
    assert started.stdout == "jupyter lab --port 8888\n"


@pytest.mark.parametrize(("setting", "kept"), [({}, "1"), ({OFFLINE: "0"}, "0")], ids=["unset", "set"])
def test_lessons_take_the_small_stand_ins_unless_somebody_says_otherwise(
    tmp_path: Path, setting: Mapping[str, str], kept: str
) -> None:
    command(tmp_path, "ngff-practical", "")
    command(tmp_path, "jupyter", f'echo "offline: ${OFFLINE}"')
    started = dry_run(tmp_path, "start", "jupyter", "lab", setting=setting)
    assert started.stdout.splitlines()[-1] == f"offline: {kept}"
