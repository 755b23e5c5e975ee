// The page: its settings, what is computed of them, and the plots.
const DATA = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const N = DATA.start.length, SCALAR = POWERS.length > 0;
const NAMES = DATA.variables.map((each) => each.text);
const infinite = (list) => Float64Array.from(list, (x) => (x === null ? Infinity : x));
const first = () => ({ start: Float64Array.from(DATA.start), constants: Float64Array.from(DATA.constants), numbers: infinite(DATA.numbers) });
const state = { ...first(), steps: DATA.steps, at: DATA.steps, playing: false, shown: SCALAR && N > 1 ? N : 0, axes: [0, 1] };
const setup = () => ({ ...state, limit: DATA.limit });
const setupAt = (delta) => {
  const numbers = Float64Array.from(state.numbers);
  numbers[0] = delta;
  return { ...state, numbers, limit: DATA.limit };
};
let record, critical = null, errors = null;

// theory

const momentum = () => state.numbers[1];

// The largest stable step size times curvature, where the optimiser has one.
function limitOf() {
  if (!DATA.smooth) return NaN;
  const beta = momentum();
  return { 'gradient-descent': 2, 'heavy-ball': 2 * (1 + beta), nesterov: (2 * (1 + beta)) / (1 + 2 * beta) }[DATA.method];
}

// The largest stable step size of the scalar network: that of its flattest minima.
function deltaMax() {
  if (!SCALAR) return NaN;
  const [sigma, target] = state.constants, depth = POWERS.reduce((sum, each) => sum + each, 0);
  const most = limitOf() / (sigma * depth * abs(target) ** ((2 * (depth - 1)) / depth));
  return Number.isFinite(most) ? most : NaN;
}

function findMinimum() {
  critical = null;
  if (!DATA.curved || !DATA.smooth || record.ended) return;
  const count = min(64, record.made + 1), point = new Float64Array(N);
  for (let k = record.made - count + 1; k <= record.made; k += 1) {
    for (let i = 0; i < N; i += 1) point[i] += record.w[k * N + i] / count;
  }
  const found = minimumNear(point, state.constants, DATA.scales);
  if (found) critical = { ...found, delta: limitOf() / found.sharpness };
}

// Step sizes with a name, of what is known at the present constants and momentum.
function marks() {
  const made = [], most = deltaMax();
  if (most > 0) {
    made.push({ x: most, text: 'δ_max', colour: 'bound' });
    if (state.constants[1] > 0 && state.start[0] > 0) {
      for (const each of DATA.marks) {
        if (each.momentum !== undefined && each.momentum !== momentum()) continue;
        made.push({ x: each.x * most, text: each.text, colour: 'muted', dash: [2, 4], width: 1 });
      }
    }
  }
  if (critical && !(abs(critical.delta - most) <= 1e-6 * most)) made.push({ x: critical.delta, text: 'δ*', colour: 'bound' });
  return made;
}

// controls

const controls = [];

