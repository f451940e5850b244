"""Damaged, lying and unreadable sources: one sentence with the file and the way out, and nothing written."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.cli import main
from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack

OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0">'
    '<Pixels ID="P:0" DimensionOrder="{order}" Type="uint16" SizeX="24" SizeY="20" SizeZ="{z}" '
    'SizeC="1" SizeT="1">{data}</Pixels></Image></OME>'
)


def pixels(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(3).integers(0, 250, shape).astype(dtype)


def write(file: Path, count: int = 3, described: str | None = None, **options: object) -> Path:
    """Pages of 20 x 24, each with a directory of its own, the first one with a description."""
    with tifffile.TiffWriter(file) as writer:
        for page in pixels(count, 20, 24):
            writer.write(page, metadata=None, contiguous=False, description=described, **options)
            described = None
    return file


def patched(file: Path, tag: int, value: int, *, page: int = 0, index: int = 0) -> Path:
    with tifffile.TiffFile(file) as tif:
        entry = tif.pages[page].tags[tag]
        kind = tif.byteorder + {3: "H", 4: "I", 13: "I", 16: "Q"}[int(entry.dtype)]
        offset = entry.valueoffset + index * struct.calcsize(kind)
    data = bytearray(file.read_bytes())
    struct.pack_into(kind, data, offset, value)
    file.write_bytes(data)
    return file


def offset_of(file: Path, page: int) -> int:
    with tifffile.TiffFile(file) as tif:
        return tif.pages[page].dataoffsets[0]


def pyramid(file: Path, link: int | None) -> Path:
    """A page with a smaller copy behind a link, which leads to `link`, or back to its own page for None."""
    with tifffile.TiffWriter(file) as writer:
        writer.write(pixels(64, 64), subifds=1, tile=(16, 16))
        writer.write(pixels(32, 32), subfiletype=1, tile=(16, 16))
    with tifffile.TiffFile(file) as tif:
        first = tif.pages[0].offset
    return patched(file, 330, first if link is None else link)


def ome(file: Path, *, order: str = "XYZCT", z: int = 3, data: str = "<TiffData/>") -> Path:
    return write(file, described=OME.format(order=order, z=z, data=data), photometric="minisblack")


def imagej(file: Path, described: str, count: int = 3) -> Path:
    return write(file, count, f"ImageJ=1.54f\n{described}")


def shaped(file: Path, shape: str) -> Path:
    return write(file, described=f'{{"shape": {shape}, "axes": "ZYX"}}')


FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "page beyond the end": (
        lambda f: patched(write(f), 273, 10**7, page=2),
        "page 3 needs bytes up to 10000960, but",
    ),
    "strips overlap": (
        lambda f: patched(
            write(f, 1, rowsperstrip=5), 273, offset_of(write(f, 1, rowsperstrip=5), 0) + 7, index=1
        ),
        "two strips or tiles of page 1 both use the bytes from",
    ),
    "pages share their bytes": (
        lambda f: patched(write(f), 273, offset_of(write(f), 0), page=2),
        "pages 1 and 3 both use the bytes from",
    ),
    "compressed pages overlap": (
        lambda f: patched(
            write(f, compression="zlib"), 273, offset_of(write(f, compression="zlib"), 0) + 5, page=2
        ),
        "pages 1 and 3 both use the bytes from",
    ),
    "smaller copy in a circle": (lambda f: pyramid(f, None), "lead in a circle"),
    "ImageJ declares a thousand million": (
        lambda f: imagej(f, "images=1000000000\nslices=1000000000\n"),
        "declares 1000000000 images .* but it has 3 pages",
    ),
    "ImageJ declares less than none": (lambda f: imagej(f, "images=-3\nslices=-3\n"), "declares -3 images"),
    "ImageJ declares none": (lambda f: imagej(f, "images=0\nslices=0\n"), "declares 0 images"),
    "ImageJ contradicts itself": (
        lambda f: imagej(f, "images=6\nslices=4\nchannels=2\n", 6),
        r"6 images \(2 channels, 4 slices\), but it has 6 pages",
    ),
    "one directory for many planes": (
        lambda f: imagej(f, "images=100000\nslices=100000\n", 1),
        "100000 images .* 1 pages",
    ),
    "tifffile declares more": (
        lambda f: shaped(f, "[60, 20, 24]"),
        "60 x 20 x 24 values, but has 3 pages of 20 x 24",
    ),
    "tifffile declares too much": (lambda f: shaped(f, "[1000000000000, 20, 24]"), "but has 3 pages"),
    "tifffile declares less than none": (lambda f: shaped(f, "[-3, 20, 24]"), "no shape of an image"),
    "tifffile declares text": (lambda f: shaped(f, '"x"'), "no shape of an image"),
    "OME-XML declares a million million": (
        lambda f: ome(f, z=10**12),
        "1 x 1 x 1000000000000 x 20 x 24.* its 3 pages",
    ),
    "OME-XML declares less than none": (lambda f: ome(f, z=-3), "1 x 1 x -3 x 20 x 24.* its 3 pages"),
    "OME-XML declares none": (lambda f: ome(f, z=0), "1 x 1 x 0 x 20 x 24.* its 3 pages"),
    "OME-XML has no order": (lambda f: ome(f, order="ABCDE"), "'ABCDE'.*XYZCT"),
    "OME-XML counts backwards": (lambda f: ome(f, data='<TiffData IFD="-1" PlaneCount="3"/>'), "IFD=-1"),
    "OME-XML names a page that is not there": (
        lambda f: ome(f, data='<TiffData IFD="7"/>'),
        "index 7 out of range",
    ),
    "OME-XML fills a plane that is not there": (
        lambda f: ome(f, data='<TiffData FirstZ="99"/>'),
        "do not hold",
    ),
    "no columns": (lambda f: patched(write(f), 256, 0), "claims 20 x 0 pixels"),
    "no rows in a strip": (lambda f: patched(write(f), 278, 0), "strips of 0 rows"),
    "a codec nobody has": (
        lambda f: patched(write(f), 259, 65001),
        "nothing decodes EER_V1",
    ),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_is_damaged_or_lies_gets_one_sentence_and_a_way_out(tmp_path, fault, capsys):
    make, said = FILES[fault]
    file = make(tmp_path / "embryo.tif")
    with pytest.raises(StackError, match=said) as error:
        find_stack(file, axes="zyx" if "beyond" in fault or "pages" in fault else None)
    message = str(error.value)
    assert message.startswith("embryo.tif")
    assert len(message) < 330
    assert "\n" not in message
    assert any(way in message for way in ("copy", "save it", "get the whole"))
    assert (
        run(
            "convert",
            str(file),
            str(tmp_path / "out.ome.zarr"),
            *(("--axes", "zyx") if "zyx" in message else ()),
        )
        == 2
    )
    assert not (tmp_path / "out.ome.zarr").exists()
    assert "Traceback" not in capsys.readouterr().err


def run(*words: str) -> int:
    try:
        return int(main(list(words)) or 0)
    except SystemExit as ended:
        return int(ended.code or 0)


def planes(folder: Path, *names: str) -> Path:
    for name in names:
        tifffile.imwrite(folder / name, pixels(8, 9), metadata=None)
    return folder


def link(folder: Path, to: str) -> Path:
    (folder / "z2.tif").symlink_to(folder / to)
    return folder


def filled(folder: Path, content: bytes) -> Path:
    (folder / "z2.tif").write_bytes(content)
    return folder


def odd(folder: Path, data: np.ndarray) -> Path:
    with tifffile.TiffWriter(folder / "z2.tif") as writer:
        for page in data:
            writer.write(page, metadata=None, contiguous=False)
    return folder


FOLDERS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zero bytes": (lambda d: filled(d, b""), r"^z2\.tif is empty"),
    "git-lfs pointer": (
        lambda d: filled(d, b"version https://git-lfs.github.com/spec/v1\n"),
        r"^z2\.tif .*git lfs pull",
    ),
    "cut off": (lambda d: filled(d, (d / "z1.tif").read_bytes()[:-9]), r"^z2\.tif, page 1 needs bytes up to"),
    "link to itself": (lambda d: link(d, "z2.tif"), r"^z2\.tif cannot be read.*mend the link"),
    "link to nothing": (lambda d: link(d, "gone.tif"), r"^z2\.tif cannot be read.*gone\.tif: mend the link"),
    "signed among unsigned": (
        lambda d: odd(d, pixels(1, 8, 9, dtype="int16")),
        r"^z2\.tif is 8 x 9 int16.* 8 x 9 uint16",
    ),
    "two pages": (lambda d: odd(d, pixels(2, 8, 9)), r"^z2\.tif is 2 x 8 x 9 uint16.* 8 x 9 uint16"),
    "other rows": (lambda d: odd(d, pixels(1, 7, 9)), r"^z2\.tif is 7 x 9 uint16.* 8 x 9 uint16"),
    "folder named like a plane": (
        lambda d: ((d / "z2.tif").mkdir(), d)[1],
        r"after z1\.tif comes z3\.tif; missing: 2",
    ),
}


@pytest.mark.parametrize("fault", FOLDERS)
def test_a_folder_with_one_bad_plane_is_refused_and_the_plane_named(tmp_path, fault, capsys):
    make, said = FOLDERS[fault]
    folder = tmp_path / "planes"
    folder.mkdir()
    make(planes(folder, "z0.tif", "z1.tif", "z3.tif", "z4.tif"))
    with pytest.raises(StackError, match=said):
        find_stack(folder)
    assert run("convert", str(folder), str(tmp_path / "out.ome.zarr")) == 2
    assert not (tmp_path / "out.ome.zarr").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_planes_of_both_byte_orders_are_one_stack(tmp_path):
    tifffile.imwrite(planes(tmp_path, "z0.tif", "z1.tif") / "z2.tif", pixels(8, 9), byteorder=">")
    assert find_stack(tmp_path).shape == (3, 8, 9)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "z2.tif")
    with pytest.raises(StackError, match="neither a file nor a folder"):
        find_stack(tmp_path / "z2.tif")
    source = find_stack(planes(tmp_path, "z0.tif", "z1.tif"))
    assert any("z2.tif" in note for note in source.notes)


def test_a_plane_nobody_may_read_is_named_with_a_way_out(tmp_path, monkeypatch):
    closed, open_file = planes(tmp_path, "z0.tif", "z1.tif") / "z1.tif", Path.open

    def refuse(self: Path, *arguments: object, **options: object) -> object:
        if self == closed:  # by its name, since by its mode nothing is closed to root
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return open_file(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StackError, match=r"^z1\.tif cannot be read: Permission denied; ask its owner"):
        find_stack(tmp_path)


def test_folders_that_lead_in_a_circle_are_left_after_a_few_steps(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path)
    with pytest.raises(StackError, match="holds no TIFF"):
        find_stack(tmp_path)


def test_equal_tiles_that_are_stored_once_are_read(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(
        file,
        np.zeros((3, 32, 32), "uint8"),
        tile=(16, 16),
        compression="zlib",
        photometric="minisblack",
        metadata={"axes": "ZYX"},
    )
    with tifffile.TiffFile(file) as tif:
        first = tif.pages[0].dataoffsets[0]
    assert find_stack(patched(file, 324, first, page=1, index=2)).shape == (3, 32, 32)
