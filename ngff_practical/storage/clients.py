"""The libraries that talk to S3, set up alike: path style, no instance metadata, bounded patience."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from obstore.store import HTTPStore, S3Store

from ngff_practical.model import Location
from ngff_practical.storage.credentials import EnvironmentCredentials, region, require_keys
from ngff_practical.storage.odd_keys import explain_path

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from obstore.store import ClientConfig, RetryConfig, S3Config
    from s3fs import S3FileSystem

    from ngff_practical.meter import Recorder

RETRIES = 6  # of obstore's own, about a second in all for a server that is not there
_CONNECT_S = 5
_SILENCE_S = 60  # a server that sends nothing for so long has gone
_REQUEST_S = 900  # one object, whole: obstore's own 30 s is too short for a shard over a slow line


def object_store(location: Location, *, retries: int = RETRIES, timeout_s: float | None = None) -> S3Store:
    """Return an obstore store rooted at the location's key.

    503, 429, resets and timeouts are tried again up to `retries` times with growing pauses, about a second
    in all for a server that is not there. `timeout_s` bounds a request together with its repetitions.

    Raises
    ------
    AccessError
        The location is not anonymous and there are no credentials.
    StorageError
        The location's key cannot be said to obstore (an empty part as in "a//b").
    """
    if not location.anonymous:
        require_keys()
    return _store(location, location.key, retries, timeout_s)


def bucket_store(
    location: Location, *, retries: int = RETRIES, checksums: bool = False, timeout_s: float | None = None
) -> S3Store:
    """Return an obstore store of the whole bucket; the same one while the keys are the same.

    With `checksums` a SHA-256 goes with every object, for the server to check and to keep. `timeout_s` bounds
    a request together with its repetitions.
    """
    who = "" if location.anonymous else require_keys().fingerprint
    settings = region(), checksums, who, retries, timeout_s
    return _cached_store(location.endpoint, location.bucket, location.anonymous, *settings)


@lru_cache(maxsize=16)
def _cached_store(
    endpoint: str,
    bucket: str,
    anonymous: bool,
    region: str,
    checksums: bool,
    who: str,
    retries: int,
    timeout_s: float | None,
) -> S3Store:
    whole = Location(endpoint, bucket, anonymous=anonymous)
    return _store(whole, "", retries, timeout_s, checksums=checksums)


def web_store(endpoint: str) -> HTTPStore:
    """Return an obstore store of a whole web server, for reading unsigned: paths are "bucket/key"."""
    return _cached_web_store(endpoint)


@lru_cache(maxsize=16)
def _cached_web_store(endpoint: str) -> HTTPStore:
    return HTTPStore(endpoint, client_options=_client(endpoint, None), retry_config=_retry(RETRIES, None))


def _client(endpoint: str, timeout_s: float | None) -> ClientConfig:
    client: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=min(_CONNECT_S, timeout_s or _CONNECT_S)),
        "read_timeout": timedelta(seconds=min(_SILENCE_S, timeout_s or _SILENCE_S)),
        "timeout": timedelta(seconds=timeout_s or _REQUEST_S),
    }
    if is_loopback(endpoint):  # an institute's HTTP_PROXY cannot reach this machine's own servers
        client["proxy_url"] = "http://127.0.0.1:9"
        client["proxy_excludes"] = "localhost,127.0.0.0/8,::1"
    return client


def _retry(retries: int, timeout_s: float | None) -> RetryConfig:
    return {
        "max_retries": retries,
        "retry_timeout": timedelta(seconds=timeout_s or _SILENCE_S),
        "backoff": {
            "init_backoff": timedelta(milliseconds=100),
            "max_backoff": timedelta(seconds=5),
            "base": 2,
        },
    }


def _store(
    location: Location, prefix: str, retries: int, timeout_s: float | None, *, checksums: bool = False
) -> S3Store:
    config: S3Config = {
        "endpoint": location.endpoint,
        "aws_endpoint_url_s3": location.endpoint,  # else the environment's would win
        "region": region(),
        "skip_signature": location.anonymous,
        "virtual_hosted_style_request": False,
        "conditional_put": "etag",  # obstore takes what is not said here from AWS_... variables
        "s3_express": False,
        "unsigned_payload": False,
    }
    if checksums:
        config["checksum_algorithm"] = "SHA256"
    with explain_path(location):
        return S3Store(
            quote(location.bucket),  # a typing error ends in obstore's panic
            prefix=prefix or None,
            config=config,
            client_options=_client(location.endpoint, timeout_s),
            retry_config=_retry(retries, timeout_s),
            credential_provider=None if location.anonymous else EnvironmentCredentials(),
        )


def filesystem(location: Location, *, recorder: Recorder | None = None) -> S3FileSystem:
    """Return an s3fs filesystem for the location's server; paths are "bucket/key".

    Set up with one request per object (`max_concurrency=1` removes s3fs' HEAD before each GET) and
    checksums only where required. With a `recorder` every request it makes is recorded.
    """
    who = "" if location.anonymous else require_keys().fingerprint
    if recorder is None:
        return _cached_filesystem(location.endpoint, location.anonymous, region(), who)

    from ngff_practical.storage.listening import listen

    made = _filesystem(location)
    listen(made, recorder)
    return made


@lru_cache(maxsize=8)
def _cached_filesystem(endpoint: str, anonymous: bool, region: str, who: str) -> S3FileSystem:
    return _filesystem(Location(endpoint, "any", anonymous=anonymous))


def _filesystem(location: Location) -> S3FileSystem:
    import s3fs

    return s3fs.S3FileSystem(
        anon=location.anonymous,
        endpoint_url=location.endpoint,
        client_kwargs={"region_name": region()},
        config_kwargs=boto_config(location),
        max_concurrency=1,
        use_listings_cache=False,  # other programs write to the same bucket
        skip_instance_cache=True,  # s3fs would give back an instance with the keys of a sandbox long gone
    )


def boto_config(location: Location, *, retries: int = 1) -> dict[str, object]:
    """Return the arguments of botocore's Config that every boto-based client of ours gets."""
    config: dict[str, object] = {
        "s3": {"addressing_style": "path"},
        "request_checksum_calculation": "when_required",  # many S3-compatible stores reject the newer default
        "response_checksum_validation": "when_required",
        "connect_timeout": _CONNECT_S,
        "read_timeout": _SILENCE_S,
        "retries": {"total_max_attempts": 1 + retries, "mode": "standard"},  # s3fs repeats on its own
    }
    if is_loopback(location.endpoint):
        config["proxies"] = {}
    return config


def exact_client(location: Location, *, retries: int = 1) -> BaseClient:
    """Return a botocore client: slower than obstore, but it takes every key S3 allows.

    With 0 `retries` it never waits on its own between attempts, as whoever has a Patience wants it.
    """
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    keys = None if location.anonymous else require_keys()
    signing = UNSIGNED if keys is None else "s3v4"
    return botocore.session.Session().create_client(
        "s3",
        region_name=region(),
        endpoint_url=location.endpoint,
        aws_access_key_id=keys.access_key_id if keys else None,
        aws_secret_access_key=keys.secret_access_key if keys else None,
        aws_session_token=keys.session_token if keys else None,
        config=Config(signature_version=signing, **boto_config(location, retries=retries)),
    )


def sends_checksums() -> bool:
    """Return True unless the environment asks for none that a server could do without (when_required)."""
    return os.environ.get("AWS_REQUEST_CHECKSUM_CALCULATION", "").lower() != "when_required"


def is_loopback(endpoint: str) -> bool:
    """Return True where the endpoint is this machine itself."""
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
