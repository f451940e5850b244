"""Zip archives, local or on S3: their directory, and members read within bounds; nothing is extracted."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ngff_practical.errors import AccessError, StorageError, TooLargeError
from ngff_practical.model import Place
from ngff_practical.storage.ranges import RemoteObject

LARGEST_DIRECTORY = 32 * 2**20
"""Bytes of an archive's directory that are read: some 300,000 members."""

_END, _END_64 = (
    b"PK\x05\x06",
    b"PK\x06\x07",
)  # the records at the end of an archive that lead to its directory
_ENDS_WITHIN = 22 + 2**16  # bytes: that record, and the longest comment
_READ_AHEAD = 256 * 2**10
_LINK = 0xA  # in the upper bits of a Unix mode

ARCHIVES = (".zip", ".ozx")  # how the names of zipped images end

# Whatever zipfile raises over damaged or hostile archives.
_UNREADABLE = (
    BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive's directory, as it stands there: any of it may be a lie.

    `name` is not made safe. `nbytes` is the size that it says it unpacks to, `packed` what it takes up.
    """

    name: str
    nbytes: int
    packed: int
    offset: int
    method: int
    encrypted: bool
    link: bool
    zip64: bool
    _info: ZipInfo = field(repr=False, compare=False)

    @property
    def folder(self) -> bool:
        """True for the entry of a folder, which holds nothing."""
        return self.name.endswith("/") and self.nbytes == 0


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive: its members in the order in which they lie in the file, its size, and its comment."""

    place: Place
    nbytes: int
    members: tuple[Member, ...]
    comment: bytes
    zip64: bool
    _zip: ZipFile = field(repr=False, compare=False)
    _file: BinaryIO = field(repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def close(self) -> None:
        """Let go of the file; nothing can be read any more."""
        self._zip.close()
        self._file.close()

    def read(self, member: Member, *, limit: int) -> bytes:
        """Return what a member holds; several threads may ask at once, and wait for each other.

        Raises
        ------
        TooLargeError
            It says that it has more than `limit` bytes; nothing was unpacked.
        StorageError
            It is encrypted, packed in a way that is not read here, damaged, or no file.
        """
        trouble = unreadable(member)
        if trouble:
            raise StorageError(f"{member.name!r} in {self.place} {trouble}")
        if member.nbytes > limit:
            raise TooLargeError(f"{member.name!r} in {self.place} has more than {limit} bytes")
        try:
            # One at a time: zipfile (3.13) skips the extra field that every ZIP64 member has from wherever
            # another thread has left the file (`_SharedFile.seek` with whence 1), and finds it damaged then.
            with self._lock, self._zip.open(member._info) as packed:
                data = packed.read(member.nbytes + 1)
        except StorageError:
            raise  # the server's
        except (*_UNREADABLE, OSError) as error:
            raise StorageError(f"{member.name!r} in {self.place} is damaged: {_cause(error)}") from None
        if len(data) != member.nbytes:
            raise StorageError(
                f"{member.name!r} in {self.place} has {len(data)} bytes, its directory says {member.nbytes}"
            )
        return data


def unreadable(member: Member) -> str:
    """Return why a member is not read, as the end of a sentence; "" for one that may be."""
    if member.encrypted:
        return "is encrypted; store it without a password"
    if member.link:
        return "is a link, which is not followed; store the file itself"
    if member.method not in (ZIP_STORED, ZIP_DEFLATED):
        return f"is packed by method {member.method}, which few programs read; store it without compression"
    return ""


def open_archive(place: Place) -> Archive | None:
    """Return the archive at a place, None where its bytes do not even begin like one.

    On S3 its end and each member are read by themselves, with range requests.

    Raises
    ------
    NotFoundError
        Nothing is stored there.
    StorageError
        It begins like an archive and is none: it has no directory, or one of impossible size.
    """
    file = _opened(place)
    try:
        found = _read_directory(file, place)
    except BaseException:
        file.close()
        raise
    if found is None:
        file.close()
    return found


def _read_directory(file: BinaryIO, place: Place) -> Archive | None:
    head = file.read(4)
    nbytes = file.seek(0, io.SEEK_END)
    if not head.startswith((b"PK\x03\x04", _END)):
        return None
    try:
        zip64 = _check_end(file, nbytes, place)
        archive = ZipFile(file)
    except StorageError:
        raise
    except (*_UNREADABLE, OSError) as error:
        raise StorageError(f"{place} is no zip archive that can be read: {_cause(error)}") from None
    members = sorted(map(_member, archive.infolist()), key=lambda member: member.offset)
    return Archive(place, nbytes, tuple(members), archive.comment, zip64, archive, file)


def _member(info: ZipInfo) -> Member:
    return Member(
        name=info.orig_filename,
        nbytes=info.file_size,
        packed=info.compress_size,
        offset=info.header_offset,
        method=info.compress_type,
        encrypted=bool(info.flag_bits & 0x1),
        link=info.external_attr >> 28 == _LINK,
        zip64=info.extract_version >= 45,
        _info=info,
    )


def _check_end(file: BinaryIO, nbytes: int, place: Place) -> bool:
    """Return whether the archive is ZIP64, once its directory is known to be of a size that may be read."""
    start = max(0, nbytes - _ENDS_WITHIN)
    file.seek(start)
    tail = file.read()
    at = len(tail) - 22 if tail[-22:-18] == _END and tail[-2:] == b"\0\0" else tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise StorageError(f"{place} is a zip archive without a directory; it was probably cut short")
    disk, first, _, _, length, _, comment = struct.unpack_from("<HHHHIIH", tail, at + 4)
    if len(tail) - at - 22 < comment:
        raise StorageError(f"{place} ends in the middle of its comment; it was probably cut short")
    zip64 = at >= 20 and tail[at - 20 : at - 16] == _END_64
    if zip64:
        file.seek(max(0, start + at - 20 - 56))
        record = file.read(56)
        disk, first, _, _, length, _ = struct.unpack_from("<IIQQQQ", record, 16)
    if disk or first:
        raise StorageError(f"{place} is one part of a split archive; put it together into one file")
    if length > LARGEST_DIRECTORY:
        raise StorageError(
            f"{place} says that its directory has {length} bytes, more than the {LARGEST_DIRECTORY} that "
            "are read; unpack it, and look at the folder"
        )
    return zip64


def _opened(place: Place) -> BinaryIO:
    if isinstance(place, Path):
        try:
            return place.open("rb")
        except PermissionError:
            raise AccessError(f"{place} may not be read by this user; change its permissions") from None
    return io.BufferedReader(RemoteObject(place).open(), _READ_AHEAD)


def _cause(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
