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
        page.wait_for_function(
            """() => {
                const w = window.jupyterapp?.shell.currentWidget;
                return w?.sessionContext?.kernelDisplayStatus === 'idle' && w.content?.widgets?.length > 0
            }"""
        )
        return page

    yield open_notebook
    said = list(errors)  # a viewer whose kernel is taken away may complain, and be right
    page.evaluate("async () => { await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown() }")
    assert foreign == []
    assert said == []


@pytest.fixture
def cells(lab, notebook):
    """Make a notebook of these cells, open it, run all of them, and return the page."""
    made = []

    def run(*sources):
        name = f"cells-{os.urandom(4).hex()}.ipynb"
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        code = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=metadata), lab.folder / name)
        made.append(lab.folder / name)
        page = notebook(name)
        page.evaluate(RUN_ALL)
        page.wait_for_function(ALL_DONE)
        assert page.evaluate(ERRORS) == []
        return page

    yield run
    for path in made:
        path.unlink()


def _note_foreign(url, base, foreign):
    if url.startswith("http") and not url.startswith(base):
        foreign.append(url)


def _note_error(message, errors):
    # JupyterLab itself complains so when a kernel is restarted
    if message.type == "error" and "Could not restore the debugger state" not in message.text:
        errors.append(f"{message.text} ({message.location.get('url')})")
