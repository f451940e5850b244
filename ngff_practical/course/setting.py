"""Where a lesson takes place: an S3 server to talk to, and a folder to write to."""

from __future__ import annotations

from pathlib import Path

from ngff_practical import doctor
from ngff_practical.samples import seed
from ngff_practical.sandbox import Sandbox, ensure


def connect() -> Sandbox:
    """Return the sandbox, started with its samples if it is not running yet.

    Its address and its keys are put into this process' environment (AWS_ENDPOINT_URL and the like), where
    every S3 library finds them.
    """
    server = ensure(seed=seed)
    server.use()
    return server


def preflight() -> doctor.Preflight:
    """Return whether this machine is ready for the course; shows a table in a notebook."""
    return doctor.preflight(Path("scratch"))


def workspace(lesson: str) -> Path:
    """Return the folder `scratch/LESSON` beside the notebooks, made if it is not there.

    What is in it from an earlier run stays: it is the learner's.
    """
    folder = Path("scratch") / lesson
    folder.mkdir(parents=True, exist_ok=True)
    return folder
