"""Pack one folder for a room without internet: the course, every package, and a script that starts it there.

`make classroom`, on a computer with internet, of the same system and Python as the learners' laptops.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ngff_practical.course.originals import original_of
from ngff_practical.errors import NotFoundError

ROOT = Path(__file__).resolve().parent.parent
COURSE = ("docs/glossary.md", "docs/instructor.md", "LICENSE", "LICENSE-content", "constraints.txt")
READ_ME = """\
The course on OME-Zarr, for a laptop without internet.

1. Copy this folder to the laptop's own disk; a USB stick is slow, and may not allow programs.
2. In a terminal, in this folder:   {python} start.py
   It needs Python {version} on {system}, {disk:.1f} GB of disk and about two minutes, once.

{python} start.py --check   says whether the laptop is ready, and opens nothing.
"""


def pack_course(folder: Path) -> None:
    """Copy the notebooks, what they link to, and the script that starts them."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (folder / "notebooks" / notebook.name).write_bytes(untouched(notebook))
    for name in COURSE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "scripts" / "classroom_start.py", folder / "start.py")


def untouched(notebook: Path) -> bytes:
    """Return a notebook without what the instructor has answered in it, where that is known."""
    try:
        return original_of(notebook)
    except NotFoundError:
        return notebook.read_bytes()


def pack_wheels(folder: Path) -> None:
    """Fetch every package that the course needs, and build its own; older versions are thrown away."""
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    pinned = [f"--{kind}={ROOT / 'constraints.txt'}" for kind in ("constraint", "build-constraint")]
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--wheel-dir", str(wheels), *pinned]
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    fetched = subprocess.run([*command, "--quiet", "--disable-pip-version-check"], env=settings, check=False)
    if fetched.returncode:
        raise SystemExit("The packages could not be fetched: above is what pip said. Is the network there?")


def pack_labels(folder: Path) -> None:
    """Write for which laptops the folder is, and what to do with it."""
    made_for = {
        "python": ".".join(map(str, sys.version_info[:2])),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    (folder / "made-for.json").write_text(json.dumps(made_for) + "\n", encoding="utf-8")
    python = "py" if made_for["system"] == "Windows" else "python3"
    text = READ_ME.format(python=python, version=made_for["python"], system=made_for["system"], disk=1.5)
    (folder / "READ-ME.txt").write_text(text, encoding="utf-8")


def main(folder: Path) -> None:
    """Pack the folder, and say how large it is."""
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    pack_course(folder)
    pack_wheels(folder)
    pack_labels(folder)
    megabytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    count = len(list((folder / "wheels").iterdir()))
    print(f"{folder}: {count} packages, {megabytes:.0f} MB, after {time.monotonic() - start:.0f} s.")
    print("Copy it to each laptop, and read READ-ME.txt in it.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "classroom").absolute())
