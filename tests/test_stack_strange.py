"""TIFFs as microscopes write them beyond the plain ones: LSM, Micro-Manager, scanners, odd OME-XML."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from rawtiff import Page, page_tags, raw_tiff

from ngff_practical.errors import StackError
from ngff_practical.stack import StackReader, find_stack, read_stack

Y, X = 20, 24
NS = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def pixels(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(11).integers(0, 250, shape).astype(dtype)


def axes_of(source: object) -> str:
    return "".join(source.axis_names)  # type: ignore[attr-defined]


def write(file: Path, planes: np.ndarray, described: str | None = None, **options: object) -> Path:
    """Pages with a directory each, the first one with a description."""
    options.setdefault("photometric", "minisblack")
    with tifffile.TiffWriter(file) as writer:
        for plane in planes:
            writer.write(plane, metadata=None, contiguous=False, description=described, **options)
            described = None
    return file


# --- Zeiss LSM: a thumbnail behind each plane


def lsm(file: Path, data: np.ndarray, *, scan: int | None = None) -> Path:
    """Time points, planes, channels, y, x: a page for all channels of a plane, each before its thumbnail."""
    voxel = (2e-6, 0.5e-6, 0.25e-6)
    t, z, c, height, width = data.shape
    info = bytearray(512)
    struct.pack_into("<IiiiiiiiiI", info, 0, 67127628, 512, width, height, z, c, t, 2, 8, 8)
    struct.pack_into("<ddd", info, 40, *reversed(voxel))
    struct.pack_into("<H", info, 88, scan if scan is not None else 0 if t == 1 else 6 if z > 1 else 3)
    thumb = pixels(c, 8, 8, dtype="uint8")
    pages = []
    for number, planes in enumerate(data.reshape(t * z, c, height, width)):
        tags = page_tags(height, width, samples=c, _284=2, _254=0) | {262: (3, [1])}
        if c == 2:  # Zeiss writes where the two numbers are, though both would fit
            tags[258] = 3, [8, 0]
        if not number:
            tags[34412] = 1, bytes(info)
        pages.append(Page(tags, [plane.astype("<u2").tobytes() for plane in planes]))
        small = page_tags(8, 8, bits=8, samples=c, _284=2, _254=1) | {262: (3, [1])}
        if c == 2:
            small[258] = 3, [12, 0]
        pages.append(Page(small, [plane.tobytes() for plane in thumb]))
    content = bytearray(raw_tiff(pages, lead=8))
    struct.pack_into("<HHHH", content, 8, 16, 16, 8, 8)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("shape", [(1, 5, 2), (1, 5, 1), (3, 4, 2), (3, 1, 2)], ids=str)
def test_an_lsm_gives_its_planes_without_the_thumbnails_between(tmp_path, shape):
    data = pixels(*shape, Y, X)
    source = find_stack(lsm(tmp_path / "embryo.lsm", data))
    names = "".join(name for name, size in zip("tzc", shape, strict=True) if size > 1) + "yx"
    assert axes_of(source) == "".join(name for name in "tczyx" if name in names)
    expected = data.transpose(0, 2, 1, 3, 4).reshape(source.shape)
    np.testing.assert_array_equal(read_stack(source), expected)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "embryo.lsm").reshape(data.shape), data)
    assert source.name == "embryo"


def test_an_lsm_gives_its_voxel_size_in_micrometers(tmp_path):
    source = find_stack(lsm(tmp_path / "a.lsm", pixels(1, 5, 2, Y, X)))
    assert source.voxel_size[-3:] == pytest.approx((2, 0.5, 0.25))
    assert [axis.unit for axis in source.axes[-3:]] == ["micrometer"] * 3


def test_an_lsm_with_more_planes_than_its_kind_of_scan_has_is_refused(tmp_path):
    file = lsm(tmp_path / "a.lsm", pixels(3, 4, 2, Y, X), scan=0)  # a z-stack, and three time points
    with pytest.raises(StackError, match=r"^a\.lsm: its LSM metadata declares 4 planes.* has 12 .*copy"):
        find_stack(file)


def test_an_lsm_that_was_cut_off_is_refused(tmp_path):
    file = lsm(tmp_path / "a.lsm", pixels(1, 5, 2, Y, X))
    file.write_bytes(file.read_bytes()[:-700])
    with pytest.raises(StackError, match=r"^a\.lsm.*copy"):
        find_stack(file)


# --- one directory for more than 4 GiB, Micro-Manager's index


def test_an_imagej_stack_beyond_4_gib_is_read_behind_its_one_directory(tmp_path):
    planes, last = 40_000, 39_999
    described = f"ImageJ=1.54f\nimages={planes}\nslices={planes}\n\0".encode()
    tags = page_tags(256, 256) | {270: (2, described)}
    row = pixels(256)
    head = raw_tiff([Page(tags | {273: (4, [4096])}, [])], ">")
    assert len(head) < 4096
    with (tmp_path / "large.tif").open("wb") as handle:  # sparse: only what is written takes room
        handle.write(head)
        handle.truncate(4096 + planes * 2 * 256 * 256)
        handle.seek(4096 + last * 2 * 256 * 256 + 9 * 512)
        handle.write(row.astype(">u2").tobytes())
    source = find_stack(tmp_path / "large.tif")
    assert source.shape == (planes, 256, 256)
    out = np.empty((2, 256), "uint16")
    with StackReader(source) as reader:
        reader.read(last, slice(8, 10), out)
    assert not out[0].any()
    np.testing.assert_array_equal(out[1], row)


def test_micro_managers_index_does_not_stand_in_for_the_pages(tmp_path):
    data = pixels(6, Y, X)
    inside = "<TiffData/>"
    description = ome_xml(inside, z=3, c=2).encode() + b"\0"
    summary = b'{"Slices": 3, "Channels": 2, "MicroManagerVersion": "2.0"}'
    tags = page_tags(Y, X)
    pages = [
        Page(
            tags | ({270: (2, description), 51123: (2, b'{"PixelType": "GRAY16"}\0')} if not n else {}),
            [p.tobytes()],
        )
        for n, p in enumerate(data)
    ]
    content = bytearray(raw_tiff(pages, lead=32 + len(summary)))
    # index map, display settings, comments and summary; the index is damaged
    struct.pack_into("<8I", content, 8, 54773648, 999, 483765892, 0, 99384722, 0, 2355492, len(summary))
    content[40 : 40 + len(summary)] = summary
    (tmp_path / "MMStack_Pos0.ome.tif").write_bytes(content)
    source = find_stack(tmp_path / "MMStack_Pos0.ome.tif")
    np.testing.assert_array_equal(read_stack(source), data.reshape(2, 3, Y, X))


# --- OME-XML


def ome_xml(inside: str, *, z: int = 1, c: int = 1, order: str = "XYZCT", dtype: str = "uint16") -> str:
    return (
        f'<?xml version="1.0"?><OME {NS}><Image ID="Image:0"><Pixels ID="P:0" DimensionOrder="{order}" '
        f'Type="{dtype}" SizeX="{X}" SizeY="{Y}" SizeZ="{z}" SizeC="{c}" SizeT="1">{inside}'
        "</Pixels></Image></OME>"
    )


@pytest.mark.parametrize("said", ["IFD", "FirstZ"])
def test_planes_that_ome_xml_puts_in_another_order_are_put_so(tmp_path, said):
    data, order = pixels(6, Y, X), [3, 1, 5, 0, 2, 4]
    if said == "IFD":
        blocks = "".join(f'<TiffData IFD="{i}" FirstZ="{z}" PlaneCount="1"/>' for z, i in enumerate(order))
        expected = data[order]
    else:
        blocks = "".join(f'<TiffData FirstZ="{z}" IFD="{i}"/>' for i, z in enumerate(order))
        expected = np.empty_like(data)
        expected[order] = data
    file = write(tmp_path / "a.ome.tif", data, ome_xml(blocks, z=6))
    np.testing.assert_array_equal(read_stack(find_stack(file)), expected)


def test_pages_that_ome_xml_does_not_name_are_left_out(tmp_path):
    data = pixels(6, Y, X)
    blocks = '<TiffData IFD="0" PlaneCount="2"/><TiffData IFD="4" FirstZ="2" PlaneCount="2"/>'
    file = write(tmp_path / "a.ome.tif", data, ome_xml(blocks, z=4))
    np.testing.assert_array_equal(read_stack(find_stack(file)), data[[0, 1, 4, 5]])


@pytest.mark.parametrize("order", ["XYZCT", "XYCZT"])
def test_ome_xml_without_tiffdata_takes_the_pages_in_order_and_says_so(tmp_path, order):
    data = pixels(6, Y, X)
    planes = '<Plane TheZ="0" TheC="0" TheT="0" DeltaT="0.1"/>'
    file = write(tmp_path / "a.ome.tif", data, ome_xml(planes, z=3, c=2, order=order))
    source = find_stack(file)
    expected = data.reshape(2, 3, Y, X) if order == "XYZCT" else data.reshape(3, 2, Y, X).swapaxes(0, 1)
    np.testing.assert_array_equal(read_stack(source), expected)
    assert any("does not say which page is which plane" in note for note in source.notes)


@pytest.mark.parametrize("pages", [5, 7])
def test_ome_xml_without_tiffdata_needs_as_many_pages_as_planes(tmp_path, pages):
    file = write(tmp_path / "a.ome.tif", pixels(pages, Y, X), ome_xml("", z=3, c=2))
    with pytest.raises(StackError, match=r"^a\.ome\.tif.*declares 1 x 2 x 3 x 20 x 24.*copy"):
        find_stack(file)


@pytest.mark.parametrize("inside", ["<MetadataOnly/>", '<BinData Length="0" BigEndian="true"/>'])
def test_ome_xml_whose_pixels_are_elsewhere_is_refused(tmp_path, inside):
    file = write(tmp_path / "a.ome.tif", pixels(6, Y, X), ome_xml(inside, z=6))
    with pytest.raises(StackError, match="names no pixels"):
        find_stack(file)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_two_channels_of_three_samples_are_six_channels(tmp_path, planar):
    data = pixels(6, Y, X, 3, dtype="uint8")
    stored = data if planar == "contig" else data.transpose(0, 3, 1, 2).copy()
    channels = '<Channel ID="C:0" SamplesPerPixel="3"/><Channel ID="C:1" SamplesPerPixel="3"/><TiffData/>'
    xml = ome_xml(channels, z=3, c=6, dtype="uint8")
    file = write(tmp_path / "a.ome.tif", stored, xml, photometric="rgb", planarconfig=planar)
    expected = data.reshape(2, 3, Y, X, 3).transpose(0, 4, 1, 2, 3).reshape(6, 3, Y, X)
    np.testing.assert_array_equal(read_stack(find_stack(file)), expected)


# --- smaller copies of pages: pyramids, previews, masks


def test_levels_behind_links_in_a_page_are_no_planes(tmp_path):
    data = pixels(3, 256, 256, dtype="uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True) as writer:
        for plane in data:
            writer.write(plane, subifds=2, tile=(64, 64), metadata=None)
            for step in (2, 4):
                writer.write(plane[::step, ::step], subfiletype=1, tile=(64, 64), metadata=None)
    source = find_stack(tmp_path / "a.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), data)
    assert any("pyramid" in note for note in source.notes)


def test_a_slide_scanners_levels_thumbnail_and_label_are_named_as_left_out(tmp_path):
    data = pixels(256, 256, dtype="uint8")
    with tifffile.TiffWriter(tmp_path / "a.svs") as writer:
        writer.write(data, tile=(64, 64), metadata=None, description="Aperio Image Library v1\n256x256")
        writer.write(data[::8, ::8], metadata=None)
        writer.write(data[::2, ::2], tile=(64, 64), metadata=None, description="Aperio Image Library\n")
        writer.write(data[:90], subfiletype=9, metadata=None)
    source = find_stack(tmp_path / "a.svs")
    np.testing.assert_array_equal(read_stack(source), data)
    assert any("left out: 32 x 32" in note for note in source.notes)


def test_previews_marked_as_such_between_planes_are_left_out_and_said(tmp_path):
    data = pixels(6, Y, X)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in data:
            writer.write(plane, metadata=None, contiguous=False)
            writer.write(plane[:8, :8], metadata=None, contiguous=False, subfiletype=1)
    source = find_stack(tmp_path / "a.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), data)
    assert any("left out: 8 x 8" in note for note in source.notes)


def test_pages_marked_as_copies_that_are_as_large_as_the_others_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in pixels(6, Y, X):
            writer.write(plane, metadata=None, contiguous=False)
            writer.write(plane, metadata=None, contiguous=False, subfiletype=1)
    with pytest.raises(StackError, match=r"^a\.tif: 6 of 12 pages .* marked as smaller .*\(page 2 is"):
        find_stack(tmp_path / "a.tif", axes="zyx")


# --- codecs with predictors, both byte orders


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd"])
@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [("uint8", 2), ("uint16", 2), ("int32", 2), ("float16", 3), ("float32", 3), ("float64", 3)],
)
def test_predictors_are_undone_in_big_files_of_both_byte_orders(
    tmp_path, compression, dtype, predictor, byteorder
):
    data = pixels(3, Y, X, dtype=dtype)
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True, byteorder=byteorder) as writer:
        for plane in data:
            writer.write(plane, metadata=None, compression=compression, predictor=predictor, rowsperstrip=7)
    stack = read_stack(find_stack(tmp_path / "a.tif", axes="zyx"))
    assert stack.dtype == dtype
    np.testing.assert_array_equal(stack, data)


def test_ome_xml_that_calls_the_pixels_something_else_is_noted(tmp_path):
    data = pixels(3, Y, X)
    for stated in ("int16", "uint16", "double"):
        xml = (
            f'<OME {NS}><Image ID="Image:0"><Pixels ID="P:0" DimensionOrder="XYZCT" Type="{stated}" '
            f'SizeX="{X}" SizeY="{Y}" SizeZ="3" SizeC="1" SizeT="1"><TiffData/></Pixels></Image></OME>'
        )
        source = find_stack(write(tmp_path / "a.ome.tif", data, xml))
        np.testing.assert_array_equal(read_stack(source), data)
        called = {"int16": "int16", "double": "float64"}.get(stated)
        noted = [note for note in source.notes if "The OME-XML calls" in note]
        assert len(noted) == (called is not None)
        assert all(f"pixels {called}, the pages hold uint16" in note for note in noted)
