// Things to move: each is a few lines over one small kit. What they show is computed by the book's own
// arithmetic (exact.js), so that it is what the chapters compute.

(() => {
  const [BLUE, ORANGE, GREEN, GREY] = ["#0072b2", "#d55e00", "#009e73", "#767676"];
  const { f32 } = exact;

  // --- The kit ------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";

  function node(kind, attributes = {}, ...children) {
    const drawn = ["svg", "path", "circle", "rect", "text"].includes(kind);
    const made = drawn ? document.createElementNS(SVG, kind) : document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const signed = (number) => String(number).replace("-", "\u2212");

  /** Axes, with a grid at the ticks, on which things are drawn in the units of the data. */
  class Plot {
    constructor({ x, y, xTicks = x, yTicks = y, xLabel = "", yLabel = "", height = 220 }) {
      const [width, left, right, top, bottom] = [360, 36, 20, 26, 38];
      const [w, h] = [width - left - right, height - top - bottom];
      this.x = (value) => left + (w * (value - x[0])) / (x[1] - x[0]);
      this.y = (value) => top + h - (h * (value - y[0])) / (y[1] - y[0]);
      this.svg = node("svg", { viewBox: `0 0 ${width} ${height}` });
      // What lies outside of the axes is cut off, but for half a dot.
      const frame = { x: left - 5, y: top - 5, width: w + 10, height: h + 10 };
      const viewBox = Object.values(frame).join(" ");
      this.inside = node("svg", { ...frame, viewBox });
      this.svg.append(this.inside);
      for (const at of xTicks) {
        this.line([[at, y[0]], [at, y[1]]], GREY, at === x[0] ? 1 : 0.3);
        this.label(this.x(at), top + h + 16, signed(at), "middle");
      }
      for (const at of yTicks) {
        this.line([[x[0], at], [x[1], at]], GREY, at === y[0] ? 1 : 0.3);
        this.label(left - 6, this.y(at) + 4, signed(at), "end");
      }
      this.label(left + w / 2, height - 5, xLabel, "middle");
      this.label(4, 13, yLabel, "start");
    }

    line(points, stroke, width = 2, dashes = "none") {
      const places = points.map(([x, y]) => `${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`);
      const style = { fill: "none", stroke, "stroke-width": width, "stroke-dasharray": dashes };
      this.inside.append(node("path", { d: `M${places.join("L")}`, ...style }));
    }

    dot(x, y, fill) {
      this.inside.append(node("circle", { cx: this.x(x), cy: this.y(y), r: 4.5, fill }));
    }

    bar(x, width, y, fill) {
      const [left, top] = [this.x(x - width / 2), this.y(y)];
      const size = { width: this.x(x + width / 2) - left, height: this.y(0) - top };
      this.inside.append(node("rect", { x: left, y: top, ...size, fill }));
    }

    /** Write next to a place that is given in the units of the data. */
    note(x, y, text, dx = 0, dy = -8, anchor = "middle") {
      this.label(this.x(x) + dx, this.y(y) + dy, text, anchor);
    }

    label(x, y, text, anchor) {
      const style = { "text-anchor": anchor, "font-size": 13, fill: "currentColor" };
      this.svg.append(node("text", { x, y, ...style }, text));
    }
  }

  /** Make a control: buttons that count, a slider, a choice, or a field for a number. */
  function control(spec, moved) {
    if (spec.actions) {
      let count = 0;
      const set = (value) => (count = Math.min(Math.max(Math.trunc(value) || 0, 0), spec.most));
      const buttons = spec.actions.map(([text, step]) => {
        const button = node("button", { type: "button" }, text);
        button.onclick = () => moved(set(count + step));
        return button;
      });
      return { parts: buttons, set, get: () => count };
    }
    const ranged = spec.max !== undefined;
    const { label, min, max, step } = spec;
    const attributes = { "aria-label": label, ...(ranged && { type: "range", min, max, step }) };
    const field = node(spec.options ? "select" : "input", attributes);
    for (const option of spec.options ?? []) field.append(node("option", {}, option));
    if (!ranged) Object.assign(field, { inputMode: "decimal", autocomplete: "off" });
    const shown = node("b");
    const get = () => (ranged ? Number(field.value) : field.value);
    const tell = () => (shown.textContent = ranged ? signed(field.value) : "");
    const set = (value) => {
      field.value = value;
      if (!field.value) field.value = spec.value; // what the field does not take
      tell();
    };
    field.oninput = () => moved(tell());
    return { parts: [node("label", {}, label, " ", shown, field)], set, get };
  }

  /** Build a widget: its controls, its picture, and a sentence that says in words what one sees. */
  function build(place, { controls, show }) {
    const name = place.dataset.explore;
    const data = JSON.parse(place.dataset.values);
    const specs = typeof controls === "function" ? controls(data) : controls;
    const picture = node("div", { class: "picture", "aria-hidden": "true" });
    const words = node("p", { class: "words", "aria-live": "polite" });
    const made = specs.map((spec) => control(spec, () => update(true)));

    function update(moved) {
      const state = Object.fromEntries(specs.map(({ key }, i) => [key, made[i].get()]));
      const { plots, text, values } = show(state, data);
      picture.replaceChildren(...plots.map((plot) => plot.svg));
      words.textContent = text;
      place.dataset.shown = JSON.stringify(values);
      if (!moved) return;
      const entries = Object.entries(state).map(([key, value]) => [`${name}.${key}`, value]);
      pageAddress.set(Object.fromEntries(entries));
    }

    const again = node("button", { type: "button", class: "again" }, "Start again");
    again.onclick = () => {
      made.forEach((one, i) => one.set(specs[i].value));
      update(true);
    };
    const given = specs.map(({ key }) => pageAddress.get(`${name}.${key}`));
    made.forEach((one, i) => one.set(given[i] ?? specs[i].value));
    const panel = node("div", { class: "panel" }, ...made.flatMap(({ parts }) => parts), again);
    place.replaceChildren(panel, picture, words);
    update(false);
    if (given.some((value) => value !== null)) {
      addEventListener("load", () => place.scrollIntoView({ block: "center" }));
    }
  }

  const slider = (key, label, min, max, step, value) => ({ key, label, min, max, step, value });
  const range = (from, to, points) =>
    Array.from({ length: points }, (_, i) => f32(from + ((to - from) * i) / (points - 1)));

  // --- What there is to move ------------------------------------------------------------------------

  const neuron = {
    controls: [slider("weight", "weight", -8, 8, 0.1, 2.3), slider("bias", "bias", -8, 8, 0.1, -0.7)],
    show({ weight, bias }) {
      const output = (x) => exact.sigmoid(f32(f32(f32(weight) * x) + f32(bias)));
      const plot = new Plot({
        x: [-3, 4], y: [0, 1], xTicks: [-3, -2, -1, 0, 1, 2, 3, 4], yTicks: [0, 0.5, 1],
        xLabel: "input", yLabel: "output",
      });
      plot.line(range(-3, 4, 211).map((x) => [x, output(x)]), BLUE);
      const [at0, at1] = [output(0), output(1)];
      [at0, at1].forEach((y, x) => {
        plot.line([[x, 0], [x, y], [-3, y]], ORANGE, 1, "4 3");
        plot.dot(x, y, ORANGE);
        plot.note(x, y, y.toFixed(3), 8, 14, "start");
      });
      const half = weight ? ` It passes one half at the input ${signed((-bias / weight).toFixed(2))}.` : "";
      const text = `The output is ${at0.toFixed(3)} at the input 0 and ${at1.toFixed(3)} at 1.${half}`;
      return { plots: [plot], text, values: [at0, at1] };
    },
  };

  const price = {
    controls: [slider("probability", "probability given to what happened", 0.01, 0.99, 0.01, 0.6)],
    show({ probability }) {
      const loss = (p) => -exact.log(f32(p));
      const plot = new Plot({
        x: [0, 1], y: [0, 6], xTicks: [0, 0.25, 0.5, 0.75, 1], yTicks: [0, 2, 4, 6],
        xLabel: "probability given to what happened", yLabel: "price",
      });
      plot.line(range(0.0025, 1, 400).map((p) => [p, loss(p)]), BLUE);
      const p = f32(probability);
      const [here, slope] = [loss(p), f32(-1 / p)];
      const reach = Math.min(0.2, 0.9 / -slope);
      plot.line([[p, 0], [p, here], [0, here]], ORANGE, 1, "4 3");
      plot.line([-reach, reach].map((d) => [p + d, here + slope * d]), ORANGE);
      plot.dot(p, here, ORANGE);
      const text =
        `The price is ${here.toFixed(3)}, and its slope is ${signed(slope.toFixed(2))}: ` +
        `a hundredth less would cost about ${(-slope / 100).toFixed(3)} more.`;
      return { plots: [plot], text, values: [here, slope] };
    },
  };

  const softmax = {
    controls: [
      slider("first", "first logit", -5, 5, 0.5, 2),
      slider("second", "second logit", -5, 5, 0.5, 1),
      slider("third", "third logit", -5, 5, 0.5, -1),
      slider("temperature", "temperature", 0.25, 8, 0.25, 1),
    ],
    show({ first, second, third, temperature }) {
      const logits = Float32Array.of(first, second, third).map((z) => z / temperature);
      const shares = Array.from(exact.softmax(new exact.Matrix(1, 3, logits)).data);
      const plot = new Plot({
        x: [0.4, 3.6], y: [0, 1], xTicks: [1, 2, 3], yTicks: [0, 0.5, 1],
        xLabel: "class", yLabel: "probability",
      });
      shares.forEach((p, k) => {
        plot.bar(k + 1, 0.6, p, [BLUE, ORANGE, GREEN][k]);
        plot.note(k + 1, p, p.toFixed(3));
      });
      const text = `The three probabilities are ${shares.map((p) => p.toFixed(3)).join(", ")}.`;
      return { plots: [plot], text, values: shares };
    },
  };

  const valley = {
    controls: [
      slider("rate", "learning rate", 0.05, 4, 0.05, 0.3),
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
      const ticks = [-4, -2, 0, 2, 4];
      const bowl = new Plot({
        x: [-4, 4], y: [0, 8], xTicks: ticks, yTicks: [0, 4, 8], xLabel: "parameter", yLabel: "loss",
      });
      const time = new Plot({
        x: [0, steps], y: [-4, 4], xTicks: [0, 10, 20, steps], yTicks: ticks,
        xLabel: "step", yLabel: "parameter",
      });
      bowl.line(range(-4, 4, 81).map((w) => [w, loss(w)]), GREY, 1);
      const left = path.findIndex((w) => Math.abs(w) > 4) + 1; // the first place outside, if there is one
      const seen = left ? path.slice(0, left) : path;
      for (const [plot, point] of [[bowl, (w) => [w, loss(w)]], [time, (w, t) => [t, w]]]) {
        plot.line(seen.map(point), BLUE, 1);
        seen.map(point).forEach(([x, y], t) => plot.dot(x, y, t ? BLUE : ORANGE));
      }
      const end = path[steps];
      const far = Math.abs(end) > 3 ? "It runs away." : Math.abs(end) < 0.03 ? "It has arrived." : "";
      const text = `After ${steps} steps from \u22123 the parameter is ${signed(end.toPrecision(3))}. ${far}`;
      return { plots: [bowl, time], text, values: path };
    },
  };

  /** A repeatable order of so many things, another one for each number of a shuffle; 0 leaves them. */
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
    controls: [
      { key: "shuffles", actions: [["Shuffle", 1], ["Shuffle 20 times", 20]], most: 500, value: 0 },
    ],
    show({ shuffles }, { numbers }) {
      const given = exact.decode(numbers);
      const found = []; // for each order: the sum one after the other, and by total
      let running;
      for (let shuffle = 0; shuffle <= shuffles; shuffle++) {
        const terms = Float32Array.from(order(given.length, shuffle), (i) => given[i]);
        let sum = f32(0);
        running = terms.map((x) => (sum = f32(sum + x)));
        found.push([sum, exact.total(new exact.Matrix(terms.length, 1, terms), 0).data[0]]);
      }
      const [last, grid] = found[shuffles];
      const unit = exact.twoTo(exact.exponent(Math.abs(grid)) - 24);
      const counts = new Map();
      for (const [sum] of found) {
        const off = (sum - grid) / unit;
        counts.set(off, (counts.get(off) ?? 0) + 1);
      }
      const highest = Math.max(...running.map(Math.abs));
      const way = new Plot({
        x: [0, given.length], y: [-highest, highest].map(Math.round), yTicks: [0],
        xLabel: "numbers added", yLabel: "sum so far, in this order",
      });
      way.line(Array.from(running, (y, i) => [i + 1, y]), BLUE, 1);
      const side = Math.max(10, ...[...counts.keys()].map(Math.abs));
      const most = Math.max(5, ...counts.values());
      const ends = new Plot({
        x: [-side - 1, side + 1], xTicks: [-side, 0, side], y: [0, most],
        xLabel: "units in the last place from total's sum", yLabel: "orders",
      });
      counts.forEach((count, off) => ends.bar(off, 0.8, count, BLUE));
      ends.line([[0, 0], [0, most]], ORANGE);
      const grids = new Set(found.map(([, onGrid]) => onGrid));
      const text =
        `In this order, one after the other, the sum is ${signed(last.toPrecision(9))}; by total it is ` +
        `${signed(grid.toPrecision(9))}. Different sums in ${found.length} order${shuffles ? "s" : ""} ` +
        `so far: ${counts.size} one after the other, ${grids.size} by total.`;
      return { plots: [way, ends], text, values: [last, grid, grids.size] };
    },
  };

  // --- Is my number a bug? --------------------------------------------------------------------------

  /** Round as Python prints: to the nearest decimal, and from the middle to the even digit. */
  function rounded(x, decimals) {
    const up = x.toFixed(decimals); // from the middle it goes up
    const dropped = x.toFixed(100).split(".")[1].slice(decimals);
    const down = /^50*$/.test(dropped) && "13579".includes(up.at(-1));
    return Number(down ? (up - 10 ** -decimals).toFixed(decimals) : up);
  }

  const BARS = 60;

  /** Draw how many runs end where, and a number among them. */
  function crowd(runs, number, xLabel) {
    const [low, high] = [Math.min(...runs), Math.max(...runs)];
    const width = (high - low || 0.001) / BARS;
    const counts = Array(BARS + 1).fill(0);
    for (const x of runs) counts[Math.floor((x - low) / width)] += 1;
    counts[BARS - 1] += counts.pop(); // the highest run
    const [from, to] = [Math.min(low, number ?? low), Math.max(high, number ?? high)];
    const edge = (to - from || 0.001) / 20;
    const plot = new Plot({
      x: [from - edge, to + edge], y: [0, Math.max(...counts)], xTicks: [], xLabel, yLabel: "runs",
    });
    counts.forEach((count, i) => plot.bar(low + (i + 0.5) * width, 0.85 * width, count, BLUE));
    for (const x of [low, high]) plot.note(x, 0, x.toFixed(3), 0, 16);
    if (number !== null) {
      plot.line([[number, 0], [number, Math.max(...counts)]], ORANGE, 2);
      plot.note(number, Math.max(...counts), "yours");
    }
    return plot;
  }

  const bug = {
    controls: (data) => [
      { key: "training", label: "training", options: Object.keys(data), value: Object.keys(data)[0] },
      { key: "figure", label: "figure", options: Object.keys(Object.values(data)[0]), value: "loss" },
      { key: "printed", label: "what your run printed", value: "0.217" },
    ],
    show({ training, figure, printed }, data) {
      const runs = data[training][figure];
      const read = /^\s*(\d*)[.,]?(\d{0,20})\s*$/.exec(printed);
      if (!read || !(read[1] + read[2])) {
        const text = "Type a number, such as 0.217, as your run has printed it.";
        return { plots: [crowd(runs, null, figure)], text, values: null };
      }
      const [number, decimals] = [Number(`${read[1]}.${read[2]}0`), read[2].length];
      const all = runs.map((x) => rounded(x, decimals));
      const below = all.filter((x) => x < number).length;
      const above = all.filter((x) => x > number).length;
      const p = Math.min(1, (2 * (1 + runs.length - Math.max(below, above))) / (runs.length + 1));
      const verdict =
        p < 0.05
          ? "That is rare: fewer than one honest run in twenty ends so far out. Look for a mistake " +
            "before you believe in luck."
          : "That is no sign of a mistake. It does not clear your program either.";
      const few = 2 / (runs.length + 1) < 0.05 ? "" : " (So few runs can call no number rare.)";
      const text = `Of ${runs.length} runs ${below} are below and ${above} above. ${verdict}${few}`;
      return { plots: [crowd(runs, number, figure)], text, values: [below, above, p] };
    },
  };

  const WIDGETS = { neuron, price, softmax, valley, sums, bug };
  for (const place of document.querySelectorAll("div.explore")) {
    build(place, WIDGETS[place.dataset.explore]);
  }
})();
