// Sums without an order, and exp and log: the book's arithmetic in a second language.
//
// What nnfs_book/arithmetic defines in Python is written here once more, in plain JavaScript, so that
// a reader's browser can form the same bits. A number of JavaScript is a float64, and + - * / and
// Math.sqrt round it as IEEE 754 says; Math.fround rounds to float32.

export const f32 = Math.fround;

const WHOLE = 1.5 * 2 ** 52; // added to a float64 and taken off again, it leaves a whole number
const view = new DataView(new ArrayBuffer(8));

/** Round to the nearest whole number, ties to the even one. */
export function rint(x) {
  return x + WHOLE - WHOLE;
}

/** Return 2**n, exactly, for n from -1022 to 1023. */
export function twoTo(n) {
  view.setUint32(0, (n + 1023) << 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** Return e with 2**(e - 1) <= x < 2**e, for a positive float32 x; 0 for 0. */
export function exponent(x) {
  if (x === 0) return 0;
  view.setFloat64(0, x);
  return (view.getUint32(0) >>> 20) - 1022;
}

/** Return a float32 with one of its 32 bits turned over; bit 0 is the last. */
export function flipBit(x, bit) {
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) ^ (1 << bit));
  return view.getFloat32(0);
}

/** Raise a float64 to a whole power of at least 0, by multiplications. */
export function power(base, n) {
  let result = 1;
  for (; n > 0; n = Math.floor(n / 2)) {
    if (n % 2) result *= base;
    base *= base;
  }
  return result;
}

/** A matrix of float32 numbers, row after row. */
export class Matrix {
  /**
   * @param {number} rows
   * @param {number} columns
   * @param {Float32Array} [data] zeros when omitted
   */
  constructor(rows, columns, data = new Float32Array(rows * columns)) {
    if (data.length !== rows * columns) {
      throw new RangeError(`data must hold ${rows} x ${columns} numbers, got ${data.length}`);
    }
    Object.assign(this, { rows, columns, data });
  }

  /** Return a matrix of f of each number (and of those at its place in other matrices). */
  map(f, ...others) {
    const { data } = this;
    const result = new Float32Array(data.length);
    const [a, b] = others.map((other) => other.data);
    for (let i = 0; i < data.length; i++) result[i] = f(data[i], a && a[i], b && b[i]);
    return new Matrix(this.rows, this.columns, result);
  }

  /** Return the transpose. */
  get T() {
    const { rows, columns, data } = this;
    const turned = new Float32Array(data.length);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j];
    }
    return new Matrix(columns, rows, turned);
  }
}

/** Return how many bits each operand may keep so that a sum of so many products is exact. */
export function operandBits(terms, operands) {
  const room = 53 - (32 - Math.clz32(Math.max(terms - 1, 0)));
  return operands === 2 ? Math.min(24, Math.floor(room / 2)) : Math.min(51, room);
}

/** Return what added to a number and taken off again leaves it on the grid of its sum. */
function pusher(largest, bits) {
  if (!(largest < Infinity)) throw new RangeError("a sum must be of finite numbers");
  return 1.5 * twoTo(52 + exponent(largest) - bits);
}

/**
 * Round numbers to grids: multiples of 2**(e - bits), where 2**e exceeds the largest magnitude.
 *
 * @param {Matrix} a
 * @param {number} bits
 * @param {"row"|"column"} shared what has a grid of its own
 * @returns {Float64Array}
 */
export function snap(a, bits, shared) {
  return shared === "row" ? snapRows(a, bits) : snapColumns(a, bits);
}

function snapRows({ columns, data }, bits) {
  const snapped = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += columns) {
    let largest = 0;
    for (let at = start; at < start + columns; at++) {
      const magnitude = Math.abs(data[at]);
      if (!(magnitude <= largest)) largest = magnitude; // NaN comes through
    }
    const push = pusher(largest, bits);
    for (let at = start; at < start + columns; at++) snapped[at] = data[at] + push - push;
  }
  return snapped;
}

function snapColumns({ rows, columns, data }, bits) {
  const largest = new Float64Array(columns);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const magnitude = Math.abs(data[at]);
      if (!(magnitude <= largest[j])) largest[j] = magnitude;
    }
  }
  const push = largest.map((x) => pusher(x, bits));
  const snapped = new Float64Array(data.length);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) snapped[at] = data[at] + push[j] - push[j];
  }
  return snapped;
}

