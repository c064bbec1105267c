// Heat in memory: points are stamped on a coarse grid and looked up in a colour table.
//
// A cell is 4 px wide. A stamp is a Gaussian around where the point is within its cell, to a
// sixteenth of it, so that the painted place is exact although the grid is coarse.

export const CELL_PX = 4;
const FRACTIONS = 16;
const REACH = 3; // standard deviations

// Gaussians sampled at whole cells, for each fraction of a cell that the middle can be off by; let
// down so that they end in nothing, as an edge would show.
function stamps(deviation) {
  const reach = Math.ceil(deviation * REACH);
  const end = Math.exp(-((reach / deviation) ** 2) / 2);
  const at = (cells) => Math.max(0, (Math.exp(-((cells / deviation) ** 2) / 2) - end) / (1 - end));
  return Array.from({ length: FRACTIONS }, (_, fraction) =>
    Float32Array.from({ length: 2 * reach + 1 }, (__, i) => at(i - reach - fraction / FRACTIONS)));
}

export class Grid {
  constructor(widthPx, heightPx, deviationPx) {
    this.columns = Math.ceil(widthPx / CELL_PX);
    this.rows = Math.ceil(heightPx / CELL_PX);
    this.values = new Float32Array(this.columns * this.rows);
    this.stamps = stamps(deviationPx / CELL_PX);
    this.reach = (this.stamps[0].length - 1) / 2;
    this.clear();
  }

  get isEmpty() {
    return this.last < this.first;
  }

  clear() {
    this.values.fill(0);
    this.first = this.rows;
    this.last = -1;
  }

  // A point at (x, y) px, with `weight` at its middle; what lies outside is cut off.
  add(x, y, weight) {
    const gx = Math.round((x / CELL_PX - 0.5) * FRACTIONS);
    const gy = Math.round((y / CELL_PX - 0.5) * FRACTIONS);
    const across = this.stamps[gx & (FRACTIONS - 1)];
    const down = this.stamps[gy & (FRACTIONS - 1)];
    const left = (gx >> 4) - this.reach;
    const top = (gy >> 4) - this.reach;
    const from = Math.max(0, -left);
    const to = Math.min(across.length, this.columns - left);
    const firstRow = Math.max(0, top);
    const lastRow = Math.min(this.rows - 1, top + down.length - 1);
    if (from >= to || firstRow > lastRow) return;
    const { columns, values } = this;
    for (let row = firstRow; row <= lastRow; row += 1) {
      const heat = weight * down[row - top];
      const start = row * columns + left;
      for (let i = from; i < to; i += 1) values[start + i] += heat * across[i];
    }
    this.first = Math.min(this.first, firstRow);
    this.last = Math.max(this.last, lastRow);
  }

  // Writes colours into `pixels` (one 32-bit word a cell). `peak` gets the table's last colour;
  // the root keeps single points visible beside a crowd. Signed: differences as they are, with zero
  // in the table's middle.
  colour(pixels, table, peak, signed) {
    pixels.fill(0);
    if (this.isEmpty || peak <= 0) return;
    const [zero, span] = signed ? [128, 127] : [0, 255];
    const { columns, values } = this;
    const end = (this.last + 1) * columns;
    for (let i = this.first * columns; i < end; i += 1) {
      const heat = values[i];
      if (heat === 0) continue;
      const share = Math.abs(heat) / peak;
      const step = Math.min(span, ((signed ? share : Math.sqrt(share)) * span) | 0);
      pixels[i] = table[heat > 0 ? zero + step : zero - step];
    }
  }
}
