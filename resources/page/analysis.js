// Eigenvalues, minima, periods, and orbits over the step size.

function hessianAt(w, c) {
  const n = w.length, u = new Float64Array(n), h = new Float64Array(n), made = [];
  for (let j = 0; j < n; j += 1) {
    u.fill(0);
    u[j] = 1;
    curve(w, c, u, h);
    made.push(Array.from(h));
  }
  for (let i = 0; i < n; i += 1) for (let j = 0; j < i; j += 1) made[i][j] = made[j][i] = 0.5 * (made[i][j] + made[j][i]);
  return made;
}

// Eigenvalues of a symmetric matrix, ascending, by Jacobi's rotations.
function eigenvalues(matrix) {
  const a = matrix.map((row) => row.slice()), n = a.length;
  for (let sweep = 0; sweep < 60; sweep += 1) {
    let off = 0, all = 0;
    for (let i = 0; i < n; i += 1) for (let j = 0; j < n; j += 1) {
      all += a[i][j] ** 2;
      if (i !== j) off += a[i][j] ** 2;
    }
    if (!(off > 1e-30 * all)) break;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) {
      if (a[p][q] === 0) continue;
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const t = (theta >= 0 ? 1 : -1) / (abs(theta) + sqrt(theta * theta + 1));
      const c = 1 / sqrt(t * t + 1), s = t * c;
      for (let k = 0; k < n; k += 1) {
        const x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
      }
      for (let k = 0; k < n; k += 1) {
        const x = a[p][k], y = a[q][k];
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
      }
    }
  }
  return a.map((row, i) => row[i]).sort((x, y) => x - y);
}

function solved(matrix, right) {
  const n = right.length, a = matrix.map((row, i) => [...row, right[i]]);
  for (let i = 0; i < n; i += 1) {
    let best = i;
    for (let j = i + 1; j < n; j += 1) if (abs(a[j][i]) > abs(a[best][i])) best = j;
    if (!(abs(a[best][i]) > 0)) return null;
    [a[i], a[best]] = [a[best], a[i]];
    for (let j = i + 1; j < n; j += 1) {
      const f = a[j][i] / a[i][i];
      for (let k = i; k <= n; k += 1) a[j][k] -= f * a[i][k];
    }
  }
  const x = new Array(n);
  for (let i = n - 1; i >= 0; i -= 1) {
    let sum = a[i][n];
    for (let k = i + 1; k < n; k += 1) sum -= a[i][k] * x[k];
    x[i] = sum / a[i][i];
  }
  return x;
}

// Whether the loss is nowhere less than at w along the directions in which it curves least: so it
// is on a manifold of minima, not where a flat direction leads on downhill.
function isLeast(w, value, h, size, c) {
  const n = w.length, at = new Float64Array(n), slope = new Float64Array(n), scale = max(1, length(w));
  const shifted = h.map((row, i) => row.map((x, j) => x + (i === j ? 1e-6 * size : 0)));
  for (let k = 0; k < n; k += 1) {
    const v = solved(shifted, h.map((row, i) => (i === k ? 1 : 0)));
    if (!v) return false;
    for (const far of [-1e-2, -1e-3, 1e-3, 1e-2]) {
      for (let i = 0; i < n; i += 1) at[i] = w[i] + (far * scale * v[i]) / length(v);
      if (!(gradient(at, c, slope) >= value - 1e-14 * (abs(value) + size * scale * scale))) return false;
    }
  }
  return true;
}

// A minimum downhill from a point (Levenberg and Marquardt), with its largest curvature as the
// optimiser sees it; null where none is found.
function minimumNear(point, c, scales) {
  const n = point.length, g = new Float64Array(n), trial = new Float64Array(n), slope = new Float64Array(n);
  let w = Float64Array.from(point), value = gradient(w, c, g), damping = 1e-3;
  for (let turn = 0; turn < 200; turn += 1) {
    const h = hessianAt(w, c), size = max(...h.map((row) => max(...row.map(abs))), 1e-300);
    if (!(size < Infinity) || !Number.isFinite(value)) return null;
    if (length(g) <= 1e-10 * size * max(1, length(w))) {
      const scaled = h.map((row, i) => row.map((x, j) => x * sqrt((scales[i] ?? 1) * (scales[j] ?? 1))));
      const found = eigenvalues(scaled), top = found[n - 1];
      if (!(top > 1e-9 && found[0] >= -1e-7 * top)) return null;
      return found[0] > 1e-3 * top || isLeast(w, value, h, size, c) ? { w, value, sharpness: top } : null;
    }
    const step = solved(h.map((row, i) => row.map((x, j) => x + (i === j ? damping * size : 0))), Array.from(g));
    let better = false;
    if (step) {
      for (let i = 0; i < n; i += 1) trial[i] = w[i] - step[i];
      const after = gradient(trial, c, slope);
      // Near a minimum the loss is constant to rounding, and the gradient decides.
      better = after < value || (after <= value + 1e-15 * abs(value) && length(slope) < length(g));
      if (better) {
        w = Float64Array.from(trial);
        g.set(slope);
        value = after;
      }
    }
    damping = better ? max(damping * 0.2, 1e-14) : damping * 5;
    if (damping > 1e12) return null;
  }
  return null;
}

