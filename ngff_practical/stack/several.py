"""Which image is meant where OME-XML describes several: one by its number, all as a stack, or a refusal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ngff_practical.errors import StackError
from ngff_practical.model import Place, Plane
from ngff_practical.stack.channels import joined_channels
from ngff_practical.stack.declared import check_number
from ngff_practical.stack.faults import by, clean, listed, shown
from ngff_practical.stack.layout import SPOKEN
from ngff_practical.stack.lengths import has_lengths
from ngff_practical.stack.ome import OmeImage
from ngff_practical.stack.series import StoredImage
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
    if len(kinds) == 1 and axes is not None and (has_lengths(axes) or _letters(axes) == len(own) + 1):
        return every
    numbers = {id(image): place for place, (_, image) in enumerate(images, 1)}
    one = typed(image=numbers[id(main[1])])
    called = listed(f"{numbers[id(image)]} {_called(image)}".strip() for _, image in every)
    if len(kinds) > 1:
        raise StackError(
            f"{shown(file)} holds {len(every)} images ({called}), and nothing says which is meant; choose "
            f"one by its number, as in {one}"
        )
    ways = [f"{typed(axes=letter + own)} for {SPOKEN[letter]}" for letter in "ztc" if letter not in own]
    stack = f", or take all as one stack with {' or '.join(ways[:2])}" if ways else ""
    raise StackError(
        f"{shown(file)} holds {len(every)} images of {_spoken(main[1])} each, and nothing says which is "
        f"meant or that they are one stack; choose one by its number, as in {one}{stack}"
    )


def stack_images(found: Mapping[int, StoredImage], axes: str, file: Place) -> StoredImage:
    """Return images, by their numbers, as one along the first of the axes; raises StackError if unlike."""
    first = next(iter(found.values()))
    files: list[Place] = []
    planes: dict[tuple[Place, int, int | None, int], Plane] = {}
    for number, image in found.items():
        seen, sizes = (image.shape, image.dtype.name), image.calibration
        if seen != (first.shape, first.dtype.name) or not sizes.agrees_with(first.calibration):
            raise StackError(
                f"{shown(file)}: image {number} is {_described(image)}, image {min(found)} is "
                f"{_described(first)}; one stack needs images that are alike: choose one, as in "
                f"{typed(image=number)}"
            )
        files += [name for name in image.files if name not in files]
        for plane in image.planes:
            name = image.files[plane.file]
            offset = plane.offset if image.byteorder == first.byteorder else None
            planes[name, plane.page, plane.sample, plane.layer] = replace(
                plane, file=files.index(name), offset=offset
            )
    if len(planes) < sum(len(image.planes) for image in found.values()):
        raise StackError(
            f"{shown(file)}: its OME-XML uses the same pages for several of its {len(found)} images; save it "
            "anew from the program that made it"
        )
    return replace(
        first,
        files=tuple(files),
        stored="Q" + first.stored,
        shape=(len(found), *first.shape),
        planes=tuple(planes.values()),
        channels=joined_channels(
            [image.channels for image in found.values()], [axes.strip()[:1].lower()], (len(found),)
        ),
        notes=tuple(dict.fromkeys(note for image in found.values() for note in image.notes)),
    )


def _letters(axes: str) -> int:
    return len(axes.strip().replace(",", ""))


def _kind(image: OmeImage) -> tuple[tuple[int, ...], str]:
    return tuple(image.sizes[letter] for letter in "TCZYX"), image.pixel_type


def _spoken(image: OmeImage) -> str:
    sizes = by(image.sizes[letter] for letter in "TCZYX" if image.sizes[letter] > 1 or letter in "YX")
    return f"{sizes} {image.pixel_type}".rstrip()


def _described(image: StoredImage) -> str:
    sizes = by(size for code, size in zip(image.stored, image.shape, strict=True) if size > 1 or code in "YX")
    return f"{sizes} {image.dtype} with the voxel size {image.calibration}"


def _called(image: OmeImage) -> str:
    name = clean(image.name, 40)
    return f"{name!r}: {_spoken(image)}" if name else _spoken(image)


def _is_preview(image: OmeImage) -> bool:
    return _BESIDE.search(image.name) is not None


def _is_minor(image: OmeImage, main: OmeImage) -> bool:
    """Return True for what is much smaller in rows or columns and as a whole, as previews and levels are."""
    pairs = [(image.sizes[letter], main.sizes[letter]) for letter in "YX"]
    alike = all(2 * size > like + 1 for size, like in pairs)
    return not alike and 3 * math.prod(image.sizes.values()) <= math.prod(main.sizes.values())
