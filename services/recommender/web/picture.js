// A picture of an item that has none: drawn from its title, category and id, always the same.

import { svg } from "./dom.js";
import { PLAIN, SHAPES } from "./shapes.js";

const COLOURS = {
  RED: [4, 62, 52], RETROSPOT: [4, 62, 52], PINK: [343, 62, 72], BLUE: [212, 46, 55], TURQUOISE: [180, 42, 50],
  AQUA: [182, 42, 58], GREEN: [140, 30, 46], LIME: [78, 46, 52], YELLOW: [44, 78, 62], ORANGE: [24, 76, 60],
  PURPLE: [276, 30, 56], LILAC: [276, 34, 70], BLACK: [220, 8, 26], WHITE: [40, 22, 94], IVORY: [42, 38, 88],
  CREAM: [42, 44, 86], SILVER: [214, 10, 72], GOLD: [42, 56, 56], BROWN: [24, 30, 40], CHOCOLATE: [20, 34, 34],
  WOOD: [30, 34, 56], WOODEN: [30, 34, 56], ZINC: [210, 8, 62], METAL: [210, 10, 58], GLASS: [192, 26, 74],
  GREY: [215, 6, 58], GRAY: [215, 6, 58], MINT: [158, 34, 72], JADE: [158, 34, 52], BEIGE: [34, 30, 76],
  REGENCY: [346, 40, 76], STRAWBERRY: [352, 62, 60], ROSE: [346, 50, 68], ROSES: [346, 50, 68], CHRISTMAS: [2, 54, 48], ENGLISH: [352, 48, 58],
};
const PATTERNS = [
  [/POLKA|SPOT|DOT|RETROSPOT/, "dots"], [/STRIPE|STRIPEY|DECKCHAIR/, "stripes"], [/GINGHAM|CHECK|TARTAN/, "gingham"],
  [/ROSE|FLORAL|FLOWER|DAISY|PAISLEY|BLOSSOM|SUKI|DOILEY/, "petals"], [/UNION|JACK/, "cross"], [/STAR/, "specks"],
];
const HOUSE_HUES = [12, 32, 48, 96, 152, 178, 206, 232, 268, 318, 346];

let drawn = 0;

// FNV-1a: the same text gives the same number in every browser.
export function fingerprint(text) {
  let h = 0x811c9dc5;
  for (const letter of text) h = Math.imul(h ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return h;
}

// An <svg> of 200 by 200 for { item_id, title, category }; decoration, so hidden from readers.
export function picture({ item_id: id, title, category }) {
  const words = title.toUpperCase();
  const hue = HOUSE_HUES[fingerprint(category) % HOUSE_HUES.length];
  const tone = colour(words, id);
  const fill = `fill-${++drawn}`;
  const [, parts] = SHAPES.find(([pattern]) => pattern.test(words)) ?? [null, PLAIN];
  return svg("svg", { viewBox: "0 0 200 200", "aria-hidden": "true", focusable: "false" },
    svg("defs", {}, weave(fill, tone, PATTERNS.find(([pattern]) => pattern.test(words))?.[1])),
    ...backdrop(hue, id, tone[2] > 82 ? 12 : 0),
    ...parts.map((part) => draw(part, tone, fill, title)));
}

function colour(words, id) {
  const named = words.split(/[^A-Z]+/).find((word) => word in COLOURS);
  if (named) return COLOURS[named];
  const h = fingerprint(id);
  return [HOUSE_HUES[h % HOUSE_HUES.length], 28 + (h >>> 8) % 12, 56 + (h >>> 12) % 10];
}

// A pale thing stands before a deeper wall, or it would not be seen.
function backdrop(hue, id, deeper) {
  const h = fingerprint(`${id} backdrop`);
  const wash = (light) => `hsl(${hue} 30% ${light - deeper}%)`;
  const behind = [
    svg("circle", { cx: 60 + (h % 80), cy: 78, r: 66, fill: wash(85) }),
    svg("path", { d: `M0 ${96 + (h % 24)}q50-44 100-8t100-14V0H0z`, fill: wash(93) }),
    svg("path", { d: "M40 160V96a60 60 0 0 1 120 0v64z", fill: wash(85) }),
  ][(h >>> 6) % 3];
  return [
    svg("rect", { width: 200, height: 200, fill: wash(90) }), behind,
    svg("rect", { y: 160, width: 200, height: 40, fill: wash(81) }),
    svg("ellipse", { cx: 100, cy: 163, rx: 66, ry: 6, fill: `hsl(${hue} 24% 62%)`, opacity: 0.45 }),
  ];
}

function weave(id, tone, pattern) {
  const [main, deep, pale] = [shade(tone, 0), shade(tone, -14), shade(tone, tone[2] > 80 ? -22 : 26)];
  const on = (name, attributes) => svg(name, { fill: pale, ...attributes });
  const marks = {
    dots: () => [on("circle", { cx: 6, cy: 6, r: 4 }), on("circle", { cx: 18, cy: 18, r: 4 })],
    stripes: () => [on("rect", { width: 9, height: 24 })],
    gingham: () => [on("rect", { width: 12, height: 24, opacity: 0.5 }), on("rect", { width: 24, height: 12, opacity: 0.5 })],
    petals: () => [...[[12, 7], [17, 12], [12, 17], [7, 12]].map(([cx, cy]) => on("circle", { cx, cy, r: 3.4 })),
      on("circle", { cx: 12, cy: 12, r: 2.4, fill: deep })],
    cross: () => [on("path", { d: "M0 9h24v6H0zM9 0h6v24H9z" }), svg("path", { d: "M0 10.500h24v3H0zM10.500 0h3v24h-3z", fill: deep })],
    specks: () => [on("path", { d: "M12 6l2 4 4 1-3 3 1 4-4-2-4 2 1-4-3-3 4-1z" })],
  }[pattern]?.() ?? [];
  return svg("pattern", { id, width: 24, height: 24, patternUnits: "userSpaceOnUse" },
    svg("rect", { width: 24, height: 24, fill: main }), ...marks);
}

function draw([role, name, { weight, ...attributes }], tone, fill, title) {
  const paint = {
    main: weight ? shade(tone, 0) : `url(#${fill})`, deep: shade(tone, -14), pale: shade(tone, tone[2] > 80 ? 4 : 30),
    line: "hsl(28 14% 28%)", glow: "hsl(40 88% 66%)", halo: "hsl(44 92% 74%)", leaf: "hsl(142 26% 40%)", initial: "hsl(0 0% 100%)",
  }[role];
  const how = weight
    ? { fill: "none", stroke: paint, "stroke-width": weight, "stroke-linecap": "round", "stroke-linejoin": "round" }
    : { fill: paint, opacity: role === "halo" ? 0.45 : null };
  if (role !== "initial") return svg(name, { ...attributes, ...how });
  return svg(name, { ...attributes, ...how, "text-anchor": "middle", "font-size": 30, "font-weight": 600, "font-family": "Georgia, serif" },
    title.match(/[A-Za-z]/)?.[0].toUpperCase() ?? "?");
}

function shade([hue, saturation, light], by) {
  return `hsl(${hue} ${saturation}% ${Math.min(97, Math.max(14, light + by))}%)`;
}
