function render({ model, el }) {
  const { root, body } = frame(model, el, "Which wells are there?", "plate");
  const ask = latestWins(model, root, 3000);
  const marks = { there: "●", missing: "✕", unnamed: "◆", unasked: "■", empty: "·" };
  const says = { there: "named and there", missing: "named, but not there", unnamed: "there, but not named", unasked: "named, not asked for", empty: "neither named nor there" };
  const grid = h("table", { class: "ngff-wells", "aria-label": "Wells of the plate" });
  const picture = h("canvas", { class: "ngff-thumbnail", role: "img" });
  const key = h("div", { class: "ngff-key" }), said = h("p");
  const legend = h("div", { class: "ngff-legend" });
  body.append(legend, h("div", { class: "ngff-sides" }, h("div", { class: "ngff-scroll ngff-whole" }, grid), h("div", { class: "ngff-well" }, picture, said, key)));
  let buttons = [];
  function show() {
    const wells = model.get("wells"), rows = model.get("rows"), columns = model.get("columns");
    const chosen = model.get("chosen");
    buttons = wells.map((line, row) => line.map((presence, column) => h("button", {
      type: "button", class: `ngff-spot ngff-${presence}`, tabindex: row + column ? "-1" : "0",
      "aria-label": `Well ${rows[row]}/${columns[column]}, ${says[presence]}`, onclick: () => ask({ do: "well", row, column }) }, marks[presence])));
    grid.replaceChildren(
      h("thead", {}, h("tr", {}, h("td"), ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...buttons.map((line, row) => h("tr", {}, h("th", { scope: "row" }, rows[row]), ...line.map((one) => h("td", {}, one))))));
    const present = Object.keys(marks).filter((one) => wells.flat().includes(one));
    legend.replaceChildren(...present.map((one) => h("span", {}, h("span", { class: `ngff-${one}`, "aria-hidden": "true" }, marks[one]), ` ${says[one]}`)));
    if ("row" in chosen) showChosen();
  }
  grid.addEventListener("keydown", (event) => {
    const row = buttons.findIndex((line) => line.includes(event.target)), column = row < 0 ? -1 : buttons[row].indexOf(event.target);
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
    if (row < 0 || (!down && !right)) return;
    const next = buttons[row + down]?.[column + right];
    if (next) { event.target.tabIndex = -1; next.tabIndex = 0; next.focus(); }
    event.preventDefault(); event.stopPropagation();
  });
  function showChosen() {
    const chosen = model.get("chosen");
    const none = !("row" in chosen);
    buttons.forEach((line, row) => line.forEach((one, column) => one.setAttribute("aria-pressed", `${row === chosen.row && column === chosen.column}`)));
    put(said, none ? "Choose a well to see its first field." : chosen.said);
    put(key, none ? "" : chosen.key);
    picture.hidden = !chosen.grey;
    if (!chosen.grey) return;
    const bytes = new Uint8Array(chosen.grey.buffer, chosen.grey.byteOffset, chosen.grey.byteLength);
    const image = new ImageData(chosen.width, chosen.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let at = 0; at < bytes.length; at += 1) pixels[at] = 0xff000000 | (bytes[at] * 0x010101);
    picture.width = chosen.width; picture.height = chosen.height;
    picture.getContext("2d").putImageData(image, 0, 0);
    picture.setAttribute("aria-label", chosen.said);
  }
  listen(model, root, "change:wells", show);
  listen(model, root, "change:chosen", showChosen);
  show(); showChosen();
  return () => end(root);
}

export default { render };
