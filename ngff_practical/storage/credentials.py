"""Keys for S3, from the environment or an AWS profile, never from the instance-metadata service."""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ngff_practical.errors import AccessError

if TYPE_CHECKING:
    from obstore.store import S3Credential

_PROFILE_LASTS = timedelta(minutes=15)  # asked again after that: a profile may stand for temporary keys

_PROFILE_KNOWN_S = 60.0  # looking a profile up takes botocore some 50 ms, too long for every request
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_SANDBOXS_OWN = re.compile("SANDBOX[A-Z0-9]{13}")
_PROFILE_VARIABLES = ("AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")


@dataclass(frozen=True, slots=True)
class Keys:
    """One set of credentials; its repr shows nothing."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    from_profile: bool = False

    @property
    def fingerprint(self) -> str:
        """A name for these keys that tells them from others and gives nothing away."""
        text = "\0".join((self.access_key_id, self.secret_access_key, self.session_token or ""))
        return hashlib.sha256(text.encode()).hexdigest()


_profiles: dict[tuple[str | None, ...], tuple[float, Keys]] = {}


def region() -> str:
    """Return the region to sign for: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def has_credentials() -> bool:
    """Return True where the environment or an AWS profile holds keys; asks no network service."""
    try:
        return find_keys() is not None
    except AccessError:
        return False


def find_keys() -> Keys | None:
    """Return the keys of the environment, else of the AWS profile, else None."""
    access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        return _checked(Keys(access, secret, os.environ.get("AWS_SESSION_TOKEN") or None))
    where = tuple(os.environ.get(name) for name in _PROFILE_VARIABLES)
    known = _profiles.get(where)
    if known is None or time.monotonic() - known[0] > _PROFILE_KNOWN_S:
        keys = _profile_keys()
        if keys is None:
            return None
        known = _profiles[where] = time.monotonic(), keys
    return known[1]


def require_keys() -> Keys:
    """Return the keys to sign with.

    Raises
    ------
    AccessError
        There are none.
    """
    keys = find_keys()
    if keys is None:
        raise AccessError(
            "no S3 credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            "in the environment, or read public data with anonymous access (anonymous=True, --anonymous)"
        )
    if on_binder() and not sandboxs_own(keys):
        raise AccessError(
            "S3 keys are not used on Binder, whose machines are public and belong to others; take them out "
            "of the environment and change them, then work with the sandbox here, or with keys on a computer "
            "of your own"
        )
    return keys


def sandboxs_own(keys: Keys) -> bool:
    """Return True for the keys that a sandbox made up for itself, which open nothing else."""
    return _SANDBOXS_OWN.fullmatch(keys.access_key_id) is not None


def on_binder() -> bool:
    """Return True on a machine of a BinderHub, which is no place for anybody's keys."""
    return any(name.startswith("BINDER_") and value for name, value in os.environ.items())


def _profile_keys() -> Keys | None:
    import botocore.exceptions
    import botocore.session

    session = botocore.session.Session()
    try:
        providers = session.get_component("credential_provider")
        for name in ("iam-role", "container-role"):  # off the cloud they only wait for an answer
            providers.remove(name)
        found = session.get_credentials()
        if found is None:
            return None
        frozen = found.get_frozen_credentials()
    except botocore.exceptions.PartialCredentialsError as error:
        raise AccessError(f"half of the S3 credentials is missing: {error}; set both or none") from None
    except (botocore.exceptions.BotoCoreError, ValueError, OSError) as error:
        why = " ".join(str(error).split()).rstrip(":.")
        raise AccessError(
            f"the AWS profile cannot be used: {why}. Mend ~/.aws/credentials and ~/.aws/config, or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
        ) from None
    if not (frozen.access_key and frozen.secret_key):
        return None
    return _checked(Keys(frozen.access_key, frozen.secret_key, frozen.token, from_profile=True))


def _checked(keys: Keys) -> Keys:
    """Return keys that can travel in a header; raises AccessError where a line break came along, say."""
    parts = {
        "the access key": keys.access_key_id,
        "the secret key": keys.secret_access_key,
        "the session token": keys.session_token or "x",
    }
    for name, value in parts.items():
        if _VISIBLE.fullmatch(value) is None:
            raise AccessError(
                f"{name} in use has a line break, a space at an end or another character that no key has; "
                "copy it again"
            )
    return keys


class EnvironmentCredentials:
    """What obstore asks for keys: reads them anew, so that a pickled store carries none."""

    def __call__(self) -> S3Credential:
        """Return the keys as obstore wants them."""
        keys = require_keys()
        return {
            "access_key_id": keys.access_key_id,
            "secret_access_key": keys.secret_access_key,
            "token": keys.session_token,
            "expires_at": datetime.now(UTC) + _PROFILE_LASTS if keys.from_profile else None,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnvironmentCredentials)

    def __hash__(self) -> int:
        return hash(EnvironmentCredentials)
