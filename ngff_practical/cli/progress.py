"""A progress bar on stderr, where a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a callback (done, total) that draws a bar, after half a second, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return

    from tqdm import tqdm

    with tqdm(unit=unit, leave=False, delay=0.5) as meter:

        def update(done: int, total: int) -> None:
            meter.total = total
            meter.update(done - meter.n)

        yield update
