"""Delete an image from S3, so that it stops opening before it falls apart."""

from __future__ import annotations

from contextlib import suppress

from ngff_practical.errors import NotFoundError, StorageError
from ngff_practical.model import Location, StoredObject, check_location
from ngff_practical.storage import refuse_portal
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
    _refuse_bucket(location)
    with Crew(workers=1) as crew:
        objects = Objects(location, pause=crew.pause)
        return crew.do(lambda: _delete(objects, dry_run=dry_run))


def image_objects(location: Location) -> tuple[StoredObject, ...]:
    """Return every object of one image, as somebody is shown who is to agree that it is deleted.

    What is left of a broken-off upload, which has no root metadata, is an image where its name says so.

    Raises
    ------
    NotFoundError
        Nothing is stored below the location.
    StorageError
        The location is a whole bucket, or a prefix that images of several people may share.
    """
    _refuse_bucket(location)
    with Crew(workers=1) as crew:
        found = crew.do(Objects(location, pause=crew.pause).list)
        if not found:
            crew.do(lambda: refuse_portal(location))
            raise NotFoundError(f"nothing is stored below {location.url}; check the spelling of the key")
    if not location.name.endswith(".zarr") and not any(is_root_metadata(stored.key) for stored in found):
        raise StorageError(
            f"{location.url} is no image: it holds {found[0].key}, and no metadata of its own; nothing was "
            "deleted. Name the image, not the prefix it lies under"
        )
    return tuple(found)


def _refuse_bucket(location: Location) -> None:
    if not location.key:
        raise StorageError(f"{location.url} is a whole bucket; name the image that is to be deleted")


def _delete(objects: Objects, *, dry_run: bool) -> tuple[str, ...]:
    keys = tuple(stored.key for stored in objects.list())
    if not keys:
        refuse_portal(objects.location)
    if not dry_run:
        for key in keys:
            if is_root_metadata(key):
                objects.delete(key)
        objects.delete([key for key in keys if not is_root_metadata(key)])
        with suppress(StorageError):  # not everybody may list them, and not every server can
            objects.abort_parts()
    return keys
