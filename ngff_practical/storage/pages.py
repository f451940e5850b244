"""Keys one page at a time, as S3 lists them: by a prefix that is text, with or without a slash."""

from __future__ import annotations

from dataclasses import dataclass

from ngff_practical.model import Location, StoredObject
from ngff_practical.storage.exact import botocore_client, stored

LONGEST_PAGE = 1000  # what S3 gives at most in one answer


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Up to 1,000 keys of a bucket (whole, not relative) and, where asked for, the folders between them.

    `next` continues the listing, "" where this page is the last.
    """

    objects: tuple[StoredObject, ...]
    folders: tuple[str, ...] = ()
    next: str = ""


def list_page(
    bucket: Location, prefix: str = "", *, folders: bool = False, start: str = "", most: int = LONGEST_PAGE
) -> KeyPage:
    """Return one page of the keys that begin with `prefix`, in one request.

    The prefix is text and not a folder: "a.zarr" finds "a.zarr2/0", too. The location's own key counts for
    nothing. With `folders`, keys that share the next part up to a "/" are given as one folder.

    Parameters
    ----------
    start
        Where to go on: `next` of the page before.

    Raises
    ------
    StorageError
        The bucket does not exist or may not be listed.
    """
    asked: dict[str, str | int] = {"Bucket": bucket.bucket, "Prefix": prefix, "MaxKeys": most}
    if folders:
        asked["Delimiter"] = "/"
    if start:
        asked["ContinuationToken"] = start
    with botocore_client(bucket, doing="list") as client:
        answer = client.list_objects_v2(**asked)
    return KeyPage(
        tuple(stored(item, "") for item in answer.get("Contents", ())),
        tuple(item["Prefix"] for item in answer.get("CommonPrefixes", ())),
        answer.get("NextContinuationToken", "") if answer.get("IsTruncated") else "",
    )
