"""Starting the sandbox in a process of its own, finding it again, and stopping it for good."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ngff_practical.errors import SandboxError
from ngff_practical.sandbox import state
from ngff_practical.sandbox.handle import Sandbox, ask_to_stop, from_state

type Seed = Mapping[str, Path] | Callable[[], Mapping[str, Path]]

_START_S = 120.0
_STOP_S = 10.0
_LOOK_S = 0.02

# By process id: threads that take an ended sandbox of ours out of the process table.
_collectors: dict[int, threading.Thread] = {}


def ensure(*, seed: Seed | None = None, owner_pid: int | None = None) -> Sandbox:
    """Return the running sandbox, or start one.

    `seed` maps "bucket/key" to local folders whose files the sandbox holds from the start; as a callable it
    is called only where one has to be started. A sandbox that already runs keeps what it holds.
    With `owner_pid` a sandbox started here ends when that process does; otherwise it outlives whoever
    started it, until `stop`.

    Raises
    ------
    SandboxError
        It could not be started; the message quotes the process's last words.
    """
    with _one_at_a_time():
        return running() or _start(seed, owner_pid)


def start(*, seed: Seed | None = None, owner_pid: int | None = None) -> Sandbox:
    """Start a sandbox, as `ensure` does, where none is running.

    Raises
    ------
    SandboxError
        One is running already, or it could not be started.
    """
    with _one_at_a_time():
        found = running()
        if found is not None:
            raise SandboxError(f"a sandbox is running at {found.endpoint}; use it, or stop it first")
        return _start(seed, owner_pid)


def running() -> Sandbox | None:
    """Return the sandbox that runs now, else None."""
    found = state.read()
    if found is None:
        return None
    sandbox = from_state(found)
    return sandbox if sandbox.alive() else None


def stop() -> bool:
    """Stop the sandbox and wait until its process is gone; False where none was running.

    Everything stored in it is lost. A process that does not answer is ended the hard way.
    """
    with _one_at_a_time():
        found = state.read()
        if found is None and not state.held(state.ALIVE):
            return False
        was_alive = state.held(state.ALIVE)
        _end(found)
        return was_alive


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Keep two notebooks from starting two sandboxes."""
    with state.locked(state.STARTING, wait_s=_START_S) as mine:
        if not mine:
            raise SandboxError(
                f"another program has been starting or stopping the sandbox for {_START_S:.0f} s; "
                "end it and try again"
            )
        yield


def _start(seed: Seed | None, owner_pid: int | None) -> Sandbox:
    _end(state.read())  # what a killed or hanging sandbox left behind
    folders = seed() if callable(seed) else seed or {}
    instance = secrets.token_hex(8)
    setting = {
        "instance": instance,
        "seed": {prefix: str(_seed_folder(prefix, folder)) for prefix, folder in folders.items()},
        "owner_pid": owner_pid,
    }
    process = _spawn(json.dumps(setting))
    until = time.monotonic() + _START_S
    while True:
        found = state.read()
        if found is not None and found.instance == instance:
            return from_state(found)
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() < until:
                continue
            process.kill()
            process.wait()
        raise SandboxError(f"the sandbox could not be started: {_last_words()}; see {state.log_file()}")


def _seed_folder(prefix: str, folder: Path) -> Path:
    if not folder.is_dir():
        raise SandboxError(
            f"the sandbox cannot be filled: {prefix} should come from {folder}, which is no folder"
        )
    return folder.absolute()


def _spawn(setting: str) -> subprocess.Popen[bytes]:
    package_home = str(Path(__file__).resolve().parents[2])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package_home, os.environ.get("PYTHONPATH")]))
    environment |= {"MOTO_DISABLE_GLOBAL_CORS": "true", "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    folder = state.folder()
    with state.log_file().open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ngff_practical.sandbox"],
            cwd=folder,  # not the learner's folder, whose files could hide modules
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C, or the end of the kernel, does not reach it
            creationflags=_detached(),
        )
    collector = threading.Thread(target=process.wait, name="sandbox-collector", daemon=True)
    collector.start()
    _collectors[process.pid] = collector
    if process.stdin is not None:
        # Where it has ended at once, whoever waits for it says why.
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(setting.encode())
    return process


def _detached() -> int:
    if sys.platform == "win32":
        # Not DETACHED_PROCESS: an environment's python.exe starts the real one, which would then open a black
        # window of its own, and whoever closes that ends the server.
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _end(found: state.State | None) -> None:
    if found is not None and state.held(state.ALIVE):
        try:
            ask_to_stop(from_state(found))
        except SandboxError:
            _terminate(found.pid)
        if not _gone(found.pid, _STOP_S):
            _terminate(found.pid, hard=True)
            if not _gone(found.pid, _STOP_S):
                raise SandboxError(f"the sandbox's process {found.pid} cannot be ended; end it by hand")
    state.clear()


def _terminate(pid: int, *, hard: bool = False) -> None:
    if not state.held(state.ALIVE):  # the number may be another process's by now
        return
    kill = getattr(signal, "SIGKILL", signal.SIGTERM) if hard else signal.SIGTERM
    with suppress(OSError):  # it has ended meanwhile, which Windows says in its own way, or is not ours
        os.kill(pid, kill)


def _gone(pid: int, wait_s: float) -> bool:
    until = time.monotonic() + wait_s
    while state.held(state.ALIVE) or state.process_alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_S)
    collector = _collectors.pop(pid, None)
    if collector is not None:
        collector.join(wait_s)
    return True


def _last_words() -> str:
    lines = state.log_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"
