"""OME-TIFFs of several files whose names no longer fit what the files say of themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack, read_stack

NAMES = ("c0.ome.tif", "c1.ome.tif", "c2.ome.tif")
DATA = np.random.default_rng(3).integers(0, 2**16, (len(NAMES), 4, 20, 24)).astype("uint16")


def write_set(folder: Path, *, companion: bool = False, stated: tuple[str, ...] = ("0", "1", "2")) -> None:
    """A file for each channel, all with the metadata or with a companion that has it."""
    blocks = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="4"><UUID FileName="{name}">urn:uuid:{c}</UUID>'
        "</TiffData>"
        for c, name in enumerate(NAMES)
    )
    image = (
        '<Image ID="Image:0"><Pixels ID="P:0" DimensionOrder="XYZCT" Type="uint16" SizeX="24" SizeY="20" '
        f'SizeZ="4" SizeC="3" SizeT="1">{blocks}</Pixels></Image>'
    )
    folder.mkdir()
    for name, uuid, planes in zip(NAMES, stated, DATA, strict=True):
        inside = '<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:9"/>' if companion else image
        tifffile.imwrite(
            folder / name, planes, photometric="minisblack", metadata=None, description=document(inside, uuid)
        )
    if companion:
        (folder / "set.companion.ome").write_text(document(image, "9"))


def document(inside: str, uuid: str) -> str:
    attribute = f' UUID="urn:uuid:{uuid}"' if uuid else ""
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{attribute}>{inside}</OME>'


@pytest.mark.parametrize("companion", [False, True])
def test_files_that_have_changed_their_names_are_refused_by_name(tmp_path, companion):
    folder = tmp_path / "set"
    write_set(folder, companion=companion)
    (folder / NAMES[0]).rename(folder / "kept")
    (folder / NAMES[1]).rename(folder / NAMES[0])
    (folder / "kept").rename(folder / NAMES[1])
    for place in (folder, folder / NAMES[0], folder / NAMES[2]):
        with pytest.raises(StackError, match=r"c[01]\.ome\.tif, and c[01]\.ome\.tif .* changed their names"):
            find_stack(place)


@pytest.mark.parametrize("companion", [False, True])
def test_a_file_that_states_another_uuid_is_read_and_named(tmp_path, companion):
    write_set(tmp_path / "set", companion=companion, stated=("0", "7", "2"))
    source = find_stack(tmp_path / "set")
    np.testing.assert_array_equal(read_stack(source), DATA)
    assert [note for note in source.notes if "UUID" in note] == [
        "c1.ome.tif states another UUID than the set's metadata; it is read for the name, and may belong to "
        "another image."
    ]


@pytest.mark.parametrize("stated", [("0", "1", "2"), ("0", "", "2")], ids=["as they should", "none"])
def test_files_that_state_the_right_uuid_or_none_need_no_word(tmp_path, stated):
    write_set(tmp_path / "set", companion=True, stated=stated)
    source = find_stack(tmp_path / "set" / "set.companion.ome")
    np.testing.assert_array_equal(read_stack(source), DATA)
    assert not any("UUID" in note for note in source.notes)


def test_a_renamed_file_that_is_named_itself_gives_the_whole_set(tmp_path):
    write_set(tmp_path / "set")
    (tmp_path / "set" / NAMES[0]).rename(tmp_path / "set" / "mine.ome.tif")
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "set" / "mine.ome.tif")), DATA)


def write_planes(folder: Path, name: str) -> None:
    """A file for each plane of one channel, all of which know the whole set as plane_0.ome.tif and so on."""
    blocks = "".join(
        f'<TiffData FirstZ="{z}" IFD="0"><UUID FileName="plane_{z}.ome.tif">urn:uuid:{z}</UUID></TiffData>'
        for z in range(4)
    )
    image = (
        '<Image ID="Image:0"><Pixels ID="P:0" DimensionOrder="XYZCT" Type="uint16" SizeX="24" SizeY="20" '
        f'SizeZ="4" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeZ="2">{blocks}</Pixels></Image>'
    )
    folder.mkdir()
    for z, plane in enumerate(DATA[0]):
        text = document(image, str(z))
        tifffile.imwrite(folder / name.format(z), plane, metadata=None, description=text)


def test_a_folder_of_renamed_planes_is_read_by_a_pattern_that_the_error_shows(tmp_path):
    folder = tmp_path / "set"
    write_planes(folder, "mouse_z{}.ome.tif")
    with pytest.raises(
        StackError, match=r'plane_1\.ome\.tif.* or where .*\(--pattern "mouse_z\{z\}\.ome\.tif"'
    ):
        find_stack(folder)
    source = find_stack(folder, pattern="mouse_z{z}.ome.tif")
    np.testing.assert_array_equal(read_stack(source), DATA[0])
    assert source.voxel_size == (2, 1, 0.5)
    assert any("belong to an OME-TIFF of 4; each is read by itself" in note for note in source.notes)


def test_a_pattern_chooses_some_planes_of_a_whole_set(tmp_path):
    folder = tmp_path / "set"
    write_planes(folder, "plane_{}.ome.tif")
    source = find_stack(folder, pattern="plane_{z=1,2}.ome.tif")
    np.testing.assert_array_equal(read_stack(source), DATA[0, 1:3])
