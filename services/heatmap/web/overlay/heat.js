// What a window of time holds, the same whether it was read as a range or came by the stream.
//
// A picture is {visits, layers, spots, elements, viewMs, reach}: cells by layer, clicks by element,
// milliseconds on screen and page views that got there for each of 200 rows.

export const ROWS = 200;
export const COLUMNS = 64;
export const BUCKET_MS = 5000;
export const LIVE_BUCKETS = 12;
export const POINT_LAYERS = ["move", "click", "rage", "dead"];
export const CLICK_LAYERS = POINT_LAYERS.slice(1);
const CLICK = 1;

const noCells = () => Object.fromEntries(POINT_LAYERS.map((name) => [name, []]));

export const emptyPicture = () => ({
  visits: 0, layers: noCells(), spots: [], elements: {},
  viewMs: new Float64Array(ROWS), reach: new Float64Array(ROWS),
});

export const pictureOf = (answer) => ({
  visits: answer.visits,
  layers: { ...noCells(), ...answer.layers },
  spots: answer.spots,
  elements: answer.elements,
  viewMs: Float64Array.from(answer.view_ms),
  reach: Float64Array.from(answer.reach),
});

// [[edge, step], ...] -> what each row has: the sum of the steps up to it.
function rowsOf(differences) {
  const rows = new Float64Array(ROWS + 1);
  for (const [edge, step] of differences) rows[edge] += step;
  for (let row = 1; row < ROWS; row += 1) rows[row] += rows[row - 1];
  return rows.subarray(0, ROWS);
}

// The last minute, kept by buckets of five seconds as the stream adds to them.
export class LiveWindow {
  #parts = new Map();
  #elements = {};
  #serverMs = 0;
  #heardAt = performance.now();

  replace({ t, buckets, elements }) {
    this.#parts.clear();
    this.#elements = {};
    this.add({ t, buckets, elements });
  }

  // Takes the news in and gives the clicks among them, [[layer, element, p, q, cell, n], ...].
  add({ t, buckets = {}, elements = {} }) {
    this.#serverMs = t;
    this.#heardAt = performance.now();
    Object.assign(this.#elements, elements);
    for (const [bucket, part] of Object.entries(buckets)) {
      const known = this.#parts.get(Number(bucket));
      if (known) known.push(part);
      else this.#parts.set(Number(bucket), [part]);
    }
    return Object.values(buckets).flatMap((part) => part.spots ?? []).filter(([layer]) => layer === CLICK);
  }

  // The time by the server's clock.
  now() {
    return this.#serverMs ? this.#serverMs + performance.now() - this.#heardAt : Date.now();
  }

  // Drops what is older than the window; true when there was something to drop.
  slide() {
    const oldest = Math.floor(this.now() / BUCKET_MS) - LIVE_BUCKETS + 1;
    const gone = [...this.#parts.keys()].filter((bucket) => bucket < oldest);
    for (const bucket of gone) this.#parts.delete(bucket);
    return gone.length > 0;
  }

  selector(element) {
    return this.#elements[element];
  }

  picture() {
    this.slide();
    const parts = [...this.#parts.values()].flat();
    const all = (pick) => parts.flatMap((part) => pick(part) ?? []);
    return {
      visits: parts.reduce((sum, part) => sum + (part.visits ?? 0), 0),
      layers: Object.fromEntries(POINT_LAYERS.map((name) => [name, all((part) => part.layers?.[name])])),
      spots: all((part) => part.spots),
      elements: this.#elements,
      viewMs: rowsOf(all((part) => part.view)),
      reach: rowsOf(all((part) => part.reach)),
    };
  }
}

export const clicksIn = ({ buckets = {} }) => Object.values(buckets).reduce(
  (sum, part) => (part.layers?.click ?? []).reduce((its, [, n]) => its + n, sum), 0);

export const countOf = (picture, name) => picture.layers[name].reduce((sum, [, n]) => sum + n, 0);

// What is to be painted of a layer of clicks: by element, and cells for what no spot accounts for
// (places that were cut off from the list of spots).
export function marksOf(picture, name, weight = 1) {
  const layer = POINT_LAYERS.indexOf(name);
  const left = new Map();
  for (const [cell, n] of picture.layers[name]) left.set(cell, (left.get(cell) ?? 0) + n);
  const marks = [];
  for (const [its, element, p, q, cell, n] of picture.spots) {
    if (its !== layer) continue;
    left.set(cell, (left.get(cell) ?? 0) - n);
    marks.push({ selector: picture.elements[element] ?? null, p, q, cell, weight: n * weight });
  }
  for (const [cell, n] of left) {
    if (n > 0) marks.push({ selector: null, p: 0, q: 0, cell, weight: n * weight });
  }
  return marks;
}

export const hottest = (rows) => rows.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// The share of visits that reached each row, 0..1 and falling.
export function shares({ reach, visits }) {
  const of = Math.max(visits, reach[0], 1);
  let least = 1;
  return reach.map((n) => { least = Math.min(least, n / of); return least; });
}

// The first row that fewer than `share` of the visits reached; null when that is none of them.
export function foldRow(picture, share) {
  if (!picture.visits) return null;
  const row = shares(picture).findIndex((its) => its < share);
  return row < 0 ? null : row;
}

// A layer by cell, as roots, so that a few stay visible beside many; against `b` the difference of
// what there is per visit, as it is.
export function cellsOf(a, b, name) {
  const cells = new Float64Array(COLUMNS * ROWS);
  const add = (picture, weight) => {
    for (const [cell, n] of picture.layers[name]) cells[cell] += n * weight;
  };
  if (b) {
    add(a, -1 / Math.max(a.visits, 1));
    add(b, 1 / Math.max(b.visits, 1));
    return cells;
  }
  add(a, 1);
  return cells.map(Math.sqrt);
}

// Each cell shares with its neighbours, as 1:2:1 across and down.
export function smooth(cells) {
  const passed = (from, step, isEdge) => from.map((n, i) =>
    (2 * n + (isEdge(i, -1) ? 0 : from[i - step]) + (isEdge(i, 1) ? 0 : from[i + step])) / 4);
  const across = passed(cells, 1, (i, side) => (i + side + COLUMNS) % COLUMNS === (side < 0 ? COLUMNS - 1 : 0));
  return passed(across, COLUMNS, (i, side) => i + side * COLUMNS < 0 || i + side * COLUMNS >= cells.length);
}

// How much more each row was seen in `b` than in `a`, in milliseconds per visit.
export function difference(a, b) {
  const perA = 1 / Math.max(a.visits, 1);
  const perB = 1 / Math.max(b.visits, 1);
  return a.viewMs.map((ms, row) => b.viewMs[row] * perB - ms * perA);
}
