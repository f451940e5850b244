#!/usr/bin/env python3
"""Pictures of every widget in JupyterLab's light and dark theme: docs/images/widget-*.png.

Starts a JupyterLab and a sandbox of its own, needs Playwright and a Chromium (CHROMIUM names one), and
fetches nothing. `python scripts/screenshots.py NAME ...` takes only those.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from widget_cells import CELLS, OPEN

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000  # bytes of a picture
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
START_S = 90
RUN = """async sources => {
    const panel = window.jupyterapp.shell.currentWidget, { sharedModel } = panel.content.model;
    const empty = { cell_type: 'code', metadata: {}, outputs: [] };
    sharedModel.deleteCellRange(0, sharedModel.cells.length);
    sharedModel.insertCells(0, sources.map(source => ({ ...empty, source })));
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""
SETTLE_MS = {"neuroglancer": 8000}


def main(names: list[str]) -> int:
    """Take the pictures; 1 where one is too large."""
    unknown = set(names) - set(CELLS)
    if unknown:
        sys.exit(f"no widget is called {', '.join(sorted(unknown))}; there are {', '.join(CELLS)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    too_large = 0
    with jupyter_lab() as (base, folder), sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if root else [])
        page = browser.new_context(viewport={"width": 1200, "height": 1500}).new_page()
        page.set_default_timeout(60_000)
        open_notebook(page, base, folder)
        for name in names or CELLS:
            show(page, name)
            for theme, title in THEMES.items():
                set_theme(page, title, dark=theme == "dark")
                path = IMAGES / f"widget-{name}-{theme}.png"
                page.locator(".ngff").first.screenshot(path=path)
                if path.stat().st_size > LARGEST:
                    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
                print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
                too_large += path.stat().st_size > LARGEST
        browser.close()
    return int(too_large > 0)


def open_notebook(page: Page, base: str, folder: Path) -> None:
    """Open an empty notebook; what it makes lies beside it, so that no path of this machine shows."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell("")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "pictures.ipynb")
    page.goto(f"{base}/lab/tree/pictures.ipynb?reset")
    page.wait_for_function(
        """() => {
            const w = window.jupyterapp?.shell.currentWidget;
            return w?.sessionContext?.kernelDisplayStatus === 'idle' && w.content?.widgets?.length > 0
        }"""
    )


def show(page: Page, name: str) -> None:
    """Show one widget, and wait until it has settled."""
    page.mouse.move(0, 0)
    page.evaluate(RUN, [OPEN, CELLS[name]])
    page.locator(".ngff").first.wait_for()
    page.locator(".ngff-twin", has_text=".").first.wait_for()
    page.wait_for_timeout(SETTLE_MS.get(name, 2000))  # tiles and bars arrive one by one
    if name == "viewer":
        show_labels(page)


def show_labels(page: Page) -> None:
    """Zoom into the viewer's image, lay the labels over it, and name one."""
    page.get_by_label("labels").select_option(index=1)
    picture = page.locator(".ngff-viewer canvas")
    picture.focus()
    page.keyboard.press("+")
    page.wait_for_timeout(1000)
    picture.click(position={"x": 460, "y": 275})
    page.locator(".ngff-picked").wait_for()
    page.wait_for_timeout(500)


def set_theme(page: Page, title: str, *, dark: bool) -> None:
    """Change JupyterLab's theme and wait until it is there."""
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", title)
    page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=str(not dark).lower())
    page.wait_for_timeout(500)


@contextmanager
def jupyter_lab() -> Iterator[tuple[str, Path]]:
    """Run a JupyterLab with settings, a sandbox and a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "notebooks"
        folder.mkdir()
        names = {"CONFIG_DIR": "c", "DATA_DIR": "d", "RUNTIME_DIR": "r"}
        environment = os.environ | {f"JUPYTER_{name}": f"{home}/{short}" for name, short in names.items()}
        environment |= {
            "JUPYTERLAB_SETTINGS_DIR": f"{home}/s",
            "JUPYTERLAB_WORKSPACES_DIR": f"{home}/w",
            "IPYTHONDIR": f"{home}/i",
            "NGFF_PRACTICAL_STATE": f"{home}/state",
            "NGFF_PRACTICAL_OFFLINE": "1",
        }
        base = f"http://127.0.0.1:{port}/user/abc"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
        command += ["--ServerApp.base_url=/user/abc/", f"--ServerApp.root_dir={folder}"]
        command += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
        server = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(f"{base}/api", server)
            yield base, folder
        finally:
            stop = "from ngff_practical import sandbox; sandbox.stop()"
            subprocess.run([sys.executable, "-c", stop], env=environment, check=False)
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    sys.exit(f"JupyterLab did not answer at {url}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
