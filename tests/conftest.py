"""Fixtures shared by all tests: where real files of other tools are, and small stacks made on the spot."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import zarr
from hypothesis import HealthCheck, settings

from ngff_practical import sandbox
from ngff_practical.model import Location
from ngff_practical.transfer import checksums, upload
from ngff_practical.transfer.fetching import fetch_object

# a computer that stands still for a moment finds no mistake; what CI sets besides stays
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the collection of other tools' files is not beside this checkout")
    return folder


@pytest.fixture(scope="session", autouse=True)
def isolated_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the keys, the AWS profile, the proxy, the sandbox or the IPython of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_") or "proxy" in name.lower()]:
            patch.delenv(name)
        nowhere = tmp_path_factory.mktemp("no-aws-profile")
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        patch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))  # HOME may be closed to writing
        patch.setattr("ngff_practical.sandbox.handle._ASK_S", 60.0)  # a busy computer is no silent server
        yield


@pytest.fixture(autouse=True)
def environment_restored(isolated_session: None) -> Iterator[None]:
    """What a test (or `Sandbox.use`) puts into os.environ is gone after it."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def sandbox_server(
    isolated_session: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sandbox.Sandbox]:
    """One sandbox for the whole run: buckets idr (with the array tiny.zarr) and practical (empty).

    Call `sandbox_server.use()` in a test that signs its requests, and write below a prefix of its own.
    """
    folder = tmp_path_factory.mktemp("seed") / "tiny.zarr"
    pixels = np.arange(4 * 64 * 64, dtype="uint16").reshape(4, 64, 64)
    tiny = zarr.create_array(
        folder,
        shape=pixels.shape,
        dtype=pixels.dtype,
        chunks=(1, 32, 32),
        shards=(2, 64, 64),
        compressors=None,
    )
    tiny[:] = pixels
    server = sandbox.start(seed={"idr/tiny.zarr": folder}, owner_pid=os.getpid())
    yield server
    sandbox.stop()
    assert not psutil.pid_exists(server.pid)


@pytest.fixture
def server(sandbox_server: sandbox.Sandbox) -> Iterator[sandbox.Sandbox]:
    """The run's sandbox with its keys in use, and no faults or slow network of another test's."""
    sandbox_server.use()
    sandbox_server.set_faults(())
    yield sandbox_server
    sandbox_server.set_faults(())
    sandbox_server.set_network()


@pytest.fixture
def place(server: sandbox.Sandbox, request: pytest.FixtureRequest) -> Location:
    """Where an image of this test's own can go on the run's sandbox."""
    name = hashlib.md5(request.node.nodeid.encode()).hexdigest()[:10]
    return server.location("practical", f"tests/{name}/t.zarr")


@pytest.fixture
def five_mib_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects above 6 MiB are large, and travel in parts of 5: the least that S3 takes."""
    for function in (fetch_object, upload):
        monkeypatch.setitem(function.__globals__, "LARGE_NBYTES", 6 * 2**20)
    monkeypatch.setattr(checksums, "LARGE_NBYTES", 6 * 2**20)
    monkeypatch.setattr(checksums, "PART_NBYTES", 5 * 2**20)