/** Multiply two matrices, with the same result in any order of summation. */
export function matmul(a, b) {
  const [n, k, m] = [a.rows, a.columns, b.columns];
  if (b.rows !== k) throw new RangeError(`shapes ${n} x ${k} and ${b.rows} x ${m} do not fit`);
  const bits = operandBits(k, 2);
  const left = snap(a, bits, "row");
  const right = snap(b, bits, "column");
  const product = new Matrix(n, m);
  // The order is free: whichever inner loop is the longer one runs innermost.
  const add = m < k ? addTermByTerm : addRowByRow;
  add(left, right, product.data, n, k, m);
  return product;
}

function addRowByRow(left, right, product, n, k, m) {
  const sums = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    sums.fill(0);
    for (let t = 0; t < k; t++) {
      const x = left[i * k + t];
      for (let j = 0, at = t * m; j < m; j++, at++) sums[j] += x * right[at];
    }
    for (let j = 0; j < m; j++) product[i * m + j] = sums[j] + 0; // no zero is negative
  }
}

function addTermByTerm(left, right, product, n, k, m) {
  for (let j = 0; j < m; j++) {
    const column = new Float64Array(k);
    for (let t = 0; t < k; t++) column[t] = right[t * m + j];
    for (let i = 0, at = 0; i < n; i++) {
      let sum = 0;
      for (let t = 0; t < k; t++, at++) sum += left[at] * column[t];
      product[i * m + j] = sum + 0;
    }
  }
}

/**
 * Sum along columns or rows, with the same result in any order.
 *
 * @param {Matrix} a
 * @param {0|1} axis 0 adds the rows up, 1 the columns
 * @returns {Matrix} with one row, or with one column
 */
export function total(a, axis) {
  const { rows, columns } = a;
  const bits = operandBits(axis === 0 ? rows : columns, 1);
  const snapped = snap(a, bits, axis === 0 ? "column" : "row");
  const sums = new Float64Array(axis === 0 ? columns : rows);
  for (let i = 0, at = 0; i < rows; i++) {
    if (axis === 0) for (let j = 0; j < columns; j++, at++) sums[j] += snapped[at];
    else for (let j = 0; j < columns; j++, at++) sums[i] += snapped[at];
  }
  const shape = axis === 0 ? [1, columns] : [rows, 1];
  return new Matrix(...shape, Float32Array.from(sums, (x) => x + 0));
}

// log 2 as a sum of two floats; the first has trailing zero bits to spare.
export const LN2 = [0.6931471805592082, 7.371002565167799e-13];
export const HALF_ROOT = 0.7071067811865476;

const factorials = [1];
for (let n = 1; n < 14; n++) factorials.push(factorials[n - 1] * n);
export const EXP_SERIES = factorials.map((f) => 1 / f);
export const LOG_SERIES = Array.from({ length: 10 }, (_, n) => 2 / (2 * n + 3));

/** Evaluate c0 + c1 x + c2 x**2 + ... from the inside out. */
function polynomial(x, coefficients) {
  let result = coefficients[coefficients.length - 1];
  for (let n = coefficients.length - 2; n >= 0; n--) result = result * x + coefficients[n];
  return result;
}

/** Return e**x, the float32 nearest to the true value, for a float32 x. */
export function exp(x) {
  if (Number.isNaN(x)) return x;
  x = Math.min(Math.max(x, -105), 90);
  const k = rint(x * (1 / LN2[0]));
  const r = x - k * LN2[0] - k * LN2[1];
  return f32(polynomial(r, EXP_SERIES) * twoTo(k));
}

/** Return the natural logarithm, the float32 nearest to the true value, for a float32 x. */
export function log(x) {
  if (x === 0) return -Infinity;
  if (!(x > 0 && x < Infinity)) return x > 0 ? x : NaN;
  let k = exponent(x);
  let m = x * twoTo(-k);
  if (m < HALF_ROOT) {
    m *= 2;
    k -= 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const half = 0.5 * f * f;
  const series = half + z * polynomial(z, LOG_SERIES);
  return roundSum(k * LN2[0] + f, s * series + k * LN2[1] - half);
}

/** Return the sum of two float64 numbers, rounded to float32 once. */
function roundSum(large, small) {
  const result = large + small;
  view.setFloat64(0, result);
  const low = view.getUint32(4);
  if ((low & 0x1fffffff) === 0x10000000) {
    // on the midpoint of two float32 numbers: what the sum lost says on which side it is
    const lost = small - (result - large);
    if (lost !== 0) view.setUint32(4, lost > 0 === result > 0 ? low + 1 : low - 1);
  }
  return f32(view.getFloat64(0));
}
