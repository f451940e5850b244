"""Print the path of a Chromium that runs, for the browser tests; where there is none, install one first.

Looked at in this order: the variable CHROMIUM, PATH, the usual places on macOS, Playwright's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def runs(browser: str | None) -> bool:
    """Tell whether it starts: a command of that name may be a stub that only says what to install."""
    if not browser:
        return False
    try:
        answer = subprocess.run([browser, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def playwrights_own() -> str | None:
    """Return the browser in Playwright's cache that fits the installed Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def find() -> str | None:
    """Return the first Chromium that runs."""
    for command in COMMANDS:
        if runs(path := shutil.which(command)):
            return path
    for path in APPLICATIONS:
        if Path(path).exists() and runs(path):
            return path
    path = playwrights_own()
    return path if runs(path) else None


def install() -> None:
    """Install Debian's package where we may, else Playwright's own browser; `find` tells what came of it."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quietly = ["apt-get", "--quiet", "--quiet"]
        packages = ["--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
        surroundings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in ([*quietly, "update"], [*quietly, "install", *packages]):
            subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=False)
        if any(runs(shutil.which(command)) for command in COMMANDS):
            return
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(command, stdout=sys.stderr, check=False)


def main() -> None:
    """Print the path, or end with what to do."""
    if given := os.environ.get("CHROMIUM"):
        if not runs(given):
            raise SystemExit(f"CHROMIUM={given} does not run; name a Chromium that does, or unset CHROMIUM")
        print(given)
        return
    found = find()
    if not found:
        print(
            "No Chromium found for the browser tests; installing one (about 1 minute, once)...",
            file=sys.stderr,
        )
        install()
        found = find()
    if not found:
        raise SystemExit(
            "No Chromium could be installed. Install one and try again, or name one: "
            "make test CHROMIUM=/path/to/chromium\n"
            "Everything but the browser tests: .venv/bin/python -m pytest -m 'not browser'"
        )
    print(found)


if __name__ == "__main__":
    main()
