"""Plan the pyramid of a label image: the levels of the image it belongs to, nearest, ids kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ngff_practical.errors import PlanError
from ngff_practical.model import Level, Pyramid, Shape, StackSource
from ngff_practical.pyramid.plan import VERSIONS, plan_pyramid, with_shards


def plan_labels(
    source: StackSource,
    image: Pyramid,
    *,
    chunks: Shape | Literal["auto"] = "auto",
    shards: Shape | Literal["auto"] | None = "auto",
    codec: str = "blosc-zstd",
) -> Pyramid:
    """Return the pyramid that label ids would be written as: level for level as large as their image.

    Version, scale, translation and units are the image's. Axes of space are as long as the image's; t and c
    may also be 1 or missing, for labels that hold for all of it. Each coarse voxel is one of the fine ones:
    no id is invented, and each object that fills a whole cell survives.

    Raises
    ------
    PlanError
        The stack holds no whole numbers, or is not of the image's shape.
    """
    if not source.dtype.startswith(("int", "uint")):
        raise PlanError(
            f"the labels are {source.dtype}, ids are whole numbers; save the stack as uint16 or uint32"
        )
    if image.version not in VERSIONS:
        raise PlanError(
            f"the image is OME-Zarr {image.version}, labels are written for {', '.join(VERSIONS)}; "
            "convert the image again first"
        )
    sizes = dict(zip(image.axis_names, image.shape, strict=True))
    own = dict(zip(source.axis_names, source.shape, strict=True))
    missing = [name for name in "zyx" if sizes.get(name, 1) > 1 and name not in own]
    other = [name for name in own if own[name] not in _allowed(name, sizes)]
    if missing or other:
        raise PlanError(
            f"the labels are {_spelled(own)}, their image is {_spelled(sizes)}: they differ along "
            f"{', '.join(missing or other)}; give the labels of this image, at its full resolution"
        )
    plain = plan_pyramid(
        source,
        version=image.version,
        chunks=chunks,
        shards=None,
        codec=codec,
        levels=1,
        downsampling="nearest",
    )
    at = [image.axis_names.index(name) for name in source.axis_names]
    levels = [_fitted(plain.levels[0], level, at, clip=chunks == "auto") for level in image.levels]
    axes = {axis.name: axis for axis in image.axes}
    return replace(
        plain,
        axes=tuple(axes[name] for name in source.axis_names),
        levels=tuple(with_shards(levels, shards, image.version)),
        channels=(),
    )


def _allowed(name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    if name not in sizes:
        return ()
    return (sizes[name],) if name in "zyx" else (1, sizes[name])


def _spelled(sizes: dict[str, int]) -> str:
    return " x ".join(f"{name} {size}" for name, size in sizes.items())


def _fitted(first: Level, level: Level, at: Sequence[int], *, clip: bool) -> Level:
    """Return the level of the labels on a level of their image, whose axes `at` they have."""
    shape = tuple(level.shape[index] if size != 1 else 1 for index, size in zip(at, first.shape, strict=True))
    chunks = tuple(min(pair) for pair in zip(first.chunks, shape, strict=True)) if clip else first.chunks
    return replace(
        first,
        path=level.path,
        shape=shape,
        chunks=chunks,
        scale=tuple(level.scale[index] for index in at),
        translation=level.translation and tuple(level.translation[index] for index in at),
    )
