"""What is on this computer: Python, packages, memory, disk and JupyterLab."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import psutil

from ngff_practical.doctor.checks import Check

_NEED = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?>=([\d.]+)")
_OLDEST = (3, 12)
_MEMORY_NBYTES = 10**9
_DISK_NBYTES = 2 * 10**9
_IMPORT_S = 120
_PINS = Path(__file__).resolve().parents[2] / "constraints.txt"
_IMPORT_ALL = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
print(json.dumps(failed))
"""


def check_computer(folder: Path) -> Iterator[Check]:
    """Yield what is right and wrong with this computer, for lessons that write to a folder."""
    for check in check_quickly(folder):
        yield check
        if check.name == "packages":
            yield _imports(_requirements())


def check_quickly(folder: Path) -> Iterator[Check]:
    """Yield the same but for importing every package, which takes many seconds."""
    yield _python()
    yield _versions(_requirements())
    yield _memory()
    yield _disk(folder)
    yield _jupyter()


def _python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    fine = sys.version_info[:2] >= _OLDEST
    return Check("Python", fine, found, "" if fine else "install Python 3.12 or newer, then set up again")


def _requirements() -> dict[str, str]:
    """Return the packages that are needed, with the oldest version of each that serves."""
    stated = (_NEED.fullmatch(text) for text in metadata.requires("ngff-practical") or ())
    return {need[1]: need[2] for need in stated if need}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split(r"[^\d.]", version)[0].split(".") if part)


def _versions(wanted: dict[str, str]) -> Check:
    """Compare with what the package asks for, and mention what differs from the locked versions."""
    pins = _pins()
    wrong, other = [], []
    for name, oldest in wanted.items():
        try:
            have = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        pinned = pins.get(name.lower(), have)
        if _numbers(have) < _numbers(oldest):
            wrong.append(f"{name} is {have}, {oldest} or newer is needed")
        elif pinned != have:
            other.append(f"{name} {have} (locked: {pinned})")
    if wrong:
        return Check(
            "packages",
            False,
            "; ".join(wrong),
            "set up again: make lab, or pip install -e . as the README says",
        )
    return Check("packages", True, f"{len(wanted)} in fitting versions" + _differing(other))


def _differing(other: list[str]) -> str:
    return f", of which differ from the locked ones: {', '.join(other)}" if other else ""


def _pins() -> dict[str, str]:
    if not _PINS.is_file():
        return {}
    lines = (line.partition(";")[0].strip() for line in _PINS.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, _, version in pairs}


def _module(package: str) -> str:
    """Return the name a package is imported by: IPython, for one, is not spelt as it is installed."""
    try:
        files = metadata.files(package) or ()
    except metadata.PackageNotFoundError:
        files = ()
    plain = package.replace("-", "_")
    tops = (file.parts[0] for file in files if file.name == "__init__.py" and len(file.parts) == 2)
    return next((top for top in tops if top.lower() == plain.lower()), plain)


def _imports(wanted: dict[str, str]) -> Check:
    """Import every package in a process of its own: a broken one may end it."""
    names = [_module(name) for name in wanted]
    again = "install again what fails: pip install --force-reinstall NAME"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT_ALL, *names], capture_output=True, text=True, timeout=_IMPORT_S
        )
        failed = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Check("imports", False, f"not done after {_IMPORT_S} s", "is this a very slow disk? try again")
    except (ValueError, IndexError):
        return Check("imports", False, f"Python ended with code {done.returncode} while importing", again)
    if failed:
        return Check("imports", False, "; ".join(f"{name}: {why}" for name, why in failed.items()), again)
    return Check("imports", True, f"all {len(names)} packages can be imported")


def _memory() -> Check:
    free = psutil.virtual_memory().available
    fine = free >= _MEMORY_NBYTES
    return Check(
        "memory",
        fine,
        f"{free / 1e9:.1f} GB free",
        "" if fine else "close other programs and kernels: a notebook takes up to 0.6 GB",
    )


def _disk(folder: Path) -> Check:
    here = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(here).free
    fine = free >= _DISK_NBYTES
    return Check(
        "disk",
        fine,
        f"{free / 1e9:.1f} GB free at {here}",
        "" if fine else "make room, or work on another disk",
    )


def _jupyter() -> Check:
    try:
        return Check("JupyterLab", True, metadata.version("jupyterlab"))
    except metadata.PackageNotFoundError:
        return Check("JupyterLab", False, "not installed", "pip install jupyterlab")
