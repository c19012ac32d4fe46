// The button that trains a chapter's network again in the reader's browser.

(() => {
  const SIDE = 41; // points along each side of the map, each a square of so many pixels:
  const PIXELS = 6;
  const EXTENT = 1.15;
  const COLOURS = [[0, 114, 178], [213, 94, 0], [0, 158, 115]]; // of the classes, as in the figures
  const number = new Intl.NumberFormat("en");

  function element(kind, properties = {}, ...children) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...children);
    return made;
  }

  class Retrain {
    constructor(place) {
      this.start = JSON.parse(place.dataset.start);
      this.wanted = place.dataset.sha256;
      this.y = exact.decode(this.start.y);
      this.inputs = exact.decode(this.start.inputs);
      this.losses = [];
      this.build(place);
    }

    build(place) {
      const button = (text, action) =>
        element("button", { type: "button", textContent: text, onclick: action.bind(this) });
      this.go = button("Train this network in your browser", this.begin);
      this.rest = button("Pause", this.pause);
      this.stop = button("Cancel", this.cancel);
      this.bar = element("progress", { max: this.start.epochs, value: 0, ariaLabel: "epochs" });
      this.status = element("p", { className: "status" });
      this.result = element("p", { className: "result" });
      this.result.setAttribute("role", "status");
      this.curve = element("canvas", { width: 360, height: SIDE * PIXELS });
      this.curve.setAttribute("role", "img");
      this.curve.setAttribute("aria-label", "The loss, epoch by epoch.");
      this.canvases = element("div", { className: "canvases" }, this.curve);
      if (this.inputs.length === 2 * this.y.length) {
        this.map = element("canvas", { width: SIDE * PIXELS, height: SIDE * PIXELS });
        this.map.setAttribute("role", "img");
        this.map.setAttribute("aria-label", place.dataset.alt);
        this.canvases.prepend(this.map);
      }
      const buttons = element("p", {}, this.go, this.rest, this.stop);
      place.replaceChildren(buttons, this.bar, this.status, this.canvases, this.result);
      this.show(false);
    }

    show(running) {
      this.go.hidden = running;
      for (const part of [this.rest, this.stop, this.bar, this.status]) part.hidden = !running;
      this.canvases.hidden = !running && !this.losses.length;
      this.rest.textContent = "Pause";
    }

    begin() {
      this.losses = [];
      this.result.textContent = "";
      this.since = performance.now();
      this.trained = 0;
      const code = `${exactModule}\nexactModule().serve(self);`;
      const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      this.worker = new Worker(address);
      URL.revokeObjectURL(address);
      this.worker.onmessage = ({ data }) => this.report(data);
      this.worker.onerror = ({ message }) => {
        this.cancel();
        this.result.textContent = `Your browser could not do it: ${message}`;
      };
      this.worker.postMessage({ start: this.start, side: SIDE, extent: EXTENT });
      this.show(true);
      this.rest.focus();
    }

    pause() {
      const resting = this.rest.textContent === "Pause";
      this.rest.textContent = resting ? "Go on" : "Pause";
      this.worker.postMessage(resting ? { pause: true } : { resume: true });
      if (resting) return;
      this.since = performance.now(); // the speed is that since it went on
      this.trained = this.epoch || 0;
    }

    cancel() {
      this.end();
      this.losses = [];
      this.show(false);
      this.go.focus();
    }

    end() {
      this.worker.terminate();
      this.worker = null;
    }

    report({ epoch, loss, accuracy, map, sha256 }) {
      if (!this.worker) return;
      this.epoch = epoch;
      this.losses.push([epoch, loss]);
      this.bar.value = epoch;
      const speed = (1000 * (epoch - this.trained)) / (performance.now() - this.since);
      this.status.textContent =
        `epoch ${number.format(epoch)} of ${number.format(this.start.epochs)}, ` +
        `loss ${loss.toFixed(3)}, accuracy ${accuracy.toFixed(3)}, ` +
        `${number.format(Math.round(speed))} epochs a second`;
      this.drawCurve();
      if (map) this.drawMap(map);
      if (sha256) this.finish(sha256);
    }

    finish(sha256) {
      this.end();
      this.show(false);
      this.go.textContent = "Train it again";
      const same = sha256 === this.wanted;
      const verdict = same
        ? "The same fingerprint as this page's: every weight and bias has the same bits."
        : "Another fingerprint than this page's. Please report it: this should not happen.";
      const line = `${sha256} (${same ? "same" : "DIFFERENT"}), ${machine()}`;
      const copy = element("button", { type: "button", textContent: "Copy this line" });
      copy.onclick = async () => {
        await navigator.clipboard.writeText(line);
        copy.textContent = "Copied";
      };
      this.result.replaceChildren(verdict, element("br"), element("code", { textContent: line }), " ", copy);
      this.result.dataset.same = same;
      this.go.focus();
    }

    drawCurve() {
      const { width, height } = this.curve;
      const context = this.curve.getContext("2d");
      const highest = Math.max(...this.losses.map(([, loss]) => loss));
      context.clearRect(0, 0, width, height);
      context.strokeStyle = "#767676";
      context.strokeRect(0.5, 0.5, width - 1, height - 1);
      context.strokeStyle = `rgb(${COLOURS[0]})`;
      context.lineWidth = 2;
      context.beginPath();
      for (const [epoch, loss] of this.losses) {
        context.lineTo((width * epoch) / this.start.epochs, height * (1 - loss / highest));
      }
      context.stroke();
      context.fillStyle = getComputedStyle(this.curve).color;
      context.font = "12px sans-serif";
      context.fillText(`loss, from ${highest.toFixed(3)} down to 0`, 8, height - 24);
      context.fillText(`epochs, up to ${number.format(this.start.epochs)}`, 8, height - 8);
    }

    drawMap(predictions) {
      const { width, height } = this.map;
      const context = this.map.getContext("2d");
      const columns = predictions.length / SIDE ** 2;
      context.clearRect(0, 0, width, height);
      for (let i = 0; i < SIDE ** 2; i++) {
        const row = predictions.subarray(i * columns, (i + 1) * columns);
        const shares = columns === 1 ? [1 - row[0], row[0]] : row;
        const mixed = [0, 1, 2].map((c) => shares.reduce((sum, p, k) => sum + p * COLOURS[k][c], 0));
        context.fillStyle = `rgba(${mixed.map(Math.round)}, 0.45)`;
        const y = height - PIXELS * (Math.floor(i / SIDE) + 1);
        context.fillRect(PIXELS * (i % SIDE), y, PIXELS, PIXELS);
      }
      this.y.forEach((label, n) => {
        const [x, y] = [this.inputs[2 * n], this.inputs[2 * n + 1]];
        context.fillStyle = `rgb(${COLOURS[label]})`;
        context.beginPath();
        const place = (value, size) => (size * (1 + value / EXTENT)) / 2;
        context.arc(place(x, width), height - place(y, height), 2, 0, 2 * Math.PI);
        context.fill();
      });
    }
  }

  /** Return what is known of the browser and the processor. */
  function machine() {
    const { userAgentData, userAgent, hardwareConcurrency } = navigator;
    const brands = userAgentData?.brands?.filter(({ brand }) => !/not/i.test(brand)) ?? [];
    const named = brands.map(({ brand, version }) => `${brand} ${version}`);
    const browser = named.length ? named.join(", ") : userAgent;
    const system = userAgentData?.platform ?? navigator.platform;
    return `${browser} on ${system}, ${hardwareConcurrency} processors`;
  }

  for (const place of document.querySelectorAll("div.retrain")) new Retrain(place);
})();
