// The whole page as a slim strip at the window's right edge: seconds seen, and who is there now.
// Pointing at it, or walking it with the arrow keys, tells one row's numbers; a click goes there.

import { el, span } from "./dom.js";
import { ROWS } from "./heat.js";
import { colourAll, scale, twoColoured } from "./scales.js";

const WIDTH = 40;
const BAR = 22;
const NOW_WORD = 0xffea863f;

export class Strip {
  constructor(shadow, go) {
    this.go = go;
    this.row = 0;
    this.canvas = el("canvas", { width: WIDTH, height: ROWS, "aria-hidden": "true" });
    this.tip = el("div", { class: "tip", hidden: "" });
    this.here = el("div", { class: "here", "aria-hidden": "true" });
    this.box = el("div", {
      class: "strip", tabindex: "0", role: "slider", "aria-orientation": "vertical",
      "aria-label": "The page from top to end, by what was seen of it",
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0",
    }, this.canvas, this.here, this.tip);
    shadow.append(this.box);
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(WIDTH, ROWS);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.tables = { plain: scale("view", 0.95), signed: twoColoured(0.95) };
    this.#listen();
  }

  // rows: {view: {values, peak, signed}, now: [200], reach: [200] shares}.
  show(rows) {
    this.rows = rows;
    const column = new Uint32Array(ROWS);
    const { view, now } = rows;
    colourAll(column, view.values, view.peak, view.signed ? this.tables.signed : this.tables.plain, view.signed);
    const crowd = Math.max(1, ...now);
    for (let row = 0; row < ROWS; row += 1) {
      const bar = Math.round(now[row] / crowd * BAR);
      const start = row * WIDTH;
      this.pixels.fill(0, start, start + BAR - bar);
      this.pixels.fill(NOW_WORD, start + BAR - bar, start + BAR);
      this.pixels.fill(column[row], start + BAR, start + WIDTH);
    }
    this.context.putImageData(this.image, 0, 0);
    if (!this.tip.hidden) this.#tell(this.row);
  }

  // Where the window is on the page, as shares of the page's height.
  place(from, to) {
    this.here.style.top = `${from * 100}%`;
    this.here.style.height = `${(to - from) * 100}%`;
  }

  #listen() {
    const rowAt = (event) => {
      const { top, height } = this.box.getBoundingClientRect();
      return Math.max(0, Math.min(ROWS - 1, Math.floor((event.clientY - top) / height * ROWS)));
    };
    this.box.addEventListener("pointermove", (event) => this.#tell(rowAt(event)));
    this.box.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.box.addEventListener("blur", () => { this.tip.hidden = true; });
    this.box.addEventListener("focus", () => this.#tell(this.row));
    this.box.addEventListener("click", (event) => this.go(rowAt(event) / ROWS));
    this.box.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -ROWS, End: ROWS };
    if (event.key === "Enter") this.go(this.row / ROWS);
    else if (event.key in steps) this.#tell(Math.max(0, Math.min(ROWS - 1, this.row + steps[event.key])));
    else return;
    event.preventDefault();
  }

  #tell(row) {
    this.row = row;
    if (!this.rows) return;
    const { view, now, reach } = this.rows;
    const text = `${(row / ROWS * 100).toFixed(1)} % down: ` +
      `${view.signed ? `${span(view.values[row])} more a visit` : `seen for ${span(view.values[row])}`}, ` +
      `${now[row]} here now, ${Math.round(reach[row] * 100)} % got here`;
    this.tip.textContent = text;
    this.tip.style.top = `${(row + 0.5) / ROWS * 100}%`;
    this.tip.hidden = false;
    this.box.setAttribute("aria-valuenow", String(Math.round(row / ROWS * 100)));
    this.box.setAttribute("aria-valuetext", text);
  }
}
