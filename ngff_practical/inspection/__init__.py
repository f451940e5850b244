"""What an OME-Zarr is, and whether it is right: described and validated where it lies, local or on S3."""

from ngff_practical.inspection.describing import describe, describe_image
from ngff_practical.inspection.validating import validate, validation_report

__all__ = ["describe", "describe_image", "validate", "validation_report"]
