"""Rules about where the voxels of every level lie: scale, translation, and their order."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ngff_practical.metadata.reading import Dataset, Multiscale
from ngff_practical.metadata.structure import Spot, entries
from ngff_practical.metadata.subject import Rule, Subject
from ngff_practical.metadata.transforms import Placement, vector
from ngff_practical.metadata.wording import listed, numbers
from ngff_practical.model import Issue, Shape, Vector

_ALLOWED = (["scale"], ["scale", "translation"])
_ROUNDING = 1e-3  # as a share of a voxel: scales come out of divisions, some of them in 32 bits


def kinds_of_transformations(image: Subject) -> Iterator[Issue]:
    """Demand one scale, then at most one translation, nothing else (0.5, multiscales metadata)."""
    for spot, items in _lists(image) if image.version in ("0.4", "0.5") else ():
        kinds = [item.get("type") if isinstance(item, dict) else None for item in items]
        known = [kind for kind in kinds if isinstance(kind, str)]
        if len(known) == len(kinds) and known not in _ALLOWED and not image.faulty(spot.where):
            expected = "expected one scale, then at most one translation"
            yield spot.must(f"the transformations are {listed(known) or 'none'}, {expected}")


def lengths_of_vectors(image: Subject) -> Iterator[Issue]:
    """Demand one number for every axis (0.5, multiscales metadata)."""
    for found in image.multiscales if image.calibrated else ():
        count = len(found.axes or ())
        for spot, name, values in _vectors(image, found):
            if 2 <= count <= 5 and len(values) != count:
                yield spot.must(f"{name} has {len(values)} numbers, but the image has {count} axes")


def positive_scale(image: Subject) -> Iterator[Issue]:
    """Demand a size above zero along every axis (0.6, coordinateTransformations metadata)."""
    for found in image.multiscales if image.calibrated else ():
        for spot, name, values in _vectors(image, found):
            if name == "scale" and any(value <= 0 for value in values):
                yield spot.must(f"scale is {numbers(values)}, expected numbers above 0: the size of a voxel")


def growing_scale(image: Subject) -> Iterator[Issue]:
    """Demand levels from the highest resolution to the lowest (0.5, multiscales metadata).

    Only the first that is not is named, and none whose array grows, too: that is another rule's.
    """
    for found in image.multiscales if image.calibrated else ():
        shapes = {where: array.shape for where, array in image.levels(found)}
        before: tuple[int, Vector, Shape] | None = None
        for index, dataset in enumerate(found.datasets):
            scale, shape = dataset.own.scale, shapes.get(dataset.where, ())
            if scale is None or not _proper(scale) or _said(image, dataset):
                continue
            if before is not None and _smaller(scale, before[1]) and not _grows(shape, before[2]):
                message = (
                    f"level {index} has smaller voxels, {numbers(scale)}, than level {before[0]}, "
                    f"{numbers(before[1])}; expected larger ones"
                )
                yield _transformations(image, dataset.where).must(message)
                break
            before = (index, scale, shape)


def centred_levels(image: Subject) -> Iterator[Issue]:
    """Recommend the middle of some voxels as the place of their mean (0.6, coordinateTransformations).

    Only the first level that does not is named: the others follow from the same habit of a writer.
    """
    for found in image.multiscales if image.calibrated and image.kind != "label" else ():
        if not _averaged(found) or any(_said(image, dataset) for dataset in found.datasets):
            continue
        for index, dataset in enumerate(found.datasets):
            shift = _shift(dataset.placement, found.datasets[0].placement)
            if shift:
                message = f"level {index} is shifted against level 0: {shift}, half of the added voxel size"
                yield _transformations(image, dataset.where).should(message)
                break


def likely_voxel_size(image: Subject) -> Iterator[Issue]:
    """Suspect a spacing of exactly 1 beside measured ones: software writes it where nobody told it better."""
    for found in image.multiscales if image.calibrated else ():
        first, axes = found.datasets[0] if found.datasets else None, found.axes or ()
        scale, own = (first.placement.scale, first.own.scale) if first else (None, None)
        if first is None or scale is None or own is None or not len(scale) == len(own) == len(axes):
            continue
        steps = zip(axes, scale, own, strict=True)
        sizes = {axis.name: sizes for axis, *sizes in steps if axis.type == "space" and axis.unit}
        ones = [name for name, size in sizes.items() if size == [1.0, 1.0]]
        if ones and len(ones) < len(sizes):
            message = (
                f"the scale along {listed(ones)} is exactly 1, unlike the others: make sure it was measured"
            )
            yield _transformations(image, first.where).should(message)


TRANSFORM_RULES: tuple[Rule, ...] = (
    kinds_of_transformations,
    lengths_of_vectors,
    positive_scale,
    growing_scale,
    centred_levels,
    likely_voxel_size,
)


def _transformations(image: Subject, where: str) -> Spot:
    return image.spot("multiscales metadata", f"{where}.coordinateTransformations")


def _said(image: Subject, dataset: Dataset) -> bool:
    """Return True where something else is wrong with a level's transformations, so that they mean little."""
    return image.faulty(f"{dataset.where}.coordinateTransformations")


