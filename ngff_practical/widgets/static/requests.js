const RATES = [["0", "no limit"], ["50000", "50 MB/s"], ["10000", "10 MB/s"], ["2000", "2 MB/s"], ["500", "0.5 MB/s"]];

function render({ model, el }) {
  const { root, body } = frame(model, el, "Requests", "requests");
  const ask = latestWins(model, root, 2000);

  const sums = ["requests", "bytes", "time"].map((name) => [name, h("b", {})]);
  const figures = h("div", { class: "ngff-sums" }, ...sums.map(([name, value]) =>
    h("div", {}, value, h("span", {}, name === "bytes" ? "transferred" : name === "time" ? "under way" : name))));

  const pause = button("Pause", () => { model.set("paused", !model.get("paused")); model.save_changes(); }, { pressed: false });
  const clear = button("Clear", () => ask({ do: "clear" }));
  const controls = h("div", { class: "ngff-row" });
  let latency = null, rate = null;
  if ("latency_ms" in model.get("line")) {
    const set = () => ask({ do: "line", latency_ms: Number(latency.input.value), kbytes_per_s: Number(rate.select.value) });
    latency = slider("latency", { min: 0, max: 300, step: 5, value: model.get("line").latency_ms, say: (ms) => `${ms} ms`, oninput: set });
    rate = menu("bandwidth", RATES, model.get("line").kbytes_per_s, set);
    controls.append(latency.element, rate.element);
  }
  controls.append(h("div", { class: "ngff-buttons" }, pause, clear));

  const folder = h("div", { class: "ngff-folder ngff-key" });
  const scale = h("div", { class: "ngff-scale", "aria-hidden": "true" });
  const rows = h("tbody");
  const list = h("table", { class: "ngff-table ngff-waterfall" },
    h("thead", {}, h("tr", {}, ...["request", "status", "size", "took"].map((text, index) =>
      h("th", { scope: "col", class: index > 1 ? "ngff-number" : "" }, text)), h("th", { scope: "col" }, scale, h("span", { class: "ngff-unseen" }, "when")))),
    rows);
  const scroll = h("div", { class: "ngff-scroll", tabindex: "0", role: "region", "aria-label": "Requests, one in each row" }, list);
  const blocks = h("div", { class: "ngff-blocks" });
  body.append(h("div", { class: "ngff-top" }, figures, controls), blocks, h("div", {}, folder, scroll));

  function bar(one) {
    const start = Math.min(one.start * 100, 99.5);
    const mark = h("div", { class: one.ok ? "ngff-bar" : "ngff-bar ngff-failed" });
    mark.style.left = `${start}%`;
    mark.style.width = `max(3px, ${Math.min(one.width * 100, 100 - start)}%)`;
    return h("td", { class: "ngff-lane" }, ...model.get("picture_of").cuts.map((at) => {
      const cut = h("i", { class: "ngff-cut" }); cut.style.left = `${at * 100}%`; return cut;
    }), mark);
  }
  function show() {
    const values = model.get("sums");
    for (const [name, value] of sums) value.textContent = values[name] ?? "";
    const bars = model.get("bars"), about = model.get("picture_of");
    put(folder, about.folder ? `below ${about.folder}` : "");
    folder.hidden = !about.folder;
    scroll.hidden = !bars.length;
    scale.replaceChildren(...(about.ticks ?? []).map(([at, text]) => {
      const tick = h("span", {}, at > 0.85 ? "" : text);  // no room for its words up to the edge
      tick.style.left = `${at * 100}%`;
      return tick;
    }));
    rows.replaceChildren(...bars.map((one) => h("tr", {},
      h("th", { scope: "row", class: "ngff-key", title: `${about.folder}${one.key}` }, h("span", { class: "ngff-method" }, one.method), h("bdi", {}, one.key)),
      h("td", { class: one.ok ? "" : "ngff-bad" }, `${one.status || "none"}`),
      h("td", { class: "ngff-number" }, one.size), h("td", { class: "ngff-number" }, one.duration), bar(one))));
    scroll.scrollTop = scroll.scrollHeight;
  }
  function showBlocks() {
    const found = model.get("blocks");
    blocks.replaceChildren(...(found.length ? [table("What each block of code cost", ["block", "requests", "bytes", "time"], found, { numbers: [1, 2, 3] })] : []));
  }
  function showPause() {
    pause.setAttribute("aria-pressed", `${model.get("paused")}`);
  }
  listen(model, root, "change:picture_of", show);
  listen(model, root, "change:bars", show);
  listen(model, root, "change:sums", show);
  listen(model, root, "change:blocks", showBlocks);
  listen(model, root, "change:paused", showPause);
  listen(model, root, "change:line", () => {
    const line = model.get("line");
    if (latency && document.activeElement !== latency.input) latency.set(line.latency_ms);
    if (rate && document.activeElement !== rate.select) rate.select.value = `${line.kbytes_per_s}`;
  });
  show(); showBlocks(); showPause();
  whileSeen(root, () => { if (!model.get("paused") && !root.classList.contains("ngff-dead")) ask({ do: "poll" }); }, 500);
  return () => end(root);
}

export default { render };
