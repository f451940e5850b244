"""What a learner meets first: the lab opens on the first lesson, and the lesson runs."""

import json
import subprocess
import sys

import pytest
from conftest import ALL_DONE, ERRORS, MOST_WAITED_MS, RUN_ALL

pytestmark = [pytest.mark.browser, pytest.mark.s3]


def test_the_lab_opens_on_the_first_lesson(lab, page):
    page.set_default_timeout(MOST_WAITED_MS)
    page.goto(f"{lab.base}/?token={lab.token}")
    page.get_by_role("heading", name="Start here").wait_for()


@pytest.mark.parametrize("name", ["00_start_here.ipynb", "04_download_from_s3.ipynb"])
def test_a_lesson_runs_in_the_browser_and_shows_its_picture(name, notebook, tmp_path):
    page = notebook(name)
    page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_DONE)
    assert page.evaluate(ERRORS) == []
    picture = page.locator(".jp-OutputArea-output img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth > 200", arg=picture.element_handle())


def test_a_lesson_shows_what_a_view_looks_like_before_anything_runs(notebook):
    page = notebook("04_download_from_s3.ipynb")
    summary = page.locator(".jp-MarkdownCell summary").get_by_text("How this looks").first
    summary.scroll_into_view_if_needed()
    picture = page.locator(".jp-MarkdownCell details").filter(has_text="How this looks").first.locator("img")
    assert not picture.is_visible()
    summary.click()
    picture.wait_for(state="visible")
    page.wait_for_function("image => image.naturalWidth > 200", arg=picture.element_handle())


def test_the_sandbox_of_the_lab_answers_in_another_terminal(lab):
    command = [sys.executable, "-m", "ngff_practical", "ls", "s3://idr/", "--anonymous", "--json"]
    answer = subprocess.run(command, env=lab.environment, capture_output=True, text=True, check=True)
    assert "zarr" in json.loads(answer.stdout)["folders"]
