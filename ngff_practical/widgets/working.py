"""Work in a thread of its own, with progress that can be watched and an end that can be asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ngff_practical.errors import NgffPracticalError
from ngff_practical.meter import duration_text
from ngff_practical.storage.crew import stoppable
from ngff_practical.widgets.surprises import unexpected

type State = Literal["ready", "working", "stopping", "stopped", "failed", "done"]

_MOST_WAITED_S = 60.0
_SOONEST_S = 1.0  # before that, how long the rest takes is a guess from a step or two


class StoppedError(NgffPracticalError):
    """A person stopped the work; what was done is kept, and is not done again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far work is: `began` steps were done before this run, `seconds` is how long it has run."""

    done: int
    total: int
    began: int
    seconds: float

    @property
    def share(self) -> float:
        """What part of the work is done, 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def through(self) -> bool:
        """Whether every step is done."""
        return 0 < self.total <= self.done

    @property
    def rate(self) -> float:
        """Steps in a second, of this run."""
        return (self.done - self.began) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at this rate; None where nobody can say yet."""
        told = self.rate > 0 and self.seconds >= _SOONEST_S and not self.through
        return (self.total - self.done) / self.rate if told else None

    def sentence(self, noun: str) -> str:
        """Return how far it is, how fast, and how long the rest takes."""
        words = f"{self.done:,} of {self.total:,} {noun}s"
        if self.seconds_left is None:
            return words
        return f"{words}, {self.rate:,.1f} in a second, about {duration_text(self.seconds_left * 1000)} left"


class Job:
    """A function that runs in a thread; `on_step` goes to it, and ends it at its next step when asked to.

    Where it waits for a network that has gone, it is ended without a step.
    """

    def __init__(
        self, work: Callable[[Callable[[int, int], None]], str], changed: Callable[[], None]
    ) -> None:
        self._work, self._changed = work, changed
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._began: int | None = None
        self._started = time.monotonic()
        self.state: State = "working"
        self.progress = Progress(0, 0, 0, 0.0)
        self.said = ""
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end at its next step."""
        if self.state == "working":
            self.state = "stopping"
            self._stop.set()
            self._changed()

    def wait(self, seconds: float = _MOST_WAITED_S) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with stoppable(self._stop):
                said = self._work(self._step)
        except (StoppedError, KeyboardInterrupt):
            self._end("stopped", "")
        except NgffPracticalError as error:
            stopped = self._stop.is_set()
            self._end("stopped" if stopped else "failed", "" if stopped else str(error))
        except BaseException as error:  # else the panel would say for ever that it works
            self._end("failed", unexpected(error))
            raise
        else:
            self._end("done", said)

    def _step(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise StoppedError("stopped by the person at the keyboard")
        with self._lock:
            if self._began is None:
                self._began = max(done - 1, 0)
            self.progress = Progress(done, total, self._began, time.monotonic() - self._started)
        self._changed()

    def _end(self, state: State, said: str) -> None:
        self.state, self.said = state, said
        self._changed()
