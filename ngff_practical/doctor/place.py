"""A place on S3: what may be done there, tried out one after the other, and taken away again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from ngff_practical.doctor.checks import Check, failed
from ngff_practical.errors import ExistsError, NgffPracticalError, NotFoundError
from ngff_practical.model import Location
from ngff_practical.model.wording import plural
from ngff_practical.sharing import reach
from ngff_practical.storage import delete_object, list_folder, read_object, write_object
from ngff_practical.storage.moving import Objects
from ngff_practical.storage.parts import open_uploads
from ngff_practical.transfer.keys import is_metadata

_BODY = b"written by `ngff-practical doctor`, and deleted again"
_SKEW_S = 300.0


def check_place(location: Location) -> Iterator[Check]:
    """Yield whether a place can be listed and read and, unless access is anonymous, written and deleted.

    A small object is written below the place, create-only, and deleted; nothing else is touched.
    """
    try:
        folders, objects = list_folder(location)
    except NotFoundError as error:  # no such bucket: nothing else can be tried
        yield failed("list", error)
        return
    except NgffPracticalError as error:
        yield failed("list", error, needed=False)
        first = "zarr.json"
    else:
        found = f"{plural(len(folders), 'folder')} and {plural(len(objects), 'object')}"
        yield Check("list", True, f"{found} at {location.url}")
        documents = [stored.key for stored in objects if is_metadata(stored.key)]
        first = next(iter([*documents, *(stored.key for stored in objects if stored.nbytes)]), "")
    if first:
        yield _read(location, first)
    if location.anonymous:
        yield from _reach(location)
    else:
        yield from _write(location)
        yield from _unfinished(location)


def _unfinished(location: Location) -> Iterator[Check]:
    """Yield a note where uploads in parts were begun and never finished, for those who may list them."""
    try:
        left = open_uploads(location)
    except NgffPracticalError:
        return
    if left:
        yield Check(
            "unfinished uploads",
            False,
            f"{len(left)} in parts, the oldest begun {left[0].begun:%Y-%m-%d %H:%M} UTC",
            "run the upload again, which goes on with its own; delete_image gives up those below an image",
            needed=False,
        )


def _read(location: Location, key: str) -> Check:
    try:
        body = read_object(location, key)
        part = bytes(Objects(location).get(key, start=0, stop=1).data) if body else b""
    except NgffPracticalError as error:
        return failed("read", error)
    if part != body[:1]:
        return Check(
            "read", False, f"a range of {key} holds other bytes than the whole", "use another server"
        )
    return Check("read", True, f"{key}: {len(body)} bytes, and a range of them")


def _write(location: Location) -> Iterator[Check]:
    key = f"doctor-{secrets.token_hex(4)}"
    try:
        write_object(location, key, _BODY)
        whole = read_object(location, key) == _BODY
    except NgffPracticalError as error:
        yield failed("write", error)
        yield from _reach(location)
        return
    yield Check(
        "write",
        whole,
        f"{len(_BODY)} bytes" if whole else "other bytes came back",
        "" if whole else "use another server",
    )
    yield _create_only(location, key)
    yield from _reach(location / key)
    try:
        delete_object(location, key)
        read_object(location, key)
    except NotFoundError:
        yield Check("delete", True, "what was written is gone again")
    except NgffPracticalError as error:
        found = f"{key} could not be deleted, and is left behind: {error}".partition("; ")
        yield Check("delete", False, found[0], found[2] or "let the owner of the bucket delete it")
    else:
        yield Check("delete", False, f"{key} is still there after it was deleted", "delete it by hand")


def _create_only(location: Location, key: str) -> Check:
    name = "create-only"
    try:
        write_object(location, key, _BODY)
    except ExistsError:
        return Check(name, True, "a second write to the same key is refused", needed=False)
    except NgffPracticalError as error:
        return failed(name, error, needed=False)
    return Check(
        name,
        False,
        "the server overwrites even where it is asked not to",
        "give every upload a key of its own; two at the same time are not kept apart here",
        needed=False,
    )


def _reach(location: Location) -> Iterator[Check]:
    found = reach(location)
    fix = "; ".join(found.problems if found.shared else found.problems[1:])
    yield Check(
        "public",
        found.public,
        f"strangers get {found.status or 'no answer'}",
        _fix(found.public, fix),
        needed=False,
    )
    if found.public:
        cors = found.cors and found.cors_on_errors
        yield Check(
            "CORS",
            cors,
            "web pages may read it" if cors else "web pages may not read all of it",
            _fix(cors, fix),
            needed=False,
        )
        yield Check(
            "ranges",
            found.ranges,
            "206" if found.ranges else "200: whole objects only",
            _fix(found.ranges, fix),
            needed=False,
        )
    if found.clock_s is not None:
        right = abs(found.clock_s) < _SKEW_S
        yield Check(
            "clock",
            right,
            f"{abs(found.clock_s):.0f} s {'ahead of' if found.clock_s > 0 else 'behind'} the server's",
            "" if right else "set this computer's time right: S3 refuses signatures from a wrong clock",
        )


def _fix(ok: bool, fix: str) -> str:
    return "" if ok else fix
