"""What errors and notes ask to be typed works in Python and on the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ngff_practical.cli import main
from ngff_practical.errors import StackError
from ngff_practical.stack import find_stack
from ngff_practical.stack.typed import option, typed

BOTH = re.compile(r"((?:image|axes|pattern|voxel_size|unit)=.*?) \((--.*?)\)(?=$|[,;. ])")


def pages(folder: Path) -> Path:
    tifffile.imwrite(folder / "a.tif", np.zeros((5, 8, 9), "uint16"), metadata=None, photometric="minisblack")
    return folder / "a.tif"


def positions(folder: Path) -> Path:
    for number in range(3):
        tifffile.imwrite(folder / f"pos{number}.tif", np.zeros((8, 9), "uint16"))
    return folder


def images(folder: Path) -> Path:
    with tifffile.TiffWriter(folder / "a.ome.tif") as writer:
        for shape in ((8, 9), (10, 9)):
            writer.write(np.zeros(shape, "uint16"))
    return folder / "a.ome.tif"


def unexplained(folder: Path) -> Path:
    for a in range(2):
        for b in range(3):
            tifffile.imwrite(folder / f"img_{a}_{b}.tif", np.zeros((8, 9), "uint16"))
    return folder


def beside_folders(folder: Path) -> Path:
    for name in ("ch0", "ch1"):
        (folder / name).mkdir()
        for z in range(2):
            tifffile.imwrite(folder / name / f"z{z}.tif", np.zeros((8, 9), "uint16"))
    return positions(folder)


@pytest.mark.parametrize("make", [pages, positions, unexplained, beside_folders, images])
def test_what_an_error_asks_for_works_in_python_and_on_the_command_line(tmp_path, make: Callable, capsys):
    (tmp_path / "in").mkdir()
    place = make(tmp_path / "in")
    with pytest.raises(StackError) as error:
        find_stack(place)
    ways = BOTH.findall(str(error.value))
    assert ways
    assert "--" not in BOTH.sub("", str(error.value))
    python, shell = ways[0]
    source = find_stack(place, **eval(f"dict({python})"))
    assert main(["plan", str(place), *shlex.split(shell), "--json"]) == 0
    assert f'"shape": {list(source.shape)}'.replace(" ", "") in capsys.readouterr().out.replace(
        " ", ""
    ).replace("\n", "")


def test_a_note_about_the_voxel_size_says_it_both_ways(tmp_path):
    source = find_stack(pages(tmp_path), axes="zyx")
    said = 'voxel_size=(z, y, x), unit="micrometer" (--voxel-size z,y,x --unit micrometer), with a number'
    assert any(said in note for note in source.notes)


def test_names_of_options_are_said_both_ways():
    assert option("voxel_size") == "voxel_size (--voxel-size)"
    assert typed(voxel_size=["x"]) == "voxel_size=(x,) (--voxel-size x)"


@pytest.mark.parametrize(
    ("pattern", "quoted"),
    [("a b_{z}.tif", '"a b_{z}.tif"'), ("it's_{z}.tif", '"it\'s_{z}.tif"'), ("$a_{z}.tif", "'$a_{z}.tif'")],
)
def test_a_pattern_is_quoted_as_every_shell_reads_it_where_that_is_possible(pattern, quoted):
    assert typed(pattern=pattern).endswith(f" (--pattern {quoted})")
