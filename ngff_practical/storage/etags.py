"""ETags in one spelling: a server, and what is in front of it, may state the same one in several."""

from __future__ import annotations

import re

_SUM = re.compile(r"[0-9A-Fa-f]{32}(?:-\d+)?")


def plain_etag(etag: str | None) -> str | None:
    """Return an ETag without its quotes and without W/, a checksum in lower case; None where it is empty.

    A proxy that compresses makes ETags weak, some servers leave out the quotes, others list none.
    """
    bare = (etag or "").strip().removeprefix("W/").strip('"')
    return (bare.lower() if _SUM.fullmatch(bare) else bare) or None
