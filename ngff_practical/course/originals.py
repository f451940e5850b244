"""Notebooks as they were before somebody worked in them: keep them, and put one back."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.course.catalogue import find_lesson
from ngff_practical.errors import NotFoundError, StorageError

KEPT = ".originals"
MINE = Path("scratch") / "mine"
_GIT_S = 20


@dataclass(frozen=True, slots=True)
class Reset:
    """The notebook that is as it was again, and where the learner's own version went, if it differed."""

    notebook: Path
    kept: Path | None


def keep_originals(folder: Path) -> None:
    """Keep a copy of every notebook of which none is kept yet; a folder that cannot be written is left."""
    try:
        (folder / KEPT).mkdir(exist_ok=True)
        for notebook in folder.glob("[0-9][0-9]_*.ipynb"):
            copy = folder / KEPT / notebook.name
            if not copy.exists():
                shutil.copyfile(notebook, copy)
    except OSError:
        return  # then git is the only source


def reset(lesson: str, folder: Path) -> Reset:
    """Put a lesson's notebook back to the original; the learner's version is kept under scratch/mine.

    The original is that of the git checkout, else the copy from when the course was first started.

    Raises
    ------
    NotFoundError
        There is no such lesson, or no original of it.
    StorageError
        The folder cannot be written.
    """
    notebook = folder / f"{find_lesson(lesson).name}.ipynb"
    original = original_of(notebook)
    try:
        mine = notebook.read_bytes() if notebook.exists() else original
        kept = None if mine == original else _keep(mine, folder / MINE, notebook.stem)
        part = notebook.with_name(f".{notebook.name}.part")
        part.write_bytes(original)
        part.replace(notebook)
    except OSError as error:
        raise StorageError(
            f"{notebook} cannot be put back ({error.strerror}); look at who may write to {folder.resolve()}"
        ) from None
    return Reset(notebook, kept)


def original_of(notebook: Path) -> bytes:
    """Return a notebook as it was before somebody worked in it.

    Raises
    ------
    NotFoundError
        Neither git nor a kept copy knows it.
    """
    command = ["git", "-C", str(notebook.parent), "show", f"HEAD:./{notebook.name}"]
    try:
        answer = subprocess.run(command, capture_output=True, check=False, timeout=_GIT_S)
        if answer.returncode == 0:
            return answer.stdout
    except (OSError, subprocess.TimeoutExpired):
        pass  # no git here
    copy = notebook.parent / KEPT / notebook.name
    if copy.is_file():
        return copy.read_bytes()
    raise NotFoundError(
        f"no original of {notebook.name} was found beside {notebook.parent.resolve()}: that is no git "
        "checkout, and the course was never started with `ngff-practical lab` there; name another folder "
        "with --folder"
    )


def _keep(content: bytes, folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = folder / f"{stem}-{number}.ipynb"
        try:
            with path.open("xb") as stream:
                stream.write(content)
        except FileExistsError:
            number += 1
        else:
            return path