function addControl(parent, spec) {
  const row = document.createElement('div');
  row.className = spec.text.length > 4 ? 'slider wide' : 'slider';
  const label = document.createElement('label'), range = document.createElement('input'), box = document.createElement('input');
  label.innerHTML = spec.html; // typeset by the program, escaped there
  label.htmlFor = `range-${controls.length}`;
  Object.assign(range, { type: 'range', min: 0, max: 1000, step: 1, id: label.htmlFor });
  Object.assign(box, { type: 'text', inputMode: 'decimal', autocomplete: 'off', spellcheck: false });
  range.setAttribute('aria-label', spec.text);
  box.setAttribute('aria-label', `${spec.text}, a number`);
  row.append(label, range, box);
  parent.append(row);
  const control = { spec, range, box, low: spec.low, high: spec.high };
  const isDelta = spec.number === 0;
  if (isDelta) Object.assign(control, { low: 0, high: 2 * spec.value });
  const log = spec.log && !isDelta;
  control.get = () => (spec.number !== undefined ? state.numbers[spec.number] : spec.constant !== undefined ? state.constants[spec.constant] : state.start[spec.variables[0]]);
  control.put = (value) => {
    const fine = min(max(value, spec.least ?? -Infinity), spec.most ?? Infinity);
    if (spec.number !== undefined) state.numbers[spec.number] = fine;
    else if (spec.constant !== undefined) state.constants[spec.constant] = fine;
    else for (const i of spec.variables) state.start[i] = fine;
  };
  control.show = () => {
    const value = control.get();
    const share = log ? Math.log(value / control.low) / Math.log(control.high / control.low) : (value - control.low) / (control.high - control.low);
    range.value = String(Math.round(1000 * share));
    range.setAttribute('aria-valuetext', short(value));
    if (document.activeElement !== box) box.value = String(Number(value.toPrecision(8)));
    box.removeAttribute('aria-invalid');
  };
  range.addEventListener('input', () => {
    const share = Number(range.value) / 1000;
    const value = log ? control.low * (control.high / control.low) ** share : control.low + share * (control.high - control.low);
    control.put(isDelta && share === 0 ? control.high / 1000 : Number(value.toPrecision(6)));
    changed(isDelta);
  });
  const typed = () => {
    const value = Number(box.value.trim().replace('−', '-').replace(',', '.'));
    const allowed = box.value.trim() !== '' && Number.isFinite(value) && value >= (spec.least ?? -Infinity) && value <= (spec.most ?? Infinity);
    if (!allowed) { box.setAttribute('aria-invalid', 'true'); return; }
    control.put(value);
    if (!isDelta && !log) Object.assign(control, { low: min(control.low, value), high: max(control.high, value) });
    changed(isDelta);
  };
  box.addEventListener('change', typed);
  box.addEventListener('keydown', (event) => { if (event.key === 'Enter') typed(); });
  box.addEventListener('blur', () => control.show());
  controls.push(control);
  return control;
}

for (const spec of DATA.controls) addControl(byId(spec.group === 'start' && DATA.controls.length > 4 ? 'starts' : 'sliders'), spec);
byId('more').hidden = !byId('starts').children.length;
const deltaControl = controls.find((each) => each.spec.number === 0);

// plots

const place = byId('plots');
const orbitPlot = DATA.constantStep && deltaControl ? new Plot(place, { title: 'Orbit diagram', kind: 'across tall', x: 'δ', y: '', describe: 'Where runs settle, for every step size. Arrow keys change the step size.' }) : null;
const weightPlot = new Plot(place, { title: 'Trajectory', x: 'step k', y: N === 1 ? NAMES[0] : 'weights', describe: 'Variables along the steps.' });
const errorPlot = new Plot(place, { title: SCALAR ? 'Error' : 'Loss', x: 'step k', y: SCALAR ? '|∏w − λ|' : 'f(w[k])', describe: SCALAR ? 'Magnitude of the error along the steps.' : 'Loss along the steps.' });
const cobwebPlot = N === 1 && DATA.memoryless ? new Plot(place, { title: 'Cobweb', kind: 'tall', x: `${NAMES[0]}[k]`, y: `${NAMES[0]}[k+1]`, describe: 'The map of one step, and the run between it and the diagonal.' }) : null;
const planePlot = new Plot(place, N === 1 ? { title: 'Loss', kind: cobwebPlot ? 'tall' : 'across tall', x: NAMES[0], y: 'f', describe: 'The loss, and the points of the run on it.' } : { title: 'Level sets and path', kind: 'across tall', x: NAMES[0], y: NAMES[1], describe: 'Level sets of the loss with the path of the run; its start can be dragged.' });

const SHOWN = [...NAMES, ...(SCALAR && N > 1 ? ['∏w'] : []), 'f'];
const shownOf = (w, loss) => (state.shown < N ? w[state.shown] : SCALAR && N > 1 && state.shown === N ? product(w) : loss);

