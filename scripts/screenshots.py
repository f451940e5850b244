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
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000  # bytes of a picture
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
START_S = 90

OPEN = """
from ngff_practical.course import connect
server = connect()
image = server.location('idr', 'zarr/v0.4/idr0062A/6001240.zarr', anonymous=True)
sharded = server.location('idr', 'zarr/v0.5/idr0062A/6001240_labels.zarr', anonymous=True)
"""
STACK = """
import tempfile
import numpy as np
from pathlib import Path
from ngff_practical.formats import write_formats
folder = Path(tempfile.mkdtemp())
stack = np.random.default_rng(0).integers(0, 4000, (64, 128, 128), dtype='uint16')
paths = write_formats(stack, folder / 'formats', chunks=(16, 32, 32), shards=(32, 64, 64))
"""
CELLS = {
    "documents": """
from ngff_practical.widgets import MetadataTree
tree = MetadataTree(image)
tree.look('multiscales[0].datasets[1].coordinateTransformations')
tree
""",
    "keys": """
from ngff_practical.widgets import KeyBrowser
KeyBrowser(server.location('idr', 'zarr/v0.4/idr0062A/6001240.zarr', anonymous=True))
""",
    "bytes": STACK
    + """
from ngff_practical.widgets import ByteMapView
ByteMapView(*paths.values(), plane=10)
""",
    "planner": STACK
    + """
from ngff_practical import find_stack
from ngff_practical.samples import sample_planes
from ngff_practical.widgets import ConversionPlanner
planner = ConversionPlanner(find_stack(sample_planes(folder / 'planes')), 'embryo.ome.zarr')
planner.choose(chunks=(8, 32, 32), levels=2)
planner.convert(folder / 'embryo.ome.zarr')
planner
""",
    "plate": """
import json, tempfile
from pathlib import Path
import numpy as np
import zarr
from ngff_practical.widgets import PlateMap
plate = Path(tempfile.mkdtemp()) / 'plate.zarr'
def group(path, **ome):
    path.mkdir(parents=True, exist_ok=True)
    document = {'zarr_format': 3, 'node_type': 'group', 'attributes': {'ome': {'version': '0.5', **ome}}}
    (path / 'zarr.json').write_text(json.dumps(document))
rows, columns = 'ABCDEFGH', [f'{n}' for n in range(1, 13)]
axes = [{'name': name, 'type': 'space'} for name in 'yx']
scale = [{'type': 'scale', 'scale': [1, 1]}]
y, x = np.mgrid[:96, :96]
wells = []
for r, row in enumerate(rows):
    for c, column in enumerate(columns):
        if (r, c) in {(0, 11), (7, 3)}:
            continue
        if (r, c) != (5, 5):
            wells.append({'path': f'{row}/{column}', 'rowIndex': r, 'columnIndex': c})
        if (r, c) in {(2, 4), (2, 5)}:
            continue
        well = plate / row / column
        group(well, well={'images': [{'path': '0'}]})
        datasets = [{'path': '0', 'coordinateTransformations': scale}]
        group(well / '0', multiscales=[{'axes': axes, 'datasets': datasets}])
        spots = np.random.default_rng(r * 12 + c).uniform(8, 88, (9, 2))
        values = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / 50) for a, b in spots)
        zarr.save_array(well / '0' / '0', (values * 3000).astype('uint16'), zarr_format=3)
named = [[{'name': name} for name in names] for names in (rows, columns)]
group(plate, plate={'rows': named[0], 'columns': named[1], 'wells': wells})
shown = PlateMap(plate)
shown.look('B/3')
shown
""",
    "requests": """
import zarr
from ngff_practical.storage import zarr_store
from ngff_practical.widgets import RequestMeter
server.set_network(latency_ms=20)
meter = RequestMeter(server)
level_0 = zarr.open_array(zarr_store(image), path='0', mode='r')
with meter.watch('one plane'):
    level_0[0, 118]
with meter.watch('one column of pixels'):
    level_0[0, :40, 100, 100]
server.set_network()
meter
""",
    "chunks": """
from dataclasses import replace
from ngff_practical import describe_image
from ngff_practical.widgets import ChunkExplorer
planes = replace(describe_image(image), name='planes')
cubes = [replace(level, chunks=(1, 64, 64, 64)) for level in planes.levels]
explorer = ChunkExplorer(planes, replace(planes, name='cubes', levels=tuple(cubes)))
explorer.select('0, 100:140, 60:140, 60:140')
explorer
""",
    "chunks-stored": """
from ngff_practical.widgets import ChunkExplorer
ChunkExplorer(sharded)
""",
    "upload": """
import tempfile
from pathlib import Path
from ngff_practical.widgets import UploadPanel
from ngff_practical import convert_stack, find_stack, plan_pyramid
from ngff_practical.samples import sample_planes
server.use()
folder = Path(tempfile.mkdtemp())
source = find_stack(sample_planes(folder / 'planes'))
convert_stack(source, folder / 'embryo.ome.zarr', plan_pyramid(source, chunks=(8, 32, 32), shards=None))
panel = UploadPanel(folder / 'embryo.ome.zarr', server.location('practical', 'ada/embryo.ome.zarr'))
panel._ends = ('embryo.ome.zarr', panel._ends[1])
panel.start()
panel.wait()
panel
""",
    "viewer": """
from ngff_practical.widgets import PyramidViewer
server.set_network()
PyramidViewer(image)
""",
}


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
        for name in names or CELLS:
            open_notebook(page, base, folder, name)
            if name == "viewer":
                show_labels(page)
            for theme, title in THEMES.items():
                set_theme(page, title, dark=theme == "dark")
                path = IMAGES / f"widget-{name}-{theme}.png"
                page.locator(".ngff").first.screenshot(path=path)
                print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
                too_large += path.stat().st_size > LARGEST
        browser.close()
    return int(too_large > 0)


def open_notebook(page: Page, base: str, folder: Path, name: str) -> None:
    """Open a notebook that shows one widget, run it, and wait until the widget has settled."""
    cells = [nbformat.v4.new_code_cell(OPEN), nbformat.v4.new_code_cell(CELLS[name])]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
    page.goto(f"{base}/lab/tree/{name}.ipynb?reset")
    page.wait_for_function(
        """() => {
            const w = window.jupyterapp?.shell.currentWidget;
            return w?.sessionContext?.kernelDisplayStatus === 'idle' && w.content?.widgets?.length > 0
        }"""
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.locator(".ngff").first.wait_for()
    page.locator(".ngff-twin").get_by_text(". ").or_(
        page.locator(".ngff-twin", has_text=".")
    ).first.wait_for()
    page.wait_for_timeout(2000)  # tiles and bars arrive one by one


def show_labels(page: Page) -> None:
    """Zoom into the viewer's image, lay the labels over it, and name one."""
    page.get_by_label("labels").select_option(index=1)
    picture = page.locator(".ngff-viewer canvas")
    picture.focus()
    page.keyboard.press("+")
    page.wait_for_timeout(1000)
    picture.click(position={"x": 420, "y": 300})
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
