"""Decide where a sample is read from: the IDR, its predecessor, or the synthetic stand-in in the sandbox."""

from __future__ import annotations

import os
import queue
import threading
import time
import urllib.request
from http.client import HTTPException
from urllib.parse import quote, urlsplit

from ngff_practical.errors import NotFoundError
from ngff_practical.model import Location
from ngff_practical.samples.catalogue import BUCKET, Sample

OFFLINE = "NGFF_PRACTICAL_OFFLINE"


def offline() -> bool:
    """Return True where NGFF_PRACTICAL_OFFLINE says that no other machine is to be asked."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def locate(sample: Sample, *, sandbox: str | None = None, timeout_s: float = 3.0) -> tuple[Location, str]:
    """Return where to read a sample from, and one sentence that says which source it is and why.

    The IDR's hosts are asked at the same time for one small metadata object each, and all answers together
    get `timeout_s` at most; the current host is preferred. With NGFF_PRACTICAL_OFFLINE=1 nobody is asked.
    `sandbox` is the endpoint of a running sandbox, the last resort.

    Raises
    ------
    NotFoundError
        No source is left.
    """
    if offline():
        reason = f"{OFFLINE} is set"
    elif not sample.live:
        reason = "no public server holds it"
    else:
        reason = f"no server of the IDR gave it out within {timeout_s:g} s"
        found = _first_live(sample, timeout_s)
        if found is not None:
            host = urlsplit(found.endpoint).netloc
            first = found == sample.locations[0]
            why = "" if first else ", as its current host did not answer in time"
            return found, f"{sample.name}: the original, from the IDR at {host}{why}."
    if sample.twin and sandbox:
        twin = Location(sandbox, BUCKET, sample.key, anonymous=True)
        return twin, f"{sample.name}: the synthetic stand-in in the sandbox at {sandbox}, as {reason}."
    if sample.twin:
        way_out = "start the sandbox, which has a synthetic stand-in (`ngff-practical sandbox start`)"
    else:
        way_out = "check the network, or choose a sample with a stand-in, such as blastocyst-0.4"
    raise NotFoundError(f"{sample.name} cannot be reached: {reason}; {way_out}")


def _first_live(sample: Sample, timeout_s: float) -> Location | None:
    """Return the first location, in their order, that answers before the time is up."""
    answers: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()

    def ask(index: int, location: Location) -> None:
        answers.put((index, _answers(location, sample.metadata_key, timeout_s)))

    for index, location in enumerate(sample.locations):
        # daemon threads: one that hangs in the name service holds up neither this call nor the exit
        threading.Thread(target=ask, args=(index, location), daemon=True).start()
    known: dict[int, bool] = {}
    deadline = time.monotonic() + timeout_s
    while len(known) < len(sample.locations):
        best = min((index for index, alive in known.items() if alive), default=None)
        if best is not None and all(index in known for index in range(best)):
            break
        try:
            index, alive = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        known[index] = alive
    best = min((index for index, alive in known.items() if alive), default=None)
    return None if best is None else sample.locations[best]


def _answers(location: Location, key: str, timeout_s: float) -> bool:
    url = f"{location.endpoint}/{location.bucket}/{quote(key)}"
    request = urllib.request.Request(url, headers={"Range": "bytes=0-0"})  # noqa: S310 - from our own table
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return answer.status in (200, 206)
    except (OSError, HTTPException):
        return False
