"""Exercises on addresses and links: a link that survives odd names, and addresses that open."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from ngff_practical.course.answers import shown, text, texts
from ngff_practical.course.exercise import Mistake, Problem, Seat, exercise
from ngff_practical.course.exercises.records import OWN, Recorded
from ngff_practical.sharing import ViewerLink, viewer_links, web_address


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
            Mistake(
                address,
                "This is the address of the image. The page of the viewer belongs before it.",
                made=lambda answer: link(answer) in (address, place.url),
            ),
            Mistake(
                lambda: str(next(each for each in viewer_links(place) if each.url)),
                "That is the printed line, with the viewer's name in front. The link begins at `http`.",
                made=lambda answer: link(answer) not in known and any(url in link(answer) for url in known),
            ),
            Mistake(
                lambda: viewer_links(place),
                "These are all of them. Take one, and put its `url` into `answer`.",
                made=lambda answer: isinstance(answer, tuple | list) and len(answer) > 1,
            ),
            Mistake(
                lambda: next(each for each in viewer_links(place) if not each.url),
                "That viewer is a program: it is started with a command. Take one that has a `url`.",
                made=lambda answer: isinstance(answer, ViewerLink) and not answer.url,
            ),
            Mistake(
                f"{page}?source={address}",
                "Nearly. The page decodes what it gets once, and then has a bare `#` again: encode the "
                "address as a whole, with `quote(address, safe='')`.",
                made=lambda answer: f"?source={address}" in link(answer),
            ),
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
        Recorded("https", "zarr.json", allowed=OWN),
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
        said = " ".join(row) if row is not None else (text(answer) or "")
        apart = re.findall(r"\b[A-Z]\b", said[:80].upper())
        return set(apart) or {letter for letter in said[:40].upper() if letter.isalpha()}

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
