// A training as a page describes it, and the worker that runs it.

import { Matrix, f32 } from "./arithmetic.js";
import {
  Adam, Dense, ReLU, SigmoidBinaryCrossentropy, SoftmaxCategoricalCrossentropy,
} from "./network.js";
import { Dropout, PCG64 } from "./random.js";
import { fingerprint } from "./sha256.js";

/** Return the float32 numbers that base64 text holds, in little-endian order; or copy numbers. */
export function decode(text) {
  if (typeof text !== "string") return Float32Array.from(text);
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** Return whole numbers, each one digit (0 to 9, then a to z), in parts of a unit. */
export function readDigits(text, unit = 1) {
  return Float32Array.from(text, (digit) => parseInt(digit, 36) / unit);
}

/** A network in training. */
export class Training {
  /**
   * @param {object} start what a page holds: inputs (see decode; with a unit see readDigits) and y
   *   (digits), the layers' weights and biases, l2 of the first layer, learning_rate, decay, epochs;
   *   and if they are wanted, dropout, batch_size, and the stream that these two draw from
   */
  constructor(start) {
    const inputs = start.unit ? readDigits(start.inputs, start.unit) : decode(start.inputs);
    this.y = readDigits(start.y);
    this.inputs = new Matrix(this.y.length, inputs.length / this.y.length, inputs);
    this.dense = start.layers.map(({ weights, biases }, i) => {
      const [w, b] = [decode(weights), decode(biases)];
      const rows = w.length / b.length;
      return new Dense(new Matrix(rows, b.length, w), new Matrix(1, b.length, b), i ? 0 : start.l2);
    });
    this.stream = start.stream && new PCG64(...start.stream);
    const dropping = () => (start.dropout ? [new Dropout(start.dropout, this.stream)] : []);
    this.layers = this.dense.flatMap((layer, i) => (i ? [new ReLU(), ...dropping(), layer] : layer));
    const binary = this.dense[this.dense.length - 1].biases.columns === 1;
    this.loss = binary ? new SigmoidBinaryCrossentropy() : new SoftmaxCategoricalCrossentropy();
    this.optimizer = new Adam({ learningRate: start.learning_rate, decay: start.decay });
    this.batchSize = start.batch_size || this.y.length;
    this.epochs = start.epochs;
    this.epoch = 0;
  }

  /** Return the predictions for inputs, without dropout. */
  predict(inputs) {
    return this.forward(inputs, this.layers.filter((layer) => !(layer instanceof Dropout)));
  }

  forward(inputs, layers = this.layers) {
    return this.loss.predict(layers.reduce((values, layer) => layer.forward(values), inputs));
  }

  /** Go through all samples once, in batches; return the mean loss and accuracy before each step. */
  advance() {
    const n = this.y.length;
    const order = this.batchSize < n ? this.stream.permutation(n) : null;
    let [loss, accuracy] = [0, 0];
    for (let first = 0; first < n; first += this.batchSize) {
      const { inputs, y } = order ? this.pick(order.slice(first, first + this.batchSize)) : this;
      const predictions = this.step(inputs, y);
      loss += (y.length / n) * this.loss.loss(predictions, y);
      accuracy += (y.length / n) * this.loss.accuracy(predictions, y);
    }
    this.epoch += 1;
    return { loss, accuracy };
  }

  /** Return the samples of some places. */
  pick(places) {
    const { columns, data } = this.inputs;
    const picked = new Matrix(places.length, columns);
    places.forEach((place, i) =>
      picked.data.set(data.subarray(place * columns, (place + 1) * columns), i * columns));
    return { inputs: picked, y: Float32Array.from(places, (place) => this.y[place]) };
  }

  /** Make one step; return the predictions before it. */
  step(inputs, y) {
    const predictions = this.forward(inputs);
    let dvalues = this.loss.backward(predictions, y);
    for (let i = this.layers.length - 1; i >= 0; i--) {
      dvalues = this.layers[i].backward(dvalues, i > 0);
    }
    this.optimizer.step(this.dense);
    return predictions;
  }

  /** The fingerprint of the present weights and biases. */
  get sha256() {
    return fingerprint(this.dense);
  }
}

/** Return the largest difference between the first layers' weights of two trainings. */
export function difference([one, other]) {
  const [a, b] = [one, other].map(({ dense }) => dense[0].weights.data);
  return a.reduce((largest, x, i) => Math.max(largest, Math.abs(f32(x - b[i]))), 0);
}

/** Return the points of a square grid, row by row from below. */
export function gridPoints(side, extent) {
  const points = new Matrix(side * side, 2);
  for (let i = 0; i < side * side; i++) {
    points.data[2 * i] = extent * ((2 * (i % side)) / (side - 1) - 1);
    points.data[2 * i + 1] = extent * ((2 * Math.floor(i / side)) / (side - 1) - 1);
  }
  return points;
}

/**
 * Train one network, or several in step, for whoever sends messages: {starts, side, extent}, {pause},
 * {resume}. Reports come with what each run has come to, and of two with how far they are apart; after
 * one of them no other comes, but for the last, before the answer {seen}.
 *
 * @param {object} scope the worker's global scope
 */
export function serve(scope) {
  const SLICE = 80; // ms between two reports, after which messages have their turn
  let trainings, grid, running, next, unseen;
  let differences = [];

  function slice() {
    const end = performance.now() + SLICE;
    const { epochs } = trainings[0];
    let measured;
    do {
      if (trainings.length === 2) differences.push(difference(trainings));
      measured = trainings.map((training) => training.advance());
    } while (performance.now() < end && trainings[0].epoch < epochs);
    running = trainings[0].epoch < epochs;
    if (!unseen || !running) report(measured);
    if (running) next = setTimeout(slice);
  }

  function report(measured) {
    const runs = trainings.map((training, i) => ({
      ...measured[i],
      map: grid && training.predict(grid).data,
      parameters: training.dense.flatMap(({ weights, biases }) => [weights.data, biases.data]),
      sha256: running ? null : training.sha256,
    }));
    scope.postMessage({ epoch: trainings[0].epoch, done: !running, differences, runs });
    differences = [];
    unseen = true;
  }

  scope.onmessage = ({ data }) => {
    if (data.seen) {
      unseen = false;
      return;
    }
    if (data.starts) {
      trainings = data.starts.map((start) => new Training(start));
      grid = trainings[0].inputs.columns === 2 ? gridPoints(data.side, data.extent) : null;
    }
    running = Boolean(data.starts || data.resume);
    clearTimeout(next);
    if (running) next = setTimeout(slice);
  };
}
