// Paints on the page: clicks in a canvas as big as the window, what goes by cells and rows in small
// canvases that are stretched over the page.
//
// It draws at most once a frame, and only when something changed: the data, the layout, the scroll.

import { CELL_PX, Grid } from "./grid.js";
import { COLUMNS, CLICK_LAYERS, ROWS } from "./heat.js";
import { Places } from "./places.js";
import { colourAll, scale, twoColoured } from "./scales.js";

const DEVIATION_PX = 8;
const OPACITY = { click: 0.85, rage: 0.85, dead: 0.8, move: 0.6, view: 0.3, now: 0.26 };
const PEAK_BIN_PX = 20;
const FLASHES_AT_ONCE = 40;
const FLASH_MS = 900;

const node = (name, className) => Object.assign(document.createElement(name), { className });

class PointLayer {
  constructor(name) {
    this.name = name;
    this.tables = { plain: scale(name, OPACITY[name]), signed: twoColoured(OPACITY[name]) };
    this.marks = [];
    this.peak = 0;
  }

  resize(width, height) {
    this.grid = new Grid(width, height, DEVIATION_PX);
    this.canvas = new OffscreenCanvas(this.grid.columns, this.grid.rows);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.image = this.context.createImageData(this.grid.columns, this.grid.rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  // False when there is nothing in the window.
  draw(places, signed) {
    if (!this.marks.length) return false;
    this.grid.clear();
    for (const mark of this.marks) {
      const at = places.of(mark);
      if (at) this.grid.add(at[0], at[1], mark.weight);
    }
    if (this.grid.isEmpty) return false;
    this.grid.colour(this.pixels, signed ? this.tables.signed : this.tables.plain, this.peak, signed);
    this.context.putImageData(this.image, 0, 0);
    return true;
  }

  // The hottest place of the whole page, so that colours stay as they are while one scrolls.
  measure(places) {
    const bins = new Map();
    for (const mark of this.marks) {
      const at = places.of(mark);
      if (!at) continue;
      const bin = Math.round((at[0] - places.root.left) / PEAK_BIN_PX) * 1e5 +
        Math.round((at[1] - places.root.top) / PEAK_BIN_PX);
      bins.set(bin, (bins.get(bin) ?? 0) + mark.weight);
    }
    this.peak = 0;
    for (const heat of bins.values()) this.peak = Math.max(this.peak, Math.abs(heat));
  }
}

// Cells or rows of the whole page, one pixel each: drawn when they change, stretched by the browser.
class StretchedLayer {
  constructor(name, columns, sheet) {
    this.canvas = sheet.appendChild(node("canvas", "stretched"));
    Object.assign(this.canvas, { width: columns, height: ROWS });
    this.canvas.dataset.layer = name;
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(columns, ROWS);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.tables = { plain: scale(name, OPACITY[name]), signed: twoColoured(OPACITY[name]) };
  }

  draw(shown) {
    this.canvas.hidden = !shown;
    if (!shown) return;
    const { values, peak, signed } = shown;
    colourAll(this.pixels, values, peak, signed ? this.tables.signed : this.tables.plain, signed);
    this.context.putImageData(this.image, 0, 0);
  }
}

export class Painter {
  #frame = 0;
  #dirty = { data: true, layout: true };
  #undo = [];

  // painted: told after each frame's drawing, with what it took in milliseconds.
  constructor(shadow, host, painted) {
    this.host = host;
    this.painted = painted;
    this.places = new Places(host);
    this.sheet = shadow.appendChild(node("div", "sheet"));
    this.sheet.setAttribute("aria-hidden", "true");
    this.long = this.sheet.appendChild(node("div", "long"));
    this.stretched = {
      view: new StretchedLayer("view", 1, this.long),
      now: new StretchedLayer("now", 1, this.long),
      move: new StretchedLayer("move", COLUMNS, this.long),
    };
    this.folds = this.long.appendChild(node("div", "folds"));
    this.points = CLICK_LAYERS.map((name) => new PointLayer(name));
    this.canvas = this.sheet.appendChild(node("canvas", "points"));
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.shown = { signed: false, folds: [] };
    this.#listen();
  }

  // shown: {signed, marks: {click, rage, dead}, folds: [{row, text}]}, and for each of view, now and
  // move {values, peak, signed} if it is to be seen.
  show(shown) {
    this.shown = shown;
    for (const layer of this.points) layer.marks = shown.marks[layer.name] ?? [];
    this.#request("data");
  }

  // A ring where each of these clicks was, for a moment.
  flash(marks) {
    this.places.read();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const mark of marks.slice(-FLASHES_AT_ONCE)) {
      const at = this.places.of(mark);
      if (at) this.#ring(at, still);
    }
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    for (const undo of this.#undo) undo();
  }

  #ring([x, y], still) {
    const ring = this.sheet.appendChild(node("i", "ring"));
    Object.assign(ring.style, { left: `${x}px`, top: `${y}px` });
    const grow = still ? [1, 1] : [0.3, 1.6];
    ring.animate({ transform: grow.map((size) => `translate(-50%, -50%) scale(${size})`), opacity: [1, 0] },
      { duration: FLASH_MS, easing: "ease-out" }).onfinish = () => ring.remove();
  }

  #listen() {
    const on = (target, type, listener) => {
      target.addEventListener(type, listener, { capture: true, passive: true });
      this.#undo.push(() => target.removeEventListener(type, listener, { capture: true }));
    };
    on(window, "scroll", () => this.#request());
    on(window, "resize", () => this.#request("layout"));
    on(document, "load", () => this.#request("layout"));
    const sizes = new ResizeObserver(() => this.#request("layout"));
    for (const part of [document.documentElement, document.body]) sizes.observe(part);
    const changes = new MutationObserver((records) => {
      if (records.some(({ target }) => target !== this.host)) this.#request("layout");
    });
    changes.observe(document, {
      subtree: true, childList: true, attributes: true, attributeFilter: ["class", "style", "hidden", "open", "id"],
    });
    this.#undo.push(() => sizes.disconnect(), () => changes.disconnect());
  }

  #request(what) {
    if (what) this.#dirty[what] = true;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  // Everything is read from the layout before anything is written to it.
  #draw() {
    const began = performance.now();
    this.#frame = 0;
    const { data, layout } = this.#dirty;
    const isNew = data || layout;
    this.#dirty = { data: false, layout: false };
    if (layout) this.places.forget();
    this.places.read();
    if (layout) this.#resize();
    if (isNew) for (const layer of this.points) layer.measure(this.places);
    this.#drawPoints();
    this.#placeLong();
    if (isNew) this.#drawLong();
    this.painted(performance.now() - began);
  }

  #resize() {
    const { width, height } = this.places;
    if (width === this.width && height === this.height) return;
    Object.assign(this, { width, height });
    for (const layer of this.points) layer.resize(width, height);
    const { columns, rows } = this.points[0].grid;
    Object.assign(this.canvas, { width: columns, height: rows });
    this.canvas.style.width = `${columns * CELL_PX}px`;
    this.canvas.style.height = `${rows * CELL_PX}px`;
  }

  #drawPoints() {
    const drawn = this.points.filter((layer) => layer.draw(this.places, this.shown.signed));
    if (!drawn.length && this.isBlank) return;
    this.isBlank = !drawn.length;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const layer of drawn) this.context.drawImage(layer.canvas, 0, 0);
  }

  #placeLong() {
    const { left, top, width, height } = this.places.root;
    Object.assign(this.long.style, {
      transform: `translate(${left}px, ${top}px)`, width: `${width}px`, height: `${height}px`,
    });
  }

  #drawLong() {
    for (const [name, layer] of Object.entries(this.stretched)) layer.draw(this.shown[name]);
    this.folds.replaceChildren(...this.shown.folds.map(({ row, text }) => {
      const line = node("div", "fold");
      line.style.top = `${row / ROWS * 100}%`;
      line.append(Object.assign(node("span"), { textContent: text }));
      return line;
    }));
  }
}
