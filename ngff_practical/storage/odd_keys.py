"""Keys that S3 allows, and that most S3 clients refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ngff_practical.errors import StorageError
from ngff_practical.model import Location


@contextmanager
def explain_path(location: Location) -> Iterator[None]:
    """Turn obstore's refusal of a key into ours."""
    try:
        yield
    except ValueError:
        raise odd_key(location.url) from None


def odd_key(url: str) -> StorageError:
    """Return what is said of a key that S3 allows and most S3 clients do not."""
    return StorageError(
        f"{url}: the key has an empty part, a dot for a part or a control character; "
        "S3 allows that, but it cannot be opened as an image. Leave out what is twice, or choose another key"
    )
