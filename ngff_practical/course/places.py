"""Where an answer points: a folder on this machine, or a place on S3; and what to say where it does not."""

from __future__ import annotations

from pathlib import Path

from ngff_practical.course.answers import shown, text
from ngff_practical.errors import StorageError
from ngff_practical.model import Location
from ngff_practical.storage import parse_place

_LONGEST = 1000


def path_of(answer: object) -> Path | None:
    """Return the path that an answer names, `~` resolved; None where it names none."""
    named = text(answer)
    if not named or len(named) > _LONGEST or "\0" in named or "://" in named:
        return None
    return Path(named).expanduser()


def folder(answer: object) -> Path | None:
    """Return the folder that an answer names, None where there is none."""
    path = path_of(answer)
    return path if path is not None and path.is_dir() else None


def no_folder(answer: object, wanted: str) -> str:
    """Return what to say where an answer names no folder; `wanted` is what it should be the path of."""
    path = path_of(answer)
    if path is None:
        return f"`answer` is {shown(answer)}. Looked for: the path of {wanted}."
    if path.is_file():
        return f"{shown(str(path))} is a file. Looked for: the path of {wanted}, a folder."
    return f"{shown(str(path))} is no folder here. Is the path relative to where the notebook runs?"


def location(answer: object) -> Location | None:
    """Return the place on S3 that an answer is, or writes as an address; None where it is none."""
    if isinstance(answer, Location):
        return answer
    named = text(answer)
    if not named or len(named) > _LONGEST or "://" not in named:
        return None
    try:
        place = parse_place(named, anonymous=False)
    except StorageError:
        return None
    return place if isinstance(place, Location) else None


def does_not_open(error: Exception, *, what: str = "an image") -> str:
    """Return the sentence for a folder that is something else."""
    return f"It does not open as {what}: {str(error).rstrip('.')}."
