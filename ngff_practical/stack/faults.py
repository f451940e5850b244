"""One place where whatever a damaged file provokes becomes one clear sentence."""

from __future__ import annotations

import logging
import os
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePath
from xml.etree.ElementTree import ParseError

from ngff_practical.errors import NgffPracticalError, StackError
from ngff_practical.model import Location, Place

# What tifffile, imagecodecs, numpy and struct raise for files that are not what they claim to be. Codec
# errors are RuntimeErrors, TiffFileError is a ValueError; a missing codec is an ImportError when called.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    ParseError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)

type Named = PurePath | Location

_heard: ContextVar[list[str] | None] = ContextVar("_heard", default=None)


class _Listener(logging.Filter):
    """Keeps tifffile's complaints off the screen while this package reads, and remembers them."""

    def filter(self, record: logging.LogRecord) -> bool:
        heard = _heard.get()
        if heard is None:
            return True
        if record.levelno >= logging.WARNING:
            heard.append(record.getMessage())
        return False


logging.getLogger("tifffile").addFilter(_Listener())


@contextmanager
def reading(file: Place, page: int | None = None) -> Iterator[list[str]]:
    """Turn anything a bad file raises into a StackError that names it; gives tifffile's complaints."""
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        yield heard
    except NgffPracticalError:
        raise
    except OSError as error:
        raise StackError(
            f"{_where(file, page)} cannot be read: {error.strerror or error}{_way_out(file, error)}"
        ) from error
    except RecursionError as error:
        raise StackError(
            f"{_where(file, page)} cannot be read: its directories lead in a circle; it is damaged: copy "
            "it again, or save it anew from the program that made it"
        ) from error
    except FAULTS as error:
        raise StackError(
            f"{_where(file, page)} cannot be read as a TIFF image ({one_line(error)}); "
            "it is damaged or of a kind that is not supported: copy it again, or save it anew as a plain TIFF"
        ) from error
    finally:
        _heard.reset(token)


def _way_out(file: Place, error: OSError) -> str:
    """Return what to do about a file that the system does not open, "" where nothing is known to help."""
    if isinstance(file, Path) and os.path.islink(file):  # noqa: PTH114 - never raises itself
        return f"; it is a link to {clean(str(file.readlink()))}: mend the link, or put the file in its place"
    if isinstance(error, PermissionError):
        return "; ask its owner for the right to read it, or take a copy of your own"
    return ""


def _where(file: Place, page: int | None) -> str:
    return shown(file) if page is None else f"{shown(file)}, page {page + 1},"


def one_line(error: BaseException) -> str:
    """Return an exception's text, short and free of control characters."""
    return clean(str(error)) or type(error).__name__


def clean(text: str, limit: int = 160) -> str:
    """Return text from a file fit for a message or metadata: one line, no control or direction characters."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown(file: Named) -> str:
    """Return a file's name as messages show it."""
    return clean(file.name or str(file), 255)


def listed(names: Iterable[str], limit: int = 4) -> str:
    """Return names as a phrase that stays short: "a, b, c, d and 7 more"."""
    every = list(names)
    head = ", ".join(clean(name) for name in every[:limit])
    return head if len(every) <= limit else f"{head} and {len(every) - limit} more"


def by(shape: Iterable[int]) -> str:
    """Return a shape as people write it: "25 x 137 x 147"."""
    return " x ".join(str(size) for size in shape)