const MOST_PERIOD = 64, SAME = 1e-9;

// The least period with which the last points repeat to SAME; 0 where there is none up to 64.
function periodOf(record) {
  const { n, w, made } = record;
  for (let p = 1; p <= MOST_PERIOD; p += 1) {
    const checked = max(2 * p, 32);
    if (checked + p > made) return 0;
    let same = true;
    for (let back = p; same && back < checked + p; back += 1) {
      for (let i = 0; i < n; i += 1) { // compared with the last lap, so that no slow drift adds up
        const x = w[(made - (back % p)) * n + i], y = w[(made - back) * n + i];
        if (!(abs(x - y) <= SAME * max(1, abs(x)))) same = false;
      }
    }
    if (same) return p;
  }
  return 0;
}

// Milliseconds that a step takes, about; what is computed beside the run is cut to a budget.
const COST = 3e-5 * (OPERATIONS + 20);
const cut = (steps, budget) => min(1, budget / (steps * COST));

// Orbits for many step sizes, made in slices so that the page stays at hand.
class Orbits {
  constructor(changed) {
    this.changed = changed;
    this.timer = 0;
  }

  // setupAt(delta) is a run's setup, shown(w, loss) the number that is drawn.
  begin({ setupAt, shown, reach, least, columns, rows }) {
    clearTimeout(this.timer);
    const few = cut(columns * 1300, 8000), narrow = max(sqrt(few), 0.3), left = min(few / narrow, 1);
    columns = Math.round(columns * narrow);
    Object.assign(this, { setupAt, shown, columns, rows });
    Object.assign(this, { transient: Math.round(max(1000 * left, 60)), kept: Math.round(max(300 * left, 40)) });
    const scouts = 160, share = cut(scouts * 700, 300), bounded = [];
    const before = Math.round(max(600 * share, 30)), after = Math.round(max(100 * share, 10));
    let low = Infinity, high = -Infinity, kept = 0;
    const ranges = [];
    for (let i = 1; i <= scouts; i += 1) {
      const points = this.orbit((reach * i) / scouts, before, after);
      bounded.push(points.length > 0);
      ranges.push(points);
    }
    let end = reach / scouts, fine = 0;
    bounded.forEach((each, i) => {
      fine += each;
      if (each && fine >= 0.8 * (i + 1)) end = (reach * min(i + 2, scouts)) / scouts;
    });
    end = max(end, least);
    ranges.forEach((points, i) => {
      if ((reach * (i + 1)) / scouts > end) return;
      for (const y of points) { low = min(low, y); high = max(high, y); kept += 1; }
    });
    if (!kept) { low = -1; high = 1; }
    const pad = 0.06 * (high - low) || 0.5 * max(abs(high), 1e-3);
    Object.assign(this, { end, low: low - pad, high: high + pad });
    this.counts = new Uint16Array(columns * rows);
    this.most = 1;
    this.next = 0;
    this.slice();
  }

  orbit(delta, transient, kept) {
    const run = new Run(this.setupAt(delta));
    for (let k = 0; k < transient; k += 1) if (!run.step()) return [];
    const made = [];
    for (let k = 0; k < kept; k += 1) {
      if (!run.step()) return [];
      made.push(this.shown(run.w, run.loss));
    }
    const half = kept >> 1, size = (list) => list.reduce((most, y) => max(most, abs(y)), 0);
    return size(made.slice(half)) > 1.2 * size(made.slice(0, half)) ? [] : made; // on its way out
  }

  get share() { return this.next / this.columns; }

  slice() {
    const begin = performance.now();
    while (this.next < this.columns && performance.now() - begin < 12) {
      const column = this.next;
      this.next += 1;
      const points = this.orbit(((column + 0.5) / this.columns) * this.end, this.transient, this.kept);
      for (const y of points) {
        const row = Math.floor(((this.high - y) / (this.high - this.low)) * this.rows);
        if (row < 0 || row >= this.rows) continue;
        const place = row * this.columns + column;
        this.counts[place] += 1;
        this.most = max(this.most, this.counts[place]);
      }
    }
    this.changed();
    if (this.next < this.columns) this.timer = setTimeout(() => this.slice(), 0);
  }
}
