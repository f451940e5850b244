function render({ model, el }) {
  const { root, body } = frame(model, el, "What is in the bucket?", "bucket");
  const ask = latestWins(model, root, 4000);
  const id = fresh("prefix");
  const typed = h("input", { type: "text", id, class: "ngff-key", spellcheck: "false", autocomplete: "off" });
  const go = () => { if (typed.value !== model.get("at").prefix) ask({ do: "open", prefix: typed.value }); };
  typed.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
  const where = h("span", { class: "ngff-key ngff-faint" });
  const up = button("Up", () => ask({ do: "up" }), { title: "the folder above" });
  const slash = button("", () => {
    const { prefix } = model.get("at");
    ask({ do: "open", prefix: prefix.endsWith("/") ? prefix.slice(0, -1) : `${prefix}/` });
  });
  const trap = h("p", { class: "ngff-trap" });

  const keys = h("div", { class: "ngff-scroll", tabindex: "0", role: "region", "aria-label": "Keys" });
  const pages = h("span", { class: "ngff-faint" });
  const back = button("Previous page", () => ask({ do: "back" })), next = button("Next page", () => ask({ do: "next" }));
  const folders = h("ul", { class: "ngff-scroll ngff-folders", "aria-label": "Folders and objects" });
  const inside = h("span", { class: "ngff-key ngff-inside" });
  const counts = button("Count below", () => ask({ do: "count", prefix: model.get("at").folder }), { title: "up to 5,000 keys" });
  const describe = button("Describe this image", () => ask({ do: "describe", prefix: model.get("at").folder }));
  const found = h("p", { class: "ngff-found", role: "status" });
  body.append(
    where,
    h("div", { class: "ngff-ask" }, h("label", { for: id }, "keys that begin with"), typed, button("List", go), slash),
    trap,
    h("div", { class: "ngff-sides" },
      h("div", {}, h("h4", {}, "Keys, as S3 has them"), keys, h("div", { class: "ngff-row ngff-under" }, back, next, pages)),
      h("div", {}, h("h4", {}, "The same, read as folders"), inside, folders, h("div", { class: "ngff-row ngff-under" }, up, counts, describe))),
    found,
  );
  function show() {
    const at = model.get("at");
    put(where, `${at.endpoint}/${at.bucket}`);
    if (document.activeElement !== typed) typed.value = at.prefix;
    slash.textContent = at.prefix.endsWith("/") ? "Without the slash" : "With a slash";
    slash.hidden = !at.prefix.replaceAll("/", "");
    put(trap, at.trap); trap.hidden = !at.trap;
    trap.classList.toggle("ngff-calm", !at.trapped);
    const rows = table("", ["key", "size"], model.get("flat"), { numbers: [1] });
    const shared = at.prefix.length;
    [...rows.tBodies[0].rows].forEach((row, index) => {
      const [key] = model.get("flat")[index];
      row.cells[0].className = "ngff-key";
      row.cells[0].replaceChildren(h("span", { class: "ngff-shared" }, key.slice(0, shared)), h("span", {}, key.slice(shared)));
    });
    keys.replaceChildren(model.get("flat").length ? rows : h("p", { class: "ngff-none" }, "No key begins so."));
    keys.scrollTop = 0;
    pages.textContent = model.get("flat").length ? `${at.first.toLocaleString("en")} to ${at.last.toLocaleString("en")}, ${at.held}` : "";
    allow(back, at.back); allow(next, at.next); allow(up, at.folder);
    describe.hidden = !at.image;
    put(inside, `in ${at.folder || "the whole bucket"}`);
    const within = folders.contains(document.activeElement);
    folders.replaceChildren(...model.get("folders").map((entry) => h("li", {}, entry.folder
      ? h("button", { type: "button", class: "ngff-link ngff-key", onclick: () => ask({ do: "open", prefix: entry.key }) },
        h("span", { "aria-hidden": "true" }, entry.image ? "◆ " : "▸ "), entry.name)
      : h("span", { class: "ngff-key" }, entry.name), h("span", { class: "ngff-size" }, entry.image ? "OME-Zarr?" : entry.size))));
    if (at.more_folders) folders.append(h("li", { class: "ngff-faint" }, "and more: this is the first page"));
    folders.scrollTop = 0;
    if (within) (folders.querySelector("button") ?? up).focus({ preventScroll: true });
  }
  function showFound() {
    const text = model.get("found");
    put(found, text); found.hidden = !text;
  }
  listen(model, root, "change:at", show);
  listen(model, root, "change:flat", show);
  listen(model, root, "change:folders", show);
  listen(model, root, "change:found", showFound);
  show(); showFound();
  return () => end(root);
}

export default { render };
