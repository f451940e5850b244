"""The command that deletes an image from S3: it shows what, and asks."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from ngff_practical.cli import documents
from ngff_practical.cli.options import DONE, PROBLEMS, AsJson, DryRun, Endpoint
from ngff_practical.cli.output import emit, say, show
from ngff_practical.cli.places import resolve_upload
from ngff_practical.errors import PlanError
from ngff_practical.model import Location
from ngff_practical.model.wording import bytes_text, plural
from ngff_practical.transfer import delete_image, image_objects


def delete(
    url: str,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Delete without asking.")] = False,
    dry_run: DryRun = False,
    endpoint: Endpoint = None,
    json: AsJson = False,
) -> int:
    """Delete an image from S3, all of it; a bucket, or a prefix with several images, is refused.

    Parameters
    ----------
    url
        The image's root: s3://bucket/key.
    """
    place = resolve_upload(url, endpoint)
    found = image_objects(place)
    what = f"{plural(len(found), 'object')}, {bytes_text(sum(stored.nbytes for stored in found))}, at {place}"
    if not dry_run:
        if not yes and not _agreed(place, what, json):
            say("nothing was deleted")
            return PROBLEMS
        delete_image(place)
    if json:
        emit(documents.deletion_document(str(place), found, dry_run=dry_run))
    else:
        show(f"{'would delete' if dry_run else 'deleted'} {what}")
    return DONE


def _agreed(place: Location, what: str, json: bool) -> bool:
    """Ask the person at the keyboard to type the image's name.

    Raises
    ------
    PlanError
        Nobody is there to be asked.
    """
    if json or not sys.stdin.isatty():
        raise PlanError(f"nothing was deleted: {what}. Say --yes to delete it, or --dry-run to look only")
    say(f"This deletes {what}. Nothing brings it back.")
    say(f"Type {place.name} to delete it:")
    return sys.stdin.readline().strip() == place.name
