"""Commands on images where they lie: info and validate."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ngff_practical.cli import documents, image_pages
from ngff_practical.cli.options import DONE, PROBLEMS, Anonymous, AsJson, Endpoint
from ngff_practical.cli.output import emit
from ngff_practical.cli.places import resolve
from ngff_practical.cli.progress import bar
from ngff_practical.inspection import describe, validation_report


def info(url: str, *, endpoint: Endpoint = None, anonymous: Anonymous = False, json: AsJson = False) -> int:
    """Say what is stored at a place, from its metadata; no pixel is read.

    Parameters
    ----------
    url
        A folder or archive (.zip, .ozx), s3://bucket/key or https://host/bucket/key.
    """
    description = describe(resolve(url, endpoint, anonymous))
    if json:
        emit(documents.info_document(description))
    else:
        image_pages.info_page(description)
    return DONE if description.kind != "none" else PROBLEMS


def validate(
    url: str,
    *,
    data: Annotated[bool, Parameter(negative="")] = False,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Check an image, plate or collection against the specification of its version.

    Parameters
    ----------
    url
        A folder or archive (.zip, .ozx), s3://bucket/key or https://host/bucket/key.
    data
        Decode every chunk, too.
    """
    with bar("chunk") as update:
        place = resolve(url, endpoint, anonymous)
        report = validation_report(place, data=data, on_chunk=update if data else None)
    if json:
        emit(documents.validate_document(report))
    else:
        image_pages.validation_page(report)
    return DONE if report.valid else PROBLEMS
