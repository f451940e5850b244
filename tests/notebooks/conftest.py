"""The sandbox of the lessons, with its samples, in a state folder of its own."""

import os

import psutil
import pytest

from ngff_practical import sandbox
from ngff_practical.samples import seed


@pytest.fixture(scope="module")
def course_environment(isolated_session, tmp_path_factory):
    """Yield the environment of a kernel that finds the sandbox running, offline."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NGFF_PRACTICAL_STATE", str(tmp_path_factory.mktemp("course-state")))
        patch.setenv("NGFF_PRACTICAL_OFFLINE", "1")
        server = sandbox.ensure(seed=seed, owner_pid=os.getpid())
        yield {**os.environ, **server.environment}
        sandbox.stop()
    assert not psutil.pid_exists(server.pid)
