// A training as a page describes it, and the worker that runs it.

import { Matrix } from "./arithmetic.js";
import {
  Adam, Dense, ReLU, SigmoidBinaryCrossentropy, SoftmaxCategoricalCrossentropy,
} from "./network.js";
import { fingerprint } from "./sha256.js";

/** Return the float32 numbers that base64 text holds, in little-endian order. */
export function decode(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** A network in training. */
export class Training {
  /**
   * @param {object} start what a page holds: inputs and y, the layers' weights and biases (base64),
   *   l2 of the first layer, learning_rate, decay, epochs
   */
  constructor(start) {
    const inputs = decode(start.inputs);
    this.y = Array.from(decode(start.y));
    this.inputs = new Matrix(this.y.length, inputs.length / this.y.length, inputs);
    this.dense = start.layers.map(({ weights, biases }, i) => {
      const [w, b] = [decode(weights), decode(biases)];
      const rows = w.length / b.length;
      return new Dense(new Matrix(rows, b.length, w), new Matrix(1, b.length, b), i ? 0 : start.l2);
    });
    const between = this.dense.slice(1).map(() => new ReLU());
    this.layers = this.dense.flatMap((layer, i) => (between[i] ? [layer, between[i]] : [layer]));
    const binary = this.dense[this.dense.length - 1].biases.columns === 1;
    this.loss = binary ? new SigmoidBinaryCrossentropy() : new SoftmaxCategoricalCrossentropy();
    this.optimizer = new Adam({ learningRate: start.learning_rate, decay: start.decay });
    this.epochs = start.epochs;
    this.epoch = 0;
  }

  /** Return the predictions for inputs. */
  predict(inputs) {
    return this.loss.predict(this.layers.reduce((values, layer) => layer.forward(values), inputs));
  }

  /** Make one step on all samples; return the predictions before it. */
  step() {
    const predictions = this.predict(this.inputs);
    let dvalues = this.loss.backward(predictions, this.y);
    for (let i = this.layers.length - 1; i >= 0; i--) {
      dvalues = this.layers[i].backward(dvalues, i > 0);
    }
    this.optimizer.step(this.dense);
    this.epoch += 1;
    return predictions;
  }

  /** Return the fingerprint of the present weights and biases. */
  get sha256() {
    return fingerprint(this.dense);
  }
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
 * Train for whoever sends messages: {start}, {pause}, {resume}; answers with {epoch, loss, ...}.
 *
 * @param {object} scope the worker's global scope
 */
export function serve(scope) {
  const SLICE = 80; // ms between two reports, after which messages have their turn
  let training, map, running;

  function report(predictions) {
    const { epoch, loss, y } = training;
    const message = { epoch, loss: loss.loss(predictions, y), accuracy: loss.accuracy(predictions, y) };
    if (map) message.map = training.predict(map).data;
    if (epoch === training.epochs) message.sha256 = training.sha256;
    scope.postMessage(message);
  }

  function slice() {
    if (!running) return;
    const end = performance.now() + SLICE;
    let predictions;
    do {
      predictions = training.step();
    } while (performance.now() < end && training.epoch < training.epochs);
    report(predictions);
    running = training.epoch < training.epochs;
    setTimeout(slice);
  }

  scope.onmessage = ({ data }) => {
    if (data.start) {
      training = new Training(data.start);
      map = training.inputs.columns === 2 ? gridPoints(data.side, data.extent) : null;
    }
    const before = running;
    running = Boolean(data.start || data.resume);
    if (running && !before) slice();
  };
}
