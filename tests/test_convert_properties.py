"""What holds for every conversion, whatever the stack and the choices; others read the stored bytes."""

import itertools
import json
import math
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ngff_zarr
import numpy as np
import ome_zarr_models
import pytest
import tensorstore
import tifffile
import yaozarrs
import zarr
from hypothesis import given, note, settings
from hypothesis import strategies as st

from ngff_practical.convert import convert_stack
from ngff_practical.pyramid import bands, plan_pyramid
from ngff_practical.stack import find_stack

INTEGERS = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
FLOATS = ("float16", "float32", "float64")
LAYOUTS = ("planes", "pages", "compressed", "tiled")
DOCUMENTS = ("zarr.json", ".zarray", ".zattrs")
AXES = ("yx", "zyx", "czyx", "tczyx")
thorough = settings(max_examples=30, deadline=None)


@dataclass(frozen=True)
class Case:
    """A stack and the choices made for its image."""

    axes: str
    shape: tuple[int, ...]
    dtype: str
    layout: str
    version: str
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    factors: tuple[int, ...]
    levels: int
    voxel_size: tuple[float, ...]
    codec: str
    seed: int
    slab_bytes: int = bands.SLAB_BYTES

    @property
    def pixels(self):
        """Values from the whole range of the type, so that no sum of a few of them fits into it."""
        rng = np.random.default_rng(self.seed)
        if self.dtype in FLOATS:
            return rng.normal(100, 50, self.shape).astype(self.dtype)
        if self.dtype == "bool":
            return rng.integers(0, 2, self.shape).astype("bool")
        limits = np.iinfo(self.dtype)
        block = rng.integers(limits.min, limits.max, self.shape, dtype=self.dtype, endpoint=True)
        return np.where(rng.random(self.shape) < 0.2, limits.max, block).astype(self.dtype)


@st.composite
def cases(draw, dtypes=INTEGERS + FLOATS, versions=("0.4", "0.5", "0.6"), layouts=LAYOUTS):
    axes = draw(st.sampled_from(AXES))
    layout = draw(st.sampled_from([one for one in layouts if one != "planes" or axes == "zyx"]))
    size = {"t": st.just(2), "c": st.integers(2, 3), "z": st.integers(2, 7)}
    shape = tuple(draw(size.get(axis, st.integers(2, 19))) for axis in axes)
    version = draw(st.sampled_from(versions))
    chunks = tuple(draw(st.integers(1, 4 if axis in "tcz" else 8)) for axis in axes)
    sharded = version != "0.4" and draw(st.booleans())
    shards = tuple(chunk * draw(st.integers(1, 3)) for chunk in chunks) if sharded else None
    factors = tuple(draw(st.integers(1, 3)) if axis in "zyx" else 1 for axis in axes)
    factors = (*factors[:-1], max(factors[-1], 2))
    return Case(
        axes=axes,
        shape=shape,
        dtype=draw(st.sampled_from(dtypes)),
        layout=layout,
        version=version,
        chunks=chunks,
        shards=shards,
        factors=factors,
        levels=draw(st.integers(1, 1 + max(1, math.floor(math.log(shape[-1], factors[-1]))))),
        voxel_size=tuple(draw(st.sampled_from([0.1, 2.0, 3.7])) if axis in "zyx" else 1.0 for axis in axes),
        codec=draw(st.sampled_from(["blosc-zstd", "zstd", "gzip", "none"])),
        seed=draw(st.integers(0, 2**16)),
        slab_bytes=draw(st.sampled_from([1, 500, bands.SLAB_BYTES])),
    )


def write_stack(case, pixels, folder):
    if case.layout == "planes":
        planes = folder / "planes"
        planes.mkdir()
        for index, plane in enumerate(pixels):
            tifffile.imwrite(planes / f"z{index:02}.tif", plane, photometric="minisblack")
        return planes
    options = {"compressed": {"compression": "zlib"}, "tiled": {"tile": (16, 16)}}.get(case.layout, {})
    file = folder / "stack.tif"
    tifffile.imwrite(file, pixels, photometric="minisblack", **options)
    return file


