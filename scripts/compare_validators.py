"""Write docs/validators.md: which faults of tests/data/broken which validator finds.

ngff-zarr is not among this project's packages: it is installed once into an environment of its own, or taken
from the Python that --ngff-zarr-python names.
"""

import argparse
import csv
import json
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import platformdirs

from ngff_practical.inspection import validation_report
from ngff_practical.metadata.versions import base_version
from ngff_practical.model import ValidationReport

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "tests" / "data"
PAGE = ROOT / "docs" / "validators.md"
NGFF_ZARR = "0.50.0"
OURS, MODELS, YAOZARRS, NGFF = JUDGES = ("ngff-practical", "ome-zarr-models", "yaozarrs", "ngff-zarr")
KNOWN = {MODELS: ("0.4", "0.5", "0.6"), YAOZARRS: ("0.4", "0.5")}
# The examples are metadata alone, so that no chunk is where it should be; that finding is left out.
STORAGE = "Zarr, storage of chunks"

HEAD = """\
# What validators find

Each folder below `tests/data/broken` is a small OME-Zarr with one fault. This page says which of four
validators finds it: `validate` of this package,
[ome-zarr-models](https://github.com/ome-zarr-models/ome-zarr-models-py) {models},
[yaozarrs](https://github.com/tlambert03/yaozarrs) {yaozarrs} and
[ngff-zarr](https://github.com/fideus-labs/ngff-zarr) {ngff}. It is written by
`python scripts/compare_validators.py`; a test compares our column with what `validate` says today.

How to read it:

- The other libraries count as finding a fault whenever they refuse the store, for whatever reason they give.
  They raise an error or they do not: advice (`should`) is nothing they set out to give.
- "-" is what a library has no check for: ome-zarr-models knows OME-Zarr 0.4, 0.5 and 0.6, yaozarrs 0.4 and
  0.5, and ngff-zarr images, label images, plates and scenes.
- The examples were made while our rules were written, so that ours finds all of them says little. What the
  others miss, and that ours leaves the sound examples alone, says more.

Four times the text says MUST and we say `should`: well-known files that every reader opens do otherwise, and
whoever is told "broken" of those stops listening:

- `dimension_names` missing (0.5; in 0.3 `_ARRAY_DIMENSIONS`). Images of released writers have none, and the
  official schemas, which do not look at arrays, call them valid. Nothing contradicts the axes, and 0.6 has
  dropped the rule. Names that differ from the axes are a `must`.
- A label image with another number of levels than its image, up to 0.4: IDR's own 6001240 of 0.4 has four
  levels of labels and three of the image. Its copy of 0.5 was mended, so from 0.5 on it is a `must`.
- `version` of a plate missing in 0.5: the schema does not ask for it, and official valid examples have none.
- `filters` or `compressor` missing in a Zarr v2 array: Zarr takes it for null.

Once the text says SHOULD and we say `must`: a label image without `image-label`, as nothing else tells it
from a plain image.

"""


def stores(name: str) -> list[Path]:
    """Return the examples of one sort."""
    return sorted(folder for folder in (EXAMPLES / name).iterdir() if folder.is_dir())


def ours(report: ValidationReport) -> str:
    """Return the gravest severity that we find in a store, "passed" where there is nothing to find."""
    found = sorted((issue for issue in report.issues if issue.rule != STORAGE), key=lambda issue: issue.rank)
    return found[0].severity if found else "passed"


def knows(judge: str, report: ValidationReport) -> bool:
    """Return False for a version of OME-Zarr that a library does not claim to know."""
    stated = base_version(report.version)
    return stated is None or judge not in KNOWN or stated in KNOWN[judge]


def theirs(judge: str, python: Path, asked: list[tuple[str, Path]]) -> list[str]:
    """Return a library's verdicts; a store over which its process dies counts as refused."""
    verdicts: list[str] = []
    while len(verdicts) < len(asked):
        lines = "".join(f"{kind}\t{folder}\n" for kind, folder in asked[len(verdicts) :])
        command = [str(python), str(ROOT / "scripts" / "judges.py"), judge]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        answers = [json.loads(line)[0] for line in done.stdout.splitlines()]
        if not answers and len(verdicts) == 0 and done.returncode:
            raise SystemExit(f"{judge} does not run under {python}:\n{done.stderr[-2000:]}")
        verdicts += answers if done.returncode == 0 else [*answers, "refused"]
    return verdicts[: len(asked)]