def _smaller(now: Vector, then: Vector) -> bool:
    return any(a < b * (1 - _ROUNDING) for a, b in zip(now, then, strict=False))


def _grows(now: Shape, then: Shape) -> bool:
    return any(a > b for a, b in zip(now, then, strict=False))


def _lists(image: Subject) -> Iterator[tuple[Spot, list[object]]]:
    """Yield every list of transformations that a level, or (up to 0.5) a whole image, has."""
    for number, item in enumerate(entries(image.metadata, "multiscales")):
        where = f"multiscales[{number}]"
        places = [
            (f"{where}.datasets[{index}]", dataset) for index, dataset in enumerate(entries(item, "datasets"))
        ]
        if image.version != "0.6":
            places.append((where, item))
        for at, holder in places:
            items = holder.get("coordinateTransformations")
            if isinstance(items, list):
                yield _transformations(image, at), items


def _vectors(image: Subject, found: Multiscale) -> Iterator[tuple[Spot, str, Vector]]:
    """Yield every readable vector of an image: where, "scale" or "translation", and its numbers."""
    for spot, items in _lists(image):
        if not spot.where.startswith(f"{found.where}."):
            continue
        for index, item in enumerate(items):
            at = spot.item(index)
            inside = enumerate(entries(item, "transformations"))
            for place, step in [(at, item), *((at.key("transformations").item(k), one) for k, one in inside)]:
                kind = step.get("type") if isinstance(step, dict) else None
                values = vector(step.get(kind)) if isinstance(step, dict) and isinstance(kind, str) else None
                if kind in ("scale", "translation") and values is not None:
                    yield place.key(kind), kind, values


def _averaged(found: Multiscale) -> bool:
    """Return False where levels were made by picking single voxels, which do not move."""
    return not any(
        word in (found.method or "").lower() for word in ("nearest", "subsampl", "stride", "decimat")
    )


def _shift(level: Placement, first: Placement) -> str:
    """Return which translation a level has and which it should, "" where it is right or nobody can tell."""
    scale, base = level.scale, first.scale
    if scale is None or base is None or len(scale) != len(base) or not (_proper(scale) and _proper(base)):
        return ""
    origin, stated = (place.translation or (0.0,) * len(base) for place in (first, level))
    if not len(origin) == len(stated) == len(base):
        return ""
    expected = tuple(o + (s - s0) / 2 for o, s, s0 in zip(origin, scale, base, strict=True))
    if _close(stated, expected, base):
        return ""
    there = f"its translation is {numbers(stated)}" if level.translation else "it has no translation"
    return f"{there}, expected {numbers(expected)}"


def _proper(scale: Vector) -> bool:
    return all(math.isfinite(value) and value > 0 for value in scale)


def _close(stated: Vector, expected: Vector, size: Vector) -> bool:
    return all(abs(a - b) <= 0.01 * step for a, b, step in zip(stated, expected, size, strict=True))
