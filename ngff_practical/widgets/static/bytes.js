// What is no pixel differs in shape, too: from top to bottom of a strip, as shares of its height.
const SHAPES = { metadata: [0.5, 1], index: [0, 0.5], other: [0.4, 0.6] };

function render({ model, el }) {
  const { root, body } = frame(model, el, "Which bytes does one plane need?", "bytes");
  const ask = latestWins(model, root);
  const setting = model.get("setting");
  const pick = slider("plane", { min: 0, max: setting.planes - 1, value: setting.plane, say: (at) => place(at, model.get("setting").planes),
    oninput: (plane) => ask({ do: "plane", plane }) });
  const names = { touched: "needed", even: "pixels", odd: "pixels of the next chunk or plane", metadata: "metadata", index: "index of a shard", other: "between" };
  const legend = h("div", { class: "ngff-legend", "aria-hidden": "true" }, ...Object.entries(names).flatMap(([kind, text]) => {
    const swatch = h("span", { class: "ngff-swatch" });
    const [top, bottom] = (SHAPES[kind] ?? [0, 1]).map((share) => `${share * 100}%`), look = setting.looks[kind];
    swatch.style.background = `linear-gradient(transparent ${top}, ${look} ${top} ${bottom}, transparent ${bottom})`;
    return [swatch, text];
  }));
  const list = h("div", { class: "ngff-strips" });
  const rows = h("div", { class: "ngff-scroll ngff-costs", tabindex: "0", role: "region", "aria-label": "What one plane costs in each" });
  body.append(h("div", { class: "ngff-row" }, pick.element, legend), list, rows);

  let made = [];
  function paint(index, pen, width, height) {
    const { runs, borders } = model.get("strips")[index], { looks } = model.get("setting");
    for (const [start, share, kind] of runs) {
      pen.fillStyle = looks[kind];
      const [top, bottom] = SHAPES[kind] ?? [0, 1];
      if (kind !== "touched") pen.fillRect(start * width, 6 + top * (height - 12), Math.max(share * width, 0.5), (bottom - top) * (height - 12));
    }
    pen.fillStyle = colour(root, "ground");
    for (const at of borders) if (width / (borders.length + 1) > 3) pen.fillRect(at * width - 0.5, 6, 1, height - 12);
    for (const [start, share, kind] of runs) {
      if (kind !== "touched") continue;
      pen.fillStyle = looks.touched;
      pen.fillRect(start * width, 0, Math.max(share * width, 2), height);
    }
  }
  function show() {
    const strips = model.get("strips"), { plane } = model.get("setting");
    if (made.length !== strips.length) {
      made = strips.map((_, index) => {
        const picture = canvas(root, "", (pen, width, height) => paint(index, pen, width, height));
        const name = h("b"), size = h("span", { class: "ngff-faint" }), summary = h("summary"), touched = h("div", { class: "ngff-scroll ngff-touched-list" });
        const element = h("div", {}, h("div", { class: "ngff-strip-head" }, name, size), picture.element, h("details", {}, summary, touched));
        picture.element.addEventListener("pointermove", (event) => {
          const at = (event.offsetX / picture.element.clientWidth);
          const run = model.get("strips")[index].runs.find(([start, share]) => at >= start && at < start + share);
          picture.element.title = run ? run[3] : "";
        });
        return { picture, name, size, summary, touched, element };
      });
      list.replaceChildren(...made.map(({ element }) => element));
    }
    made.forEach((one, index) => {
      const strip = strips[index];
      put(one.name, strip.name);
      put(one.size, `${strip.format}, ${strip.size}`);
      one.picture.element.setAttribute("aria-label", strip.sentence);
      one.picture.repaint();
      one.summary.textContent = `The bytes of plane ${plane}`;
      one.touched.replaceChildren(table("", ["where", "size"], strip.touched, { numbers: [1] }));
    });
    rows.replaceChildren(table(`Reading plane ${plane}`, model.get("head"), strips.map(({ row }) => row), { numbers: [1, 2, 3, 4, 5, 6] }));
    if (document.activeElement !== pick.input) pick.set(plane);
  }
  listen(model, root, "change:strips", show);
  listen(model, root, "change:setting", show);
  show();
  return () => end(root);
}

export default { render };
