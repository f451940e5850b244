"""What a viewer asked and was answered, as it is written down in a browser."""

from __future__ import annotations

from dataclasses import dataclass

CAUSES = {
    "https": "a page on https may not ask an address on http",
    "access": "strangers may not read it",
    "path": "there is nothing under this key",
    "cors": "the server does not let pages of others read its answer",
    "range": "the server cannot send a part of an object",
}
OWN = "the viewer's own origin"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a viewer asked and was answered; no `status` where the browser did not let it ask."""

    scheme: str
    key: str
    status: int | None = 206
    allowed: str | None = "*"
    asked: int = 64
    nbytes: int = 64

    @property
    def cause(self) -> str | None:
        """Why the viewer shows nothing: one of `CAUSES`, None where it opens."""
        if self.scheme == "http":
            return "https"
        if self.status in (403, 404):
            return "access" if self.status == 403 else "path"
        if self.allowed is None:
            return "cors"
        return "range" if self.status == 200 else None

    @property
    def facts(self) -> dict[str, str]:
        """The lines of the record."""
        answered = {None: "none: the browser did not send the request", 206: "206 Partial Content"}
        plain = {200: "200 OK", 403: "403 Forbidden", 404: "404 Not Found"}
        return {
            "page of the viewer": "https",
            "address of the image": self.scheme,
            "asked": f"GET {self.key}, {self.asked:,} bytes of it",
            "status": (answered | plain)[self.status],
            "Access-Control-Allow-Origin": self.allowed or "not there",
            "bytes that came": f"{self.nbytes:,}",
        }
