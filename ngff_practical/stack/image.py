"""One TIFF as it is stored: a file, or the set of files that one OME-XML document holds together."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

from ngff_practical.errors import NotFoundError, StackError, StorageError
from ngff_practical.model import Location, Place
from ngff_practical.stack import ome
from ngff_practical.stack.calibration import calibration_of_ome
from ngff_practical.stack.faults import clean, listed, reading, shown
from ngff_practical.stack.identity import check_identity
from ngff_practical.stack.listing import Folder
from ngff_practical.stack.series import Files, StoredImage, load_series
from ngff_practical.stack.several import along, called_image, pick_images
from ngff_practical.storage import list_folder

_MOST_METADATA = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody typed about a file: the number of one of its images, from 1 on, and the axes.

    `alone` is True where names decide: a file of a set is then read by itself.
    """

    number: int | None = None
    axes: str | None = None
    alone: bool = False


class MissingFilesError(StackError):
    """Files of an OME-TIFF are not where its metadata says they are."""


def load_image(file: Place, tried: set[int], wanted: Wanted = Wanted()) -> StoredImage:
    """Return what one TIFF holds, or with its OME-XML what all the files of the set hold together.

    `tried` collects the compressions that were seen to decode, so that a folder is not decoded twice.
    """
    files = Files(tried)
    with reading(file) as heard, files.opener.honest():
        image = _load(file, files, heard, wanted)
        versions = [files.opener.remote(used).version for used in image.files if isinstance(used, Location)]
        return replace(image, versions=tuple(versions))


def _load(file: Place, files: Files, heard: list[str], wanted: Wanted) -> StoredImage:
    if file.name.lower().endswith(".ome"):
        first, document, text = _from_companion(file, files)
        files.add(first)
        return _load_ome(first, document, files, heard, wanted, text)
    files.add(file)
    with files.opener.open_tiff(file) as tif:
        description = tif.pages.first.description
        ome.refuse_entities(description, file)
        if not ome.is_ome(description):
            return load_series(tif, files, None, heard, number=wanted.number)
        document = ome.parse_ome(description, file)
    return _load_ome(file, document, files, heard, wanted, None)


def load_remote(file: Location, wanted: Wanted) -> StoredImage | None:
    """Return what one TIFF behind https:// or on S3 holds, None where the address is a folder."""
    if not file.key and not file.anonymous:
        return None  # a whole bucket
    try:
        return load_image(file, set(), wanted)
    except NotFoundError:
        with suppress(StorageError):
            if any(list_folder(file)):
                return None
        raise


def _from_companion(file: Place, files: Files) -> tuple[Place, ome.OmeDocument, str | None]:
    """Return the first TIFF that a companion file names, with the metadata."""
    document, _, text = _metadata_of(file, file, files)
    names = [name for image in document.images for _, name in image.files]
    if not names:
        raise StackError(f"{shown(file)} names no TIFF; name the TIFF itself")
    place = _beside(file, names[0])
    if not _is_file(place, files):
        raise StackError(f"{shown(file)} names {shown(place)}, which is not beside it; get the whole set")
    return place, document, text


def _load_ome(
    file: Place,
    document: ome.OmeDocument,
    files: Files,
    heard: list[str],
    wanted: Wanted,
    text: str | None,
) -> StoredImage:
    """Return the image of a document that the file belongs to, with every file of the set checked.

    `text` is the document where a companion file was named, which the file belongs to.
    """
    root, by_companion = file, text is not None
    if document.metadata_file is not None:
        place = _beside(file, document.metadata_file)
        if not _is_file(place, files):
            note = (
                f"This file is part of a larger OME-TIFF whose metadata file {clean(place.name)} is not "
                "beside it; only what this file holds is read."
            )
            with files.opener.open_tiff(file, ome=False) as tif:
                return load_series(tif, files, None, heard, number=wanted.number, notes=(note,))
        document, root, text = _metadata_of(place, file, files)
        files.add(root)
    images = [(index, image) for index, image in enumerate(document.images) if image.has_data]
    notes: list[str] = []
    if not images and len(document.images) == 1 and not document.images[0].has_other_data:
        images, text = [(0, document.images[0])], ome.in_order(document)
        notes.append(
            "The OME-XML does not say which page is which plane; they are taken in the order of its axes."
        )
    if not images:
        raise StackError(
            f"{shown(file)}: its OME-XML names no pixels; save it anew from the program that made it"
        )
    own = (document.uuid, root.name.casefold())
    held = [pair for pair in images if not by_companion and _holds(pair[1], file, own)] or images
    chosen = pick_images(images, held, wanted.number, wanted.axes, file)
    index, image = chosen[0]
    if len(chosen) > 1:
        image, text = ome.joined_images(document, [at for at, _ in chosen], along(wanted.axes or "", image))
    elif len(images) > 1:
        text = ome.only_image(document, index)
    left = len(images) - len(chosen)
    if left:
        read = f"number {images.index(chosen[0]) + 1} is" if len(chosen) == 1 else f"{len(chosen)} are"
        taken = {at for at, _ in chosen}
        others = listed(called_image(other) for at, other in images if at not in taken)
        notes.append(f"The OME-XML describes {len(images)} images; {read} read, left out: {others}.")
    if ome.is_markup(image.name) or clean(image.name, 10_000) != " ".join(image.name.split()):
        notes.append(
            "The image's name in the OME-XML holds markup or control characters; the file's name is used."
        )
    if wanted.alone and len(image.files) > 1:
        note = f"The files belong to an OME-TIFF of {len(image.files)}; each is read by itself, as named."
        with files.opener.open_tiff(file, ome=False) as tif:
            found = load_series(tif, files, None, heard, notes=(note,))
        return replace(found, calibration=calibration_of_ome(image))
    members = _members(image, root, document.uuid, files)
    for _, member in members:
        files.add(member)
    notes += _about_identity(image, root, document.uuid, members, files)
    own_pages = [(uuid, root) for uuid, name in image.files if name.casefold() == root.name.casefold()]
    remote = {uuid: one for uuid, one in [*own_pages, *members] if isinstance(one, Location)}
    with files.opener.open_tiff(root, ome=True, text=text, members=remote) as tif:
        found = load_series(tif, files, image, heard, notes=tuple(notes))
    return found if wanted.number else replace(found, left_out=found.left_out + left)


