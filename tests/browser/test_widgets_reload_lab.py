"""A notebook that is opened again: its views live on with their kernel, and say what to do without it."""

import nbformat
import pytest
from conftest import ALL_DONE, IDLE, LAB, MOST_WAITED_MS, RUN_ALL, SHUT_DOWN
from kernels import restart
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
SOURCE = """
from ngff_practical.meter import Recorder
from ngff_practical.widgets import RequestMeter
view = RequestMeter(Recorder())
view
"""


@pytest.fixture
def again(lab, page):
    """Open a notebook with one view; what Jupyter says on leaving the page is its own affair."""
    name = "again.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), lab.folder / name)
    page.set_default_timeout(MOST_WAITED_MS)
    page.goto(f"{lab.base}/{LAB}/{name}?token={lab.token}&reset")
    page.wait_for_function(IDLE)
    yield page
    page.evaluate(SHUT_DOWN)


def open_again(page):
    page.evaluate(SAVE)
    page.goto(page.url.split("?")[0])
    page.wait_for_function(IDLE)


def test_a_page_that_is_opened_again_after_a_restart_says_how_to_come_back(again):
    page = again
    page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_DONE)
    view, said = page.locator(".ngff-requests"), page.locator(".jp-OutputArea .ngff-again")
    view.wait_for()
    expect(said).to_be_hidden()

    open_again(page)
    view.wait_for()  # the kernel is still there, and so is the view
    expect(said).to_be_hidden()

    restart(page)
    open_again(page)
    said.wait_for(state="visible")
    expect(said).to_have_text(
        "This view worked with a kernel that has gone. Run its cell once more, and it is back."
    )
    expect(view).to_have_count(0)
    page.evaluate(RUN_ALL)
    view.wait_for()
    expect(said).to_be_hidden()
