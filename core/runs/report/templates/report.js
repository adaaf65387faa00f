"use strict";
(() => {
  const { figures, colours, living } = JSON.parse(document.getElementById("charts").textContent);
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

  if (living) {
    const form = document.getElementById("living"), table = document.getElementById("segments");
    const [body, foot, head] = [table.tBodies[0], table.tFoot.rows[0], table.querySelector(".rate")];
    const own = { rows: [...body.rows], foot: foot.innerHTML, head: head?.textContent, map: figures.map };
    const cell = (...parts) => {
      const made = document.createElement("td");
      made.className = "num";
      made.append(...parts);
      return made;
    };
    const span = (name, ...parts) => {
      const made = document.createElement("span");
      made.className = name;
      made.append(...parts);
      return made;
    };
    const rate = ([share, interval]) => cell(share, " ", span("faint small interval", interval));
    const line = (row, outcome) => {
      const made = document.createElement("tr"), name = span("name", span("dot"), span("", row.name));
      name.style.setProperty("--c", `var(${row.colour === "token:outside" ? "--seg-none" : row.colour.replace("token:", "--")})`);
      name.lastChild.title = row.name;
      made.append(cell(name), cell(row.users), cell(row.share));
      made.firstChild.className = "";
      if (head) made.append(rate(row.rates[outcome]));
      if (foot.cells.length > (head ? 4 : 3)) made.append(cell(row.stability || "–"));
      return made;
    };

    // The dots of the map, each in the segment that it has now.
    const x = own.map.data.flatMap((trace) => trace.x), y = own.map.data.flatMap((trace) => trace.y);
    const packed = Uint8Array.from(atob(living.labels), (byte) => byte.charCodeAt(0));
    const unpacked = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
    const coloured = (labels, rows) => {
      const outside = { segment: 255, name: "Outside clustering", colour: "token:outside" };
      const data = [outside, ...rows].map(({ segment, name, colour }) => {
        const here = [...x.keys()].filter((dot) => labels[dot] === segment);
        const marker = { size: 4.5, color: colour, opacity: segment < 254 ? 0.7 : 0.35 };
        return { type: "scatter", mode: "markers", hoverinfo: "name", name: name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").slice(0, 34), x: here.map((dot) => x[dot]), y: here.map((dot) => y[dot]), marker };
      });
      return { data: data.filter((trace) => trace.x.length), layout: own.map.layout };
    };

    const move = async () => {
      const [number, mix, outcome] = ["number", "mix", "outcome"].map((name) => Number(form.elements[name]?.value ?? 0));
      const isOwn = number === living.own && mix === 0, rows = living.tables[mix][number];
      form.querySelector("output").value = living.numbers[number];
      form.elements.number.setAttribute("aria-valuetext", living.numbers[number]);
      document.getElementById("moved").hidden = isOwn;
      body.replaceChildren(...(isOwn && outcome === 0 ? own.rows : rows.map((row) => line(row, outcome))));
      foot.innerHTML = own.foot;
      if (head) head.textContent = outcome ? `Users with ${living.outcomes[outcome]}` : own.head;
      if (head && outcome) foot.cells[3].replaceWith(rate(living.totals[outcome]));
      const warning = document.getElementById("given-away");
      if (warning) warning.hidden = !(warning.textContent = living.warnings[outcome]);
      const start = (mix * living.numbers.length + number) * living.dots;
      figures.map = isOwn ? own.map : coloured(new Uint8Array(await unpacked, start, living.dots), rows);
      draw(document.getElementById("map"));
    };
    form.hidden = false;
    form.addEventListener("input", move);
    form.addEventListener("reset", () => setTimeout(move));
  }

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
