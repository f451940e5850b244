"""View: four failures that were written down, and the exercises on links."""

from __future__ import annotations

from collections.abc import Mapping

from ngff_practical.course.answers import text, texts
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.links import viewer_link, which_open
from ngff_practical.course.exercises.records import CAUSES, Recorded


def _diagnosis(
    record: Recorded, story: str, why: str, hints: tuple[str, str], said: Mapping[str, str]
) -> Problem:
    rows = "\n".join(f"| {fact} | {value} |" for fact, value in record.facts.items())
    causes = "; ".join(f'`"{cause}"`: {meaning}' for cause, meaning in CAUSES.items())
    return Problem(
        task=f"{story} What was written down:\n\n| | |\n|---|---|\n{rows}\n\nWhich is the cause? {causes}.",
        wants=f"one of {', '.join(CAUSES)}",
        right=lambda answer: _named(answer) == record.cause,
        solution=f'answer = "{record.cause}"',
        why=why,
        hints=hints,
        mistakes=(
            *(_taken_for(cause, message) for cause, message in said.items()),
            Mistake(
                ["cors", "path"],
                "One cause is asked for: which of them explains every line?",
                made=lambda answer: len(texts(answer) or ()) > 1,
            ),
        ),
        given={"record": record.facts},
    )


def _named(answer: object) -> str:
    """Return the cause that an answer names, by its word or by its meaning; capitals do not count."""
    said = (text(answer) or "").casefold()
    return next((cause for cause, meaning in CAUSES.items() if said == meaning.casefold()), said)


def _taken_for(cause: str, message: str) -> Mistake:
    return Mistake(cause, message, made=lambda answer: _named(answer) == cause)


@exercise("failure-1", "The first failure: it works in Python")
def failure_1(seat: Seat) -> Problem:
    """Ask why a browser shows nothing of what Python reads."""
    image = f"embryo-{seat.random.randrange(10, 100)}.zarr"
    return _diagnosis(
        Recorded("https", f"{image}/zarr.json", allowed=None),
        f"Python opens **{image}** from everywhere, without keys. The viewer says only: network error.",
        "The bytes came, and the browser kept them from the page. Python asks no such permission, so it "
        "works.",
        (
            "The answer arrived, with the right status. What does a browser look for before a page may "
            "read it?",
            "Compare the line `Access-Control-Allow-Origin` with the table of conditions above.",
        ),
        {
            "access": "The status is 206: a stranger asked without keys, and was answered.",
            "path": "The status is 206, and bytes came. So something is stored there.",
            "range": "64 bytes were asked for, and 64 came. Parts can be had.",
            "https": "Both addresses begin with https.",
        },
    )


@exercise("failure-2", "The second failure: yesterday's link")
def failure_2(seat: Seat) -> Problem:
    """Ask why a link that was sent around opens nothing."""
    number = seat.random.randrange(10, 100)
    return _diagnosis(
        Recorded("https", f"embryo_{number}.zarr/zarr.json", status=404, nbytes=0),
        f"The image was uploaded as `embryo-{number}.zarr`. The link was typed by hand.",
        f"404: nothing is stored as `embryo_{number}.zarr`. Keys are compared letter by letter.",
        (
            "The server understood the request and allowed it. What did it not have?",
            "Compare the key that was asked for with the name of the image, letter by letter.",
        ),
        {
            "access": "That would be 403. A few servers say 403 for what is not there; this one says 404.",
            "cors": "The line `Access-Control-Allow-Origin` is there: the page could read the answer, a 404.",
            "range": "No bytes came at all, not too many.",
        },
    )


@exercise("failure-3", "The third failure: never asked")
def failure_3(seat: Seat) -> Problem:
    """Ask why a browser did not even send the request."""
    image = f"embryo-{seat.random.randrange(10, 100)}.zarr"
    return _diagnosis(
        Recorded("http", f"{image}/zarr.json", status=None, allowed=None, nbytes=0),
        f"A server in the institute holds **{image}**. Its log shows no request of the viewer, not even "
        f"a refused one.",
        "A page that came over https may not read over http, so the browser does not ask. The server "
        "needs https.",
        (
            "The server's settings cannot be the cause: it was never asked. What did the browser know "
            "before?",
            "Compare the first two lines.",
        ),
        {
            "cors": "The line is missing because no answer came. The server's log has no request to answer.",
            "access": "Nobody was refused: the log has no request.",
            "path": "Nothing was looked for, so nothing could be missing.",
        },
    )


@exercise("failure-4", "The fourth failure: too much of a good thing")
def failure_4(seat: Seat) -> Problem:
    """Ask why a sharded image does not open where an unsharded one does."""
    size = seat.random.randrange(200, 900) * 100_000
    return _diagnosis(
        Recorded("https", "embryo.zarr/0/c/0/0/0", status=200, asked=1028, nbytes=size),
        "On a simple web server images without shards open. This one, with shards, does not.",
        f"1,028 bytes were asked for, and {size:,} came: the server ignores `Range`. A shard is read in "
        f"parts only.",
        (
            "The status is a success. Is it the one that was hoped for?",
            "How many bytes were asked for, how many came?",
        ),
        {
            "cors": "The line `Access-Control-Allow-Origin` is there, and `*` means every page.",
            "path": "Something came, and plenty of it.",
            "access": "The status is 200: a stranger may read it.",
        },
    )


EXERCISES: tuple[Exercise, ...] = (failure_1, failure_2, failure_3, failure_4, viewer_link, which_open)
