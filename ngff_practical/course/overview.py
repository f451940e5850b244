"""How far a learner has come, on a track: what is passed, what is open, and how much help was taken."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ngff_practical.course.book import Progress, Record
from ngff_practical.course.catalogue import LESSONS, Entry, Track, exercises_of, on_track

_COLUMNS = ("", "lesson", "exercise", "passed", "attempts", "hints")
_TEXT_COLUMNS = ("", "exercise", "passed", "tries", "help")


@dataclass(frozen=True, slots=True)
class Line:
    """One exercise and what happened in it."""

    lesson: Entry
    exercise: str
    title: str
    record: Record

    @property
    def state(self) -> str:
        """Return "passed", "passed with the solution", "begun" or "open"."""
        if self.record.passed:
            return "passed" if self.record.unaided else "passed with the solution"
        return "begun" if self.record.attempts else "open"


@dataclass(frozen=True, slots=True)
class Overview:
    """The exercises of a track in their order; a table in a notebook, text elsewhere."""

    track: Track
    lines: tuple[Line, ...]

    @property
    def passed(self) -> int:
        """Number of exercises passed, with the solution or without."""
        return sum(line.record.passed is not None for line in self.lines)

    @property
    def unaided(self) -> int:
        """Number of exercises passed before the solution was shown."""
        return sum(line.record.passed is not None and line.record.unaided for line in self.lines)

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        with_solution = self.passed - self.unaided
        aided = f" ({with_solution} of them after looking at the solution)" if with_solution else ""
        return f"{self.passed} of {len(self.lines)} exercises passed{aided}"

    def __repr__(self) -> str:
        """Return the table as text, 80 signs wide: the lessons are headings."""
        rows = [_narrow(line) for line in self.lines]
        widths = [max(len(row[i]) for row in [_TEXT_COLUMNS, *rows]) for i in range(len(_TEXT_COLUMNS))]
        table, above = [_spaced(_TEXT_COLUMNS, widths)], ""
        for line, row in zip(self.lines, rows, strict=True):
            if line.lesson.name != above:
                above = line.lesson.name
                table.append(f"{line.lesson.number} {line.lesson.title}")
            table.append(_spaced(row, widths))
        return "\n".join([*table, self.summary])

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> str:
        """Return the table as HTML."""
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{escape(title)}</th>' for title in _COLUMNS)
        body = "".join(
            f"<tr>{''.join(f'<td {left}>{escape(cell)}</td>' for cell in _cells(line))}</tr>"
            for line in self.lines
        )
        caption = f"<caption {left}>{escape(self.summary)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def overview(progress: Progress, track: Track, *, only: str | None = None) -> Overview:
    """Return what a track asks for, with what happened; `only` is the name of one lesson."""
    return Overview(
        track,
        tuple(
            Line(lesson, exercise.name, exercise.title, progress.record(f"{lesson.name}/{exercise.name}"))
            for lesson in LESSONS
            if only in (None, lesson.name)
            for exercise in exercises_of(lesson.name)
            if on_track(track, lesson, exercise)
        ),
    )


def _cells(line: Line) -> tuple[str, ...]:
    record = line.record
    sign = "✔" if record.passed else "…" if record.attempts else "○"
    day = record.passed[:10] if record.passed else "-"
    if record.passed and not record.unaided:
        day += " (solution)"
    return (
        sign,
        f"{line.lesson.number} {line.lesson.title}",
        line.title,
        day,
        str(record.attempts),
        str(record.hints),
    )


def _narrow(line: Line) -> tuple[str, ...]:
    record = line.record
    sign, _, title, _, attempts, hints = _cells(line)
    seen = "solution" if record.passed and not record.unaided else "-"
    helped = {0: seen, 1: "1 hint"}.get(record.hints, f"{hints} hints")
    return (f" {sign}", title, (record.passed or "-")[:10], attempts, helped if seen == "-" else seen)


def _spaced(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
