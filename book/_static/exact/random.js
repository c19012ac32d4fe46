// Dropout's masks, from the raw bits of NumPy's PCG64 (O'Neill 2014, variant XSL-RR).

import { Matrix, f32 } from "./arithmetic.js";

const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const wrap = (x) => BigInt.asUintN(128, x);

/** The bit stream of `numpy.random.PCG64`, from where it stands. */
export class PCG64 {
  /**
   * @param {string|bigint} state `PCG64(seed).state["state"]["state"]` in Python
   * @param {string|bigint} inc `PCG64(seed).state["state"]["inc"]`
   */
  constructor(state, inc) {
    this.state = BigInt(state);
    this.inc = BigInt(inc);
  }

  /** Return the next 64 bits. */
  next() {
    this.state = wrap(this.state * MULTIPLIER + this.inc);
    const folded = BigInt.asUintN(64, (this.state >> 64n) ^ this.state);
    const turn = this.state >> 122n;
    return BigInt.asUintN(64, (folded >> turn) | (folded << (64n - turn)));
  }

  /** Return for each of so many numbers whether it is kept: the lower half of a draw comes first. */
  keep(count, probability) {
    const limit = Math.round(probability * 2 ** 32);
    const kept = new Uint8Array(count);
    for (let i = 0; i < count; i += 2) {
      const draw = this.next();
      kept[i] = Number(draw & 0xffffffffn) < limit;
      if (i + 1 < count) kept[i + 1] = Number(draw >> 32n) < limit;
    }
    return kept;
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
