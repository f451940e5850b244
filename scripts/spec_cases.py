"""Compare our verdicts with those of the specification's own examples, version by version.

The folder given holds index.csv (path, version, schema, strict, expected) and the JSON documents it lists.
"""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path

from ngff_practical.metadata import check_document
from ngff_practical.metadata.versions import base_version
from ngff_practical.model import Issue, Kind

_KINDS: dict[str, Kind | None] = {"bf2raw": "bioformats2raw", "ome": "bioformats2raw", "ome_zarr": None}


def issues_of(case: dict[str, str], folder: Path) -> list[Issue]:
    """Return what is wrong with a case, judged as the kind and the version that its schema is for."""
    document = json.loads((folder / case["path"]).read_text(encoding="utf-8"))
    name = case["schema"].removesuffix(".schema").removeprefix("strict_")
    kind: Kind | None = _KINDS.get(name, name)  # type: ignore[arg-type]
    return check_document(document, kind=kind, version=base_version(case["version"]))


def verdict(case: dict[str, str], issues: list[Issue]) -> str:
    """Return "valid" or "invalid"; what a strict schema refuses may be a SHOULD of the text."""
    strict = case["strict"] == "True" and case["expected"] == "invalid"
    return "invalid" if any(issue.severity == "must" or strict for issue in issues) else "valid"


def main() -> int:
    """Print the table; return 1 where a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="print every case, too")
    options = parser.parse_args()
    if not (options.folder / "index.csv").is_file():
        parser.error(f"there is no index.csv in {options.folder}")
    with (options.folder / "index.csv").open(encoding="utf-8") as file:
        cases = list(csv.DictReader(file))
    counts: Counter[tuple[str, str, str]] = Counter()
    lines = []
    for case in cases:
        issues = issues_of(case, options.folder)
        ours = verdict(case, issues)
        counts[case["version"], case["expected"], ours] += 1
        if options.all or ours != case["expected"]:
            first = str(issues[0]) if issues else ""
            lines.append(f"{case['path']}: expected {case['expected']}, ours {ours}. {first}".rstrip(". "))
    print(f"{'version':<9}{'cases':>6}{'valid':>7}{'ours':>6}{'invalid':>9}{'ours':>6}{'differ':>8}")
    versions = [*dict.fromkeys(case["version"] for case in cases), "all"]
    differ = 0
    for stated in versions:
        rows = {key: count for key, count in counts.items() if stated in (key[0], "all")}
        expected = Counter[str]()
        agreed = Counter[str]()
        for (_, wanted, ours), count in rows.items():
            expected[wanted] += count
            agreed[wanted] += count if wanted == ours else 0
        differ = expected.total() - agreed.total()
        print(
            f"{stated:<9}{expected.total():>6}{expected['valid']:>7}{agreed['valid']:>6}"
            f"{expected['invalid']:>9}{agreed['invalid']:>6}{differ:>8}"
        )
    print(*lines, sep="\n")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())
