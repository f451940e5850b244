"""Bring .venv up to date: for learners (`lab`), with the test tools (`test`), with everything (`dev`).

A stamp in .venv for each of the three says what was installed, so that a second run costs next to nothing.
A .venv that was moved, made by another Python or left half-finished is built anew.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "set-up.log"
INSTALLING = VENV / "installing"  # there while pip changes .venv: found later, it means "half-finished"
ORIGIN = VENV / "origin.json"
# What a stamp promises; `dev` holds all that `test` holds, and both hold the package itself.
GROUPS = {"lab": ("lab",), "test": ("lab", "test"), "dev": ("lab", "test", "dev")}
ENOUGH_LINES = 15


def say(text: str) -> None:
    """Tell the person at the keyboard; stdout stays free for the command that comes after."""
    print(text, file=sys.stderr, flush=True)


def origin() -> dict[str, object]:
    """Return what ties an environment to its place: where it lies and which Python it borrows from."""
    return {
        "venv": str(VENV),
        "version": list(sys.version_info[:2]),
        "base": str(Path(sys.base_prefix).resolve()),
    }


def fingerprint() -> str:
    """Return a digest of everything that decides what is installed; settings of tools do not count."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [project.get(table) for table in ("build-system", "project", "dependency-groups")]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    digest.update((ROOT / "constraints.txt").read_bytes())
    return digest.hexdigest()


def stamp(name: str) -> Path:
    """Return the file that says for which fingerprint this set-up was completed."""
    return VENV / f"ready-{name}"


def is_ready(name: str) -> bool:
    """Tell whether there is nothing to do."""
    return stamp(name).is_file() and stamp(name).read_text() == fingerprint() and flaw() is None


def flaw() -> str | None:
    """Return why the .venv that is there cannot be used, or None where it can."""
    if INSTALLING.exists():
        return "the last set-up was interrupted"
    if not ORIGIN.is_file():
        return "it was made by hand or is incomplete"
    found = json.loads(ORIGIN.read_text())
    if found["venv"] != origin()["venv"]:
        return "it was moved here"
    if found != origin():
        return f"it was made by Python {'.'.join(map(str, found['version']))} in {found['base']}"
    try:
        subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "its Python does not run any more"
    return None


@contextmanager
def only_one() -> Iterator[None]:
    """Let one set-up at a time work in this checkout; the kernel lifts the lock whatever happens to us."""
    import fcntl

    handle = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work in this folder; waiting for it to end.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks: better to go on than to refuse
        yield
    finally:
        os.close(handle)


def build() -> None:
    """Make an empty .venv with pip in it."""
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    INSTALLING.touch()
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"Python could not make {VENV.name}:\n{made.stdout.strip()}")
    ORIGIN.write_text(json.dumps(origin()))


def pip(*arguments: str) -> None:
    """Run pip in .venv with the machine's own settings; its words go to a log, shown only where it fails."""
    surroundings = os.environ | {"PIP_USER": "0"}  # many have set it, and pip refuses it in an environment
    for elsewhere in ("PYTHONPATH", "PYTHONHOME"):
        surroundings.pop(elsewhere, None)
    watched = sys.stderr.isatty()
    last: list[str] = []
    with (
        LOG.open("a", encoding="utf-8") as log,
        subprocess.Popen(
            [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
            cwd=ROOT,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            if watched:
                print(f"\r\033[K  {line.strip()[:70]}", end="", file=sys.stderr, flush=True)
            if not line.startswith("WARNING"):
                last = [*last[1 - ENOUGH_LINES :], line.rstrip()]
    if watched:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise SystemExit(
            "\n".join(last)
            + f"\n\nThe packages could not be installed. Above are pip's last words, all are in {LOG}.\n"
            "If a registry could not be reached, check the network and run the same command again."
        )


def install(name: str) -> None:
    """Install the package, in place, and the tools of `name`, in the versions of constraints.txt."""
    pinned = ("--constraint", "constraints.txt")
    group = () if name == "lab" else ("--group", name)
    for promise in GROUPS:
        stamp(promise).unlink(missing_ok=True)
    INSTALLING.touch()
    try:
        pip("install", "--upgrade", "pip", *pinned)  # dependency groups need a newer pip than venv brings
        pip("install", "--editable", ".", *group, *pinned, "--build-constraint", "constraints.txt")
        pip("check")
    except SystemExit:
        INSTALLING.unlink()  # pip gave up in good order: what it did so far can be built upon
        raise
    for promise in GROUPS[name]:
        stamp(promise).write_text(fingerprint())
    INSTALLING.unlink()


def main(name: str) -> None:
    """Do what is needed for `name`, and nothing else."""
    if is_ready(name):
        return
    with only_one():
        if is_ready(name):
            return
        start = time.monotonic()
        reason = flaw() if VENV.exists() else ""
        if reason is None:
            say(f"Bringing .venv up to date for `make {name}`...")
        else:
            version = ".".join(map(str, sys.version_info[:3]))
            anew = f", anew because {reason}" if reason else ""
            say(f"Setting up .venv with Python {version}{anew} (about 2 minutes, once)...")
            build()
        install(name)
        say(f"Ready after {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in GROUPS:
        raise SystemExit(f"usage: set_up.py {' | '.join(GROUPS)}")
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        say("\nStopped. The next run repairs what was left half-finished.")
        raise SystemExit(130) from None
