"use strict";
(() => {
  const { figures, colours } = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };

  const painted = (part, shades) => {
    if (typeof part === "string") return shades[part] ?? part;
    if (Array.isArray(part)) return typeof part[0] === "number" ? part : part.map((one) => painted(one, shades));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, painted(value, shades)]));
  };

  // On a narrow page the names beside the bars would leave no room for the bars.
  const fitted = (layout, width) =>
    width > 560 ? layout : { ...layout, margin: { ...layout.margin, l: 8, r: 8 }, font: { ...layout.font, size: 11 } };

  const draw = (within = document, mode = dark.matches ? "dark" : "light") => {
    for (const place of within.querySelectorAll(".chart")) {
      if (!place.clientWidth) continue; // folded: it is drawn when it is opened
      const key = place.id.replace("chart-", "");
      const { data, layout } = painted(figures[key], colours[mode]);
      Plotly.react(place, data, fitted(layout, place.clientWidth), { ...config, toImageButtonOptions: { format: "svg", filename: key } });
    }
  };

  draw();
  dark.addEventListener("change", () => draw());
  document.addEventListener("toggle", (event) => event.target.open && draw(event.target), true);
  addEventListener("beforeprint", () => draw(document, "light"));
  addEventListener("afterprint", () => draw());
  document.getElementById("pdf").addEventListener("click", () => print());

  // A link to a folded part opens it, and what it lies in.
  const open = () => {
    for (let part = document.getElementById(location.hash.slice(1)); part; part = part.parentElement) part.open = true;
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();
})();
