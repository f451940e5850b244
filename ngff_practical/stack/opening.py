"""The files of a stack, opened alike: a path by the system, a location by ranges of it."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import tifffile

from ngff_practical.errors import StackError
from ngff_practical.model import Location, Place
from ngff_practical.storage import RemoteObject


class _Root(tifffile.TiffFile):  # type: ignore[misc]  # there is no other way in
    """A TIFF whose OME-XML finds its other files opened already, as tifffile looks for them on disk only."""

    def __init__(
        self, file: BinaryIO, members: dict[str | None, tifffile.TiffFile], ome: bool | None, text: str | None
    ) -> None:
        self._members = members
        super().__init__(file, omexml=text, is_ome=ome, is_mmstack=False, is_ndtiff=False)

    @property
    def _files(self) -> dict[str | None, tifffile.TiffFile]:
        return self._by_uuid

    @_files.setter
    def _files(self, files: dict[str | None, tifffile.TiffFile]) -> None:
        self._by_uuid = self._members | files


_MOST_REMOTES = 512  # of which parts are kept in memory, most often 16 to 32 KiB


class Opener:
    """Opens files; a remote one is asked for its size and version once, and has to stay what it was."""

    def __init__(self, versions: dict[Location, str] | None = None) -> None:
        self._versions = dict(versions or {})
        self._remotes: OrderedDict[Location, RemoteObject] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, file: Place) -> BinaryIO:
        """Return a file open for reading."""
        if isinstance(file, Path):
            return file.open("rb")
        return cast(BinaryIO, self.remote(file).open())

    def open_tiff(
        self,
        file: Place,
        *,
        ome: bool | None = None,
        text: str | None = None,
        members: Mapping[str, Location] | None = None,
    ) -> tifffile.TiffFile:
        """Return an open TIFF; Micro-Manager's index is not used, it would stand in for the pages.

        `members` are the other files of a remote set by UUID; local ones are found by their names.
        """
        if isinstance(file, Path):
            return tifffile.TiffFile(file, omexml=text, is_ome=ome, is_mmstack=False, is_ndtiff=False)
        opened = {uuid or None: self._member(member) for uuid, member in (members or {}).items()}
        return _Root(self.open(file), opened, ome, text)

    def _member(self, file: Location) -> tifffile.TiffFile:
        tif = tifffile.TiffFile(self.open(file), is_ome=False, is_mmstack=False, is_ndtiff=False)
        tif.pages.cache = True
        tif.pages.useframes = True
        tif.pages.set_keyframe(0)
        return tif

    @staticmethod
    def path_of(file: Location) -> str:
        """Return what tifffile calls the path of a remote file: its address, put together by the system."""
        return os.path.join(*os.path.split(file.url))  # noqa: PTH118 - as tifffile does it

    def remote(self, file: Location) -> RemoteObject:
        """Return a remote file, asked for once."""
        with self._lock:
            remote, version = self._remotes.get(file), self._versions.get(file)
        if remote is None:
            remote = RemoteObject(file, version=version)
        with self._lock:
            remote = self._remotes.setdefault(file, remote)
            self._remotes.move_to_end(file)
            self._versions[file] = remote.version
            if len(self._remotes) > _MOST_REMOTES:
                self._remotes.popitem(last=False)
        return remote

    def forget(self) -> None:
        """Let go of what is kept of remote files; they are asked for again when they are needed."""
        with self._lock:
            self._remotes.clear()

    @contextmanager
    def honest(self) -> Iterator[None]:
        """Raise what a remote file failed with: tifffile takes any error for the end of the pages."""
        try:
            yield
        except StackError:
            self._raise_failure()
            raise
        self._raise_failure()

    def _raise_failure(self) -> None:
        with self._lock:
            remotes = list(self._remotes.values())
        for remote in remotes:
            if remote.failure is not None:
                raise remote.failure from None
