"""Write constraints.txt anew: one version of everything, on each system and each Python that is supported.

Versions that are pinned already stay, unless --upgrade is given. Nothing is installed.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST = "3.12"
# What an editable install builds with, beyond [build-system], and the pip that understands dependency groups.
TOOLS = ("editables", "pip>=26.3")
# Newer ones of these are not published ready-made for Macs with an Intel processor; others get the newest.
INTEL_MAC = "sys_platform == 'darwin' and platform_machine == 'x86_64'"
OTHERS = "sys_platform != 'darwin' or platform_machine != 'x86_64'"
SPLIT = tuple(
    f"{name}{bound} ; {where}"
    for name, first in (("argon2-cffi-bindings", "26"), ("cryptography", "49"))
    for bound, where in ((f"<{first}", INTEL_MAC), (f">={first}", OTHERS))
)


def wanted() -> list[str]:
    """Return every requirement that pyproject.toml states, groups and build included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = (
        entry for group in project["dependency-groups"].values() for entry in group if isinstance(entry, str)
    )
    needed = project["build-system"]["requires"] + project["project"]["dependencies"]
    return [*needed, *groups, *TOOLS, *SPLIT]


def main(upgrade: bool) -> None:
    """Resolve once for all systems; a package that only some of them need keeps its marker."""
    plain = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    pinned = ["--upgrade"] if upgrade else []
    command = ["-m", "uv", "pip", "compile", "--universal", "--python-version", OLDEST, *plain, *pinned]
    subprocess.run(
        [sys.executable, *command, "-", "--output-file", str(CONSTRAINTS)],
        input="\n".join(wanted()),
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    packages = len(CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    print(f"{CONSTRAINTS.name}: {packages} packages. Run `make test` before committing it.")


if __name__ == "__main__":
    main("--upgrade" in sys.argv[1:])
