"""A learner's way through lessons 00, 04 and 05 by mouse and keyboard, with wrong answers and a restart."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ALL_DONE, ERRORS
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.s3]

NOTHING_RUN = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code').every(cell => cell.model.executionCount === null)"""


def choose(page, menu, entry):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=entry).first.click()


def run_all(page):
    choose(page, "Run", "Run All Cells")
    page.wait_for_function(ALL_DONE)
    assert page.evaluate(ERRORS) == []


def restart(page):
    choose(page, "Kernel", "Restart Kernel and Clear Outputs of All Cells")
    page.locator(".jp-Dialog button.jp-mod-accept").click()
    page.wait_for_function(NOTHING_RUN)


def cell_with(page, code):
    return page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=code)


def exercise(page, name):
    return cell_with(page, f'lesson.exercise("{name}")')


def said(cell):
    return cell.locator(".jp-OutputArea-executeResult")


def answer(page, cell, code):
    """Put code behind `answer =` as one does with the keyboard, and run the cell."""
    cell.locator(".cm-line").filter(has_text="answer = ").click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    page.keyboard.insert_text(f"answer = {code}")
    page.keyboard.press("Shift+Enter")


def click(cell, button):
    cell.get_by_role("button", name=button, exact=True).click()


def terminal(lab, *arguments):
    command = [sys.executable, "-m", "ngff_practical", *arguments, "--json"]
    return json.loads(subprocess.run(command, env=lab.environment, capture_output=True, text=True).stdout)


def passed(lab, lesson):
    lines = terminal(lab, "progress")["results"]
    return [line["exercise"] for line in lines if line["lesson"] == lesson and line["passed"]]


def numbers_of(cell, pattern):
    """Return the numbers that the task states, as a learner reads them."""
    task = cell.locator(".jp-RenderedMarkdown").first
    expect(task).to_contain_text(re.compile(pattern))
    return re.search(pattern, task.text_content()).groups()


def test_the_first_lesson_is_answered_wrong_then_right_and_resumed_and_reset(lab, notebook):
    page = notebook("00_start_here.ipynb")
    run_all(page)
    cell = exercise(page, "warm-up")
    expect(said(cell)).to_contain_text("Not attempted")
    size, speed = map(int, numbers_of(cell, r"image of (\d+) MB travels at (\d+) MB"))
    answer(page, cell, str(size * speed))
    expect(said(cell)).to_contain_text("megabytes times speed")
    click(cell, "Hint")
    expect(cell).to_contain_text("Hint 1 of 2")
    click(cell, "Hint")
    expect(cell).to_contain_text("Hint 2 of 2")
    answer(page, cell, f"{size} / {speed}")
    expect(said(cell)).to_contain_text("Passed")
    progress = cell_with(page, "lesson.progress()")
    progress.locator(".cm-line").first.click()
    page.keyboard.press("Shift+Enter")
    expect(said(progress)).to_contain_text("1 of 1 exercises passed")

    restart(page)
    run_all(page)
    expect(said(cell)).to_contain_text("Passed")
    answer(page, cell, "____")
    expect(said(cell)).to_contain_text("You passed this on")
    answer(page, cell, "'mine'")
    expect(said(cell)).to_contain_text("Not yet")
    expect(said(progress)).to_contain_text("1 of 1 exercises passed")

    page.keyboard.press("Control+s")
    path = lab.folder / "00_start_here.ipynb"
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert "answer = 'mine'" in path.read_text()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    kept = Path(terminal(lab, "reset", "00", "--folder", str(lab.folder))["kept"])
    assert "answer = 'mine'" in kept.read_text()
    assert "answer = 'mine'" not in path.read_text()
    assert passed(lab, "00_start_here") == ["warm-up"]


def test_an_exercise_on_a_download_is_done_with_the_mouse_alone(lab, notebook):
    page = notebook("04_download_from_s3.ipynb")
    run_all(page)
    cell = exercise(page, "sharp-enough")
    field = cell.get_by_placeholder("a short answer")
    field.fill("0")
    click(cell, "Check")
    expect(cell).to_contain_text("Not yet: the answer in the field")
    expect(cell).to_contain_text("times the bytes")
    click(cell, "Hint")
    expect(cell).to_contain_text("Hint 1 of 2")
    assert passed(lab, "04_download_from_s3") == []
    field.fill("1")
    click(cell, "Check")
    expect(cell).to_contain_text("Passed: the answer in the field")
    assert passed(lab, "04_download_from_s3") == ["sharp-enough"]
    viewer = page.locator(".ngff-viewer")
    viewer.scroll_into_view_if_needed()
    expect(viewer).to_contain_text("request")


def test_an_exercise_on_a_conversion_is_resumed_after_a_restart(lab, notebook):
    page = notebook("05_convert_your_data.ipynb")
    run_all(page)
    cell = exercise(page, "voxel-size")
    step, per = numbers_of(cell, r"planes are ([\d.]+) micrometres apart, and there are (\d+) pixels")
    path = 'task.given["path"]'
    answer(page, cell, f'find_stack({path}, voxel_size=({step}, {per}, {per}), unit="micrometer")')
    expect(said(cell)).to_contain_text(f"{per} is pixels per micrometre")
    click(cell, "Hint")
    expect(cell).to_contain_text("Hint 1 of 2")
    answer(page, cell, f"find_stack({path}, voxel_size=({step}, 1 / {per}, 1 / {per}))")
    expect(said(cell)).to_contain_text("A size needs its unit")
    answer(page, cell, f'find_stack({path}, voxel_size=({step}, 1 / {per}, 1 / {per}), unit="micrometer")')
    expect(said(cell)).to_contain_text("Passed")
    restart(page)
    assert passed(lab, "05_convert_your_data") == ["voxel-size"]
    answer_cell = cell.locator(".cm-line").filter(has_text="answer = ")
    expect(answer_cell).to_contain_text('unit="micrometer"')
    run_all(page)
    assert numbers_of(cell, r"planes are ([\d.]+) micrometres apart, and there are (\d+) pixels") == (
        step,
        per,
    )
    expect(said(cell)).to_contain_text("Passed")
