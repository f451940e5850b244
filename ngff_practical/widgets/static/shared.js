// What every widget shares. It is put before the widget's own module, so nothing is imported.

/** Text as it is, with what would ring, erase or turn the reading direction made visible: \u202e. */
const plain = (text) => text.replace(
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  (sign) => `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`,
);
const put = (element, text) => { element.textContent = plain(text); };

/** An element with attributes and children; text stays text, whatever a file calls itself. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else if (value === null || value === undefined) continue;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  // Notebook 7 looks for this on the element itself; JupyterLab finds it on the root, too
  if ("tabindex" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children.filter((child) => child !== null && child !== undefined)
    .map((child) => (typeof child === "string" ? plain(child) : child)));
  return element;
}

let counted = 0;
const fresh = (stem) => `ngff-${stem}-${Date.now().toString(36)}-${(counted += 1)}`;

const NARROW = 620; // pixels of a widget's width, below which what stands side by side is put below each other

/** The frame of a widget: title, notice, text twin, and a word for when the kernel is busy or has gone. */
function frame(model, el, title, kind) {
  const heading = h("div", { class: "ngff-title", id: fresh("title") }, title);
  const notice = h("div", { class: "ngff-notice", role: "alert" });
  const gone = h(
    "div",
    { class: "ngff-gone", role: "status" },
    "The kernel that worked this view out is gone. Run the cell again to bring it back.",
  );
  const waits = h("div", { class: "ngff-waits", role: "status" });
  const body = h("div", { class: "ngff-body" });
  const twin = h("p", { class: "ngff-twin", role: "status", "aria-live": "polite" });
  const root = h(
    "section",
    { class: `ngff ngff-${kind}`, "aria-labelledby": heading.id, "data-lm-suppress-shortcuts": "true" },
    heading, gone, waits, notice, body, twin,
  );
  const show = () => {
    if (twin.textContent !== plain(model.get("text"))) put(twin, model.get("text"));
    put(notice, model.get("notice"));
    notice.hidden = !model.get("notice");
  };
  listen(model, root, "change:text", show);
  listen(model, root, "change:notice", show);
  // Jupyter tells a model that its kernel has gone, and a model never gets its kernel back.
  listen(model, root, "comm_live_update", () => root.classList.add("ngff-dead"));
  show();
  el.append(root);
  const widths = new ResizeObserver(() => root.classList.toggle("ngff-narrow", root.clientWidth < NARROW));
  widths.observe(root);
  atEnd(root, () => widths.disconnect());
  return { root, body, heading };
}

/** What is to be undone when the view leaves the page; a widget's `render` returns `() => end(root)`. */
const endings = new WeakMap();
function atEnd(root, stop) {
  if (!endings.has(root)) endings.set(root, []);
  endings.get(root).push(stop);
}
function end(root) {
  for (const stop of endings.get(root) ?? []) stop();
  endings.delete(root);
}

/** Listen to the model for as long as the view is on the page. */
function listen(model, root, event, callback) {
  model.on(event, callback);
  atEnd(root, () => model.off(event, callback));
}

const SILENCE_MS = 2000; // without an answer, after which a view says that it waits
const WAITS = "Python has not answered yet: it works on a cell, or on this question. "
  + "The view goes on by itself; the ■ button above ends a cell that takes too long.";

let questions = 0; // counted for all, so that none takes the answer to another's question for its own

/**
 * Ask Python one question at a time; the latest wins.
 * While one is under way the newest waits, and those between are never sent. A question that takes longer
 * than `patience` is given up for the one that waits. Where no answer comes at all, the view says why.
 * `rest` is called when the last question is answered.
 */
function latestWins(model, root, patience = 250, rest = () => {}) {
  let number = 0, underWay = false, waiting = null, timer = 0, silence = 0;
  const waits = root.querySelector(".ngff-waits");
  const hear = () => { clearTimeout(silence); silence = 0; waits.textContent = ""; };
  const listenFor = () => { silence ||= setTimeout(() => { waits.textContent = WAITS; }, SILENCE_MS); };
  const next = () => {
    underWay = false;
    clearTimeout(timer);
    if (waiting) { const content = waiting; waiting = null; ask(content); } else rest();
  };
  const ask = (content) => {
    if (underWay) { waiting = content; return; }
    underWay = true;
    model.send({ ...content, ask: (number = (questions += 1)) });
    listenFor();
    timer = setTimeout(function late() { if (waiting) next(); else timer = setTimeout(late, patience); }, patience);
  };
  listen(model, root, "msg:custom", (message) => {
    if (!("done" in message)) return;
    hear();
    if (message.done === number) next();
    if (underWay) listenFor();
  });
  atEnd(root, () => { clearTimeout(timer); clearTimeout(silence); });
  return ask;
}

