"""Move images to and from S3, and prove that every byte arrived."""

from ngff_practical.storage.crew import WORKERS
from ngff_practical.transfer.delete import delete_image, image_objects
from ngff_practical.transfer.download import download
from ngff_practical.transfer.manifest import make_manifest, manifest_path, read_manifest, write_manifest
from ngff_practical.transfer.upload import upload
from ngff_practical.transfer.verify import verify, verify_copy

__all__ = [
    "WORKERS",
    "delete_image",
    "download",
    "image_objects",
    "make_manifest",
    "manifest_path",
    "read_manifest",
    "upload",
    "verify",
    "verify_copy",
    "write_manifest",
]
