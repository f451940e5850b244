"""Write the stand-ins in the layouts of the IDR's own files: versions 0.1, 0.4 and 0.5, and TIFFs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ngff_practical.model import Shape
from ngff_practical.pyramid import downsample_mean, downsample_nearest
from ngff_practical.samples.catalogue import find_sample
from ngff_practical.samples.embryo import CHANNELS, Blastocyst, blastocyst
from ngff_practical.samples.particles import Particles, particles
from ngff_practical.samples.tiffs import write_hyperstack, write_particles

type JsonValue = str | int | float | Mapping[str, JsonValue] | Sequence[JsonValue] | None
type Json = dict[str, JsonValue]
type Levels = Sequence[NDArray[np.generic]]

_HALF = (1, 1, 2, 2)
_BLOSC: Json = {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0}
_COLORS = ("0000FF", "FFFF00")
_LABEL_CHUNKS = (1, 59, 69, 136)
_CROP = (96, 180, 180)
_AXES: list[Json] = [
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]


def write_twins(root: Path) -> None:
    """Write every stand-in below a folder, under the IDR's keys."""
    embryo, pores = blastocyst(), particles()
    write_blastocyst_04(root / find_sample("blastocyst-0.4").key, embryo)
    write_blastocyst_05(root / find_sample("blastocyst-0.5").key, embryo)
    write_particles_01(root / find_sample("particles-0.1").key, pores)
    crop = tuple(_middle(size, wanted) for size, wanted in zip(embryo.labels.shape, _CROP, strict=True))
    cropped = Blastocyst(embryo.image[:, *crop], embryo.labels[crop], embryo.voxel_size)
    stack, stack_of_pores = (root / find_sample(name).key for name in ("blastocyst-tiff", "particles-tiff"))
    for path in (stack, stack_of_pores):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_hyperstack(stack, cropped)
    write_particles(stack_of_pores, pores)


def write_blastocyst_04(path: Path, embryo: Blastocyst) -> None:
    """Write the embryo as the IDR's 0.4 copy is: Zarr 2, one object per plane, three levels.

    Its labels have four levels, as the original's have, although the specification wants as many as the
    image has (0.4, labels metadata): a real defect to be found by the validator.
    """
    import zarr

    images, labels = _image_levels(embryo, 3), _label_levels(embryo, 4)
    with _every_chunk():
        group = zarr.create_group(path, zarr_format=2)
        for node, levels in ((group, images), (group.create_group("labels/0"), labels)):
            for number, level in enumerate(levels):
                plane = (1, 1, *level.shape[2:])
                array = node.create_array(
                    str(number),
                    shape=level.shape,
                    dtype=level.dtype,
                    chunks=plane if node is group else _fit(_LABEL_CHUNKS, level.shape),
                    compressors=_BLOSC,
                    fill_value=0,
                    chunk_key_encoding={"name": "v2", "separator": "/"},
                )
                array[...] = level
    group["labels"].attrs.update({"labels": ["0"]})
    group["labels/0"].attrs.update(
        {
            "multiscales": [{**_multiscale(embryo, 4, "labels of 6001240"), "version": "0.4"}],
            "image-label": {**_image_label(embryo), "version": "0.4"},
        }
    )
    group.attrs.update(
        {
            "multiscales": [{**_multiscale(embryo, 3, "6001240"), "version": "0.4"}],
            "omero": {**_omero(embryo), "version": "0.4"},
            **_origin("blastocyst-0.4"),
        }
    )


def write_blastocyst_05(path: Path, embryo: Blastocyst) -> None:
    """Write the embryo as the IDR's 0.5 copy is: Zarr 3, ten planes to a shard, labels unsharded."""
    import zarr
    from zarr.codecs import BloscCodec, ZstdCodec

    images, labels = _image_levels(embryo, 3), _label_levels(embryo, 3)
    names = [str(axis["name"]) for axis in _AXES]
    with _every_chunk():
        group = zarr.create_group(path, zarr_format=3)
        for number, level in enumerate(images):
            array = group.create_array(
                str(number),
                shape=level.shape,
                dtype=level.dtype,
                chunks=(1, 1, 256, 256),
                shards=(1, 10, 512, 512),
                compressors=BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"),
                fill_value=0,
                dimension_names=names,
            )
            array[...] = level
        label = group.create_group("labels").create_group("0")
        for number, level in enumerate(labels):
            array = label.create_array(
                str(number),
                shape=level.shape,
                dtype=level.dtype,
                chunks=_fit(_LABEL_CHUNKS, level.shape),
                compressors=ZstdCodec(level=3),
                fill_value=0,
                dimension_names=names,
            )
            array[...] = level
    group["labels"].attrs.update({"ome": {"version": "0.5", "labels": ["0"]}})
    label.attrs.update(
        {
            "ome": {
                "version": "0.5",
                "multiscales": [_multiscale(embryo, 3, "labels of 6001240")],
                "image-label": _image_label(embryo),
            }
        }
    )
    group.attrs.update(
        {
            "ome": {
                "version": "0.5",
                "multiscales": [_multiscale(embryo, 3, "6001240")],
                "omero": _omero(embryo),
            },
            **_origin("blastocyst-0.5"),
        }
    )


