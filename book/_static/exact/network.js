// Layers, losses and Adam, as nnfs_book/network has them: the same lines, the same bits.

import { Matrix, exp, f32, log, matmul, power, total } from "./arithmetic.js";

/** Fully connected layer: Z = X W + b. */
export class Dense {
  /**
   * @param {Matrix} weights
   * @param {Matrix} biases with one row
   * @param {number} l2 strength of the penalty on both
   */
  constructor(weights, biases, l2 = 0) {
    Object.assign(this, { weights, biases, l2 });
  }

  forward(inputs) {
    this.inputs = inputs;
    const output = matmul(inputs, this.weights);
    const { rows, columns, data } = output;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) data[at] += this.biases.data[j];
    }
    return output;
  }

  /** Set the gradients at weights and biases; return that at the inputs, if it is wanted. */
  backward(dvalues, wanted = true) {
    this.dweights = this.withPenalty(matmul(this.inputs.T, dvalues), this.weights);
    this.dbiases = this.withPenalty(total(dvalues, 0), this.biases);
    return wanted ? matmul(dvalues, this.weights.T) : null;
  }

  withPenalty(gradient, parameters) {
    const strength = f32(2 * this.l2);
    return this.l2 ? gradient.map((g, w) => g + f32(strength * w), parameters) : gradient;
  }
}

/** Return the numbers of a where z is positive, and zeros elsewhere. */
function gate(a, z) {
  const passed = new Matrix(a.rows, a.columns);
  for (let i = 0; i < z.data.length; i++) passed.data[i] = z.data[i] > 0 ? a.data[i] : 0;
  return passed;
}

/** Rectified linear unit: max(0, z). */
export class ReLU {
  forward(z) {
    this.z = z;
    return gate(z, z);
  }

  backward(dvalues) {
    return gate(dvalues, this.z);
  }
}

/** Return 1 / (1 + e**-z) for one float32, without overflow. */
export function sigmoid(z) {
  const r = exp(Math.min(z, -z));
  return f32((z < 0 ? r : 1) / f32(1 + r));
}

/** Sigmoid as a layer; its derivative is s (1 - s). */
export class Sigmoid {
  forward(z) {
    this.output = z.map(sigmoid);
    return this.output;
  }

  backward(dvalues) {
    return dvalues.map((g, s) => g * f32(s * f32(1 - s)), this.output);
  }
}

/** Return the softmax of each row. */
export function softmax(z) {
  const { rows, columns, data } = z;
  const powers = new Matrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    let largest = -Infinity;
    for (let j = 0; j < columns; j++) largest = Math.max(largest, data[i * columns + j]);
    for (let j = i * columns; j < (i + 1) * columns; j++) {
      powers.data[j] = exp(f32(data[j] - largest));
    }
  }
  const sums = total(powers, 1).data;
  for (let i = 0; i < powers.data.length; i++) powers.data[i] /= sums[Math.floor(i / columns)];
  return powers;
}

/** Softmax with categorical cross-entropy: what comes in are logits and class numbers. */
export class SoftmaxCategoricalCrossentropy {
  predict(logits) {
    return softmax(logits);
  }

  /** Return the gradient at the logits: (predictions - targets) / N. */
  backward(predictions, y) {
    const { rows, columns, data } = predictions;
    const gradient = new Matrix(rows, columns);
    for (let i = 0; i < data.length; i++) {
      const target = y[Math.floor(i / columns)] === i % columns ? 1 : 0;
      gradient.data[i] = f32(data[i] - target) / rows;
    }
    return gradient;
  }

  /** Return the mean loss. */
  loss(predictions, y) {
    const losses = Float32Array.from(y, (c, i) =>
      -log(clipped(predictions.data[i * predictions.columns + c])));
    return mean(losses);
  }

  /** Return the share of samples whose most probable class is the right one. */
  accuracy(predictions, y) {
    const { columns, data } = predictions;
    let right = 0;
    for (let i = 0; i < y.length; i++) {
      const row = data.subarray(i * columns, (i + 1) * columns);
      if (row.indexOf(Math.max(...row)) === y[i]) right++;
    }
    return right / y.length;
  }
}

/** Binary cross-entropy behind a sigmoid: what comes in are logits and answers of 0 or 1. */
export class SigmoidBinaryCrossentropy {
  constructor() {
    this.activation = new Sigmoid();
  }

  predict(logits) {
    return this.activation.forward(logits);
  }

  /** Return the gradient at the logits, by way of the probabilities. */
  backward(predictions, y) {
    const n = predictions.rows;
    const dvalues = new Matrix(n, predictions.columns);
    predictions.data.forEach((p, i) => {
      const [q, t] = [clipped(p), y[i]];
      const slope = f32(f32(t / q) - f32((1 - t) / f32(1 - q)));
      dvalues.data[i] = -slope / n;
    });
    return this.activation.backward(dvalues);
  }

  /** Return the mean loss. */
  loss(predictions, y) {
    const losses = Float32Array.from(y, (t, i) => {
      const p = clipped(predictions.data[i]);
      return -f32(f32(t * log(p)) + f32((1 - t) * log(f32(1 - p))));
    });
    return mean(losses);
  }

  /** Return the share of answers that are right. */
  accuracy(predictions, y) {
    let right = 0;
    for (let i = 0; i < y.length; i++) right += (predictions.data[i] > 0.5) === (y[i] === 1);
    return right / y.length;
  }
}

const clipped = (p) => Math.min(Math.max(p, f32(1e-7)), f32(1 - 1e-7));

function mean(losses) {
  return f32(total(new Matrix(losses.length, 1, losses), 0).data[0] / losses.length);
}

/** Adam, with a learning rate that decays. */
export class Adam {
  constructor({ learningRate = 0.001, decay = 0, epsilon = 1e-7, beta1 = 0.9, beta2 = 0.999 } = {}) {
    Object.assign(this, { learningRate, decay, epsilon, beta1, beta2 });
    this.iterations = 0;
    this.memory = new Map();
  }

  /** Make one step with all layers that have weights. */
  step(layers) {
    const rate = this.learningRate * (1 / (1 + this.decay * this.iterations));
    this.iterations += 1;
    for (const layer of layers) {
      this.move(layer.weights, layer.dweights, rate);
      this.move(layer.biases, layer.dbiases, rate);
    }
  }

  move(parameters, gradient, rate) {
    const size = parameters.data.length;
    if (!this.memory.has(parameters)) {
      this.memory.set(parameters, [new Float32Array(size), new Float32Array(size)]);
    }
    const [momentum, cache] = this.memory.get(parameters);
    const [keep1, take1] = [f32(this.beta1), f32(1 - this.beta1)];
    const [keep2, take2] = [f32(this.beta2), f32(1 - this.beta2)];
    const correction1 = f32(1 - power(this.beta1, this.iterations));
    const correction2 = f32(1 - power(this.beta2, this.iterations));
    const [down, epsilon] = [f32(-rate), f32(this.epsilon)];
    for (let i = 0; i < size; i++) {
      const g = gradient.data[i];
      const m = f32(f32(keep1 * momentum[i]) + f32(take1 * g));
      const c = f32(f32(keep2 * cache[i]) + f32(take2 * f32(g * g)));
      momentum[i] = m;
      cache[i] = c;
      const root = f32(f32(Math.sqrt(f32(c / correction2))) + epsilon);
      parameters.data[i] += f32(f32(down * f32(m / correction1)) / root);
    }
  }
}
