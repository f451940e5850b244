"""The score card of an image of one's own: what was asked, what was measured, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from ngff_practical.inspection import describe_image, validate
from ngff_practical.metadata.wording import plural
from ngff_practical.model import Location, Place, Pyramid
from ngff_practical.sharing import reach
from ngff_practical.storage import list_objects
from ngff_practical.transfer import make_manifest, verify

_COLUMNS = ("", "asked", "measured")


@dataclass(frozen=True, slots=True)
class Target:
    """What an image may take: objects in all, and stored bytes of its coarsest level, the preview."""

    objects: int
    preview_bytes: int


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the card."""

    met: bool
    asked: str
    measured: str


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """The criteria in their order; a table in a notebook, text elsewhere."""

    criteria: tuple[Criterion, ...]

    @property
    def met(self) -> int:
        """Number of criteria that are met."""
        return sum(each.met for each in self.criteria)

    @property
    def summary(self) -> str:
        """One sentence with the count."""
        return f"{self.met} of {len(self.criteria)} met"

    def __repr__(self) -> str:
        rows = [f"{_sign(each)} {each.asked}: {each.measured}" for each in self.criteria]
        return "\n".join([*rows, self.summary])

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{title}</th>' for title in _COLUMNS)
        body = "".join(
            f"<tr><td>{_sign(each)}</td><td {left}>{escape(each.asked)}</td>"
            f"<td {left}>{escape(each.measured)}</td></tr>"
            for each in self.criteria
        )
        caption = f"<caption {left}>{escape(self.summary)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def score_card(image: str | Path, shared: Location | None, target: Target) -> ScoreCard:
    """Return how far a local image, and its copy on S3 where there is one, meet the target.

    Everything is measured now: objects and bytes are counted, the validator reads the image, every object of
    the copy is compared, and the copy is asked for without keys.

    Raises
    ------
    NgffPracticalError
        There is no image, or the copy cannot be reached.
    """
    place = Path(image)
    found = describe_image(place)
    counted, preview = stored(place, found)
    wrong = [issue for issue in validate(place) if issue.severity != "should"]
    units = {axis.name: axis.unit for axis in found.axes if axis.type == "space"}
    without = [name for name, unit in units.items() if unit is None]
    criteria = [
        Criterion(not wrong, "valid", plural(len(wrong), "problem") if wrong else "no rule is broken"),
        Criterion(
            not without,
            "voxel size with a unit",
            f"no unit for {', '.join(without)}"
            if without
            else ", ".join(sorted({str(u) for u in units.values()})),
        ),
        Criterion(counted <= target.objects, f"at most {target.objects} objects", f"{counted}"),
        Criterion(
            preview <= target.preview_bytes,
            f"a preview of at most {target.preview_bytes:,} bytes",
            f"{preview:,} bytes (level {found.levels[-1].path})",
        ),
    ]
    return ScoreCard((*criteria, *_sharing(place, shared)))


def stored(place: Place, image: Pyramid) -> tuple[int, int]:
    """Return how many objects an image has, labels included, and how many bytes its coarsest level."""
    coarsest = f"{image.levels[-1].path}/"
    objects = list(list_objects(place))
    return len(objects), sum(each.nbytes for each in objects if each.key.startswith(coarsest))


def _sharing(place: Path, shared: Location | None) -> tuple[Criterion, Criterion]:
    if shared is None:
        nowhere = "not shared yet"
        return Criterion(False, "a copy on S3, verified", nowhere), Criterion(
            False, "open to strangers", nowhere
        )
    differences = verify(make_manifest(place), shared)
    public = reach(shared).public
    return (
        Criterion(
            not differences,
            "a copy on S3, verified",
            plural(len(differences), "difference") if differences else "every byte is the same",
        ),
        Criterion(public, "open to strangers", "answers without keys" if public else "refuses without keys"),
    )


def _sign(criterion: Criterion) -> str:
    return "✔" if criterion.met else "○"
