"""The latency model: the sum it makes, what is chosen, and what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngff_practical.widgets import LatencyModel
from ngff_practical.widgets.latency import CHOICES
from ngff_practical.widgets.waiting import LINES, Line, Load, cost, seconds_text, told


def ask(model, what, value):
    model._handle_custom_msg({"do": what, "value": value}, [])


def test_every_object_waits_once_and_every_byte_has_eight_bits():
    found = cost(Load(571, 2_000_000), Line("x", 40, 16))
    assert (found.waiting_s, found.moving_s) == pytest.approx((22.84, 1.0))
    assert found.seconds == pytest.approx(23.84)


def test_asked_for_at_once_they_wait_together():
    assert cost(Load(64, 0, at_once=8), Line("x", 100, 1)).waiting_s == pytest.approx(0.8)
    assert cost(Load(2, 0, at_once=8), Line("x", 100, 1)).waiting_s == pytest.approx(0.1)


@given(
    st.integers(1, 10**6), st.integers(0, 10**12), st.integers(1, 64), st.floats(0.01, 300), st.floats(1, 1e4)
)
def test_more_of_anything_never_takes_less_time(objects, nbytes, at_once, latency, rate):
    line = Line("x", latency, rate)
    now = cost(Load(objects, nbytes, at_once), line).seconds
    assert cost(Load(objects + 1, nbytes, at_once), line).seconds >= now
    assert cost(Load(objects, nbytes + 1, at_once), line).seconds >= now
    assert cost(Load(objects, nbytes, at_once + 1), line).seconds <= now


def test_the_lines_are_those_of_the_talk_and_of_the_internet():
    assert [told(line) for line in LINES] == [
        "a disk (0.01 ms, 1 Gbit/s)",
        "object storage, from beside it (1 ms, 1 Tbit/s)",
        "the same country (20 ms, 100 Mbit/s)",
        "another continent (150 ms, 100 Mbit/s)",
    ]


def test_its_words_name_every_line_and_where_the_time_goes():
    text = LatencyModel(571, 2).text
    assert text.startswith("571 objects, 2.0 MB, one after the other. a disk: 22 ms, 26% of it waiting;")
    assert "another continent: 85.8 s, 100% of it waiting" in text
    assert text.count("% of it waiting") == len(LINES) + 1


@pytest.mark.parametrize(
    ("what", "value", "seconds"),
    [
        ("objects", 9, 9 * 0.05 + 0.32),
        ("megabytes", 100, 571 * 0.05 + 16),
        ("at_once", 8, 571 * 0.05 / 8 + 0.32),
        ("latency_ms", 100, 571 * 0.1 + 0.32),
        ("mbit_per_s", 10, 571 * 0.05 + 1.6),
    ],
)
def test_a_choice_changes_the_sum(what, value, seconds):
    model = LatencyModel(571, 2)
    ask(model, what, value)
    assert model.seconds() == pytest.approx(seconds)
    assert model.setting["chosen"][what] == value


@pytest.mark.parametrize(
    "message",
    [{}, {"do": "objects"}, {"do": "objects", "value": "<b>"}, {"do": "objects", "value": 0}, {"do": "x"}],
)
def test_a_strange_message_changes_nothing(message):
    model = LatencyModel()
    before = model.text
    model._handle_custom_msg(message, [])
    assert (model.text, model.notice) == (before, "")


def test_every_choice_can_be_made_and_the_longest_bar_is_whole():
    model = LatencyModel()
    for what, values in CHOICES.items():
        for value in values:
            ask(model, what, value)
            assert model.setting["chosen"][what] == value
            assert max(row["waiting"] + row["moving"] for row in model.rows) == pytest.approx(1)
    assert model.picture().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1e-5, "0.01 ms"), (0.02, "20 ms"), (86, "86.0 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_a_time_is_said_as_people_say_it(seconds, said):
    assert seconds_text(seconds) == said