def converted(case, pixels, folder):
    """Convert with the case's choices and return the image's folder."""
    note(f"{case}")
    spacing = tuple(step for axis, step in zip(case.axes, case.voxel_size, strict=True) if axis in "zyx")
    stack = write_stack(case, pixels, folder)
    source = find_stack(stack, axes=case.axes, voxel_size=spacing, unit="micrometer")
    assert source.shape == case.shape
    pyramid = plan_pyramid(
        source,
        version=case.version,
        chunks=case.chunks,
        shards=case.shards,
        factors=case.factors,
        levels=case.levels,
        codec=case.codec,
    )
    with pytest.MonkeyPatch.context() as patch:  # a row of these stacks is never too long for a band
        patch.setattr(bands, "SLAB_BYTES", case.slab_bytes)
        patch.setattr(bands, "READ_BYTES", case.slab_bytes)
        convert_stack(source, folder / "image.ome.zarr", pyramid, verify="none")
    return folder / "image.ome.zarr"


def stored_levels(image):
    """Return the levels as tensorstore reads them, and (scale, translation) of each."""
    document = image / ".zattrs"
    attributes = json.loads(document.read_text()) if document.exists() else group_attributes(image)["ome"]
    levels, steps = [], []
    for dataset in attributes["multiscales"][0]["datasets"]:
        levels.append(read_tensorstore(image / dataset["path"]))
        (first, *others) = dataset["coordinateTransformations"]
        told = first["transformations"] if first["type"] == "sequence" else [first, *others]
        told = {one["type"]: one[one["type"]] for one in told}
        steps.append((told["scale"], told.get("translation", [0.0] * len(told["scale"]))))
    return levels, steps


def group_attributes(folder):
    return json.loads((folder / "zarr.json").read_text())["attributes"]


def read_tensorstore(folder):
    driver = "zarr3" if (folder / "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{folder}/"}}
    return tensorstore.open(spec, open=True, read=True).result().read().result()


def cell_sums(fine, factors):
    """Return the exact sum of every cell and how many voxels it holds, in Python's own whole numbers."""
    sums = fine.astype(object) * 1  # bool becomes int
    counts = np.ones((1,) * fine.ndim, dtype=object)
    for axis, (size, factor) in enumerate(zip(fine.shape, factors, strict=True)):
        starts = np.arange(0, size, factor)
        sums = np.add.reduceat(sums, starts, axis=axis)
        held = np.array([min(factor, size - int(start)) for start in starts], dtype=object)
        counts = counts * held.reshape([-1 if index == axis else 1 for index in range(fine.ndim)])
    return sums, counts


def rounded_means(fine, factors):
    """Return the mean of every cell, a half going to the even neighbour."""
    sums, counts = cell_sums(fine, factors)
    floor = sums // counts
    twice = 2 * (sums - floor * counts)
    return (floor + ((twice > counts) | ((twice == counts) & (floor % 2 == 1)))).astype(fine.dtype)


def factors_between(fine, coarse):
    return tuple(round(b / a) for a, b in zip(fine[0], coarse[0], strict=True))


@thorough
@given(case=cases(dtypes=INTEGERS))
def test_whole_numbers_are_exact_at_level_0_and_exact_means_with_ties_to_even_above(case):
    with tempfile.TemporaryDirectory() as folder:
        levels, steps = stored_levels(converted(case, case.pixels, Path(folder)))
    np.testing.assert_array_equal(levels[0], case.pixels)
    assert len(levels) == case.levels
    for (fine, coarse), step in zip(itertools.pairwise(levels), itertools.pairwise(steps), strict=True):
        assert coarse.dtype == fine.dtype
        np.testing.assert_array_equal(coarse, rounded_means(fine, factors_between(*step)))


@settings(thorough, max_examples=20)
@given(case=cases(dtypes=FLOATS))
def test_floats_are_exact_at_level_0_and_means_to_their_last_digit_above(case):
    with tempfile.TemporaryDirectory() as folder:
        levels, steps = stored_levels(converted(case, case.pixels, Path(folder)))
    np.testing.assert_array_equal(levels[0], case.pixels)
    for (fine, coarse), step in zip(itertools.pairwise(levels), itertools.pairwise(steps), strict=True):
        fractions = np.array([Fraction(float(value)) for value in fine.flat], dtype=object)
        sums, counts = cell_sums(fractions.reshape(fine.shape), factors_between(*step))
        last_digit = np.finfo(case.dtype).eps
        assert coarse.dtype == fine.dtype
        means, room = (sums / counts).astype("float64"), last_digit * float(np.abs(fine).max())
        np.testing.assert_allclose(coarse, means, rtol=last_digit, atol=room)