def write_particles_01(path: Path, pores: Particles) -> None:
    """Write the particles as the first practicals did: Zarr 2, flat keys, one object of 3600 bytes each."""
    import zarr

    images = pores.images[None, None]
    with _every_chunk():
        group = zarr.create_group(path, zarr_format=2)
        array = group.create_array(
            "0",
            shape=images.shape,
            dtype=">f4",
            chunks=(1, 1, 1, *images.shape[3:]),
            compressors=_BLOSC,
            fill_value=0,
            chunk_key_encoding={"name": "v2", "separator": "."},
        )
        array[...] = images
    group.attrs.update(
        {
            "multiscales": [
                {"name": "1885619 (synthetic stand-in)", "datasets": [{"path": "0"}], "version": "0.1"}
            ],
            **_origin("particles-0.1"),
        }
    )


def _every_chunk() -> AbstractContextManager[object]:
    import zarr

    written: AbstractContextManager[object] = zarr.config.set({"array.write_empty_chunks": True})
    return written


def _middle(size: int, wanted: int) -> slice:
    start = max(0, size - wanted) // 2
    return slice(start, start + min(size, wanted))


def _fit(chunks: Shape, shape: Shape) -> Shape:
    return tuple(min(chunk, size) for chunk, size in zip(chunks, shape, strict=True))


def _image_levels(embryo: Blastocyst, count: int) -> Levels:
    levels: list[NDArray[np.generic]] = [embryo.image]
    while len(levels) < count:  # the IDR's levels have floor(size / 2) pixels: an odd last row is dropped
        levels.append(downsample_mean(_even(levels[-1]), _HALF))
    return levels


def _label_levels(embryo: Blastocyst, count: int) -> Levels:
    levels: list[NDArray[np.generic]] = [embryo.labels[None]]
    while len(levels) < count:
        levels.append(downsample_nearest(_even(levels[-1]), _HALF))
    return levels


def _even(level: NDArray[np.generic]) -> NDArray[np.generic]:
    return level[..., : level.shape[-2] // 2 * 2, : level.shape[-1] // 2 * 2]


def _multiscale(embryo: Blastocyst, levels: int, name: str) -> Json:
    z, y, x = embryo.voxel_size
    scales = [[1.0, z, y * 2**level, x * 2**level] for level in range(levels)]
    datasets: list[Json] = [
        # no translation: the IDR's files have none, which puts coarse levels half a pixel off
        {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        for level, scale in enumerate(scales)
    ]
    return {"name": f"{name} (synthetic stand-in)", "axes": _AXES, "datasets": datasets}


def _omero(embryo: Blastocyst) -> Json:
    channels: list[Json] = [
        {
            "label": label,
            "color": color,
            "active": True,
            "coefficient": 1,
            "family": "linear",
            "inverted": False,
            "window": {"min": 0, "max": 65535, "start": 0, "end": 1500},
        }
        for label, color in zip(CHANNELS, _COLORS, strict=True)
    ]
    return {
        "id": 1,
        "channels": channels,
        "rdefs": {"defaultT": 0, "defaultZ": embryo.labels.shape[0] // 2, "model": "color"},
    }


def _image_label(embryo: Blastocyst) -> Json:
    ids = [int(value) for value in np.flatnonzero(np.bincount(embryo.labels.ravel().view(np.uint8))) if value]
    hues = np.random.default_rng(7).integers(64, 256, (128, 3)).tolist()
    colors: list[Json] = [{"label-value": value, "rgba": [*hues[value], 255]} for value in ids]
    return {"colors": colors, "source": {"image": "../../"}}


def _origin(name: str) -> Json:
    sample = find_sample(name)
    return {
        "ngff_practical": {
            "synthetic": True,
            "stands_in_for": sample.key,
            "note": f"Synthetic data, made to look like {sample.study}; it measures nothing. "
            f"The original: {sample.citation}, {sample.licence}.",
        }
    }
