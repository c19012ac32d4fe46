// Things to move: each is a few lines over one small kit. What they show is computed by the book's own
// arithmetic (exact.js), so that it is what the chapters compute.

(() => {
  const BLUE = "#0072b2", ORANGE = "#d55e00", GREY = "#767676";
  const COLOURS = [BLUE, ORANGE, "#009e73"];
  const { f32 } = exact;

  // --- The kit ------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";

  function node(kind, attributes = {}, ...children) {
    const space = ["svg", "path", "line", "circle", "rect", "text"].includes(kind) ? SVG : null;
    const made = space ? document.createElementNS(space, kind) : document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** Axes from lowest to highest, on which things are drawn in the units of the data. */
  class Plot {
    constructor([left, right], [bottom, top], { xLabel = "", yLabel = "", height = 220 } = {}) {
      const [width, edge] = [420, 34];
      this.x = (x) => edge + ((width - edge - 8) * (x - left)) / (right - left);
      this.y = (y) => height - edge - ((height - edge - 12) * (y - bottom)) / (top - bottom);
      this.svg = node("svg", { viewBox: `0 0 ${width} ${height}`, role: "presentation" });
      this.line([[left, bottom], [right, bottom]], GREY, 1);
      this.line([[left, bottom], [left, top]], GREY, 1);
      this.label(left, bottom, String(left), 0, 14, "middle");
      this.label(right, bottom, String(right), 6, 14, "end");
      for (const y of yLabel ? [bottom, top] : []) this.label(left, y, String(y), -4, 4, "end");
      this.label((left + right) / 2, bottom, xLabel, 0, 28, "middle");
      this.label(left, top, yLabel, 6, 2, "start");
    }

    line(points, colour, width = 2) {
      const inside = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
      const d = inside.map(([x, y], i) => `${i ? "L" : "M"}${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`);
      this.svg.append(node("path", { d: d.join(""), fill: "none", stroke: colour, "stroke-width": width }));
    }

    dot(x, y, colour) {
      this.svg.append(node("circle", { cx: this.x(x), cy: this.y(y), r: 4, fill: colour }));
    }

    bar(x, width, y, colour) {
      const [left, top, bottom] = [this.x(x - width / 2), this.y(y), this.y(0)];
      const size = { x: left, y: top, width: this.x(x + width / 2) - left, height: bottom - top };
      this.svg.append(node("rect", { ...size, fill: colour }));
    }

    label(x, y, text, dx, dy, anchor) {
      const place = { x: this.x(x) + dx, y: this.y(y) + dy, "text-anchor": anchor };
      this.svg.append(node("text", { ...place, "font-size": 12, fill: "currentColor" }, text));
    }
  }

  /** The state of a widget as the page's address has it, and back. */
  function fromAddress(name) {
    const found = location.hash.slice(1).split("&").find((part) => part.startsWith(`${name}=`));
    const pairs = found ? decodeURIComponent(found.slice(name.length + 1)).split(",") : [];
    return Object.fromEntries(pairs.map((pair) => pair.split(":")));
  }

  function toAddress(name, state) {
    const others = location.hash.slice(1).split("&").filter((p) => p && !p.startsWith(`${name}=`));
    const own = `${name}=${Object.entries(state).map((pair) => pair.join(":")).join(",")}`;
    history.replaceState(null, "", `#${[...others, own].join("&")}`);
  }

  /** Build a widget: its controls, its picture, and a sentence that says in words what one sees. */
  function build(place, { controls, show }) {
    const name = place.dataset.explore;
    const data = JSON.parse(place.dataset.values);
    const stored = fromAddress(name);
    const state = {};
    const picture = node("div", { class: "picture", "aria-hidden": "true" });
    const words = node("p", { class: "words", "aria-live": "polite" });
    const panel = node("div", { class: "panel" });

    function update(moved) {
      const { plots, text, values } = show(state, data);
      picture.replaceChildren(...plots.map((plot) => plot.svg));
      words.textContent = text;
      place.dataset.shown = JSON.stringify(values);
      if (moved) toAddress(name, state);
    }

    for (const control of typeof controls === "function" ? controls(data) : controls) {
      const { key, label, options, value } = control;
      state[key] = key in stored ? (typeof value === "number" ? Number(stored[key]) : stored[key]) : value;
      if (control.action) {
        const button = node("button", { type: "button" }, label);
        button.onclick = () => {
          state[key] += 1;
          update(true);
        };
        panel.append(button);
        continue;
      }
      const ranged = control.max !== undefined;
      const field = node(options ? "select" : "input", { "aria-label": label });
      if (options) field.append(...options.map((option) => node("option", {}, option)));
      else if (ranged) {
        const { min, max, step } = control;
        for (const pair of Object.entries({ type: "range", min, max, step })) field.setAttribute(...pair);
      } else field.inputMode = "decimal";
      field.value = state[key];
      const shown = node("span", {}, ranged ? String(state[key]) : "");
      field.oninput = () => {
        state[key] = ranged ? Number(field.value) : field.value;
        if (ranged) shown.textContent = field.value;
        update(true);
      };
      panel.append(node("label", {}, label, " ", shown, field));
    }
    place.replaceChildren(panel, picture, words);
    update(false);
  }

  const slider = (key, label, min, max, step, value) => ({ key, label, min, max, step, value });
  const range = (from, to, points) =>
    Array.from({ length: points }, (_, i) => f32(from + ((to - from) * i) / (points - 1)));

  // --- What there is to move ------------------------------------------------------------------------

  const neuron = {
    controls: [slider("weight", "weight", -8, 8, 0.5, 2), slider("bias", "bias", -8, 8, 0.5, -1)],
    show({ weight, bias }) {
      const output = (x) => exact.sigmoid(f32(f32(weight * x) + bias));
      const plot = new Plot([-4, 4], [0, 1], { xLabel: "input", yLabel: "output" });
      plot.line(range(-4, 4, 161).map((x) => [x, output(x)]), BLUE);
      const [at0, at1] = [output(0), output(1)];
      plot.dot(0, at0, ORANGE);
      plot.dot(1, at1, ORANGE);
      const half = weight ? `It passes one half at the input ${(-bias / weight).toFixed(2)}.` : "";
      const text = `Output ${at0.toFixed(3)} at 0 and ${at1.toFixed(3)} at 1. ${half}`;
      return { plots: [plot], text, values: [at0, at1] };
    },
  };

  const price = {
    controls: [slider("probability", "probability given to what happened", 0.01, 0.99, 0.01, 0.5)],
    show({ probability }) {
      const loss = (p) => -exact.log(f32(p));
      const plot = new Plot([0, 1], [0, 5], { xLabel: "probability", yLabel: "loss" });
      plot.line(range(0.007, 1, 150).map((p) => [p, loss(p)]), BLUE);
      const p = f32(probability);
      const [here, slope] = [loss(p), f32(-1 / p)];
      const tangent = [-0.15, 0.15].map((d) => [p + d, here + slope * d]);
      plot.line(tangent.filter(([x, y]) => x > 0 && x < 1 && y > 0 && y < 5), ORANGE);
      plot.dot(p, here, ORANGE);
      const text = `The loss is ${here.toFixed(3)}, and its gradient ${slope.toFixed(3)}.`;
      return { plots: [plot], text, values: [here, slope] };
    },
  };

  const softmax = {
    controls: [
      slider("first", "logit of class 0", -5, 5, 0.5, 2),
      slider("second", "logit of class 1", -5, 5, 0.5, 1),
      slider("third", "logit of class 2", -5, 5, 0.5, 0),
      slider("temperature", "temperature", 0.25, 8, 0.25, 1),
    ],
    show({ first, second, third, temperature }) {
      const logits = Float32Array.of(first, second, third).map((z) => z / temperature);
      const shares = Array.from(exact.softmax(new exact.Matrix(1, 3, logits)).data);
      const plot = new Plot([-0.5, 2.5], [0, 1], { xLabel: "class 0, 1 and 2", yLabel: "probability" });
      shares.forEach((p, k) => plot.bar(k, 0.6, p, COLOURS[k]));
      const text = `Probabilities ${shares.map((p) => p.toFixed(3)).join(", ")}.`;
      return { plots: [plot], text, values: shares };
    },
  };

  const valley = {
    controls: [
      slider("rate", "learning rate", 0.05, 2.2, 0.05, 0.3),
      slider("momentum", "momentum", 0, 0.95, 0.05, 0),
    ],
    show({ rate, momentum }) {
      const [steps, path] = [30, [f32(-3)]];
      let last = f32(0);
      for (let t = 0; t < steps; t++) {
        const w = path[t]; // the loss is w * w / 2, so that the gradient is w
        last = f32(f32(f32(momentum) * last) - f32(f32(rate) * w));
        path.push(f32(w + last));
      }
      const loss = (w) => (w * w) / 2;
      const bowl = new Plot([-4, 4], [0, 8], { xLabel: "parameter", yLabel: "loss" });
      bowl.line(range(-4, 4, 81).map((w) => [w, loss(w)]), GREY, 1);
      const inside = path.filter((w) => Math.abs(w) <= 4);
      bowl.line(inside.map((w) => [w, loss(w)]), BLUE, 1);
      inside.forEach((w) => bowl.dot(w, loss(w), BLUE));
      const end = path[steps];
      const far = Math.abs(end) > 3 ? "It has run away." : Math.abs(end) < 0.03 ? "It has arrived." : "";
      const text = `After ${steps} steps from -3 the parameter is ${end.toPrecision(3)}. ${far}`;
      return { plots: [bowl], text, values: path };
    },
  };

  /** A repeatable order of so many things, another one for each number of a shuffle. */
  function order(size, shuffle) {
    const places = Array.from({ length: size }, (_, i) => i);
    let state = (shuffle * 2654435761) >>> 0;
    for (let i = size - 1; i > 0 && shuffle; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((state / 2 ** 32) * (i + 1));
      [places[i], places[j]] = [places[j], places[i]];
    }
    return places;
  }

  const sums = {
    controls: [{ key: "shuffle", label: "Shuffle", action: true, value: 0 }],
    show({ shuffle }, { numbers }) {
      const terms = order(numbers.length, shuffle).map((i) => f32(numbers[i]));
      let inOrder = f32(0);
      const running = terms.map((x) => (inOrder = f32(inOrder + x)));
      const grid = exact.total(new exact.Matrix(terms.length, 1, Float32Array.from(terms)), 0).data[0];
      const highest = Math.ceil(Math.max(...running.map(Math.abs), 1));
      const plot = new Plot([0, terms.length], [-highest, highest], { xLabel: "terms added", yLabel: "sum so far" });
      plot.line(running.map((y, i) => [i + 1, y]), BLUE, 1);
      const text =
        `Order number ${shuffle}: one after the other in float32 the ${terms.length} numbers give ` +
        `${inOrder.toPrecision(9)}, on the grid ${grid.toPrecision(9)}.`;
      return { plots: [plot], text, values: [inOrder, grid] };
    },
  };

  // --- Is my number a bug? --------------------------------------------------------------------------

  const bug = {
    controls: (data) => [
      { key: "training", label: "training", options: Object.keys(data), value: Object.keys(data)[0] },
      { key: "quantity", label: "quantity", options: Object.keys(Object.values(data)[0]), value: "loss" },
      { key: "printed", label: "your number", value: "0.261" },
    ],
    show({ training, quantity, printed }, data) {
      const runs = data[training][quantity];
      const [low, high] = [Math.min(...runs), Math.max(...runs)];
      const margin = (high - low) * 0.3 || 1;
      const [left, right] = [low - margin, high + margin].map((x) => Number(x.toFixed(3)));
      const plot = new Plot([left, right], [0, 1], { xLabel: `${quantity} of ${runs.length} runs`, height: 110 });
      runs.forEach((x) => plot.line([[x, 0], [x, 0.8]], BLUE, 0.6));
      const number = Number(printed);
      if (!/^\s*-?\d*\.?\d+\s*$/.test(printed)) {
        return { plots: [plot], text: "Type the number that your run has printed.", values: null };
      }
      const decimals = (printed.trim().split(".")[1] ?? "").length;
      const rounded = runs.map((x) => Number(x.toFixed(decimals)));
      const below = rounded.filter((x) => x < number).length;
      const above = rounded.filter((x) => x > number).length;
      const p = Math.min(1, (2 * (1 + runs.length - Math.max(below, above))) / (runs.length + 1));
      if (number >= left && number <= right) plot.line([[number, 0], [number, 1]], ORANGE, 3);
      const verdict = p < 0.05
        ? "That is rare: fewer than one honest run in twenty ends so far out. Look for a mistake first."
        : "That is an ordinary number, and no sign of a mistake. It does not clear your program either.";
      const text = `Of ${runs.length} runs ${below} are below and ${above} above. ${verdict}`;
      return { plots: [plot], text, values: [below, above, p] };
    },
  };

  const WIDGETS = { neuron, price, softmax, valley, sums, bug };
  for (const place of document.querySelectorAll("div.explore")) {
    build(place, WIDGETS[place.dataset.explore]);
  }
})();
