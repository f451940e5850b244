"""The arithmetic of pyramids, against exact fractions and the geometry of the specification."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ngff_practical.errors import PlanError
from ngff_practical.meter import Recorder
from ngff_practical.meter.stores import MeteredStore
from ngff_practical.model import Axis, Level, Plane, Pyramid, StackSource, axis_type
from ngff_practical.pyramid import (
    chunk_access,
    downsample_mean,
    downsample_nearest,
    fitting_workers,
    object_keys,
    peak_memory_bytes,
    plan_bands,
    plan_passes,
    plan_pyramid,
    shrink_level,
)

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


def a_stack(shape, *, axes=None, voxel_size=None, dtype="uint16"):
    names = axes or "tczyx"[-len(shape) :]
    return StackSource(
        name="stack",
        axes=tuple(Axis(name, axis_type(name)) for name in names),
        shape=shape,
        dtype=dtype,
        itemsize=np.dtype(dtype).itemsize,
        voxel_size=voxel_size or (1.0,) * len(shape),
        files=(Path("stack.tif"),),
        planes=tuple(Plane(0, index, offset=0) for index in range(int(np.prod(shape[:-2])))),
    )


def a_level(shape, chunks, shards=None, scale=None):
    return Level("0", shape, "uint16", chunks, scale or (1.0,) * len(shape), shards=shards, itemsize=2)


def cells(block, factors):
    shape = tuple(-(-size // factor) for size, factor in zip(block.shape, factors, strict=True))
    for index in np.ndindex(*shape):
        box = tuple(slice(i * f, (i + 1) * f) for i, f in zip(index, factors, strict=True))
        yield index, block[box].ravel()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_integer_mean_is_the_exact_mean_rounded_ties_to_even(data):
    dtype = data.draw(st.sampled_from(DTYPES))
    block = data.draw(arrays(dtype, array_shapes(min_dims=2, max_dims=4, max_side=6)))
    factors = tuple(data.draw(st.lists(st.integers(1, 3), min_size=block.ndim, max_size=block.ndim)))
    result = downsample_mean(block, factors)
    assert result.dtype == block.dtype
    for index, cell in cells(block, factors):
        assert int(result[index]) == round(Fraction(sum(int(v) for v in cell), cell.size))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 1e-3), ("float32", 1e-7), ("float64", 1e-15)])
def test_a_float_mean_keeps_its_type_and_precision(dtype, tolerance):
    block = np.random.default_rng(1).normal(1000, 10, (5, 6, 7)).astype(dtype)
    result = downsample_mean(block, (2, 2, 2))
    assert result.dtype == block.dtype
    for index, cell in cells(block, (2, 2, 2)):
        assert result[index] == pytest.approx(cell.astype("float64").mean(), rel=tolerance)


def test_repeated_halving_does_not_drift():
    block = np.random.default_rng(2).integers(0, 4096, (64, 64, 64), dtype="uint16")
    truth = block.mean()
    for _ in range(5):
        block = downsample_mean(block, (2, 2, 2))
    assert block.mean() == pytest.approx(truth, abs=0.5)


def test_nearest_invents_no_label():
    labels = np.random.default_rng(3).choice(np.array([0, 7, 300], dtype="int32"), (5, 9, 9))
    coarse = downsample_nearest(labels, (2, 2, 2))
    assert coarse.shape == (3, 5, 5)
    assert set(np.unique(coarse)) <= {0, 7, 300}


@given(
    shape=st.lists(st.integers(1, 50), min_size=3, max_size=3).map(tuple),
    factors=st.lists(st.integers(1, 4), min_size=3, max_size=3).map(tuple),
    scale=st.lists(st.floats(0.01, 100), min_size=3, max_size=3).map(tuple),
)
def test_first_coarse_voxel_is_centred_on_its_cell(shape, factors, scale):
    coarse = shrink_level(a_level(shape, (1, 1, 1), scale=scale), factors, path="1")
    for axis, factor in enumerate(factors):
        centres = np.arange(factor) * scale[axis]
        assert coarse.translation[axis] == pytest.approx(centres.mean())
        assert coarse.scale[axis] == pytest.approx(scale[axis] * factor)


def test_a_second_halving_keeps_a_ramp_where_it_is():
    ramp = np.broadcast_to(np.arange(64.0), (1, 4, 64)).copy()
    level = a_level((1, 4, 64), (1, 4, 64))
    for path in ("1", "2"):
        ramp = downsample_mean(ramp, (1, 1, 2))
        level = shrink_level(level, (1, 1, 2), path=path)
    positions = np.arange(ramp.shape[-1]) * level.scale[-1] + level.translation[-1]
    np.testing.assert_allclose(ramp[0, 0], positions)


def test_z_waits_until_y_and_x_have_caught_up():
    pyramid = plan_pyramid(a_stack((30, 510, 667), voxel_size=(5.0, 2.0, 2.0)))
    assert [level.shape for level in pyramid.levels] == [
        (30, 510, 667),
        (30, 255, 334),
        (15, 128, 167),
        (8, 64, 84),
    ]
    assert pyramid.levels[2].translation == (2.5, 3.0, 3.0)


def test_all_axes_of_space_are_halved_where_no_voxel_size_is_known():
    pyramid = plan_pyramid(a_stack((3, 2, 20, 200, 200)), levels=2)
    assert pyramid.levels[1].shape == (3, 2, 10, 100, 100)


def test_a_small_image_is_one_level():
    assert len(plan_pyramid(a_stack((571, 30, 30))).levels) == 1


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_chunks_and_shards_are_exactly_those_asked_for(version):
    shards = None if version == "0.4" else (4, 64, 64)
    pyramid = plan_pyramid(a_stack((9, 200, 300)), version=version, chunks=(2, 32, 64), shards=shards)
    assert {level.chunks for level in pyramid.levels} == {(2, 32, 64)}
    assert {level.shards for level in pyramid.levels} == {shards}


@pytest.mark.parametrize(
    ("dtype", "shape"), [("uint8", (500, 2000, 2000)), ("uint16", (200, 300, 300)), ("float32", (4000, 4000))]
)
def test_automatic_chunks_are_about_one_mebibyte_and_fit(dtype, shape):
    chunks = plan_pyramid(a_stack(shape, dtype=dtype)).levels[0].chunks
    nbytes = np.prod(chunks) * np.dtype(dtype).itemsize
    assert 2**19 <= nbytes <= 2**21
    assert all(chunk <= size for chunk, size in zip(chunks, shape, strict=True))


def test_automatic_shards_keep_an_image_below_a_thousand_objects():
    big = a_stack((256, 2048, 2048))
    assert plan_pyramid(big).objects <= 1000
    assert plan_pyramid(big, shards=None).objects > 1000
    assert plan_pyramid(a_stack((16, 512, 512))).levels[0].shards is None


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 3000), st.integers(1, 3000)),
    shards=st.tuples(st.integers(1, 128), st.integers(1, 2048), st.integers(1, 2048)),
)
def test_chunks_left_to_the_planner_fill_the_shards_that_were_asked_for(shape, shards):
    for level in plan_pyramid(a_stack(shape), shards=shards).levels:
        assert level.shards == shards
        assert [shard % chunk for shard, chunk in zip(shards, level.chunks, strict=True)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"version": "0.3"}, "0.3"),
        ({"codec": "lz77"}, "lz77"),
        ({"chunks": (64, 64)}, "2 numbers"),
        ({"chunks": (0, 64, 64)}, "at least 1"),
        ({"chunks": (4, 64, 64), "shards": (4, 96, 64)}, "multiples"),
        ({"version": "0.4", "shards": (8, 64, 64)}, "Zarr v2"),
        ({"levels": 0}, "at least 1"),
        ({"levels": 12}, "at most"),
        ({"factors": (2, 2)}, "2 numbers"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_the_reason(choices, words):
    with pytest.raises(PlanError, match=words):
        plan_pyramid(a_stack((8, 100, 100)), **choices)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bands_and_slabs_tile_both_levels_in_whole_objects(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 40), min_size=3, max_size=3)))
    chunks = tuple(data.draw(st.lists(st.integers(1, 9), min_size=3, max_size=3)))
    factors = tuple(data.draw(st.lists(st.integers(1, 3), min_size=3, max_size=3)))
    factors = tuple(f if size > 1 else 1 for f, size in zip(factors, shape, strict=True))
    fine = a_level(shape, chunks)
    coarse = shrink_level(fine, factors, path="1")
    seen, coarse_seen = np.zeros(shape, int), np.zeros(coarse.shape, int)
    for band in plan_bands(fine, coarse, rows_together=data.draw(st.integers(1, 50))):
        for slab in band.slabs:
            seen[slab] += 1
            for part, size, chunk, factor in zip(slab, shape, chunks, factors, strict=True):
                assert part.start % chunk == 0
                assert part.start % factor == 0
                assert part.stop % chunk == 0 or part.stop == size
        coarse_seen[band.coarse] += 1
        for part, size, chunk in zip(band.coarse, coarse.shape, chunks, strict=True):
            assert part.start % chunk == 0
            assert part.stop % chunk == 0 or part.stop == size
    assert (seen == 1).all()
    assert (coarse_seen == 1).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_level_that_is_only_read_is_cut_at_chunks_and_still_yields_whole_shards(data):
    shape, chunks, factors = (
        tuple(data.draw(st.lists(st.integers(1, high), min_size=3, max_size=3))) for high in (40, 5, 3)
    )
    factors = tuple(f if size > 1 else 1 for f, size in zip(factors, shape, strict=True))
    shards = tuple(size * data.draw(st.integers(1, 4)) for size in chunks)
    fine = replace(a_level(shape, chunks), shards=shards)
    coarse = shrink_level(fine, factors, path="1")
    seen, coarse_seen = np.zeros(shape, int), np.zeros(coarse.shape, int)
    for band in plan_bands(fine, coarse, write_fine=False):
        for slab in band.slabs:
            seen[slab] += 1
            assert all(p.stop % f == 0 or p.stop == n for p, f, n in zip(slab, factors, shape, strict=True))
        coarse_seen[band.coarse] += 1
        for part, size, shard in zip(band.coarse, coarse.shape, shards, strict=True):
            assert part.start % shard == 0
            assert part.stop % shard == 0 or part.stop == size
    assert (seen == 1).all()
    assert (coarse_seen == 1).all()


def test_large_shards_are_written_in_600_mb_however_many_processors_there_are():
    pyramid = plan_pyramid(
        a_stack((256, 2048, 2048)), chunks=(64, 128, 128), shards=(64, 1024, 1024), levels=5
    )
    workers = fitting_workers(pyramid, processors=8)
    assert peak_memory_bytes(pyramid, workers=workers) < 600e6


def test_shards_beyond_the_edge_take_no_more_memory_than_the_image():
    fitting, larger = (
        plan_pyramid(a_stack((32, 256, 256)), chunks=(16, 64, 64), shards=shards, levels=2)
        for shards in ((32, 256, 256), (512, 1024, 1024))
    )
    assert peak_memory_bytes(larger, workers=2) == peak_memory_bytes(fitting, workers=2)
    assert [one.fine.path for one in plan_passes(larger)] == ["0"]


def test_memory_does_not_grow_with_the_depth_of_the_stack():
    shallow, deep = (
        plan_pyramid(a_stack((depth, 2048, 2048)), chunks=(64, 128, 128), shards=None, levels=5)
        for depth in (256, 1024)
    )
    assert peak_memory_bytes(shallow, workers=2) == peak_memory_bytes(deep, workers=2)


@given(data=st.data())
def test_chunk_access_counts_what_a_region_really_meets(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 12), min_size=2, max_size=3)))
    chunks = tuple(data.draw(st.lists(st.integers(1, 5), min_size=len(shape), max_size=len(shape))))
    region = []
    for size in shape:
        start = data.draw(st.integers(0, size - 1))
        region.append(slice(start, data.draw(st.integers(start + 1, size))))
    grids = np.meshgrid(*[np.arange(size) // c for size, c in zip(shape, chunks, strict=True)], indexing="ij")
    owner = np.stack(grids, axis=-1).reshape(*shape, -1)
    touched = {tuple(key) for key in owner[tuple(region)].reshape(-1, len(shape))}
    held = sum(tuple(key) in touched for key in owner.reshape(-1, len(shape)))
    access = chunk_access(a_level(shape, chunks), region)
    assert access.chunks == access.objects == len(touched)
    assert access.bytes_read == held * 2
    assert access.bytes_wanted == np.prod([part.stop - part.start for part in region]) * 2


def test_chunk_access_counts_shards_as_the_objects():
    level = a_level((8, 64, 64), (1, 16, 16), shards=(4, 32, 32))
    access = chunk_access(level, (slice(0, 5), slice(0, 33), slice(0, 16)))
    assert (access.chunks, access.objects) == (5 * 3 * 1, 2 * 2 * 1)


def test_a_region_outside_the_level_is_refused():
    with pytest.raises(PlanError, match="empty"):
        chunk_access(a_level((8, 8), (4, 4)), (slice(8, 9), slice(0, 1)))


def test_labels_are_planned_as_nearest():
    pyramid = plan_pyramid(a_stack((4, 300, 300), dtype="int32"), downsampling="nearest")
    assert pyramid.downsampling == "nearest"


@pytest.mark.parametrize(
    ("version", "zarr_format", "separator", "shards"),
    [("0.1", 2, ".", None), ("0.4", 2, "/", None), ("0.5", 3, "/", None), ("0.5", 3, "/", (2, 8, 8))],
)
def test_object_keys_are_those_that_zarr_writes(version, zarr_format, separator, shards):
    keys = {"name": "v2" if zarr_format == 2 else "default", "separator": separator}
    store = zarr.storage.MemoryStore()
    array = zarr.create_array(
        store,
        name="0",
        shape=(3, 16, 20),
        chunks=(1, 8, 4),
        shards=shards,
        dtype="uint8",
        zarr_format=zarr_format,
        chunk_key_encoding=keys,
    )
    region = (slice(1, 3), slice(0, 8), slice(5, 13))
    array[region] = 1
    level = Level("0", (3, 16, 20), "uint8", (1, 8, 4), (1.0,) * 3, shards=shards)
    pyramid = Pyramid("image", version, (Axis("z"), Axis("y"), Axis("x")), (level,))
    written = {key for key in store._store_dict if key.startswith("0/") and key[-1].isdigit()}
    assert set(object_keys(pyramid, level, region)) == written


def test_a_shard_takes_a_request_for_its_index_and_one_for_its_chunks():
    level = a_level((10, 64, 64), (1, 32, 32), (10, 64, 64))
    region = (slice(0, 5), slice(0, 33), slice(0, 16))
    assert chunk_access(level, region).requests == 2
    recorder = Recorder()
    store = zarr.storage.MemoryStore()
    array = zarr.create_array(store, shape=level.shape, chunks=level.chunks, shards=level.shards, dtype="u2")
    array[:] = 7
    opened = zarr.open_array(MeteredStore(store, recorder), mode="r")
    before = recorder.request_count()
    opened[region]
    assert recorder.request_count() - before == 2


@pytest.mark.parametrize("chunks", [(99_999_999_999, 1, 1), (1024, 1024, 1024)], ids=str)
def test_a_chunk_that_nobody_could_hold_is_refused_with_its_size(chunks):
    with pytest.raises(PlanError, match=r"takes [0-9]{10,} bytes, .* choose smaller chunks"):
        plan_pyramid(a_stack((8, 64, 64)), chunks=chunks)


def test_a_shard_of_too_many_chunks_is_refused_with_their_number():
    with pytest.raises(PlanError, match=r"holds 134217728 chunks of \(1, 1, 1\), and 67108864"):
        plan_pyramid(a_stack((8, 64, 64)), chunks=(1, 1, 1), shards=(512, 512, 512))
