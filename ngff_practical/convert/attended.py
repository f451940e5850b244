"""A conversion over a network that may fall silent: whoever waits for it can leave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from ngff_practical.model import Location, Place
from ngff_practical.storage.crew import Crew

type Heed = Callable[[], object]
"""Called between steps: raises once nobody waits for the conversion any more."""


_LISTEN_S = 0.2
_left: dict[Place, threading.Event] = {}  # set at the end of the work that nobody waits for any more


def attended[R](work: Callable[[Heed], R], final: Place, places: Iterable[Place]) -> R:
    """Return what `work` returns; it works in another thread where a place is not on this computer.

    A request over a dead line ends when its library gives up, and nothing can end it before. So nobody waits
    for it who is told to stop (Ctrl-C, or the event of `stoppable`): KeyboardInterrupt is raised within
    seconds, and the work ends at its next step. Until then it holds its place, `final`: what is to be written
    there next in this process begins after it, and another process is refused.
    """
    if not any(isinstance(place, Location) for place in places):
        return work(_unheeding)
    begun, ended, before = threading.Event(), threading.Event(), _left.get(final)

    def follow() -> R:
        begun.set()
        try:
            while before and not before.wait(_LISTEN_S):
                crew.pause(0)
            return work(lambda: crew.pause(0))
        finally:
            ended.set()

    with Crew(workers=1) as crew:
        try:
            return crew.do(follow)
        except KeyboardInterrupt:
            if begun.is_set() and (before is None or before.is_set()):
                _left[final] = ended
            raise


def _unheeding() -> None:
    """Go on: what is on this computer answers, and leaving it would leave half of it to be cleared away."""
