"""Start here: a warm-up that is answered wrong on purpose first."""

from __future__ import annotations

from ngff_practical.course.answers import same
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.errors import StorageError


class OutOfReach:
    """An answer that nobody can look at, as if the server that holds it had gone away."""


@exercise("warm-up", "How long does a download take?")
def warm_up(seat: Seat) -> Problem:
    """Seconds for some megabytes at some megabytes per second: nothing to know, everything to click."""
    speed = seat.random.choice([2, 4, 5, 8])
    seconds = seat.random.randrange(12, 60)
    size = speed * seconds

    def right(answer: object) -> bool:
        if isinstance(answer, OutOfReach):
            raise StorageError("the server that holds this answer does not reply; start it, and check again")
        return same(answer, seconds)

    return Problem(
        task=f"An image of **{size} MB** travels at **{speed} MB per second**. For how many seconds?",
        wants="a number of seconds",
        right=right,
        solution=f"answer = {size} / {speed}",
        why=f"{size} MB / {speed} MB/s = {seconds} s.",
        hints=(
            "Each second brings the same number of megabytes.",
            "Divide the megabytes by the megabytes per second.",
        ),
        mistakes=(
            Mistake(
                size * speed,
                f"`{size * speed}` is megabytes times speed. A quicker line would then take longer.",
            ),
            Mistake(
                speed / size,
                "That is the share of the image that arrives in one second. Turn the fraction over.",
            ),
            Mistake(
                seconds / 60,
                "That is the time in minutes. Seconds were asked for.",
            ),
        ),
        given={"out_of_reach": OutOfReach()},
    )


EXERCISES: tuple[Exercise, ...] = (warm_up,)
