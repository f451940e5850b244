"""Keys for a bucket of one's own, typed where nobody and no notebook sees them."""

from __future__ import annotations

import os
from getpass import getpass

from ngff_practical.errors import AccessError
from ngff_practical.storage.credentials import on_binder


def ask_for_keys(endpoint: str) -> None:
    """Ask for an access key and its secret without showing them, for this kernel and this server alone.

    They go into the environment of this process and nowhere else: a restarted kernel has forgotten them.

    Raises
    ------
    AccessError
        On Binder, or where nothing was typed.
    """
    if on_binder():
        raise AccessError(
            "S3 keys are not asked for on Binder, whose machines are public and belong to others; work with "
            "the sandbox here, or with keys on a computer of your own"
        )
    access, secret = getpass("access key: ").strip(), getpass("secret key: ").strip()
    if not access or not secret:
        raise AccessError("no keys were typed; run the cell again, or read with anonymous access")
    for name in ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3"):
        os.environ.pop(name, None)
    os.environ.update(
        AWS_ACCESS_KEY_ID=access, AWS_SECRET_ACCESS_KEY=secret, AWS_ENDPOINT_URL=endpoint.rstrip("/")
    )
