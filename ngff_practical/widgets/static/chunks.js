function render({ model, el }) {
  const { root, body } = frame(model, el, "Which chunks does a region need?", "chunks");
  const ask = latestWins(model, root);

  const along = menu("slice along", [], "", (axis) => ask({ do: "along", axis }));
  const sliders = h("div", { class: "ngff-row" });
  const id = fresh("region");
  const typed = h("input", { type: "text", id, class: "ngff-key", spellcheck: "false", autocomplete: "off" });
  const label = h("label", { for: id });
  typed.addEventListener("keydown", (event) => { if (event.key === "Enter") ask({ do: "type", region: typed.value }); });
  typed.addEventListener("change", () => ask({ do: "type", region: typed.value }));
  const legend = h("div", { class: "ngff-legend", "aria-hidden": "true" });
  const panels = h("div", { class: "ngff-panels" });
  body.append(
    h("div", { class: "ngff-row" }, along.element, sliders, h("div", { class: "ngff-field" }, label, typed)),
    legend, panels,
  );

  let made = [], known = {};
  function makeSliders(wanted) {
    const names = wanted.map(([name]) => name).join();
    if (known.names !== names) {
      known = { names, byName: {} };
      for (const [name, at, size] of wanted) {
        known.byName[name] = slider(name, { min: 0, max: size - 1, value: at, say: (value) => place(value, size),
          oninput: (value) => ask({ do: "at", axis: name, at: value }) });
      }
      sliders.replaceChildren(...Object.values(known.byName).map((one) => one.element));
    }
    for (const [name, at] of wanted) {
      const { input, set } = known.byName[name];
      if (document.activeElement !== input) set(at);
    }
  }

  function makePanel(index) {
    const panel = { picture: null };
    panel.name = h("b");
    panel.level = menu("level", [], 0, (level) => ask({ do: "level", panel: index, level: Number(level) }));
    panel.canvas = canvas(root, "Plane with its chunks", (pen, width, height) => paint(panel, pen, width, height),
      { tabindex: "0", "aria-roledescription": "plane with chunk grid" });
    panel.table = h("div", { class: "ngff-scroll ngff-levels", tabindex: "0", role: "region", "aria-label": "What each level would take" });
    panel.keys = h("div", { class: "ngff-scroll ngff-keys", tabindex: "0", role: "region", "aria-label": "Objects touched" });
    panel.summary = h("summary");
    panel.element = h("div", { class: "ngff-panel" },
      h("div", { class: "ngff-row ngff-panel-head" }, panel.name, panel.level.element),
      panel.canvas.element, panel.details = h("details", {}, panel.summary, panel.keys), panel.table);
    hold(panel.canvas.element);
    return panel;
  }

  function hold(element) {
    let begin = null;
    const at = (event) => {
      const box = element.getBoundingClientRect();
      return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      begin = at(event); element.setPointerCapture(event.pointerId); element.focus({ preventScroll: true });
      ask({ do: "drag", begin, end: begin }); event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => { if (begin) ask({ do: "drag", begin, end: at(event) }); });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => { begin = null; });
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    element.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      const [rows, columns] = steps[event.key];
      ask({ do: "move", rows, columns, grow: event.shiftKey });
      event.preventDefault(); event.stopPropagation();
    });
  }

  function paint(panel, pen, width, height) {
    const { grid } = panel.value;
    const sy = height / grid.size[0], sx = width / grid.size[1];
    pen.fillStyle = colour(root, "raised");
    pen.fillRect(0, 0, width, height);
    if (panel.picture) { pen.imageSmoothingEnabled = false; pen.drawImage(panel.picture, 0, 0, width, height); }
    const y = grid.chunk[0] * sy, x = grid.chunk[1] * sx;
    const [top, bottom, left, right] = grid.lit;
    pen.save();
    pen.beginPath(); pen.rect(0, 0, width, height); pen.clip();
    if (panel.picture) {
      pen.fillStyle = "rgba(0, 0, 0, 0.45)";
      pen.beginPath(); pen.rect(0, 0, width, height);
      pen.rect(left * x, top * y, (right - left) * x, (bottom - top) * y); pen.fill("evenodd");
    }
    pen.fillStyle = `rgba(230, 159, 0, ${panel.picture ? 0.26 : 0.5})`;
    pen.fillRect(left * x, top * y, (right - left) * x, (bottom - top) * y);
    const lines = (stepY, stepX, style, thick) => {
      if (stepY < 3 || stepX < 3) return;
      pen.beginPath();
      for (let at = stepY; at < height - 0.5; at += stepY) { pen.moveTo(0, at); pen.lineTo(width, at); }
      for (let at = stepX; at < width - 0.5; at += stepX) { pen.moveTo(at, 0); pen.lineTo(at, height); }
      pen.strokeStyle = style; pen.lineWidth = thick; pen.stroke();
    };
    lines(y, x, panel.picture ? "rgba(255, 255, 255, 0.38)" : "rgba(128, 128, 128, 0.6)", 1);
    if (grid.shard) lines(grid.shard[0] * sy, grid.shard[1] * sx, "#56b4e9", 2);
    pen.strokeStyle = "#e69f00";
    pen.lineWidth = 1.5;
    if (y >= 3 && x >= 3 && (bottom - top) * (right - left) <= 20000) {
      pen.beginPath();
      for (let row = top; row <= bottom; row += 1) { pen.moveTo(left * x, row * y); pen.lineTo(right * x, row * y); }
      for (let column = left; column <= right; column += 1) { pen.moveTo(column * x, top * y); pen.lineTo(column * x, bottom * y); }
      pen.stroke();
    }
    pen.lineWidth = 2.5;
    pen.strokeRect(left * x, top * y, (right - left) * x, (bottom - top) * y);
    if (grid.shard) {
      const [first, last, start, stop] = grid.lit_objects;
      pen.strokeStyle = "#56b4e9"; pen.lineWidth = 4;
      pen.strokeRect(start * grid.shard[1] * sx, first * grid.shard[0] * sy, (stop - start) * grid.shard[1] * sx, (last - first) * grid.shard[0] * sy);
    }
    const [y0, y1, x0, x1] = grid.box;
    const box = [x0 * sx, y0 * sy, Math.max((x1 - x0) * sx, 2), Math.max((y1 - y0) * sy, 2)];
    pen.setLineDash([]); pen.lineWidth = 3.5; pen.strokeStyle = "rgba(0, 0, 0, 0.85)"; pen.strokeRect(...box);
    pen.lineWidth = 1.5; pen.strokeStyle = "#ffffff"; pen.strokeRect(...box);
    pen.restore();
  }

  function show() {
    const values = model.get("panels"), setting = model.get("setting");
    if (made.length !== values.length) {
      made = values.map((_, index) => makePanel(index));
      panels.replaceChildren(...made.map((panel) => panel.element));
      panels.dataset.count = `${made.length}`;
      for (const panel of made) panel.details.open = made.length === 1;
    }
    along.element.hidden = !setting.choices.length;
    along.fill(setting.choices.map((axis) => [axis, axis]), setting.along);
    makeSliders(setting.sliders);
    put(label, `region (${setting.axes.join(", ")})`);
    if (document.activeElement !== typed) typed.value = setting.region;
    let shards = false;
    made.forEach((panel, index) => {
      const value = panel.value = values[index];
      shards ||= Boolean(value.grid.shard);
      const name = value.name + (value.stored ? "" : " (plan)");
      put(panel.name, name);
      panel.level.fill(value.levels.map((path, at) => [at, path]), value.level);
      panel.canvas.element.style.aspectRatio = `${1 / setting.aspect}`;
      panel.canvas.element.setAttribute("aria-label",
        `${value.sentence} Drag to choose a region of ${setting.rows} and ${setting.columns}; arrow keys move it by a chunk, with Shift they stretch it.`);
      panel.canvas.repaint();
      const grid = table(made.length > 1 ? name : "", value.head, value.rows, { numbers: value.head.flatMap((title, at) => (["level", "shape", "chunk shape", "chunk in shard"].includes(title) ? [] : [at])) });
      grid.tBodies[0].rows[value.level]?.classList.add("ngff-chosen");
      grid.tBodies[0].rows[value.level]?.setAttribute("aria-current", "true");
      for (const row of grid.rows) row.lastElementChild.classList.add("ngff-wide");
      panel.table.replaceChildren(grid);
      const many = value.keys.length + value.more;
      panel.summary.textContent = many === 1 ? "The object touched" : `The ${many.toLocaleString("en")} objects touched`;
      const list = table("", ["key", "size"], value.keys, { numbers: [1] });
      panel.keys.replaceChildren(list);
      if (value.more) panel.keys.append(h("p", { class: "ngff-more" }, `and ${value.more.toLocaleString("en")} more`));
    });
    legend.replaceChildren(
      h("span", { class: "ngff-swatch ngff-touched" }), "chunk that must be read",
      ...(shards ? [h("span", { class: "ngff-swatch ngff-shard" }), "shard (one object)"] : []),
      h("span", { class: "ngff-swatch ngff-asked" }), "region asked for",
    );
  }
  function showPictures() {
    model.get("pictures").forEach((picture, index) => {
      if (!made[index]) return;
      made[index].picture = picture.grey ? greyImage(picture) : null;
      made[index].canvas.repaint();
    });
  }
  listen(model, root, "change:panels", show);
  listen(model, root, "change:setting", show);
  listen(model, root, "change:pictures", showPictures);
  show(); showPictures();
  return () => end(root);
}

function greyImage({ width, height, grey }) {
  const bytes = new Uint8Array(grey.buffer, grey.byteOffset, grey.byteLength);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < bytes.length; at += 1) pixels[at] = 0xff000000 | (bytes[at] * 0x010101);
  const sheet = document.createElement("canvas");
  sheet.width = width; sheet.height = height;
  sheet.getContext("2d").putImageData(image, 0, 0);
  return sheet;
}

export default { render };