/** Call `poll` every `ms` while the widget can be seen. */
function whileSeen(root, poll, ms) {
  let seen = false;
  const watcher = new IntersectionObserver((entries) => { seen = entries[entries.length - 1].isIntersecting; });
  watcher.observe(root);
  const timer = setInterval(() => { if (seen && !document.hidden) poll(); }, ms);
  atEnd(root, () => { clearInterval(timer); watcher.disconnect(); });
}

/** A place along an axis, of those there are: they are counted from 0. */
const place = (at, count) => `${at} (0–${count - 1})`;

/** A slider with its label and its value in words; arrow keys work in JupyterLab, too. */
function slider(label, { min, max, step = 1, value, say = String, oninput }) {
  const id = fresh("slider");
  const output = h("output", { for: id, class: "ngff-value" }, say(value));
  const input = h("input", { type: "range", id, min: `${min}`, max: `${max}`, step: `${step}`,
    "data-lm-suppress-shortcuts": "true", "aria-valuetext": say(value) });
  input.value = value;
  const show = () => { output.textContent = say(Number(input.value)); input.setAttribute("aria-valuetext", output.textContent); };
  input.addEventListener("input", () => { show(); oninput?.(Number(input.value)); });
  const set = (next) => { input.value = next; show(); };
  return { element: h("div", { class: "ngff-field" }, h("label", { for: id }, label), input, output), input, set };
}

/** A menu with its label; `options` are [value, text] pairs. */
function menu(label, options, value, onchange) {
  const id = fresh("menu");
  const select = h("select", { id });
  const fill = (pairs, chosen) => {
    select.replaceChildren(...pairs.map(([key, text]) => h("option", { value: `${key}` }, text)));
    select.value = `${chosen}`;
  };
  fill(options, value);
  select.addEventListener("change", () => onchange?.(select.value));
  return { element: h("div", { class: "ngff-field" }, h("label", { for: id }, label), select), select, fill };
}

/** A button that does something; with `pressed` it is one that stays down. */
function button(text, onclick, { pressed = null, title = null } = {}) {
  const made = h("button", { type: "button", class: "ngff-button", title,
    onclick: (event) => { if (made.getAttribute("aria-disabled") !== "true") onclick(event); } }, text);
  if (pressed !== null) made.setAttribute("aria-pressed", `${pressed}`);
  return made;
}

/** Say whether a button may be pressed. The keyboard stays on one that may not: `disabled` would throw it off. */
const allow = (made, may) => made.setAttribute("aria-disabled", `${!may}`);

/** A checkbox with its label. */
function check(label, checked, onchange) {
  const box = h("input", { type: "checkbox" });
  box.checked = checked;
  box.addEventListener("change", () => onchange?.(box.checked));
  return { element: h("label", { class: "ngff-check" }, box, ` ${label}`), box };
}

/** Rows of text as a table; columns named in `numbers` stand to the right. */
function table(caption, head, rows, { numbers = [] } = {}) {
  const side = (index) => (numbers.includes(index) ? "ngff-number" : "");
  return h(
    "table", { class: "ngff-table" },
    caption ? h("caption", {}, caption) : null,
    h("thead", {}, h("tr", {}, ...head.map((text, index) => h("th", { scope: "col", class: side(index) }, text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((text, index) =>
      h(index ? "td" : "th", { class: side(index), ...(index ? {} : { scope: "row" }) }, `${text}`))))),
  );
}

/** A canvas as sharp as the screen: draws again when its size, the theme or the zoom changes. */
function canvas(root, label, draw, attributes = {}) {
  const element = h("canvas", { class: "ngff-canvas", role: "img", "aria-label": label, ...attributes });
  const paint = () => {
    const width = element.clientWidth, height = element.clientHeight, ratio = window.devicePixelRatio || 1;
    if (!width || !height) return;
    const w = Math.round(width * ratio), hh = Math.round(height * ratio);
    if (element.width !== w || element.height !== hh) { element.width = w; element.height = hh; }
    const pen = element.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    draw(pen, width, height);
  };
  let asked = 0;
  const repaint = () => { if (!asked) asked = requestAnimationFrame(() => { asked = 0; paint(); }); };
  const sizes = new ResizeObserver(repaint);
  sizes.observe(element);
  const themes = new MutationObserver(repaint);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
  atEnd(root, () => { sizes.disconnect(); themes.disconnect(); cancelAnimationFrame(asked); });
  return { element, repaint };
}

/** A colour of the style sheet (`--ngff-...`) as the theme has it now. */
const colour = (element, name) => getComputedStyle(element).getPropertyValue(`--ngff-${name}`).trim();
