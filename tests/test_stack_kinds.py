"""Every kind of TIFF that microscopes write, against the array that was written and tifffile's reader."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.errors import StackError
from ngff_practical.stack import StackReader, decoding, find_stack, read_stack
from ngff_practical.stack.units import length_unit, seconds, stated_length

Z, Y, X = 5, 20, 24
GREY: dict[str, object] = {"photometric": "minisblack", "metadata": {"axes": "ZYX"}}
# The names of units that OME-Zarr 0.5 lists for axes of space.
UDUNITS = [
    "angstrom", "attometer", "centimeter", "decimeter", "exameter", "femtometer", "foot", "gigameter",
    "hectometer", "inch", "kilometer", "megameter", "meter", "micrometer", "mile", "millimeter",
    "nanometer", "parsec", "petameter", "picometer", "terameter", "yard", "yoctometer", "yottameter",
    "zeptometer", "zettameter",
]  # fmt: skip
# OME's UnitsLength, in micrometers, of those that have a length.
OME_LENGTHS = {
    "Ym": 1e30, "Zm": 1e27, "Em": 1e24, "Pm": 1e21, "Tm": 1e18, "Gm": 1e15, "Mm": 1e12, "km": 1e9,
    "hm": 1e8, "dam": 1e7, "m": 1e6, "dm": 1e5, "cm": 1e4, "mm": 1e3, "µm": 1,
    "nm": 1e-3, "pm": 1e-6, "fm": 1e-9, "am": 1e-12, "zm": 1e-15, "ym": 1e-18, "Å": 1e-4, "thou": 25.4,
    "li": 2116.6666667, "in": 25400,
    "ft": 304800, "yd": 914400, "mi": 1609344000, "ua": 1.495978707e17, "ly": 9.4607304725808e21,
    "pc": 3.0856775814913673e22, "pt": 352.7777778,
}  # fmt: skip


def pixels(*shape: int, dtype: str = "uint16") -> np.ndarray:
    values = np.random.default_rng(7).integers(0, 250, shape)
    return values % 2 == 0 if dtype == "bool" else values.astype(dtype)


def axes_of(source: object) -> str:
    return "".join(source.axis_names)  # type: ignore[attr-defined]


def assert_read(file: Path, data: np.ndarray, stored: str, **options: object) -> None:
    """The file gives `data`, of axes `stored`, in the order t, c, z, y, x, as tifffile reads it too."""
    source = find_stack(file, **options)  # type: ignore[arg-type]
    names = axes_of(source)
    assert names == "".join(name for name in "tczyx" if name in stored)
    expected = data.transpose([stored.index(name) for name in names])
    stack = read_stack(source)
    assert stack.dtype == data.dtype
    np.testing.assert_array_equal(stack, expected)
    np.testing.assert_array_equal(tifffile.imread(file).reshape(data.shape), data)


LOSSLESS = (
    "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "LERC", "LZMA", "ZSTD", "ZSTD_DEPRECATED", "PNG", "JPEGXR",
    "JPEGXR_NDPI", "JPEG2000", "JPEG_2000_LOSSY", "APERIO_JP2000_RGB", "JPEGXL", "JPEGXL_DNG", "PIXTIFF",
)  # fmt: skip


LITTLE_ENDIAN = {
    *("LERC", "PNG", "JPEGXR", "JPEGXR_NDPI", "JPEG2000", "JPEG_2000_LOSSY", "APERIO_JP2000_RGB"),
}


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_every_lossless_compression_gives_the_pixels_that_were_written(tmp_path, compression, byteorder):
    if byteorder == ">" and compression in LITTLE_ENDIAN:
        pytest.skip("tifffile does not write this compression in big-endian files")
    data = pixels(Z, Y, X)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, byteorder=byteorder, **GREY)
    assert_read(tmp_path / "a.tif", data, "zyx")


@pytest.mark.parametrize("compression", ["JPEG", "WEBP", "APERIO_JP2000_YCBC", "JPEG_LOSSY"])
def test_a_lossy_compression_gives_what_tifffile_decodes(tmp_path, compression):
    data = np.broadcast_to(np.linspace(0, 250, X).astype("uint8")[:, None], (Z, Y, X, 3)).copy()
    tifffile.imwrite(
        tmp_path / "a.tif", data, compression=compression, photometric="rgb", metadata={"axes": "ZYXS"}
    )
    source = find_stack(tmp_path / "a.tif")
    assert axes_of(source) == "czyx"
    np.testing.assert_array_equal(
        read_stack(source), tifffile.imread(tmp_path / "a.tif").transpose(3, 0, 1, 2)
    )


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"bigtiff": True}], ids=str
)
@pytest.mark.parametrize(
    "dtype",
    [
        *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
        *("float16", "float32", "float64"),
    ],
)
def test_every_data_type_is_exact_however_it_is_stored(tmp_path, dtype, options, byteorder):
    if dtype == "bool" and "compression" in options:
        options = {"compression": "packbits"}
    data = pixels(Z, 21, 27, dtype=dtype)  # rows that end inside a byte of bits
    tifffile.imwrite(tmp_path / "a.tif", data, byteorder=byteorder, **options, **GREY)
    assert_read(tmp_path / "a.tif", data, "zyx")


@pytest.mark.parametrize("bits", [4, 10, 12, 14])
def test_values_packed_into_odd_bits_are_unpacked(tmp_path, bits):
    data = pixels(Z, Y, X, dtype="uint8" if bits < 8 else "uint16") % (1 << bits)
    tifffile.imwrite(tmp_path / "a.tif", data, bitspersample=bits, **GREY)
    assert_read(tmp_path / "a.tif", data, "zyx")


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers_are_refused_with_a_way_out(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", pixels(Z, Y, X, dtype=dtype), **GREY)
    with pytest.raises(StackError, match=rf"a\.tif, page 1 holds {dtype}.*save it as"):
        find_stack(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"byteorder": ">"}], ids=str
)
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_and_alpha_become_channels(tmp_path, planar, samples, options):
    contig = planar == "contig"
    data = pixels(Z, Y, X, samples, dtype="uint8") if contig else pixels(Z, samples, Y, X, dtype="uint8")
    tifffile.imwrite(
        tmp_path / "a.tif",
        data,
        photometric="rgb",
        planarconfig=planar,
        extrasamples=["unassalpha"] if samples == 4 else None,
        metadata={"axes": "ZYXS" if contig else "ZSYX"},
        **options,
    )
    assert_read(tmp_path / "a.tif", data, "zyxc" if contig else "zcyx")


@pytest.mark.parametrize("kind", ["shaped", "ome", "imagej"])
@pytest.mark.parametrize("axes", ["YX", "ZYX", "CYX", "TYX", "ZCYX", "TZYX", "TCYX", "TZCYX", "zyx"])
def test_the_axes_that_a_file_states_are_put_into_order(tmp_path, kind, axes):
    data = pixels(*({"T": 3, "Z": 5, "C": 2, "Y": Y, "X": X}[axis] for axis in axes.upper()))
    axes = axes if kind == "shaped" else axes.upper()
    file = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    options = {"imagej": True} if kind == "imagej" else {"photometric": "minisblack"}
    tifffile.imwrite(file, data, metadata={"axes": axes}, **options)
    assert_read(file, data, axes.lower())


@pytest.mark.parametrize("axes", ["ZYX", "CYX", "ZCYX", "TZCYX"])
@pytest.mark.parametrize(
    "options", [{"truncate": True}, {"compression": "zlib"}], ids=["one directory", "deflate"]
)
def test_an_imagej_hyperstack_is_read_with_one_directory_and_with_many(tmp_path, axes, options):
    data = pixels(*({"T": 3, "Z": 5, "C": 2, "Y": Y, "X": X}[axis] for axis in axes))
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata={"axes": axes}, **options)
    assert_read(tmp_path / "a.tif", data, axes.lower())


@pytest.mark.parametrize(
    ("axes", "asked"),
    [("QYX", "zyx"), ("IYX", "tyx"), ("RYX", "cyx"), ("PZYX", "tzyx"), ("ZQYX", "zcyx"), ("QQYX", "tzyx")],
)
def test_letters_that_are_no_axis_of_ours_are_asked_for_and_taken(tmp_path, axes, asked):
    data = pixels(*(3, 5)[: len(axes) - 2], Y, X)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="minisblack", metadata={"axes": axes})
    with pytest.raises(StackError) as error:
        find_stack(tmp_path / "a.tif")
    assert " x ".join(map(str, data.shape)) in str(error.value)
    assert "--axes " in str(error.value)
    assert_read(tmp_path / "a.tif", data, asked, axes=asked)


@pytest.mark.parametrize("axes", ["YXZ", "XYZ", "ZXY", "ZYXC", "YZX"])
def test_pages_that_are_no_planes_of_y_and_x_are_refused(tmp_path, axes):
    shape = {"Z": 7, "Y": Y, "X": X, "C": 2}
    data = pixels(*(shape[axis] for axis in axes))
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="minisblack", metadata={"axes": axes})
    with pytest.raises(StackError, match=rf"a\.tif declares the axes {axes} = .*last axes"):
        find_stack(tmp_path / "a.tif")


def test_a_volume_in_one_directory_is_read_where_it_lies_in_one_piece(tmp_path):
    data = pixels(32, Y, X)
    tifffile.imwrite(tmp_path / "a.tif", data, volumetric=True, **GREY)
    assert_read(tmp_path / "a.tif", data, "zyx")


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"compression": "lzw"}], ids=str
)
@pytest.mark.parametrize("shape", [(32, 32, 32), (21, 37, 50), (16, 16, 16), (33, 16, 17)], ids=str)
def test_tiles_of_several_planes_are_read(tmp_path, options, shape):
    data = pixels(*shape)
    tifffile.imwrite(tmp_path / "a.tif", data, volumetric=True, tile=(16, 16, 32), **GREY, **options)
    assert_read(tmp_path / "a.tif", data, "zyx")


def test_rows_of_tiles_of_several_planes_decode_each_tile_once(tmp_path, monkeypatch):
    data = pixels(32, 64, 48)
    tifffile.imwrite(tmp_path / "a.tif", data, volumetric=True, tile=(16, 16, 16), compression="zlib", **GREY)
    decoded = []
    decode = decoding.decode_segment

    def counted(key, tables, content, index):
        decoded.append(index)
        return decode(key, tables, content, index)

    source = find_stack(tmp_path / "a.tif")
    monkeypatch.setattr(decoding, "decode_segment", counted)
    rows = np.empty((32, 10, 48), "uint16")
    with StackReader(source) as reader:
        reader.read_planes(range(32), slice(20, 30), rows)
    np.testing.assert_array_equal(rows, data[:, 20:30])
    assert sorted(decoded) == [3, 4, 5, 15, 16, 17]


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_colours_in_tiles_of_several_planes_become_channels(tmp_path, planar, options):
    contig = planar == "contig"
    shape = (21, 37, 50, 3) if contig else (3, 21, 37, 50)
    data = pixels(*shape, dtype="uint8")
    tifffile.imwrite(
        tmp_path / "a.tif",
        data,
        volumetric=True,
        tile=(16, 16, 16),
        photometric="rgb",
        planarconfig=planar,
        metadata={"axes": "ZYXS" if contig else "SZYX"},
        **options,
    )
    assert_read(tmp_path / "a.tif", data, "zyxc" if contig else "czyx")


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("axes", ["ZYXS", "TZYXS"])
def test_imagej_colours_behind_one_directory_become_channels(tmp_path, axes, byteorder):
    data = pixels(*({"T": 3, "Z": 5, "Y": Y, "X": X, "S": 3}[axis] for axis in axes), dtype="uint8")
    tifffile.imwrite(
        tmp_path / "a.tif", data, imagej=True, truncate=True, byteorder=byteorder, metadata={"axes": axes}
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert len(tif.pages) == 1
    assert_read(tmp_path / "a.tif", data, axes.lower().replace("s", "c"))
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[:-9])
    with pytest.raises(StackError, match=r"^a\.tif.*(cut off|declares).*copy"):
        find_stack(tmp_path / "a.tif")


@pytest.mark.parametrize("count", [2, 5])
def test_a_metamorph_stack_has_its_planes_behind_one_directory(tmp_path, count):
    data = pixels(count, Y, X)
    write_stk(tmp_path / "a.stk.tif", data)
    source = find_stack(tmp_path / "a.stk.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), data)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.stk.tif"), data)


def write_stk(file: Path, data: np.ndarray) -> None:
    """A MetaMorph stack: one directory for all planes, which the tag UIC2 counts (six numbers for each)."""
    count = len(data)
    numbers = [number for z in range(count) for number in (z, 1, 2458000, z, 0, 0)]
    tags = [(33628, 4, 4, [0, 1, 1, 0], True), (33629, 4, len(numbers), numbers, True)]
    tifffile.imwrite(
        file, data, photometric="minisblack", metadata=None, contiguous=True, truncate=True, extratags=tags
    )
    with tifffile.TiffFile(file) as tif:
        start = tif.pages[0].offset
    content = bytearray(file.read_bytes())
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", content, start)[0], 12):
        (tag,) = struct.unpack_from("<H", content, at)
        if tag in (33628, 33629):
            struct.pack_into("<HI", content, at + 2, *((4, 2) if tag == 33628 else (5, count)))
    file.write_bytes(content)


# --- units


@pytest.mark.parametrize("name", UDUNITS)
def test_every_unit_of_the_specification_is_known_by_its_name(name):
    assert length_unit(name) == name


@pytest.mark.parametrize("unit", OME_LENGTHS)
def test_every_unit_of_ome_xml_becomes_micrometers(tmp_path, unit):
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="P:0" DimensionOrder="XYZCT" Type="uint16" SizeX="24" SizeY="20" '
        f'SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="2" PhysicalSizeXUnit="{unit}"><TiffData/>'
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels(Y, X), metadata=None, description=document.encode())
    source = find_stack(tmp_path / "a.ome.tif")
    assert source.axes[-1].unit == "micrometer"
    assert source.voxel_size[-1] == pytest.approx(2 * OME_LENGTHS[unit], rel=1e-8)


@pytest.mark.parametrize(
    "spelling",
    [
        *(
            "micron",
            "Microns",
            "um",
            "UM",
            "µm",
            "μm",
            "\\u00B5m",
            "u00B5m",
            "Âµm",
            "Î¼m",
            "┬╡m",
            "&micro;m",
            "&mu;m",
        ),
        *("micrometre", "micrometers", "µm/pixel", "um per pixel", "[µm]", "'um'", "µ"),
    ],
)
def test_every_spelling_of_the_micrometer_is_understood(spelling):
    assert stated_length(2, spelling) == (2, "micrometer")


@pytest.mark.parametrize(
    "spelling", ["Å", "\u212b", "A\u030a", "\\u00C5", "\\u00c5", "\\u212b", "Å/pixel", "A"]
)
def test_every_spelling_of_the_angstrom_is_understood(spelling):
    assert stated_length(2, spelling) == (2, "angstrom")


@pytest.mark.parametrize(
    "spelling", ["", "pixel", "pixels", "?m", "reference frame", "furlong", "second", "/", "."]
)
def test_what_is_no_unit_of_length_is_none(spelling):
    assert stated_length(2, spelling) is None


@pytest.mark.parametrize("unit", ["thou", "dam", "ly"])
def test_a_unit_that_ome_zarr_does_not_know_cannot_be_asked_for(tmp_path, unit):
    tifffile.imwrite(tmp_path / "a.tif", pixels(Y, X))
    with pytest.raises(StackError, match=f"'{unit}' is not a unit"):
        find_stack(tmp_path / "a.tif", voxel_size=(1, 1), unit=unit)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("ms", 1e-3), ("Ms", 1e6), ("ps", 1e-12), ("Ps", 1e15), ("µs", 1e-6), ("min", 60), ("ks", 1e3)],
)
def test_units_of_time_keep_their_case(unit, factor):
    assert seconds(2, unit) == pytest.approx(2 * factor)
