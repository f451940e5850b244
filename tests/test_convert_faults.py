"""Conversions that are disturbed: others at the same place, killed processes, full disks, changed files."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.convert import convert
from ngff_practical.errors import ExistsError, StorageError
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack

WAITING = """
import sys
from ngff_practical.convert import convert
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack

def wait(done, total):
    print("begun", flush=True)
    sys.stdin.read()

source = find_stack(sys.argv[1])
convert(source, sys.argv[2], plan_pyramid(source, chunks=(1, 16, 16)), on_slab=wait)
"""


@pytest.fixture
def source(tmp_path):
    (tmp_path / "planes").mkdir()
    for index, plane in enumerate(np.arange(4 * 32 * 32, dtype="uint16").reshape(4, 32, 32)):
        tifffile.imwrite(tmp_path / "planes" / f"z{index}.tif", plane)
    return find_stack(tmp_path / "planes")


@pytest.fixture
def other(source, tmp_path):
    """Another process in the middle of a conversion to out.zarr."""
    command = [sys.executable, "-c", WAITING, str(tmp_path / "planes"), str(tmp_path / "out.zarr")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"begun\n"
        yield process
        process.kill()


def test_a_second_conversion_to_the_same_place_is_refused_and_the_first_one_ends_well(
    source, other, tmp_path
):
    with pytest.raises(ExistsError, match=r"another conversion is writing .*out\.zarr"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source))
    other.communicate()
    assert other.returncode == 0
    assert zarr.open_group(tmp_path / "out.zarr", mode="r")["0"][3, 31, 31] == 4 * 32 * 32 - 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zarr", "planes"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_after_kill_9_a_rerun_works_by_itself(source, other, tmp_path):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zarr.lock", "out.zarr.partial", "planes"]
    convert(source, tmp_path / "out.zarr", plan_pyramid(source))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.zarr", "planes"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX")
def test_a_folder_that_cannot_be_written_is_named(source, tmp_path, monkeypatch):
    def refuse(path, *arguments):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="cannot be written: Permission denied"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source))
