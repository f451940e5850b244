"""Errors of S3 libraries, told in one sentence with the way out; nothing of their own text gets through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from obstore.exceptions import BaseError

from ngff_practical.errors import AccessError, ExistsError, NgffPracticalError, NotFoundError, StorageError
from ngff_practical.model import Location
from ngff_practical.storage.portal import answers_with_pages, portal_error

type Doing = Literal["read", "list", "write", "delete"]

# What obstore says when a connection fails, in the words of the Rust libraries below it.
_BROKEN = (
    ("NotPartial", "whole only"),
    ("RangeNotSupported", "whole only"),
    ("ProxyAuthRequired", "proxy"),
    ("TunnelUnsuccessful", "proxy"),
    ("Failed to connect to proxy", "proxy"),
    ("ConnectionRefused", "refused"),
    ("Could not connect to the endpoint", "refused"),
    ("Connect timeout", "timeout"),
    ("Read timeout", "timeout"),
    ("dns error", "unknown host"),
    ("certificate", "certificate"),
    ("SSL validation failed", "certificate"),
    ("InvalidContentType", "not tls"),
    ("TimedOut", "timeout"),
    ("timed out", "timeout"),
    ("NetworkUnreachable", "refused"),
    ("HostUnreachable", "refused"),
    ("Connection was closed", "broken"),
    ("Connection broken", "broken"),
    ("error following redirect", "redirects"),
    ("MissingContentLength", "no length"),
    ("error sending request", "broken"),
    ("error decoding response body", "broken"),
    ("HTTP error", "broken"),
    ("same next token", "endless"),
)
_ELSEWHERE = "redirect without LOCATION"  # what S3 sends to whoever asks in another region than the bucket's
_OTHER_REGION = ("AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_NO_ROOM = ("QuotaExceeded", "EntityTooLarge", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull")
BUSY_KEY = ("ConditionalRequestConflict", "OperationAborted")  # of writers at the same moment; S3 says: again
_LOGIN_WANTED = 511
_PAGE = "<html"
_NO_LISTING = ("Invalid list response", "Error getting list response body", "invalid list response")


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, as far as the server or the connection tells; `page` where a web page told it."""

    status: int | None = None
    code: str | None = None
    trouble: str | None = None
    page: bool = False


@contextmanager
def explained(location: Location, key: str = "", *, doing: Doing = "read") -> Iterator[None]:
    """Turn every error of obstore or botocore inside into ours.

    `key` is relative to the location. Raises NotFoundError, AccessError, ExistsError or StorageError; the
    library's own text (headers, addresses of requests, whole XML documents) is left out on purpose.
    """
    try:
        yield
    except NgffPracticalError:
        raise
    except (BaseError, OSError) as error:
        raise explain(error, location, key, doing=doing) from None


