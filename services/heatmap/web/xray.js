// The page lying open: who is on it now, where it is touched, how long it is seen, how far people get.
// Four columns of the same 200 rows; pointing at a row, or walking with the arrows, tells its numbers.

import { el, setText, span } from "./overlay/dom.js";
import { COLUMNS, ROWS, cellsOf, difference, hottest, shares } from "./overlay/heat.js";
import { COLOURS, colourAll, scale, twoColoured } from "./overlay/scales.js";

const BAR = 100;
const OPAQUE = 0xff000000;

const wordOf = (hex) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return (OPAQUE | (blue << 16) | (green << 8) | red) >>> 0;
};
const NOW = wordOf(COLOURS.now[1]);
const REACH = wordOf("#d5718f");
const SEEN = wordOf(COLOURS.view[1]);
const FEWER = wordOf("#3f86ea");

class Raster {
  constructor(width, kind) {
    this.width = width;
    this.canvas = el("canvas", { width, height: ROWS, class: kind, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(width, ROWS);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  done() {
    this.context.putImageData(this.image, 0, 0);
  }

  // A bar in each row, as long as its share of `most`; the negative ones in another colour.
  bars(rows, most, word, negative = word) {
    this.pixels.fill(0);
    for (let row = 0; row < ROWS; row += 1) {
      const length = most > 0 ? Math.round(Math.min(1, Math.abs(rows[row]) / most) * this.width) : 0;
      this.pixels.fill(rows[row] < 0 ? negative : word, row * this.width, row * this.width + length);
    }
    this.done();
  }
}

export class Xray {
  #tables = { plain: scale("click", 1), pointer: scale("move", 0.9), signed: twoColoured(1) };

  constructor(figure) {
    this.row = 0;
    this.rasters = { now: new Raster(BAR, "bars"), map: new Raster(COLUMNS, "map"), view: new Raster(BAR, "bars"), reach: new Raster(BAR, "bars") };
    this.rule = el("i", { class: "rule", hidden: "" });
    this.caption = el("figcaption", {}, "");
    const titles = ["On screen now", "Pointer and clicks", "Seconds on screen", "How far visits got"];
    this.sheet = el("div", { class: "sheet", tabindex: "0", role: "slider", "aria-orientation": "vertical", "aria-label": "Rows of the page",
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" },
    ...Object.values(this.rasters).map(({ canvas }) => el("div", { class: "column" }, canvas)), this.rule);
    figure.replaceChildren(...titles.map((title) => el("h3", {}, title)), this.sheet, this.caption);
    this.#listen();
  }

  show({ a, b, bands }) {
    Object.assign(this, { a, b, bands, reach: shares(a), rows: b ? difference(a, b) : a.viewMs });
    this.rasters.now.bars(bands, Math.max(1, hottest(bands)), NOW);
    this.rasters.view.bars(this.rows, hottest(this.rows), SEEN, FEWER);
    this.rasters.reach.bars(this.reach, 1, REACH);
    this.#map();
    this.#tell(this.row);
  }

  #map() {
    const { map } = this.rasters;
    map.pixels.fill(0);
    if (!this.b) this.#paint(cellsOf(this.a, null, "move"), this.#tables.pointer, false);
    this.#paint(cellsOf(this.a, this.b, "click"), this.b ? this.#tables.signed : this.#tables.plain, this.b !== null);
    map.done();
  }

  // Over what is there already.
  #paint(cells, table, signed) {
    const words = new Uint32Array(cells.length);
    colourAll(words, cells, hottest(cells), table, signed);
    cells.forEach((n, cell) => { if (n) this.rasters.map.pixels[cell] = words[cell]; });
  }

  #listen() {
    const rowAt = ({ clientY }) => {
      const { top, height } = this.sheet.getBoundingClientRect();
      return Math.max(0, Math.min(ROWS - 1, Math.floor((clientY - top) / height * ROWS)));
    };
    this.sheet.addEventListener("pointermove", (event) => { this.rule.hidden = false; this.#tell(rowAt(event)); });
    this.sheet.addEventListener("pointerleave", () => { this.rule.hidden = true; });
    this.sheet.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -ROWS, End: ROWS }[event.key];
      if (!step) return;
      event.preventDefault();
      this.rule.hidden = false;
      this.#tell(Math.max(0, Math.min(ROWS - 1, this.row + step)));
    });
  }

  #tell(row) {
    this.row = row;
    const seen = this.b ? `${span(this.rows[row])} a visit more on screen` : `${span(this.rows[row])} on screen`;
    const text = `${(row / ROWS * 100).toFixed(1)} % down the page: ${seen}, on ${this.bands[row]} screens now, ` +
      `${Math.round(this.reach[row] * 100)} % of visits got here`;
    setText(this.caption, text);
    this.rule.style.top = `${(row + 0.5) / ROWS * 100}%`;
    this.sheet.setAttribute("aria-valuenow", String(Math.round(row / ROWS * 100)));
    this.sheet.setAttribute("aria-valuetext", text);
  }
}
