// The button that trains a chapter's network again in the reader's browser.

(() => {
  const { Curve, Plane, Runner, button, calm, element, measured } = trainer;

  class Retrain {
    constructor(place) {
      this.start = JSON.parse(place.dataset.start);
      this.wanted = place.dataset.sha256;
      const { inputs, y } = new exact.Training(this.start);
      this.points = { inputs: inputs.data, y };
      this.plane = inputs.columns === 2 ? new Plane(place.dataset.alt) : null;
      this.curve = new Curve("The loss, epoch by epoch.");
      this.runner = new Runner({
        label: "Train this network in your browser",
        starts: () => this.begin(),
        report: (data) => this.report(data),
        say: ({ runs }) => measured(runs[0]),
        cleared: () => (this.canvases.hidden = true),
        failed: (message) => (this.result.textContent = `Your browser could not do it: ${message}`),
      });
      const pictures = [this.plane, this.curve].filter(Boolean).map(({ canvas }) => canvas);
      this.canvases = element("div", { className: "canvases", hidden: true }, ...pictures);
      this.result = element("p", { className: "result" });
      this.result.setAttribute("role", "status");
      place.querySelector(".note").remove();
      place.append(...this.runner.parts, this.canvases, this.result);
    }

    begin() {
      this.losses = [];
      this.result.textContent = "";
      this.canvases.hidden = false;
      this.plane?.draw(null, this.points);
      return [this.start];
    }

    report({ epoch, done, runs: [{ loss, map, sha256 }] }) {
      this.losses.push([epoch, loss]);
      const highest = Math.max(...this.losses.map(([, value]) => value));
      const heights = this.losses.map(([at, value]) => [at, value / highest]);
      this.curve.draw(heights, this.start.epochs, `loss, from ${highest.toFixed(3)} down to 0`);
      if (done || !calm.matches) this.plane?.draw(map, this.points);
      if (done) this.finish(sha256);
    }

    finish(sha256) {
      const same = sha256 === this.wanted;
      const verdict = same
        ? "The same as this page's: every weight and bias has the same bits."
        : "Not the same as this page's. Please report it: this should not happen.";
      const line = `${sha256} (${same ? "same" : "DIFFERENT"}), ${machine()}`;
      const copy = button("Copy this line", async () => {
        await navigator.clipboard.writeText(line);
        copy.textContent = "Copied";
      });
      const code = element("code", { textContent: line });
      this.result.replaceChildren("Your browser's fingerprint: ", code, element("br"), verdict, " ", copy);
      this.result.dataset.same = same;
      this.runner.go.textContent = "Train it again";
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
