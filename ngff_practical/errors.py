"""One tree of errors: each names the thing, both values and the way out, and is also a builtin."""

import traceback
from itertools import takewhile
from pathlib import Path

_PACKAGE = str(Path(__file__).parent)


class NgffPracticalError(Exception):
    """Root of every error this package raises on purpose, with a text for the person at the keyboard."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows: the line that asked, and the text, without the way through our code.

        IPython asks exceptions for this; everywhere else the traceback is whole.
        """
        steps = traceback.extract_tb(self.__traceback__)
        before = list(takewhile(lambda step: not step.filename.startswith(_PACKAGE), steps))
        asked = [f"----> {before[-1].lineno} {before[-1].line}", ""] if before and before[-1].line else []
        return [*asked, f"{type(self).__name__}: {self}"]


class StackError(NgffPracticalError, ValueError):
    """A TIFF stack that is no image: missing planes, mixed shapes, damaged files, unstated axes."""


class PlanError(NgffPracticalError, ValueError):
    """A pyramid that cannot be written: chunks, shards, factors or levels that do not fit the image."""


class MetadataError(NgffPracticalError, ValueError):
    """OME-Zarr metadata that cannot be understood at all."""


class StorageError(NgffPracticalError, OSError):
    """A place, local or on S3, that cannot be reached, read or written."""


class NotFoundError(StorageError, FileNotFoundError):
    """Nothing is stored at this place."""


class AccessError(StorageError, PermissionError):
    """The place exists, but these credentials (or none) do not open it."""


class TooLargeError(StorageError):
    """What is stored is larger than what was asked for may be; it was not read."""


class ExistsError(StorageError, FileExistsError):
    """Something is stored there already, and nobody said it may be overwritten."""


class ConversionError(NgffPracticalError, RuntimeError):
    """A conversion that started and could not end well; the destination does not open as an image."""


class TransferError(NgffPracticalError, RuntimeError):
    """An upload or download that started and could not end well."""


class SandboxError(NgffPracticalError, RuntimeError):
    """The local S3 sandbox cannot be started, reached or stopped."""