function choice(plot, text, options, value, put) {
  const label = document.createElement('label'), select = document.createElement('select');
  label.append(`${text} `, select);
  options.forEach((name, i) => select.append(new Option(name, String(i))));
  select.value = String(value);
  select.addEventListener('change', () => put(Number(select.value)));
  plot.caption.append(label);
}

let orbits = null, orbitImage = null;
if (orbitPlot) {
  orbits = new Orbits(() => { paintOrbits(); orbitPlot.draw(); });
  choice(orbitPlot, 'of', SHOWN, state.shown, (i) => { state.shown = i; changed(false); });
  orbitPlot.paint = (ctx, plot) => {
    if (orbitImage) {
      ctx.drawImage(orbitImage, plot.left, plot.top, plot.width, plot.height);
    }
  };
  orbitPlot.over = (ctx, plot) => {
    plot.rules(ctx, [...marks(), { x: state.numbers[0], text: `δ = ${short(state.numbers[0], 5)}`, colour: 'series-2', dash: [], width: 2 }]);
    const k = min(state.at, record.made);
    plot.dot(ctx, state.numbers[0], shownOf(record.at(k), record.loss[k]), 'series-2');
  };
  const set = (event) => {
    const [x] = orbitPlot.place(event), value = orbitPlot.valueX(x);
    deltaControl.put(Number(max(value, orbits.end / 2000).toPrecision(5)));
    changed(true);
  };
  orbitPlot.canvas.addEventListener('pointerdown', (event) => {
    orbitPlot.canvas.setPointerCapture(event.pointerId);
    orbitPlot.dragged = true;
    set(event);
  });
  orbitPlot.canvas.addEventListener('pointermove', (event) => { if (orbitPlot.dragged) set(event); });
  for (const name of ['pointerup', 'pointercancel']) orbitPlot.canvas.addEventListener(name, () => { orbitPlot.dragged = false; });
  orbitPlot.canvas.addEventListener('keydown', (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!way) return;
    event.preventDefault();
    const step = orbits.end / (event.shiftKey ? 5000 : 500);
    deltaControl.put(Number(max(state.numbers[0] + way * step, step).toPrecision(6)));
    changed(true);
  });
  orbitPlot.onHover = (x, y) => {
    if (x < 0 || x > orbits.end) return '';
    orbitPlot.mark = [x, y];
    return `δ = ${short(x, 5)}, ${SHOWN[state.shown]} = ${short(y, 5)}`;
  };
}

function paintOrbits() {
  const { columns, rows, counts, most } = orbits;
  orbitImage ??= document.createElement('canvas');
  if (orbitImage.width !== columns || orbitImage.height !== rows) Object.assign(orbitImage, { width: columns, height: rows });
  const ctx = orbitImage.getContext('2d'), image = ctx.createImageData(columns, rows);
  const [r, g, b] = rgb(colourOf('series-1')), scale = Math.log(max(most, 2) + 1);
  for (let i = 0; i < counts.length; i += 1) {
    const count = max(counts[i], counts[i - columns] ?? 0); // two rows, or a branch falls between pixels
    if (count) image.data.set([r, g, b, Math.round(255 * (0.3 + 0.7 * (Math.log(count + 1) / scale)))], 4 * i);
  }
  ctx.putImageData(image, 0, 0);
  orbitPlot.ends = [0, orbits.end, orbits.low, orbits.high];
  Object.assign(deltaControl, { low: 0, high: orbits.end });
  deltaControl.show();
  orbitPlot.say(orbits.share < 1 ? `computing, ${Math.round(100 * orbits.share)} %` : `Every column: ${orbits.kept} points of a run after ${orbits.transient} steps from the start above; empty where it diverges.`);
}

