"""How long a load of objects takes over a line: waiting for answers, and moving bytes."""

from __future__ import annotations

from dataclasses import dataclass

from ngff_practical.meter import bytes_text, duration_text
from ngff_practical.widgets.counting import counted


@dataclass(frozen=True, slots=True)
class Line:
    """A way from a server: how long an answer lets wait, and how much it carries."""

    name: str
    latency_ms: float
    mbit_per_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is fetched: objects, their bytes in all, and how many are asked for at once."""

    objects: int
    nbytes: int
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What a load costs over a line, in two parts that add up."""

    waiting_s: float
    moving_s: float

    @property
    def seconds(self) -> float:
        """Return the whole time."""
        return self.waiting_s + self.moving_s


# The first two are the orders of magnitude of a talk of 2021, the other two round numbers for the internet.
LINES = (
    Line("a disk", 0.01, 1_000),
    Line("object storage, from beside it", 1, 1_000_000),
    Line("the same country", 20, 100),
    Line("another continent", 150, 100),
)
YOURS = "yours"


def cost(load: Load, line: Line) -> Cost:
    """Return what a load costs: every object waits once, `at_once` of them together."""
    together = max(1, min(load.at_once, load.objects))
    return Cost(load.objects * line.latency_ms / 1000 / together, load.nbytes * 8 / (line.mbit_per_s * 1e6))


def told(line: Line) -> str:
    """Return a line as it is called in a table."""
    rate = line.mbit_per_s
    carries = f"{rate:g} Mbit/s" if rate < 1000 else f"{rate / 1000:g} Gbit/s"
    return f"{line.name} ({line.latency_ms:g} ms, {carries if rate < 1e6 else f'{rate / 1e6:g} Tbit/s'})"


def seconds_text(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 120:
        return duration_text(seconds * 1000) if seconds >= 0.01 else f"{seconds * 1000:.2g} ms"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def sentence(load: Load, lines: tuple[Line, ...]) -> str:
    """Return what a load costs over each line, in words."""
    together = "one after the other" if load.at_once == 1 else f"{load.at_once} at a time"
    costs = [(line.name, cost(load, line)) for line in lines]
    parts = [
        f"{name}: {seconds_text(each.seconds)}, {each.waiting_s / each.seconds:.0%} of it waiting"
        for name, each in costs
    ]
    return f"{counted(load.objects, 'object')}, {bytes_text(load.nbytes)}, {together}. {'; '.join(parts)}."
