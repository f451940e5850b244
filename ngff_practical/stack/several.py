"""Which image is meant where OME-XML describes several: one by its number, all as a stack, or a refusal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ngff_practical.errors import StackError
from ngff_practical.model import Place
from ngff_practical.stack.calibration import calibration_of_ome
from ngff_practical.stack.declared import check_number
from ngff_practical.stack.faults import by, clean, listed, shown
from ngff_practical.stack.layout import SPOKEN
from ngff_practical.stack.lengths import has_lengths
from ngff_practical.stack.ome import OmeImage
from ngff_practical.stack.typed import typed

type Numbered = tuple[int, OmeImage]  # an image with its place in the document

_BESIDE = re.compile(r"(?<![a-z])(?:thumb|preview|(?:macro|label|overview)(?![a-z]))", re.I)


def pick_images(
    images: Sequence[Numbered], held: Sequence[Numbered], number: int | None, axes: str | None, file: Place
) -> list[Numbered]:
    """Return the image that is meant, or all where typed axes make one stack of them; else raise StackError.

    `held` are those of `images` that lie in the file. Previews, and what is much smaller than the first, are
    left out.
    """
    if number is not None:
        check_number(number, len(images), file)
        return [images[number - 1]]
    main, *others = [pair for pair in held if not _is_preview(pair[1])] or held
    every = [main, *(pair for pair in others if not _is_minor(pair[1], main[1]))]
    if len(every) == 1:
        return every
    kinds = {_kind(image) for _, image in every}
    own = "".join(letter for letter in "tczyx" if main[1].sizes[letter.upper()] > 1 or letter in "yx")
    numbers = {id(image): place for place, (_, image) in enumerate(images, 1)}
    more = axes is not None and len(own) < 5 and (has_lengths(axes) or _letters(axes) == len(own) + 1)
    if len(kinds) == 1 and more:
        _refuse_other_sizes([image for _, image in every], numbers, file)
        return every
    one = typed(image=numbers[id(main[1])])
    if len(kinds) > 1:
        called = listed(f"{numbers[id(image)]} is {called_image(image)}" for _, image in held)
        raise StackError(
            f"{shown(file)} holds {len(held)} images ({called}), and nothing says which is meant; choose "
            f"one by its number, as in {one}"
        )
    ways = [f"{typed(axes=letter + own)} for {SPOKEN[letter]}" for letter in "ztc" if letter not in own]
    stack = f", or take all as one stack with {' or '.join(ways[:2])}" if ways else ""
    raise StackError(
        f"{shown(file)} holds {len(every)} images of {_spoken(main[1])} each, and nothing says which is "
        f"meant or that they are one stack; choose one by its number, as in {one}{stack}"
    )


def _refuse_other_sizes(images: Sequence[OmeImage], numbers: Mapping[int, int], file: Place) -> None:
    """Raise StackError where images that are to be one stack state different voxel sizes."""
    first, *others = [(numbers[id(image)], calibration_of_ome(image)) for image in images]
    for number, sizes in others:
        if not sizes.agrees_with(first[1]):
            raise StackError(
                f"{shown(file)}: image {number} states the voxel size {sizes}, image {first[0]} states "
                f"{first[1]}; one stack has one size: choose an image, as in {typed(image=number)}"
            )


def along(axes: str, image: OmeImage) -> str:
    """Return the axis of length 1 along which images are put behind each other: the one typed, if free."""
    free = [letter for letter in "TZC" if image.sizes[letter] == 1]
    asked = axes.strip()[:1].upper()
    return asked if asked in free else free[0]


def _letters(axes: str) -> int:
    return len(axes.strip().replace(",", ""))


def _kind(image: OmeImage) -> tuple[tuple[int, ...], str]:
    return tuple(image.sizes[letter] for letter in "TCZYX"), image.pixel_type


def _spoken(image: OmeImage) -> str:
    sizes = by(image.sizes[letter] for letter in "TCZYX" if image.sizes[letter] > 1 or letter in "YX")
    return f"{sizes} {image.pixel_type}".rstrip()


def called_image(image: OmeImage) -> str:
    """Return an image's shape and data type, with its name."""
    name = clean(image.name, 40)
    return f"{_spoken(image)} {name!r}" if name else _spoken(image)


def _is_preview(image: OmeImage) -> bool:
    return _BESIDE.search(image.name) is not None


def _is_minor(image: OmeImage, main: OmeImage) -> bool:
    """Return True for what is much smaller in rows or columns and as a whole, as previews and levels are."""
    pairs = [(image.sizes[letter], main.sizes[letter]) for letter in "YX"]
    alike = all(2 * size > like + 1 for size, like in pairs)
    return not alike and 3 * math.prod(image.sizes.values()) <= math.prod(main.sizes.values())
