"""Write constraints.txt anew: what pip chooses for the package and its tools on every Python that is tested.

Versions that are pinned already stay, unless --upgrade is given. Nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
TESTED = ("3.12", "3.13")
# What an editable install builds with, beyond [build-system], and the pip that understands dependency groups.
TOOLS = ("editables", "pip>=26.3")


def wanted() -> list[str]:
    """Return every requirement that pyproject.toml states, groups and build included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = (
        entry for group in project["dependency-groups"].values() for entry in group if isinstance(entry, str)
    )
    return [*project["build-system"]["requires"], *project["project"]["dependencies"], *groups, *TOOLS]


def chosen(version: str, pinned: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and version of all that pip would install on this Python."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        place = ["--target", f"{folder}/nothing", "--python-version", version, "--only-binary", ":all:"]
        resolve = ["--dry-run", "--ignore-installed", "--quiet", "--quiet", "--report", str(report)]
        command = [sys.executable, "-m", "pip", "install", *resolve, *place, *pinned, *wanted()]
        subprocess.run(command, check=True)
        for item in json.loads(report.read_text())["install"]:
            yield re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower(), item["metadata"]["version"]


def main(upgrade: bool) -> None:
    """Resolve once for each Python and write the union."""
    pinned = [] if upgrade else ["--constraint", str(CONSTRAINTS)]
    versions: dict[str, str] = {}
    for python in TESTED:
        for name, version in chosen(python, pinned):
            if versions.setdefault(name, version) != version:
                raise SystemExit(
                    f"{name} is {versions[name]} on Python {TESTED[0]} and {version} on {python}: "
                    "state a bound in pyproject.toml that one version of it meets on both"
                )
    CONSTRAINTS.write_text("".join(f"{name}=={versions[name]}\n" for name in sorted(versions)))
    print(f"{CONSTRAINTS.name}: {len(versions)} packages. Run `make test` before committing it.")


if __name__ == "__main__":
    main("--upgrade" in sys.argv[1:])
