"""The wall of a class: what learners chose to show, each below their own prefix, read back as one page.

Somebody who publishes gives a name of their choice, counts for each lesson and, if they like, one image. No
answers, dates or keys go along. What is read comes from strangers, so it is bounded, checked and escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from typing import TypeGuard

from ngff_practical.course.catalogue import LESSONS
from ngff_practical.course.overview import Overview
from ngff_practical.errors import NotFoundError, StorageError
from ngff_practical.metadata.wording import plural
from ngff_practical.model import Location
from ngff_practical.model.wording import escaped
from ngff_practical.storage import delete_object, list_folder, read_object, write_object

KEY = "wall.json"
VERSION = 1
LARGEST = 16 * 2**10
"""Bytes of one learner's file at most; a longer one is not read."""

MOST = 200
"""Learners on one wall at most."""

_LONGEST_NAME = 40
_LONGEST_KEY = 200
_AT_ONCE = 8
_KNOWN = {lesson.name for lesson in LESSONS}

type Counts = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """What one learner shows: `passed` has (passed, of) for each lesson, `image` a key below their prefix."""

    prefix: str
    pseudonym: str
    passed: Mapping[str, Counts]
    image: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Wall:
    """What a class shows; `notes` name the files that could not be read."""

    bucket: Location
    members: tuple[Member, ...]
    notes: tuple[str, ...]

    @property
    def lessons(self) -> tuple[str, ...]:
        """The lessons that somebody has counts for, in the order of the course."""
        counted = {name for member in self.members for name in member.passed}
        return tuple(each.name for each in LESSONS if each.name in counted)

    @property
    def finished(self) -> dict[str, int]:
        """How many learners have passed everything of a lesson."""
        counts = {name: [member.passed.get(name, (0, 0)) for member in self.members] for name in self.lessons}
        return {name: sum(0 < of == passed for passed, of in rows) for name, rows in counts.items()}

    @property
    def gallery(self) -> tuple[tuple[str, Location, str], ...]:
        """Pseudonym, place and licence of each image that is shown."""
        return tuple(
            (each.pseudonym, self.bucket / f"{each.prefix}/{each.image}", each.licence or "not stated")
            for each in self.members
            if each.image
        )

    def __repr__(self) -> str:
        lines = []
        for member in self.members:
            counts = (f"{name[:2]} {passed}/{of}" for name, (passed, of) in member.passed.items())
            lines.append(f"{member.pseudonym}: {', '.join(counts)}")
        return "\n".join([self._summary, *lines, *self.notes])

    @property
    def _summary(self) -> str:
        if not self.members:
            return "Nobody shows progress yet."
        return (
            f"{plural(len(self.members), 'learner shows', 'learners show')} their progress: exercises passed"
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        if not self.members:
            return f"<p>{self._summary}</p>{notes}"
        head = "".join(f'<th scope="col">{name[:2]}</th>' for name in self.lessons)
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(member.pseudonym)}</th>'
            f"{''.join(_cell(member.passed.get(name)) for name in self.lessons)}</tr>"
            for member in self.members
        )
        total = "".join(f"<td>{count}</td>" for count in self.finished.values())
        return (
            f'<table><caption style="text-align:left;white-space:nowrap">{self._summary}</caption>'
            f'<thead><tr><th scope="col">name</th>{head}</tr></thead><tbody>{rows}'
            f'<tr><th scope="row" style="text-align:left">have '
            f"finished</th>{total}</tr></tbody></table>{notes}"
        )


def publish(
    prefix: Location,
    overview: Overview,
    *,
    pseudonym: str,
    image: str | None = None,
    licence: str | None = None,
) -> Location:
    """Show your counts on the class's wall, and return where they lie; publishing again replaces them.

    `prefix` is your own in the class bucket, `image` the key of an image below it.

    Raises
    ------
    StorageError
        The prefix is not directly below the bucket, the name is no name, or these keys may not write there.
    """
    _check(prefix)
    content = document(overview, pseudonym=pseudonym, image=image, licence=licence)
    write_object(prefix, KEY, content, overwrite=True)
    return prefix / KEY


