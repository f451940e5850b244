"""Conversions that are disturbed: others at the same place, killed processes, full disks, changed files."""

import json
import os
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
import tifffile
import zarr

from ngff_practical.convert import convert
from ngff_practical.convert import lock as lock_module
from ngff_practical.convert import run as run_module
from ngff_practical.errors import ConversionError, ExistsError, StackError, StorageError
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack
from ngff_practical.storage import list_objects, write_object
from ngff_practical.storage.lock import alone

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


def test_on_windows_a_drive_that_numbers_its_files_anew_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("ngff_practical.storage.lock.sys", SimpleNamespace(platform="win32"))
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=lambda *_: None))
    monkeypatch.setattr(os.path, "samestat", lambda *_: pytest.fail("the numbers were compared"))
    with alone(tmp_path / "out.zarr", "conversion"):
        assert (tmp_path / "out.zarr.lock").exists()
    assert not (tmp_path / "out.zarr.lock").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are POSIX")
def test_a_folder_that_cannot_be_written_is_named(source, tmp_path, monkeypatch):
    def refuse(path, *arguments):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError, match="cannot be written: Permission denied"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source))


@pytest.mark.s3
def test_a_destination_on_s3_is_taken_from_ended_processes_only(source, sandbox_server):
    sandbox_server.use()
    place = sandbox_server.location("practical", "claimed/image.zarr")

    def second(done, total):
        with pytest.raises(ExistsError, match=r"is writing .* now"):
            convert(source, place, plan_pyramid(source))

    convert(source, place, plan_pyramid(source), on_slab=second)
    assert [stored.key for stored in list_objects(place)] == ["0/c/0/0/0", "0/zarr.json", "zarr.json"]
    mark = {"host": lock_module.platform.node(), "pid": 2**22 + 1, "started": 1.0, "run": "other"}
    write_object(place, lock_module.MARK, json.dumps(mark).encode())
    convert(source, place, plan_pyramid(source), overwrite=True)
    write_object(place, lock_module.MARK, json.dumps({**mark, "host": "elsewhere"}).encode())
    with pytest.raises(ExistsError, match=r"on elsewhere, .* say overwrite"):
        convert(source, place, plan_pyramid(source))
    convert(source, place, plan_pyramid(source), overwrite=True)


class Cable(socketserver.ThreadingTCPServer):
    """A line to a server that can be cut."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), None)
        self.port, self.whole = port, True

    def finish_request(self, request, client_address):
        if not self.whole:
            return
        with socket.create_connection(("127.0.0.1", self.port)) as far:
            ends = {request: far, far: request}
            while self.whole:
                for ready in select.select(list(ends), [], [], 0.05)[0]:
                    data = ready.recv(65536) if self.whole else b""
                    if not data:
                        return
                    ends[ready].sendall(data)


@pytest.mark.s3
def test_a_connection_lost_midway_is_one_sentence_and_a_rerun_succeeds(source, sandbox_server):
    sandbox_server.use()
    straight = sandbox_server.location("practical", "lost/image.zarr")
    with Cable(urlsplit(sandbox_server.endpoint).port) as cable:
        threading.Thread(target=cable.serve_forever, daemon=True).start()
        place = replace(straight, endpoint=f"http://127.0.0.1:{cable.server_address[1]}")

        def cut(done, total):
            cable.whole = False

        with pytest.raises((ConversionError, StorageError)) as caught:
            convert(source, place, plan_pyramid(source, chunks=(1, 16, 16)), on_slab=cut)
        cable.shutdown()
    assert "\n" not in str(caught.value)
    assert place.endpoint in str(caught.value)
    assert "zarr.json" not in [stored.key for stored in list_objects(straight)]
    convert(source, straight, plan_pyramid(source))


@pytest.mark.parametrize("change", ["touched", "gone"])
def test_a_source_that_changes_meanwhile_is_named(change, source, tmp_path):
    file = source.files[0]

    def disturb(done, total):
        if change == "gone":
            file.rename(tmp_path / "planes" / "moved")
        else:
            os.utime(file, ns=(0, 0))

    with pytest.raises(StackError, match=r"z0\.tif has changed while it was converted"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source), on_slab=disturb)
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("last", [False, True])
def test_a_flipped_bit_anywhere_does_not_pass_the_full_read_back(level, last, source, tmp_path, monkeypatch):
    genuine = run_module.read_back

    def damage_then_read_back(place, *arguments):
        objects = sorted(
            path for path in (place / str(level)).rglob("*") if path.name.isdigit() and path.is_file()
        )
        file = objects[-1 if last else 0]
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        genuine(place, *arguments)

    monkeypatch.setattr(run_module, "read_back", damage_then_read_back)
    pyramid = plan_pyramid(source, chunks=(1, 8, 8), codec="none", levels=3, factors=(1, 2, 2))
    with pytest.raises(ConversionError, match="reads back wrong: 1 of"):
        convert(source, tmp_path / "out.zarr", pyramid, verify="full")
    assert not (tmp_path / "out.zarr").exists()
