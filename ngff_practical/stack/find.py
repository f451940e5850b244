"""find_stack: from a folder or a file to the description of one stack, with every doubt said or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ngff_practical.errors import StackError
from ngff_practical.model import Location, Place, StackSource
from ngff_practical.stack.calibration import settle
from ngff_practical.stack.faults import clean, reading, shown
from ngff_practical.stack.folder import read_folder
from ngff_practical.stack.image import Wanted, load_image, load_remote
from ngff_practical.stack.layout import lay_out
from ngff_practical.storage import parse_place


def find_stack(
    path: str | Place,
    *,
    axes: str | None = None,
    voxel_size: Sequence[float] | None = None,
    unit: str | None = None,
    pattern: str | None = None,
    image: int | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> StackSource:
    """Return the TIFF stack in a folder or file, described but not read.

    Parameters
    ----------
    path
        A folder of planes (one TIFF each, in the natural order of their names; one folder for each channel,
        plane or time point too), or one file: multi-page, ImageJ, OME-TIFF (with all other files of its set).
        All of it may lie behind https:// or on S3 (an address as text, or a Location): headers are read in
        ranges, pixels when needed. A folder has to be one that can be listed, as on S3.
    axes
        One letter of t, c, z, y, x for each stored dimension, in stored order, as in "zcyx"; for a folder the
        files come first. Needed where the file does not state its axes, and stronger than what it states.
        In "zc2yx" a length cuts one row of pages: 2 channels of each plane follow each other.
    voxel_size
        One number for each axis of space, in the order z, y, x. Stronger than what the file states.
    unit
        Unit of `voxel_size` in any usual spelling; alone, the unit to convert the stated size to
        (micrometer by default).
    pattern
        How the files of a folder are named, as in "img_{z}_ch{c}.tif" or "ZStep_{z}/{}_w{c}.tif": `{t}`,
        `{c}` and `{z}` count along that axis, `{}` does not matter, all else must be there. Other files are
        left out. Where the files and the pages inside them count along the same axis, as "cam_X{z}.tif" with
        axes "zyx" says, the files are parts of one stack, one behind the other.
    image
        The number of the image that is meant in a file that holds several, from 1 on. Without it they are
        refused where nothing says which is meant, except where `axes` have one letter more than each image:
        then they are one stack along it.
    on_file
        Called with (files looked at, files in all) of a folder.

    Raises
    ------
    StackError
        The files are damaged, do not fit together, or leave open what the axes are. The text names the
        files, both values and the way out.
    StorageError
        A remote file is not there, may not be read, or its server sends whole files only.

    Notes
    -----
    Axes nobody calibrated get scale 1.0 and no unit. What was assumed, ignored or left out is in `notes`.
    Every strip and tile is checked to lie inside its file, but not decoded: damage inside compressed data
    shows when it is read.
    """
    place = parse_place(path) if isinstance(path, str) else path
    said: tuple[str, ...] = ()
    wanted, sized = Wanted(image, axes), voxel_size is not None
    if isinstance(place, Path):
        with reading(place):
            place.exists()  # raises where nobody may look, and for names that cannot be one
    if isinstance(place, Location):
        found = None if pattern is not None else load_remote(place, wanted)
        what, name = shown(place), _stem(place)
        if found is None:
            found, what, said, axes = read_folder(place, wanted, pattern, sized=sized, on_file=on_file)
            name = shown(place)
    elif place.is_dir():
        found, what, said, axes = read_folder(place, wanted, pattern, sized=sized, on_file=on_file)
        name = place.resolve().name or "stack"
    elif place.exists() and pattern is not None:
        raise StackError(f"{shown(place)} is a file; a pattern chooses files in a folder: name the folder")
    elif place.exists() and not place.is_file():
        raise StackError(f"{shown(place)} is neither a file nor a folder; name one of these")
    elif place.is_symlink() and not place.exists():
        raise StackError(
            f"{shown(place)} is a link to {clean(str(place.readlink()))}, where nothing is; mend it, or name "
            "the file itself"
        )
    elif place.exists():
        found = load_image(place, set(), wanted)
        what, name = shown(place), _stem(place)
    else:
        raise StackError(f"{clean(str(path))} does not exist; check the path")
    layout = lay_out(found.stored, found.shape, axes, what=what)
    if axes is not None and found.left_out and len(layout.planes) == 1 < len(layout.names) - 1:
        raise StackError(
            f"{what} was said to be {axes}, but its first image is a single plane, and {found.left_out} more "
            "in it are images of their own or stored in other ways; save the planes alike, as one image in a "
            "file of its own, or write the axes of that plane alone"
        )
    given = None if voxel_size is None else tuple(voxel_size)
    settled, sizes, about_size = settle(found.calibration, layout.names, given, unit)
    channels = found.channels
    count = layout.shape[layout.names.index("c")] if "c" in layout.names else 1
    return StackSource(
        name=name,
        axes=settled,
        shape=layout.shape,
        dtype=found.dtype.name,
        itemsize=found.dtype.itemsize,
        voxel_size=sizes,
        files=found.files,
        planes=tuple(found.planes[index] for index in layout.planes),
        byteorder=found.byteorder,
        channels=channels if len(channels) == count else (),
        notes=(*said, *found.notes, *about_size),
        versions=found.versions,
    )


def _stem(file: Place) -> str:
    """Return a file's name without .tif, .ome.tif and the like."""
    name = file.name
    for ending in (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".ome", ".companion", ".lsm", ".stk", ".svs"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
            if ending in (".tif", ".tiff", ".btf", ".tf2", ".tf8") and name.lower().endswith(".ome"):
                name = name[:-4] or name
            break
    return clean(name) or "stack"
