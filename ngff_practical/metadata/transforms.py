"""coordinateTransformations of every version as what they mean for a level: a scale and a translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ngff_practical.metadata.structure import is_number
from ngff_practical.model import Vector

_MOST_STEPS = 16  # of one list, where the specification has two


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the voxels of an array lie: `i * scale + translation`; None where nothing (readable) says so."""

    scale: Vector | None = None
    translation: Vector | None = None

    def then(self, outer: Placement) -> Placement:
        """Return this placement followed by another one, as a multiscale's own follows its datasets'."""
        scale, translation = self.scale, self.translation
        if outer.scale is not None:
            scale = _times(scale, outer.scale) if scale else outer.scale
            translation = _times(translation, outer.scale) if translation else None
        if outer.translation is not None:
            translation = _plus(translation, outer.translation) if translation else outer.translation
        return Placement(scale, translation)


def placement_of(transformations: object) -> Placement:
    """Return what a list of transformations does, applied in order; rotations and the like are passed over.

    Understands "scale", "translation", "identity" and, from 0.6 on, a "sequence" of them.
    """
    placement = Placement()
    for item in transformations[:_MOST_STEPS] if isinstance(transformations, list) else ():
        if not isinstance(item, dict):
            continue
        match item.get("type"):
            case "scale":
                placement = placement.then(Placement(scale=vector(item.get("scale"))))
            case "translation":
                placement = placement.then(Placement(translation=vector(item.get("translation"))))
            case "sequence":
                placement = placement.then(placement_of(_flat(item.get("transformations"))))
    return placement


def vector(value: object) -> Vector | None:
    """Return a JSON list of numbers as a tuple, None for anything else."""
    if not isinstance(value, list) or not value or not all(is_number(item) for item in value):
        return None
    try:
        return tuple(float(item) for item in value)
    except OverflowError:
        return None


def coordinate_system_name(end: object) -> str | None:
    """Return the name in a transformation's "input" or "output": an object, or a text in drafts of 0.6."""
    name = end.get("name") if isinstance(end, dict) else end
    return name if isinstance(name, str) else None


def _flat(transformations: object) -> list[object]:
    """Return the steps of a sequence that are no sequences themselves: those may not be nested (0.6)."""
    if not isinstance(transformations, list):
        return []
    return [item for item in transformations if isinstance(item, dict) and item.get("type") != "sequence"]


def _times(left: Sequence[float], right: Sequence[float]) -> Vector:
    return tuple(a * b for a, b in zip(left, right, strict=False))


def _plus(left: Sequence[float], right: Sequence[float]) -> Vector:
    return tuple(a + b for a, b in zip(left, right, strict=False))
