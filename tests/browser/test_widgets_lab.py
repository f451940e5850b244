"""Widgets as a person uses them, in a real JupyterLab under a prefix, with nothing fetched from elsewhere."""

import pytest

pytestmark = pytest.mark.browser

METER = """
from ngff_practical.meter import Recorder
from ngff_practical.model import Request
from ngff_practical.widgets import RequestMeter
class Source(Recorder):
    line = {"latency_ms": 20, "kbytes_per_s": None}
    def set_network(self, *, latency_ms=0, kbytes_per_s=None):
        self.line = {"latency_ms": latency_ms, "kbytes_per_s": kbytes_per_s}
    def network(self):
        return self.line
source = Source()
meter = RequestMeter(source)
source.record(Request("GET", "idr/<img src=x onerror=alert(1)>", None, 404, 0, 25.0, "obstore", 1.0))
source.record(Request("GET", "idr/a.zarr/0/c/0", None, 200, 2000, 25.0, "obstore", 1.02))
meter
"""
RUN = """code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    return kernel.requestExecute({ code }).done.then(() => null);
}"""


def run(page, code):
    page.evaluate(RUN, code)


def python(page, expression):
    """Return the repr of an expression in the kernel, asked past the notebook's cells."""
    return page.evaluate(
        """expression => new Promise(resolve => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({ code: expression });
            future.onIOPub = message => {
                if (message.header.msg_type === 'execute_result') resolve(message.content.data['text/plain']);
                if (message.header.msg_type === 'error') resolve(message.content.evalue);
            };
        })""",
        expression,
    )


def test_the_meter_lists_new_requests_by_itself_and_names_stay_text(cells):
    page = cells(METER)
    rows = page.locator(".ngff-waterfall tbody tr")
    assert rows.count() == 2
    assert "<img src=x onerror=alert(1)>" in rows.first.inner_text()
    run(page, "source.record(Request('GET', 'idr/a.zarr/0/c/1', None, 200, 3000, 25.0, 'obstore', 1.1))")
    page.get_by_text("3 requests, 5.0 kB").wait_for()
    assert rows.count() == 3


def test_the_meters_slider_takes_the_arrow_keys_and_sets_the_line(cells):
    page = cells(METER)
    slider = page.get_by_role("slider", name="latency")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "45 ms"
    page.wait_for_function("() => document.querySelector('.ngff-requests')")
    assert python(page, "source.line['latency_ms']") == "45.0"
    page.get_by_role("combobox", name="bandwidth").select_option("2 MB/s")
    page.get_by_role("button", name="Clear").press("Enter")
    page.get_by_text("No request yet").wait_for()
    assert python(page, "source.line['kbytes_per_s']") == "2000.0"


def test_a_paused_meter_asks_nothing(cells):
    page = cells(METER)
    pause = page.get_by_role("button", name="Pause")
    pause.press("Space")
    assert pause.get_attribute("aria-pressed") == "true"
    run(page, "source.record(Request('GET', 'idr/a.zarr/0/c/1', None, 200, 3000, 25.0, 'obstore', 1.1))")
    assert python(page, "len(meter.bars)") == "2"
    pause.click()
    page.get_by_text("3 requests, 5.0 kB").wait_for()


def test_after_a_restart_a_view_says_what_to_do(cells):
    page = cells(METER)
    gone = page.get_by_text("Run the cell again to bring it back")
    assert not gone.is_visible()
    page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart() }"
    )
    gone.wait_for(state="visible")
