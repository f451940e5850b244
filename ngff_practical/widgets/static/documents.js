function render({ model, el }) {
  const { root, body } = frame(model, el, "What do the metadata say?", "documents");
  const ask = latestWins(model, root);
  const marks = { must: "✕", data: "◆", should: "!" };
  const mark = ({ count, worst }) => count
    ? h("span", { class: `ngff-mark ngff-${worst}`, title: `${count} ${worst}`, "aria-label": `${count} findings, the gravest is ${worst}` }, `${marks[worst]} ${count}`)
    : null;

  const nodes = h("ul", { class: "ngff-nodes", role: "listbox", tabindex: "0", "aria-label": "Groups and arrays" });
  const tree = h("div", { class: "ngff-tree", role: "tree", tabindex: "0", "aria-label": "Keys of the metadata" });
  const head = h("b", { class: "ngff-key" }), said = h("p"), issues = h("ul", { class: "ngff-issues" });
  const detail = h("div", { class: "ngff-detail" }, head, said, issues);
  body.append(h("div", { class: "ngff-columns" }, h("div", { class: "ngff-scroll" }, nodes), h("div", { class: "ngff-scroll ngff-tall" }, tree)), detail);

  let shut = new Set(), rows = [], items = [];
  const visible = () => rows.map((_, at) => at).filter((at) => !rows[at].hidden);
  function hide() {
    const lines = model.get("lines");
    let under = Infinity;
    lines.forEach((line, at) => {
      if (line.depth <= under) under = Infinity;
      rows[at].hidden = under !== Infinity;
      if (under === Infinity && shut.has(at)) under = line.depth;
      if (line.holds) {
        rows[at].setAttribute("aria-expanded", `${!shut.has(at)}`);
        rows[at].querySelector(".ngff-turn").textContent = shut.has(at) ? "▸" : "▾";
      }
    });
  }
  function turn(at, open) {
    if (!model.get("lines")[at]?.holds) return;
    if (open) shut.delete(at); else shut.add(at);
    hide();
  }
  function showLines() {
    shut = new Set();
    rows = model.get("lines").map((line, at) => h("div",
      { class: "ngff-line", role: "treeitem", id: fresh("line"), "aria-level": `${line.depth + 1}`, style: `padding-left:${line.depth * 18 + 8}px`,
        onclick: (event) => { if (event.target.className === "ngff-turn") turn(at, shut.has(at)); ask({ do: "line", line: at }); } },
      h("span", { class: "ngff-turn", "aria-hidden": "true" }, ""),
      h("span", { class: "ngff-name" }, line.key),
      h("span", { class: line.holds ? "ngff-faint" : "ngff-said" }, line.value), mark(line)));
    tree.replaceChildren(...rows);
    tree.parentElement.scrollTop = 0;
    hide();
  }
  function showNodes() {
    items = model.get("nodes").map((node, at) => h("li",
      { role: "option", id: fresh("node"), onclick: () => ask({ do: "node", node: at }) },
      h("span", { class: "ngff-key" }, node.path), h("span", { class: "ngff-faint" }, node.kind), mark(node)));
    nodes.replaceChildren(...items);
  }
  function showChosen() {
    const chosen = model.get("chosen");
    items.forEach((item, at) => item.setAttribute("aria-selected", `${at === chosen.node}`));
    rows.forEach((row, at) => row.setAttribute("aria-selected", `${at === chosen.line}`));
    if (items[chosen.node]) nodes.setAttribute("aria-activedescendant", items[chosen.node].id);
    if (rows[chosen.line]) {
      tree.setAttribute("aria-activedescendant", rows[chosen.line].id);
      rows[chosen.line].scrollIntoView({ block: "nearest" });
    } else tree.removeAttribute("aria-activedescendant");
    put(head, chosen.head);
    put(said, chosen.meaning);
    issues.replaceChildren(...chosen.issues.map(([severity, message, rule]) => h("li", {},
      h("span", { class: `ngff-mark ngff-${severity}` }, `${marks[severity]} ${severity}`), ` ${message} `, h("span", { class: "ngff-faint" }, rule))));
  }
  nodes.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const next = Math.min(Math.max(model.get("chosen").node + step, 0), items.length - 1);
    ask({ do: "node", node: next });
    items[next].scrollIntoView({ block: "nearest" });
    event.preventDefault(); event.stopPropagation();
  });
  tree.addEventListener("keydown", (event) => {
    const seen = visible(), at = model.get("chosen").line, place = seen.indexOf(at);
    const go = (line) => { if (line !== undefined) ask({ do: "line", line }); };
    if (event.key === "ArrowDown") go(seen[Math.min(place + 1, seen.length - 1)]);
    else if (event.key === "ArrowUp") go(seen[Math.max(place - 1, 0)]);
    else if (event.key === "Home") go(seen[0]);
    else if (event.key === "End") go(seen[seen.length - 1]);
    else if (event.key === "ArrowRight") turn(at, true);
    else if (event.key === "ArrowLeft") turn(at, false);
    else return;
    event.preventDefault(); event.stopPropagation();
  });
  listen(model, root, "change:nodes", () => { showNodes(); showChosen(); });
  listen(model, root, "change:lines", () => { showLines(); showChosen(); });
  listen(model, root, "change:chosen", showChosen);
  showNodes(); showLines();
  requestAnimationFrame(showChosen); // only what is on the page can be scrolled to
  return () => end(root);
}

export default { render };
