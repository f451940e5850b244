"""Names, colours and display limits of channels: from what a file states to valid `omero` metadata."""

from __future__ import annotations

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import ome_zarr_models.v04.image
import ome_zarr_models.v05.image
import ome_zarr_models.v06.image
import pytest
import tifffile
import yaozarrs
import zarr

from ngff_practical.cli import main
from ngff_practical.convert import convert_stack
from ngff_practical.inspection import validate
from ngff_practical.metadata import image_document
from ngff_practical.model import Axis, Channel, Level, Pyramid
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack
from ngff_practical.stack.channels import joined_channels, lsm_channels

MODELS = {
    "0.4": ome_zarr_models.v04.image.Image,
    "0.5": ome_zarr_models.v05.image.Image,
    "0.6": ome_zarr_models.v06.image.Image,
}
NAMES = ["DAPI", "<img src=x onerror=alert(1)>", 'a "quoted" \u202ename\n', "Zürich µ"]
CLEAN_NAMES = [*NAMES[:2], 'a "quoted" name', NAMES[3]]
COLOURS = [0x0000FFFF, -16776961, None, 256]  # blue, red, unstated, transparent


def planes(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def ome(file: Path, channels: list[tuple[str | None, int | None]], data: np.ndarray) -> Path:
    """An OME-TIFF of one z plane for each channel that `data` holds."""
    elements = "".join(
        f'<Channel ID="Channel:0:{index}"'
        + ("" if name is None else f" Name={quoteattr(name)}")
        + ("" if color is None else f' Color="{color}"')
        + "/>"
        for index, (name, color) in enumerate(channels)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{data.dtype}" SizeX="{data.shape[2]}" '
        f'SizeY="{data.shape[1]}" SizeZ="1" SizeC="{len(data)}" SizeT="1">{elements}<TiffData/></Pixels>'
        "</Image></OME>"
    )
    options = {"photometric": "minisblack", "metadata": None, "contiguous": False}
    tifffile.imwrite(file, data, description=text.encode(), **options)
    return file


def table(red: int, green: int, blue: int) -> np.ndarray:
    return np.linspace(np.zeros(3), [red, green, blue], 256).astype("uint8").T.copy()


# --- from files


def test_ome_xml_gives_names_and_signed_rgba_colours(tmp_path):
    source = find_stack(ome(tmp_path / "a.ome.tif", list(zip(NAMES, COLOURS, strict=True)), planes(4, 8, 8)))
    assert [channel.color for channel in source.channels] == ["0000FF", "FF0000", None, None]
    assert [channel.label for channel in source.channels] == CLEAN_NAMES


def test_channels_that_do_not_fit_the_image_are_left_out_with_a_note(tmp_path):
    source = find_stack(ome(tmp_path / "a.ome.tif", [("DAPI", None), ("GFP", None)], planes(3, 8, 8)))
    assert source.channels == ()
    assert any("describes 2 channels, the image has 3 channels" in note for note in source.notes)


def test_imagej_gives_labels_tables_and_display_ranges(tmp_path):
    labels = ["DAPI", "GFP"] * 3
    tifffile.imwrite(
        tmp_path / "a.tif",
        planes(3, 2, 8, 8),
        imagej=True,
        metadata={
            "axes": "ZCYX",
            "Labels": labels,
            "LUTs": [table(0, 0, 255), table(255, 128, 0)],
            "Ranges": (10.0, 100.0, 5.0, 70_000.0),
        },
    )
    assert find_stack(tmp_path / "a.tif").channels == (
        Channel("DAPI", "0000FF", (0, 65535, 10, 100)),
        Channel("GFP", "FF8000", None),  # no uint16 is 70,000
    )


def test_imagej_labels_of_planes_are_no_names_of_channels(tmp_path):
    metadata = {"axes": "ZCYX", "Labels": [f"slice {index}" for index in range(6)]}
    tifffile.imwrite(tmp_path / "a.tif", planes(3, 2, 8, 8), imagej=True, metadata=metadata)
    assert find_stack(tmp_path / "a.tif").channels == ()


def test_too_few_display_ranges_are_left_out_with_a_note(tmp_path):
    metadata = {"axes": "CYX", "Labels": ["a", "b"], "Ranges": (1.0, 2.0)}
    tifffile.imwrite(tmp_path / "a.tif", planes(2, 8, 8), imagej=True, metadata=metadata)
    source = find_stack(tmp_path / "a.tif")
    assert source.channels == (Channel("a"), Channel("b"))
    assert any("1 display ranges, the image has 2 channels" in note for note in source.notes)


def test_the_display_range_of_a_stack_without_channels_is_kept(tmp_path):
    metadata = {"axes": "ZYX", "min": 3.0, "max": 200.0}
    tifffile.imwrite(tmp_path / "a.tif", planes(4, 8, 8), imagej=True, metadata=metadata)
    assert find_stack(tmp_path / "a.tif").channels == (Channel("channel 0", None, (0, 65535, 3, 200)),)


def test_colour_samples_are_red_green_and_blue(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", planes(8, 8, 3, dtype="uint8"), photometric="rgb")
    assert [(channel.label, channel.color) for channel in find_stack(tmp_path / "a.tif").channels] == [
        ("Red", "FF0000"),
        ("Green", "00FF00"),
        ("Blue", "0000FF"),
    ]


def test_lsm_metadata_gives_names_and_colours():
    stated = {"ColorNames": ["Ch1", ""], "Colors": [[255, 0, 16, 0], [0, 999, 0, 0]], "Mono": False}
    assert lsm_channels({"ChannelColors": stated}) == (Channel("Ch1", "FF0010"), Channel("channel 1"))
    assert lsm_channels({"ChannelColors": {"ColorNames": None, "Colors": 7}}) == ()


def test_metaseries_names_its_illumination(shared_data):
    folder = shared_data / "tiff/faim-ipa/ImageXpress/Projection-Mix/2023-02-21/1334"
    file = min(file for file in folder.glob("*_w1*.tif") if "thumb" not in file.name)
    assert [channel.label for channel in find_stack(file).channels] == ["FITC_05"]


def test_a_real_composite_keeps_its_colours_and_ranges(shared_data):
    found = find_stack(shared_data / "tiff/neubias/image_data/xyc_16bit__cell_dna_mts_actin.tif").channels
    with tifffile.TiffFile(shared_data / "tiff/neubias/image_data/xyc_16bit__cell_dna_mts_actin.tif") as tif:
        ranges = tif.imagej_metadata["Ranges"]
    assert [channel.window[2:] for channel in found] == [ranges[:2], ranges[2:4], ranges[4:]]
    assert len({channel.color for channel in found}) == 3


def test_files_of_one_channel_each_name_the_channels_of_their_folder():
    dapi, gfp = (Channel("DAPI", "0000FF"),), (Channel("GFP"),)
    assert joined_channels([dapi, dapi, gfp, gfp], ["c", "z"], (2, 2)) == (*dapi, *gfp)
    assert joined_channels([dapi, gfp, dapi, gfp], ["z", "c"], (2, 2)) == (*dapi, *gfp)
    assert joined_channels([dapi, gfp, gfp, gfp], ["c", "z"], (2, 2)) == ()
    assert joined_channels([dapi, dapi], ["z"], (2,)) == dapi
    assert joined_channels([dapi, gfp], ["z"], (2,)) == ()


# --- into images


@pytest.mark.parametrize("version", MODELS)
def test_every_version_holds_the_channels_validly(tmp_path, capsys, version):
    file = ome(tmp_path / "a.ome.tif", list(zip(NAMES, COLOURS, strict=True)), planes(4, 8, 8))
    source, place = find_stack(file, voxel_size=(0.5, 0.5), unit="um"), tmp_path / "image.zarr"
    convert_stack(source, place, plan_pyramid(source, version=version))
    assert not validate(place)
    if version != "0.6":  # which it does not know yet
        yaozarrs.validate_zarr_store(place)
    group = zarr.open_group(place, mode="r")
    MODELS[version].from_zarr(group)
    attributes = dict(group.attrs)
    written = attributes.get("ome", attributes)["omero"]["channels"]
    assert [channel["label"] for channel in written] == [channel.label for channel in source.channels]
    assert written[0]["color"] == "0000FF"
    assert written[0]["window"] == {"min": 0, "max": 65535, "start": 0, "end": 65535}
    assert main(["info", str(place), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["channels"]
    assert [channel["label"] for channel in shown] == [channel.label for channel in source.channels]
    assert main(["info", str(place)]) == 0
    assert "DAPI" in capsys.readouterr().out


@pytest.mark.parametrize("version", MODELS)
def test_a_stack_without_a_channel_axis_keeps_its_one_channel(tmp_path, version):
    metadata = {"axes": "ZYX", "min": 3.0, "max": 200.0}
    tifffile.imwrite(tmp_path / "a.tif", planes(4, 8, 8), imagej=True, metadata=metadata)
    source = find_stack(tmp_path / "a.tif", voxel_size=(2, 0.5, 0.5), unit="um")
    place = tmp_path / "image.zarr"
    convert_stack(source, place, plan_pyramid(source, version=version))
    assert not validate(place)
    if version != "0.6":  # which it does not know yet
        yaozarrs.validate_zarr_store(place)
    MODELS[version].from_zarr(zarr.open_group(place, mode="r"))


@pytest.mark.parametrize(
    "channel",
    [
        Channel("a", "javascript:alert(1)"),
        Channel("a", "FFF"),
        Channel("a", None, (0, float("nan"), 0, 1)),
        Channel("a", None, (0, float("inf"), 0, 1)),
    ],
    ids=["address as colour", "short colour", "not a number", "infinite"],
)
def test_what_omero_cannot_hold_is_replaced_by_what_it_can(channel):
    level = Level("0", (8, 8), "uint16", (8, 8), (1.0, 1.0), itemsize=2)
    pyramid = Pyramid("a", "0.5", (Axis("y", "space"), Axis("x", "space")), (level,), (channel,))
    (written,) = image_document(pyramid)["ome"]["omero"]["channels"]
    assert written["color"] == "FFFFFF"
    assert written["window"] == {"min": 0, "max": 65535, "start": 0, "end": 65535}