def document(
    overview: Overview, *, pseudonym: str, image: str | None = None, licence: str | None = None
) -> bytes:
    """Return what `publish` stores: a name, counts for each lesson, and nothing else unless it is given."""
    if not _is_short(pseudonym):
        raise StorageError(f"a name for the wall has 1 to {_LONGEST_NAME} characters; choose another one")
    counts: dict[str, list[int]] = {}
    for line in overview.lines:
        count = counts.setdefault(line.lesson.name, [0, 0])
        count[0] += line.record.passed is not None
        count[1] += 1
    shown = {"version": VERSION, "pseudonym": pseudonym, "passed": counts}
    if image is not None:
        shown |= {"image": image, "licence": licence}
    return json.dumps(shown).encode()


def withdraw(prefix: Location) -> None:
    """Take your counts off the wall."""
    _check(prefix)
    delete_object(prefix, KEY)


def read_wall(bucket: Location) -> Wall:
    """Return what the learners of a class show: one small object below each prefix is read.

    Raises
    ------
    StorageError
        The bucket cannot be listed.
    """
    prefixes, _ = list_folder(bucket)
    notes = []
    if len(prefixes) > MOST:
        notes.append(f"{len(prefixes)} prefixes are there; the first {MOST} were read")
    with ThreadPoolExecutor(_AT_ONCE) as crew:
        found = list(crew.map(lambda prefix: _member(bucket, prefix), prefixes[:MOST]))
    notes += [each for each in found if isinstance(each, str)]
    return Wall(bucket, tuple(each for each in found if isinstance(each, Member)), tuple(notes))


def parse(prefix: str, content: bytes) -> Member:
    """Return what a learner's file says; raises ValueError where it says something else."""
    document = json.loads(content)
    match document:
        case {"version": 1, "pseudonym": str(pseudonym), "passed": dict(passed)} if _is_short(pseudonym):
            image, licence = document.get("image"), document.get("licence")
            return Member(
                prefix,
                escaped(pseudonym, limit=_LONGEST_NAME),
                {name: _counts(passed[name]) for name in sorted(passed) if name in _KNOWN},
                image if _is_key(image) else None,
                escaped(licence, limit=_LONGEST_NAME) if isinstance(licence, str) else None,
            )
    raise ValueError("it has no version, pseudonym and counts")


def _member(bucket: Location, prefix: str) -> Member | str | None:
    """Return a learner, None for a prefix that shows nothing, or why it cannot be read."""
    try:
        return parse(prefix, read_object(bucket / prefix, KEY, limit=LARGEST))
    except NotFoundError:
        return None
    except (StorageError, ValueError, RecursionError) as error:
        return escaped(f"{prefix}/{KEY} was left out: {error}", limit=200)


def _counts(value: object) -> Counts:
    match value:
        case [int(passed), int(of)] if 0 <= passed <= of <= 100:
            return int(passed), int(of)
    raise ValueError("counts are two numbers, passed and all")


def _is_key(image: object) -> TypeGuard[str]:
    if not isinstance(image, str) or len(image) > _LONGEST_KEY or not image.isprintable():
        return False
    return not {"", ".", ".."} & set(image.split("/"))


def _is_short(name: str) -> bool:
    return 0 < len(name.strip()) <= _LONGEST_NAME and len(name) <= _LONGEST_NAME


def _check(prefix: Location) -> None:
    if not prefix.key or "/" in prefix.key:
        raise StorageError(
            f"{prefix.url} is no prefix of one learner; give the bucket and one name, such as "
            'Location(endpoint, "class", "ada")'
        )


def _cell(counts: Counts | None) -> str:
    if counts is None:
        return "<td>-</td>"
    passed, of = counts
    share = passed / of if of else 0
    # Okabe and Ito's bluish green; the numbers say the same to those who do not see it
    return f'<td style="background:rgba(0,158,115,{share * 0.6:.2f})">{passed}/{of}</td>'
