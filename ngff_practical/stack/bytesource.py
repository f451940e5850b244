"""The bytes of a stack's files at given places, for several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path

from ngff_practical.errors import StackError
from ngff_practical.model import Location, Plane, StackSource
from ngff_practical.stack.faults import shown
from ngff_practical.stack.opening import Opener

_MOST_HANDLES = 48
_MOST_GAP = 2**16  # between two wanted pieces of a remote file: less than a request costs


class ByteSource:
    """Reads bytes of a source's files; at most some dozens of them are open at a time."""

    def __init__(self, source: StackSource) -> None:
        pairs = zip(source.files, source.versions, strict=False)
        self.source = source
        self.opener = Opener({file: version for file, version in pairs if isinstance(file, Location)})
        self._lock = threading.Lock()
        self._handles: list[tuple[int, FileIO]] = []

    def close(self) -> None:
        """Close every file; one that is read again is opened again."""
        self.opener.forget()
        with self._lock, ExitStack() as stack:
            for _, handle in self._handles:
                stack.callback(handle.close)
            self._handles.clear()

    def read_into(self, plane: Plane, offset: int, view: memoryview) -> None:
        """Fill a buffer from one place of a file, or raise StackError where the file ends before that."""
        file = self.source.files[plane.file]
        done = 0
        if isinstance(file, Location):
            done = self.opener.remote(file).read_into(offset, view)
        else:
            with self._handle(plane.file, file) as handle:
                handle.seek(offset)
                while done < len(view):
                    count = handle.readinto(view[done:])
                    if not count:
                        break
                    done += count
        if done < len(view):
            raise StackError(
                f"{shown(file)}, page {plane.page + 1}: wanted {len(view)} bytes at {offset}, but only "
                f"{done} are there; the file was cut off: copy or download it again"
            )

    def read_pieces(self, plane: Plane, pieces: list[tuple[int, int]]) -> list[bytes]:
        """Return several pieces (offset, size) of a file; of a remote one, neighbours in one request."""
        together = isinstance(self.source.files[plane.file], Location)
        found: dict[tuple[int, int], bytes] = {}
        run: list[tuple[int, int]] = []
        for piece in sorted(set(pieces)):
            if run and not (together and piece[0] - sum(run[-1]) <= _MOST_GAP):
                self._read_run(plane, run, found)
                run = []
            run.append(piece)
        if run:
            self._read_run(plane, run, found)
        return [found[piece] for piece in pieces]

    def _read_run(
        self, plane: Plane, run: list[tuple[int, int]], found: dict[tuple[int, int], bytes]
    ) -> None:
        start = run[0][0]
        data = bytearray(max(map(sum, run)) - start)
        self.read_into(plane, start, memoryview(data))
        for offset, size in run:
            found[offset, size] = bytes(data[offset - start : offset - start + size])

    @contextmanager
    def _handle(self, file: int, path: Path) -> Iterator[FileIO]:
        """Lend a file handle of which no other thread knows, so that no position is shared."""
        with self._lock:
            at = next((i for i in reversed(range(len(self._handles))) if self._handles[i][0] == file), None)
            handle = None if at is None else self._handles.pop(at)[1]
        if handle is None:
            handle = FileIO(path)
        try:
            yield handle
        except BaseException:
            handle.close()
            raise
        with self._lock:
            self._handles.append((file, handle))
            surplus = self._handles.pop(0)[1] if len(self._handles) > _MOST_HANDLES else None
        if surplus is not None:
            surplus.close()
