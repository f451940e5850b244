"""What all widgets share: one module without imports, a text twin, a still picture, and answers."""

import base64
import re
import subprocess
import sys
from importlib import resources

import anywidget
import pytest
from anywidget import AnyWidget

from ngff_practical import widgets
from ngff_practical.errors import StorageError
from ngff_practical.widgets.base import STATIC, Widget


class Plain(Widget):
    _esm = "export default { render() {} }"

    def receive(self, message, buffers):
        if message.get("fail"):
            raise StorageError("the server has gone; start it again")
        return bool(message.get("later"))


@pytest.fixture
def plain(monkeypatch):
    widget = Plain()
    widget.sent = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: widget.sent.append(content))
    return widget


def own_scripts():
    return sorted(path.stem for path in STATIC.glob("*.js") if path.stem != "shared")


def test_scripts_and_styles_are_data_of_the_package():
    found = {item.name for item in resources.files("ngff_practical.widgets").joinpath("static").iterdir()}
    assert {"shared.js", "shared.css"} <= found
    assert {f"{name}.css" for name in own_scripts()} <= found


def test_nothing_that_a_wheel_would_leave_out_is_among_them():
    command = ["git", "check-ignore", *(str(path) for path in STATIC.iterdir())]
    assert subprocess.run(command, cwd=STATIC, capture_output=True, text=True).stdout == ""


@pytest.mark.parametrize("name", ["shared", *own_scripts()])
def test_a_script_imports_nothing_and_never_makes_html_of_text(name):
    text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    assert not re.search(r"^\s*import\b|\bimport\(|https?://", text, re.MULTILINE)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text)


@pytest.mark.parametrize("name", ["shared", *own_scripts()])
def test_a_style_sheet_fetches_nothing(name):
    assert not re.search(r"@import|url\(", (STATIC / f"{name}.css").read_text(encoding="utf-8"))


def test_importing_the_names_loads_neither_anywidget_nor_matplotlib():
    heavy = {"anywidget", "matplotlib"}
    code = f"import sys, ngff_practical.widgets; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_drawing_leaves_pyplot_alone():
    code = (
        "import sys; from ngff_practical.widgets.base import Widget; Widget().picture(); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_page_without_a_kernel_shows_a_picture_and_the_text(plain):
    plain.text = "3 requests, 12 kB"
    data, _ = plain._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
    assert data["text/plain"] == "3 requests, 12 kB"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_question_is_answered_with_its_own_number(plain):
    plain._handle_custom_msg({"ask": 7}, [])
    assert plain.sent == [{"done": 7}]


def test_a_question_that_takes_longer_is_not_answered_at_once(plain):
    plain._handle_custom_msg({"ask": 7, "later": True}, [])
    assert plain.sent == []


def test_what_goes_wrong_is_said_and_the_view_may_go_on_asking(plain):
    plain._handle_custom_msg({"ask": 8, "fail": True}, [])
    assert plain.notice == "the server has gone; start it again"
    assert plain.sent == [{"done": 8}]


def test_a_message_that_is_no_object_is_ignored(plain):
    plain._handle_custom_msg("hello", [])
    assert plain.sent == []


@pytest.mark.parametrize("name", [name for name in widgets.__all__ if name[0].isupper()])
def test_a_widget_hides_nothing_of_what_it_is_built_on(name):
    made = getattr(widgets, name)
    own = {key for one in made.__mro__[: made.__mro__.index(Widget)] for key in vars(one)}
    assert not {key for key in own & set(dir(anywidget.AnyWidget)) if not key.startswith("_")}


def test_names_that_are_not_there_are_said_to_be_missing():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        widgets.Nothing  # noqa: B018


KINDS = [kind for name in widgets.__all__ if isinstance(kind := getattr(widgets, name), type)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_trait_of_a_widget_takes_the_name_of_something_that_carries_it_to_the_page(kind) -> None:
    own = {trait for cls in kind.__mro__[: kind.__mro__.index(AnyWidget)] for trait in vars(cls)}
    names = {trait for trait in kind.class_traits() if trait in own}
    assert names & set(dir(AnyWidget)) == set()
