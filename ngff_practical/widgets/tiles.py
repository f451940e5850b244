"""Tiles in the background: the newest wish replaces the last, chunks are read once, memory is bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ngff_practical.widgets.pixels import Voxels

AT_ONCE = 8
MOST_BYTES = 256 * 2**20


class Wishes[Item: Hashable]:
    """Work on the items of the newest wish; what an older one still waits for is dropped.

    `work` is called in threads, `AT_ONCE` at a time. What is under way is finished, and not begun again if
    the new wish holds it, too.
    """

    def __init__(self, work: Callable[[Item], None], *, at_once: int = AT_ONCE) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="tiles")
        self._lock = threading.Lock()
        self._waiting: list[Item] = []
        self._busy: set[Item] = set()
        self._wanted: set[Item] = set()
        self._done: Callable[[], None] | None = None

    def replace(self, items: Sequence[Item], done: Callable[[], None]) -> None:
        """Work on these items instead; `done` is called once after the last of them, or when replaced."""
        with self._lock:
            previous, self._done = self._done, done
            self._waiting = [item for item in items if item not in self._busy]
            self._wanted = set(items)
            starts = len(self._waiting)
        if previous is not None:
            previous()
        for _ in range(starts):
            self._pool.submit(self._one)
        self._settle()

    def _one(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            item = self._waiting.pop(0)
            self._busy.add(item)
        try:
            self._work(item)
        finally:
            with self._lock:
                self._busy.discard(item)
                self._wanted.discard(item)
            self._settle()

    def _settle(self) -> None:
        with self._lock:
            if self._wanted:
                return
            done, self._done = self._done, None
        if done is not None:
            done()


class Blocks[Key: Hashable]:
    """Blocks of voxels that were read, the oldest forgotten beyond `most` bytes.

    A block that two threads want at the same time is read once.
    """

    def __init__(self, read: Callable[[Key], Voxels], *, most: int = MOST_BYTES) -> None:
        self._read = read
        self._most = most
        self._kept: OrderedDict[Key, Future[Voxels]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> Voxels:
        """Return a block, read where it is not kept."""
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
            else:
                mine: Future[Voxels] = Future()
                self._kept[key] = mine
        if known is not None:
            return known.result()
        try:
            block = self._read(key)
        except BaseException as error:
            with self._lock:
                del self._kept[key]
            mine.set_exception(error)
            raise
        mine.set_result(block)
        with self._lock:
            self._nbytes += block.nbytes
            while self._nbytes > self._most and len(self._kept) > 1:
                oldest = next((one for one, made in self._kept.items() if made.done()), None)
                if oldest is None or oldest == key:
                    break
                self._nbytes -= self._kept.pop(oldest).result().nbytes
        return block

    @property
    def nbytes(self) -> int:
        """Bytes kept now."""
        return self._nbytes
