"""From axes as stored (any order, some unstated) to OME-Zarr's order t, c, z, y, x."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ngff_practical.errors import StackError
from ngff_practical.model import Shape
from ngff_practical.stack.faults import by, clean
from ngff_practical.stack.lengths import has_lengths, split_pages
from ngff_practical.stack.typed import typed

ORDER = "tczyx"
_MEANING = {"T": "t", "C": "c", "Z": "z", "S": "c", "Y": "y", "X": "x"}
SPOKEN = {"z": "a z-stack", "t": "a time series", "c": "channels"}


@dataclass(frozen=True, slots=True)
class Layout:
    """An image's axes in OME-Zarr's order; `planes[i]` is the stored number of its i-th (y, x) plane."""

    names: str
    shape: Shape
    planes: tuple[int, ...]


def lay_out(stored: str, shape: Shape, asked: str | None, *, what: str) -> Layout:
    """Return the order in which stored planes make an image, or raise StackError where the axes are in doubt.

    `stored` holds tifffile's letters (S samples, Q and I unstated), every axis of length 1 included; the
    planes are stored in C order over the axes other than Y and X. `asked` is what somebody typed; lengths
    in it cut a row of pages.
    """
    if asked is not None and has_lengths(asked):
        stored, shape, asked = split_pages(stored, shape, asked, what)
    if asked is None:
        letters = _stated(stored, shape, what)
    else:
        letters = _matched(stored, shape, _checked(asked), what)
    lead = [
        (letter, size) for code, letter, size in zip(stored, letters, shape, strict=True) if code not in "YX"
    ]
    grid = np.arange(math.prod(size for _, size in lead)).reshape([size for _, size in lead])
    kept = [index for name in "tcz" for index, (letter, _) in enumerate(lead) if letter == name]
    dropped = [index for index, (letter, _) in enumerate(lead) if not letter]
    ordered = grid.transpose(dropped + kept).ravel()
    sizes = {name: math.prod(size for letter, size in lead if letter == name) for name in "tcz"}
    sizes |= {code.lower(): size for code, size in zip(stored, shape, strict=True) if code in "YX"}
    present = {letter for letter, _ in lead} | {"y", "x"}
    names = "".join(name for name in ORDER if name in present)
    return Layout(names, tuple(sizes[name] for name in names), tuple(ordered.tolist()))


def _checked(asked: str) -> str:
    """Return typed axes in lower case, or raise StackError where they are none."""
    axes = asked.strip().replace(",", "").lower()
    if not axes or set(axes) - set(ORDER) or len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes):
        raise StackError(
            f"axes {clean(asked)!r} are none: use each of the letters t, c, z, y, x at most once, y and x "
            "always, in the order of the stored dimensions, as in zyx, tyx or tczyx"
        )
    return axes


def _stated(stored: str, shape: Shape, what: str) -> list[str]:
    """Return a letter per stored axis ("" for length 1), or say what to type where the file does not."""
    letters = [
        _MEANING.get(code, "?") if size > 1 or code in "YX" else ""
        for code, size in zip(stored, shape, strict=True)
    ]
    repeated = [letter for letter in "tz" if letters.count(letter) > 1]
    if "?" not in letters and not repeated and letters.count("c") <= 1 + ("S" in stored):
        return letters
    kept = [(letter, size) for letter, size in zip(letters, shape, strict=True) if letter]
    called = _called(stored, shape)
    raise StackError(
        f"{what} holds {by(size for _, size in kept)} values{called}, and nothing in it says which axes "
        "these are; " + _suggestion([letter for letter, _ in kept], [size for _, size in kept])
    )


def _called(stored: str, shape: Shape) -> str:
    """Return tifffile's letters where they say more than that nothing is known: P is a position, R a tile."""
    kept = "".join(code for code, size in zip(stored, shape, strict=True) if size > 1 or code in "YX")
    return "" if set(kept) <= set("TCZSYXQI") else f" (stored as {clean(kept)})"


def _suggestion(letters: list[str], sizes: list[int]) -> str:
    """Return what to type, with the unstated axes filled in as they are likeliest to be."""
    seen: set[str] = set()
    unstated: list[int] = []
    for index, letter in enumerate(letters):
        if letter == "?" or letter in seen:
            unstated.append(index)
        else:
            seen.add(letter)
    free = [name for name in "zct" if name not in letters]
    if len(unstated) > len(free):
        return "more axes than t, c, z, y and x cannot be stored as one image: split it first"
    if len(unstated) == 1:
        at = unstated[0]
        options = [[*letters[:at], name, *letters[at + 1 :]] for name in free]
        spoken = [
            f"{typed(axes=''.join(letters_of))} for {SPOKEN[name]}"
            for letters_of, name in zip(options, free, strict=True)
        ]
        return "say it: " + ", ".join(spoken) + _interleaved(letters, sizes[at], free)
    guess = list(letters)
    rest = list(unstated)
    if "c" in free and len(rest) > 1:
        smallest = min(rest, key=lambda index: sizes[index])
        guess[smallest] = "c"
        rest.remove(smallest)
    for index, name in zip(reversed(rest), [name for name in "zt" if name in free], strict=False):
        guess[index] = name
    return f"say it in this order, for example {typed(axes=''.join(guess))}"


def _interleaved(letters: list[str], pages: int, free: list[str]) -> str:
    """Return how to say that pages of two axes follow each other, "" where their number cannot be cut."""
    inner = next((number for number in range(2, math.isqrt(pages) + 1) if pages % number == 0), 0)
    if not inner or len(free) < 2 or letters[0] != "?":
        return ""
    outer = next(name for name in "zt" if name in free)
    second = next(name for name in "czt" if name in free and name != outer)
    axes = f"{outer}{second}{inner}{''.join(letters[1:])}"
    each = {"c": "channels", "z": "planes", "t": "time points"}[second]
    return f", or with a length for pages that hold more, {typed(axes=axes)} for {inner} {each} at a time"


def _matched(stored: str, shape: Shape, asked: str, what: str) -> list[str]:
    """Return the typed letter of every stored axis ("" for those left out), or raise StackError.

    Axes of length 1 may be left out, and samples too: those are channels. Where typed letters fit in several
    ways, they go to the axes that the file calls the same.
    """
    every = range(len(stored))
    long = [index for index in every if shape[index] > 1 or stored[index] in "YX"]
    singles = [index for index in every if index not in long]
    best: tuple[int, list[str]] | None = None
    for base in (long, [index for index in long if stored[index] != "S"]):
        for more in itertools.combinations(singles, max(0, len(asked) - len(base))):
            positions = sorted([*base, *more])
            if len(positions) != len(asked):
                continue
            letters = ["c" if stored[index] == "S" and shape[index] > 1 else "" for index in every]
            for index, letter in zip(positions, asked, strict=True):
                letters[index] = letter
            if any(
                (stored[index] in "YX" or letters[index] in ("y", "x"))
                and letters[index] != stored[index].lower()
                for index in every
            ):
                continue
            score = sum(_MEANING.get(stored[index]) == letters[index] for index in every)
            if best is None or score > best[0]:
                best = score, letters
    if best is not None:
        return best[1]
    known = "".join(_MEANING.get(stored[index], "?") for index in long)
    hint = ", and a length where pages hold more than one axis, as in zc2yx" if len(asked) > len(long) else ""
    raise StackError(
        f"axes {asked!r} do not fit {what}: it holds {by(shape[index] for index in long)} values, "
        f"{len(long)} axes stored as {known!r}; give one letter for each, in this order{hint}"
    )
