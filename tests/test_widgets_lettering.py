"""Still pictures draw any text, and errors that nobody thought of are told and end what was begun."""

import threading

import pytest

from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
from ngff_practical.widgets.base import Widget
from ngff_practical.widgets.lettering import drawable
from ngff_practical.widgets.working import Job

STRANGE = "a\x07\x1b[0m\u202e 漢字 😀 $\\frac{"


def test_signs_that_the_font_lacks_are_boxes_and_those_that_are_silent_are_numbers():
    assert drawable("µm³ é\n✓ ×") == "µm³ é\n✓ ×"
    assert drawable(STRANGE) == "a\\x07\\x1b[0m\\u202e □□ □ $\\frac{"


def test_a_text_with_strange_signs_is_drawn_without_a_warning():
    view = Widget()
    view.text = STRANGE.removesuffix("$\\frac{")
    assert view.picture().startswith(b"\x89PNG")


def test_labels_of_an_axis_are_drawn_without_a_warning():
    recorder = Recorder()
    meter = RequestMeter(recorder)
    recorder.record(Request("GET", f"idr/{STRANGE}", None, 200, 1, 25.0, "obstore", 1.0))
    meter.refresh()
    assert meter.picture().startswith(b"\x89PNG")


def test_where_there_is_only_text_it_rings_no_bell():
    view = Widget()
    view.text = "first \x07\u202e\nsecond"
    assert repr(view) == "first \\x07\\u202e\nsecond"


class Surprised(Widget):
    def receive(self, message, buffers):
        raise ZeroDivisionError("a mistake of ours")


def test_an_error_that_nobody_thought_of_is_told_and_the_view_goes_on(monkeypatch):
    view, sent = Surprised(), []
    monkeypatch.setattr(view, "send", sent.append)
    with pytest.raises(ZeroDivisionError):
        view._received(view, {"do": "x", "ask": 5}, [])
    assert sent == [{"done": 5}]
    assert "ZeroDivisionError: a mistake of ours" in view.notice


def test_work_that_ends_in_an_error_that_nobody_thought_of_has_failed(monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def work(on_step):
        raise ZeroDivisionError("a mistake of ours")

    job = Job(work, lambda: None)
    job.start()
    job.wait()
    assert job.state == "failed"
    assert "ZeroDivisionError: a mistake of ours" in job.said
    assert [one.exc_type for one in seen] == [ZeroDivisionError]
