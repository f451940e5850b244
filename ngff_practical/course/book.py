"""What a learner has done, in one small file that survives restarts, damage and two notebooks at once.

It holds a seed, counts and dates. Answers are not kept: somebody may paste a key into one.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from ngff_practical.sandbox.state import hold

STATE_VARIABLE = "NGFF_PRACTICAL_STATE"
VERSION = 1
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Record:
    """What happened in one exercise; `passed` is the moment of the first right answer, in UTC."""

    attempts: int = 0
    hints: int = 0
    solution_shown: bool = False
    passed: str | None = None
    unaided: bool = False  # passed before the solution was shown


@dataclass(frozen=True, slots=True)
class Progress:
    """The seed of a learner's values, and a record for each exercise as "LESSON/EXERCISE"."""

    seed: int
    records: Mapping[str, Record] = field(default_factory=dict)

    def record(self, key: str) -> Record:
        """Return the record of an exercise, an empty one where nothing happened yet."""
        return self.records.get(key, Record())

    def with_record(self, key: str, record: Record) -> Progress:
        """Return the progress with one record replaced."""
        return replace(self, records={**self.records, key: record})


def progress_file() -> Path:
    """Return where progress is kept: in NGFF_PRACTICAL_STATE, else among the user's own data."""
    given = os.environ.get(STATE_VARIABLE)
    folder = Path(given).absolute() if given else platformdirs.user_data_path("ngff-practical")
    return folder / "progress.json"


class Book:
    """Reads and writes the progress file; `notices` are sentences for the learner about what went wrong.

    Where nothing can be written, progress lives on in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or progress_file()
        self._unsaved: Progress | None = None
        self.notices: list[str] = []

    def read(self) -> Progress:
        """Return the progress; the first time it is begun, with a seed of its own."""
        if self._unsaved is not None:
            return self._unsaved
        try:
            found = self._read()
        except OSError:
            found = None
        return found if found is not None else self.change(lambda progress: progress)

    def change(self, step: Callable[[Progress], Progress]) -> Progress:
        """Return the progress after a step; nobody else writes between reading and writing."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with hold(self._path.with_name("progress.lock"), wait_s=_WAIT_S):
                after = step(self._unsaved or self._read(set_aside=True) or _begun())
                self._write(after)
            self._unsaved = None
        except OSError as error:
            self._notice(f"Progress is not saved: {self._path} cannot be written ({error.strerror}).")
            self._unsaved = after = step(self._unsaved or _begun())
        return after

    def _read(self, *, set_aside: bool = False) -> Progress | None:
        try:
            return parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
            if set_aside:
                self._set_aside()
            return None

    def _set_aside(self) -> None:
        number = 1
        while (aside := self._path.with_name(f"progress.damaged-{number}.json")).exists():
            number += 1
        self._path.replace(aside)
        self._notice(
            f"The progress file was damaged, or of another version. It is kept as {aside}; "
            "a new one was begun."
        )

    def _write(self, progress: Progress) -> None:
        document = {
            "version": VERSION,
            "seed": progress.seed,
            "exercises": {key: asdict(record) for key, record in sorted(progress.records.items())},
        }
        part = self._path.with_name(f"progress.{os.getpid()}.part")
        part.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        part.replace(self._path)

    def _notice(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)


def parse(content: str) -> Progress:
    """Return the progress that a file's text holds; raises ValueError where it holds none."""
    document = json.loads(content)
    document = document if isinstance(document, dict) else {}
    seed, exercises = document.get("seed"), document.get("exercises")
    if not (document.get("version") == VERSION and isinstance(seed, int) and isinstance(exercises, dict)):
        raise ValueError(f"a progress file of version {VERSION} has a seed and exercises")
    return Progress(seed, {key: _record(value) for key, value in exercises.items()})


def _begun() -> Progress:
    return Progress(secrets.randbelow(2**32))


def now() -> str:
    """Return this moment as the progress file writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _record(value: object) -> Record:
    match value:
        case {
            "attempts": int(attempts),
            "hints": int(hints),
            "solution_shown": bool(shown),
            "passed": str() | None as passed,
            "unaided": bool(unaided),
        }:
            if passed is not None:
                datetime.fromisoformat(passed)
            return Record(attempts, hints, shown, passed, unaided)
    raise ValueError("a record has attempts, hints, solution_shown, passed and unaided")
