"""Trying again what fails in passing: with growing, uneven pauses, and not for ever."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from obstore.exceptions import BaseError

from ngff_practical.errors import NgffPracticalError
from ngff_practical.storage.explain import BUSY_KEY, diagnose

PATIENCE_S = 60.0  # how long one request may be waited for, pauses together
_STRANGER_S = 4.0  # the same for a server that has never answered: its address may well be wrong
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_PASSING_TROUBLE = ("refused", "timeout", "broken", "unknown host")
_NOBODY_THERE = ("refused", "timeout", "unknown host")
_PASSING_STATUS = (408, 429, 500, 502, 503, 504)
_BUSY = (429, 503)
_LISTS = 2  # how often a list that cannot be read is asked for again: cut short, or none of S3's
DAMAGED = ("BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "RequestTimeout")


class ShortError(OSError):
    """A well-formed answer that holds other than the bytes asked for."""


@dataclass(slots=True)
class Patience:
    """How failures are borne: `pause` waits so many seconds or raises, `ease` hears of a busy server.

    Trouble that passes is tried again for up to a minute: no network, broken connections, timeouts, 429, 500,
    503, and bytes that the server says have been altered on their way. Refusals (403, 404, 412) are not.
    Where nobody is there and the server was not `met` yet, it is waited for a few seconds only; its first
    answer makes it so.
    """

    pause: Callable[[float], object] = time.sleep
    ease: Callable[[], object] | None = None
    met: bool = True

    def run[T](
        self,
        attempt: Callable[[], T],
        failures: tuple[type[Exception], ...] = (BaseError, OSError),
    ) -> T:
        """Return what `attempt` returns, once it does; `failures` are what it may raise in passing."""
        waited = 0.0
        for number in itertools.count():
            try:
                done = attempt()
                self.met = True
                return done
            except failures as error:
                wait = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**number)
                wait *= random.uniform(0.5, 1)  # noqa: S311 - so that many clients do not come back at once
                passes = self._passes(error, number)
                strange = not self.met and diagnose(error).trouble in _NOBODY_THERE
                if not passes or waited + wait > (_STRANGER_S if strange else PATIENCE_S):
                    raise
            waited += wait
            self.pause(wait)
        raise AssertionError("unreachable")

    def _passes(self, error: Exception, number: int) -> bool:
        if isinstance(error, ShortError | NgffPracticalError):
            return isinstance(error, ShortError)
        failure = diagnose(error)
        self.met = self.met or failure.status is not None
        if failure.status in _BUSY and self.ease:
            self.ease()
        return (
            failure.trouble in _PASSING_TROUBLE
            or (failure.trouble == "no list" and number < _LISTS)
            or failure.status in _PASSING_STATUS
            or failure.code in (*DAMAGED, *BUSY_KEY)
        )
