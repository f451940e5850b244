"""A real JupyterLab, started the way a learner starts it, and a real Chromium in front of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120
MOST_WAITED_MS = 60_000
expect.set_options(timeout=MOST_WAITED_MS)
PREFIX = "/user/abc/"  # as on a hub and on Binder
TOKEN = "a-token-for-this-test"
LAB = "lab/tree/notebooks"  # the folder around the notebooks is served
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
RUN_THESE = """async sources => {
    const panel = window.jupyterapp.shell.currentWidget, { sharedModel } = panel.content.model;
    sharedModel.deleteCellRange(0, sharedModel.cells.length);
    const empty = { cell_type: 'code', metadata: {}, outputs: [] };
    sharedModel.insertCells(0, sources.map(source => ({ ...empty, source })));
    await window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""
IDLE = """() => {
    const w = window.jupyterapp?.shell.currentWidget;
    return w?.sessionContext?.kernelDisplayStatus === 'idle' && w.content?.widgets?.length > 0
}"""
SHUT_DOWN = "async () => { await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown() }"
ALL_DONE = """() => {
    const w = window.jupyterapp.shell.currentWidget;
    const cells = w.content.widgets.filter(cell => cell.model.type === 'code');
    return cells.every(cell => cell.model.executionCount !== null)
        && w.sessionContext.kernelDisplayStatus === 'idle'
}"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .flatMap(cell => cell.model.outputs ? cell.model.outputs.toJSON() : [])
    .filter(output => output.output_type === 'error')
    .map(output => output.ename + ': ' + output.evalue)"""
SHOWN = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code')
    .every(({ model, outputArea }) => model.outputs.toJSON().every((output, at) =>
        !output.data?.['application/vnd.jupyter.widget-view+json']
        || outputArea.widgets[at]?.node.querySelector('.jp-OutputArea-output > * > *')?.isConnected))"""
PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))"
GONE = "The kernel is taken away."
TELL = f"""() => {{
    const {{ sessionContext }} = window.jupyterapp.shell.currentWidget;
    sessionContext.statusChanged.connect((_, status) => {{
        if (['restarting', 'terminating'].includes(status)) console.info('{GONE}')
    }})
}}"""


class Watch:
    """What a page asks of other servers, and what it complains of, since the last `clear`.

    Views whose kernel is taken away may complain, and are right: from then on nothing of it is kept.
    """

    def __init__(self, page, base):
        self._base = base
        self.clear()
        page.on("request", lambda request: self._asked(request.url))
        page.on("pageerror", lambda error: self._complained(str(error)))
        page.on("console", self._said)

    def clear(self):
        self.foreign, self.errors, self._gone = [], [], False

    def _asked(self, url):
        if url.startswith("http") and not url.startswith(self._base):
            self.foreign.append(url)

    def _said(self, message):
        url = message.location.get("url", "")
        if message.text == GONE:
            self._gone = True
        # neuroglancer asks for documents of every Zarr version; the browser lists what is not there
        elif message.type == "error" and not (message.text.startswith("Failed to load") and "/proxy/" in url):
            self._complained(f"{message.text} ({url})")

    def _complained(self, text):
        if not self._gone:
            self.errors.append(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url, process, log):
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    process.kill()
    pytest.fail(f"Jupyter did not answer at {url}:\n{log.read_text()[-3000:]}")


@contextmanager
def jupyter(home, folder, settings, *arguments):
    """Run `python -m ARGUMENTS` as a Jupyter server; when it is told to end, nothing is left behind.

    `settings` are those of each of Jupyter's parts, by the name of its settings file.
    """
    port, log, config = free_port(), home / "server.log", home / "config"
    config.mkdir()
    for name, stated in settings.items():
        server = {"base_url": PREFIX, **stated.get("ServerApp", {})}
        (config / f"{name}.json").write_text(json.dumps({**stated, "ServerApp": server}))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": TOKEN,
        "NGFF_PRACTICAL_STATE": str(home / "state"),
        "NGFF_PRACTICAL_OFFLINE": "1",
    }
    command = [sys.executable, "-m", *arguments, "--no-browser", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    base = f"http://127.0.0.1:{port}{PREFIX.rstrip('/')}"
    wait_until_it_answers(f"{base}/api", process, log)
    yield SimpleNamespace(base=base, token=TOKEN, environment=environment, log=log, folder=folder)
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.wait(START_S)
    _, alive = psutil.wait_procs(family, timeout=START_S)
    assert [other.cmdline() for other in alive] == []
    # a sandbox that a kernel has started outlives it, as it should
    stop = "from ngff_practical import sandbox; sandbox.stop()"
    subprocess.run([sys.executable, "-c", stop], env=environment, check=True, timeout=START_S)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Run `ngff-practical lab` on a copy of the notebooks, and of the pages and pictures they link to."""
    course = tmp_path_factory.mktemp("course")
    folder = course / "notebooks"
    left = shutil.ignore_patterns("scratch", ".ipynb_checkpoints")
    for name in ("notebooks", "docs"):
        shutil.copytree(ROOT / name, course / name, ignore=left)
    settings = {"jupyter_lab_config": {"LabApp": {"expose_app_in_browser": True}}}
    arguments = ("ngff_practical", "lab", "--folder", str(folder))
    with jupyter(tmp_path_factory.mktemp("home"), folder, settings, *arguments) as server:
        yield server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Take the Chromium that the environment names; as root it cannot have its sandbox."""
    arguments = QUIET + (["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    named = {"executable_path": chromium} if chromium else {}
    return {**browser_type_launch_args, **named, "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def notebook(lab, page):
    """Open a notebook of the course in JupyterLab; no request leaves the server, no error is logged."""
    watch = Watch(page, lab.base)
    page.set_default_timeout(MOST_WAITED_MS)

    def open_notebook(name):
        page.goto(f"{lab.base}/{LAB}/{name}?token={lab.token}&reset")
        page.wait_for_function(IDLE)
        page.evaluate(TELL)
        return page

    yield open_notebook
    said = list(watch.errors)
    page.evaluate(SHUT_DOWN)
    assert watch.foreign == []
    assert said == []


@contextmanager
def one_page(server, browser, context_args, way):
    """Open one notebook, on one page with one kernel, at this way of a Jupyter server."""
    name = "board.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")], metadata=metadata)
    nbformat.write(empty, server.folder / name)
    context = browser.new_context(**context_args)
    page = context.new_page()
    page.set_default_timeout(MOST_WAITED_MS)
    watch = Watch(page, server.base)
    page.goto(f"{server.base}/{way}/{name}?token={server.token}&reset")
    page.wait_for_function(IDLE)
    page.evaluate(TELL)
    yield SimpleNamespace(page=page, watch=watch)
    page.evaluate(SHUT_DOWN)
    context.close()
    (server.folder / name).unlink(missing_ok=True)


@contextmanager
def cells_on(board):
    """Lend a page: what is called puts cells in place of those on it, runs all, and returns the page."""
    page, watch = board.page, board.watch
    watch.clear()

    def run(*sources):
        page.evaluate(RUN_THESE, list(sources))
        page.wait_for_function(ALL_DONE)
        assert page.evaluate(ERRORS) == []
        page.wait_for_function(SHOWN)  # a view is drawn a moment after its cell has ended
        page.evaluate(PAINTED)  # and fits itself to its width a frame later
        return page

    yield run
    said = list(watch.errors)
    page.keyboard.up("Shift")
    page.evaluate(RUN_THESE, [])  # views end here: one that polls would go on for the rest of the run
    assert watch.foreign == []
    assert said == []


@pytest.fixture(scope="session")
def board(lab, browser, browser_context_args):
    """One page with one notebook and one kernel, for all tests that need no more than cells of their own."""
    with one_page(lab, browser, browser_context_args, LAB) as opened:
        yield opened


@pytest.fixture
def cells(board):
    """Put these cells in place of those on the board, run all of them, and return the page.

    No request leaves the server, and no error is logged. The kernel keeps what earlier tests left in it.
    """
    with cells_on(board) as run:
        yield run
