"""A progress bar on stderr, where a person is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Give a callback (done, total) that draws a bar; silent where stderr is not a terminal."""
    with tqdm(unit=unit, disable=None, leave=False) as meter:

        def update(done: int, total: int) -> None:
            meter.total = total
            meter.update(done - meter.n)

        yield update
