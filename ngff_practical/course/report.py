"""A report of what a learner has done: Markdown to show, JSON to process; it claims what was checked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from ngff_practical import __version__
from ngff_practical.course.overview import Line, Overview
from ngff_practical.errors import StorageError

type Json = dict[str, object]

_HONEST = (
    "Each exercise was checked by the course on the learner's own computer, with values of their own. Nobody "
    "watched, hints and solutions were allowed, and their use is listed. This page says what was practised; "
    "it is no examination."
)


def document(overview: Overview) -> Json:
    """Return an overview for a program to read."""
    return {
        "course": "ngff-practical",
        "version": __version__,
        "track": overview.track,
        "exercises": len(overview.lines),
        "passed": overview.passed,
        "passed_unaided": overview.unaided,
        "results": [_result(line) for line in overview.lines],
    }


def markdown(overview: Overview) -> str:
    """Return an overview as a page for a person."""
    done = "Completed" if overview.lines and overview.passed == len(overview.lines) else "In progress"
    rows = [
        f"| {line.lesson.number} {line.lesson.title} | {line.title} | {line.state} "
        f"| {(line.record.passed or '-')[:10]} | {line.record.attempts} | {line.record.hints} |"
        for line in overview.lines
    ]
    return "\n".join(
        [
            "# OME-NGFF in practice: course report",
            "",
            f"**{done}**: {overview.summary}.",
            "",
            f"Track {overview.track}, ngff-practical {__version__}, {datetime.now(UTC).date()} (UTC).",
            "",
            "| lesson | exercise | state | passed on | attempts | hints |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            _HONEST,
            "",
        ]
    )


def save(overview: Overview, folder: Path) -> tuple[Path, Path]:
    """Write the report as course-report.md and course-report.json, and return both paths.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    page, data = folder / "course-report.md", folder / "course-report.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(markdown(overview), encoding="utf-8")
        data.write_text(json.dumps(document(overview), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the report cannot be written to {folder} ({error.strerror})") from None
    return page, data


def _result(line: Line) -> Json:
    return {
        "lesson": line.lesson.name,
        "exercise": line.exercise,
        "state": line.state,
        "passed": line.record.passed,
        "attempts": line.record.attempts,
        "hints": line.record.hints,
        "solution_shown": line.record.solution_shown,
    }
