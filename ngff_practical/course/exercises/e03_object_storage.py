"""Object storage: four parts of an address, the slash trap, latency against bytes, a range of an object."""

from __future__ import annotations

from ngff_practical.course.answers import equals, number, same, shown, text, texts
from ngff_practical.course.exercise import Exercise, Mistake, Problem, Seat, exercise
from ngff_practical.course.near import nearness
from ngff_practical.model import Location
from ngff_practical.samples import SAMPLES
from ngff_practical.storage import filesystem, read_object

TIFF = "idr0062-tiffs/B1_C1_crop.tif"


@exercise("four-parts", "Four parts of an address")
def four_parts(seat: Seat) -> Problem:
    """Ask for endpoint, bucket, key and access of a public image."""
    sample = seat.random.choice([sample for sample in SAMPLES if sample.live and sample.version])
    place = sample.locations[0]
    right = (place.endpoint, place.bucket, place.key, "anonymous")

    def parts(answer: object) -> tuple[str, ...]:
        """Return the four parts as they are compared: a `Location` has them, too."""
        if isinstance(answer, Location):
            return answer.endpoint, answer.bucket, answer.key, "anonymous" if answer.anonymous else "keys"
        row = texts(answer)
        if row is None or isinstance(answer, set) or len(row) != 4:
            return ()
        return row[0].rstrip("/"), row[1], row[2], row[3].casefold()

    def key_ends(answer: object) -> bool:
        row = texts(answer) or ()
        return len(row) == 4 and row[2] == f"{place.key}/"

    def near(answer: object) -> str:
        said = nearness(equals(right), parts(answer) or answer) or "That is not it."
        if (parts(answer) or right)[3] not in ("anonymous", "keys"):
            said += ' Access is one of two words, "anonymous" or "keys".'
        return f"`answer` is {shown(answer)}. {said} Looked for: (endpoint, bucket, key, access)."

    return Problem(
        task=f"This image may be read by everybody, without keys: `{place.url}`. What are its **endpoint**, "
        '**bucket**, **key** and **access**? Access is "anonymous" or "keys".',
        wants="four texts (endpoint, bucket, key, access)",
        right=lambda answer: parts(answer) == right,
        solution=(
            "from urllib.parse import urlsplit\n\n"
            'address = urlsplit(task.given["url"])\n'
            'bucket, key = address.path.lstrip("/").split("/", 1)\n'
            'answer = (f"{address.scheme}://{address.netloc}", bucket, key, "anonymous")'
        ),
        why="Endpoint: the server. Bucket: the first part of the path. Key: all the rest, slashes included.",
        hints=(
            "The endpoint is what comes before the first single slash, with https://.",
            "The bucket is the one word after it. Everything after that is the key, and has no slash "
            "in front.",
        ),
        mistakes=(
            Mistake(
                (place.endpoint.partition("://")[2], *right[1:]),
                "The endpoint says how to talk to the server, too. What does it begin with?",
            ),
            Mistake(
                (right[0], right[1], f"/{place.key}", right[3]),
                "A key does not begin with a slash: that slash only ends the bucket.",
            ),
            Mistake(
                (right[0], right[1], f"{place.bucket}/{place.key}", right[3]),
                "The key here begins with the bucket. Each part of the address stands in one place only.",
            ),
            Mistake((*right[:3], "keys"), "Read the first sentence again: who may read the image?"),
            Mistake(
                (*right[:2], f"{place.key}/", right[3]),
                "With the slash at its end that is a prefix, what the keys below it begin with. Here the key "
                "has none.",
                made=key_ends,
            ),
            Mistake(
                place.url,
                "That is the whole address, in one. Cut it into its parts.",
                made=lambda answer: text(answer) == place.url,
            ),
            Mistake(
                (right[0], right[1], place.key.rsplit("/", 1)[-1], right[3]),
                "The key is more than the last part: on S3 there are no folders that could be left out.",
            ),
        ),
        given={"url": place.url},
        otherwise=near,
    )


@exercise("slash-trap", "What a prefix takes with it")
def slash_trap(seat: Seat) -> Problem:
    """Ask which images a deletion without the last slash would hit."""
    stem = seat.random.choice(["cell", "embryo", "plate", "well"])
    first = seat.random.randrange(1, 4)
    names = [
        f"{stem}{first}",
        f"{stem}{first}0",
        f"{stem}{first}_raw",
        f"{stem}{first + 4}",
        f"my_{stem}{first}",
    ]
    hit = tuple(sorted(name for name in names if name.startswith(f"{stem}{first}")))

    def same_names(answer: object, expected: tuple[str, ...]) -> bool:
        row = texts(answer)
        return row is not None and tuple(sorted(name.strip("/") for name in row)) == tuple(sorted(expected))

    alone = (names[0],)
    return Problem(
        task=f"A bucket holds five images: {', '.join(f'`{name}/`' for name in names)}. A tool deletes "
        f"every key "
        f"that begins with `{stem}{first}`, **without a slash**. Which images lose objects?",
        wants=f'a list of names, such as ["{names[3]}"]',
        right=lambda answer: same_names(answer, hit),
        solution=f'names = {names}\nanswer = [name for name in names if name.startswith("{stem}{first}")]',
        why=f"A prefix is the beginning of a name. `{stem}{first}/` would have meant one image.",
        hints=(
            "Go through the names one by one: does it begin with these letters?",
            "Where in a name the letters stand matters; what follows them does not.",
        ),
        mistakes=(
            Mistake(
                list(alone),
                "That is what the person meant. What does the server do, which knows no folders?",
                made=lambda answer: same_names(answer, alone),
            ),
            Mistake(
                [*hit, names[4]],
                f"`{names[4]}` has the letters in it, but does not begin with them.",
                made=lambda answer: names[4] in (texts(answer) or ()),
            ),
            Mistake(
                [name for name in names if name != names[4]],
                f"`{names[3]}` does not begin with these letters: compare the digit.",
                made=lambda answer: names[3] in (texts(answer) or ()),
            ),
            Mistake(
                list(hit[:2]),
                "These lose objects, and they are not all. Which other name begins with these letters?",
                made=lambda answer: set() < {name.strip("/") for name in texts(answer) or ()} < set(hit),
            ),
        ),
    )


