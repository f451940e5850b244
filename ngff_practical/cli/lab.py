"""Start JupyterLab on the course, with the sandbox beside it, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from ngff_practical.cli.output import say
from ngff_practical.course.originals import keep_originals
from ngff_practical.errors import StorageError
from ngff_practical.samples import seed
from ngff_practical.sandbox import ensure, running, stop

FIRST = "00_start_here.ipynb"
GLOSSARY = Path("docs", "glossary.md")  # what the lessons link to, from beside their own folder


def run_lab(folder: Path, *, browser: bool, port: int | None) -> int:
    """Serve the notebooks of a folder until the person stops it; return JupyterLab's exit code.

    Kernels find the sandbox and its keys in their environment. The sandbox is stopped at the end where this
    call has started it, and ends by itself should this process be killed.

    Raises
    ------
    StorageError
        The folder has no course in it.
    """
    if not (folder / FIRST).is_file():
        raise StorageError(
            f"{folder.resolve()} has no {FIRST}; go to the folder of the course, or name its notebooks with "
            "--folder"
        )
    keep_originals(folder)
    found = running()
    server = found or ensure(seed=seed, owner_pid=os.getpid())
    say(f"sandbox   {server.endpoint}  (in another terminal: ngff-practical ls s3://idr/ --anonymous)")
    try:
        return _serve(lab_command(folder, browser=browser, port=port), lab_environment(server.environment))
    finally:
        if not found:
            stop()


def lab_command(folder: Path, *, browser: bool, port: int | None) -> list[str]:
    """Return the command that serves a folder of notebooks, and the pages that they link to, where there."""
    first = folder.resolve() / FIRST
    root = _root(folder.resolve())
    options = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(first.relative_to(root).as_posix())}",
    ]
    if not browser:
        options.append("--no-browser")
    if port:
        options += [f"--port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # containers and Binder builds run as root
    return [sys.executable, "-m", "jupyterlab", *options]


def lab_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for JupyterLab, whose terminals find `ngff-practical` in it.

    `make lab` activates nothing, and neither does a path typed in full.
    """
    way = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    return {**os.environ, **more, "PATH": os.pathsep.join(way)}


def _root(folder: Path) -> Path:
    """Return the folder to serve: the one around the notebooks where the lessons' glossary lies there."""
    return folder.parent if (folder.parent / GLOSSARY).is_file() else folder


def _serve(command: list[str], environment: dict[str, str]) -> int:
    """Run JupyterLab; Ctrl-C reaches it directly, a termination is passed on."""
    with subprocess.Popen(command, env=environment) as server:
        previous = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            while True:
                try:
                    return server.wait()
                except KeyboardInterrupt:
                    continue  # JupyterLab asks the person whether to stop
        finally:
            signal.signal(signal.SIGTERM, previous)