@settings(thorough, max_examples=15)
@given(
    depth=st.integers(2, 12),
    height=st.integers(2, 20),
    chunk=st.integers(1, 4),
    layout=st.sampled_from(["planes", "pages", "compressed"]),
    dtype=st.sampled_from(["uint8", "uint16", "int32"]),
)
def test_single_planes_are_averaged_over_the_whole_depth(depth, height, chunk, layout, dtype):
    pixels = np.arange(depth * height * 6).reshape(depth, height, 6).astype(dtype)
    chunks, halved = (chunk, height, 6), (2, 2, 2)
    case = Case("zyx", pixels.shape, dtype, layout, "0.5", chunks, None, halved, 2, (1.0,) * 3, "none", 0)
    with tempfile.TemporaryDirectory() as folder:
        (fine, coarse), _ = stored_levels(converted(case, pixels, Path(folder)))
    assert len(coarse) == (depth + 1) // 2
    for index, plane in enumerate(coarse):
        pair = fine[2 * index : 2 * index + 2]
        np.testing.assert_array_equal(plane, rounded_means(pair, (2, 2, 2))[0])


@thorough
@given(case=cases(dtypes=["float64"]), slopes=st.tuples(*[st.integers(-5, 5)] * 3))
def test_a_ramp_has_at_every_voxel_the_value_of_where_its_centre_is_said_to_lie(case, slopes):
    steepness = dict(zip("zyx", slopes, strict=True))

    def ramp(shape, scale, translation):
        value = np.zeros(shape)
        for axis, name in enumerate(case.axes):
            centres = np.arange(shape[axis]) * scale[axis] + translation[axis]
            value += steepness.get(name, 0) * np.expand_dims(centres, tuple(range(1, len(shape) - axis)))
        return value

    pixels = ramp(case.shape, case.voxel_size, [0.0] * len(case.shape))
    with tempfile.TemporaryDirectory() as folder:
        levels, steps = stored_levels(converted(case, pixels, Path(folder)))
    np.testing.assert_allclose(steps[0][0], case.voxel_size)
    for level, (scale, translation) in zip(levels, steps, strict=True):
        factors = factors_between(steps[0], (scale, translation))
        # a voxel at the far edge that stands for fewer ones has no room for its centre there
        whole = tuple(slice(size // factor) for size, factor in zip(case.shape, factors, strict=True))
        np.testing.assert_allclose(level[whole], ramp(level.shape, scale, translation)[whole], atol=1e-9)


def stored_shapes(folder):
    """Return (chunks, shards) of an array as its own metadata document says, without any library."""
    if (folder / ".zarray").exists():
        return tuple(json.loads((folder / ".zarray").read_text())["chunks"]), None
    document = json.loads((folder / "zarr.json").read_text())
    grid = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    sharding = next((one for one in document["codecs"] if one["name"] == "sharding_indexed"), None)
    return (tuple(sharding["configuration"]["chunk_shape"]), grid) if sharding else (grid, None)


@thorough
@given(case=cases(dtypes=["uint16"]))
def test_chunks_and_shards_are_stored_as_asked_at_every_level(case):
    with tempfile.TemporaryDirectory() as folder:
        image = converted(case, case.pixels, Path(folder))
        for path in sorted(image.glob("[0-9]*")):
            assert stored_shapes(path) == (case.chunks, case.shards)
            shape = read_tensorstore(path).shape
            objects = math.prod(-(-a // b) for a, b in zip(shape, case.shards or case.chunks, strict=True))
            files = [one.name for one in path.rglob("*") if one.is_file()]
            assert len([name for name in files if name not in DOCUMENTS]) == objects


@settings(thorough, max_examples=20)
@given(case=cases())
def test_every_image_is_accepted_by_the_models_and_by_yaozarrs(case):
    with tempfile.TemporaryDirectory() as folder:
        image = converted(case, case.pixels, Path(folder))
        model = ome_zarr_models.open_ome_zarr(zarr.open_group(image, mode="r"))
        assert model.ome_zarr_version == case.version
        if case.version != "0.6":  # yaozarrs 0.3 has no rules for the structure of 0.6
            yaozarrs.validate_zarr_store(image)


def read_zarr(image, path):
    return zarr.open_group(image, mode="r")[path][...]


def read_ngff_zarr(image, path):
    return np.asarray(ngff_zarr.from_ome_zarr(str(image)).images[int(path)].data)


@settings(thorough, max_examples=20)
@given(case=cases())
def test_all_readers_see_the_same_pixels(case):
    with tempfile.TemporaryDirectory() as folder:
        image = converted(case, case.pixels, Path(folder))
        for path in map(str, range(case.levels)):
            seen = read_tensorstore(image / path)
            np.testing.assert_array_equal(read_zarr(image, path), seen)
            np.testing.assert_array_equal(read_ngff_zarr(image, path), seen)
