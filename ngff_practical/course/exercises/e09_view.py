"""View: four failures that were written down, a link that survives odd names, and addresses that open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ngff_practical.course.answers import equals, shown, text, texts
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.sharing import ViewerLink, viewer_links, web_address

CAUSES = {
    "https": "a page on https may not ask an address on http",
    "access": "strangers may not read it",
    "path": "there is nothing under this key",
    "cors": "the server does not let pages of others read its answer",
    "range": "the server cannot send a part of an object",
}
_OWN = "the viewer's own origin"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a viewer asked and was answered; no `status` where the browser did not let it ask."""

    scheme: str
    key: str
    status: int | None = 206
    allowed: str | None = "*"
    asked: int = 64
    nbytes: int = 64

    @property
    def cause(self) -> str | None:
        """Why the viewer shows nothing: one of `CAUSES`, None where it opens."""
        if self.scheme == "http":
            return "https"
        if self.status in (403, 404):
            return "access" if self.status == 403 else "path"
        if self.allowed is None:
            return "cors"
        return "range" if self.status == 200 else None

    @property
    def facts(self) -> dict[str, str]:
        """The lines of the record."""
        answered = {None: "none: the browser did not send the request", 206: "206 Partial Content"}
        plain = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found"}
        return {
            "page of the viewer": "https",
            "address of the image": self.scheme,
            "asked": f"GET {self.key}, {self.asked:,} bytes of it",
            "status": (answered | plain)[self.status],
            "Access-Control-Allow-Origin": self.allowed or "not there",
            "bytes that came": f"{self.nbytes:,}",
        }


def _diagnosis(
    record: Recorded, story: str, why: str, hints: tuple[str, str], said: Mapping[str, str]
) -> Problem:
    rows = "\n".join(f"| {fact} | {value} |" for fact, value in record.facts.items())
    causes = "; ".join(f'`"{cause}"`: {meaning}' for cause, meaning in CAUSES.items())
    return Problem(
        task=f"{story} What was written down:\n\n| | |\n|---|---|\n{rows}\n\nWhich is the cause? {causes}.",
        wants=f"one of {', '.join(CAUSES)}",
        right=equals(record.cause),
        solution=f'answer = "{record.cause}"',
        why=why,
        hints=hints,
        mistakes=tuple(Mistake(cause, message) for cause, message in said.items()),
        given={"record": record.facts},
    )


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


@exercise("viewer-link", "A link that opens")
def viewer_link(seat: Seat) -> Problem:
    """Ask for a link to an image whose name has characters that mean something else in an address."""
    place = seat.s3().location(
        "practical", f"ada/embryo #{seat.random.randrange(2, 30)}.zarr", anonymous=True
    )
    address = web_address(place)
    known = {link.url for link in viewer_links(place) if link.url}
    page = next(url for url in known if "?source=" in url).partition("?")[0]

    def link(answer: object) -> str:
        if isinstance(answer, ViewerLink):
            return answer.url or ""
        return text(answer) or ""

    def opens(answer: object) -> bool:
        found = urlsplit(link(answer)[:2000])
        return link(answer) in known or (
            bool(found.netloc) and parse_qs(found.query).get("source") == [address]
        )

    return Problem(
        task=f'Your image lies at `{place.url}` (`task.given["place"]`). Make a link that opens it in a '
        f"viewer "
        "of your choice. Mind the blank and the `#`.",
        wants="a link, as text",
        right=opens,
        solution=(
            "from ngff_practical.sharing import viewer_links\n\n"
            'answer = viewer_links(task.given["place"])[0].url'
        ),
        why="The viewer gets the very address: blank and `#` are written as `%20` and `%23`, and "
        "encoded once more.",
        hints=(
            "A viewer's link is its page, a question mark, `source=` and the address of the image.",
            "`viewer_links(place)` writes them all; take one, and its `url`.",
        ),
        mistakes=(
            Mistake(address, "This is the address of the image. The page of the viewer belongs before it."),
            Mistake(
                f"{page}?source=s3://{place.bucket}/{place.key}",
                "A web page knows no `s3://`: that leaves out which server it is. It needs the address "
                "with http.",
                made=lambda answer: "s3://" in link(answer),
            ),
            Mistake(
                f"{page}?source={place.url}",
                "A browser takes everything after `#` for a place in the page: the viewer sees half a name.",
                made=lambda answer: "?source=" in link(answer) and "#" in link(answer),
            ),
        ),
        given={"place": place},
        otherwise=lambda answer: (
            f"`answer` is {shown(answer)}. Looked for: a viewer's page that gets `{address}` as its source."
        ),
    )


@exercise("which-open", "Which of these open?")
def which_open(seat: Seat) -> Problem:
    """Ask which of five addresses a web viewer can read."""
    records = [
        Recorded("https", "zarr.json"),
        Recorded("https", "zarr.json", allowed=_OWN),
        Recorded("https", "zarr.json", allowed=None),
        Recorded("https", "zarr.json", status=403, nbytes=0),
        Recorded("http", "zarr.json"),
    ]
    seat.random.shuffle(records)
    rows = dict(zip("ABCDE", records, strict=True))
    right = {letter for letter, record in rows.items() if record.cause is None}
    table = "\n".join(
        f"| {letter} | {each.scheme} | {each.facts['status']} | {each.allowed or 'not there'} |"
        for letter, each in rows.items()
    )

    def letters(answer: object) -> set[str]:
        row = texts(answer)
        said = "".join(row) if row is not None else (text(answer) or "")
        return {letter for letter in said[:40].upper() if letter.isalpha()}

    def picked(answer: object, cause: str) -> str:
        return "".join(
            letter for letter in sorted(letters(answer)) if letter in rows and rows[letter].cause == cause
        )

    def with_wrong(cause: str) -> str:
        return "".join(sorted(right | {letter for letter, record in rows.items() if record.cause == cause}))

    said = {
        "access": "strangers are refused there. That you can open it with your keys does not help the page.",
        "https": "the page of the viewer is on https. May it ask an address on http?",
        "cors": "an answer comes, and the browser keeps it from the page. Which line is missing?",
    }

    def named(cause: str, words: str) -> Mistake:
        return Mistake(
            with_wrong(cause),
            lambda answer: f"{picked(answer, cause)}: {words}",
            made=lambda answer: bool(picked(answer, cause)),
        )

    return Problem(
        task="Five addresses, each asked by a viewer on an https page for the first bytes of its "
        "`zarr.json`, without "
        "keys.\n\n| | address | status | Access-Control-Allow-Origin |\n|---|---|---|---|\n"
        f"{table}\n\nWhich of them open?",
        wants='letters, such as "AB"',
        right=lambda answer: letters(answer) == right,
        solution=f'answer = "{"".join(sorted(right))}"',
        why="Everybody may read them, over https, and the server lets this page see the answer: it is "
        "asked for `*` or "
        "for the page's own origin, no more.",
        hints=(
            "Three columns, three conditions. One of them failing is enough.",
            "`*` lets every page read; an origin lets one. Which page is asking here?",
        ),
        mistakes=(
            *(named(cause, words) for cause, words in said.items()),
            Mistake(
                lambda: next(letter for letter in sorted(right) if rows[letter].allowed == "*"),
                "What you named opens, and it is not all. Whom does the server let read, besides everybody?",
                made=lambda answer: bool(letters(answer)) and letters(answer) < right,
            ),
        ),
    )


EXERCISES: tuple[Exercise, ...] = (failure_1, failure_2, failure_3, failure_4, viewer_link, which_open)
