"""The form of the notebooks: what each has at its top and bottom, its exercises, links and questions."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from ngff_practical.course.catalogue import LESSONS, exercises_of, find_lesson

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
SECTIONS = ("## Check yourself", "## Take home", "## If something went wrong")
# Links to lessons of the course that are not written yet may stand in a notebook.
COMING = {f"{lesson.name}.ipynb" for lesson in LESSONS}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


@pytest.fixture
def prose(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def code(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def test_the_top_says_what_for_how_long_and_from_where(path, cells):
    top, lesson = cells[0].source, find_lesson(path.stem)
    assert top.splitlines()[0] == f"# {lesson.title}"
    goals = re.search(r"\*\*After this notebook you can\*\*\n((?:- .+\n)+)", top)
    assert goals
    assert 2 <= len(goals[1].splitlines()) <= 4
    assert f"**Time:** {lesson.minutes} min ({lesson.exercise_minutes} min exercises)" in top
    assert "**Necessary:**" in top
    assert "**Helpful:**" in top


def test_the_data_and_their_licence_are_named(cells, prose):
    assert "**Data:**" in prose or any("course.data_box(" in source for source in code(cells))


def test_there_is_one_title_and_sections_follow_it(prose):
    headings = re.findall(r"^(#+) ", prose, flags=re.MULTILINE)
    assert headings[0] == "#"
    assert headings.count("#") == 1
    depths = [len(heading) for heading in headings]
    assert all(after - before <= 1 for before, after in pairwise(depths))


def test_the_end_asks_sums_up_helps_and_leads_on(prose):
    places = [prose.index(f"\n{section}\n") for section in SECTIONS]
    assert places == sorted(places)
    assert "**Next:**" in prose[places[-1] :]


def test_the_questions_explain_every_option(prose):
    questions = prose[prose.index("## Check yourself") : prose.index("## Take home")]
    assert 2 <= len(re.findall(r"^\*\*\d\. .+\?\*\*$", questions, flags=re.MULTILINE)) <= 3
    options = re.findall(r"<details><summary>(.+?)</summary>(.+?)</details>", questions)
    assert len(options) >= 4
    assert questions.count("<details>") == len(options)
    assert all(len(explanation.split()) >= 3 or "Yes" in explanation for _, explanation in options)


def test_every_exercise_of_the_lesson_is_in_it_in_order(path, cells):
    named = [name for source in code(cells) for name in re.findall(r'lesson\.exercise\("([\w-]+)"\)', source)]
    assert named == [exercise.name for exercise in exercises_of(path.stem)]


def test_an_exercise_is_one_cell_below_its_heading(cells):
    for before, cell in pairwise(cells):
        if cell.cell_type == "code" and "lesson.exercise(" in cell.source:
            lines = cell.source.splitlines()
            assert lines[0].startswith("task = lesson.exercise(")
            assert lines[1:] == ["answer = ____", "task.check(answer)"]
            assert before.cell_type == "markdown" or "course.lesson(" in before.source


def test_links_lead_somewhere_offline(path, prose):
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        if not target.startswith("https://"):
            assert (path.parent / target).exists() or target in COMING, target


def test_pictures_have_a_text_for_those_who_do_not_see_them(prose):
    assert re.findall(r"!\[\s*\]\(", prose) == []
    assert [tag for tag in re.findall(r"<img[^>]*>", prose) if 'alt="' not in tag] == []


def test_prose_needs_no_extension_of_the_notebook(prose):
    assert re.findall(r"^(?::::|> \[!|```\{)", prose, flags=re.MULTILINE) == []


def test_a_name_means_one_module_or_function_only(cells):
    """What is imported is not given another meaning further down."""
    trees = [
        ast.parse("\n".join(x for x in source.splitlines() if x[:1] not in "%!")) for source in code(cells)
    ]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert imported & assigned == set()


def test_take_home_takes_its_numbers_from_variables(cells):
    title = next(index for index, cell in enumerate(cells) if cell.source.startswith("## Take home"))
    points = [line for line in cells[title + 1].source.splitlines() if line.startswith("- ")]
    assert len(points) == 3
    assert sum("{" in point for point in points) == 3


def test_each_of_the_lessons_has_three_exercises_or_is_the_first(path):
    assert len(exercises_of(path.stem)) >= (1 if path.stem.startswith("00") else 3)
