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

  const draw = (mode) => {
    for (const [key, figure] of Object.entries(figures)) {
      const place = document.getElementById(`chart-${key}`);
      const { data, layout } = painted(figure, colours[mode]);
      Plotly.react(place, data, fitted(layout, place.clientWidth), { ...config, toImageButtonOptions: { format: "svg", filename: key } });
    }
  };

  draw(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => draw(dark.matches ? "dark" : "light"));
  const closed = [];
  addEventListener("beforeprint", () => {
    draw("light");
    for (const part of document.querySelectorAll("details:not([open])")) closed.push(part), (part.open = true);
  });
  addEventListener("afterprint", () => {
    draw(dark.matches ? "dark" : "light");
    while (closed.length) closed.pop().open = false;
  });
})();
