"""Small images with one rule broken each, and how a repair is judged: by the validator and the truth."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.course.exercise import Seat
from ngff_practical.course.places import does_not_open, folder, no_folder
from ngff_practical.errors import NgffPracticalError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.metadata.wording import plural
from ngff_practical.model import Pyramid
from ngff_practical.samples import mini_image

type Json = dict[str, object]
type Edit = Callable[[Json], None]
type VoxelSize = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Repair:
    """An image to be repaired, and what it is when it is right."""

    seat: Seat
    voxel_size: VoxelSize
    path: Path
    truth: Pyramid

    def example(self, name: str, edit: Edit) -> Path:
        """Return a path where the image lies with these multiscales."""
        place = self.path.with_name(f"{name}-{self.path.name}")
        shutil.rmtree(place, ignore_errors=True)
        keep(place, lambda part: _write(part, self.voxel_size, edit))
        return place

    def looked(self, answer: object) -> str | None:
        """Return what is wrong with an answer, None where nothing is."""
        place = folder(answer)
        if place is None:
            return no_folder(answer, "the repaired image")
        try:
            found = describe_image(place)
            if wrong := first_issue(place):
                return wrong
        except NgffPracticalError as error:
            return does_not_open(error)
        for level, true in zip(found.levels, self.truth.levels, strict=False):
            if level.shape != true.shape:
                return f"Level {level.path} has the shape {level.shape}, {true.shape} was expected."
            for name in ("scale", "translation"):
                own, right = getattr(level, name) or (), getattr(true, name) or ()
                if not _close(own, right):
                    return f"Valid, but level {level.path} says {name} {_listed(own)}: is that so?"
        if found.axes != self.truth.axes or len(found.levels) != len(self.truth.levels):
            return "Valid, but not the image that it was: compare its axes and levels with the arrays."
        return None


def repair(seat: Seat, name: str, edit: Edit, voxel_size: VoxelSize = (0.8, 0.4, 0.4)) -> Repair:
    """Return an image with a broken rule, written unless it is there; a repaired one stays repaired."""
    size = "x".join(f"{length:g}" for length in voxel_size)
    path = seat.folder / f"{name}-{size}.zarr"
    keep(path, lambda part: _write(part, voxel_size, edit))
    truth = seat.folder / f"right-{size}.zarr"
    keep(truth, lambda part: _write(part, voxel_size, lambda _: None))
    return Repair(seat, voxel_size, path, describe_image(truth))


def keep(place: Path, write: Callable[[Path], object]) -> None:
    """Write something beside its place and move it there, unless it is there already."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"part-{place.name}")
    shutil.rmtree(part, ignore_errors=True)
    write(part)
    part.replace(place)


def first_issue(place: Path) -> str | None:
    """Return how many issues the validator finds, and the gravest of them; None where it finds none.

    Raises
    ------
    NgffPracticalError
        The metadata cannot be read.
    """
    issues = sorted(validate(place), key=lambda issue: issue.rank)
    if not issues:
        return None
    return f"{plural(len(issues), 'issue')}, the first: {issues[0].where}: {issues[0].message}."


def multiscale(answer: object) -> Json:
    """Return the multiscales metadata of the image that an answer names, {} where there are none."""
    place = folder(answer)
    try:
        document = json.loads((place / "zarr.json").read_text("utf-8")) if place else {}
        found = document["attributes"]["ome"]["multiscales"][0]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def steps(found: Json, kind: str) -> list[list[float]]:
    """Return the scale or translation of each level, [] for a level without one."""
    rows: list[list[float]] = []
    datasets = found.get("datasets")
    for dataset in datasets if isinstance(datasets, list) else []:
        listed = dataset.get("coordinateTransformations") if isinstance(dataset, dict) else None
        kept = [step[kind] for step in listed or [] if isinstance(step, dict) and kind in step]
        row = kept[0] if kept and isinstance(kept[0], list) else []
        rows.append([float(part) for part in row if isinstance(part, int | float)])
    return rows


def axis_values(found: Json, key: str) -> list[object]:
    """Return the name or the unit of each axis."""
    axes = found.get("axes")
    return [axis.get(key) for axis in axes if isinstance(axis, dict)] if isinstance(axes, list) else []


def _write(path: Path, voxel_size: VoxelSize, edit: Edit) -> None:
    mini_image(path, voxel_size=voxel_size)
    file = path / "zarr.json"
    document = json.loads(file.read_text("utf-8"))
    found = document["attributes"]["ome"]["multiscales"][0]
    found["name"] = "mini"
    edit(found)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")


def _close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    size = max(len(one), len(other))
    padded = (one or (0.0,) * size, other or (0.0,) * size)
    return len(padded[0]) == len(padded[1]) and all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) for a, b in zip(*padded, strict=True)
    )


def _listed(row: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in row)})" if row else "nothing"
