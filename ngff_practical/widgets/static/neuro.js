function render({ model, el }) {
  const { root, body } = frame(model, el, "Neuroglancer", "neuro");
  const view = h("iframe", { class: "ngff-frame", title: "Neuroglancer, a viewer for large images", allow: "fullscreen" });
  const waiting = h("p", {}, "Neuroglancer is being started.");
  body.append(waiting, view);
  const show = () => {
    const address = model.get("address");
    waiting.hidden = Boolean(address || model.get("notice")); view.hidden = !address;
    if (address && view.getAttribute("src") !== address) view.setAttribute("src", address);
  };
  listen(model, root, "change:address", show);
  listen(model, root, "change:notice", show);
  show();
  const settings = document.getElementById("jupyter-config-data");
  if (settings) latestWins(model, root, 10000)({ do: "open", base: location.origin + JSON.parse(settings.textContent).baseUrl });
  else waiting.textContent = "Neuroglancer needs JupyterLab or Notebook 7: this page does not say where its server is.";
  return () => end(root);
}

export default { render };
