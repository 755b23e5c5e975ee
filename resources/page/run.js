// A run: steps of the optimiser from the start, as the program makes them.
const HUGE = 1e300;

function length(x) {
  let top = 0, total = 0;
  for (let i = 0; i < x.length; i += 1) { total += x[i]; top = max(top, abs(x[i])); }
  if (total !== total || top === 0 || top === Infinity) return total === total ? top : total;
  total = 0;
  for (let i = 0; i < x.length; i += 1) { const y = x[i] / top; total += y * y; }
  return top * sqrt(total);
}

class Run {
  constructor(setup) { this.load(setup); }

  load({ start, constants, numbers, limit }) {
    const n = start.length;
    Object.assign(this, { n, c: constants, p: numbers, limit, k: 0, ended: false });
    this.w = Float64Array.from(start);
    this.m = new Float64Array(2 * n);
    this.g = new Float64Array(n);
    this.ahead = new Float64Array(n);
    this.q = new Float64Array(n);
    this.old = new Float64Array(n);
    this.loss = gradient(this.w, this.c, this.g);
    this.size = length(this.g);
  }

  // Makes a step; returns whether the run goes on. Where it does not, the last point is kept.
  step() {
    if (this.ended) return false;
    const { w, m, g, p, q, n, k } = this;
    const size = stepSize(k, this.loss, this.size, p);
    let slope = g;
    if (LOOKS_AHEAD) {
      lookAhead(w, m, g, this.size, p, q);
      gradient(q, this.c, this.ahead);
      slope = this.ahead;
    }
    this.old.set(w);
    move(k, size, w, m, slope, p);
    const loss = gradient(w, this.c, g), norm = length(g);
    let fine = abs(loss) <= HUGE && norm <= HUGE;
    for (let i = 0; i < n; i += 1) fine = fine && abs(w[i]) <= this.limit;
    if (!fine || (MOST_PRODUCT && !(abs(product(w)) <= MOST_PRODUCT))) {
      this.ended = true;
      w.set(this.old);
      this.loss = gradient(w, this.c, g);
      this.size = length(g);
      return false;
    }
    this.loss = loss;
    this.size = norm;
    this.k += 1;
    return true;
  }
}

// The product of all weights of the scalar network, of which each variable stands for some.
function product(w) {
  let made = SIGN;
  for (let i = 0; i < w.length; i += 1) for (let j = 0; j < POWERS[i]; j += 1) made *= w[i];
  return made;
}

// The weights after every step up to so many, with loss and gradient norm.
function recorded(setup, steps) {
  const run = new Run(setup), n = run.n;
  const w = new Float64Array((steps + 1) * n), loss = new Float64Array(steps + 1);
  const size = new Float64Array(steps + 1);
  let made = 0;
  for (;;) {
    w.set(run.w, made * n);
    loss[made] = run.loss;
    size[made] = run.size;
    if (made === steps || !run.step()) break;
    made += 1;
  }
  const at = (k) => w.subarray(k * n, (k + 1) * n);
  return { n, w, loss, size, made, ended: run.ended, at };
}