def python_with_ngff_zarr() -> Path:
    """Return a Python that has ngff-zarr, from an environment that is made once and kept."""
    home = Path(platformdirs.user_cache_dir("ngff-practical", appauthor=False)) / f"ngff-zarr-{NGFF_ZARR}"
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = home / "ready"
    if not ready.exists():
        print(f"installing ngff-zarr {NGFF_ZARR} into {home}", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        wanted = f"ngff-zarr[validate]=={NGFF_ZARR}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True, stdout=sys.stderr)
        ready.touch()
    return python


def page(broken: dict[Path, dict[str, str]], sound: dict[Path, dict[str, str]]) -> str:
    """Return the document: a summary, and a line for every example."""
    with (EXAMPLES / "broken" / "EXPECTED.csv").open(encoding="utf-8") as file:
        where = {row["example"]: row["where"] for row in csv.DictReader(file)}
    versions = {"models": version(MODELS), "yaozarrs": version(YAOZARRS), "ngff": NGFF_ZARR}
    rules = [said for said in broken.values() if said[OURS] in ("must", "data")]
    advice = [said for said in broken.values() if said[OURS] == "should"]
    lines = [
        row("", *JUDGES),
        row("---", *["---"] * len(JUDGES)),
        row(f"broken rules found, of {len(rules)}", *(str(found(rules, judge)) for judge in JUDGES)),
        row(f"advice given, of {len(advice)}", *(str(found(advice, judge)) for judge in JUDGES)),
        row(
            f"sound examples refused, of {len(sound)}",
            *(str(found(sound.values(), judge)) for judge in JUDGES),
        ),
        "",
        row("example", "where the fault is", *JUDGES),
        row("---", "---", *["---"] * len(JUDGES)),
    ]
    names = {"passed": "", "refused": "refused", "not judged": "-"}
    for folder, said in broken.items():
        place = f"`{where[folder.name]}`" if where[folder.name] else "the whole"
        lines.append(row(folder.name, place, *(names.get(said[judge], said[judge]) for judge in JUDGES)))
    return HEAD.format(**versions) + "\n".join(lines) + "\n"


def row(*cells: str) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def found(said: Iterable[dict[str, str]], judge: str) -> int:
    """Return how many stores a validator objects to."""
    return sum(verdicts[judge] not in ("passed", "not judged") for verdicts in said)


def main() -> None:
    """Ask all four about every example, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ngff-zarr-python", type=Path, help=f"a Python that has ngff-zarr {NGFF_ZARR}")
    python = parser.parse_args().ngff_zarr_python or python_with_ngff_zarr()
    everything = [*stores("broken"), *stores("sound")]
    reports = [validation_report(folder) for folder in everything]
    kinds = ["image" if report.kind == "none" else report.kind for report in reports]
    asked: list[tuple[str, Path]] = list(zip(kinds, everything, strict=True))
    columns = {OURS: [ours(report) for report in reports]}
    for judge in JUDGES[1:]:
        verdicts = theirs(judge, python if judge == NGFF else Path(sys.executable), asked)
        columns[judge] = [
            said if knows(judge, report) else "not judged"
            for said, report in zip(verdicts, reports, strict=True)
        ]
    said = {
        folder: {judge: columns[judge][index] for judge in JUDGES} for index, folder in enumerate(everything)
    }
    broken = {folder: verdicts for folder, verdicts in said.items() if folder.parent.name == "broken"}
    sound = {folder: verdicts for folder, verdicts in said.items() if folder.parent.name == "sound"}
    PAGE.write_text(page(broken, sound), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(broken)} broken and {len(sound)} sound examples")
    for folder, verdicts in sound.items():
        refused = [judge for judge in JUDGES if verdicts[judge] not in ("passed", "not judged")]
        if refused:
            print(f"  {folder.name} is refused by {', '.join(refused)}")


if __name__ == "__main__":
    main()