def explain(error: Exception, location: Location, key: str = "", *, doing: Doing = "read") -> StorageError:
    """Return our error for one of obstore's or botocore's."""
    failure = diagnose(error)
    url = "/".join(part for part in (location.url, key.removeprefix("/")) if part)
    if _is_unlike_s3(failure) and answers_with_pages(location):
        return portal_error(location.endpoint)
    if failure.trouble == "whole only":
        return StorageError(
            f"{location.endpoint} sends whole objects only, but parts of {url} are needed; "
            "use a server that answers range requests, or download the image first"
        )
    if failure.trouble == "no list":
        return _cannot_list(location)
    if failure.trouble == "endless":
        return StorageError(
            f"{location.endpoint} cannot list {location.bucket!r}: it gives the same keys again and again, "
            "and never the rest; ask whoever runs it, or use another server"
        )
    if failure.trouble is not None:
        return _unreachable(failure, location)
    if isinstance(error, FileNotFoundError) or failure.status == 404:
        return _not_found(failure, location, url, doing)
    if failure.status in (413, 507) or failure.code in _NO_ROOM:
        return StorageError(
            f"{location.endpoint} takes no more, or nothing as large as {url} ({_answer(failure)}); "
            "delete what nobody needs there, or ask its owner for more room"
        )
    if failure.code == "InvalidObjectState":
        return AccessError(
            f"{url} lies in an archive (such as S3 Glacier), from where nothing can be read at once; ask its "
            "owner to restore it"
        )
    if failure.status in (401, 403) or failure.code in _KEY_TROUBLE:  # S3 says 400 to expired tokens
        return _refused(failure, location, url, doing)
    if failure.code is None and doing == "list" and failure.status in (None, 400, 405, 501):
        return _cannot_list(location)
    if failure.code is None and failure.status in (405, 501):
        return StorageError(
            f"{location.endpoint} cannot {doing} {url}: it answers like a plain web server, not like S3"
        )
    if failure.code in BUSY_KEY:
        return StorageError(f"somebody else writes to {url} at this moment ({_answer(failure)}); try again")
    if failure.status in (409, 412):
        return ExistsError(
            f"{url} exists already (the server answered {failure.status}); nothing was overwritten"
        )
    if failure.status in (301, 307) or failure.code in _OTHER_REGION:
        return StorageError(
            f"the bucket {location.bucket!r} is not in this region, or not at {location.endpoint}; "
            "set AWS_REGION to its region, or correct the endpoint"
        )
    if failure.status == _LOGIN_WANTED:
        return StorageError(
            f"the network between here and {location.endpoint} wants a login first; open any web page in a "
            "browser, log in, and start again"
        )
    if failure.status is not None and failure.status >= 500:
        return StorageError(
            f"{location.endpoint} is overloaded or broken: it kept answering {_answer(failure)} for {url}; "
            "try again later"
        )
    login = (
        "; a network that wants a login first answers so, too: open any web page in a browser to see"
        if failure == Failure() or failure.status == 302
        else ""
    )
    return StorageError(f"{location.endpoint} did not {doing} {url}: it answered {_answer(failure)}{login}")


def diagnose(error: Exception) -> Failure:
    """Return status, S3 error code and connection trouble found in an error of obstore or botocore."""
    response = getattr(error, "response", None)  # botocore's ClientError
    if isinstance(response, dict):
        said = str(response.get("Error", {}).get("Code") or "")
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return Failure(status, None if said.isdecimal() else said or None)  # a number is botocore's own
    if isinstance(error, RecursionError):  # botocore follows a redirect to the same address without end
        return Failure(trouble="redirects")
    text = str(error)
    if "Invalid bucket name" in text:  # what botocore says without asking anybody
        return Failure(404, "NoSuchBucket")
    if any(words in text for words in _NO_LISTING):
        return Failure(trouble="no list")
    stated = re.search(r"status code: (\d{3})", text)
    code_found = re.search(r"<Code>(\w{1,60})</Code>", text)
    if stated or code_found:
        code = code_found.group(1) if code_found else None
        return Failure(int(stated.group(1)) if stated else None, code, page=_PAGE in text.lower())
    if type(error).__name__ == "AlreadyExistsError":
        return Failure(412)
    if _ELSEWHERE in text:
        return Failure(301)
    return Failure(trouble=next((kind for words, kind in _BROKEN if words in text), None))


def _is_unlike_s3(failure: Failure) -> bool:
    """Return True for an answer of the kind that S3 never gives, and a network that wants a login does."""
    if failure.trouble is not None:
        return failure.trouble in ("whole only", "redirects", "no list")
    return failure.code is None and failure.status in (None, 200, 302, 303, 400, 405, 500, 501)


def _answer(failure: Failure) -> str:
    return (
        " ".join(str(part) for part in (failure.status, failure.code) if part) or "something that is not S3"
    )


