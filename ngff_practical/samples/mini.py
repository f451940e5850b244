"""Images of a few kilobytes for lessons: a small embryo with its levels, and a plate of 2 x 3 wells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ngff_practical.errors import ExistsError
from ngff_practical.metadata import image_document
from ngff_practical.model import Axis, Pyramid, StackSource
from ngff_practical.pyramid import downsample_mean, plan_pyramid
from ngff_practical.samples.embryo import blastocyst

PLATE_ROWS = ("A", "B")
PLATE_COLUMNS = ("01", "02", "03")


def mini_image(
    path: str | Path,
    *,
    shape: tuple[int, int, int] = (32, 64, 64),
    voxel_size: tuple[float, float, float] = (0.8, 0.4, 0.4),
    levels: int = 3,
    version: str = "0.5",
) -> Pyramid:
    """Write a small embryo (c, z, y, x) as OME-Zarr, and return what was written.

    `shape` and `voxel_size` are (z, y, x), in micrometer.

    Raises
    ------
    ExistsError
        Something is there already.
    """
    names = "czyx"
    source = StackSource(
        name=Path(path).name.partition(".")[0],
        axes=tuple(
            Axis(name, "channel", None) if name == "c" else Axis(name, "space", "micrometer")
            for name in names
        ),
        shape=(2, *shape),
        dtype="uint16",
        itemsize=2,
        voxel_size=(1.0, *voxel_size),
        files=(),
        planes=(),
    )
    plan = plan_pyramid(source, levels=levels, version=version, codec="zstd")
    _write(Path(path), plan, blastocyst(shape=shape, nuclei=24).image)
    return plan


def mini_plate(
    path: str | Path,
    *,
    fields: int = 2,
    leave_out: Sequence[str] = (),
) -> None:
    """Write a plate of rows A and B, columns 01 to 03, OME-Zarr 0.5: every well with some fields (y, x).

    Wells in `leave_out` ("B/02") are stored, but the plate does not list them.

    Raises
    ------
    ExistsError
        Something is there already.
    """
    import zarr

    root = Path(path)
    _require_free(root)
    planes = slice(3 * fields, 9 * fields)  # where the embryo is: the first and last planes are empty
    embryo = blastocyst(shape=(10 * fields, 64, 64), nuclei=24).image[1, planes]
    wells = [
        (f"{row}/{column}", at, index)
        for at, row in enumerate(PLATE_ROWS)
        for index, column in enumerate(PLATE_COLUMNS)
    ]
    plate = {
        "version": "0.5",
        "name": "mini plate",
        "field_count": fields,
        "rows": [{"name": name} for name in PLATE_ROWS],
        "columns": [{"name": name} for name in PLATE_COLUMNS],
        "wells": [
            {"path": well, "rowIndex": row, "columnIndex": column}
            for well, row, column in wells
            if well not in leave_out
        ],
    }
    group = zarr.create_group(root, zarr_format=3, attributes={"ome": {"version": "0.5", "plate": plate}})
    for row in PLATE_ROWS:
        group.create_group(row)
    plan = plan_pyramid(_field_source(embryo.shape[1:]), levels=2, codec="zstd")
    for number, (well, _, _) in enumerate(wells):
        images = [{"path": str(field)} for field in range(fields)]
        group.create_group(
            well, attributes={"ome": {"version": "0.5", "well": {"version": "0.5", "images": images}}}
        )
        for field in range(fields):
            _write(root / well / str(field), plan, embryo[number * fields + field])


def _field_source(shape: tuple[int, ...]) -> StackSource:
    return StackSource(
        name="field",
        axes=(Axis("y", "space", "micrometer"), Axis("x", "space", "micrometer")),
        shape=shape,
        dtype="uint16",
        itemsize=2,
        voxel_size=(0.65, 0.65),
        files=(),
        planes=(),
    )


def _require_free(place: Path) -> None:
    if place.exists():
        raise ExistsError(f"{place} exists already; choose another name, or remove it first")


def _write(place: Path, plan: Pyramid, pixels: NDArray[np.generic]) -> None:
    """Write an image whose levels are means of level 0, uncompressed or nearly so: a few objects in all."""
    import zarr

    _require_free(place)
    group = zarr.create_group(place, zarr_format=plan.zarr_format, attributes=image_document(plan))
    for level in plan.levels:
        factors = tuple(-(-full // now) for full, now in zip(plan.shape, level.shape, strict=True))
        array = group.create_array(
            level.path,
            shape=level.shape,
            chunks=level.chunks,
            dtype=level.dtype,
            dimension_names=list(plan.axis_names) if plan.zarr_format == 3 else None,
            chunk_key_encoding={"name": "v2", "separator": "/"} if plan.zarr_format == 2 else None,
        )
        array[...] = downsample_mean(pixels, factors)
