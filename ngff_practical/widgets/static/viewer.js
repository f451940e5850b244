const MOST_PIXELS = 32e6; // of all tiles kept in the page
const MOST_TILES = 2000;

function render({ model, el }) {
  const { root, body, heading } = frame(model, el, "", "viewer");
  const ask = latestWins(model, root);
  const view = { y: 0, x: 0, zoom: 1, fitted: false };
  let at = {}, plan = null, tiles = new Map(), failed = new Map(), shownStates = [], marks = null, hatch = null;

  const picture = canvas(root, "Image", paint, { tabindex: "0", "aria-roledescription": "zoomable image" });
  const stage = h("div", { class: "ngff-stage" }, picture.element);
  const bar = h("div", { class: "ngff-scalebar" }, h("span"), h("i"));
  const badge = h("div", { class: "ngff-badge" });
  const picked = h("div", { class: "ngff-picked", role: "status", "aria-live": "polite", hidden: true });
  stage.append(bar, badge, picked);

  const choices = h("div", { class: "ngff-row" }), opening = h("span", { class: "ngff-faint", role: "status" });
  const sliders = h("div", { class: "ngff-sliders" });
  const channels = h("div", { class: "ngff-channels" });
  const chunks = check("chunks", false, picture.repaint), outlines = check("tiles", false, picture.repaint);
  const label = menu("labels", [], "", () => { showOpacity(); see(); });
  const opacity = slider("opacity", { min: 0, max: 100, value: 50, say: (value) => `${value} %`, oninput: picture.repaint });
  const tools = h("div", { class: "ngff-row" },
    h("div", { class: "ngff-buttons" },
      button("−", () => zoomBy(1 / 1.5), { title: "zoom out (-)" }), button("+", () => zoomBy(1.5), { title: "zoom in (+)" }),
      button("Fit", () => fit(), { title: "whole image (0)" })),
    h("span", { class: "ngff-show" }, "show ", chunks.element, outlines.element),
    label.element, opacity.element);
  const meter = h("div", { class: "ngff-meter" });
  body.append(choices, tools, stage, sliders, channels, meter);

  const showOpacity = () => { opacity.element.hidden = !label.select.value; };
  const size = () => ({ width: picture.element.clientWidth, height: picture.element.clientHeight });
  function fit() {
    const { width, height } = size(), scene = model.get("scene");
    if (!width) return;
    view.zoom = Math.min(width / scene.width, height / scene.height);
    view.y = scene.height / 2; view.x = scene.width / 2; view.fitted = true;
    see();
  }
  function zoomBy(factor, screen = null) {
    const { width, height } = size(), scene = model.get("scene");
    const smallest = Math.min(width / scene.width, height / scene.height) / 2;
    const zoom = Math.min(Math.max(view.zoom * factor, smallest), 40);
    const [sy, sx] = screen ?? [height / 2, width / 2];
    view.y += (sy - height / 2) * (1 / view.zoom - 1 / zoom);
    view.x += (sx - width / 2) * (1 / view.zoom - 1 / zoom);
    view.zoom = zoom;
    see();
  }
  function panBy(dy, dx) {
    const scene = model.get("scene");
    view.y = Math.min(Math.max(view.y + dy / view.zoom, 0), scene.height);
    view.x = Math.min(Math.max(view.x + dx / view.zoom, 0), scene.width);
    see();
  }
  function see() {
    picture.repaint();
    const { width, height } = size();
    if (!width || !view.fitted) return;
    ask({ do: "see", top: view.y - height / 2 / view.zoom, left: view.x - width / 2 / view.zoom,
      height: height / view.zoom, width: width / view.zoom, zoom: view.zoom * (window.devicePixelRatio || 1),
      at, label: label.select.value, have: [...tiles.keys()] });
  }

  function paint(pen, width, height) {
    if (!view.fitted) { fit(); return; }
    const zoom = view.zoom, top = height / 2 - view.y * zoom, left = width / 2 - view.x * zoom, scene = model.get("scene");
    pen.fillStyle = "#000"; pen.fillRect(0, 0, width, height);
    pen.imageSmoothingEnabled = zoom < 2;
    const onScreen = ([y, x, h2, w2]) => {
      const x0 = Math.round(left + x * zoom), y0 = Math.round(top + y * zoom);
      return [x0, y0, Math.round(left + (x + w2) * zoom) - x0, Math.round(top + (y + h2) * zoom) - y0];
    };
    const now = new Set(plan?.states ?? []);
    for (const layer of ["image", "labels"]) {
      if (layer === "labels" && !label.select.value) continue;
      pen.globalAlpha = layer === "labels" ? Number(opacity.input.value) / 100 : 1;
      if (layer === "labels") pen.imageSmoothingEnabled = false;
      const of = [...tiles.values()].filter((tile) => tile.layer === layer);
      const old = layer === "image" ? of.filter((tile) => shownStates.includes(tile.state) && !now.has(tile.state)) : [];
      // labels are transparent where there are none: only one level of them may be drawn
      const current = of.filter((tile) => now.has(tile.state) && (layer === "image" || tile.level === plan.level));
      current.sort((one, other) => other.level - one.level);
      for (const tile of [...old, ...current]) pen.drawImage(tile.sheet, ...onScreen(tile.rect));
    }
    pen.globalAlpha = 1;
    for (const tile of failed.values()) {  // what lay here before is not what is asked for now
      if (tile.layer !== "image") continue;
      const [x, y, w, hh] = onScreen(tile.rect);
      pen.fillStyle = "#000"; pen.fillRect(x, y, w, hh);
      pen.fillStyle = hatching(pen); pen.fillRect(x, y, w, hh);
      pen.fillStyle = "#fff"; pen.font = "12px sans-serif";
      if (w > 90 && hh > 24) pen.fillText("✕ cannot be read", Math.max(x, 0) + 8, Math.max(y, 0) + 40);
    }
    if (chunks.box.checked && plan && plan.grid[0] * zoom >= 4 && plan.grid[1] * zoom >= 4) {
      pen.strokeStyle = "#e69f00"; pen.lineWidth = 1; pen.beginPath();
      const ends = [Math.min(height, top + scene.height * zoom), Math.min(width, left + scene.width * zoom)];
      for (let y = Math.max(0, Math.floor(-top / zoom / plan.grid[0])) * plan.grid[0]; y <= scene.height && top + y * zoom <= height; y += plan.grid[0]) {
        pen.moveTo(Math.max(left, 0), top + y * zoom); pen.lineTo(ends[1], top + y * zoom);
      }
      for (let x = Math.max(0, Math.floor(-left / zoom / plan.grid[1])) * plan.grid[1]; x <= scene.width && left + x * zoom <= width; x += plan.grid[1]) {
        pen.moveTo(left + x * zoom, Math.max(top, 0)); pen.lineTo(left + x * zoom, ends[0]);
      }
      pen.stroke();
    }
    if (outlines.box.checked && plan) {
      pen.strokeStyle = "#56b4e9"; pen.fillStyle = "#56b4e9"; pen.lineWidth = 1.5; pen.font = "12px sans-serif";
      for (const tile of tiles.values()) {
        if (tile.layer !== "image" || !plan.keys.includes(tile.key)) continue;
        const [x, y, w, hh] = onScreen(tile.rect);
        pen.strokeRect(x + 1, y + 1, w - 2, hh - 2);
        if (w > 60 && hh > 20) pen.fillText(`level ${scene.levels[tile.level]}`, Math.max(x, 0) + 6, Math.min(y + hh, height) - 8);
      }
    }
    if (marks) {
      pen.strokeStyle = "#fff"; pen.lineWidth = 2;
      pen.beginPath(); pen.arc(left + marks[1] * zoom, top + marks[0] * zoom, 6, 0, 7); pen.stroke();
    }
    if (plan) {
      put(bar.firstChild, plan.bar[1]);
      bar.lastChild.style.width = `${plan.bar[0] * zoom}px`;
      const level = scene.levels.length > 1 ? `level ${scene.levels[plan.level]} (of ${scene.levels.length} levels)` : "one level";
      put(badge, plan.cut ? `${level}: too large for this zoom, only the middle is read` : level);
    }
  }

  function hatching(pen) {
    if (hatch) return hatch;
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = 12;
    const line = sheet.getContext("2d");
    line.strokeStyle = "#d55e00"; line.lineWidth = 2;
    line.beginPath();
    for (const shift of [-12, 0, 12]) { line.moveTo(shift, 12); line.lineTo(shift + 12, 0); }
    line.stroke();
    return (hatch = pen.createPattern(sheet, "repeat"));
  }

  function keep(message, buffers) {
    const [rows, columns] = message.size, buffer = buffers[0];
    const image = new ImageData(new Uint8ClampedArray(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)), columns, rows);
    const sheet = document.createElement("canvas");
    sheet.width = columns; sheet.height = rows;
    sheet.getContext("2d").putImageData(image, 0, 0);
    tiles.set(message.tile, { key: message.tile, sheet, rect: message.rect, layer: message.layer, state: message.state, level: message.level, pixels: rows * columns });
    let total = 0;
    for (const tile of tiles.values()) total += tile.pixels;
    for (const [key, tile] of tiles) {
      if (total <= MOST_PIXELS && tiles.size <= MOST_TILES) break;
      if (plan?.keys.includes(key)) continue;
      tiles.delete(key); total -= tile.pixels;
    }
  }
  listen(model, root, "msg:custom", (message, buffers) => {
    if (message.plan) {
      if (plan && plan.keys.every((key) => tiles.has(key) || failed.has(key))) shownStates = plan.states;
      plan = message.plan; failed = new Map();
      for (const key of plan.keys) { const tile = tiles.get(key); if (tile) { tiles.delete(key); tiles.set(key, tile); } }
      picture.repaint();
    } else if (message.failed) { if (plan?.keys.includes(message.tile)) failed.set(message.tile, message); picture.repaint(); }
    else if (message.tile) { keep(message, buffers); picture.repaint(); }
    else if (message.picked) { put(picked, message.picked); picked.hidden = false; marks = [message.y, message.x]; picture.repaint(); }
  });

  const element = picture.element;
  let from = null, wandered = 0;
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = [event.clientY, event.clientX]; wandered = 0;
    element.setPointerCapture(event.pointerId); element.focus({ preventScroll: true }); event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => {
    if (!from) return;
    const dy = from[0] - event.clientY, dx = from[1] - event.clientX;
    wandered += Math.abs(dy) + Math.abs(dx);
    from = [event.clientY, event.clientX];
    panBy(dy, dx);
  });
  element.addEventListener("pointerup", (event) => {
    if (from && wandered < 4) pick(event);
    from = null;
  });
  element.addEventListener("pointercancel", () => { from = null; });
  element.addEventListener("wheel", (event) => {
    if (document.activeElement !== element && !event.ctrlKey) return;
    event.preventDefault();
    const box = element.getBoundingClientRect();
    zoomBy(Math.exp(-event.deltaY / 400), [event.clientY - box.top, event.clientX - box.left]);
  }, { passive: false });
  function pick(event) {
    if (!label.select.value) return;
    const box = element.getBoundingClientRect();
    ask({ do: "pick", y: view.y + (event.clientY - box.top - box.height / 2) / view.zoom,
      x: view.x + (event.clientX - box.left - box.width / 2) / view.zoom, at, label: label.select.value });
  }
  element.addEventListener("keydown", (event) => {
    const step = 60, step2 = { PageUp: 1, PageDown: -1 }[event.key];
    const moves = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] };
    if (event.key in moves) panBy(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "0") fit();
    else if (event.key === "Enter" && label.select.value) ask({ do: "pick", y: view.y, x: view.x, at, label: label.select.value });
    else if (step2 && "z" in at) move("z", at.z + step2);
    else return;
    event.preventDefault(); event.stopPropagation();
  });

  let byAxis = {};
  function move(axis, value) {
    const [, , count] = model.get("scene").sliders.find(([name]) => name === axis);
    at = { ...at, [axis]: Math.min(Math.max(value, 0), count - 1) };
    byAxis[axis].set(at[axis]);
    see();
  }
  let number = 0;
  function showScene() {
    const scene = model.get("scene");
    if (scene.number === number) return;
    number = scene.number;
    put(heading, scene.name || "Image");
    element.setAttribute("aria-label", `${scene.name}. Arrow keys pan, plus and minus zoom, 0 shows all, Page Up and Page Down change z, Enter names the label in the middle.`);
    tiles = new Map(); failed = new Map(); plan = null; shownStates = []; marks = null; picked.hidden = true;
    at = {}; byAxis = {};
    sliders.replaceChildren(...scene.sliders.map(([name, start, count]) => {
      at[name] = start;
      byAxis[name] = slider(name, { min: 0, max: count - 1, value: start, say: (value) => place(value, count),
        oninput: (value) => { at = { ...at, [name]: value }; see(); } });
      return byAxis[name].element;
    }));
    label.fill([["", "none"], ...scene.labels.map((name) => [name, name])], label.select.value);
    if (label.select.selectedIndex < 0) label.select.value = "";
    label.element.hidden = !scene.labels.length;
    showOpacity();
    view.fitted = false;
    picture.repaint();
  }
  function showChannels() {
    const all = model.get("channels");
    if (channels.dataset.names === JSON.stringify(all.map((one) => one.name)) && channels.contains(document.activeElement)) { see(); return; }
    channels.dataset.names = JSON.stringify(all.map((one) => one.name));
    channels.replaceChildren(...all.map((one, index) => {
      const change = (what) => ask2({ do: "channel", index, ...what });
      const round = (value) => (one.whole ? Math.round(value).toLocaleString("en") : `${Number(Number(value).toPrecision(4))}`);
      const low = slider("black", { min: one.min, max: one.max, step: one.step, value: one.low, say: round, oninput: () => window2() });
      const high = slider("white", { min: one.min, max: one.max, step: one.step, value: one.high, say: round, oninput: () => window2() });
      const window2 = () => change({ low: Number(low.input.value), high: Number(high.input.value) });
      low.input.setAttribute("aria-label", `black level of ${one.name}`);
      high.input.setAttribute("aria-label", `white level of ${one.name}`);
      const colourBox = h("input", { type: "color", "aria-label": `colour of ${one.name}` });
      colourBox.value = one.color.toLowerCase();
      colourBox.addEventListener("input", () => change({ color: colourBox.value }));
      return h("div", { class: "ngff-channel" }, colourBox, check(one.name, one.visible, (visible) => change({ visible })).element,
        h("span", { class: "ngff-window" }, low.element, high.element));
    }));
    see();
  }
  const ask2 = (content) => { model.send(content); };
  let choosing = false;
  const choose = latestWins(model, root, 10000, () => { choosing = false; showChoices(); });
  const wells = menu("well", [], "", (well) => pickOne({ do: "choose", well, field: "" }));
  const fields = menu(model.get("choices").what ?? "", [], "", (field) => pickOne({ do: "choose", well: wells.select.value, field }));
  choices.append(wells.element, fields.element, opening);
  function pickOne(content) {
    choosing = true;
    if (!content.field) fields.select.disabled = true; // they are those of the well before
    put(opening, `opening ${content.field ? [content.well, content.field].filter(Boolean).join("/") : content.well} …`);
    choose(content);
  }
  function showChoices() {
    if (choosing) return;
    const given = model.get("choices"), all = given.wells ?? [], some = given.fields ?? [];
    wells.fill(all.map((one) => [one, one]), given.well);
    fields.fill(some.map((one) => [one, one]), given.field);
    wells.element.hidden = !all.length; fields.element.hidden = !some.length;
    choices.hidden = !all.length && !some.length;
    fields.select.disabled = false;
    put(opening, "");
  }
  const showMeter = () => { meter.textContent = `read so far: ${model.get("meter")}`; };
  listen(model, root, "change:scene", showScene);
  listen(model, root, "change:channels", showChannels);
  listen(model, root, "change:choices", showChoices);
  listen(model, root, "change:meter", showMeter);
  const sizes = new ResizeObserver(() => see());
  sizes.observe(element);
  atEnd(root, () => sizes.disconnect());
  showScene(); showChannels(); showChoices(); showMeter();
  return () => end(root);
}

export default { render };
