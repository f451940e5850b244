"""A real JupyterLab, started the way a learner starts it, and a real Chromium in front of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120
PREFIX = "/user/abc/"  # as on a hub and on Binder
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
    pytest.fail(f"JupyterLab did not answer at {url}:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Run `ngff-practical lab` on a copy of the notebooks; when it is told to end, nothing is left behind."""
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns("scratch", ".ipynb_checkpoints"))
    home = tmp_path_factory.mktemp("home")
    port, token, log = free_port(), "a-token-for-this-test", home / "lab.log"
    config = home / "config"
    config.mkdir()
    settings = {"LabApp": {"expose_app_in_browser": True}, "ServerApp": {"base_url": PREFIX}}
    (config / "jupyter_lab_config.json").write_text(json.dumps(settings))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": token,
        "NGFF_PRACTICAL_STATE": str(home / "state"),
        "NGFF_PRACTICAL_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "ngff_practical", "lab", "--no-browser", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--folder", str(folder)], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    base = f"http://127.0.0.1:{port}{PREFIX.rstrip('/')}"
    wait_until_it_answers(f"{base}/api", process, log)
    yield SimpleNamespace(base=base, token=token, environment=environment, log=log, folder=folder)
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    process.wait(30)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [other.cmdline() for other in alive] == []


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
    foreign, errors = [], []
    page.on("request", lambda request: _note_foreign(request.url, lab.base, foreign))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: _note_error(message, errors))
    page.set_default_timeout(60_000)

    def open_notebook(name):
        page.goto(f"{lab.base}/lab/tree/{name}?token={lab.token}&reset")
        page.wait_for_function(IDLE)
        return page

    yield open_notebook
    said = list(errors)  # a viewer whose kernel is taken away may complain, and be right
    page.evaluate(SHUT_DOWN)
    assert foreign == []
    assert said == []


@pytest.fixture(scope="session")
def board(lab, browser, browser_context_args):
    """One page with one notebook and one kernel, for all tests that need no more than cells of their own."""
    name = "board.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("")], metadata=metadata)
    nbformat.write(empty, lab.folder / name)
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    page.set_default_timeout(60_000)
    foreign, errors = [], []
    page.on("request", lambda request: _note_foreign(request.url, lab.base, foreign))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: _note_error(message, errors))
    page.goto(f"{lab.base}/lab/tree/{name}?token={lab.token}&reset")
    page.wait_for_function(IDLE)
    yield SimpleNamespace(page=page, foreign=foreign, errors=errors)
    page.evaluate(SHUT_DOWN)
    context.close()
    (lab.folder / name).unlink(missing_ok=True)


@pytest.fixture
def cells(board):
    """Put these cells in place of those on the board, run all of them, and return the page.

    No request leaves the server, and no error is logged. The kernel keeps what earlier tests left in it.
    """
    page = board.page
    board.foreign.clear()
    board.errors.clear()

    def run(*sources):
        page.evaluate(RUN_THESE, list(sources))
        page.wait_for_function(ALL_DONE)
        assert page.evaluate(ERRORS) == []
        return page

    yield run
    said = list(board.errors)
    page.keyboard.up("Shift")
    page.evaluate(RUN_THESE, [])  # views end here: one that polls would go on for the rest of the run
    assert board.foreign == []
    assert said == []


def _note_foreign(url, base, foreign):
    if url.startswith("http") and not url.startswith(base):
        foreign.append(url)


def _note_error(message, errors):
    if message.type != "error" or "Could not restore the debugger state" in message.text:
        return  # JupyterLab itself complains so when a kernel is restarted
    # Neuroglancer asks for documents of every Zarr version, and goes on asking when its kernel is restarted;
    # the browser lists what is not there
    if not (message.text.startswith("Failed to load") and "/proxy/" in message.location.get("url", "")):
        errors.append(f"{message.text} ({message.location.get('url')})")
