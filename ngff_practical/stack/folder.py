"""The stack that the TIFFs of a folder make: which of them belong to it, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from ngff_practical.errors import StackError
from ngff_practical.model import Channel, Place, Plane
from ngff_practical.stack.channels import joined_channels
from ngff_practical.stack.contents import all_tiffs, contents_of
from ngff_practical.stack.faults import by, clean, listed, shown
from ngff_practical.stack.grid import Numbered, told_apart
from ngff_practical.stack.image import MissingFilesError, Wanted, load_image
from ngff_practical.stack.lengths import has_lengths
from ngff_practical.stack.listing import Folder
from ngff_practical.stack.names import order_by_pattern, order_files, row_pattern, suggestion
from ngff_practical.stack.parts import are_parts, check_row, join_parts, kind_of, split_axes
from ngff_practical.stack.pattern import Pattern, parse_pattern
from ngff_practical.stack.previews import refuse_copies
from ngff_practical.stack.series import StoredImage
from ngff_practical.stack.typed import option, typed

_MOST_NOTES = 12
_SPOKEN = {"z": "as a z-stack", "t": "as a time series", "c": "as channels"}

type Progress = Callable[[int, int], None]
type FolderStack = tuple[StoredImage, str, tuple[str, ...], str | None]


def read_folder(
    place: Place, wanted: Wanted, pattern: str | None, *, sized: bool, on_file: Progress | None = None
) -> FolderStack:
    """Return the stack that the TIFFs in a folder make, what to call it in messages, notes, and its axes.

    The axes are those typed, with those of the pattern in front where only those inside a file were typed.
    """
    folder, axes = Folder(place), wanted.axes
    what = folder.called
    form = None if pattern is None else parse_pattern(pattern)
    held = contents_of(folder) if form is None else all_tiffs(folder, form)
    files, notes = list(held.files), list(held.notes)
    refuse_copies(files)
    tried: set[int] = set()
    head = folder.file(min(files, key=lambda file: file.relative_to(folder.path).as_posix()))
    wanted = replace(wanted, alone=form is not None and bool(form.letters))
    try:
        first = load_image(head, tried, wanted)
    except MissingFilesError as error:
        better = suggestion(folder.path, files) if len(files) > 1 else None
        if better is None:
            raise
        raise StackError(
            f"{error}, or where they have other names now, say what these count: {typed(pattern=better)}"
        ) from None
    if len(first.files) > 1 and not (form and form.letters):
        _refuse_strangers(first, [folder.file(file) for file in files], what)
        return first, what, tuple(notes), axes
    if wanted.number is not None and len(files) > 1:
        raise StackError(
            f"{option('image')} chooses one of several images in a file; {what} holds {len(files)} TIFFs: "
            "name the file"
        )
    own = kind_of(first)[0]
    letters = None if axes is None else axes.replace(",", "").strip().lower()
    if form is not None and form.letters:
        sequence = order_by_pattern(folder.path, files, form)
        letters = axes = _behind_pattern(letters, sequence, own)
    else:
        lengths = (1 + len(own), 1 + len(own.replace("S", "")))
        single = letters is not None and not has_lengths(letters) and len(letters) in lengths
        if len(files) == 1 and not single:
            said = f"The folder holds one TIFF, {files[0].name}, and is read as that file."
            return first, what, (*notes, said), axes
        sequence = order_files(folder.path, files, single=single)
    if letters is not None:
        _refuse_contradiction(letters, sequence)
    others = Wanted(alone=wanted.alone)
    places = [folder.file(file) for file in sequence.files]
    images: list[StoredImage] = []
    for image in folder.map(
        lambda file: first if file == first.files[0] else load_image(file, tried, others), places
    ):
        images.append(image)
        if on_file:
            on_file(len(images), len(places))
    _refuse_sets(images, what)
    if form is not None and are_parts(form.letters, letters, images):
        check_row(sequence.files, form, folder.path)
        joined, counts = join_parts(images)
        notes += _refuse_other_sizes(images, sized=sized)
        names = " to ".join(told_apart(sequence.files[0], sequence.files[-1]))
        said = f"{len(images)} files ({names}) are parts of one stack, one behind the other: {counts} planes."
        return replace(joined, notes=_together(images)), what, (*notes, said), axes
    if axes is not None and has_lengths(axes) and len(files) > 1:
        raise StackError(
            f"axes {clean(axes)!r} give lengths, which cut the pages of one file; {what} holds {len(files)} "
            f"TIFFs: leave the lengths out, and say with {option('pattern')} what their names count"
        )
    _refuse_odd(images, folder, files)
    notes += _refuse_other_sizes(images, sized=sized)
    return *_joined(images, sequence, what, axes, notes, form), axes


def _refuse_strangers(first: StoredImage, files: Sequence[Place], what: str) -> None:
    """Raise StackError where an OME-TIFF of several files shares its folder with other TIFFs."""
    members = {_real(file) for file in first.files}
    strangers = [file.name for file in files if _real(file) not in members]
    if strangers:
        raise StackError(
            f"{what} holds an OME-TIFF of {len(first.files)} files and others that do not belong to it: "
            f"{listed(strangers)}; move them away, or name one file of the stack"
        )


def _real(file: Place) -> Place:
    return file.resolve() if isinstance(file, Path) else file


def _refuse_sets(images: Sequence[StoredImage], what: str) -> None:
    """Raise StackError where one of several files is an OME-TIFF of more files than itself."""
    for image in images:
        if len(image.files) > 1:
            members = listed(file.name for file in image.files)
            raise StackError(
                f"{what} holds an OME-TIFF of {len(image.files)} files ({members}), which state "
                f"their own order; name one of them instead: {shown(image.files[0])}"
            )


def _behind_pattern(letters: str | None, sequence: Numbered, own: str) -> str | None:
    """Return typed axes with those of the pattern in front, where only those of one file were typed."""
    if letters is None or len(letters) not in (len(own), len(own.replace("S", ""))):
        return letters
    return "".join(axis for axis in sequence.axes if axis not in letters) + letters


def _refuse_contradiction(letters: str, sequence: Numbered) -> None:
    """Raise StackError where somebody typed the axes of a grid of files in another order than their names."""
    stated = "".join(sequence.axes)
    typed = letters[: len(stated)]
    if len(stated) == len(sequence.axes) > 1 and typed != stated and sorted(typed) == sorted(stated):
        raise StackError(
            f"axes {clean(letters)!r} contradict the names, which say {' x '.join(stated)} = "
            f"{by(sequence.shape)}; leave {option('axes')} out, or write {stated + letters[len(stated) :]}"
        )


def _refuse_odd(images: Sequence[StoredImage], folder: Folder, files: Sequence[PurePath]) -> None:
    """Raise StackError that names files of another shape or data type than most."""
    kinds = Counter(kind_of(image) for image in images)
    if len(kinds) == 1:
        return
    usual, times = kinds.most_common(1)[0]
    like = next(image.files[0] for image in images if kind_of(image) == usual)
    odd = [
        f"{told_apart(image.files[0], like)[0]} is {_spoken(kind_of(image))}"
        for image in images
        if kind_of(image) != usual
    ]
    own = split_axes(list(kinds))
    row = row_pattern(folder.path, files, own[0]) if own else None
    way = f", or if they are parts of one stack, say so: {typed(pattern=row, axes=own)}" if row else ""
    raise StackError(
        f"{listed(odd)}, the other {times} files of {folder.called} are {_spoken(usual)}; "
        f"planes of one stack must be alike: move the odd ones away{way}"
    )


def _spoken(kind: tuple[str, tuple[int, ...], str]) -> str:
    return f"{by(kind[1])} {kind[2]}"


def _refuse_other_sizes(images: Sequence[StoredImage], *, sized: bool) -> list[str]:
    """Raise StackError where files state different voxel sizes; a note where the person gave one."""
    usual = max(
        images[:100], key=lambda image: sum(image.calibration == other.calibration for other in images[:100])
    )
    odd = [image for image in images if not image.calibration.agrees_with(usual.calibration)]
    if not odd:
        return []
    names = listed(told_apart(image.files[0], usual.files[0])[0] for image in odd)
    said = (
        f"{names} state{'s' if len(odd) == 1 else ''} the voxel size {odd[0].calibration}, "
        f"{shown(usual.files[0])} states {usual.calibration}"
    )
    if sized:
        return [f"The files do not agree: {said}. The voxel size you gave is used for all."]
    raise StackError(
        f"{said}; planes of one stack must have one size: move the odd ones away, or give it with "
        f"{option('voxel_size')}"
    )


def _joined(
    images: Sequence[StoredImage],
    sequence: Numbered,
    what: str,
    axes: str | None,
    notes: list[str],
    pattern: Pattern | None,
) -> tuple[StoredImage, str, tuple[str, ...]]:
    """Return the images of a folder as one, the files' own axes behind those of the folder."""
    first = images[0]
    own = kind_of(first)[0]
    letters = ["" if letter.upper() in own else letter for letter in sequence.axes]
    if axes is None and "z" not in letters and len(own.replace("S", "")) == 2:
        letters = [letter or "z" for letter in letters]
    stored = "".join(letter.upper() or "Q" for letter in letters) + first.stored
    source = first.byteorder
    planes: list[Plane] = []
    for number, image in enumerate(images):
        alike = image.byteorder == source
        planes += [
            replace(plane, file=number, offset=plane.offset if alike else None) for plane in image.planes
        ]
    if axes is None:
        notes.append(_told(sequence, letters, pattern))
    joined = replace(
        first,
        files=tuple(image.files[0] for image in images),
        stored=stored,
        shape=sequence.shape + first.shape,
        planes=tuple(planes),
        channels=joined_channels([image.channels for image in images], letters, sequence.shape)
        or (_named(sequence, first) if "c" in letters else ()),
        notes=_together(images),
        versions=tuple(version for image in images for version in image.versions),
    )
    return joined, what, tuple(notes)


