"""Send images to S3 and fetch them again, with us and with every peer, and judge what arrived.

Without options: 5,000 objects of 100 kB and 40 of 12.8 MB, at 0 and 20 ms, and RESULTS.md is written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from clients import CLIENTS, PEERS, Client
from environments import CACHE, NotInstalledError
from measuring import Measured, measure
from reporting import Kept, write_section
from scratch import scratch_folder, told_of
from stack import make_planes
from transfer_report import LATENCIES_MS, VIEW_PX, Load, report

SERVER = Path(__file__).with_name("s3_server.py")
WORK = CACHE / "transfer"
IMAGE = (32, 2048, 2048)
KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1"}


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for, print the tables, and write RESULTS.md when they are complete."""
    options = _options(arguments)
    loads = [Load("small", 5000, 100_000), Load("shards", 40, 12_800_000)]
    if options.quick:
        loads = [Load("small", 60, 10_000), Load("shards", 3, 1_000_000)]
    clients = [client for client in CLIENTS if not options.rows or client.key in options.rows.split(",")]
    kept = Kept(CACHE / "results" / f"transfer-{loads[0].objects}.json", resume=options.resume)
    trips = [
        (number, load, latency, client)
        for number in range(1, options.rounds + 1)
        for load in loads
        for latency in LATENCIES_MS
        for client in clients
        if not client.slow or load.key != "small" or latency == LATENCIES_MS[-1]
    ]
    with scratch_folder(most_bytes=max(load.objects * load.nbytes for load in loads)) as work:
        for number, load, latency, client in trips:
            key = f"{load.key} {latency} {client.key} {number}"
            if not kept.get(key):
                kept.put(key, _Trip(**_there_and_back(client, _folder(load), latency, work)))
                print(f"{key}: {_said(kept.get(key))}", file=sys.stderr)
    if not kept.get("open"):
        kept.put("open", _open(IMAGE if not options.quick else (4, 1024, 1024)))
    text = report(kept, loads, clients, options.rounds, told_of(work))
    print(text)
    if options.results or not (options.quick or options.rows):
        write_section("transfer", text, *([Path(options.results)] if options.results else []))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little data")
    parser.add_argument("--rows", help=f"some of {','.join(client.key for client in CLIENTS)}")
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is run (1)")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was broken off")
    parser.add_argument("--results", help="write the tables there, whatever was left out")
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class _Trip:
    up: dict
    down: dict


@dataclass(frozen=True)
class _Opened:
    steps: dict
    shape: tuple[int, ...]


def _said(trip: dict) -> str:
    return ", ".join(
        f"{way} {trip[way]['error'] or format(trip[way]['wall_s'], '.1f') + ' s'}" for way in ("up", "down")
    )


def _folder(load: Load) -> Path:
    """Return a folder of random bytes, laid out as the chunks of an image; kept between runs."""
    folder = WORK / f"{load.objects}x{load.nbytes}" / "image.ome.zarr"
    files = [
        folder / "0" / "c" / str(i // 100) / str(i // 10 % 10) / str(i % 10) for i in range(load.objects)
    ]
    if sum(file.is_file() and file.stat().st_size == load.nbytes for file in files) == load.objects:
        return folder
    shutil.rmtree(folder.parent, ignore_errors=True)
    rng = np.random.default_rng(load.objects)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(rng.bytes(load.nbytes))
    for file in (folder / "zarr.json", folder / "0" / "zarr.json"):
        file.write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))
    return folder


@cache
def _wanted(folder: Path) -> dict[str, str]:
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    """Return the MD5 of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {file.relative_to(folder).as_posix(): hashlib.md5(file.read_bytes()).hexdigest() for file in files}


@contextmanager
def server(latency_ms: float) -> Iterator[str]:
    """Give the endpoint of a fresh server in a process of its own."""
    command = [sys.executable, str(SERVER), str(latency_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def _ask(endpoint: str, what: str) -> dict:
    with urllib.request.urlopen(f"{endpoint}/-/{what}") as answer:
        return json.load(answer)


def _there_and_back(client: Client, truth: Path, latency_ms: float, work: Path) -> dict[str, dict]:
    """Send a folder to a fresh server and fetch it again; measure and judge both."""
    wanted = _wanted(truth)
    back = work / "back"
    back.mkdir()
    with server(latency_ms) as endpoint:
        up = _measured(client, "up", truth, endpoint)
        arrived = {key.removeprefix("copy/"): md5 for key, md5 in _ask(endpoint, "digests").items()}
        up["right"] = judge(wanted, arrived)
        down = _measured(client, "down", back / "image.ome.zarr", endpoint)
        down["right"] = judge(wanted, digests(back / "image.ome.zarr"))
    shutil.rmtree(back)
    return {"up": up, "down": down}


def judge(wanted: dict[str, str], arrived: dict[str, str]) -> str:
    """Compare what arrived with what was sent, byte for byte by their MD5."""
    if wanted == arrived:
        return "yes"
    changed = sum(arrived[key] != md5 for key, md5 in wanted.items() if key in arrived)
    lost, more = len(wanted.keys() - arrived.keys()), len(arrived.keys() - wanted.keys())
    return f"no: {lost} missing, {changed} changed, {more} too many"


def _measured(client: Client, direction: str, folder: Path, endpoint: str) -> dict:
    try:
        command = client.command(direction, folder, endpoint)
    except NotInstalledError as error:
        return {**asdict(Measured(0, 0, 0, f"cannot be installed: {error}")), "requests": 0, "server_s": 0}
    before = _ask(endpoint, "stats")
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))}
    measured = measure(command, environment={**clean, **KEYS, "HOME": str(home)})
    after = _ask(endpoint, "stats")
    spent = {"requests": after["requests"] - before["requests"], "server_s": after["cpu_s"] - before["cpu_s"]}
    return {**asdict(measured), "output": "", **spent}


def _open(shape: tuple[int, int, int]) -> _Opened:
    """Convert a stack, send it, and let a fresh process open it over 20 ms."""
    planes = make_planes(CACHE / "stacks" / ",".join(map(str, shape)), shape)
    image = WORK / "open.ome.zarr"
    shutil.rmtree(image, ignore_errors=True)
    ours = [sys.executable, "-m", "ngff_practical"]
    size = ["--voxel-size", "2,0.5,0.5", "--unit", "micrometer", "--json"]
    convert = [*ours, "convert", str(planes), str(image), *size]
    with server(LATENCIES_MS[-1]) as endpoint:
        send = [*ours, "upload", str(image), "s3://bench/open", "--endpoint", endpoint, "--json"]
        look = [sys.executable, str(PEERS / "open_image.py"), endpoint, "open"]
        look += [str(VIEW_PX), str(shape[-1])]
        for command in (convert, send, look):
            done = measure(command, environment={**os.environ, **KEYS})
            if done.error:
                return _Opened({"error": done.error}, shape)
    shutil.rmtree(image, ignore_errors=True)
    return _Opened(json.loads(done.output), shape)


if __name__ == "__main__":
    main()
