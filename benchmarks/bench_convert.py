"""Convert one realistic stack with us and with every peer, in turn, and judge what each of them wrote.

Without options: 256 x 2048 x 2048, two rounds, and RESULTS.md is written.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import statistics
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from environments import CACHE, Environment, NotInstalledError
from floor import floor_s
from judging import Verdict, judge
from measuring import Measured, measure
from reporting import TARGET_HEAD, Kept, Target, ratio, table, told_when_and_where, write_section
from scratch import scratch_folder, told_of
from stack import make_deeper, make_planes

HERE = Path(__file__).parent
CHUNKS, LEVELS, VOXEL_SIZE = (64, 128, 128), 5, (2.0, 0.5, 0.5)
FULL, QUICK, SMALL = (256, 2048, 2048), (70, 256, 256), (64, 512, 512)
DEEPER = 4
OURS = ("ngff-practical", "zarr", "zarrs", "numpy", "tifffile")
VERDICTS = ("exact", "means", "translation", "layout")


@dataclass(frozen=True)
class Row:
    """One line of the table: who converts which stack."""

    key: str
    name: str
    script: str = ""  # of a peer
    environment: Environment | None = None
    shards: str = "none"
    stack: str = "full"  # or "deep", "small"
    own_method: bool = False  # of a peer: levels made as it does when nobody says how; takes long, run once

    def command(self, planes: Path, destination: Path) -> list[str]:
        """Return what to run; a peer is installed where it is not yet."""
        if self.environment:
            program = [self.environment.python, str(HERE / "peers" / self.script)]
            return [*program, str(planes), str(destination), *(["own-method"] if self.own_method else [])]
        command = [sys.executable, "-m", "ngff_practical", "convert", str(planes), str(destination), "--json"]
        command += ["--chunks", _list(CHUNKS), "--shards", self.shards, "--levels", str(LEVELS)]
        return [*command, "--factors", "2,2,2", "--voxel-size", _list(VOXEL_SIZE), "--unit", "micrometer"]


def _list(numbers: tuple[float, ...]) -> str:
    return ",".join(map(str, numbers))


def _peer(key: str, script: str, *requirements: str) -> Row:
    environment = Environment(key, requirements)
    return Row(key, " ".join(requirements[0].split("==")), script, environment)


def _own(row: Row) -> Row:
    return replace(row, key=f"{row.key}-own", name=f"{row.name}, its own method", own_method=True)


NGFF_ZARR = _peer(
    "ngff-zarr", "convert_ngff_zarr.py", "ngff-zarr==0.50.0", "dask==2026.8.0", "tifffile==2026.11.8"
)
OME_ZARR = _peer(
    "ome-zarr",
    "convert_ome_zarr.py",
    "ome-zarr==0.21.0",
    "zarr==3.4.2",
    "dask==2026.8.0",
    "tifffile==2026.11.8",
)
ROWS = (
    Row("ours", "ours"),
    _peer("tensorstore", "convert_tensorstore.py", "tensorstore==0.1.86", "tifffile==2026.11.8"),
    _peer("acquire-zarr", "convert_acquire_zarr.py", "acquire-zarr==0.10.0", "tifffile==2026.11.8"),
    _peer("eubi-bridge", "convert_eubi_bridge.py", "eubi-bridge-lite==0.3.2"),
    NGFF_ZARR,
    _own(NGFF_ZARR),
    OME_ZARR,
    _own(OME_ZARR),
    Row("sharded", "ours, shards (64,1024,1024)", shards="64,1024,1024"),
    Row("deep", f"ours, {DEEPER} x as many planes", stack="deep"),
    Row("small", f"ours, {' x '.join(map(str, SMALL))}", stack="small"),
)


def main(arguments: list[str] | None = None) -> None:
    """Run what is asked for, print the table, and write RESULTS.md when it is complete."""
    options = _options(arguments)
    shape = QUICK if options.quick else FULL
    rows = [row for row in ROWS if not options.rows or row.key in options.rows.split(",")]
    stacks = _stacks(shape, {row.stack for row in rows}, CACHE / "stacks")
    kept = Kept(CACHE / "results" / f"convert-{_list(shape)}.json", resume=options.resume)
    with scratch_folder(most_bytes=math.prod(shape) * 2 * (DEEPER if "deep" in stacks else 1)) as work:
        for number in range(1, options.rounds + 1):
            if not kept.get(f"floor {number}"):
                kept.put(f"floor {number}", Measured(floor_s(stacks["full"], CHUNKS, work), 0, 0))
            for row in rows:
                if kept.get(f"{row.key} {number}") or (row.own_method and number > 1):
                    continue
                measured, verdict = _convert(row, stacks[row.stack], work, judged=number == 1)
                kept.put(f"{row.key} {number}", measured)
                if verdict:
                    kept.put(f"{row.key} verdict", verdict)
                outcome = measured.error or f"{measured.wall_s:.1f} s"
                print(f"round {number}: {row.name}: {outcome}", file=sys.stderr)
    text = _report(kept, rows, options.rounds, shape, told_of(work))
    print(text)
    if options.results or not (options.quick or options.rows):
        write_section("convert", text, *([Path(options.results)] if options.results else []))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small stack, one round")
    parser.add_argument("--rows", help=f"some of {','.join(row.key for row in ROWS)}")
    parser.add_argument("--rounds", type=int, help="how often everything is run (2)")
    parser.add_argument("--resume", action="store_true", help="go on with a run that was broken off")
    parser.add_argument("--results", help="write the table there, whatever was left out")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else 2)
    return options


def _stacks(shape: tuple[int, int, int], wanted: set[str], folder: Path) -> dict[str, Path]:
    stacks = {"full": make_planes(folder / _list(shape), shape)}
    if "small" in wanted:
        stacks["small"] = make_planes(folder / _list(SMALL), SMALL)
    if "deep" in wanted:
        stacks["deep"] = make_deeper(folder / f"{_list(shape)}-deep", stacks["full"], DEEPER)
    return stacks


def _convert(row: Row, planes: Path, work: Path, *, judged: bool) -> tuple[Measured, Verdict | None]:
    """Measure one conversion on a warm cache, and judge the image; nothing of it is left."""
    image = work / "image.ome.zarr"
    try:
        command = row.command(planes, image)
    except NotInstalledError as error:
        return Measured(0, 0, 0, f"cannot be installed: {error}"), None
    for file in planes.iterdir():
        file.read_bytes()
    home = CACHE / "home"  # some write settings and compiled code there: kept, so that they start warm
    home.mkdir(parents=True, exist_ok=True)
    places = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(home))
    measured = measure(command, environment={**os.environ, **places})
    verdict = None
    if judged and not measured.error:
        try:
            depth = CHUNKS[0] if row.stack == "deep" else None
            verdict = judge(image, planes, CHUNKS, LEVELS, depth=depth)
        except (OSError, ValueError, KeyError, TypeError) as error:  # whatever a peer may have written
            verdict = Verdict(0, f"no: does not open ({error})"[:120], "-", "-", "-")
    for left in work.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return measured, verdict


def _report(kept: Kept, rows: list[Row], rounds: int, shape: tuple[int, int, int], where: str) -> str:
    floor = min(kept.get(f"floor {number}")["wall_s"] for number in range(1, rounds + 1))
    lines = [_line(kept, row, rounds, floor) for row in rows]
    head = ["converter", "wall s", "median", "CPU s", "peak MB", "objects", "x floor"]
    head += ["level 0 exact?", "means right?", "translation right?", "as asked?"]
    versions = ", ".join(f"{name} {version(name)}" for name in OURS)
    peers = "; ".join(
        dict.fromkeys(", ".join(row.environment.requirements) for row in rows if row.environment)
    )
    size = math.prod(shape) * 2 / 2**30
    return f"""## Converting a stack

