"""An environment of its own for each program we are compared with: made once, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

CACHE = user_cache_path("ngff-practical", appauthor=False) / "bench"


class NotInstalledError(RuntimeError):
    """An environment could not be made; says in one line why."""


@dataclass(frozen=True)
class Environment:
    """Python packages in the versions we measured, and nothing else."""

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is: another one whenever the versions or the Python change."""
        told = "\n".join((sys.version, *self.requirements))
        return CACHE / "environments" / f"{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    def program(self, name: str) -> str:
        """Return the path of a program in it, after making it where it is not there yet."""
        self.make()
        return str(self.folder / ("Scripts" if os.name == "nt" else "bin") / name)

    @property
    def python(self) -> str:
        """The environment's Python."""
        return self.program("python")

    def make(self) -> None:
        """Install what is missing."""
        if (self.folder / "complete").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        print(f"installing {' '.join(self.requirements)} ...", file=sys.stderr)
        python = self.folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        if uv:
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(self.folder)])
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
            _run([*install, *self.requirements])
        else:
            _run([sys.executable, "-m", "venv", str(self.folder)])
            _run([str(python), "-m", "pip", "install", "--quiet", *self.requirements])
        (self.folder / "complete").touch()


def _run(command: list[str]) -> None:
    # a machine's own list of versions may clash with the pins: these environments follow the pins alone
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"ended with {done.returncode}"]
        raise NotInstalledError(lines[-1].strip()[:200])