def _named(sequence: Numbered, first: StoredImage) -> tuple[Channel, ...]:
    """Return channels called what the names of the files call them."""
    if "S" in first.stored and dict(zip(first.stored, first.shape, strict=True))["S"] > 1:
        return ()
    return tuple(Channel(clean(word)) for word in sequence.channels)


def _told(sequence: Numbered, letters: Sequence[str], pattern: Pattern | None) -> str:
    names = " to ".join(told_apart(sequence.files[0], sequence.files[-1]))
    count = f"{len(sequence.files)} files ({names})"
    grid = f"{count} are read as {' x '.join(letters)} = {by(sequence.shape)}"
    if pattern is not None and pattern.letters:
        return f"{grid}, as the pattern says."
    if len(letters) > 1:
        stated = "" not in sequence.axes
        why = (
            "as their names say"
            if stated
            else f"the number that nothing explains as z; {option('pattern')} changes that"
        )
        return f"{grid}, {why}."
    letter = letters[0] or "?"
    others = " or ".join(typed(axes=f"{other}yx") for other in "ztc" if other != letter)
    return (
        f"{count} are read {_SPOKEN.get(letter, 'in this order')}, in the "
        f"order of their names; {others} changes that."
    )


def _together(images: Sequence[StoredImage]) -> tuple[str, ...]:
    """Return the notes about all files, each once."""
    notes = list(dict.fromkeys(note for image in images for note in image.notes))
    if len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES:] = [f"{len(notes) - _MOST_NOTES} more notes about single files are not shown."]
    return tuple(notes)
