"""Objects by key, in a folder or on S3: places, stores, listings, and errors that explain themselves."""

from ngff_practical.storage.archive import ARCHIVES, Archive, Member, open_archive, unreadable
from ngff_practical.storage.clients import filesystem, object_store
from ngff_practical.storage.credentials import has_credentials
from ngff_practical.storage.explain import explained
from ngff_practical.storage.local import file_size, path_exists
from ngff_practical.storage.objects import (
    delete_object,
    list_folder,
    list_objects,
    object_exists,
    reachable,
    read_object,
    write_object,
)
from ngff_practical.storage.pages import KeyPage, list_page
from ngff_practical.storage.places import parse_place
from ngff_practical.storage.portal import refuse_portal
from ngff_practical.storage.ranges import RemoteObject
from ngff_practical.storage.stores import zarr_store

__all__ = [
    "ARCHIVES",
    "RemoteObject",
    "Archive",
    "KeyPage",
    "Member",
    "delete_object",
    "explained",
    "file_size",
    "filesystem",
    "has_credentials",
    "list_folder",
    "list_objects",
    "list_page",
    "object_exists",
    "object_store",
    "open_archive",
    "parse_place",
    "path_exists",
    "reachable",
    "read_object",
    "refuse_portal",
    "unreadable",
    "write_object",
    "zarr_store",
]
