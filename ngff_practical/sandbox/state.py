"""What a running sandbox leaves on disk: its state file, and locks that end with the process holding them."""

from __future__ import annotations

import json
import os
import secrets
import socket
import string
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import platformdirs
import psutil

from ngff_practical.errors import SandboxError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FOLDER_VARIABLE = "NGFF_PRACTICAL_STATE"
ALIVE = "sandbox.lock"  # held by the sandbox's process as long as it lives
STARTING = "starting.lock"  # held by whoever starts or stops one


@dataclass(frozen=True, slots=True)
class State:
    """Everything needed to find a sandbox, to know it again and to use it; keys stay out of its repr."""

    instance: str
    pid: int
    endpoint: str
    started: float
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)


def new_keys() -> tuple[str, str]:
    """Return an access key id and a secret that nobody has had before."""
    return "SANDBOX" + _random(13, string.ascii_uppercase + string.digits), _random(
        40, string.ascii_letters + string.digits
    )


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def folder() -> Path:
    """Return the folder for state files: NGFF_PRACTICAL_STATE, else the user's own on this machine.

    Several machines may share a home, and each has its own loopback: the folder carries the host's name.
    """
    given = os.environ.get(_FOLDER_VARIABLE)
    own = platformdirs.user_state_path("ngff-practical") / socket.gethostname()
    path = Path(given).absolute() if given else own
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(
            f"the sandbox cannot keep its state in {path} ({error.strerror}); "
            f"set {_FOLDER_VARIABLE} to a folder you may write"
        ) from None
    if sys.platform != "win32" and path.stat().st_uid != os.getuid():
        raise SandboxError(f"{path} belongs to another user; set {_FOLDER_VARIABLE} to a folder of your own")
    return path


def file() -> Path:
    """Return the path of the state file."""
    return folder() / "sandbox.json"


def log_file() -> Path:
    """Return the path of the file that takes what the sandbox's process has to say."""
    return folder() / "sandbox.log"


def read() -> State | None:
    """Return the state that was left, None where there is none or it is damaged."""
    try:
        return State(**json.loads(file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(state: State) -> None:
    """Leave a state, whole at once, for the user's eyes only."""
    path = file()
    part = path.with_name(f"{path.name}.{state.pid}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(asdict(state), stream)
    part.replace(path)


def clear(instance: str | None = None) -> None:
    """Remove the state file; with `instance` only if it is that sandbox's."""
    if instance is not None:
        state = read()
        if state is None or state.instance != instance:
            return
    file().unlink(missing_ok=True)


@contextmanager
def locked(name: str, *, wait_s: float) -> Iterator[bool]:
    """Hold one of the sandbox's locks; yields False where it was not to be had."""
    with hold(folder() / name, wait_s=wait_s) as taken:
        yield taken


@contextmanager
def hold(path: Path, *, wait_s: float) -> Iterator[bool]:
    """Hold a lock file; it ends with the process at the latest. Yields False where it was not to be had."""
    with path.open("a+b") as stream:
        until = time.monotonic() + wait_s
        while not (taken := _take(stream)) and time.monotonic() < until:
            time.sleep(0.02)
        try:
            yield taken
        finally:
            if taken:
                _give(stream)


def held(name: str) -> bool:
    """Return True where some process holds the lock."""
    with locked(name, wait_s=0) as taken:
        return not taken


def process_alive(pid: int) -> bool:
    """Return True while a process of this id runs; one that has ended but is not collected does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


if sys.platform == "win32":

    def _take(stream: IO[bytes]) -> bool:
        stream.seek(0)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _give(stream: IO[bytes]) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _take(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _give(stream: IO[bytes]) -> None:
        fcntl.flock(stream, fcntl.LOCK_UN)
