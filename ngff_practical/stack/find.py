"""find_stack: from a folder or a file to the description of one stack, with every doubt said or refused."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ngff_practical.errors import StackError
from ngff_practical.model import Plane, StackSource
from ngff_practical.stack.calibration import settle
from ngff_practical.stack.faults import by, clean, listed, reading, shown
from ngff_practical.stack.image import load_image
from ngff_practical.stack.layout import lay_out
from ngff_practical.stack.names import Numbered, is_thumbnail, order_files, refuse_copies
from ngff_practical.stack.series import StoredImage

_ENDINGS = (".tif", ".tiff")
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini"}
_MOST_NOTES = 12
_SPOKEN = {"z": "as a z-stack", "t": "as a time series", "c": "as channels"}


def find_stack(
    path: str | Path,
    *,
    axes: str | None = None,
    voxel_size: Sequence[float] | None = None,
    unit: str | None = None,
) -> StackSource:
    """Return the TIFF stack in a folder or file, described but not read.

    Parameters
    ----------
    path
        A folder of planes (one TIFF each, in the natural order of their names), or one file: multi-page,
        ImageJ, OME-TIFF (with all other files of its set).
    axes
        One letter of t, c, z, y, x for each stored dimension, in stored order, as in "zcyx"; for a folder the
        files come first. Needed where the file does not state its axes, and stronger than what it states.
    voxel_size
        One number for each axis of space, in the order z, y, x. Stronger than what the file states.
    unit
        Unit of `voxel_size` in any usual spelling; alone, the unit to convert the stated size to
        (micrometer by default).

    Raises
    ------
    StackError
        The files are damaged, do not fit together, or leave open what the axes are. The text names the
        files, both values and the way out.

    Notes
    -----
    Axes nobody calibrated get scale 1.0 and no unit. What was assumed, ignored or left out is in `notes`.
    Every strip and tile is checked to lie inside its file, but not decoded: damage inside compressed data
    shows when it is read.
    """
    place = Path(path)
    if "://" in str(path):
        raise StackError(
            f"{clean(str(path))} is an address; find_stack reads local files: download the stack first"
        )
    if place.is_dir():
        image, what, said = _folder(place, axes, sized=voxel_size is not None)
        name = place.resolve().name or "stack"
    elif place.exists():
        image, said = load_image(place, set()), ()
        what, name = shown(place), _stem(place)
    else:
        raise StackError(f"{clean(str(path))} does not exist; check the path")
    layout = lay_out(image.stored, image.shape, axes, what=what)
    given = None if voxel_size is None else tuple(voxel_size)
    settled, sizes, about_size = settle(image.calibration, layout.names, given, unit)
    channels = image.channels if "c" in layout.names else ()
    return StackSource(
        name=name,
        axes=settled,
        shape=layout.shape,
        dtype=image.dtype.name,
        itemsize=image.dtype.itemsize,
        voxel_size=sizes,
        files=image.files,
        planes=tuple(image.planes[index] for index in layout.planes),
        byteorder=image.byteorder,
        channels=channels
        if "c" in layout.names and len(channels) == layout.shape[layout.names.index("c")]
        else (),
        notes=(*said, *image.notes, *about_size),
    )


def _stem(file: Path) -> str:
    """Return a file's name without .tif, .ome.tif and the like."""
    name = file.name
    for ending in (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".ome", ".companion"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
            if ending in (".tif", ".tiff", ".btf", ".tf2", ".tf8") and name.lower().endswith(".ome"):
                name = name[:-4] or name
            break
    return clean(name) or "stack"


def _folder(folder: Path, axes: str | None, *, sized: bool) -> tuple[StoredImage, str, tuple[str, ...]]:
    """Return the stack that the TIFFs in a folder make, what to call it in messages, and notes."""
    files, notes = _candidates(folder)
    what = f"the folder {shown(folder.resolve())}"
    refuse_copies(files)
    tried: set[int] = set()
    first = load_image(min(files, key=lambda file: file.name), tried)
    if len(first.files) > 1:
        members = {file.resolve() for file in first.files}
        strangers = [file.name for file in files if file.resolve() not in members]
        if strangers:
            raise StackError(
                f"{what} holds an OME-TIFF of {len(first.files)} files and others that do not belong to it: "
                f"{listed(strangers)}; move them away, or name one file of the stack"
            )
        return first, what, tuple(notes)
    own = _kind(first)[0]
    letters = 0 if axes is None else len(axes.replace(",", "").strip())
    single = letters in (1 + len(own), 1 + len(own.replace("S", "")))
    if len(files) == 1 and not single:
        return first, what, (*notes, f"The folder holds one TIFF, {files[0].name}, and is read as that file.")
    sequence = order_files(files, single=single)
    images = [first if file == first.files[0] else load_image(file, tried) for file in sequence.files]
    _refuse_odd(images, what)
    notes += _refuse_other_sizes(images, sized=sized)
    return _joined(images, sequence, what, axes, notes)


def _candidates(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the TIFFs of a folder and notes that name everything else in it."""
    with reading(folder):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    files: list[Path] = []
    others: list[str] = []
    subfolders: list[str] = []
    for entry in entries:
        place = folder / entry.name
        if entry.is_dir():
            subfolders.append(entry.name)
        elif place.suffix.lower() in _ENDINGS and not entry.name.startswith("."):
            files.append(place)
        elif entry.name.lower() not in _SYSTEM_FILES and place.suffix.lower() != ".ome":
            others.append(entry.name)
    if not files:
        inside = (
            f"; it holds folders ({listed(subfolders)}): name the one with the planes" if subfolders else ""
        )
        raise StackError(f"the folder {shown(folder.resolve())} holds no TIFF (*.tif, *.tiff){inside}")
    notes = []
    thumbnails = [file for file in files if is_thumbnail(file)]
    if thumbnails and len(thumbnails) < len(files):
        files = [file for file in files if file not in set(thumbnails)]
        notes.append(f"Ignored as previews: {listed(file.name for file in thumbnails)}.")
    if others:
        notes.append(f"Ignored, not TIFF: {listed(others)}.")
    if subfolders:
        notes.append(f"Ignored, folders: {listed(subfolders)}.")
    return files, notes


def _refuse_odd(images: Sequence[StoredImage], what: str) -> None:
    """Raise StackError that names files of another shape or data type than most."""
    kinds = Counter(_kind(image) for image in images)
    if len(kinds) == 1:
        return
    usual, times = kinds.most_common(1)[0]
    odd = [f"{image.files[0].name} is {_spoken(_kind(image))}" for image in images if _kind(image) != usual]
    raise StackError(
        f"{listed(odd)}, the other {times} files of {what} are {_spoken(usual)}; "
        "planes of one stack must be alike: move the odd ones away"
    )


def _kind(image: StoredImage) -> tuple[str, tuple[int, ...], str]:
    """Return what must be alike in one stack: axes and shape without those of length 1, and data type."""
    kept = [(c, size) for c, size in zip(image.stored, image.shape, strict=True) if size > 1 or c in "YX"]
    return "".join(c for c, _ in kept), tuple(size for _, size in kept), image.dtype.name


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
    said = (
        f"{listed(image.files[0].name for image in odd)} state{'s' if len(odd) == 1 else ''} the voxel size "
        f"{odd[0].calibration}, {shown(usual.files[0])} states {usual.calibration}"
    )
    if sized:
        return [f"The files do not agree: {said}. The voxel size you gave is used for all."]
    raise StackError(
        f"{said}; planes of one stack must have one size: move the odd ones away, or give it with "
        "--voxel-size"
    )


def _joined(
    images: Sequence[StoredImage], sequence: Numbered, what: str, axes: str | None, notes: list[str]
) -> tuple[StoredImage, str, tuple[str, ...]]:
    """Return the images of a folder as one, the files' own axes behind those of the folder."""
    first = images[0]
    own = _kind(first)[0]
    letters = ["" if letter.upper() in own else letter for letter in sequence.axes]
    if axes is None and len(letters) == 1 and not letters[0] and len(own.replace("S", "")) == 2:
        letters[0] = "z"
    stored = "".join(letter.upper() or "Q" for letter in letters) + first.stored
    source = first.byteorder
    planes: list[Plane] = []
    for number, image in enumerate(images):
        alike = image.byteorder == source
        planes += [
            replace(plane, file=number, offset=plane.offset if alike else None) for plane in image.planes
        ]
    if axes is None:
        notes.append(_told(sequence, letters))
    joined = replace(
        first,
        files=tuple(image.files[0] for image in images),
        stored=stored,
        shape=sequence.shape + first.shape,
        planes=tuple(planes),
        channels=first.channels if "c" not in letters else (),
        notes=_together(images),
    )
    return joined, what, tuple(notes)


def _told(sequence: Numbered, letters: Sequence[str]) -> str:
    names = f"{sequence.files[0].name} to {sequence.files[-1].name}"
    if len(letters) > 1:
        return (
            f"{len(sequence.files)} files ({names}) are read as {' x '.join(letters)} = "
            f"{by(sequence.shape)}, as their names say."
        )
    letter = letters[0] or "?"
    others = " or ".join(f"--axes {other}yx" for other in "ztc" if other != letter)
    return (
        f"{len(sequence.files)} files ({names}) are read {_SPOKEN.get(letter, 'in this order')}, in the "
        f"order of their names; {others} changes that."
    )


def _together(images: Sequence[StoredImage]) -> tuple[str, ...]:
    """Return the notes about all files, each once."""
    notes = list(dict.fromkeys(note for image in images for note in image.notes))
    if len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES:] = [f"{len(notes) - _MOST_NOTES} more notes about single files are not shown."]
    return tuple(notes)
