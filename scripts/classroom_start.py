"""Start the course from the folder that this file lies in, without internet; the first time it is installed.

`python start.py`, or `python start.py --check` to see whether this laptop is ready. Nothing outside of the
folder is changed. Needs nothing but Python.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
READY = VENV / "ready"


def refuse_another_laptop() -> None:
    """End with a sentence where the packages in this folder were made for another Python or system."""
    made_for = json.loads((HERE / "made-for.json").read_text(encoding="utf-8"))
    found = {
        "python": ".".join(map(str, sys.version_info[:2])),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    if found != made_for:
        raise SystemExit(
            f"This folder was made for Python {made_for['python']} on {made_for['system']} "
            f"({made_for['machine']}); this is Python {found['python']} on {found['system']} "
            f"({found['machine']}). Run this with the other Python if it is here, or ask for another folder."
        )


def installed() -> str:
    """Return what an environment that is ready was installed from: the place and the packages."""
    wheels = sorted(wheel.name for wheel in (HERE / "wheels").glob("*.whl"))
    return "\n".join([str(HERE), *wheels])


def install() -> None:
    """Make an environment in this folder, from the packages in this folder and nothing else."""
    if READY.is_file() and READY.read_text(encoding="utf-8") == installed():
        return
    print("Installing the course in this folder (about two minutes, once)...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    settings |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    python = BIN / ("python.exe" if os.name == "nt" else "python")
    steps = (
        [sys.executable, "-m", "venv", str(VENV)],
        [python, "-m", "pip", "install", "-q", "--find-links", str(HERE / "wheels"), "ngff-practical"],
    )
    for step in steps:
        if subprocess.run(step, env=settings, cwd=HERE, check=False).returncode:
            raise SystemExit("The course could not be installed: what went wrong stands above.")
    READY.write_text(installed(), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Install where needed, then check or start."""
    refuse_another_laptop()
    install()
    course = str(BIN / ("ngff-practical.exe" if os.name == "nt" else "ngff-practical"))
    os.environ["NGFF_PRACTICAL_OFFLINE"] = "1"
    os.chdir(HERE)
    command = [course, "doctor", "--offline"] if arguments[:1] == ["--check"] else [course, "lab", *arguments]
    if command[1] == "lab":
        command += ["--folder", "notebooks"]
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606  whoever stops this script stops the course
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
