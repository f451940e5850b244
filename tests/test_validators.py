"""The page that compares validators: it lists every example, and what ours says today."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT.parent / "shared" / "data" / "spec_cases"
sys.path.insert(0, str(ROOT / "scripts"))

import compare_validators  # noqa: E402
import judges  # noqa: E402

from ngff_practical.inspection import validation_report  # noqa: E402

PAGE = (ROOT / "docs" / "validators.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\w+) \| (?:`.*`|the whole) \| (\w*) \|", PAGE, re.MULTILINE)


def test_page_lists_every_broken_example() -> None:
    assert [name for name, _ in ROWS] == [folder.name for folder in compare_validators.stores("broken")]


@pytest.mark.parametrize(("name", "stated"), ROWS, ids=[name for name, _ in ROWS])
def test_page_says_what_our_validator_says_today(name: str, stated: str) -> None:
    assert compare_validators.ours(validation_report(ROOT / "tests/data/broken" / name)) == stated


def test_summary_counts_our_findings() -> None:
    grave = sum(stated in ("must", "data") for _, stated in ROWS)
    assert f"| broken rules found, of {grave} | {grave} |" in PAGE
    assert f"| advice given, of {len(ROWS) - grave} | {len(ROWS) - grave} |" in PAGE


@pytest.mark.parametrize("judge", ["ome-zarr-models", "yaozarrs"])
def test_other_validators_are_asked_in_a_process_of_their_own(judge: str) -> None:
    asked = [
        ("image", ROOT / "tests/data/sound/0_5"),
        ("image", ROOT / "tests/data/broken/distinct_axes"),
        ("image", ROOT / "tests/data/sound/0_4"),
    ]
    python = Path(sys.executable)
    assert compare_validators.theirs(judge, python, asked) == ["passed", "refused", "passed"]


def test_whatever_a_validator_raises_is_its_verdict() -> None:
    def fails(kind: str, folder: Path) -> str:
        raise ZeroDivisionError("never\nmind")

    assert judges.verdict(fails, "image", ROOT) == ("refused", "ZeroDivisionError: never mind")


def test_python_without_the_library_is_not_taken_for_a_verdict(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="does not run"):
        compare_validators.theirs("ngff-zarr", Path("/bin/false"), [("image", tmp_path)])


@pytest.mark.skipif(not (CASES / "index.csv").is_file(), reason="the specification's examples are not here")
def test_official_cases_are_counted_version_by_version() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "spec_cases.py"), str(CASES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^all +160 +52 +52 +108 +108 +0$", done.stdout, re.MULTILINE)


def test_folder_without_official_cases_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "spec_cases.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no index.csv" in done.stderr
