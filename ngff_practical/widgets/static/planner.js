function render({ model, el }) {
  const { root, body } = frame(model, el, "What would the conversion take?", "planner");
  const ask = latestWins(model, root, 3000);
  const setting = model.get("setting");
  const chunks = setting.axes.map(([name, axis, sides, now]) => slider(`chunk ${name}`, {
    min: 0, max: sides.length - 1, value: Math.max(sides.indexOf(now), 0), say: (at) => `${sides[at]}`,
    oninput: (at) => ask({ do: "chunk", axis, size: sides[at] }) }));
  const choose = (name, texts = (value) => value) => menu(name, setting.choices[name].map((value) => [value, texts(value)]), setting[name], (value) => ask({ do: name, value }));
  const shards = choose("shards", (value) => (Number(value) ? `${value} each way` : value));
  const codec = choose("codec"), version = choose("version");
  const levels = slider("levels", { min: 1, max: setting.most_levels, value: setting.levels, oninput: (value) => ask({ do: "levels", value }) });
  const rates = [5, 10, 20, 50, 100, 200, 500, 1000, 10000];
  const line = () => ask({ do: "line", mbit_per_s: rates[Number(rate.input.value)], latency_ms: Number(latency.input.value) });
  const rate = slider("bandwidth", { min: 0, max: rates.length - 1, value: Math.max(rates.indexOf(setting.mbit_per_s), 0), say: (at) => `${rates[at]} Mbit/s`, oninput: line });
  const latency = slider("latency", { min: 0, max: 300, step: 5, value: setting.latency_ms, say: (ms) => `${ms} ms`, oninput: line });
  const costs = h("div"), rows = h("div", { class: "ngff-scroll ngff-whole", tabindex: "0", role: "region", "aria-label": "What each level would take" });
  const command = h("code", { class: "ngff-key ngff-command", tabindex: "0" });
  const copy = button("Copy", async () => {
    try { await navigator.clipboard.writeText(model.get("command")); copy.textContent = "Copied"; }
    catch { getSelection().selectAllChildren(command); copy.textContent = "Selected"; }
  });
  body.append(
    h("fieldset", { class: "ngff-image" }, h("legend", {}, "Image"), h("div", { class: "ngff-row" }, ...chunks.map(({ element }) => element), shards.element, codec.element, levels.element, version.element, button("Automatic", () => ask({ do: "auto" })))),
    h("fieldset", {}, h("legend", {}, "Network"), h("div", { class: "ngff-row" }, rate.element, latency.element)),
    h("div", { class: "ngff-sides" }, costs, rows),
    h("div", { class: "ngff-line-to-copy" }, h("span", { class: "ngff-faint" }, "The same in a terminal"), h("div", { class: "ngff-row" }, command, copy)),
  );
  function show() {
    const now = model.get("setting"), refused = Boolean(model.get("notice"));
    now.axes.forEach(([, , sides, size], at) => {
      if (!refused && document.activeElement === chunks[at].input) return;
      const exact = sides.indexOf(size);
      chunks[at].set(exact >= 0 ? exact : sides.findIndex((side) => side >= size));
    });
    for (const [one, name] of [[shards, "shards"], [codec, "codec"], [version, "version"]]) one.select.value = now[name];
    if (refused || document.activeElement !== levels.input) levels.set(now.levels);
    const head = model.get("cost_head"), width = now.measured ? 3 : 2;
    costs.replaceChildren(table("", head.slice(0, width), model.get("costs").map((row) => row.slice(0, width)), { numbers: [1, 2] }));
    for (const cell of costs.querySelectorAll("td")) {
      const [number, note] = cell.textContent.split(" (");
      if (note) cell.replaceChildren(number, h("span", { class: "ngff-faint" }, ` (${note}`));
    }
    const list = table("", model.get("head"), model.get("rows"), { numbers: [4, 5] });
    list.tBodies[0].lastElementChild.className = "ngff-all";
    rows.replaceChildren(list);
    if (command.textContent !== plain(model.get("command"))) { put(command, model.get("command")); copy.textContent = "Copy"; }
  }
  listen(model, root, "change:setting", show);
  listen(model, root, "change:notice", show);
  listen(model, root, "change:rows", show);
  listen(model, root, "change:costs", show);
  listen(model, root, "change:command", show);
  show();
  return () => end(root);
}

export default { render };
