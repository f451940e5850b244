"""The way back to OME-TIFF: what went into OME-Zarr comes out again, as other readers see it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.convert import convert_stack
from ngff_practical.errors import ExistsError, MetadataError, NotFoundError
from ngff_practical.formats import ome_tiff, to_ome_tiff
from ngff_practical.inspection import describe_image
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack

STACK = np.random.default_rng(7).integers(0, 60_000, (2, 5, 300, 280)).astype("uint16")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an image with two named channels that came from OME-TIFF, with a level that keeps its planes."""
    folder = tmp_path_factory.mktemp("back")
    notes = {
        "axes": "CZYX",
        "PhysicalSizeZ": 2.0,
        "PhysicalSizeZUnit": "µm",
        "PhysicalSizeY": 250.0,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeX": 0.25,
        "PhysicalSizeXUnit": "µm",
        "Channel": {"Name": ["LaminB1", "DAPI"]},
    }
    tifffile.imwrite(folder / "source.ome.tif", STACK, metadata=notes)
    source = find_stack(folder / "source.ome.tif")
    plan = plan_pyramid(source, chunks=(1, 4, 64, 64))
    convert_stack(source, folder / "image.ome.zarr", plan)
    return folder / "image.ome.zarr"


def test_pixels_voxel_size_and_channel_names_come_back(image: Path, tmp_path: Path) -> None:
    back = to_ome_tiff(image, tmp_path / "back.ome.tif")
    first, again = find_stack(image.parent / "source.ome.tif"), find_stack(back)
    assert (tifffile.imread(back) == STACK).all()
    assert again.axes == first.axes
    assert again.shape == first.shape
    assert again.voxel_size == pytest.approx(first.voxel_size)
    assert [channel.label for channel in again.channels] == ["LaminB1", "DAPI"]


def test_levels_with_every_plane_lie_below_it(image: Path, tmp_path: Path) -> None:
    found = describe_image(image)
    same = [level for level in found.levels if level.shape[:2] == (2, 5)]
    assert len(same) > 1
    with tifffile.TiffFile(to_ome_tiff(image, tmp_path / "back.ome.tif")) as file:
        stored = file.series[0].levels
        assert [level.shape for level in stored] == [level.shape for level in same]
        coarse = zarr.open_array(image / same[1].path, mode="r")[...]
        assert (stored[1].asarray() == coarse).all()


def test_a_coarser_level_can_be_the_full_resolution(image: Path, tmp_path: Path) -> None:
    level = describe_image(image).levels[1]
    back = find_stack(to_ome_tiff(image, tmp_path / "small.ome.tif", level=1, pyramid=False))
    assert back.shape == level.shape
    assert back.voxel_size == pytest.approx(level.scale)


def test_no_more_planes_are_held_than_memory_allows(image: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(ome_tiff, "MEMORY", 1)
    back = to_ome_tiff(image, tmp_path / "back.ome.tif")
    assert (tifffile.imread(back) == STACK).all()


def test_what_is_there_stays_unless_it_may_go(image: Path, tmp_path: Path) -> None:
    target = tmp_path / "back.ome.tif"
    target.write_bytes(b"mine")
    with pytest.raises(ExistsError):
        to_ome_tiff(image, target)
    assert target.read_bytes() == b"mine"
    to_ome_tiff(image, target, overwrite=True)
    assert (tifffile.imread(target) == STACK).all()


def test_a_write_that_fails_leaves_nothing(image: Path, tmp_path: Path, monkeypatch) -> None:
    def broken(array, level):
        yield np.zeros((256, 256), "uint16")
        raise MetadataError("broken")

    monkeypatch.setattr(ome_tiff, "_tiles", broken)
    with pytest.raises(MetadataError):
        to_ome_tiff(image, tmp_path / "back.ome.tif")
    assert list(tmp_path.iterdir()) == []


def test_a_level_that_is_not_there_is_named(image: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no level 9; the image has levels 0 to"):
        to_ome_tiff(image, tmp_path / "back.ome.tif", level=9)


def test_a_data_type_that_ome_tiff_lacks_is_refused(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "wide.zarr", mode="w", zarr_format=3)
    group.create_array("0", shape=(4, 4), chunks=(4, 4), dtype="uint64")
    dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}
    axes = [{"name": name, "type": "space"} for name in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [dataset]}]}
    with pytest.raises(MetadataError, match="uint64"):
        to_ome_tiff(tmp_path / "wide.zarr", tmp_path / "wide.ome.tif")
