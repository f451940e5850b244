"""How a request's target reads in a record: "bucket/key", or "bucket/?prefix=..." for a listing."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

# Parts of a query that say how to answer, or who asks, but not what is asked for.
_NOISE = frozenset(
    {
        "list-type",
        "encoding-type",
        "fetch-owner",
        "max-keys",
        "x-id",
        "uploadId",
        "start-after",
        "AWSAccessKeyId",
    }
    | {"Signature", "Expires"}
)
_LISTING = ("prefix", "delimiter")


def request_key(target: str) -> str:
    """Return the readable key of a request from its path, with the query where it has one.

    `target` is percent-encoded, as sent. Signatures of presigned addresses are left out.
    """
    path, _, query = target.partition("?")
    wanted = {}
    listing = False
    for name, value in parse_qsl(query, keep_blank_values=True):
        listing = listing or name in _LISTING
        if name == "continuation-token":
            wanted["next page"] = ""
        elif name not in _NOISE and not name.lower().startswith("x-amz-") and (value or name not in _LISTING):
            wanted[name] = value
    in_order = sorted(wanted, key=lambda name: (name not in _LISTING, name != "prefix"))
    asked = "&".join(f"{name}={wanted[name]}" if wanted[name] else name for name in in_order)
    key = unquote(path.removeprefix("/"))
    if listing or "/" not in key:
        key = key.rstrip("/") + "/"
        return f"{key}?{asked}"
    return f"{key}?{asked}" if asked else key
