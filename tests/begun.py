"""Multipart uploads that somebody began and did not end."""

from ngff_practical.model import Location
from ngff_practical.storage.clients import exact_client


def begin_parts(place: Location, *pieces: bytes) -> str:
    """Begin a multipart upload of the object at a place, send some parts, and return its id."""
    client = exact_client(place)
    target = {"Bucket": place.bucket, "Key": place.key}
    target["UploadId"] = client.create_multipart_upload(**target)["UploadId"]
    for number, piece in enumerate(pieces, 1):
        client.upload_part(**target, PartNumber=number, Body=piece)
    client.close()
    return target["UploadId"]
