"""OME-TIFFs of several files that lie beside each other behind https:// or on S3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from test_stack_remote import WebServer, web  # noqa: F401 - a fixture

from ngff_practical.errors import NotFoundError, StackError, StorageError
from ngff_practical.model import Location
from ngff_practical.stack import find_stack, read_stack
from ngff_practical.storage import write_object

PARTS, EACH = 5, 3
NOISE = np.random.default_rng(5).integers(0, 2**16, (PARTS * EACH, 40, 48)).astype("uint16")
URN = "URN:uuid:0000-000A-{}"  # upper case, as some writers have it


def write_set(folder: Path, where: str, **options: object) -> list[str]:
    """Files of three planes each. The metadata is in all, in the first one, or in a companion."""
    blocks = "".join(
        f'<TiffData FirstZ="{EACH * n}" IFD="0" PlaneCount="{EACH}">'
        f'<UUID FileName="part{n}.ome.tif">{URN.format(n)}</UUID></TiffData>'
        for n in range(PARTS)
    )
    image = (
        '<Image ID="Image:0" Name="a"><Pixels ID="P:0" DimensionOrder="XYZCT" Type="uint16" SizeX="48" '
        f'SizeY="40" SizeZ="{PARTS * EACH}" SizeC="1" SizeT="1" PhysicalSizeX="0.5">{blocks}</Pixels></Image>'
    )
    for n in range(PARTS):
        inside = image
        if where == "companion" or (where == "first file" and n):
            home = "set.companion.ome" if where == "companion" else "part0.ome.tif"
            inside = f'<BinaryOnly MetadataFile="{home}" UUID="{URN.format(0)}"/>'
        tifffile.imwrite(
            folder / f"part{n}.ome.tif",
            NOISE[EACH * n : EACH * n + EACH],
            photometric="minisblack",
            metadata=None,
            contiguous=False,
            description=document(inside, n),
            **options,
        )
    if where == "companion":
        (folder / "set.companion.ome").write_text(document(image, 9))
    return sorted(path.name for path in folder.iterdir())


def document(inside: str, n: int) -> str:
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="{URN.format(n)}">{inside}</OME>'
    )


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=["plain", "deflate"])
@pytest.mark.parametrize("where", ["every file", "first file", "companion"])
def test_a_set_behind_a_web_address_is_read_from_any_of_its_files(tmp_path, web, where, options):  # noqa: F811
    names = write_set(tmp_path, where, **options)
    web.files = {f"data/{name}": (tmp_path / name).read_bytes() for name in names}
    for name in (names[0], names[-1]):
        source = find_stack(f"{web.endpoint}/data/{name}")
        assert (len(source.files), len(source.versions), source.voxel_size[-1]) == (PARTS, PARTS, 0.5)
        np.testing.assert_array_equal(read_stack(source), NOISE)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "part0.ome.tif", is_ome=True)[:EACH], NOISE[:3])


def test_a_set_at_the_root_of_a_web_server_is_read(tmp_path, web):  # noqa: F811
    web.files = {name: (tmp_path / name).read_bytes() for name in write_set(tmp_path, "every file")}
    np.testing.assert_array_equal(read_stack(find_stack(f"{web.endpoint}/part1.ome.tif")), NOISE)


def test_headers_of_a_set_take_a_few_requests_for_each_file(tmp_path, web):  # noqa: F811
    web.files = {name: (tmp_path / name).read_bytes() for name in write_set(tmp_path, "every file")}
    source = find_stack(f"{web.endpoint}/part1.ome.tif")
    assert len(web.asked) <= 2 * PARTS
    web.asked.clear()
    read_stack(source)
    assert len(web.asked) == PARTS * EACH


@pytest.mark.s3
@pytest.mark.parametrize("where", ["every file", "companion"])
@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_set_on_s3_is_read_by_its_folder_and_by_its_files(tmp_path, sandbox_server, where, named):
    sandbox_server.use()
    place: Location = sandbox_server.location("practical", f"sets/{where}/{named}")
    names = write_set(tmp_path, where)
    for name in names:
        write_object(place, name, (tmp_path / name).read_bytes(), overwrite=True)
    source = find_stack(place if named == "folder" else place / names[-1])
    np.testing.assert_array_equal(read_stack(source), NOISE)


def test_a_missing_file_of_a_set_is_named(tmp_path, web):  # noqa: F811
    names = write_set(tmp_path, "every file")
    web.files = {name: (tmp_path / name).read_bytes() for name in names if "3" not in name}
    with pytest.raises(StackError, match=r"of 5 files, and 1 of them are not beside it: part3\.ome\.tif"):
        find_stack(f"{web.endpoint}/part0.ome.tif")


def test_a_damaged_file_of_a_set_is_named(tmp_path, web):  # noqa: F811
    names = write_set(tmp_path, "every file")
    web.files = {name: (tmp_path / name).read_bytes() for name in names}
    web.files["part3.ome.tif"] = web.files["part3.ome.tif"][:-2000]
    with pytest.raises(StackError, match=r"^part3\.ome\.tif.*(cut off|damaged)"):
        find_stack(f"{web.endpoint}/part0.ome.tif")


def test_a_file_whose_metadata_file_is_missing_is_read_alone_and_says_so(tmp_path, web):  # noqa: F811
    names = write_set(tmp_path, "companion")
    web.files = {name: (tmp_path / name).read_bytes() for name in names if "companion" not in name}
    source = find_stack(f"{web.endpoint}/part2.ome.tif", axes="zyx")
    assert any("set.companion.ome" in note for note in source.notes)
    np.testing.assert_array_equal(read_stack(source), NOISE[6:9])


def test_metadata_cannot_lead_out_of_the_folder_of_its_address(tmp_path, web):  # noqa: F811
    file = tmp_path / "a.ome.tif"
    inside = '<BinaryOnly MetadataFile="../secret.ome.tif" UUID="urn:uuid:1"/>'
    tifffile.imwrite(file, NOISE[0], description=document(inside, 1), metadata=None)
    web.files["data/a.ome.tif"] = file.read_bytes()
    with pytest.raises(StackError, match="outside its folder"):
        find_stack(f"{web.endpoint}/data/a.ome.tif")
    assert len(web.asked) == 1


def test_a_folder_of_a_plain_web_server_cannot_be_listed_and_this_is_said(tmp_path, web):  # noqa: F811
    names = write_set(tmp_path, "every file")
    web.files = {f"data/{name}": (tmp_path / name).read_bytes() for name in names}
    with pytest.raises(NotFoundError, match="nothing is stored at"):
        find_stack(f"{web.endpoint}/data")
    with pytest.raises(StorageError, match=r"cannot list 'data': it answers like a plain web server"):
        find_stack(f"{web.endpoint}/data/", pattern="part{z}.ome.tif")
