"""What one transformation looks like, by version: its type, and the numbers that stand under its name."""

from __future__ import annotations

from collections.abc import Iterator

from ngff_practical.metadata.structure import Check, Spot, choice, each, must, record, text, vector
from ngff_practical.model import Issue


def transform_0_4(value: object, spot: Spot) -> Iterator[Issue]:
    """Check one transformation of 0.4 or 0.5, of a level or of the whole image."""
    yield from record(must("type", choice("scale", "translation", "identity"), "scale or translation"))(
        value, spot
    )
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if kind in ("scale", "translation") and not isinstance(value.get("path"), str):
        yield from _numbers(kind)(value, spot)


def transform_0_6(value: object, spot: Spot) -> Iterator[Issue]:
    """Check one transformation of a level of 0.6; what else an image may have is not looked at here."""
    yield from record(must("type", text(), "its kind"))(value, spot)
    kind = value.get("type") if isinstance(value, dict) else None
    stored = isinstance(value, dict) and isinstance(value.get("path"), str)
    if isinstance(kind, str) and kind in ("scale", "translation") and not stored:
        yield from _numbers(kind)(value, spot)
    elif kind == "sequence":
        steps = must("transformations", each(_step), "a scale, then a translation")
        yield from record(steps)(value, spot)


def _step(value: object, spot: Spot) -> Iterator[Issue]:
    kind = value.get("type") if isinstance(value, dict) else None
    yield from transform_0_6(value, spot) if kind != "sequence" else ()


def _numbers(kind: str) -> Check:
    """Return the check of a scale or a translation, whose numbers stand under its own name."""
    return record(must(kind, vector, "how large a voxel is" if kind == "scale" else "where the level begins"))
