"""The command doctor: is this computer ready, and what may be done at a place on S3."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ngff_practical import samples
from ngff_practical.cli import pages
from ngff_practical.cli.options import DONE, PROBLEMS, Anonymous, AsJson, Endpoint
from ngff_practical.cli.output import emit
from ngff_practical.cli.places import resolve_location
from ngff_practical.doctor import check_everything, check_place, ready


def doctor(
    url: str | None = None,
    *,
    folder: Path = Path(),
    offline: Annotated[bool, Parameter(negative="")] = False,
    endpoint: Endpoint = None,
    anonymous: Anonymous = False,
    json: AsJson = False,
) -> int:
    """Check this computer, the sandbox and the network; or, with an address, what may be done there.

    Parameters
    ----------
    url
        A place on S3: listed, read, written to (one small object, deleted again) and read as a stranger.
    folder
        Where the lessons will write.
    offline
        Ask no server but the sandbox, as NGFF_PRACTICAL_OFFLINE=1 does.
    """
    if url is not None:
        checks = tuple(check_place(resolve_location(url, endpoint, anonymous)))
    else:
        checks = tuple(check_everything(folder, offline=offline or samples.offline()))
    fine = ready(checks)
    if json:
        emit({"ready": fine, "checks": [asdict(check) for check in checks]})
    else:
        pages.doctor_page(checks, ready=fine)
    return DONE if fine else PROBLEMS
