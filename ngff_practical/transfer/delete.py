"""Delete an image from S3, so that it stops opening before it falls apart."""

from __future__ import annotations

from contextlib import suppress

from ngff_practical.errors import StorageError
from ngff_practical.model import Location, check_location
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.moving import Objects
from ngff_practical.transfer.keys import is_root_metadata


def delete_image(location: Location, *, dry_run: bool = False) -> tuple[str, ...]:
    """Delete every object below a location and return their keys; the root's metadata goes first.

    Uploads in parts that were never finished there are given up, too. With `dry_run` objects are only listed.

    Raises
    ------
    StorageError
        The location is a whole bucket, or its objects may not be deleted.
    """
    check_location(location)
    if not location.key:
        raise StorageError(f"{location.url} is a whole bucket; name the image that is to be deleted")
    with Crew(workers=1) as crew:
        objects = Objects(location, pause=crew.pause)
        return crew.do(lambda: _delete(objects, dry_run=dry_run))


def _delete(objects: Objects, *, dry_run: bool) -> tuple[str, ...]:
    keys = tuple(stored.key for stored in objects.list())
    if not dry_run:
        for key in keys:
            if is_root_metadata(key):
                objects.delete(key)
        objects.delete([key for key in keys if not is_root_metadata(key)])
        with suppress(StorageError):  # not everybody may list them, and not every server can
            objects.abort_parts()
    return keys
