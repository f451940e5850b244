"""The blank of an exercise: what `answer` holds until the learner has put something there."""

from __future__ import annotations


class Blank:
    """Not attempted yet."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "____"


____ = Blank()
