"""The options of `plan` and `convert`: how the stack is to be read, and the image to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cyclopts import Parameter

from ngff_practical.cli.progress import bar
from ngff_practical.errors import PlanError
from ngff_practical.model import Place, Pyramid, Shape, StackSource
from ngff_practical.pyramid import plan_labels, plan_pyramid
from ngff_practical.stack import find_stack


@Parameter(name="*")
@dataclass(frozen=True)
class Choices:
    """What a person may choose; lists are written with commas, in axis order.

    Parameters
    ----------
    axes
        Letters of the axes as stored, such as zyx or tczyx, where the files do not state them; zc2yx where 2
        channels of each plane follow each other in the pages of a file.
    voxel_size
        Along the axes of space, such as 5,2,2 for z, y, x.
    unit
        Unit of the voxel size, such as micrometer.
    pattern
        How the files of a folder are named, as in `img_{z}_ch{c}.tif` or `ZStep_{z}/{}_w{c}.tif`: t, c and z
        count along that axis, `{}` is anything, `{c=1,2}` only these; files that do not fit are left out.
    image
        Number of the image that is meant, from 1 on, where a file holds several.
    version
        OME-Zarr version to write: 0.4, 0.5 or 0.6.
    chunks
        Shape of a chunk, or auto: about 1 MiB.
    shards
        Shape of a shard, none, or auto: only where there would be more than 1,000 objects.
    codec
        blosc-zstd, zstd, gzip or none.
    levels
        Number of levels, or auto: until y and x are at most 128.
    factors
        Whole-number factor along each axis, from each level to the next.
    """

    axes: str | None = None
    voxel_size: str | None = None
    unit: str | None = None
    pattern: str | None = None
    image: int | None = None
    version: str = "0.5"
    chunks: str = "auto"
    shards: str = "auto"
    codec: str = "blosc-zstd"
    levels: str = "auto"
    factors: str | None = None

    def find(self, source: Place) -> StackSource:
        """Return the stack at `source`, read the way the person says."""
        size = _numbers("--voxel-size", self.voxel_size, float) if self.voxel_size else None
        with bar("file") as on_file:
            return find_stack(
                source,
                axes=self.axes,
                voxel_size=size,
                unit=self.unit,
                pattern=self.pattern,
                image=self.image,
                on_file=on_file,
            )

    def plan(self, stack: StackSource) -> Pyramid:
        """Return the pyramid the person asks for."""
        return plan_pyramid(
            stack,
            version=self.version,
            chunks=_shape("--chunks", self.chunks),
            shards=None if self.shards == "none" else _shape("--shards", self.shards),
            codec=self.codec,
            levels="auto" if self.levels == "auto" else _levels(self.levels),
            factors=_numbers("--factors", self.factors, int) if self.factors else None,
        )

    def plan_labels(self, stack: StackSource, image: Pyramid) -> Pyramid:
        """Return the pyramid of label ids; their image decides all but how they are stored."""
        given = [
            f"--{name}"
            for name in ("version", "levels", "factors")
            if getattr(self, name) != getattr(DEFAULTS, name)
        ]
        given += [
            option for option, value in (("--voxel-size", self.voxel_size), ("--unit", self.unit)) if value
        ]
        if given:
            raise PlanError(f"labels have what their image has; leave out {', '.join(given)}")
        return plan_labels(
            stack,
            image,
            chunks=_shape("--chunks", self.chunks),
            shards=None if self.shards == "none" else _shape("--shards", self.shards),
            codec=self.codec,
        )


DEFAULTS = Choices()


def _levels(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise PlanError(f"--levels {text!r} is not a number of levels; write it like --levels 4") from None


def _shape(option: str, text: str) -> Shape | Literal["auto"]:
    return "auto" if text == "auto" else _numbers(option, text, int)


def _numbers[Number: (int, float)](option: str, text: str, kind: type[Number]) -> tuple[Number, ...]:
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise PlanError(f"{option} {text!r} is not a list of {what}; write it like {option} 5,2,2") from None
