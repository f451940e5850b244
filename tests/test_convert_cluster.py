"""Bands on the workers of a dask cluster, and what is said where that fails."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future

import numpy as np
import pytest
import tifffile
from distributed import Client, LocalCluster

from ngff_practical.cli import main
from ngff_practical.convert import cluster as cluster_module
from ngff_practical.convert import connected, convert
from ngff_practical.errors import ConversionError, StorageError
from ngff_practical.inspection import validate
from ngff_practical.pyramid import plan_pyramid
from ngff_practical.stack import find_stack
from ngff_practical.storage import list_objects, read_object


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A scheduler on a busy computer is no silent one."""
    monkeypatch.setattr(cluster_module, "CONNECT_S", 60)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "planes").mkdir()
    block = np.random.default_rng(1).integers(0, 4095, (16, 64, 64)).astype("uint16")
    for index, plane in enumerate(block):
        tifffile.imwrite(tmp_path / "planes" / f"z{index:02}.tif", plane)
    return find_stack(tmp_path / "planes")


@pytest.fixture(scope="module")
def cluster(sandbox_server):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_server.environment.items():
            patch.setenv(name, value)  # where workers find their keys
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster


def content(place):
    return {stored.key: read_object(place, stored.key) for stored in list_objects(place)}


@pytest.mark.s3
def test_a_cluster_that_loses_a_worker_writes_the_same_objects_as_this_process(
    source, cluster, sandbox_server, tmp_path
):
    sandbox_server.use()
    pyramid = plan_pyramid(source, chunks=(1, 32, 32), levels=3)
    convert(source, tmp_path / "here.zarr", pyramid)
    destination = sandbox_server.location("practical", "cluster/image.ome.zarr")
    progress, killed = [], []
    with Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill_one(done, total):
            progress.append((done, total))
            if not killed:
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

        convert(
            source,
            destination,
            pyramid,
            executor=client.get_executor(),
            verify="full",
            on_slab=kill_one,
        )
    assert killed
    assert progress[-1][0] == progress[-1][1] > 8
    assert content(destination) == content(tmp_path / "here.zarr")
    assert [issue for issue in validate(destination) if issue.severity != "should"] == []


def test_the_command_takes_a_scheduler_and_a_shared_folder(source, cluster, tmp_path, capsys):
    arguments = ["convert", str(tmp_path / "planes"), str(tmp_path / "out.ome.zarr"), "--json"]
    assert main([*arguments, "--scheduler", cluster.scheduler_address, "--chunks", "4,32,32"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"][0]["chunks"] == [4, 32, 32]
    again = [*arguments, "--overwrite", "--chunks", "2,32,32"]
    assert main([*again, "--scheduler", cluster.scheduler_address]) == 0


def test_no_scheduler_is_one_sentence(monkeypatch, tmp_path, source, capsys):
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    command = ["convert", str(tmp_path / "planes"), str(tmp_path / "out.zarr")]
    assert main([*command, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert "no dask scheduler answers at tcp://127.0.0.1:1" in said[-1]
    assert not (tmp_path / "out.zarr").exists()


def test_workers_with_another_version_are_named(cluster, monkeypatch):
    monkeypatch.setattr(cluster_module, "_versions_here", lambda: {"zarr": "2.0"})
    with (
        pytest.raises(StorageError, match=r"zarr is .* on the worker tcp.* and 2\.0 here"),
        connected(cluster.scheduler_address),
    ):
        pass


@pytest.fixture
def mortal(tmp_path):
    """A scheduler of its own process with a worker: its address, and the process."""
    module, note = [sys.executable, "-m"], tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    begin = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with subprocess.Popen([*module, *begin, "--scheduler-file", str(note)], **quiet) as scheduler:
        while not note.exists() or not note.read_text():
            assert scheduler.poll() is None
            time.sleep(0.05)
        address = json.loads(note.read_text())["address"]
        work = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        with subprocess.Popen([*module, *work], **quiet, cwd=tmp_path) as worker:
            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(1)
            yield address, scheduler
            worker.kill()
        scheduler.kill()
    note.unlink()


def test_a_scheduler_that_dies_is_one_sentence_and_a_rerun_succeeds(source, mortal, tmp_path, capfd):
    address, scheduler = mortal
    pyramid = plan_pyramid(source, chunks=(1, 32, 32))

    def kill(done, total):
        scheduler.kill()
        scheduler.wait()

    with (
        pytest.raises(ConversionError, match=rf"the dask scheduler at {address} stopped.*run the same"),
        connected(address) as executor,
    ):
        convert(source, tmp_path / "out.zarr", pyramid, executor=executor, on_slab=kill)
    assert not (tmp_path / "out.zarr").exists()
    assert "Traceback" not in capfd.readouterr().err
    convert(source, tmp_path / "out.zarr", pyramid)
    assert [issue for issue in validate(tmp_path / "out.zarr") if issue.severity != "should"] == []


def test_lost_work_is_one_sentence_and_leaves_no_image(source, tmp_path):
    class Forgetful(Executor):
        def submit(self, *_arguments, **_options):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(ConversionError, match="lost or cancelled a part of the work"):
        convert(source, tmp_path / "out.zarr", plan_pyramid(source), executor=Forgetful())
    assert [path.name for path in tmp_path.iterdir()] == ["planes"]
