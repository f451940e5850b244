"""What a transfer run found, as tables, and what of it was to be reached."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from importlib.metadata import version

from clients import CLIENTS, Client
from reporting import TARGET_HEAD, Kept, Target, ratio, table, told_when_and_where

LATENCIES_MS = (0, 20)
OURS = ("ngff-practical", "obstore", "zarr")
VIEW_PX = 800


@dataclass(frozen=True)
class Load:
    """What is sent: so many objects of one size."""

    key: str
    objects: int
    nbytes: int

    @property
    def words(self) -> str:
        """Say it."""
        return f"{self.objects:,} objects of {self.nbytes / 1e6:g} MB"


def _best(kept: Kept, load: str, latency: int, client: str, way: str, rounds: int) -> dict | None:
    """Return the quickest of the rounds, with the memory of the hungriest; None where any failed."""
    trips = [kept.get(f"{load} {latency} {client} {number}") for number in range(1, rounds + 1)]
    runs = [trip[way] for trip in trips if trip]
    if not runs or any(run["error"] for run in runs):
        return None
    return {**min(runs, key=lambda run: run["wall_s"]), "peak_bytes": max(run["peak_bytes"] for run in runs)}


def report(kept: Kept, loads: list[Load], clients: list[Client], rounds: int, where: str) -> str:
    """Return the section of the results."""
    head = ["client", "latency", "way", "wall s", "CPU s", "peak MB", "requests", "server CPU s"]
    head += ["arrived right?", "proves it itself?"]
    tables = []
    for load in loads:
        rows = [
            _row(kept, load, latency, client, way, rounds)
            for latency in LATENCIES_MS
            for way in ("up", "down")
            for client in clients
            if kept.get(f"{load.key} {latency} {client.key} 1")
        ]
        tables.append(f"### {load.words}\n\n{table(head, rows)}")
    steps = kept.get("open")["steps"]
    opened = [
        [step, f"{one['ms']:.0f}", str(one["requests"])]
        for step, one in steps.items()
        if step not in ("error", "meter")
    ]
    shape = " x ".join(map(str, kept.get("open")["shape"]))
    versions = ", ".join(f"{name} {version(name)}" for name in OURS)
    joined = "\n\n".join(tables)
    return f"""## Uploads and downloads

{told_when_and_where()}

Whole processes, in turn, {rounds} round(s), a fresh server for each client. The server is `s3_server.py`:
objects in memory, no signatures checked, each answer late by the latency. Its CPU seconds are in the table;
on two processors they are missing to the client. (MiniStack 1.5 takes 1.4 ms for a PUT of 100 kB, and 1.9 ms
for a GET: with 5,000 objects it would be what is measured.) "Arrived right?" compares the MD5 of each object.
Downloads are written to {where}. boto3 and s3fs take long over many small objects, and are given them at
{LATENCIES_MS[-1]} ms alone.

{joined}

### Opening an image over {LATENCIES_MS[-1]} ms

{shape} as OME-Zarr 0.5 of known version: the image and the coarsest level that fills {VIEW_PX} px, then
a middle plane of it, in a process that has its libraries imported.

{table(["step", "ms", "requests"], opened) if opened else f"failed: {steps['error']}"}

{table(TARGET_HEAD, [target.row() for target in targets(kept, loads, rounds)])}

The meter's cost is that of 5,000 reads of a zarr store in memory, with and without it.
Ours: {versions}. The others are in environments of their own.
"""


def _row(kept: Kept, load: Load, latency: int, client: Client, way: str, rounds: int) -> list[str]:
    start = [client.name, f"{latency} ms", way]
    best = _best(kept, load.key, latency, client.key, way, rounds)
    if best is None:
        trip = kept.get(f"{load.key} {latency} {client.key} 1")
        error = (trip[way]["error"] or "another round failed").replace("|", "/")
        return [*start, *["-"] * 5, f"failed: {error}", client.proves]
    numbers = [f"{best['wall_s']:.2f}", f"{best['cpu_s']:.2f}", f"{best['peak_bytes'] / 1e6:.0f}"]
    numbers += [str(best["requests"]), f"{best['server_s']:.2f}"]
    return [*start, *numbers, best["right"], client.proves]


def targets(kept: Kept, loads: list[Load], rounds: int) -> list[Target]:
    """Return what was to be reached, with what was measured."""
    found = []
    slow = LATENCIES_MS[-1]

    def wall(load: str, latency: int, client: str, way: str) -> float | None:
        best = _best(kept, load, latency, client, way, rounds)
        return best and best["wall_s"]

    for way in ("up", "down"):
        ours = wall("small", slow, "ours", way)
        for peer, limit in (("s5cmd", 1.0), ("s5cmd-32", 1.0), ("s3fs", 0.5)):
            words = f"{loads[0].words}, {slow} ms, {way}: wall beside {peer}"
            found.append(Target(words, ratio(ours, wall("small", slow, peer, way)), limit, " x"))
    for latency in LATENCIES_MS:
        for way in ("up", "down"):
            others = [wall("shards", latency, client.key, way) for client in CLIENTS if client.key != "ours"]
            best = min((one for one in others if one), default=None)
            words = f"{loads[1].words}, {latency} ms, {way}: wall beside the best"
            found.append(Target(words, ratio(wall("shards", latency, "ours", way), best), 1.2, " x"))
    cases = itertools.product([load.key for load in loads], LATENCIES_MS, ["ours"], ("up", "down"))
    runs = [_best(kept, *case, rounds) for case in cases]
    peak = max(run["peak_bytes"] for run in runs) / 1e6 if all(runs) else None
    steps = kept.get("open")["steps"]
    done = "open" in steps
    meter = steps["meter"]["ms"] if "meter" in steps else None
    seconds = (steps["open"]["ms"] + steps["plane"]["ms"]) / 1000 if done else None
    return [
        *found,
        Target("peak memory, ours", peak, 200, " MB"),
        Target("opening an image, requests", steps["open"]["requests"] if done else None, 3),
        Target("opening it and its first plane", seconds, 0.5, " s"),
        Target("the meter, added to each request", meter, 0.5, " ms"),
    ]
