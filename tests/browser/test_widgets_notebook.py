"""Every widget in Notebook 7, started as `jupyter notebook`, under a prefix."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from conftest import cells_on, jupyter, one_page
from each import EACH

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
DECLARED = [
    one
    for group in (PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values())
    for one in group
    if isinstance(one, str) and re.match(r"notebook\b(?!-)", one)
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not DECLARED, reason="the project does not ask for the package notebook"),
]


@pytest.fixture(scope="module")
def notebook_7(tmp_path_factory, browser, browser_context_args):
    """One page with one notebook and one kernel in Notebook 7."""
    folder = tmp_path_factory.mktemp("notebook")
    settings = {
        "jupyter_notebook_config": {
            "JupyterNotebookApp": {"expose_app_in_browser": True},
            "ServerApp": {"root_dir": str(folder), "allow_root": os.name == "posix"},
        }
    }
    with (
        jupyter(tmp_path_factory.mktemp("home"), folder, settings, "notebook") as server,
        one_page(server, browser, browser_context_args, "notebooks") as opened,
    ):
        assert opened.page.locator("body[data-notebook=notebooks]").count() == 1
        yield opened


@pytest.mark.parametrize("name", EACH)
def test_in_notebook_7_a_widget_appears_and_answers(notebook_7, name):
    with cells_on(notebook_7) as cells:
        page = cells(EACH[name].source)
        page.locator(f".ngff-{EACH[name].kind}").wait_for()
        if name == "NeuroglancerView":
            page.frame_locator(".ngff-neuro iframe").locator("canvas").first.wait_for()
            return
        before = page.locator(".ngff-twin").text_content()
        EACH[name].act(page)
        page.wait_for_function(
            "before => document.querySelector('.ngff-twin').textContent !== before",
            arg=before,
        )
        page.wait_for_function(
            "() => { const one = document.querySelector('.ngff'); return one.scrollWidth <= one.clientWidth }"
        )
