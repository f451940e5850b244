"""What holds for every widget: hostile names, 200 % zoom, the keyboard, a busy kernel, one that has gone."""

import pytest
from each import EACH, MARKUP
from kernels import begin, ended, restart, run, until
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

each = pytest.mark.parametrize("name", EACH)
answering = pytest.mark.parametrize("name", [name for name in EACH if name != "NeuroglancerView"])
naming = pytest.mark.parametrize("name", [name for name in EACH if name != "LatencyModel"])  # shows no file

LEFT = """() => {
    const { commands, shell } = window.jupyterapp;
    if (!shell.leftCollapsed) return commands.execute('application:toggle-left-area')
}"""
CUT_OFF = """() => {
    const root = document.querySelector('.ngff'), box = root.getBoundingClientRect();
    const inside = ({ left, right }) => left >= box.left - 1 && right <= box.right + 1;
    const scrolls = element => element.closest('.ngff-scroll');
    return [
        ...(root.scrollWidth > root.clientWidth ? ['the widget'] : []),
        ...(box.right > innerWidth + 1 ? ['the page'] : []),
        ...[...root.querySelectorAll('button, input, select, canvas, summary, label, output, iframe, p, b')]
            .filter(one => one.offsetParent && !scrolls(one) && !inside(one.getBoundingClientRect()))
            .map(one => one.outerHTML.slice(0, 120)),
    ]
}"""
CONTROLS = """() => [...document.querySelector('.ngff')
    .querySelectorAll('button, input, select, summary, [tabindex="0"]')]
    .filter(one => one.offsetParent && !one.disabled && one.tabIndex >= 0)
    .map((one, at) => { one.dataset.at = at; return one.outerHTML.slice(0, 120) })"""
NAMELESS = """() => [...document.querySelector('.ngff')
    .querySelectorAll('button, input, select, [tabindex], [role=img], iframe')]
    .filter(one => one.offsetParent)
    .filter(one => one.title === 'null' || !(one.ariaLabel || one.title || one.labels?.length
        || one.textContent.trim()))
    .map(one => one.outerHTML.slice(0, 120))"""

SAYS = """words => [...document.querySelectorAll('.ngff, .ngff-twin')]
    .some(one => one.innerText.includes(words))"""


def shown(page, name):
    """Wait until a widget is on the page; neuroglancer until its own page is."""
    page.locator(f".ngff-{EACH[name].kind}").wait_for()
    if name == "NeuroglancerView":
        page.frame_locator(".ngff-neuro iframe").locator("canvas").first.wait_for()


@naming
def test_names_from_a_file_are_text_and_nothing_else(cells, name):
    page = cells(EACH[name].source)
    shown(page, name)
    if name not in ("KeyBrowser", "NeuroglancerView", "RequestMeter"):  # these show names at once
        EACH[name].act(page)
    page.wait_for_function(SAYS, arg=MARKUP)
    words = page.locator(".ngff").inner_text() + page.locator(".ngff-twin").inner_text()
    assert not {"\u202e", "\x07"} & set(words)
    expect(page.locator(".ngff img")).to_have_count(0)
    assert page.evaluate("() => window.hacked ?? null") is None


@each
def test_at_twice_the_size_nothing_is_cut_off(cells, name):
    page = cells(EACH[name].source)
    shown(page, name)
    device = page.context.new_cdp_session(page)
    screen = {"width": 640, "height": 450, "deviceScaleFactor": 2, "mobile": False}
    page.evaluate(LEFT)
    device.send("Emulation.setDeviceMetricsOverride", screen)
    try:
        page.wait_for_function(
            "() => innerWidth === 640 && document.querySelector('.ngff-narrow')?.clientWidth < 620"
        )
        page.locator(".ngff").scroll_into_view_if_needed()
        until(lambda: page.evaluate(CUT_OFF), [])
    finally:
        device.send("Emulation.clearDeviceMetricsOverride")
        device.detach()


@each
def test_the_tab_key_reaches_every_control_and_each_has_a_name(cells, name):
    page = cells(EACH[name].source)
    shown(page, name)
    page.locator(".ngff").scroll_into_view_if_needed()
    assert page.evaluate(NAMELESS) == []
    wanted = page.evaluate(CONTROLS)
    page.evaluate("() => document.querySelector('.ngff [data-at=\"0\"]')?.focus()")
    reached = []
    for _ in wanted:
        reached.append(page.evaluate("() => document.activeElement.dataset.at ?? null"))
        page.keyboard.press("Tab")
    assert reached == [str(at) for at in range(len(wanted))]


@answering
def test_a_cell_that_waits_for_a_person_sees_what_they_do(cells, name):
    page = cells(EACH[name].source)
    shown(page, name)
    begin(page, "import time\nbefore = view.text\nwhile view.text == before: time.sleep(0.01)")
    EACH[name].act(page)
    assert ended(page) == "ok"


def all_of_them():
    """Return a cell for each widget; the views are kept in `views`."""
    return [
        "views = {}",
        *(f"{one.source.rsplit('view', 1)[0]}views[{name!r}] = view\nview" for name, one in EACH.items()),
    ]


SAID = """selector => [...document.querySelectorAll('.ngff')].map(root => {
    const found = root.querySelector(selector);
    return found !== null && getComputedStyle(found).display !== 'none' && found.textContent
})"""


def test_after_a_restart_every_view_says_how_to_come_back(cells):
    page = cells(*all_of_them())
    page.wait_for_function("count => document.querySelectorAll('.ngff').length === count", arg=len(EACH))
    until(lambda: set(page.evaluate(SAID, ".ngff-gone")), {False})
    restart(page)
    page.wait_for_function("count => document.querySelectorAll('.ngff-dead').length === count", arg=len(EACH))
    assert all("Run the cell again" in said for said in page.evaluate(SAID, ".ngff-gone"))


GATE = """
import threading
gate = threading.Event()
answer = view.receive
def late(message, buffers):
    gate.wait(60)
    return answer(message, buffers)
view.receive = late
"""


@answering
def test_a_view_without_an_answer_says_that_python_is_busy_and_goes_on(cells, name):
    page = cells(EACH[name].source)
    shown(page, name)
    waits = page.locator(".ngff-waits")
    expect(waits).to_have_text("")
    run(page, GATE)
    EACH[name].act(page)
    waits.get_by_text("Python has not answered yet").wait_for()
    run(page, "gate.set()")
    page.wait_for_function("() => document.querySelector('.ngff-waits').textContent === ''")
