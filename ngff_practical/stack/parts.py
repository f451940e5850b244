"""A stack that was split into files of many pages, as cameras do every few gigabytes: its parts in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath

from ngff_practical.errors import StackError
from ngff_practical.model import Plane
from ngff_practical.stack.channels import joined_channels
from ngff_practical.stack.faults import by, listed, shown
from ngff_practical.stack.lengths import has_lengths
from ngff_practical.stack.pattern import Pattern
from ngff_practical.stack.series import StoredImage

type Kind = tuple[str, tuple[int, ...], str]


def kind_of(image: StoredImage) -> Kind:
    """Return what must be alike in one stack: axes and shape without those of length 1, and data type."""
    kept = [(c, size) for c, size in zip(image.stored, image.shape, strict=True) if size > 1 or c in "YX"]
    return "".join(c for c, _ in kept), tuple(size for _, size in kept), image.dtype.name


def are_parts(counted: Sequence[str], letters: str | None, images: Sequence[StoredImage]) -> bool:
    """Return True where names count along the axis that comes first within the files, too.

    `letters` are the axes that somebody typed.
    """
    own = _own([kind_of(image) for image in images])
    if len(counted) != 1 or own[0] in "YXS":
        return False
    if letters is None:
        return own[0].lower() == counted[0]
    fit = has_lengths(letters) or len(letters) in (len(own), len(own.replace("S", "")))
    return fit and letters[0] == counted[0]


def split_axes(kinds: Sequence[Kind]) -> str:
    """Return the axes to type for files that are alike but for their pages, "" where they are no parts."""
    own = _own(kinds)
    known = own[0].lower() if own[0] in "TCZ" else "z"
    alike = own.replace("S", "")[1:] == "YX" and len({_rest(kind, own) for kind in kinds}) == 1
    return f"{known}yx" if alike else ""


def check_row(files: Sequence[PurePath], pattern: Pattern, folder: PurePath) -> None:
    """Raise StackError where a part may be missing: their numbers follow each other, or are listed."""
    if pattern.listed:
        return
    found = [pattern.match(file.relative_to(folder)) for file in files]
    values = [match.values[0] for match in found if match is not None]
    for (before, file), (after, other) in pairwise(zip(values, files, strict=True)):
        if not (isinstance(before, int) and isinstance(after, int) and after == before + 1):
            raise StackError(
                f"after {shown(file)} comes {shown(other)}, and parts of one stack are numbered one by one; "
                "add the missing part, or list those there are, like "
                f"{{{pattern.letters[0]}={before},{after}}}"
            )


def join_parts(images: Sequence[StoredImage]) -> tuple[StoredImage, str]:
    """Return files as one image along their first axis, and how many planes each has there, as text."""
    first = images[0]
    kinds = [kind_of(image) for image in images]
    own = _own(kinds)
    model, like = next(pair for pair in zip(images, kinds, strict=True) if pair[1][0] == own)
    odd = [
        shown(image.files[0])
        for image, kind in zip(images, kinds, strict=True)
        if _rest(kind, own) != _rest(like, own)
    ]
    if odd:
        raise StackError(
            f"{listed(odd)} cannot be parts of one stack with {shown(model.files[0])}, which holds "
            f"{by(like[1])} {like[2]}: pages of another shape or data type; move them away"
        )
    counts = [sizes[0] if axes == own else 1 for axes, sizes, _ in kinds]
    planes: list[Plane] = []
    for number, image in enumerate(images):
        alike = image.byteorder == first.byteorder
        planes += [
            replace(plane, file=number, offset=plane.offset if alike else None) for plane in image.planes
        ]
    joined = replace(
        first,
        files=tuple(image.files[0] for image in images),
        stored=own,
        shape=(sum(counts), *like[1][1:]),
        planes=tuple(planes),
        channels=joined_channels([image.channels for image in images], ["z"], (len(images),)),
        versions=tuple(version for image in images for version in image.versions),
    )
    return joined, listed(map(str, counts))


def _own(kinds: Sequence[Kind]) -> str:
    """Return the axes of the files; the last part may be a single page."""
    return max((axes for axes, _, _ in kinds), key=len)


def _rest(kind: Kind, own: str) -> Kind:
    """Return what is behind the first axis of a file; a file of a single page has none."""
    axes, sizes, dtype = kind
    return (axes[1:], sizes[1:], dtype) if axes == own else kind
