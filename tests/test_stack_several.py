"""OME-TIFFs that describe several images: none is left out unless it is clear or somebody said so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

Y, X = 20, 24
DATA = np.random.default_rng(4).integers(0, 2**16, (4, 6, Y, X)).astype("uint16")
PLANES = DATA[:, 0]


def write(file: Path, *images: tuple[str, np.ndarray], **metadata: object) -> Path:
    with tifffile.TiffWriter(file, ome=True) as writer:
        for name, pixels in images:
            axes = "TCZYX"[-pixels.ndim :]
            writer.write(pixels, photometric="minisblack", metadata={"axes": axes, "Name": name, **metadata})
    return file


def planes(folder: Path) -> Path:
    return write(folder / "a.ome.tif", *((f"plane {n}", plane) for n, plane in enumerate(PLANES)))


def positions(folder: Path) -> Path:
    return write(folder / "a.ome.tif", *((f"Pos{n}", stack) for n, stack in enumerate(DATA)))


def test_planes_that_are_images_of_their_own_are_not_left_out(tmp_path):
    with pytest.raises(
        StackError,
        match=r"^a\.ome\.tif holds 4 images of 20 x 24 uint16 each, .*\(--image 1\).*\(--axes zyx\)",
    ):
        find_stack(planes(tmp_path))


def test_positions_with_a_stack_each_are_not_left_out(tmp_path):
    with pytest.raises(
        StackError, match=r"4 images of 6 x 20 x 24 uint16 each, .*\(--image 1\).*\(--axes tzyx\)"
    ):
        find_stack(positions(tmp_path))


@pytest.mark.parametrize("number", [1, 3])
def test_an_image_is_chosen_by_its_number(tmp_path, number):
    source = find_stack(positions(tmp_path), image=number)
    np.testing.assert_array_equal(read_stack(source), DATA[number - 1])
    assert any(f"describes 4 images; number {number} is read" in note for note in source.notes)


@pytest.mark.parametrize("number", [-1, 0, 5])
def test_a_number_of_no_image_is_refused(tmp_path, number):
    with pytest.raises(
        StackError, match=rf"holds 4 images, and {number} is the number of none; choose 1 to 4"
    ):
        find_stack(planes(tmp_path), image=number)


@pytest.mark.parametrize(
    ("axes", "shape"), [("zyx", (4, Y, X)), ("cyx", (4, Y, X)), ("tz2yx", (2, 2, Y, X))], ids=str
)
def test_axes_with_a_letter_more_make_all_images_one_stack(tmp_path, axes, shape):
    source = find_stack(planes(tmp_path), axes=axes)
    assert source.shape == shape
    np.testing.assert_array_equal(read_stack(source), PLANES.reshape(shape))


def test_stacks_that_are_said_to_be_time_points_are_put_behind_each_other(tmp_path):
    source = find_stack(positions(tmp_path), axes="tzyx")
    assert "".join(axis.name for axis in source.axes) == "tzyx"
    np.testing.assert_array_equal(read_stack(source), DATA)


def test_axes_of_one_image_do_not_say_which(tmp_path):
    with pytest.raises(StackError, match="holds 4 images of 20 x 24"):
        find_stack(planes(tmp_path), axes="yx")


def test_images_of_unlike_shape_are_named_and_one_can_be_chosen(tmp_path):
    file = write(tmp_path / "a.ome.tif", ("before", PLANES[0]), ("stack", DATA[1]))
    with pytest.raises(StackError, match=r"2 images \(1 is 20 x 24 uint16 'before', 2 is 6 x 20 x 24"):
        find_stack(file)
    np.testing.assert_array_equal(read_stack(find_stack(file, image=2)), DATA[1])


def test_previews_and_much_smaller_images_are_left_out_with_a_note(tmp_path):
    file = write(
        tmp_path / "a.ome.tif", ("Thumbnail", PLANES[0]), ("x", DATA[1]), ("y", PLANES[0, ::4, ::4].copy())
    )
    source = find_stack(file)
    np.testing.assert_array_equal(read_stack(source), DATA[1])
    assert any(
        "describes 3 images; number 2 is read, left out: 20 x 24 uint16 'Thumbnail'" in note
        for note in source.notes
    )


def test_a_single_plane_of_the_same_size_is_not_taken_for_a_preview(tmp_path):
    with pytest.raises(StackError, match="2 images"):
        find_stack(write(tmp_path / "a.ome.tif", ("stack", DATA[1]), ("after", PLANES[0])))


def test_images_of_unlike_voxel_size_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        for size in (0.5, 0.25):
            writer.write(PLANES[0], metadata={"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size})
    with pytest.raises(StackError, match=r"image 2 states the voxel size y 0\.25 m.*image 1 states y 0\.5 m"):
        find_stack(tmp_path / "a.ome.tif", axes="zyx")


def test_pages_that_several_images_share_are_no_stack(tmp_path):
    image = (
        '<Image ID="Image:{0}"><Pixels ID="P:{0}" DimensionOrder="XYZCT" Type="uint16" SizeX="24" SizeY="20" '
        'SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1"/></Pixels></Image>'
    )
    text = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{image.format(0)}{image.format(1)}</OME>'
    tifffile.imwrite(
        tmp_path / "a.ome.tif", PLANES[:2], photometric="minisblack", metadata=None, description=text
    )
    with pytest.raises(StackError, match=r"uses page 1 of a\.ome\.tif for two planes"):
        find_stack(tmp_path / "a.ome.tif", axes="zyx")


def test_a_companion_that_describes_an_image_in_each_file_does_not_stand_for_the_first(tmp_path):
    image = (
        '<Image ID="Image:{0}"><Pixels ID="P:{0}" DimensionOrder="XYZCT" Type="uint16" SizeX="24" SizeY="20" '
        'SizeZ="1" SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1"><UUID FileName="p{0}.ome.tif">'
        "urn:uuid:{0}</UUID></TiffData></Pixels></Image>"
    )
    outer = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{0}">{1}</OME>'
    inside = '<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:9"/>'
    (tmp_path / "set.companion.ome").write_text(
        outer.format(9, "".join(image.format(n) for n in range(len(PLANES))))
    )
    for n, plane in enumerate(PLANES):
        text = outer.format(n, inside)
        tifffile.imwrite(tmp_path / f"p{n}.ome.tif", plane, metadata=None, description=text)
    with pytest.raises(StackError, match="holds 4 images of 20 x 24"):
        find_stack(tmp_path / "set.companion.ome")
    stack = read_stack(find_stack(tmp_path / "set.companion.ome", axes="zyx"))
    np.testing.assert_array_equal(stack, PLANES)
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "p2.ome.tif")), PLANES[2])


def test_a_number_is_for_one_file(tmp_path):
    for n in range(2):
        tifffile.imwrite(tmp_path / f"z{n}.tif", PLANES[n])
    with pytest.raises(StackError, match=r"image \(--image\) chooses one .* holds 2 TIFFs: name the file"):
        find_stack(tmp_path, image=1)