@exercise("many-or-few", "571 objects or 9")
def many_or_few(seat: Seat) -> Problem:
    """Ask how much longer many small objects take, one after the other."""
    latency_ms = seat.random.choice([20, 40, 50, 80])
    megabits = seat.random.choice([8, 16, 40])
    nbytes = 2_000_000
    moving = nbytes * 8 / (megabits * 1e6)
    many, few = (count * latency_ms / 1000 + moving for count in (571, 9))
    return Problem(
        task=f"An image of **2 MB** is stored as **571 objects**, or as **9**. Each request waits "
        f"**{latency_ms} "
        f"ms** for its answer; the line carries **{megabits} Mbit/s**; requests are made one after the "
        f"other. "
        "How many **seconds** does fetching the image take with **571** objects?",
        wants="a number of seconds",
        right=equals(many, within=0.005),
        solution=f"answer = 571 * {latency_ms} / 1000 + 2e6 * 8 / {megabits}e6",
        why=f"Waiting: 571 x {latency_ms} ms. Moving: {moving:.1f} s. With 9 objects it takes {few:.1f} s "
        f"instead of {many:.1f} s: the same bytes.",
        hints=(
            "Time = waiting + moving. Waiting goes with the number of requests, moving with the bytes.",
            "A second has 1000 ms, a byte 8 bits: moving takes 2,000,000 x 8 / (megabits x 1,000,000).",
        ),
        mistakes=(
            Mistake(moving, "That is the time for the bytes. What about waiting for each answer?"),
            Mistake(many - moving, "That is the waiting. The bytes have to travel, too."),
            Mistake(few, "That is the time for 9 objects. Asked for are 571."),
            Mistake(
                571 * latency_ms + moving,
                "Milliseconds and seconds got mixed: a second has 1000 ms.",
                made=lambda answer: (number(answer) or 0) > 571 * latency_ms / 2,
            ),
            Mistake(
                many - moving + moving / 8,
                "Nearly. The line carries megabits, not megabytes: how many bits are in a byte?",
                made=lambda answer: same(answer, many - moving + moving / 8, within=0.001),
            ),
        ),
    )


@exercise("byte-range", "Only the bytes you need")
def byte_range(seat: Seat) -> Problem:
    """Ask for a few bytes of a large object; the server's log shows how many were sent for them."""
    s3 = seat.s3()
    place = s3.location("idr", TIFF, anonymous=True)
    start, count = 8 * seat.random.randrange(100, 1000), seat.random.choice([12, 16, 20])
    content = read_object(place)
    wanted = content[start : start + count]

    def sent() -> int:
        """Return the bytes of the last answer for this object."""
        seen = [request for request in s3.requests() if request.method == "GET" and TIFF in request.key]
        return seen[-1].nbytes if seen else 0

    def fetch_all() -> bytes:
        fs = filesystem(place)
        return bytes(fs.cat_file(f"idr/{TIFF}"))[start : start + count]

    def is_right(answer: object) -> bool:
        return isinstance(answer, bytes) and answer == wanted

    def otherwise(answer: object) -> str:
        if isinstance(answer, bytes):
            return (
                f"`answer` holds {len(answer)} bytes, and not those from byte {start} on ({count} of them)."
            )
        return f"`answer` is {shown(answer)}. Looked for: {count} bytes, as `cat_file` returns them."

    return Problem(
        task=f"Fetch **{count} bytes** of `idr/{TIFF}`, from byte **{start}** on, without keys. The "
        f"object has "
        f"{len(content):,} bytes; the check looks into the server's log for how many of them travelled.",
        wants=f"{count} bytes, as `cat_file` returns them",
        right=lambda answer: is_right(answer) and sent() <= count,
        solution=(
            "import s3fs\n\n"
            'fs = s3fs.S3FileSystem(anon=True, endpoint_url=task.given["endpoint"])\n'
            f'answer = fs.cat_file("idr/{TIFF}", start={start}, end={start + count})'
        ),
        why=f"{count} bytes were asked for, and {count} travelled, of {len(content):,}.",
        hints=(
            "`fs.cat_file` takes `start` and `end`.",
            f"`end` is the first byte that is no longer wanted: {start} + {count}.",
        ),
        mistakes=(
            Mistake(
                fetch_all,
                lambda answer: f"The right bytes. But the log says that {sent():,} bytes travelled for them.",
                made=lambda answer: is_right(answer) and sent() > count,
            ),
            Mistake(
                content[start : start + count - 1],
                "One byte is missing at the end: `end` itself is not fetched.",
                made=lambda answer: isinstance(answer, bytes) and answer == wanted[:-1],
            ),
            Mistake(
                content[:count],
                "These are the first bytes of the object. Where should they begin?",
                made=lambda answer: isinstance(answer, bytes) and answer == content[:count],
            ),
        ),
        given={"endpoint": s3.endpoint},
        otherwise=otherwise,
    )


EXERCISES: tuple[Exercise, ...] = (four_parts, slash_trap, byte_range, many_or_few)
