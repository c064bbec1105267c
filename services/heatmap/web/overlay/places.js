// Where the data's places are on the page as it is laid out now, in pixels of the window.

import { COLUMNS, ROWS } from "./heat.js";

const INSIDE = 1024;
const CLIMB = 12;

export class Places {
  #found = new Map();
  #boxes = new Map();

  // host: the overlay's own element, which never covers anything.
  constructor(host) {
    this.host = host;
    this.read();
  }

  // The page changed: what was not found may be there now.
  forget() {
    for (const [selector, node] of this.#found) if (!node) this.#found.delete(selector);
  }

  // Reads the geometry of the page once; elements are read when first asked for after this.
  read() {
    this.#boxes.clear();
    const page = document.documentElement;
    const root = document.querySelector("[data-heat-scroll]");
    this.width = page.clientWidth;
    this.height = page.clientHeight;
    const corner = root?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const scroller = root ?? document.scrollingElement ?? page;
    this.root = {
      left: corner.left - scroller.scrollLeft,
      top: corner.top - scroller.scrollTop,
      width: scroller.scrollWidth,
      height: scroller.scrollHeight,
    };
    this.bars = this.#bars();
  }

  // What stays at the window's top or bottom edge while the page scrolls beneath it.
  #bars() {
    const found = [1, this.height - 1].map((y) => {
      let node = document.elementsFromPoint(this.width / 2, y).find((hit) => hit !== this.host);
      for (let up = 0; node && up < CLIMB; up += 1, node = node.parentElement) {
        if (/fixed|sticky/.test(getComputedStyle(node).position)) return node;
      }
      return null;
    });
    return found.filter(Boolean).map((node) => ({ node, edge: node.getBoundingClientRect() }));
  }

  #isUnderBar(node, x, y) {
    return this.bars.some(({ node: bar, edge }) => y < edge.bottom && y > edge.top && x < edge.right &&
      x > edge.left && !bar.contains(node));
  }

  // The middle of a cell of the page's 64 x 200.
  cell(cell) {
    const { left, top, width, height } = this.root;
    return [
      left + ((cell % COLUMNS) + 0.5) / COLUMNS * width,
      top + (Math.floor(cell / COLUMNS) + 0.5) / ROWS * height,
    ];
  }

  // Where a mark is: inside its element; where the element was when there is none that shows; null
  // when something else covers it.
  of({ selector, p, q, cell }) {
    const box = selector === null ? null : this.#box(selector);
    if (!box) return this.cell(cell);
    const x = box.left + (p + 0.5) / INSIDE * box.width;
    const y = box.top + (q + 0.5) / INSIDE * box.height;
    const hidden = this.#isUnderBar(box.node, x, y) || (box.covered && this.#isCovered(box.node, x, y));
    return hidden ? null : [x, y];
  }

  #box(selector) {
    let box = this.#boxes.get(selector);
    if (box === undefined) {
      box = this.#measure(selector);
      this.#boxes.set(selector, box);
    }
    return box;
  }

  #measure(selector) {
    const node = this.#find(selector);
    if (!node?.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return null;
    const { left, top, right, bottom, width, height } = node.getBoundingClientRect();
    if (!width || !height) return null;
    const box = { node, left, top, width, height, covered: false };
    const [fromX, toX] = [Math.max(left, 0), Math.min(right, this.width)];
    const [fromY, toY] = [Math.max(top, 0), Math.min(bottom, this.height)];
    // Each mark is looked at alone only where the middle of what shows is under something.
    if (fromX < toX && fromY < toY) box.covered = this.#isCovered(node, (fromX + toX) / 2, (fromY + toY) / 2);
    return box;
  }

  #find(selector) {
    let node = this.#found.get(selector);
    if (node === undefined || (node && !node.isConnected)) {
      node = this.#query(selector);
      this.#found.set(selector, node);
    }
    return node;
  }

  #query(selector) {
    try {
      // Trackers join the parts of a way into shadow trees by >>>.
      const [first, ...inner] = selector.split(">>>");
      return inner.reduce((node, part) => node?.shadowRoot?.querySelector(part) ?? null, document.querySelector(first));
    } catch (error) {
      // Anybody can send a text that is no selector; the page's fraction is used instead.
      if (error instanceof DOMException) return null;
      throw error;
    }
  }

  #isCovered(node, x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return false;
    const tree = node.getRootNode();
    let hit = tree.elementFromPoint(x, y);
    if (hit === this.host) hit = tree.elementsFromPoint(x, y).find((other) => other !== this.host);
    return Boolean(hit) && !node.contains(hit) && !hit.contains(node);
  }
}
