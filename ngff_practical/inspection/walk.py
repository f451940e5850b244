"""One validation from its root down: what it is asked to look at, how far it is, and what it left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from ngff_practical.inspection.tree import Tree

DECODED_ANYWAY = 8 * 2**20
"""Bytes of chunks that are decoded without being asked for, so that small images are always read whole."""


@dataclass(slots=True)
class Walk:
    """One validation: the tree, whether every chunk is decoded, how far it is, and what was not looked at."""

    tree: Tree
    data: bool = False
    version: str | None = None  # of the root
    on_chunk: Callable[[int, int], None] | None = None  # decoded, and found so far
    notes: list[str] = field(default_factory=list)
    _left: int = field(default_factory=lambda: DECODED_ANYWAY)
    _done: int = 0
    _found: int = 0
    _lock: Lock = field(default_factory=Lock)

    def decodes(self, nbytes: int) -> bool:
        """Return True where so many bytes of chunks are to be decoded now."""
        if self.data or not self.tree.local:
            return self.data
        with self._lock:
            self._left -= nbytes
            return self._left >= 0

    def found(self, chunks: int) -> None:
        """Count chunks that are going to be decoded."""
        with self._lock:
            self._found += chunks

    def decoded(self) -> None:
        """Count one chunk that was decoded, and say so."""
        with self._lock:
            self._done += 1
            if self.on_chunk:
                self.on_chunk(self._done, self._found)

    def note(self, sentence: str) -> None:
        """Remember what was not looked at; said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
