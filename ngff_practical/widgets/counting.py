"""Numbers with their nouns, as in "1 key" and "1,000 keys"."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural where it needs one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