def _metadata_of(place: Place, file: Place, files: Files) -> tuple[ome.OmeDocument, Place, str | None]:
    """Return a metadata file's document, the TIFF to open with it, and its text if not in that TIFF."""
    with files.opener.open(place) as handle:
        head = handle.read(2)
        nbytes = handle.seek(0, 2)
        if head not in (b"II", b"MM") and nbytes <= _MOST_METADATA:
            handle.seek(0)
            content = handle.read()
    if head in (b"II", b"MM"):
        files.add(place)
        with files.opener.open_tiff(place) as tif:
            document = ome.parse_ome(tif.pages.first.description, place)
        if document.metadata_file is not None:
            raise StackError(
                f"{shown(file)} says its metadata is in {shown(place)}, which holds none either; get the "
                "whole set"
            )
        return document, place, None
    if nbytes > _MOST_METADATA:
        raise StackError(f"{shown(place)} has {nbytes} bytes, more than any OME-XML; it is not read")
    text = content.decode("utf-8-sig", errors="replace").strip("\0 \r\n\t")
    document = ome.parse_ome(text, place)
    return document, file, text


def _is_file(place: Place, files: Files) -> bool:
    """Return True where a file that metadata names is there."""
    if isinstance(place, Path):
        return place.is_file()
    try:
        files.opener.remote(place)
    except NotFoundError:
        return False
    return True


def _beside(file: Place, name: str) -> Place:
    """Return the place of a file that metadata names, or raise StackError where it leads elsewhere."""
    relative = PureWindowsPath(name)  # splits at both kinds of slash
    if "\0" in name or relative.anchor or ".." in relative.parts or not relative.parts:
        raise StackError(
            f"{shown(file)}: its OME-XML points outside its folder, at {clean(name)!r}; "
            "it is not followed: put all files of the set into one folder"
        )
    if isinstance(file, Path):
        return file.parent.joinpath(*relative.parts)
    bucket, *key = [file.bucket, *file.key.split("/")][: -1 if file.key else -2] + list(relative.parts)
    return Location(file.endpoint, bucket, "/".join(key), file.anonymous)


def _holds(image: ome.OmeImage, file: Place, own: tuple[str, str]) -> bool:
    """Return True where planes of an image lie in this file, by its name or its document's UUID."""
    return not image.files or any(
        name.casefold() == file.name.casefold()
        or (uuid and ome.plain_uuid(uuid) == own[0] and file.name.casefold() == own[1])
        for uuid, name in image.files
    )


def _members(image: ome.OmeImage, root: Place, uuid: str, files: Files) -> list[tuple[str, Place]]:
    """Return the other files of a set with their UUIDs, or raise StackError that names the missing ones."""
    places = [
        (other, _beside(root, name))
        for other, name in image.files
        if not other or ome.plain_uuid(other) != uuid
    ]
    members = [(other, place) for other, place in places if place.name.casefold() != root.name.casefold()]
    there = Folder(root).map(lambda member: _is_file(member[1], files), members)
    missing = [place.name for (_, place), found in zip(members, there, strict=True) if not found]
    if missing:
        raise MissingFilesError(
            f"{shown(root)} belongs to an OME-TIFF of {len(members) + 1} files, and {len(missing)} of "
            f"them are not beside it: {listed(missing)}; put all files of the set into one folder"
        )
    return members


def _about_identity(
    image: ome.OmeImage, root: Place, uuid: str, members: list[tuple[str, Place]], files: Files
) -> tuple[str, ...]:
    """Return notes on files of a set that state another UUID than they should; see `check_identity`."""
    wanted = {member: ome.plain_uuid(other) for other, member in members}
    for other, name in image.files:
        if name.casefold() == root.name.casefold():
            wanted[root] = ome.plain_uuid(other)
        elif ome.plain_uuid(other) == uuid and _is_file(place := _beside(root, name), files):
            wanted[place] = uuid  # the root has another name than its metadata gives it
    return check_identity(wanted, files.opener) if len(wanted) > 1 else ()
