// Chance that falls alike everywhere: raw bits of NumPy's PCG64 (O'Neill 2014, variant XSL-RR), and what
// the book makes of them, dropout's masks and orders of samples.

import { Matrix, f32, rint } from "./arithmetic.js";

/** Return a whole number below 2**128 as eight digits of 16 bits, the lowest first. */
function digits(x) {
  return Float64Array.from({ length: 8 }, (_, i) => Number((BigInt(x) >> BigInt(16 * i)) & 0xffffn));
}

const MULTIPLIER = digits(0x2360ed051fc65da44385df649fccf645n);

/** The bit stream of `numpy.random.PCG64`, from where it stands. */
export class PCG64 {
  /**
   * @param {string|bigint} state `PCG64(seed).state["state"]["state"]` in Python
   * @param {string|bigint} inc `PCG64(seed).state["state"]["inc"]`
   */
  constructor(state, inc) {
    this.state = digits(state);
    this.inc = digits(inc);
    this.other = new Float64Array(8);
  }

  /** Draw 64 bits: the upper and the lower half are in `high` and `low`, whole numbers below 2**32. */
  next() {
    [this.state, this.other] = [this.other, this.state];
    const { state, other, inc } = this;
    let carry = 0;
    for (let i = 0; i < 8; i++) {
      let sum = carry + inc[i];
      for (let j = 0; j <= i; j++) sum += other[j] * MULTIPLIER[i - j];
      carry = Math.floor(sum / 2 ** 16);
      state[i] = sum - carry * 2 ** 16;
    }
    let low = (state[0] ^ state[4]) | ((state[1] ^ state[5]) << 16);
    let high = (state[2] ^ state[6]) | ((state[3] ^ state[7]) << 16);
    const turn = state[7] >> 10;
    if (turn & 32) [low, high] = [high, low];
    const rest = turn & 31;
    this.low = (rest ? (low >>> rest) | (high << (32 - rest)) : low) >>> 0;
    this.high = (rest ? (high >>> rest) | (low << (32 - rest)) : high) >>> 0;
  }

  /** Return for each of so many numbers whether it is kept: the lower half of a draw comes first. */
  keep(count, probability) {
    const limit = rint(probability * 2 ** 32);
    const kept = new Uint8Array(count);
    for (let i = 0; i < count; i += 2) {
      this.next();
      kept[i] = this.low < limit;
      if (i + 1 < count) kept[i + 1] = this.high < limit;
    }
    return kept;
  }

  /** Return an order of the whole numbers below n: each gets a draw, and they are sorted by these. */
  permutation(n) {
    const [high, low] = [new Float64Array(n), new Float64Array(n)];
    for (let i = 0; i < n; i++) {
      this.next();
      high[i] = this.high;
      low[i] = this.low;
    }
    const order = Array.from({ length: n }, (_, i) => i);
    return order.sort((a, b) => high[a] - high[b] || low[a] - low[b]);
  }
}

/** Inverted dropout: set a share of the inputs to zero, scale the rest by 1 / (1 - rate). */
export class Dropout {
  constructor(rate, stream) {
    Object.assign(this, { rate, stream });
  }

  forward(inputs) {
    const scale = f32(1 / (1 - this.rate));
    const kept = this.stream.keep(inputs.data.length, 1 - this.rate);
    this.mask = new Matrix(inputs.rows, inputs.columns, Float32Array.from(kept, (k) => k * scale));
    return inputs.map((x, m) => x * m, this.mask);
  }

  backward(dvalues) {
    return dvalues.map((g, m) => g * m, this.mask);
  }
}
