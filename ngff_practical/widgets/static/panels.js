function render({ model, el }) {
  const { root, body, heading } = frame(model, el, model.get("shown").title, "task");
  const ask = latestWins(model, root, 10000);
  const source = h("span", { class: "ngff-key" }), destination = h("span", { class: "ngff-key" });
  const bar = h("div", { class: "ngff-fill" });
  const track = h("div", { class: "ngff-track", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": model.get("shown").title }, bar);
  const said = h("p", { class: "ngff-says" });
  const look = button("Dry run", () => ask({ do: "look" }), { title: "say what would be done, and do nothing" });
  const start = button("", () => ask({ do: "start" })), stop = button("Stop", () => ask({ do: "stop" }));
  body.append(
    h("div", { class: "ngff-ends" }, h("span", {}, "from"), source, h("span", {}, "to"), destination),
    track, said, h("div", { class: "ngff-row" }, look, start, stop),
  );
  function show() {
    const now = model.get("shown");
    put(heading, now.title);
    put(source, now.source); put(destination, now.destination);
    bar.style.width = `${now.share * 100}%`;
    bar.className = `ngff-fill ngff-${now.state}`;
    track.setAttribute("aria-valuenow", `${Math.round(now.share * 100)}`);
    track.setAttribute("aria-valuetext", now.said);
    put(said, `${now.state === "done" ? "✓ " : now.state === "failed" ? "✕ " : ""}${now.said}`);
    start.textContent = now.verb;
    allow(start, now.may_start); allow(look, now.may_start); allow(stop, now.state === "working");
  }
  listen(model, root, "change:shown", show);
  show();
  return () => end(root);
}

export default { render };
