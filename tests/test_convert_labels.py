"""Label images written below the image they belong to."""

import json
import shutil

import numpy as np
import ome_zarr_models
import pytest
import tifffile
import yaozarrs
import zarr

from ngff_practical.cli import main
from ngff_practical.convert import convert, convert_labels
from ngff_practical.errors import ExistsError, NotFoundError, PlanError
from ngff_practical.inspection import describe_image, validate
from ngff_practical.pyramid import plan_labels, plan_pyramid
from ngff_practical.stack import find_stack

SHAPE = (6, 45, 50)


def ids(dtype="uint16"):
    """Return boxes of 4 x 8 x 8 voxels, each with an id of its own, on 0."""
    labels = np.zeros(SHAPE, dtype)
    for number, (y, x) in enumerate(np.ndindex(5, 5), start=1):
        labels[1:5, 8 * y + 2 : 8 * y + 10, 8 * x + 2 : 8 * x + 10] = number * 1000
    return labels


def a_stack(path, array, axes="ZYX"):
    tifffile.imwrite(path, array, metadata={"axes": axes}, ome=True)
    return find_stack(path, voxel_size=(2, 1, 1), unit="micrometer")


def an_image(place, tmp_path, version="0.5", channels=2):
    array = np.random.default_rng(1).integers(0, 999, (channels, *SHAPE)).astype("uint16")
    source = a_stack(tmp_path / "image.ome.tif", array, "CZYX")
    convert(source, place, plan_pyramid(source, version=version, levels=3), overwrite=True)
    return describe_image(place)


def problems(place):
    return [issue for issue in validate(place) if issue.severity != "should"]


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_labels_lie_on_every_level_of_their_image_and_are_valid_to_everybody(version, tmp_path):
    place = tmp_path / "image.ome.zarr"
    image = an_image(place, tmp_path, version)
    labels = a_stack(tmp_path / "labels.ome.tif", ids())
    convert_labels(labels, place, plan_labels(labels, image), name="nuclei", verify="full")
    found = describe_image(place / "labels" / "nuclei")
    assert [level.shape for level in found.levels] == [level.shape[1:] for level in image.levels]
    assert [level.scale for level in found.levels] == [level.scale[1:] for level in image.levels]
    assert [level.translation for level in found.levels[1:]] == [
        level.translation[1:] for level in image.levels[1:]
    ]
    assert describe_image(place).labels == ("nuclei",)
    assert problems(place) == []
    assert problems(place / "labels" / "nuclei") == []
    if version != "0.6":
        yaozarrs.validate_zarr_store(place)
        group = zarr.open_group(place / "labels" / "nuclei", mode="r")
        ome_zarr_models.open_ome_zarr(group)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64"])
