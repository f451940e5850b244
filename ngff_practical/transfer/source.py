"""The local files of an upload: read once, hashed on the way, and noticed when they change meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ngff_practical.errors import StorageError
from ngff_practical.transfer.checksums import LARGE_NBYTES, etag_proves, sha256, sha256_of_file
from ngff_practical.transfer.keys import check_sendable, local_path
from ngff_practical.transfer.manifest import local_files


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was when the upload began: `changed_ns` is when it was last written to."""

    key: str
    path: Path
    nbytes: int
    changed_ns: int

    def read(self) -> bytes:
        """Return all of it.

        Raises
        ------
        StorageError
            It cannot be read, or was written to since the upload began.
        """
        with self.unchanged():
            return self.path.read_bytes()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Raise StorageError where what was read inside the block is not the file the upload began with."""
        try:
            yield
            state = self.path.stat()
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read any more: {error.strerror or error}") from None
        if (state.st_size, state.st_mtime_ns) != (self.nbytes, self.changed_ns):
            raise StorageError(
                f"{self.path} was changed while it was being sent; wait until nothing writes to it, "
                "and start again"
            )

    def sha256(self) -> str:
        """Return the SHA-256 of the file, read in pieces; raises as `read` does."""
        with self.unchanged():
            return sha256_of_file(self.path)

    def prove(self, etag: str | None) -> tuple[str, bool]:
        """Return the SHA-256 of the file, and whether an ETag is a checksum of exactly these bytes."""
        if self.nbytes > LARGE_NBYTES:
            with self.unchanged():
                return self.sha256(), etag_proves(etag, self.path, self.nbytes)
        data = self.read()
        return sha256(data), etag_proves(etag, data, self.nbytes)


def source_files(root: Path, prefix: str) -> dict[str, SourceFile]:
    """Return the files of an image by key, none of them read yet; a single file has the key "".

    Raises
    ------
    StorageError
        The folder does not exist or is empty, or a file's name cannot be a key below `prefix`.
    """
    files = {}
    for found in local_files(root):
        check_sendable(found.key or root.name, prefix)
        path = local_path(root, found.key)
        state = path.stat()
        files[found.key] = SourceFile(found.key, path, state.st_size, state.st_mtime_ns)
    return files
