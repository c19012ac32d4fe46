// What the pages that train a network share: the worker, the buttons that steer it, and its pictures.

const trainer = (() => {
  const SIDE = 41; // points along each side of a map
  const EXTENT = 1.15; // how far a map reaches from the centre
  const COLOURS = [[0, 114, 178], [213, 94, 0], [0, 158, 115]]; // of the classes, as in the figures
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const number = new Intl.NumberFormat("en");

  function element(kind, properties = {}, ...children) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  }

  const button = (textContent, onclick) => element("button", { type: "button", textContent, onclick });

  /** Buttons, a bar and a line of text, and the worker that they steer. */
  class Runner {
    /**
     * @param {object} plan
     * @param {string} plan.label of the button that begins
     * @param {function(): object[]} plan.starts what to train, as `exact.Training` takes it
     * @param {function(object)} plan.report gets each report of the worker
     * @param {function(object)} plan.say says in words what a report has, after its epoch
     * @param {function()} [plan.cleared] after a training was cancelled
     * @param {function(string)} plan.failed gets what a browser says that cannot do it
     */
    constructor(plan) {
      this.plan = plan;
      this.go = button(plan.label, () => this.begin());
      this.rest = button("Pause", () => this.pause());
      this.stop = button("Cancel", () => this.cancel());
      this.bar = element("progress", { value: 0, ariaLabel: "epochs" });
      this.status = element("p", { className: "status" });
      this.parts = [element("p", {}, this.go, this.rest, this.stop), this.bar, this.status];
      this.show(false);
    }

    show(running) {
      const focused = [this.go, this.rest, this.stop].includes(document.activeElement);
      this.go.hidden = running;
      for (const part of [this.rest, this.stop, this.bar, this.status]) part.hidden = !running;
      this.rest.textContent = "Pause";
      if (focused) (running ? this.rest : this.go).focus();
    }

    begin() {
      this.worker?.terminate();
      const starts = this.plan.starts();
      const code = `${exactModule}\nexactModule().serve(self);`;
      const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      this.worker = new Worker(address); // from the page's own code, since a page may come from a file
      URL.revokeObjectURL(address);
      this.worker.onmessage = ({ data }) => this.report(data);
      this.worker.onerror = ({ message }) => {
        this.cancel();
        this.plan.failed?.(message);
      };
      this.bar.max = starts[0].epochs;
      this.bar.value = 0;
      this.status.textContent = "";
      this.begun = { time: performance.now(), epoch: 0 };
      this.worker.postMessage({ starts, side: SIDE, extent: EXTENT });
      this.show(true);
    }

    get running() {
      return Boolean(this.worker);
    }

    get resting() {
      return this.rest.textContent !== "Pause";
    }

    pause() {
      this.worker.postMessage(this.resting ? { resume: true } : { pause: true });
      this.rest.textContent = this.resting ? "Pause" : "Go on";
      this.begun = { time: performance.now(), epoch: this.bar.value }; // the speed is that since then
    }

    cancel() {
      this.end();
      this.plan.cleared?.();
    }

    end() {
      this.worker.terminate();
      this.worker = null;
      this.show(false);
    }

    report(data) {
      if (!this.worker) return;
      const { epoch, done } = data;
      const seconds = (performance.now() - this.begun.time) / 1000;
      const speed = (epoch - this.begun.epoch) / seconds;
      const left = Math.ceil((this.bar.max - epoch) / speed);
      this.bar.value = epoch;
      if (!this.resting) {
        this.status.textContent =
          `epoch ${number.format(epoch)} of ${number.format(this.bar.max)}, ${this.plan.say(data)}, ` +
          `${number.format(speed < 10 ? speed.toFixed(1) : Math.round(speed))} epochs a second, ` +
          `${number.format(left)} s to go`;
      }
      if (done) this.end();
      this.plan.report(data);
      const { worker } = this;
      requestAnimationFrame(() => worker?.postMessage({ seen: true })); // a slow page gets fewer reports
    }
  }

  const measured = ({ loss, accuracy }) => `loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(3)}`;

  /** A canvas with as many points for a pixel as a sharp screen has. */
  function canvas(width, height, label) {
    const made = element("canvas", { width: 2 * width, height: 2 * height });
    made.style.aspectRatio = `${width} / ${height}`;
    made.style.width = `${width}px`;
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", label);
    return made;
  }

  /** The plane: what a network answers where, and the points that it is trained on. */
  class Plane {
    constructor(label, size = 246) {
      this.canvas = canvas(size, size, label);
      this.tile = element("canvas", { width: SIDE, height: SIDE }); // a pixel for each point of the map
    }

    /** Show predictions of the map, if there are any, and points. */
    draw(predictions, { inputs, y }) {
      const context = this.canvas.getContext("2d");
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      if (predictions) {
        this.tile.getContext("2d").putImageData(picture(predictions), 0, 0);
        const edge = this.canvas.width / (2 * SIDE - 2); // a map's points lie on the edges
        context.drawImage(this.tile, -edge, -edge, this.canvas.width + 2 * edge, this.canvas.width + 2 * edge);
      }
      for (let i = 0; i < y.length; i++) this.mark(y[i], inputs[2 * i], inputs[2 * i + 1]);
    }

    /** Draw a point as the figures do: classes are discs, squares and rings. */
    mark(label, x, y, size = 4.5) {
      const context = this.canvas.getContext("2d");
      const [across, down] = this.place(x, y);
      context.fillStyle = context.strokeStyle = `rgb(${COLOURS[label]})`;
      context.lineWidth = size / 3;
      context.beginPath();
      if (label === 1) context.fillRect(across - size, down - size, 2 * size, 2 * size);
      else context.arc(across, down, size, 0, 2 * Math.PI);
      if (label === 0) context.fill();
      if (label === 2) context.stroke();
    }

    place(x, y) {
      const half = this.canvas.width / 2;
      return [half * (1 + x / EXTENT), half * (1 - y / EXTENT)];
    }
  }

  /** Mix the classes' colours by their probabilities, a pixel for each point of a map. */
  function picture(predictions) {
    const columns = predictions.length / SIDE ** 2;
    const image = new ImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE ** 2; i++) {
      const row = predictions.subarray(i * columns, (i + 1) * columns);
      const shares = columns === 1 ? [1 - row[0], row[0]] : row;
      const pixel = SIDE * (SIDE - 1 - Math.floor(i / SIDE)) + (i % SIDE); // a map begins below
      for (let c = 0; c < 3; c++) {
        image.data[4 * pixel + c] = shares.reduce((sum, p, k) => sum + p * COLOURS[k][c], 0);
      }
      image.data[4 * pixel + 3] = 115;
    }
    return image;
  }

  /** A curve over the epochs. */
  class Curve {
    constructor(label) {
      this.canvas = canvas(360, 246, label);
    }

    /**
     * @param {number[][]} points pairs of epoch and height, from 0 to 1
     * @param {number} epochs the last one of the axis
     * @param {string} text what the heights mean
     */
    draw(points, epochs, text) {
      const { width, height } = this.canvas;
      const context = this.canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      context.lineWidth = 2;
      context.strokeStyle = "#767676";
      context.strokeRect(1, 1, width - 2, height - 2);
      context.lineWidth = 4;
      context.strokeStyle = `rgb(${COLOURS[0]})`;
      context.beginPath();
      for (const [epoch, y] of points) context.lineTo((width * epoch) / epochs, height - 2 - (height - 6) * y);
      context.stroke();
      context.fillStyle = getComputedStyle(this.canvas).color;
      context.font = "24px sans-serif";
      context.fillText(text, 16, height - 48);
      context.fillText(`epochs, up to ${number.format(epochs)}`, 16, height - 16);
    }
  }

  return { Curve, EXTENT, Plane, Runner, SIDE, button, calm, element, measured, number };
})();
