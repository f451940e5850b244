"""Samples of odd bits: unpacked exactly, or refused in one sentence where the file contradicts itself."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
import tifffile
from rawtiff import Page, packed, page_tags, raw_tiff

from ngff_practical.cli import main
from ngff_practical.errors import StackError
from ngff_practical.stack import StackReader, find_stack, read_stack

Y, X = 21, 27  # rows that end inside a byte
BYTES = {
    "LZW": (5, imagecodecs.lzw_encode),
    "Deflate": (8, imagecodecs.zlib_encode),
    "PackBits": (32773, imagecodecs.packbits_encode),
    "Zstd": (50000, imagecodecs.zstd_encode),
}


def numbers(bits: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(bits).integers(0, 1 << bits, shape, dtype="uint64")


def planes(file, data, bits, order="<", **tags):
    file.write_bytes(
        raw_tiff([Page(page_tags(Y, X, bits=bits, **tags), [packed(plane, bits)]) for plane in data], order)
    )
    return file


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [*range(1, 8), *range(9, 16)])
def test_integers_of_any_bits_are_unpacked(tmp_path, bits, order):
    data = numbers(bits, 2, Y, X)
    stack = read_stack(find_stack(planes(tmp_path / "a.tif", data, bits, order), axes="zyx"))
    assert stack.dtype == ("bool" if bits == 1 else "uint8" if bits < 8 else "uint16")
    np.testing.assert_array_equal(stack, data)
    np.testing.assert_array_equal(stack, tifffile.imread(tmp_path / "a.tif"))


@pytest.mark.parametrize("bits", [1, 12])
@pytest.mark.parametrize("cut", ["strips", "tiles"])
def test_rows_of_packed_strips_and_tiles_begin_in_a_byte_of_their_own(tmp_path, bits, cut):
    data = numbers(bits, 2, Y, X)
    if cut == "strips":
        tags = page_tags(Y, X, bits=bits, _278=5)
        pages = [Page(tags, [packed(plane[y : y + 5], bits) for y in range(0, Y, 5)]) for plane in data]
    else:
        tags = page_tags(Y, X, bits=bits, _322=16, _323=16)
        del tags[278]
        padded = np.pad(data, ((0, 0), (0, 32 - Y), (0, 32 - X)))
        pages = [
            Page(tags, [packed(p[y : y + 16, x : x + 16], bits) for y in (0, 16) for x in (0, 16)])
            for p in padded
        ]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    source = find_stack(tmp_path / "a.tif", axes="zyx")
    np.testing.assert_array_equal(read_stack(source), data)
    rows = np.empty((4, X), source.dtype)
    with StackReader(source) as reader:
        reader.read(1, slice(13, 17), rows)
    np.testing.assert_array_equal(rows, data[1, 13:17])


@pytest.mark.parametrize("bits", [1, 4, 5, 10, 12])
def test_packed_colours_become_channels(tmp_path, bits):
    data = numbers(bits, 2, Y, X, 3)
    tags = page_tags(Y, X, bits=bits, samples=3)
    (tmp_path / "a.tif").write_bytes(raw_tiff([Page(tags, [packed(plane, bits)]) for plane in data], ">"))
    stack = read_stack(find_stack(tmp_path / "a.tif", axes="zyx"))
    np.testing.assert_array_equal(stack, data.transpose(3, 0, 1, 2))


def test_bits_that_run_from_the_lowest_on_are_turned(tmp_path):
    data = numbers(1, 2, Y, X)
    pages = [
        Page(
            page_tags(Y, X, bits=1, _266=2),
            [bytes(int(f"{b:08b}"[::-1], 2) for b in packed(plane, 1))],
        )
        for plane in data
    ]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "a.tif", axes="zyx")), data)


@pytest.mark.parametrize("codec", BYTES)
def test_packed_bits_behind_a_codec_are_unpacked(tmp_path, codec):
    number, encode = BYTES[codec]
    data = numbers(12, 2, Y, X)
    pages = [Page(page_tags(Y, X, bits=12, _259=number), [encode(packed(plane, 12))]) for plane in data]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    np.testing.assert_array_equal(read_stack(find_stack(tmp_path / "a.tif", axes="zyx")), data)


@pytest.mark.parametrize("codec", [None, *BYTES])
@pytest.mark.parametrize(("bits", "kind"), [(1, "uint8"), (10, "uint16"), (12, "uint16"), (14, "uint16")])
def test_words_that_are_called_packed_bits_are_refused(tmp_path, bits, kind, codec, capsys):
    number, encode = BYTES[codec] if codec else (1, bytes)
    pages = [
        Page(page_tags(Y, X, bits=bits, _259=number), [encode(plane.astype(kind).tobytes())])
        for plane in numbers(bits, 2, Y, X)
    ]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    whole = np.dtype(kind).itemsize * 8
    with pytest.raises(
        StackError, match=rf"^a\.tif, page 1 claims {bits} .* holds {whole} for each .* save it anew with"
    ):
        find_stack(tmp_path / "a.tif", axes="zyx")
    command = ["convert", str(tmp_path / "a.tif"), str(tmp_path / "out.zarr"), "--axes", "zyx"]
    assert main(command) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bits", "samples", "sample_format", "said"),
    [
        (17, 1, 1, "integers of 17 bits"),
        (24, 1, 1, "integers of 24 bits"),
        (12, 1, 2, "integers of 12 bits"),
        (8, 1, 3, "integers of 8 bits"),
        (64, 1, 6, "complex64 of 64 bits"),
    ],
)
def test_bits_that_readers_take_in_two_ways_are_refused(tmp_path, bits, samples, sample_format, said):
    pages = [
        Page(page_tags(Y, X, bits=bits, samples=samples, _339=sample_format), [packed(plane, bits)])
        for plane in numbers(8, 2, Y, X)
    ]
    (tmp_path / "a.tif").write_bytes(raw_tiff(pages))
    with pytest.raises(StackError, match=rf"^a\.tif, page 1 holds {said} per sample.* save it as"):
        find_stack(tmp_path / "a.tif", axes="zyx")


@pytest.mark.parametrize("depths", [(5, 6, 5), (8, 8, 16)])
def test_samples_of_different_bits_are_refused(tmp_path, depths):
    tags = page_tags(Y, X, bits=8, samples=3) | {258: (3, depths)}
    (tmp_path / "a.tif").write_bytes(raw_tiff([Page(tags, [bytes(Y * X * 4)])]))
    with pytest.raises(StackError, match=rf"{' . '.join(map(str, depths))} bits per sample"):
        find_stack(tmp_path / "a.tif")
