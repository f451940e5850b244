"""Bytes and times as people read them: "105.2 kB", "92 ms"."""

from __future__ import annotations


def bytes_text(nbytes: float) -> str:
    """Return an amount of bytes in the unit that fits, in powers of a thousand."""
    if nbytes < 1000:
        return f"{nbytes:.0f} B"
    size, units = nbytes / 1000, ["TB", "GB", "MB", "kB"]
    while size >= 999.95 and len(units) > 1:
        size /= 1000
        units.pop()
    return f"{size:.1f} {units[-1]}"


def duration_text(ms: float) -> str:
    """Return a time in milliseconds, from ten seconds on in seconds."""
    return f"{ms:.0f} ms" if ms < 9_999.5 else f"{ms / 1000:.1f} s"
