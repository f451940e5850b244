"""Values as a person reads them, in a terminal or a notebook: amounts, shapes, and harmless text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngff_practical.model.image import Axis, Level


LEVEL_TITLES = ("level", "shape", "chunks", "shards", "voxel size", "objects")
"""What the columns of a table of levels are called, before the one of their bytes."""


def escaped(text: str, *, limit: int = 80) -> str:
    r"""Return text from a file as one harmless line: control and bidirectional characters become ``\x1b``.

    Longer text is cut after `limit` characters and ends in an ellipsis. HTML is not touched: whoever
    builds a page escapes it there.
    """
    shortened = text if len(text) <= limit else text[: max(limit - 1, 1)] + "…"
    return "".join(_visible(character) for character in shortened)


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `1 level`, `3 levels`, `no levels`."""
    return f"{count or 'no'} {one if count == 1 else many or one + 's'}"


def bytes_text(nbytes: float) -> str:
    """Return an amount of bytes as people read it: "812 B", "64.0 kB", "2.1 MB" (powers of 1000)."""
    if nbytes < 1000:
        return f"{nbytes:.0f} B"
    size, units = nbytes / 1000, ["EB", "PB", "TB", "GB", "MB", "kB"]
    while size >= 999.95 and len(units) > 1:  # which would be written as 1000.0
        size /= 1000
        units.pop()
    return f"{size:.1f} {units[-1]}"


def duration_text(ms: float) -> str:
    """Return a time in milliseconds, from a second on in seconds: "92 ms", "1.4 s"."""
    return f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1000:.1f} s"


def shape_text(shape: tuple[int, ...] | None, *, by: str = " x ") -> str:
    """Return a shape as "236 x 275 x 271", or a dash."""
    return by.join(str(size) for size in shape) if shape else "-"


def voxel_text(level: Level, axes: Sequence[Axis], *, by: str = " x ") -> str:
    """Return the voxel size along the axes of space with their unit."""
    parts = [
        (f"{step:.4g}", axis.unit)
        for step, axis in zip(level.scale, axes, strict=True)
        if axis.type == "space"
    ]
    units = {unit for _, unit in parts}
    if len(units) == 1:
        return f"{by.join(size for size, _ in parts)} {parts[0][1] or '(no unit)'}"
    return by.join(f"{size} {unit or '(no unit)'}" for size, unit in parts)


def level_texts(level: Level, axes: Sequence[Axis], *, by: str = " x ") -> tuple[str, ...]:
    """Return a level as the first cells of a row, as `LEVEL_TITLES` names them."""
    shapes = (shape_text(shape, by=by) for shape in (level.shape, level.chunks, level.shards))
    return (level.path, *shapes, voxel_text(level, axes, by=by), f"{level.objects:,}")


def axis_text(axis: Axis) -> str:
    """Return an axis with its type and unit: "z (space, micrometer)"."""
    about = ", ".join(text for text in (axis.type, axis.unit) if text)
    return f"{axis.name} ({about})" if about else axis.name


def names_text(names: Sequence[str], most: int = 12) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
