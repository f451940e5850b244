"""How soon a fast drag settles, on a clock of the test's own: what the view asks, and when."""

import pytest

from ngff_practical.widgets.base import STATIC

pytestmark = pytest.mark.browser

STEPS, EVERY_MS = 40, 16
DRAG = """({ steps, every, answer }) => {
    const listeners = [], root = document.createElement('div'), told = { asked: 0 };
    root.innerHTML = '<div class="ngff-waits"></div>';
    const model = { on: (_, callback) => listeners.push(callback), off() {}, send(content) {
        told.asked += 1;
        setTimeout(() => {
            if (content.step === steps) told.settled = performance.now();
            for (const callback of listeners) callback({ done: content.ask });
        }, answer);
    } };
    const ask = latestWins(model, root);
    for (let step = 1; step <= steps; step += 1) {
        setTimeout(() => { told.last = performance.now(); ask({ step }); }, step * every);
    }
    window.told = told;
}"""


@pytest.mark.parametrize("answer_ms", [40, 70, 100, 150])
def test_a_drag_settles_within_two_answers_and_asks_for_at_most_half_of_its_steps(page, answer_ms):
    page.clock.install(time=0)
    page.set_content("<p></p>")
    page.add_script_tag(content=(STATIC / "shared.js").read_text(encoding="utf-8"))
    page.evaluate(DRAG, {"steps": STEPS, "every": EVERY_MS, "answer": answer_ms})
    page.clock.run_for(STEPS * EVERY_MS + 2000)
    told = page.evaluate("() => window.told")
    assert told["settled"] - told["last"] <= min(2 * answer_ms, 300)
    assert told["asked"] <= STEPS / 2
