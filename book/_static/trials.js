// Trainings to try things out on: flip a bit of one weight; draw points, and train a network on them.

(() => {
  const { Curve, EXTENT, Plane, Runner, SIDE, button, calm, element, measured, number } = trainer;

  /** A slider under a name of the address; with options it moves through these. */
  class Slider {
    constructor(name, label, { min = 0, max, step = 1, value, options }, moved) {
      this.options = options;
      this.field = element("input", { type: "range", min, max: options ? options.length - 1 : max, step });
      this.field.setAttribute("aria-label", label);
      this.shown = element("b");
      this.label = element("label", {}, label, " ", this.shown, this.field);
      const set = (wanted) => (this.field.value = options ? options.indexOf(Number(wanted)) : wanted);
      set(pageAddress.get(name) ?? value);
      this.tell();
      this.field.oninput = () => {
        this.tell();
        pageAddress.set({ [name]: this.value });
        moved();
      };
    }

    get value() {
      const { valueAsNumber } = this.field;
      return this.options ? this.options[valueAsNumber] : valueAsNumber;
    }

    tell() {
      this.shown.textContent = this.value;
      this.field.setAttribute("aria-valuetext", this.value);
    }
  }

  /** What both trials have: controls, buttons, pictures, and words for what one sees. */
  class Trial {
    constructor(place) {
      this.place = place;
      this.data = JSON.parse(place.dataset.values);
      this.words = element("p", { className: "words" });
    }

    fill(controls, pictures) {
      const panel = element("div", { className: "panel" }, ...controls);
      const canvases = element("div", { className: "canvases" }, ...pictures);
      this.place.replaceChildren(panel, ...this.runner.parts, canvases, this.words);
    }

    /** Say what one sees, and keep the numbers behind it with the page. */
    tell(text, values) {
      this.words.ariaLive = this.runner.running ? "off" : "polite"; // not a dozen times a second
      this.words.textContent = text;
      this.place.dataset.shown = JSON.stringify(values);
    }

    failed(message) {
      this.words.textContent = `Your browser could not do it: ${message}`;
    }
  }

  const short = (x) => (x ? x.toExponential(0).replace("-", "\u2212") : "0");

  /** Two trainings side by side that differ in one bit of one weight. */
  class LastBit extends Trial {
    constructor(place) {
      super(place);
      const { start } = this.data;
      this.weights = exact.decode(start.layers[0].weights);
      const { inputs, y } = new exact.Training(start);
      this.points = { inputs: inputs.data, y };
      this.weight = this.slider("weight", "weight of the first layer", 1, this.weights.length, 3);
      this.bit = this.slider("bit", "its bit, counted from the last", 0, 22, 0);
      this.planes = ["As it is", "One bit flipped"].map((title) => new Plane(`${title}: ${place.dataset.alt}`));
      this.curve = new Curve("The largest difference between two weights, epoch by epoch, on a log scale.");
      this.runner = new Runner({
        label: "Flip the bit and train both",
        starts: () => this.begin(),
        report: (data) => this.report(data),
        say: ({ differences }) => `largest difference ${short(differences[differences.length - 1])}`,
        cleared: () => this.show(),
        failed: (message) => this.failed(message),
      });
      const captioned = this.planes.map(({ canvas }, i) =>
        element("div", {}, element("p", {}, i ? "one bit flipped" : "as it is"), canvas));
      this.fill([this.weight.label, this.bit.label], [...captioned, this.curve.canvas]);
      this.show();
    }

    slider(key, label, min, max, value) {
      return new Slider(`last_bit.${key}`, label, { min, max, value }, () => {
        if (this.runner.running) this.runner.cancel();
        this.show();
      });
    }

    /** Show both as they start. */
    show() {
      const [weight, bit] = [this.weight.value, this.bit.value];
      const before = this.weights[weight - 1];
      const after = exact.flipBit(before, bit);
      for (const plane of this.planes) plane.draw(null, this.points);
      this.curve.draw([], this.data.start.epochs, "");
      this.tell(
        `Weight ${weight} starts at ${before.toPrecision(9)}, and with its ` +
          `${bit ? `bit ${bit}` : "last bit"} flipped at ${after.toPrecision(9)}.`,
        { before, after },
      );
    }

    begin() {
      this.differences = [];
      const { start } = this.data;
      const weights = this.weights.slice();
      const at = this.weight.value - 1;
      weights[at] = exact.flipBit(weights[at], this.bit.value);
      const [first, ...others] = start.layers;
      return [start, { ...start, layers: [{ ...first, weights }, ...others] }];
    }

    report({ epoch, done, differences, runs }) {
      this.differences.push(...differences);
      const heights = this.differences.map((d, i) => [i, Math.max(0, (Math.log10(d) + 10) / 11)]);
      this.curve.draw(heights, this.data.start.epochs, "largest difference of a weight, from 1e\u221210 to 10");
      if (done || !calm.matches) this.planes.forEach((plane, i) => plane.draw(runs[i].map, this.points));
      if (!done) return;
      const last = this.differences[this.differences.length - 1];
      const accuracies = runs.map(({ accuracy }) => accuracy.toFixed(3)).join(" and ");
      const losses = runs.map(({ loss }) => loss.toFixed(3)).join(" and ");
      const leap = this.differences.findIndex((d) => d > 1e-3);
      const when = leap < 0 ? "It has stayed below a thousandth." : `It passed a thousandth at epoch ${number.format(leap)}.`;
      this.tell(
        `After ${number.format(epoch)} epochs the largest difference between two weights is ${short(last)}. ` +
          `${when} The losses are ${losses}, the accuracies ${accuracies}.`,
        { differences: this.differences, sha256: runs.map(({ sha256 }) => sha256) },
      );
    }
  }

  const STEPS = 36 ** 2 - 1; // from one edge of the plane to the other, for the points that one draws
  const KINDS = ["blue disc", "orange square", "green ring"];

  /** A plane to put points on, and a network that is trained on them. */
  class Playground extends Trial {
    constructor(place) {
      super(place);
      const read = ({ inputs, y }) => ({ inputs: exact.decode(inputs), y: exact.readDigits(y) });
      [this.arms, this.fresh] = [read(this.data.start), read(this.data.fresh)];
      this.drawn = (pageAddress.get("playground.points")?.match(/[0-2][0-9a-z]{4}/g) ?? []).slice(0, 300);
      this.withArms = pageAddress.get("playground.arms") !== "0";
      this.cross = [0, 0];
      this.plane = new Plane(`${place.dataset.alt} Arrow keys move a cross, Enter puts a point there.`, 360);
      this.settings = {
        neurons: this.slider("neurons", "hidden neurons", { min: 1, max: 64, value: 64 }),
        l2: this.slider("l2", "L2 strength", { options: [0, 1e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.02], value: 0 }),
        dropout: this.slider("dropout", "dropout rate", { max: 0.6, step: 0.1, value: 0 }),
      };
      this.away = new Slider("playground.away", "neurons taken away afterwards", { max: 63, value: 0 }, () => this.show());
      this.runner = new Runner({
        label: "Train on these points",
        starts: () => this.begin(),
        report: (data) => this.report(data),
        say: ({ runs }) => measured(runs[0]),
        cleared: () => this.change({ trained: null }),
        failed: (message) => this.failed(message),
      });
      const sliders = [...Object.values(this.settings), this.away].map(({ label }) => label);
      this.fill([this.palette(), ...sliders], [this.plane.canvas]);
      this.listen(this.plane.canvas);
      this.show();
    }

    /** Say what a point will be, and take points away. */
    palette() {
      this.kind = element("select", {}, ...KINDS.map((kind) => element("option", {}, kind)));
      this.kind.setAttribute("aria-label", "what a tap puts");
      const back = button("Take the last one back", () => this.change({ drawn: this.drawn.slice(0, -1) }));
      const clear = button("Clear the plane", () => this.change({ drawn: [], withArms: false }));
      const arms = button("Three arms", () => this.change({ withArms: true }));
      const label = element("label", {}, "what a tap puts", this.kind);
      return element("div", { className: "palette" }, label, back, clear, arms);
    }

    slider(key, label, range) {
      return new Slider(`playground.${key}`, label, range, () => this.change({}));
    }

    /** Take over other points or settings; a training that is under way begins anew. */
    change(news) {
      Object.assign(this, news);
      pageAddress.set({
        "playground.points": this.drawn.length ? this.drawn.join("") : null,
        "playground.arms": this.withArms ? null : "0",
      });
      if (news.drawn || news.withArms) this.trained = null; // trained on others
      if (!this.runner.running) this.show();
      else if (this.points.y.length) this.runner.begin();
      else this.runner.cancel();
    }

    listen(canvas) {
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "application");
      canvas.onclick = ({ offsetX, offsetY }) => {
        const { clientWidth, clientHeight } = canvas;
        this.cross = [(2 * offsetX) / clientWidth - 1, 1 - (2 * offsetY) / clientHeight];
        this.put();
      };
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
      canvas.onkeydown = (event) => {
        if (event.key in moves) {
          this.cross = this.cross.map((c, i) => Math.min(Math.max(c + moves[event.key][i] / 20, -1), 1));
        } else if (event.key === "Enter" || event.key === " ") this.put();
        else if (event.key === "Backspace") this.change({ drawn: this.drawn.slice(0, -1) });
        else return;
        event.preventDefault();
        this.draw();
      };
      canvas.onfocus = canvas.onblur = () => this.draw();
    }

    /** Put a point where the cross is; the address has its kind and its place as five digits. */
    put() {
      const places = this.cross.map((c) => Math.round(((c + 1) / 2) * STEPS).toString(36).padStart(2, "0"));
      this.change({ drawn: [...this.drawn, `${this.kind.selectedIndex}${places.join("")}`].slice(0, 300) });
    }

    /** The points to train on. */
    get points() {
      const place = (digits) => EXTENT * ((2 * parseInt(digits, 36)) / STEPS - 1);
      const own = this.drawn.flatMap((point) => [place(point.slice(1, 3)), place(point.slice(3))]);
      const arms = this.withArms ? this.arms : { inputs: [], y: [] };
      return {
        inputs: Float32Array.of(...arms.inputs, ...own),
        y: Float32Array.of(...arms.y, ...this.drawn.map((point) => Number(point[0]))),
      };
    }

    begin() {
      this.trained = null;
      const { neurons, l2, dropout } = this.settings;
      const layers = this.data.start.layers.flatMap(({ weights, biases }) => [weights, biases].map(exact.decode));
      return [{
        ...this.data.start,
        ...this.points,
        layers: withNeurons(layers, neurons.value),
        l2: l2.value,
        dropout: dropout.value,
      }];
    }

    report({ epoch, done, runs: [{ map, parameters, sha256 }] }) {
      this.trained = { epoch, map, parameters, sha256 };
      if (done || !calm.matches) this.show();
    }

    /** Show the network as it is, without the neurons that were taken away. */
    show() {
      const { points, trained } = this;
      const drawn = Array.from(points.inputs.slice(points.inputs.length - 2 * this.drawn.length));
      this.map = null;
      if (!trained) {
        this.draw();
        this.tell(points.y.length ? `${points.y.length} points.` : "Tap the plane to put points on it.", { drawn });
        return;
      }
      const neurons = trained.parameters[1].length;
      const left = Math.max(1, neurons - this.away.value);
      const network = new exact.Training({
        ...this.data.start, ...points, layers: withNeurons(trained.parameters, left),
      });
      const all = left === neurons;
      this.map = all ? trained.map : network.predict(exact.gridPoints(SIDE, EXTENT)).data;
      this.draw();
      const share = ({ inputs, y }) => network.loss.accuracy(
        network.predict(new exact.Matrix(y.length, 2, inputs)), y);
      const own = share(points);
      const onFresh = this.withArms ? share(this.fresh) : null;
      const fresh = this.withArms ? `, of ${this.fresh.y.length} fresh ones from the same arms ${onFresh.toFixed(3)}` : "";
      this.tell(
        `After ${number.format(trained.epoch)} epochs, with ${left} of ${neurons} neurons: ` +
          `of the ${points.y.length} points ${own.toFixed(3)} are right${fresh}.`,
        { drawn, epoch: trained.epoch, sha256: trained.sha256, own, onFresh },
      );
    }

    draw() {
      this.plane.draw(this.map, this.points);
      const { canvas } = this.plane;
      if (!canvas.matches(":focus-visible")) return;
      const [across, down] = this.plane.place(...this.cross.map((c) => c * EXTENT));
      const context = canvas.getContext("2d");
      context.fillStyle = getComputedStyle(canvas).color;
      context.fillRect(across - 16, down - 1, 32, 2);
      context.fillRect(across - 1, down - 16, 2, 32);
    }
  }

  /** Return the layers of a network that has only the first of its hidden neurons. */
  function withNeurons([weights, biases, after, last], count) {
    const [all, inputs, classes] = [biases.length, weights.length / biases.length, last.length];
    const kept = new Float32Array(inputs * count);
    for (let i = 0; i < inputs; i++) kept.set(weights.subarray(i * all, i * all + count), i * count);
    return [
      { weights: kept, biases: biases.slice(0, count) },
      { weights: after.slice(0, count * classes), biases: last },
    ];
  }

  const TRIALS = { last_bit: LastBit, playground: Playground };
  for (const place of document.querySelectorAll("div.trial")) new TRIALS[place.dataset.trial](place);
})();
