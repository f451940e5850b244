"""How long `import ngff_practical` takes, beside the libraries that any tool of this kind has to load.

Each number is the median of five fresh interpreters, less the interpreter's own start.
"""

import json
import statistics
import subprocess
import sys

ROUNDS = 5
PROBE = """
import json, sys, time
cpu, wall, before = time.process_time(), time.perf_counter(), len(sys.modules)
{}
print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall, len(sys.modules) - before]))
"""


def measure(statement: str) -> tuple[float, float, int]:
    """Return the median CPU seconds and wall seconds, and the modules that were loaded."""
    rounds = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", PROBE.format(statement)]
        rounds.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    cpu, wall, modules = zip(*rounds, strict=True)
    return statistics.median(cpu), statistics.median(wall), modules[0]


print(f"{'import':<24}{'CPU s':>8}{'wall s':>8}{'modules':>9}")
for name in ("ngff_practical", "numpy", "zarr", "s3fs", "obstore", "tifffile", "ome_zarr_models"):
    cpu_s, wall_s, count = measure(f"import {name}")
    print(f"{name:<24}{cpu_s:>8.2f}{wall_s:>8.2f}{count:>9}")
