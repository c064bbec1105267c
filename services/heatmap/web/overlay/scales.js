// Colours: one table of 256 for each layer, from nothing at all to the layer's hottest colour.

const ENTRIES = 256;

export const COLOURS = {
  click: ["#ffd54a", "#ff8a1f", "#d7191c"],
  dead: ["#b9a7ff", "#6d4bd8", "#3b1f9c"],
  rage: ["#ff9ad5", "#e0218a", "#8f0050"],
  move: ["#8fe3dc", "#16a3a0", "#0a5f73"],
  view: ["#fff1a8", "#f4b942", "#e07b1a"],
  now: ["#a9cdff", "#3f86ea", "#1b52b8"],
};
const FEWER = ["#1b52b8", "#3f86ea", "#a9cdff"];
const MORE = ["#ffc27a", "#ef7d1a", "#b34700"];

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function between(stops, share) {
  const place = share * (stops.length - 1);
  const at = Math.min(Math.floor(place), stops.length - 2);
  const [low, high] = [channels(stops[at]), channels(stops[at + 1])];
  return low.map((value, i) => Math.round(value + (high[i] - value) * (place - at)));
}

// ImageData is red, green, blue, alpha in memory; a little-endian word has them the other way round.
const word = ([red, green, blue], alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;

function table(colourAt, alphaAt) {
  return Uint32Array.from({ length: ENTRIES }, (_, i) => word(colourAt(i), Math.round(alphaAt(i) * 255)));
}

// opacity: of the hottest colour. It grows fast at first, so that a single click shows.
export const scale = (name, opacity) =>
  table((i) => between(COLOURS[name], i / 255), (i) => opacity * Math.min(1, (i / 255) * 1.6));

// Two-coloured: blue where there is less, orange where there is more, nothing in the middle.
export const twoColoured = (opacity) => table(
  (i) => (i < 128 ? between(FEWER, i / 128) : between(MORE, (i - 128) / 127)),
  (i) => opacity * Math.min(1, (Math.abs(i - 128) / 127) * 1.6),
);

// A colour for each value; `peak` gets the hottest one.
export function colourAll(pixels, values, peak, colours, signed) {
  const scaled = peak > 0 ? 1 / peak : 0;
  for (let i = 0; i < values.length; i += 1) {
    const share = Math.max(-1, Math.min(1, values[i] * scaled));
    pixels[i] = colours[signed ? 128 + Math.round(share * 127) : Math.round(share * 255)];
  }
}
