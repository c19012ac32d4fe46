"""Train the pages' networks once more in every browser at hand, and keep the fingerprints.

    python -m tools.browsers            # print a table; with three of them most of ten minutes
    python -m tools.browsers --write    # and keep it for the book

A page that offers to train its network again holds all that is needed for it. Here each of them is
trained in Chromium, in Firefox and in Node, as far as these are found, and what comes out is compared
with the page. Small slips are then planted into the module that they run, and of each is said when
the weights begin to differ.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from tools import firefox

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "nnfs_book/records/browsers.json"
PROCESSORS = {"x86_64": "x86-64", "AMD64": "x86-64", "aarch64": "ARM64", "arm64": "ARM64"}

sys.path.insert(0, str(ROOT / "book/_ext"))
from exact import bundled  # noqa: E402

TRAIN = """(start) => {
    const training = new exact.Training(start);
    while (training.epoch < training.epochs) training.advance();
    return training.sha256;
}"""
COMPARE = """([start, epochs]) => {
    const [right, wrong] = [exact, slipped].map((module) => new module.Training(start));
    while (right.epoch < epochs) {
        for (const training of [right, wrong]) training.advance();
        if (right.sha256 !== wrong.sha256) return right.epoch;
    }
    return null;
}"""
EPOCHS = 1001  # for which a training with a slip is compared with the right one
# What is done otherwise, the lines of the module, and what stands in their place.
SLIPS = {
    "ReLU lets the gradient at zero through": ("z.data[i] > 0 ?", "z.data[i] >= 0 ?"),
    "1 - beta of a beta that is rounded": ("f32(1 - this.beta1)", "f32(1 - f32(this.beta1))"),
    "one rounding less in a step of Adam": (
        "f32(f32(down * f32(m / correction1)) / root)",
        "f32(f32(down * (m / correction1)) / root)",
    ),
    "the sigmoid as 1/(1 + e^-z)": (
        "f32((z < 0 ? r : 1) / f32(1 + r))",
        "f32(1 / f32(1 + exp(-z)))",
    ),
    "one bit more for the factors of a sum": ("Math.floor(room / 2)", "Math.floor(room / 2) + 1"),
    "log rounded to float64 and then to float32": (
        "return roundSum(k * LN2[0] + f, s * series + k * LN2[1] - half);",
        "return f32(k * LN2[0] + f + (s * series + k * LN2[1] - half));",
    ),
}


class Offers(HTMLParser):
    """The trainings that a piece of HTML offers: the attributes of each."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if dict(attributes).get("class") == "retrain":
            self.found.append(dict(attributes))


def offers():
    """Return what each chapter offers to train again: its name, the start, the fingerprint."""
    found = {}
    for path in sorted(ROOT.glob("book/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                for offer in Offers(output.get("data", {}).get("text/html", "")).found:
                    found[path.stem] = json.loads(offer["data-start"]), offer["data-sha256"]
    return found


def module():
    """Return the module's code, as a page has it."""
    return bundled(ROOT / "book/_static/exact")


def with_slip(old, new):
    """Return the module's code with a slip in it, under the name `slipped` in place of `exact`."""
    code = module()
    if old not in code:
        raise ValueError(f"the module has no line with {old!r}")
    names = (old, new), ("exactModule", "slippedModule"), ("globalThis.exact", "globalThis.slipped")
    for one, other in names:
        code = code.replace(one, other)
    return code


class Node:
    """Node, called as if it were a page."""

    def __init__(self, program):
        self.program, self.code = program, ""

    def add_script_tag(self, content):
        self.code += content

    def evaluate(self, script, argument=None):
        code = f"{self.code}\nconsole.log(JSON.stringify(({script})({json.dumps(argument)})))"
        done = subprocess.run(
            [self.program, "-"], input=code, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)


@contextmanager
def chromium(program):
    """Open an empty page of Chromium; yield its name and the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield f"Chromium {browser.version.partition('.')[0]}", browser.new_page()
        browser.close()


@contextmanager
def gecko(program):
    """Open an empty page of Firefox; yield its name and the page."""
    with firefox.Firefox(program) as window:
        yield f"Firefox {window.version.partition('.')[0]}", window


@contextmanager
def node(program):
    """Yield the name of a Node, and it as a page."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    yield f"Node {version.stdout.strip('v').partition('.')[0]}", Node(program)


def browsers():
    """Yield those that are found here: how to open it, and its program."""
    yield chromium, shutil.which("chromium")
    yield gecko, firefox.found()
    yield node, shutil.which("node")


def report(say=print):
    """Train everything everywhere; return the rows of the record."""
    rows, slips, all_offers = [], {}, offers()
    for opened, program in browsers():
        if program is None:
            continue
        with opened(program) as (name, page):
            page.add_script_tag(content=module())
            for chapter, (start, wanted) in all_offers.items():
                sha256 = page.evaluate(TRAIN, start)
                row = {"browser": name, "chapter": chapter, "sha256": sha256, "page": wanted}
                rows.append(row)
                say(*row.values())
            if slips:
                continue
            start, _ = all_offers["logistic_regression"]
            for words, slip in SLIPS.items():
                page.add_script_tag(content=with_slip(*slip))
                slips[words] = page.evaluate(COMPARE, [start, EPOCHS])
                say(f"{words}: {slips[words]}")
    processor = PROCESSORS.get(platform.machine(), platform.machine())
    return {"processor": processor, "rows": rows, "slips": slips, "epochs": EPOCHS}


def main():
    """Run what the command line asks for; exit with an error if a fingerprint differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"keep all in {RECORD.name}")
    options = parser.parse_args()
    found = report()
    if options.write:
        RECORD.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(row["sha256"] != row["page"] for row in found["rows"]))


if __name__ == "__main__":
    sys.exit(main())
