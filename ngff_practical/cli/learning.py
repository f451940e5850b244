"""Commands for a learner: how far one has come, and a notebook put back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ngff_practical.cli.options import DONE, AsJson
from ngff_practical.cli.output import emit, say, show
from ngff_practical.course import progress as course_progress
from ngff_practical.course import report
from ngff_practical.course.originals import reset as put_back


def progress(
    *,
    track: Literal["90min", "half-day", "self-paced"] = "self-paced",
    save: Path | None = None,
    json: AsJson = False,
) -> int:
    """Say which exercises are passed, with how many attempts and hints.

    Parameters
    ----------
    track
        What to count: the 90 minutes, half a day, or every exercise.
    save
        Also write a report (Markdown and JSON) into this folder.
    """
    overview = course_progress(track)
    if save is not None:
        for path in report.save(overview, save):
            say(f"written   {path}")
    if json:
        emit(report.document(overview))
    else:
        show_lines(repr(overview))
    return DONE


def reset(lesson: str, *, folder: Path = Path("notebooks"), json: AsJson = False) -> int:
    """Put a notebook back as it was; your version is kept, and so is your progress.

    Parameters
    ----------
    lesson
        Number or name of the lesson, such as 01.
    folder
        Where the notebooks are.
    """
    done = put_back(lesson, folder)
    if json:
        emit({"notebook": str(done.notebook), "kept": None if done.kept is None else str(done.kept)})
        return DONE
    show(f"{done.notebook} is the original again")
    show(f"your version  {done.kept}" if done.kept else "it was no different")
    say("If it is open in JupyterLab: File > Reload Notebook from Disk")
    return DONE


def show_lines(text: str) -> None:
    """Print several lines of the result."""
    for line in text.splitlines():
        show(line)