def test_every_large_id_survives_and_none_is_invented(dtype, tmp_path):
    place = tmp_path / "image.ome.zarr"
    image = an_image(place, tmp_path)
    array = (ids("uint32") // 1000).astype(dtype)
    labels = a_stack(tmp_path / "labels.tif", array) if dtype == "uint8" else None
    if labels is None:
        tifffile.imwrite(tmp_path / "labels.tif", array, photometric="minisblack")
        labels = find_stack(tmp_path / "labels.tif", axes="zyx")
    convert_labels(labels, place, plan_labels(labels, image), name="cells")
    group = zarr.open_group(place / "labels" / "cells", mode="r")
    np.testing.assert_array_equal(group["0"][:], array)
    for level in range(3):
        assert group[str(level)].dtype == dtype
        assert set(np.unique(group[str(level)][:])) == set(range(26))


def test_labels_there_already_stay_listed_and_the_same_name_needs_overwrite(tmp_path):
    place = tmp_path / "image.ome.zarr"
    image = an_image(place, tmp_path)
    labels = a_stack(tmp_path / "labels.ome.tif", ids())
    plan = plan_labels(labels, image)
    convert_labels(labels, place, plan, name="nuclei", colors={1000: (255, 0, 0, 255)})
    convert_labels(labels, place, plan, name="cells")
    with pytest.raises(ExistsError, match="nuclei exists"):
        convert_labels(labels, place, plan, name="nuclei")
    convert_labels(labels, place, plan, name="nuclei", overwrite=True)
    assert describe_image(place).labels == ("nuclei", "cells")
    assert problems(place) == []


def test_labels_are_listed_after_they_were_written(tmp_path):
    place = tmp_path / "image.ome.zarr"
    image = an_image(place, tmp_path)
    labels = a_stack(tmp_path / "labels.ome.tif", ids())

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_labels(labels, place, plan_labels(labels, image), name="nuclei", on_slab=stop)
    assert describe_image(place).labels == ()
    assert problems(place) == []


def test_an_image_whose_coarse_levels_drop_an_odd_row_gets_labels_of_the_same_shapes(tmp_path):
    place = tmp_path / "image.zarr"
    group = zarr.create_group(place, zarr_format=3)
    shapes, scales = [(6, 45, 51), (6, 22, 25), (6, 11, 12)], [1, 2, 4]
    for path, shape in enumerate(shapes):
        group.create_array(str(path), shape=shape, dtype="uint8", dimension_names=["z", "y", "x"])
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    datasets = [
        {"path": str(path), "coordinateTransformations": [{"type": "scale", "scale": [1.0, step, step]}]}
        for path, step in enumerate(map(float, scales))
    ]
    multiscale = {"name": "i", "axes": axes, "datasets": datasets}
    group.attrs.update({"ome": {"version": "0.5", "multiscales": [multiscale]}})
    array = np.arange(6 * 45 * 51, dtype="uint16").reshape(6, 45, 51)
    labels = a_stack(tmp_path / "labels.ome.tif", array)
    plan = plan_labels(labels, describe_image(place), chunks=(1, 4, 4))
    convert_labels(labels, place, plan, name="n", verify="full")
    made = zarr.open_group(place / "labels" / "n", mode="r")
    assert [made[str(path)].shape for path in range(3)] == shapes
    np.testing.assert_array_equal(made["1"][:], array[:, 0:44:2, 0:50:2])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((6, 45, 49), "uint16"), r"z 6 x y 45 x x 49.*c 2 x z 6 x y 45 x x 50.*differ along x"),
        (np.zeros(SHAPE, "float32"), "float32.*whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_both_sides(array, words, tmp_path):
    image = an_image(tmp_path / "image.ome.zarr", tmp_path)
    labels = a_stack(tmp_path / "labels.ome.tif", array)
    with pytest.raises(PlanError, match=words):
        plan_labels(labels, image)


def test_labels_need_an_image_and_a_name(tmp_path):
    image = an_image(tmp_path / "image.ome.zarr", tmp_path)
    labels = a_stack(tmp_path / "labels.ome.tif", ids())
    plan = plan_labels(labels, image)
    with pytest.raises(NotFoundError, match="convert the image first"):
        convert_labels(labels, tmp_path, plan, name="nuclei")
    for name in (
        "",
        "../nuclei",
        "a/b",
        " nuclei",
        "a\nb",
        "a\u202eb",
        "__nuclei",
        ".zattrs",
        "zarr.json",
        "c:",
    ):
        with pytest.raises(PlanError, match="cannot name labels"):
            convert_labels(labels, tmp_path / "image.ome.zarr", plan, name=name)


def test_the_command_writes_labels_below_the_image(tmp_path, capsys):
    place = tmp_path / "image.ome.zarr"
    an_image(place, tmp_path)
    a_stack(tmp_path / "labels.ome.tif", ids())
    arguments = ["convert", str(tmp_path / "labels.ome.tif"), str(place), "--labels", "nuclei"]
    assert main([*arguments, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["destination"] == str(place / "labels" / "nuclei")
    assert main([*arguments[:-1], "../nuclei", "--dry-run"]) == 2
    assert "'../nuclei' cannot name labels" in capsys.readouterr().err
    assert main([*arguments, "--levels", "2"]) == 2
    assert "leave out --levels" in capsys.readouterr().err
    assert main([*arguments, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["levels"][0]["shape"] == list(SHAPE)
    assert "voxel size" not in said.err  # that of the image counts
    assert main(["validate", str(place)]) == 0
    shutil.rmtree(place)
    assert main(arguments) == 2


@pytest.mark.s3
def test_an_image_on_s3_gets_labels_too(tmp_path, sandbox_server):
    sandbox_server.use()
    place = sandbox_server.location("practical", "labelled/image.ome.zarr")
    image = an_image(place, tmp_path)
    labels = a_stack(tmp_path / "labels.ome.tif", ids())
    convert_labels(labels, place, plan_labels(labels, image), name="nuclei")
    assert describe_image(place).labels == ("nuclei",)
    assert problems(place) == []
