"""Files that hold more than the image: what may be left out with a note, and what must not be lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from rawtiff import Page, page_tags, raw_tiff

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

Y, X = 20, 24
PLANES = np.random.default_rng(3).integers(0, 60_000, (4, Y, X)).astype("uint16")


def write(file: Path, pages: list[np.ndarray], **options: object) -> Path:
    with tifffile.TiffWriter(file) as writer:
        for page in pages:
            writer.write(page, metadata=None, contiguous=False, photometric="minisblack", **options)
    return file


ODD = {
    "another data type": (PLANES[3].astype("float32"), "data type|bits per sample|sample format"),
    "a row less": (PLANES[3, :-1], "height 19"),
    "a sign": (PLANES[3].astype("int16"), "sample format 2"),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_last_page_is_no_preview(tmp_path, odd):
    page, said = ODD[odd]
    file = write(tmp_path / "a.tif", [*PLANES[:3], page])
    with pytest.raises(StackError, match=rf"^a\.tif: page 4 has .*({said}).*, page 1 has"):
        find_stack(file, axes="zyx")


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_first_page_does_not_stand_for_the_stack_behind_it(tmp_path, odd):
    page, _ = ODD[odd]
    file = write(tmp_path / "a.tif", [page, *PLANES[:3]])
    with pytest.raises(StackError, match=r"^a\.tif: page 2 has .*, page 1 has .*: split the file$"):
        find_stack(file)


@pytest.mark.parametrize("marked", [0, 1])
def test_a_preview_before_the_stack_is_not_taken_for_it(tmp_path, marked):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(PLANES[0, ::4, ::4], metadata=None, subfiletype=marked)
        for plane in PLANES:
            writer.write(plane, metadata=None, contiguous=False)
    with pytest.raises(StackError, match=r"^a\.tif: page 2 has width 24, page 1 has 6"):
        find_stack(tmp_path / "a.tif", axes="zyx")


def test_a_small_page_behind_the_stack_is_left_out_with_a_note(tmp_path):
    source = find_stack(write(tmp_path / "a.tif", [*PLANES, PLANES[0, ::2, ::2]]), axes="zyx")
    np.testing.assert_array_equal(read_stack(source), PLANES)
    assert any("left out: 10 x 12" in note for note in source.notes)


def test_two_stacks_of_one_size_in_a_file_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for stack in (PLANES, PLANES[::-1]):
            writer.write(stack, photometric="minisblack", metadata={"axes": "ZYX"})
    with pytest.raises(StackError, match=r"holds 2 images of 20 x 24 uint16, .*\(--image 1\)"):
        find_stack(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "a.tif", image=2)), PLANES[::-1])
    with pytest.raises(
        StackError, match=r"a\.tif holds 2 images, and 3 is the number of none; choose 1 to 2"
    ):
        find_stack(tmp_path / "a.tif", image=3)


@pytest.mark.parametrize("axes", [None, "zyx"])
def test_planes_of_one_shape_that_are_stored_in_different_ways_are_refused(tmp_path, axes):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for rows, plane in zip((20, 10, 5), PLANES, strict=False):
            writer.write(plane, metadata=None, rowsperstrip=rows)
    with pytest.raises(StackError, match=r"page 2 has rows per strip 10, page 1 has 20.*split the file"):
        find_stack(tmp_path / "a.tif", axes=axes)


def test_axes_for_a_stack_are_not_taken_where_the_pages_behind_are_of_another_kind(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for kind, plane in zip(("uint16", "float32", "uint8"), PLANES, strict=False):
            writer.write(plane.astype(kind), metadata=None)
    assert any("holds 3 images" in note for note in find_stack(tmp_path / "a.tif").notes)
    with pytest.raises(StackError, match=r"said to be zyx, .* a single plane, and 2 more"):
        find_stack(tmp_path / "a.tif", axes="zyx")


@pytest.mark.parametrize("tag", [256, 257])
def test_a_page_without_width_or_height_is_not_passed_over(tmp_path, tag):
    pages = [Page(page_tags(Y, X), [plane.astype("<u2").tobytes()]) for plane in PLANES]
    pages[3].tags[tag] = 3, [0]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    with pytest.raises(StackError, match=r"page 4 of 4 claims no width or height"):
        find_stack(tmp_path / "a.tif", axes="zyx")


def test_a_page_whose_size_is_damaged_is_not_left_out(tmp_path):
    pages = [Page(page_tags(Y, X), [plane.astype("<u2").tobytes()]) for plane in PLANES]
    pages[3].tags[256] = 3, [X + 256]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    with pytest.raises(StackError, match=r"page 4: strip or tile 1 holds 960 bytes and needs 11200"):
        find_stack(tmp_path / "a.tif", axes="zyx")


# --- ImageJ before it wrote channels, slices and frames


def old_imagej(file: Path, described: str) -> Path:
    """One directory, and all planes behind each other."""
    tags = page_tags(Y, X) | {270: (2, f"ImageJ=1.26o\n{described}\0".encode()), 279: (4, [2 * Y * X])}
    tags[273] = 4, [1024]
    head = raw_tiff([Page(tags, [])], ">")
    file.write_bytes(head.ljust(1024, b"\0") + PLANES.astype(">u2").tobytes())
    return file


@pytest.mark.parametrize("axes", ["zyx", "tyx"])
def test_imagej_images_that_nobody_calls_slices_are_asked_for_and_read(tmp_path, axes):
    file = old_imagej(tmp_path / "a.tif", "images=4\n")
    with pytest.raises(StackError, match=r"holds 4 x 20 x 24 values.*--axes zyx"):
        find_stack(file)
    source = find_stack(file, axes=axes)
    assert "".join(source.axis_names) == axes
    np.testing.assert_array_equal(read_stack(source), PLANES)


def test_imagej_images_that_are_more_than_channels_and_slices_are_refused(tmp_path):
    with pytest.raises(StackError, match=r"declares 4 images \(2 channels\)"):
        find_stack(old_imagej(tmp_path / "a.tif", "images=4\nchannels=2\n"))


def test_more_imagej_images_than_the_file_has_bytes_for_are_refused(tmp_path):
    with pytest.raises(StackError, match=r"declares 5 images"):
        find_stack(old_imagej(tmp_path / "a.tif", "images=5\n"))


# --- MetaSeries


def test_pixels_are_read_where_the_metaseries_description_cannot_be(tmp_path):
    described = '<MetaData><PlaneInfo><prop id="a" type="string" value="b & c"/></PlaneInfo></MetaData>'
    tifffile.imwrite(
        tmp_path / "a.tif", PLANES[0], description=described, metadata=None, software="MetaSeries"
    )
    source = find_stack(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_stack(source), PLANES[0])
    assert source.axes[0].unit is None
    assert any("MetaSeries description cannot be read" in note for note in source.notes)


@pytest.mark.parametrize(("state", "size"), [("on", 0.5), ("true", 0.5), ("off", 1.0), ("false", 1.0)])
def test_a_metaseries_calibration_counts_where_it_is_switched_on(tmp_path, state, size):
    tags = [("state", "bool", state), ("x", "float", "0.5"), ("y", "float", "0.5"), ("units", "string", "um")]
    inside = "".join(
        f'<prop id="spatial-calibration-{name}" type="{kind}" value="{value}"/>' for name, kind, value in tags
    )
    described = f"<MetaData><PlaneInfo>{inside}</PlaneInfo></MetaData>"
    tifffile.imwrite(
        tmp_path / "a.tif", PLANES[0], description=described, metadata=None, software="MetaSeries"
    )
    assert find_stack(tmp_path / "a.tif").voxel_size == (size, size)


@pytest.mark.parametrize("shape", [(4, 20, 24), (4, 20, 24, 3)], ids=["grey", "colours"])
def test_planes_that_were_written_one_at_a_time_are_one_stack(tmp_path, shape):
    data = np.random.default_rng(2).integers(0, 256, shape).astype("uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in data:
            writer.write(plane)  # tifffile describes each as an image of its own
    with pytest.raises(StackError, match=r"a\.tif holds 4 x 20 x 24.*--axes zyx"):
        find_stack(tmp_path / "a.tif")
    found = read_stack(find_stack(tmp_path / "a.tif", axes="zyx"))
    np.testing.assert_array_equal(found, data if len(shape) == 3 else data.transpose(3, 0, 1, 2))


def test_pages_that_a_wrong_description_says_nothing_of_are_not_left_out(tmp_path):
    data = np.zeros((4, 20, 24), "uint8")
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, data, photometric="minisblack", metadata={"axes": "ZYX"})
    with tifffile.TiffFile(file) as tif:
        height = tif.pages.first.tags[257].valueoffset
    content = bytearray(file.read_bytes())
    content[height] = 16
    file.write_bytes(content)
    with pytest.raises(StackError, match=r"fits 1 of its 4 pages and says nothing of the other 3"):
        find_stack(file)


@pytest.mark.parametrize("axes", ["XYX", "YYX"])
def test_axes_that_name_rows_or_columns_twice_are_refused(tmp_path, axes):
    described = f'{{"shape": [4, 20, 24], "axes": "{axes}"}}'
    options = {"photometric": "minisblack", "metadata": None, "description": described}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 20, 24), "uint8"), **options)
    with pytest.raises(StackError, match=f"declares the axes {axes} = 4 x 20 x 24"):
        find_stack(tmp_path / "a.tif")


def test_planes_written_one_at_a_time_are_not_left_out_before_a_preview(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in (*PLANES, PLANES[0, ::4, ::4]):
            writer.write(page)
    with pytest.raises(StackError, match=r"a\.tif holds 4 images of 20 x 24 uint16"):
        find_stack(tmp_path / "a.tif")


def test_a_slide_scanners_overview_before_its_slide_is_not_taken_for_it(tmp_path):
    slide = np.random.default_rng(5).integers(0, 255, (64, 48, 3), "uint8")
    text = '<scn xmlns="x"><collection>{}</collection></scn>'.format(
        "".join(f'<image><pixels><dimension r="0" ifd="{n}"/></pixels></image>' for n in range(2))
    )
    with tifffile.TiffWriter(tmp_path / "a.scn") as writer:
        writer.write(slide[::2, ::2], photometric="rgb", metadata=None, description=text)
        writer.write(slide, photometric="rgb", metadata=None)
    with pytest.raises(StackError, match=r"first \(32 x 24 x 3\) is smaller than .*64 x 48 x 3.*--image 2"):
        find_stack(tmp_path / "a.scn")
    np.testing.assert_array_equal(
        read_stack(find_stack(tmp_path / "a.scn", image=2)), np.moveaxis(slide, -1, 0)
    )
