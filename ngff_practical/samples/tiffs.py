"""Small realistic TIFF stacks for lessons and tests, as microscopes and ImageJ leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from ngff_practical.errors import StackError
from ngff_practical.samples.embryo import CHANNELS, Blastocyst, blastocyst
from ngff_practical.samples.particles import Particles, particles


def sample_planes(
    folder: str | Path,
    *,
    shape: tuple[int, int, int] = (24, 96, 96),
    seed: int = 62,
    prefix: str = "embryo_z",
    digits: int = 0,
) -> Path:
    """Write one TIFF per plane of a small DAPI stack into a folder, and return the folder.

    `shape` is (z, y, x), uint16. Planes count from 1 and are not padded unless `digits` says so, so that
    "z10" sorts before "z2" in a file browser; as in most such folders, no file states a voxel size.

    Raises
    ------
    StackError
        The folder holds files already.
    """
    import tifffile

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise StackError(f"{target} is not empty; choose a new folder for the planes")
    for number, plane in enumerate(blastocyst(shape=shape, seed=seed).image[1], 1):
        tifffile.imwrite(target / f"{prefix}{number:0{digits}d}.tif", plane, metadata=None)
    return target


def sample_stack(
    path: str | Path,
    *,
    shape: tuple[int, int, int] = (24, 96, 96),
    seed: int = 62,
    flavour: Literal["imagej", "ome"] = "imagej",
) -> Path:
    """Write a small two-channel stack as one file, and return its path.

    `shape` is (z, y, x), uint16. Both flavours state the voxel size in micrometer: an ImageJ hyperstack
    with the channel varying faster than z, or an OME-TIFF with channel names. An existing file is replaced.
    """
    embryo = blastocyst(shape=shape, seed=seed)
    target = Path(path)
    if flavour == "imagej":
        write_hyperstack(target, embryo)
        return target
    import tifffile

    z, y, x = embryo.voxel_size
    metadata = {
        "axes": "CZYX",
        "Name": "synthetic embryo",
        "Channel": {"Name": list(CHANNELS)},
        "PhysicalSizeX": x,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": y,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": z,
        "PhysicalSizeZUnit": "µm",
    }
    tifffile.imwrite(target, embryo.image, ome=True, metadata=metadata)
    return target


def sample_particles(path: str | Path, *, count: int = 571, seed: int = 23) -> Path:
    """Write the particle stack as idr0023's file is: big-endian float32, its particles called slices.

    The file states no pixel size, and its z axis is none. An existing file is replaced.
    """
    write_particles(path, particles(count=count, seed=seed))
    return Path(path)


def write_hyperstack(path: str | Path, embryo: Blastocyst) -> None:
    """Write an embryo as an ImageJ hyperstack, channel varying faster than z."""
    import tifffile

    z, y, x = embryo.voxel_size
    tifffile.imwrite(
        path,
        np.moveaxis(embryo.image, 0, 1),
        imagej=True,
        resolution=(1 / x, 1 / y),
        metadata={
            "axes": "ZCYX",
            "spacing": z,
            "unit": "um",
            "mode": "composite",
            "Info": f"Synthetic embryo, channels {' and '.join(CHANNELS)}\n",
        },
    )


def write_particles(path: str | Path, pores: Particles) -> None:
    """Write particles as an ImageJ stack in big-endian float32, without a pixel size."""
    import tifffile

    note = "Synthetic stand-in for idr0023 trans_norm.tif: one particle per slice\n"
    metadata = {"axes": "ZYX", "Info": note}
    tifffile.imwrite(path, pores.images, imagej=True, byteorder=">", metadata=metadata)
