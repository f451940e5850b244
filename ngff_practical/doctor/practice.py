"""The sandbox: whether it starts, answers, reads ranges, and lets its keys write and delete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from ngff_practical.doctor.checks import Check, failed
from ngff_practical.errors import NgffPracticalError
from ngff_practical.sandbox import Sandbox, running, start, stop
from ngff_practical.storage import delete_object, object_exists, read_object, write_object
from ngff_practical.storage.moving import Objects

_BODY = b"0123456789"


def check_sandbox() -> Iterator[Check]:
    """Yield what is right and wrong with the sandbox; where none runs, one is started and stopped again."""
    found = running()
    try:
        server = found or start()
    except NgffPracticalError as error:
        yield failed("sandbox", error)
        return
    try:
        state = "runs" if found else "starts, answers and stops"
        yield Check("sandbox", True, f"{state} ({server.endpoint})")
        yield _use(server)
    finally:
        if not found:
            stop()


def _use(server: Sandbox) -> Check:
    name = f"doctor-{secrets.token_hex(4)}"
    with _environment_restored():
        server.use()
        place = server.location("practical", name)
        try:
            write_object(place, "object", _BODY)
            whole, part = (
                read_object(place, "object"),
                bytes(Objects(place).get("object", start=2, stop=5).data),
            )
            delete_object(place, "object")
            gone = not object_exists(place, "object")
        except NgffPracticalError as error:
            return failed("sandbox use", error)
    if (whole, part, gone) != (_BODY, _BODY[2:5], True):
        return Check(
            "sandbox use", False, "gave back other bytes than were written", "stop it, and start it again"
        )
    return Check("sandbox use", True, "write, read, read a range and delete, all below an own prefix")


@contextmanager
def _environment_restored() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)  # never cleared: other checks start programs meanwhile
