"""The command doctor: is this computer ready, and what may be done at a place on S3."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

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
        stays = offline or os.environ.get("NGFF_PRACTICAL_OFFLINE", "") not in ("", "0")
        checks = tuple(check_everything(folder, offline=stays))
    if json:
        emit({"ready": ready(checks), "checks": [asdict(check) for check in checks]})
    else:
        pages.doctor_page(checks)
    return DONE if ready(checks) else PROBLEMS
