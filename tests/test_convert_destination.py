"""Destinations that hold something already, are links, or have odd names: nothing of anybody's is lost."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.convert import convert
from ngff_practical.convert import destination as destination_module
from ngff_practical.errors import ExistsError, StackError, StorageError
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack
from ngff_practical.storage import list_objects, parse_place, write_object

BLOCK = np.arange(4 * 32 * 32, dtype="uint16").reshape(4, 32, 32)


def planes(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for index, plane in enumerate(BLOCK):
        tifffile.imwrite(folder / f"z{index}.tif", plane)
    return folder


@pytest.fixture
def source(tmp_path):
    return find_stack(planes(tmp_path / "planes"))


def test_an_image_that_holds_the_stack_is_not_replaced_with_it(source, tmp_path):
    convert(source, tmp_path / "out.zarr", plan_pyramid(source))
    inside = find_stack(planes(tmp_path / "out.zarr" / "planes"))
    with pytest.raises(ExistsError, match=r"out\.zarr holds the stack itself \(.*z0\.tif\)"):
        convert(inside, tmp_path / "out.zarr", plan_pyramid(inside), overwrite=True)
    assert len(list((tmp_path / "out.zarr" / "planes").iterdir())) == 4


@pytest.mark.parametrize(
    "attributes",
    [{"plate": {"rows": [], "columns": [], "wells": []}}, {"bioformats2raw.layout": 3}, {}],
    ids=["plate", "bioformats2raw", "nothing"],
)
def test_groups_that_are_no_image_are_never_overwritten(source, tmp_path, attributes):
    zarr.create_group(tmp_path / "out.zarr", attributes={"ome": {"version": "0.5", **attributes}})
    (tmp_path / "out.zarr" / "A").mkdir()
    with pytest.raises(ExistsError, match="not a Zarr image"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source), overwrite=True)
    assert (tmp_path / "out.zarr" / "A").is_dir()


def test_an_array_and_damaged_metadata_are_never_overwritten(source, tmp_path):
    zarr.create_array(tmp_path / "array.zarr", shape=(3,), dtype="u1")
    (tmp_path / "damaged.zarr").mkdir()
    (tmp_path / "damaged.zarr" / "zarr.json").write_text("{")
    for name in ("array.zarr", "damaged.zarr"):
        with pytest.raises(ExistsError, match="not a Zarr image"):
            convert(source, tmp_path / name, plan_pyramid(source), overwrite=True)


def test_what_may_be_overwritten_is_told_how_and_what_may_not_is_told_so(source, tmp_path):
    (tmp_path / "empty").mkdir()
    convert(source, tmp_path / "image.zarr", plan_pyramid(source))
    (tmp_path / "thesis.txt").write_text("words")
    for name in ("empty", "image.zarr"):
        with pytest.raises(ExistsError, match=rf"{name} exists already; .* overwrite=True \(--overwrite\)"):
            convert(source, tmp_path / name, plan_pyramid(source))
        convert(source, tmp_path / name, plan_pyramid(source), overwrite=True)
    for name in ("planes", "thesis.txt"):
        with pytest.raises(ExistsError, match=rf"{name} exists already and is not a Zarr image; choose"):
            convert(source, tmp_path / name, plan_pyramid(source))


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_an_image_of_any_version_may_be_overwritten(source, tmp_path, version):
    convert(source, tmp_path / "out.zarr", plan_pyramid(source, version=version))
    convert(source, tmp_path / "out.zarr", plan_pyramid(source), overwrite=True)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "out.zarr" / "0")[:], BLOCK)


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(source, tmp_path):
    convert(source, tmp_path / "real.zarr", plan_pyramid(source, levels=1))
    (tmp_path / "link.zarr").symlink_to(tmp_path / "real.zarr")
    with pytest.raises(ExistsError, match=r"exists already"):
        convert(source, tmp_path / "link.zarr", plan_pyramid(source))
    convert(source, tmp_path / "link.zarr", plan_pyramid(source), overwrite=True)
    assert (tmp_path / "link.zarr").is_symlink()
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "real.zarr" / "0")[:], BLOCK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.zarr", "planes", "real.zarr"]


def test_a_link_to_nothing_is_named_before_anything_is_written(source, tmp_path):
    (tmp_path / "link.zarr").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match=r"link\.zarr is a link to .*nowhere, where nothing is"):
        convert(source, tmp_path / "link.zarr", plan_pyramid(source))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.zarr", "planes"]


@pytest.mark.parametrize("length", [250, 300])
def test_a_name_that_is_too_long_is_refused(source, tmp_path, length):
    with pytest.raises(StorageError, match=r"[Ff]ile ?name too long"):
        convert(source, tmp_path / ("a" * length), plan_pyramid(source))
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]


@pytest.mark.parametrize("name", ["image.zip", "image.OZX"])
def test_a_folder_does_not_get_the_name_of_an_archive(source, tmp_path, name):
    with pytest.raises(StorageError, match=r"name of an archive.* choose a name such as embryo\.ome\.zarr"):
        convert(source, tmp_path / name, plan_pyramid(source))
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]


@pytest.mark.parametrize("name", ["caf\udce9.zarr", "caf\udce9/out.zarr"])
def test_a_name_that_is_not_unicode_is_refused(source, tmp_path, name):
    with pytest.raises(StorageError, match=r"caf\\udce9.* is not valid Unicode"):
        convert(source, tmp_path / name, plan_pyramid(source))
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]


def test_an_image_is_no_stack_to_convert(source, tmp_path):
    convert(source, tmp_path / "image.ome.zarr", plan_pyramid(source))
    with pytest.raises(StackError, match=r"image\.ome\.zarr is stored as Zarr and needs no conversion"):
        find_stack(tmp_path / "image.ome.zarr")


def test_a_source_whose_name_is_too_long_is_refused(tmp_path):
    with pytest.raises(StackError, match=r"cannot be read: File name too long"):
        find_stack(str(tmp_path / ("a" * 300)))


def test_a_tilde_before_nobodys_name_belongs_to_the_file():
    assert parse_place("~nobody-of-this-name.zarr") == Path("~nobody-of-this-name.zarr")
    assert parse_place("~/out.zarr") == Path.home() / "out.zarr"


def test_an_image_that_cannot_be_renamed_is_whole_and_named(source, tmp_path, monkeypatch):
    def refuse(partial: Path, final: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(destination_module, "_put_in_place", refuse)
    with pytest.raises(StorageError, match=r"whole, but cannot be renamed from .*out\.zarr\.partial to"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source))
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "out.zarr.partial" / "0")[:], BLOCK)


@pytest.mark.s3
def test_on_s3_only_images_are_overwritten(source, sandbox_server):
    sandbox_server.use()
    place = sandbox_server.location("practical", "mixed/thesis")
    write_object(place, "chapter/1.txt", b"words")
    with pytest.raises(ExistsError, match=r"holds 1 objects already"):
        convert(source, place, plan_pyramid(source))
    with pytest.raises(ExistsError, match=r"'chapter/1\.txt'.* is not a Zarr image"):
        convert(source, place, plan_pyramid(source), overwrite=True)
    plate = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"plate": {}}}}
    write_object(place, "zarr.json", json.dumps(plate).encode())
    with pytest.raises(ExistsError, match=r"is not a Zarr image"):
        convert(source, place, plan_pyramid(source), overwrite=True)
    assert [stored.key for stored in list_objects(place)] == ["chapter/1.txt", "zarr.json"]


@pytest.mark.s3
def test_what_an_interrupted_conversion_of_more_levels_left_on_s3_may_be_overwritten(source, sandbox_server):
    sandbox_server.use()
    place = sandbox_server.location("practical", "interrupted/image.zarr")
    for key in ("0/zarr.json", "5/c/0/0/0", "5.scratch/zarr.json"):
        write_object(place, key, b"{}")
    convert(source, place, plan_pyramid(source), overwrite=True)
    assert [stored.key for stored in list_objects(place)] == ["0/c/0/0/0", "0/zarr.json", "zarr.json"]


@pytest.mark.s3
def test_an_image_on_s3_that_holds_the_stack_is_not_replaced_with_it(source, sandbox_server):
    sandbox_server.use()
    place = sandbox_server.location("practical", "holding/image.zarr")
    convert(source, place, plan_pyramid(source))
    for file in source.files:
        write_object(place, f"planes/{file.name}", file.read_bytes())
    inside = find_stack(place / "planes")
    with pytest.raises(ExistsError, match="holds the stack itself"):
        convert(inside, place, plan_pyramid(inside), overwrite=True)
    assert len(list(list_objects(place / "planes"))) == len(source.files)


def test_the_stack_may_lie_beside_the_image_and_the_image_inside_its_folder(source, tmp_path):
    for _ in range(2):
        convert(source, tmp_path / "planes" / "out.zarr", plan_pyramid(source), overwrite=True)
    again = find_stack(tmp_path / "planes")
    assert again.files == source.files
    assert os.fspath(tmp_path / "planes" / "out.zarr") not in map(os.fspath, again.files)