def _unreachable(failure: Failure, location: Location) -> StorageError:
    endpoint = location.endpoint
    host = urlsplit(endpoint).hostname
    match failure.trouble:
        case "refused":
            local = host in ("localhost", "127.0.0.1", "::1")
            way_out = (
                "is the sandbox running? start it with `ngff-practical sandbox start`"
                if local
                else f"check the address, the network{_proxy(endpoint)}, and whether a firewall is in between"
            )
            return StorageError(f"nothing answers at {endpoint}; {way_out}")
        case "unknown host":
            return StorageError(
                f"no server is called {host!r}; check the spelling of {endpoint}, and the network"
            )
        case "certificate":
            return StorageError(
                f"{endpoint} does not prove who it is (its TLS certificate is not trusted); "
                "check the address, and whether a proxy on this network replaces certificates"
            )
        case "not tls":
            return StorageError(f"{endpoint} does not speak TLS; try http:// in place of https://")
        case "proxy":
            return StorageError(
                f"the proxy of this network does not let requests through to {endpoint}; check HTTPS_PROXY, "
                f"or add {host} to NO_PROXY where no proxy is needed"
            )
        case "redirects":
            return StorageError(
                f"{endpoint} sends every request on to another address, without end; "
                "open the address in a browser, and give the one that it ends at"
            )
        case "no length":
            return StorageError(
                f"{endpoint} does not say how many bytes it sends (there is no Content-Length), as for pages "
                "made on the fly; ask for an address where the files themselves lie, or download the image"
            )
        case "timeout":
            return StorageError(
                f"{endpoint} did not answer in time; check the address and the network, or try again"
            )
        case _:
            return StorageError(f"the connection to {endpoint} broke off; try again")


def _proxy(endpoint: str) -> str:
    from urllib.request import getproxies

    return ", the proxy in HTTPS_PROXY" if urlsplit(endpoint).scheme in getproxies() else ""


def _not_found(failure: Failure, location: Location, url: str, doing: Doing) -> StorageError:
    if failure.code == "NoSuchBucket":
        return NotFoundError(
            f"there is no bucket {location.bucket!r} at {location.endpoint}; check both spellings"
        )
    if doing == "list":
        return _cannot_list(location)
    if failure.code == "NoSuchUpload":
        return NotFoundError(f"the multipart upload of {url} has been aborted; upload it again")
    return NotFoundError(f"nothing is stored at {url}; check the spelling, keys are case-sensitive")


def _cannot_list(location: Location) -> StorageError:
    return StorageError(
        f"{location.endpoint} cannot list {location.bucket!r}: it answers like a plain web server, "
        "not like S3; images can still be opened there by their full address"
    )


_KEY_TROUBLE = {
    "InvalidAccessKeyId": "does not know the access key in use; it may belong to another server, "
    "or to a sandbox that has been stopped",
    "SignatureDoesNotMatch": "says that the secret key does not belong to the access key; copy both again",
    "RequestTimeTooSkewed": "refuses requests from a clock as wrong as this computer's; set the time right",
    "ExpiredToken": "says that the credentials have expired; get new ones",
    "InvalidToken": "does not accept the session token; unset AWS_SESSION_TOKEN or get new credentials",
    "TokenRefreshRequired": "says that the credentials have expired; get new ones",
}


def _refused(failure: Failure, location: Location, url: str, doing: Doing) -> StorageError:
    answer = _answer(failure)
    if failure.code in _KEY_TROUBLE:
        return AccessError(f"{location.endpoint} {_KEY_TROUBLE[failure.code]} ({answer})")
    who = "anonymous access" if location.anonymous else "these credentials"
    if location.anonymous and doing in ("write", "delete"):
        way_out = "sign with your keys (leave anonymous out)"
    elif doing in ("write", "delete"):
        own = f"{doing} below a prefix of your own"
        way_out = f"{own}, or ask the owner of the bucket {location.bucket!r} for the right"
    elif doing == "list":
        way_out = "the bucket may still be read by full address"
    else:
        way_out = "check the spelling, for S3 answers the same for a missing key where listing is not allowed"
    if location.anonymous and doing in ("read", "list"):
        way_out += ", or sign with your keys (leave anonymous out)"
    if failure.page:
        way_out += "; a web page says so and not S3, such as that of a proxy on the way"
    return AccessError(f"{who} may not {doing} {url} ({answer}); {way_out}")
