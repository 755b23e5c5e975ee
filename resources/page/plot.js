// Plots on canvases: axes with round ticks, lines, rules with names, a marked point.

const SUPERSCRIPT = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' };
const powerOfTen = (n) => `10${[...String(n)].map((sign) => SUPERSCRIPT[sign]).join('')}`;

function short(value, digits = 6) {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '–';
  if (value === 0) return '0';
  const size = abs(value);
  if (size >= 1e5 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
    return `${String(Number(mantissa)).replace('-', '−')}·${powerOfTen(Number(exponent))}`;
  }
  return String(Number(value.toPrecision(digits))).replace('-', '−');
}

function ticksOf(low, high, most) {
  const raw = (high - low) / max(most, 1), ten = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((x) => x * ten).find((x) => x >= raw * 0.999) ?? ten * 10;
  const made = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) made.push(i * step);
  return made.map((value) => ({ value, text: short(abs(value) < step * 1e-9 ? 0 : value, 5) }));
}

function decadesOf(low, high, most) {
  const first = Math.ceil(low - 1e-9), last = Math.floor(high + 1e-9), made = [];
  if (last - first < 1) return ticksOf(low, high, most).map(({ value }) => ({ value, text: short(10 ** value, 3) }));
  const step = max(1, Math.ceil((last - first) / max(most, 1)));
  for (let i = Math.ceil(first / step) * step; i <= last; i += step) made.push({ value: i, text: powerOfTen(i) });
  return made;
}

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function wrapped(ctx, text, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = lines[lines.length - 1] ? `${lines[lines.length - 1]} ${word}` : word;
    if (ctx.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter((line, i) => line || i);
}

class Plot {
  constructor(parent, { title, kind = '', x, y, describe }) {
    this.figure = document.createElement('figure');
    this.figure.className = kind;
    this.caption = document.createElement('figcaption');
    const name = document.createElement('b');
    name.textContent = title;
    this.keys = document.createElement('span');
    this.keys.className = 'keys';
    this.keys.style.display = 'contents';
    this.caption.append(name, this.keys);
    this.canvas = document.createElement('canvas');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', describe);
    this.readout = document.createElement('p');
    this.readout.className = 'readout';
    this.figure.append(this.caption, this.canvas, this.readout);
    parent.append(this.figure);
    Object.assign(this, { xName: x, yName: y, logY: false, notes: [], paint: () => {}, ends: [0, 1, 0, 1] });
    this.context = this.canvas.getContext('2d');
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.canvas.addEventListener('pointermove', (event) => this.hover(event));
    this.canvas.addEventListener('pointerleave', () => this.leave());
    this.onHover = () => '';
    this.mark = null;
  }

  // entries: [colour, text, '' | 'dash' | 'dot'] each.
  legend(entries) {
    this.keys.replaceChildren(...entries.map(([colour, text, look = '']) => {
      const key = document.createElement('span');
      key.className = `key ${look}`;
      key.style.setProperty('--of', `var(--${colour})`);
      key.textContent = text;
      return key;
    }));
  }

  X(x) { return this.left + ((x - this.ends[0]) / (this.ends[1] - this.ends[0])) * this.width; }

  Y(y) {
    const value = this.logY ? Math.log10(y) : y;
    return this.top + (1 - (value - this.ends[2]) / (this.ends[3] - this.ends[2])) * this.height;
  }

  valueX(px) { return this.ends[0] + ((px - this.left) / this.width) * (this.ends[1] - this.ends[0]); }

  valueY(py) { return this.ends[2] + (1 - (py - this.top) / this.height) * (this.ends[3] - this.ends[2]); }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  hover(event) {
    const [x, y] = this.place(event);
    this.readout.textContent = this.onHover(this.valueX(x), this.valueY(y), x, y) || this.idle || '';
    this.draw();
  }

  leave() {
    this.mark = null;
    this.readout.textContent = this.idle || '';
    this.draw();
  }

  say(text) {
    this.idle = text;
    if (!this.mark) this.readout.textContent = text;
  }

  draw() {
    const box = this.canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    if (!box.width) return;
    const [w, h] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const ctx = this.context;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, box.width, box.height);
    ctx.font = '12px system-ui, sans-serif';
    this.top = 14;
    this.height = box.height - this.top - 38;
    const ys = (this.logY ? decadesOf : ticksOf)(this.ends[2], this.ends[3], this.height / 44);
    this.left = 24 + max(22, ...ys.map(({ text }) => ctx.measureText(text).width));
    this.width = box.width - this.left - 12;
    const xs = ticksOf(this.ends[0], this.ends[1], this.width / 74);
    this.axes(ctx, xs, ys, box);
    ctx.save();
    ctx.beginPath();
    ctx.rect(this.left, this.top, this.width, this.height);
    ctx.clip();
    this.paint(ctx, this);
    ctx.restore();
    ctx.strokeStyle = colourOf('axis');
    ctx.lineWidth = 1;
    ctx.strokeRect(this.left + 0.5, this.top + 0.5, this.width - 1, this.height - 1);
    if (this.over) this.over(ctx, this);
    this.annotate(ctx);
    if (this.mark) this.crosshair(ctx);
  }

  axes(ctx, xs, ys, box) {
    ctx.strokeStyle = colourOf('grid');
    ctx.fillStyle = colourOf('muted');
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    for (const { value, text } of ys) {
      const y = this.top + (1 - (value - this.ends[2]) / (this.ends[3] - this.ends[2])) * this.height;
      ctx.moveTo(this.left, Math.round(y) + 0.5);
      ctx.lineTo(this.left + this.width, Math.round(y) + 0.5);
      ctx.fillText(text, this.left - 6, y);
    }
    ctx.textAlign = 'center';
    ctx.textBaseline = 'top';
    for (const { value, text } of xs) {
      const x = this.X(value);
      ctx.moveTo(Math.round(x) + 0.5, this.top);
      ctx.lineTo(Math.round(x) + 0.5, this.top + this.height);
      const half = ctx.measureText(text).width / 2;
      ctx.fillText(text, min(x, box.width - half - 2), this.top + this.height + 5);
    }
    ctx.stroke();
    ctx.fillStyle = colourOf('text');
    ctx.fillText(this.xName, this.left + this.width / 2, this.top + this.height + 20);
    ctx.save();
    ctx.translate(9, this.top + this.height / 2);
    ctx.rotate(-PI / 2);
    ctx.textBaseline = 'middle';
    ctx.fillText(this.yName, 0, 0);
    ctx.restore();
  }

  // Notes: a dot and a box with the text, on that side where there is room.
  annotate(ctx) {
    for (const { x, y, text } of this.notes) {
      const [px, py] = [this.X(x), this.Y(y)];
      if (!(px >= this.left && px <= this.left + this.width && py >= this.top && py <= this.top + this.height)) continue;
      const lines = wrapped(ctx, text, min(230, 0.6 * this.width)), high = 15 * lines.length + 6;
      const wide = 12 + max(...lines.map((line) => ctx.measureText(line).width));
      const left = min(max(px + 12 + wide < this.left + this.width ? px + 12 : px - 12 - wide, this.left + 2), this.left + this.width - wide - 2);
      const top = py - 12 - high > this.top ? py - 12 - high : py + 12;
      ctx.strokeStyle = colourOf('muted');
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(px, py);
      ctx.lineTo(min(max(px, left), left + wide), min(max(py, top), top + high));
      ctx.rect(left, top, wide, high);
      ctx.fillStyle = colourOf('page');
      ctx.globalAlpha = 0.92;
      ctx.fillRect(left, top, wide, high);
      ctx.globalAlpha = 1;
      ctx.stroke();
      ctx.fillStyle = colourOf('text');
      ctx.textAlign = 'left';
      ctx.textBaseline = 'top';
      lines.forEach((line, i) => ctx.fillText(line, left + 6, top + 4 + 15 * i));
      this.dot(ctx, x, y, 'text', 4);
    }
  }

  crosshair(ctx) {
    const [x, y] = [this.X(this.mark[0]), this.Y(this.mark[1])];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    ctx.strokeStyle = colourOf('muted');
    ctx.setLineDash([2, 3]);
    ctx.beginPath();
    ctx.moveTo(x, this.top);
    ctx.lineTo(x, this.top + this.height);
    ctx.stroke();
    ctx.setLineDash([]);
    this.dot(ctx, this.mark[0], this.mark[1], 'text', 3.5);
  }

  // count points, from functions of the index; with many only the ends of every pixel.
  line(ctx, count, x, y, colour, width = 1.6, dash = []) {
    ctx.strokeStyle = colourOf(colour);
    ctx.lineWidth = width;
    ctx.lineJoin = 'round';
    ctx.setLineDash(dash);
    ctx.beginPath();
    let open = false;
    const put = (i) => {
      const px = this.X(x(i)), py = min(max(this.Y(y(i)), -1e4), 1e4);
      if (!Number.isFinite(px) || !Number.isFinite(py)) { open = false; return; }
      if (open) ctx.lineTo(px, py);
      else ctx.moveTo(px, py);
      open = true;
    };
    const bucket = Math.floor(count / (2 * this.width)) || 1;
    for (let i = 0; i < count; i += bucket) {
      if (bucket < 3) { put(i); continue; }
      let least = i, most = i;
      for (let j = i; j < min(i + bucket, count); j += 1) {
        if (y(j) < y(least)) least = j;
        if (y(j) > y(most)) most = j;
      }
      put(min(least, most));
      put(max(least, most));
    }
    ctx.stroke();
    ctx.setLineDash([]);
  }

  dot(ctx, x, y, colour, size = 4, ring = true) {
    const [px, py] = [this.X(x), this.Y(y)];
    if (!Number.isFinite(px) || !Number.isFinite(py)) return;
    ctx.beginPath();
    ctx.arc(px, py, size, 0, 2 * PI);
    ctx.fillStyle = colourOf(colour);
    ctx.fill();
    if (ring) {
      ctx.strokeStyle = colourOf('card');
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }
  }

  // Writes a text, what follows _ as a subscript; returns its width.
  written(ctx, text, x, y, isDrawn) {
    const [main, below] = text.split('_'), size = ctx.measureText(main).width;
    if (isDrawn) ctx.fillText(main, x, y);
    if (below === undefined) return size;
    const font = ctx.font;
    ctx.font = '9px system-ui, sans-serif';
    const more = ctx.measureText(below).width;
    if (isDrawn) ctx.fillText(below, x + size, y + 5);
    ctx.font = font;
    return size + more;
  }

  // Rules across the plot at some x, with names that do not cover one another.
  rules(ctx, list) {
    const rows = [];
    for (const { x, text, colour, dash = [6, 4], width = 1.4 } of list) {
      const px = Math.round(this.X(x)) + 0.5;
      if (!(px >= this.left && px <= this.left + this.width)) continue;
      ctx.strokeStyle = colourOf(colour);
      ctx.lineWidth = width;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.moveTo(px, this.top);
      ctx.lineTo(px, this.top + this.height);
      ctx.stroke();
      ctx.setLineDash([]);
      const size = this.written(ctx, text, 0, 0, false);
      const right = px + size + 8 < this.left + this.width;
      const from = right ? px + 4 : px - size - 4;
      let row = 0;
      while ((rows[row] ?? []).some(([a, b]) => from < b + 6 && from + size > a - 6)) row += 1;
      (rows[row] ??= []).push([from, from + size]);
      const y = this.top + 5 + 15 * row;
      ctx.fillStyle = colourOf('card');
      ctx.globalAlpha = 0.82;
      ctx.fillRect(from - 2, y - 1, size + 4, 14);
      ctx.globalAlpha = 1;
      ctx.fillStyle = colourOf(colour);
      ctx.textAlign = 'left';
      ctx.textBaseline = 'top';
      this.written(ctx, text, from, y, true);
    }
  }
}
