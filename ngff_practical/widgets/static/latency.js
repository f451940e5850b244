function render({ model, el }) {
  const { root, body } = frame(model, el, "Where does the time go?", "latency");
  const ask = latestWins(model, root);
  const { choices, chosen } = model.get("setting");
  const says = { objects: (n) => n.toLocaleString("en"), megabytes: (n) => (n < 1000 ? `${n} MB` : `${n / 1000} GB`),
    at_once: (n) => `${n} at once`, latency_ms: (n) => `${n} ms`, mbit_per_s: (n) => (n < 1000 ? `${n} Mbit/s` : `${n / 1000} Gbit/s`) };
  const names = { objects: "objects", megabytes: "bytes in all", at_once: "requests", latency_ms: "latency", mbit_per_s: "bandwidth" };
  const nearest = (name, value) => {
    const at = choices[name].findIndex((one) => one >= value);
    return at < 0 ? choices[name].length - 1 : at;
  };
  const made = Object.fromEntries(Object.keys(names).map((name) => [name, slider(names[name], {
    min: 0, max: choices[name].length - 1, value: nearest(name, chosen[name]), say: (at) => says[name](choices[name][at]),
    oninput: (at) => ask({ do: name, value: choices[name][at] }) })]));
  const group = (title, ...fields) => h("fieldset", {}, h("legend", {}, title),
    h("div", { class: "ngff-row" }, ...fields.map((name) => made[name].element)));
  const legend = h("div", { class: "ngff-legend", "aria-hidden": "true" },
    h("span", { class: "ngff-swatch ngff-waiting" }), "waiting for answers", h("span", { class: "ngff-swatch ngff-moving" }), "moving bytes");
  const rows = h("tbody");
  const list = h("table", { class: "ngff-table" },
    h("thead", {}, h("tr", {}, ...["line", "waiting", "moving", "in all"].map((text, at) =>
      h("th", { scope: "col", class: at ? "ngff-number" : "" }, text)), h("th", { scope: "col" }, legend))), rows);
  body.append(group("What is fetched", "objects", "megabytes", "at_once"), group("Your line", "latency_ms", "mbit_per_s"),
    h("div", { class: "ngff-scroll", tabindex: "0", role: "region", "aria-label": "Time over each line" }, list));
  function bar(kind, share) {
    const part = h("div", { class: `ngff-part ngff-${kind}` });
    part.style.width = `${share * 100}%`;
    return part;
  }
  function show() {
    rows.replaceChildren(...model.get("rows").map((row) => h("tr", {},
      h("th", { scope: "row" }, row.line), ...row.words.map((text) => h("td", { class: "ngff-number" }, text)),
      h("td", { class: "ngff-lane" }, h("div", { class: "ngff-parts" }, bar("waiting", row.waiting), bar("moving", row.moving))))));
    const now = model.get("setting").chosen;
    for (const [name, one] of Object.entries(made)) if (document.activeElement !== one.input) one.set(nearest(name, now[name]));
  }
  listen(model, root, "change:rows", show);
  listen(model, root, "change:setting", show);
  show();
  return () => end(root);
}

export default { render };
