function render({ model, el }) {
  const { root, body } = frame(model, el, "Before and after", "beside");
  const ask = latestWins(model, root);
  const sliders = model.get("places").map(([name, index, size]) => slider(name, {
    min: 0, max: size - 1, value: index, say: (at) => place(at, size), oninput: (at) => ask({ do: "at", axis: name, index: at }) }));
  const list = h("div", { class: "ngff-pairs" });
  body.append(h("div", { class: "ngff-row" }, ...sliders.map(({ element }) => element)), list);
  let made = [];
  function show() {
    const panels = model.get("panels");
    if (made.length !== panels.length) {
      made = panels.map(() => ({ name: h("b"), said: h("span", { class: "ngff-faint" }), picture: h("canvas", { role: "img" }) }));
      list.replaceChildren(...made.map(({ name, said, picture }) => h("figure", {}, picture, h("figcaption", {}, name, said))));
    }
    panels.forEach((panel, at) => {
      const { name, said, picture } = made[at];
      put(name, panel.name);
      put(said, panel.said);
      picture.setAttribute("aria-label", plain(`${panel.name}: ${panel.said}`));
      const bytes = new Uint8Array(panel.grey.buffer, panel.grey.byteOffset, panel.grey.byteLength);
      const image = new ImageData(panel.width, panel.height), pixels = new Uint32Array(image.data.buffer);
      for (let one = 0; one < bytes.length; one += 1) pixels[one] = 0xff000000 | (bytes[one] * 0x010101);
      picture.width = panel.width; picture.height = panel.height;
      picture.getContext("2d").putImageData(image, 0, 0);
    });
    model.get("places").forEach(([, index], at) => { if (document.activeElement !== sliders[at].input) sliders[at].set(index); });
  }
  listen(model, root, "change:panels", show);
  show();
  return () => end(root);
}

export default { render };