{told_when_and_where()}

{" x ".join(map(str, shape))} uint16 ({size:.2f} GiB), one uncompressed TIFF per plane, to chunks {CHUNKS},
Blosc zstd-3 with shuffle, {LEVELS} levels, factors 2, 2, 2. Whole processes, in turn, on a warm cache; what
they write goes to {where}. Wall and CPU are the least of {rounds} round(s), memory (of the whole process
tree) is the most. Ours reads a sample back and counts every object within its time. The floor, measured in
the same run, is {floor:.2f} s: reading every byte, the means, compressing every chunk and writing it, shared
among all processors. A peer's "own method" is how it makes levels when nobody says how; it is run once.

{table(head, lines)}

Judged with zarr and exact whole numbers, from the planes: every voxel of every level (of the deep stack, the
first and last {CHUNKS[0]} planes). "As asked": levels, chunks and codec, as far as the program can be told.

{table(TARGET_HEAD, [target.row() for target in _targets(kept, rounds, floor)])}

Ours: {versions}. Peers, each in an environment of its own: {peers or "none"}.
"""


def _line(kept: Kept, row: Row, rounds: int, floor: float) -> list[str]:
    every = _runs(kept, row.key, rounds)
    failed = next((one["error"] for one in every if one["error"]), None)
    if failed:
        return [row.name, *["-"] * 6, f"failed: {failed.replace('|', '/')}", "-", "-", "-"]
    walls = [one["wall_s"] for one in every]
    verdict = kept.get(f"{row.key} verdict") or {}
    cpu = min(one["cpu_s"] for one in every)
    numbers = [f"{min(walls):.2f}", f"{statistics.median(walls):.2f}", f"{cpu:.1f}"]
    numbers += [f"{_peak(kept, row.key, rounds):.0f}", str(verdict.get("objects", "-"))]
    numbers += [f"{min(walls) / floor:.2f}" if row.stack == "full" else "-"]
    return [row.name, *numbers, *(str(verdict.get(key, "-")) for key in VERDICTS)]


def _runs(kept: Kept, key: str, rounds: int) -> list[dict]:
    return [run for number in range(1, rounds + 1) if (run := kept.get(f"{key} {number}"))]


def _wall(kept: Kept, key: str, rounds: int) -> float | None:
    runs = _runs(kept, key, rounds)
    return None if not runs or any(run["error"] for run in runs) else min(run["wall_s"] for run in runs)


def _peak(kept: Kept, key: str, rounds: int) -> float | None:
    if _wall(kept, key, rounds) is None:
        return None
    return max(run["peak_bytes"] for run in _runs(kept, key, rounds)) / 1e6


def _targets(kept: Kept, rounds: int, floor: float) -> list[Target]:
    wall = {row.key: _wall(kept, row.key, rounds) for row in ROWS}
    peak = {row.key: _peak(kept, row.key, rounds) for row in ROWS}
    beside = [("ome-zarr", 1 / 3), ("ngff-zarr", 0.4), ("eubi-bridge", 0.4), ("tensorstore", 0.85)]
    beside[2:2] = [(f"{key}-own", limit) for key, limit in beside[:2]]
    names = {row.key: row.key.replace("-own", ", its own method") for row in ROWS}
    return [
        *(
            Target(f"wall beside {names[key]}", ratio(wall["ours"], wall[key]), limit, " x")
            for key, limit in beside
        ),
        Target("wall beside the floor", ratio(wall["ours"], floor), 2.0, " x"),
        Target("peak memory", peak["ours"], 300, " MB"),
        Target(f"peak memory, {DEEPER} x as deep", ratio(peak["deep"], peak["ours"]), 1.1, " x"),
        Target("wall with shards beside without", ratio(wall["sharded"], wall["ours"]), 1.3, " x"),
        Target("peak memory with shards", peak["sharded"], 600, " MB"),
        Target(f"wall, {' x '.join(map(str, SMALL))}, whole process", wall["small"], 1.5, " s"),
    ]


if __name__ == "__main__":
    main()
