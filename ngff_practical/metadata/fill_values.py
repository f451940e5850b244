"""The value that absent chunks read as: whether it is one of the array's own type."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from ngff_practical.metadata.structure import Spot
from ngff_practical.metadata.wording import shown
from ngff_practical.model import Issue

_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_BITS = re.compile("0x[0-9A-Fa-f]+")  # of a float, as Zarr v3 may write them


def fill_value_issues(document: Mapping[str, object], dtype: str, spot: Spot) -> Iterator[Issue]:
    """Find a fill value that no voxel of the type could have; `dtype` is numpy's name.

    In Zarr v2 null is one, too: what an absent chunk reads as is then left open.
    """
    zarr_format: Literal[2, 3] = 2 if document.get("zarr_format") == 2 else 3
    value = document.get("fill_value")
    if (value is None and zarr_format == 2) or _fits(value, dtype, zarr_format):
        return
    yield spot.key("fill_value").must(f"fill_value is {shown(value)}, which no voxel of type {dtype} can be")


def _fits(value: object, dtype: str, zarr_format: Literal[2, 3]) -> bool:
    kind = dtype.rstrip("0123456789")
    if kind == "bool":
        return isinstance(value, bool) or (zarr_format == 2 and value in (0, 1))
    if kind == "complex":
        return (
            isinstance(value, list) and len(value) == 2 and all(_fits(part, "float64", 3) for part in value)
        )
    if isinstance(value, str):
        return kind == "float" and (value in _NOT_FINITE or _BITS.fullmatch(value) is not None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if kind == "float":
        return True
    bits = int(dtype.removeprefix(kind))
    least, most = (0, 2**bits - 1) if kind == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return math.isfinite(value) and value == int(value) and least <= value <= most
