"""Run the benchmarks: `python benchmarks/run.py [import] [convert] [transfer] [options of these]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = ("import", "convert", "transfer")


def main() -> int:
    """Run the parts that are named, all of them where none is; options go to each."""
    parts = [argument for argument in sys.argv[1:] if argument in PARTS]
    options = [argument for argument in sys.argv[1:] if argument not in PARTS]
    for part in parts or PARTS:
        script = Path(__file__).with_name(f"bench_{part}.py")
        code = subprocess.run(
            [sys.executable, str(script), *(options if part != "import" else ())]
        ).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
