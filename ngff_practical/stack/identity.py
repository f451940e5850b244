"""Whether the files of an OME-TIFF set are those that its metadata means, by the UUID that each states."""

from __future__ import annotations

from collections.abc import Mapping

from ngff_practical.errors import StackError
from ngff_practical.model import Place
from ngff_practical.stack.faults import listed, reading, shown
from ngff_practical.stack.ome import own_uuid
from ngff_practical.stack.opening import Opener

_DESCRIPTION = 270
_HEAD = 4096  # bytes of a description in which its root element begins


def check_identity(wanted: Mapping[Place, str], opener: Opener) -> tuple[str, ...]:
    """Return a note that names files which state another UUID than the one wanted of them.

    Raises StackError where files have changed their names: where one states the UUID wanted of another, and
    that one does not.
    """
    stated = {file: _stated_uuid(file, opener) for file in wanted}
    owners = {uuid: file for file, uuid in wanted.items() if uuid}
    odd = [file for file, uuid in wanted.items() if uuid and stated[file] and stated[file] != uuid]
    for file in odd:
        owner = owners.get(stated[file])
        if owner is not None and stated[owner] and stated[owner] != stated[file]:
            raise StackError(
                f"{shown(file)} states the UUID by which the set's metadata calls {shown(owner)}, and "
                f"{shown(owner)} another one, so files of the set have changed their names; give them their "
                "old names, or get the set again"
            )
    if not odd:
        return ()
    verb, they = ("state", "they are") if len(odd) > 1 else ("states", "it is")
    return (
        f"{listed(file.name for file in odd)} {verb} another UUID than the set's metadata; {they} read for "
        "the name, and may belong to another image.",
    )


def _stated_uuid(file: Place, opener: Opener) -> str:
    """Return the UUID of the OME-XML in a file, "" where it states none."""
    with reading(file), opener.open_tiff(file, ome=False) as tif:
        tag = tif.pages.first.tags.get(_DESCRIPTION)
        if tag is None:
            return ""
        tif.filehandle.seek(tag.valueoffset)
        return own_uuid(tif.filehandle.read(min(tag.count, _HEAD)).decode("utf-8", errors="replace"))