function rgb(text) {
  const n = parseInt(text.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

const SHADES = (i) => `series-${(i % 8) + 1}`;

function rangeOf(values, pad = 0.06) {
  let low = Infinity, high = -Infinity;
  for (const x of values) if (Number.isFinite(x)) { low = min(low, x); high = max(high, x); }
  if (!(low <= high)) return [0, 1];
  const room = pad * (high - low) || 0.5 * max(abs(high), 1e-9);
  return [low - room, high + room];
}

// An axis holds a run that diverges only as far as SPAN times what its first half has.
function heldRange(values, made, ended) {
  const [low, high] = rangeOf(values);
  if (!ended || made < 4) return [low, high];
  const [a, b] = rangeOf(values.slice(0, Math.ceil(values.length / 2)));
  const span = 3 * (b - a);
  return [max(low, a - span), min(high, b + span)];
}

const errorAt = (k) => (SCALAR ? abs(product(record.at(k)) - state.constants[1]) : record.loss[k]);

function layOutRun() {
  const count = record.made + 1, x = [0, max(record.made, 1)];
  weightPlot.ends = [...x, ...heldRange(record.w.subarray(0, count * N), record.made, record.ended)];
  errors = Array.from({ length: count }, (_, k) => errorAt(k));
  const positive = errors.filter((e) => e > 0 && Number.isFinite(e));
  errorPlot.logY = errors.every((e) => e >= 0) && positive.length > 1 && max(...positive) > 5 * min(...positive);
  if (errorPlot.logY) {
    const top = heldRange(positive.map(Math.log10), record.made, record.ended)[1];
    const bottom = max(min(...positive.map(Math.log10)), top - 18);
    errorPlot.ends = [...x, bottom - 0.3, top + 0.3];
  } else errorPlot.ends = [...x, ...heldRange(errors, record.made, record.ended)];
  weightPlot.legend(N <= 8 ? NAMES.map((name, i) => [SHADES(i), name]) : [['series-1', `${N} variables`]]);
  layOutPlane();
  if (cobwebPlot) layOutCobweb();
}

weightPlot.paint = (ctx, plot) => {
  for (let i = 0; i < N; i += 1) {
    plot.line(ctx, record.made + 1, (k) => k, (k) => record.w[k * N + i], SHADES(i));
    if (record.made <= 80) for (let k = 0; k <= record.made; k += 1) plot.dot(ctx, k, record.w[k * N + i], SHADES(i), 2, false);
  }
};
weightPlot.over = (ctx, plot) => {
  const k = min(state.at, record.made);
  for (let i = 0; i < N; i += 1) plot.dot(ctx, k, record.w[k * N + i], SHADES(i), 4.5);
};
weightPlot.onHover = (x) => {
  const k = min(max(Math.round(x), 0), record.made);
  weightPlot.mark = [k, record.w[k * N]];
  return `k = ${k}: ${NAMES.slice(0, 6).map((name, i) => `${name} = ${short(record.w[k * N + i])}`).join(', ')}${N > 6 ? ', …' : ''}`;
};
errorPlot.paint = (ctx, plot) => {
  plot.line(ctx, record.made + 1, (k) => k, (k) => errors[k], 'series-1');
};
errorPlot.over = (ctx, plot) => {
  const k = min(state.at, record.made);
  plot.dot(ctx, k, errors[k], 'series-1', 4.5);
};
errorPlot.onHover = (x) => {
  const k = min(max(Math.round(x), 0), record.made);
  errorPlot.mark = [k, errors[k]];
  return `k = ${k}: ${SCALAR ? '|error|' : 'loss'} = ${short(errors[k])}, |gradient| = ${short(record.size[k], 4)}`;
};
for (const plot of [weightPlot, errorPlot, planePlot, cobwebPlot].filter(Boolean)) {
  plot.canvas.addEventListener('keydown', (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 }[event.key];
    if (!way) return;
    event.preventDefault();
    goTo(state.at + way);
  });
}

// the map of one step

let mapPoints = [];
function layOutCobweb() {
  const [low, high] = heldRange(record.w.subarray(0, record.made + 1), record.made, record.ended);
  const count = 400, base = setup();
  mapPoints = [];
  for (let i = 0; i <= count; i += 1) {
    const w = low + ((high - low) * i) / count, run = new Run({ ...base, start: [w], limit: Infinity });
    const fine = run.step();
    mapPoints.push([w, fine ? run.w[0] : NaN]);
  }
  cobwebPlot.ends = [low, high, low, high];
  cobwebPlot.legend([['series-1', 'map of a step'], ['muted', 'diagonal', 'dash'], ['series-2', 'run']]);
}
if (cobwebPlot) {
  cobwebPlot.paint = (ctx, plot) => {
    const [low, high] = plot.ends;
    plot.line(ctx, 2, (i) => [low, high][i], (i) => [low, high][i], 'muted', 1.2, [5, 4]);
    plot.line(ctx, mapPoints.length, (i) => mapPoints[i][0], (i) => mapPoints[i][1], 'series-1', 2);
    const last = min(state.at, record.made), from = max(0, last - 400);
    const x = (i) => record.w[from + (i >> 1)], y = (i) => (i === 0 && from === 0 ? low : record.w[from + ((i + 1) >> 1)]);
    ctx.globalAlpha = 0.75;
    plot.line(ctx, 2 * (last - from) + 1, x, y, 'series-2', 1.1);
    ctx.globalAlpha = 1;
    if (last > 0) plot.dot(ctx, record.w[last - 1], record.w[last], 'series-2', 4.5);
  };
  cobwebPlot.onHover = (x) => {
    const i = Math.round(((x - cobwebPlot.ends[0]) / (cobwebPlot.ends[1] - cobwebPlot.ends[0])) * 400);
    if (!mapPoints[i]) return '';
    cobwebPlot.mark = mapPoints[i];
    return `${NAMES[0]} = ${short(mapPoints[i][0], 5)} goes to ${short(mapPoints[i][1], 5)}`;
  };
}

// the loss over one variable, or its level sets over two

let lossPoints = [], levels = null, held = null;

function layOutPlane() {
  const [i, j] = state.axes, count = record.made + 1, axis = (n) => Array.from({ length: count }, (_, k) => record.w[k * N + n]);
  const wide = (values) => {
    const [low, high] = heldRange(values, record.made, record.ended), extra = 0.35 * (high - low);
    return [low - extra, high + extra];
  };
  if (N === 1) {
    const [low, high] = wide(axis(0)), g = new Float64Array(1);
    lossPoints = Array.from({ length: 401 }, (_, n) => {
      const w = low + ((high - low) * n) / 400;
      return [w, gradient([w], state.constants, g)];
    });
    planePlot.ends = [low, high, ...heldRange([...lossPoints.map((p) => p[1])], 0, false)];
    planePlot.legend([['series-1', 'f'], ['series-2', 'run', 'dot']]);
    return;
  }
  planePlot.ends = [...wide(axis(i)), ...wide(axis(j))];
  Object.assign(planePlot, { xName: NAMES[i], yName: NAMES[j] });
  planePlot.legend([['series-2', 'path'], ['good', 'start', 'dot']]);
  levels = null;
  if (N === 2) makeLevels();
}

const BANDS = 16;
function makeLevels() {
  const [i, j] = state.axes, [x0, x1, y0, y1] = planePlot.ends;
  const cells = Math.round(max(30, 220 * sqrt(cut(220 * 220, 120))));
  const w = Float64Array.from(record.at(min(state.at, record.made))), g = new Float64Array(N), values = new Float64Array(cells * cells);
  let low = Infinity;
  for (let b = 0; b < cells; b += 1) for (let a = 0; a < cells; a += 1) {
    w[i] = x0 + ((a + 0.5) / cells) * (x1 - x0);
    w[j] = y1 - ((b + 0.5) / cells) * (y1 - y0);
    const f = gradient(w, state.constants, g);
    values[b * cells + a] = f;
    if (f < low) low = f;
  }
  const sorted = Array.from(values).filter(Number.isFinite).sort((p, q) => p - q);
  const scale = sorted.length ? max(sorted[Math.floor(sorted.length * 0.02)] - low, 1e-12 * max(1, abs(low))) : 1;
  const top = sorted.length ? Math.log1p((sorted[Math.floor(sorted.length * 0.995)] - low) / scale) : 1;
  const image = document.createElement('canvas');
  Object.assign(image, { width: cells, height: cells });
  const ctx = image.getContext('2d'), pixels = ctx.createImageData(cells, cells), [r, g2, b2] = rgb(colourOf('series-1'));
  for (let n = 0; n < values.length; n += 1) {
    if (!Number.isFinite(values[n])) continue;
    const level = min(Math.floor((Math.log1p((values[n] - low) / scale) / (top || 1)) * BANDS), BANDS - 1);
    pixels.data.set([r, g2, b2, Math.round(8 + 132 * (1 - level / BANDS))], 4 * n);
  }
  ctx.putImageData(pixels, 0, 0);
  levels = { image, at: state.at };
}

planePlot.paint = (ctx, plot) => {
  const last = min(state.at, record.made);
  if (N === 1) {
    plot.line(ctx, lossPoints.length, (i) => lossPoints[i][0], (i) => lossPoints[i][1], 'series-1', 2);
    for (let k = max(0, last - 200); k <= last; k += 1) plot.dot(ctx, record.w[k], record.loss[k], 'series-2', k === last ? 5 : 2.2, k === last);
    return;
  }
  const [i, j] = state.axes;
  if (N > 2 && levels?.at !== state.at && !state.playing) makeLevels();
  if (levels) {
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(levels.image, plot.left, plot.top, plot.width, plot.height);
  }
  plot.line(ctx, last + 1, (k) => record.w[k * N + i], (k) => record.w[k * N + j], 'series-2', 1.4);
  if (last <= 400) for (let k = 0; k <= last; k += 1) plot.dot(ctx, record.w[k * N + i], record.w[k * N + j], 'series-2', 2, false);
  if (critical) cross(ctx, plot, critical.w[i], critical.w[j]);
  plot.dot(ctx, state.start[i], state.start[j], 'good', 6);
  plot.dot(ctx, record.w[last * N + i], record.w[last * N + j], 'series-2', 5);
};

function cross(ctx, plot, x, y) {
  const [px, py] = [plot.X(x), plot.Y(y)];
  ctx.strokeStyle = colourOf('bound');
  ctx.lineWidth = 2;
  ctx.beginPath();
  for (const way of [1, -1]) { ctx.moveTo(px - 5, py - 5 * way); ctx.lineTo(px + 5, py + 5 * way); }
  ctx.stroke();
}

planePlot.onHover = (x, y) => {
  const g = new Float64Array(N);
  if (N === 1) {
    const f = gradient([x], state.constants, g);
    planePlot.mark = [x, f];
    return `${NAMES[0]} = ${short(x, 5)}, f = ${short(f, 5)}`;
  }
  const [i, j] = state.axes, w = Float64Array.from(record.at(min(state.at, record.made)));
  Object.assign(w, { [i]: x, [j]: y });
  planePlot.mark = [x, y];
  return `${NAMES[i]} = ${short(x, 4)}, ${NAMES[j]} = ${short(y, 4)}, f = ${short(gradient(w, state.constants, g), 5)}`;
};
if (N > 2) {
  choice(planePlot, 'over', NAMES, 0, (i) => { state.axes[0] = i; changed(false); });
  choice(planePlot, 'and', NAMES, 1, (i) => { state.axes[1] = i; changed(false); });
}
if (N > 1) {
  const near = (event) => {
    const [x, y] = planePlot.place(event);
    return Math.hypot(x - planePlot.X(state.start[state.axes[0]]), y - planePlot.Y(state.start[state.axes[1]])) < 24;
  };
  const move = (event) => {
    const [x, y] = planePlot.place(event), [i, j] = state.axes;
    state.start[i] = Number(planePlot.valueX(x).toPrecision(4));
    state.start[j] = Number(planePlot.valueY(y).toPrecision(4));
    const ends = planePlot.ends;
    changed(false, true);
    planePlot.ends = ends; // steady while it is dragged
    if (N === 2) makeLevels();
    planePlot.draw();
  };
  planePlot.canvas.addEventListener('touchstart', (event) => { if (near(event.touches[0])) event.preventDefault(); }, { passive: false });
  planePlot.canvas.addEventListener('pointerdown', (event) => {
    if (!near(event)) return;
    planePlot.canvas.setPointerCapture(event.pointerId);
    planePlot.dragged = true;
  });
  planePlot.canvas.addEventListener('pointermove', (event) => { if (planePlot.dragged) move(event); });
  for (const name of ['pointerup', 'pointercancel']) planePlot.canvas.addEventListener(name, () => {
    if (planePlot.dragged) { planePlot.dragged = false; changed(false); }
  });
}

// what is said

function facts() {
  const made = [], { made: k, ended, n } = record;
  if (ended) made.push(`After step ${k} the run diverges: the next point, ${MOST_PRODUCT ? 'its product, ' : ''}its loss or its gradient is not finite, or too large; of weights that is beyond ${short(DATA.limit, 3)}.`);
  else {
    const p = periodOf(record), where = `f = ${short(record.loss[k], 5)}, |gradient| = ${short(record.size[k], 3)}`;
    if (p === 1) made.push(`The last 33 points agree to ${powerOfTen(-9)}: (${Array.from(record.at(k)).slice(0, 4).map((x) => short(x, 5)).join(', ')}${n > 4 ? ', …' : ''}), ${where}.`);
    else if (p > 1) made.push(`The last ${max(2 * p, 32) + p} points repeat with period ${p} to ${powerOfTen(-9)}; ${where} at step ${k}.`);
    else if (k < 33) made.push(`After ${k} steps ${where}.`);
    else made.push(`After ${k} steps the last points show no period up to ${k < 48 ? k - 32 : min(MOST_PERIOD, Math.floor(k / 3))}, to ${powerOfTen(-9)}; ${where}.`);
  }
  const delta = state.numbers[0], most = deltaMax();
  if (most > 0) made.push(`δ_max = ${short(most, 6)}, at the flattest minima; δ = ${short(delta / most, 4)} δ_max. Beyond δ_max no minimum is stable.`);
  if (critical && !(abs(critical.delta - most) <= 1e-6 * most)) made.push(`δ* = ${short(critical.delta, 6)} at the minimum (${Array.from(critical.w).slice(0, 4).map((x) => short(x, 4)).join(', ')}) downhill from the run's last points, where S = ${short(critical.sharpness, 5)}; δ = ${short(delta / critical.delta, 4)} δ*. Beyond δ* it is unstable${DATA.kinks ? ', unless a kink of the loss is there' : ''}.`);
  byId('facts').replaceChildren(...made.map((text) => {
    const line = document.createElement('span');
    text.split(/_(max)/).forEach((part, i) => {
      if (i % 2) line.append(Object.assign(document.createElement('sub'), { textContent: part }));
      else line.append(part);
    });
    return line;
  }));
}

// The first MOST_ROWS points with all their digits, where the reader asks for them.
const MOST_ROWS = 1000;
function tabulate() {
  if (!byId('numbers').open) return;
  const row = (texts, tag) => {
    const made = document.createElement('tr');
    made.append(...texts.map((text) => Object.assign(document.createElement(tag), { textContent: text })));
    return made;
  };
  const rows = [row(['k', ...NAMES, 'f'], 'th')];
  for (let k = 0; k <= min(record.made, MOST_ROWS); k += 1) rows.push(row([k, ...record.at(k), record.loss[k]].map(String), 'td'));
  byId('table').replaceChildren(...rows);
}

// what follows a change

let orbitTimer = 0;

function beginOrbits() {
  if (!orbits) return;
  const known = deltaMax() || critical?.delta, delta = state.numbers[0];
  const reach = known > 0 ? max(8 * known, 1.1 * delta) : 4 * delta;
  const box = orbitPlot.canvas.getBoundingClientRect(), ratio = min(window.devicePixelRatio || 1, 2);
  const columns = Math.round(min(max(box.width * ratio, 200), 1100));
  orbits.begin({ setupAt, shown: shownOf, reach, least: 1.08 * delta, columns, rows: Math.round(min(max(orbitPlot.height * ratio, 120), 700)) });
}

function changed(isDelta, isDragged = false) {
  record = recorded(setup(), state.steps);
  if (!isDelta || state.at > record.made) state.at = isDelta ? state.at : state.steps;
  findMinimum();
  layOutRun();
  controls.forEach((each) => each.show());
  showCursor();
  facts();
  tabulate();
  if (orbits && (!isDelta || state.numbers[0] > orbits.end)) {
    clearTimeout(orbitTimer);
    orbitTimer = setTimeout(beginOrbits, isDragged ? 250 : 60);
  }
  drawAll();
}

function drawAll() {
  for (const plot of [orbitPlot, weightPlot, errorPlot, cobwebPlot, planePlot]) if (plot) plot.draw();
}

function showCursor() {
  const cursor = byId('cursor');
  cursor.max = String(record.made);
  cursor.value = String(min(state.at, record.made));
  byId('at').textContent = `${min(state.at, record.made)} of ${record.made}`;
}

function goTo(k) {
  state.at = min(max(k, 0), record.made);
  showCursor();
  drawAll();
}

function play(on) {
  state.playing = on;
  byId('play').textContent = on ? 'Pause' : 'Play';
  if (!on) { drawAll(); return; }
  if (state.at >= record.made) state.at = 0;
  const begin = performance.now(), from = state.at, pace = max(12, record.made / 20);
  const turn = (now) => {
    if (!state.playing) return;
    goTo(Math.round(from + max((now - begin) / 1000, 0) * pace));
    if (state.at >= record.made) play(false);
    else requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
}

const NOTED = { weights: weightPlot, error: errorPlot, orbit: orbitPlot, cobweb: cobwebPlot, plane: planePlot };
const elsewhere = [];
for (const note of DATA.notes) {
  if (NOTED[note.plot]) NOTED[note.plot].notes.push(note);
  else elsewhere.push(`${note.title} (${short(note.x, 4)}, ${short(note.y, 4)}): ${note.text}`);
}

byId('title').textContent = DATA.title;
byId('summary').textContent = DATA.summary;
byId('remarks').replaceChildren(...[...DATA.remarks, ...elsewhere].map((text) => Object.assign(document.createElement('p'), { textContent: text })));
byId('made').textContent = `Made by ${document.querySelector('meta[name="generator"]').content}.`;
for (const n of [...new Set([50, 100, 200, 500, 1000, 2000, 5000, DATA.steps])].sort((a, b) => a - b)) byId('steps').append(new Option(String(n), String(n)));
byId('steps').value = String(state.steps);
byId('steps').addEventListener('change', () => { state.steps = Number(byId('steps').value); state.at = state.steps; changed(false); });
byId('play').addEventListener('click', () => play(!state.playing));
byId('ahead').addEventListener('click', () => goTo(state.at + 1));
byId('back').addEventListener('click', () => goTo(min(state.at, record.made) - 1));
byId('reset').addEventListener('click', () => { Object.assign(state, first()); changed(false); });
byId('cursor').addEventListener('input', () => goTo(Number(byId('cursor').value)));
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && ['BODY', 'CANVAS', 'MAIN'].includes(event.target.tagName)) { event.preventDefault(); play(!state.playing); }
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (orbits?.counts) paintOrbits(); if (levels) makeLevels(); drawAll(); });
byId('numbers').open = location.hash === '#numbers';
byId('numbers').addEventListener('toggle', tabulate);
changed(false);
