"""A place on S3 as a web page of a stranger's meets it: no keys, another origin, ranges."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from urllib.error import HTTPError, URLError

from ngff_practical.model import Location
from ngff_practical.sharing.links import ORIGIN, web_address
from ngff_practical.storage.clients import is_loopback

_ROOTS = ("zarr.json", ".zattrs", ".zgroup", ".zarray", "")  # "": the place is itself an object
_MISSING = "no-such-object"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a web viewer of a stranger's can open a place, and what stands in the way.

    `public`: it is answered without keys. `https`: pages served over https may ask (this computer's own
    addresses are exempt). `cors`, and `cors_on_errors` for objects that do not exist: the server lets pages
    of other origins read its answers. `ranges`: parts of an object can be had. `shared`: others reach it at
    all. `clock_s` is how far this computer's clock is ahead of the server's, None where it does not say.
    """

    address: str
    status: int | None
    public: bool
    https: bool
    cors: bool
    cors_on_errors: bool
    ranges: bool
    shared: bool
    clock_s: float | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True where a web viewer on this computer can open it."""
        return self.public and self.https and self.cors and self.ranges

    def __str__(self) -> str:
        if not self.problems:
            return f"{self.address} opens in every web viewer"
        return "; ".join(self.problems)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int | None
    headers: Mapping[str, str]
    trouble: str = ""


def reach(location: Location, *, timeout_s: float = 10.0) -> Reach:
    """Return what a stranger's web page could read of an image (or of a single object).

    Asks without keys for the first bytes of its metadata, and for an object that is not there, since viewers
    look for those, too. Nothing is raised for a server that does not answer: the report says so.
    """
    address = web_address(location)
    for name in _ROOTS:
        found = _ask(f"{address}/{name}" if name else address, location.endpoint, timeout_s)
        if found.status not in (403, 404):
            break
    public = found.status in (200, 206)
    missing = _ask(f"{address}/{_MISSING}", location.endpoint, timeout_s) if public else found
    local = is_loopback(location.endpoint)
    return _report(address, found, missing, local=local, https=location.endpoint.startswith("https://"))


def _report(address: str, found: _Answer, missing: _Answer, *, local: bool, https: bool) -> Reach:
    public = found.status in (200, 206)
    cors, on_errors = _allows(found), _allows(missing)
    problems = []
    if local:
        problems.append("the address is this computer's own, so nobody else can open it; upload it elsewhere")
    if found.status is None:
        problems.append(f"no answer came: {found.trouble}")
    elif not public:
        problems.append(
            f"strangers get the answer {found.status}; let the owner of the bucket allow everybody to read "
            "it, or check the key"
        )
    if not (https or local):
        problems.append("it is served over http://, which pages of viewers may not read; it needs https://")
    if public and not cors:
        problems.append(
            "browsers keep it from web pages, as the server sends no Access-Control-Allow-Origin; "
            "let the owner of the bucket set a CORS rule that allows GET and HEAD from every origin"
        )
    if public and cors and not on_errors:
        problems.append(
            "for missing objects the server sends no Access-Control-Allow-Origin, which some viewers take "
            "for a broken network; let its owner send it with errors, too"
        )
    if public and found.status != 206:
        problems.append("the server sends whole objects only, so shards cannot be read; use another server")
    return Reach(
        address,
        found.status,
        public=public,
        https=https or local,
        cors=public and cors,
        cors_on_errors=public and on_errors,
        ranges=found.status == 206,
        shared=not local,
        clock_s=_clock_s(found),
        problems=tuple(problems),
    )


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """What an opener takes to stay at the address it was given."""

    def redirect_request(
        self, req: object, fp: object, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow nothing: another address is another place."""


def _ask(url: str, endpoint: str, timeout_s: float) -> _Answer:
    proxies = [urllib.request.ProxyHandler({})] if is_loopback(endpoint) else []
    opener = urllib.request.build_opener(NoRedirect(), *proxies)
    request = urllib.request.Request(url, headers={"Origin": ORIGIN, "Range": "bytes=0-0"})  # noqa: S310 - http(s) by Location's own rule
    try:
        answer: HTTPResponse
        with opener.open(request, timeout=timeout_s) as answer:
            return _Answer(answer.status, dict(answer.headers.items()))
    except HTTPError as error:
        with error:
            return _Answer(error.code, dict(error.headers.items()))
    except (URLError, OSError, HTTPException) as error:
        return _Answer(None, {}, str(getattr(error, "reason", error) or type(error).__name__))


def _allows(answer: _Answer) -> bool:
    return _header(answer, "Access-Control-Allow-Origin") in ("*", ORIGIN)


def _clock_s(answer: _Answer) -> float | None:
    try:
        return round(time.time() - parsedate_to_datetime(_header(answer, "Date")).timestamp(), 1)
    except ValueError:
        return None


def _header(answer: _Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")
