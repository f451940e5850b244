"""Commands around the course: lab, sandbox and samples."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.cli import documents, pages
from ngff_practical.cli.lab import run_lab
from ngff_practical.cli.options import DONE, PROBLEMS, AsJson
from ngff_practical.cli.output import emit, say, show
from ngff_practical.samples import SAMPLES, seed
from ngff_practical.sandbox import ensure, running, stop


def lab(*, browser: bool = True, port: int | None = None, folder: Path = Path("notebooks")) -> int:
    """Start the sandbox with its samples, and the course in JupyterLab.

    Parameters
    ----------
    browser
        Open a browser window.
    port
        Port of JupyterLab; the next free one from 8888 by default.
    folder
        Where the notebooks are.
    """
    return run_lab(folder, browser=browser, port=port)


def sandbox_start() -> int:
    """Start the sandbox with its samples, or say where it already runs."""
    server = ensure(seed=seed)
    show(f"endpoint  {server.endpoint}")
    show("buckets   idr (anyone may read), practical (keys needed to write)")
    say("It forgets everything when it stops: ngff-practical sandbox stop")
    return DONE


def sandbox_stop() -> int:
    """Stop the sandbox; everything in it is forgotten."""
    show("stopped" if stop() else "no sandbox is running")
    return DONE


def sandbox_status() -> int:
    """Say whether the sandbox runs, and where."""
    server = running()
    show(f"running at {server.endpoint} (process {server.pid})" if server else "no sandbox is running")
    return DONE if server else PROBLEMS


def samples(*, json: AsJson = False) -> int:
    """List the images the lessons use: name, key, shape, licence and citation."""
    if json:
        emit(documents.samples_document(SAMPLES))
        return DONE
    pages.samples_page(SAMPLES)
    return DONE
