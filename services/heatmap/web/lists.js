// The lists beside the picture: elements by clicks, and the pages with who is on them.

import { count, el } from "./overlay/dom.js";
import { POINT_LAYERS, ROWS, countOf } from "./overlay/heat.js";
import { scale } from "./overlay/scales.js";

const MOST = 6;

// [[selector, n], ...], the most clicked first; what has no element is told last.
export function topElements(picture, name) {
  const layer = POINT_LAYERS.indexOf(name);
  const sums = new Map();
  let named = 0;
  for (const [its, element, , , , n] of picture.spots) {
    const selector = picture.elements[element];
    if (its !== layer || !selector) continue;
    sums.set(selector, (sums.get(selector) ?? 0) + n);
    named += n;
  }
  const rows = [...sums].sort(([, a], [, b]) => b - a);
  const rest = countOf(picture, name) - named + rows.slice(MOST).reduce((sum, [, n]) => sum + n, 0);
  return { rows: rows.slice(0, MOST), rest };
}

export function elementRows(picture, name) {
  const { rows, rest } = topElements(picture, name);
  if (!rows.length && !rest) return [el("li", { class: "none" }, "None")];
  // The end of a long selector is what tells it from the others.
  const items = rows.map(([selector, n]) =>
    el("li", { title: selector }, el("span", {}, el("bdi", {}, selector)), el("b", {}, n.toLocaleString("en-GB"))));
  if (rest > 0) items.push(el("li", { class: "none" }, `and ${rest.toLocaleString("en-GB")} more`));
  return items;
}

// Who is where on a page, as a strip from its top (left) to its end.
function miniature(bands) {
  const canvas = el("canvas", { width: ROWS, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(ROWS, 1);
  const pixels = new Uint32Array(image.data.buffer);
  const most = Math.max(1, ...bands);
  const table = scale("now", 1);
  bands.forEach((n, row) => { pixels[row] = table[Math.round(n / most * 255)]; });
  context.putImageData(image, 0, 0);
  return canvas;
}

export function pageRow(site, { page, here, bands }, isShown) {
  const query = new URLSearchParams({ site, page });
  const link = el("a", { href: `/?${query}`, title: page, "data-page": page, "data-site": site, "aria-current": isShown ? "page" : null },
    el("span", { class: "path" }, page), el("span", { class: "n", title: count(here, "person", "people") }, `${here} here`));
  if (bands) link.append(miniature(bands));
  return el("li", {}, link);
}
