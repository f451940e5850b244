"""Places as zarr stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ngff_practical.model import Location, Place

if TYPE_CHECKING:
    from zarr.abc.store import Store

    from ngff_practical.meter import Recorder


def zarr_store(place: Place, *, read_only: bool = True, recorder: Recorder | None = None) -> Store:
    """Return the place as a zarr store: LocalStore for a folder, ObjectStore (over obstore) for S3.

    A read that is refused raises AccessError and names the object; S3 also refuses keys that do not exist
    where listing is not allowed, so a chunk that was never written may look forbidden there. With a
    `recorder` every read and write is recorded. Nothing is contacted yet.

    Raises
    ------
    AccessError
        The location is not anonymous and there are no credentials.
    """
    from zarr.storage import LocalStore

    store: Store
    if isinstance(place, Location):
        from ngff_practical.storage.explaining import open_store

        store = open_store(place, read_only)
        client, root = "obstore", "/".join(part for part in (place.bucket, place.key) if part)
    else:
        store = LocalStore(place, read_only=read_only)
        client, root = "zarr", Path(place).name
    if recorder is None:
        return store

    from ngff_practical.meter.stores import MeteredStore

    return MeteredStore(store, recorder, root=root, client=client)
