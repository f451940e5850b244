"""A conversion over a network that may fall silent: whoever waits for it can leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ngff_practical.model import Location, Place
from ngff_practical.storage.crew import Crew

type Heed = Callable[[], object]
"""Called between steps: raises once nobody waits for the conversion any more."""


def attended[R](work: Callable[[Heed], R], places: Iterable[Place]) -> R:
    """Return what `work` returns; it works in another thread where a place is not on this computer.

    A request over a dead line ends when its library gives up, and nothing can end it before. So nobody waits
    for it who is told to stop (Ctrl-C, or the event of `stoppable`): KeyboardInterrupt is raised within
    seconds, and the work ends at its next step. Until then it holds its place: another conversion to the
    same place is refused.
    """
    if not any(isinstance(place, Location) for place in places):
        return work(_unheeding)
    with Crew(workers=1) as crew:
        return crew.do(lambda: work(lambda: crew.pause(0)))


def _unheeding() -> None:
    """Go on: what is on this computer answers, and leaving it would leave half of it to be cleared away."""
