// What the written functions call; inf or NaN where a function is undefined, as in the program.
const { sin, cos, tan, atan, sinh, cosh, tanh, sqrt, abs, exp, log, min, max, PI } = Math;
const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : 0);
const above = (x) => (x > 0 ? 1 : 0);
const positive = (x) => (x > 0 ? x : x <= 0 ? 0 : x);
const sech2 = (x) => { const c = cosh(x); return 1 / (c * c); };
const sigmoid = (x) => 1 / (1 + exp(-x));
const softplus = (x) => (x > 0 ? x : x <= 0 ? 0 : x) + Math.log1p(exp(-abs(x)));
const logcosh = (x) => {
  const a = abs(x), s = sinh(0.5 * a);
  return a < 1 ? Math.log1p(2 * s * s) : a + Math.log1p(exp(-2 * a)) - Math.LN2;
};
const power = (x, p) => Math.pow(x, p);
const power_1 = (x, p) => (p === 0 ? 0 : p * Math.pow(x, p - 1));
const power_2 = (x, p) => (p * (p - 1) === 0 ? 0 : p * (p - 1) * Math.pow(x, p - 2));
const upper = (a, b) => (a >= b || a !== a ? 1 : 0);
const lower = (a, b) => (a <= b || a !== a ? 1 : 0);
const select = (first, a, b) => (first ? a : b);
const part = (bar, slope) => (bar === 0 ? 0 : slope === 0 ? 0 : bar * slope);
const over = (a, size) => (size > 0 ? a / size : 0);
const polyak = (loss, lowest, size, cap) =>
  min(max(size > 0 ? (loss - lowest) / size / size : 0, 0), cap);
