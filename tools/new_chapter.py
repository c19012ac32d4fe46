"""Begin a chapter: a notebook with all parts of the arc, executed, and its place in the contents.

    python -m tools.new_chapter momentum "Momentum, slowly"                     # as the last one
    python -m tools.new_chapter momentum "Momentum, slowly" --after optimizers

What is left to write stands after a TODO, and the tests name each until it is gone::

    pytest -n0 tests/book -k momentum

A chapter in the middle moves those behind it: links such as *chapter 9, [Training a network]* get
their new numbers, and numbers without a link are listed, to be read.
"""

import argparse
import re

import yaml
from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.refresh import BOOK, ROOT, prepare, refresh

TOC = ROOT / "_toc.yml"
NAME = re.compile(r"[a-z][a-z0-9_]*")
LINKED = re.compile(r"(\b[Cc]hapter )(\d+)(, \[[^\]]*\]\((\w+)\.ipynb)")
UNLINKED = re.compile(r"\b[Cc]hapters? (\d+)(?!\d*, \[)[^\n]{0,60}")

TITLE = """# {title}

> - **You will be able to** TODO
> - **You need** chapter 3, [A layer and its gradients](layer_gradients.ipynb), and TODO
> - **Reading takes** about TODO minutes, the exercises TODO.
> - **You can skip** TODO if TODO

TODO: something that happens to a person, and the question that it leaves, in two short paragraphs."""

SETUP = """import matplotlib.pyplot as plt
import numpy as np
from sympy import Symbol

from nnfs_book import Derivation, practice, presentation, show_code, sigmoid

presentation.setup()"""

DERIVATION = """# TODO: your derivation in the place of this one
x = Symbol("x", real=True)
slope = Derivation("Derivative(x**2, x)", name="f'(x)", symbols=[x])
slope.step("2*x", because="power rule")"""

FIGURE = """# TODO: your experiment in the place of this one
x = np.arange(-2, 2.25, 0.25)
plt.figure(figsize=(6, 3))
plt.plot(x, x**2)
plt.xlabel("x")
plt.show()"""

SLIP = """print("TODO: the slip, made, and what comes of it")"""

BUILD = """# TODO: your task, entered in nnfs_book/checks/tasks.py
def backward(dvalues, inputs):
    return dvalues * (inputs > 0)


print(practice.check("relu.backward", backward))"""

SOLUTION = """print("TODO: the solution")"""
EXERCISES = ["○", "○ ✎", "◐", "◐ ✎", "◐", "●"]
BUILT = 5  # the exercise that grades itself

LINES = "\n".join(["- TODO: one of five things to keep."] * 5)


def cells():
    """Yield the cells of a new chapter: id, kind, tags and text."""
    yield "title", "markdown", [], TITLE
    yield "setup", "code", [], SETUP
    yield "mathematics", "markdown", [], "## The mathematics\n\nTODO: what is derived, and why."
    yield "derivation", "code", ["hide-input"], DERIVATION
    yield "lines", "markdown", [], "## In code\n\nTODO: the bare lines that it comes to, checked."
    yield "same-lines", "code", [], "show_code(sigmoid)  # TODO: the function that is meant"
    yield "experiment", "markdown", [], "## The experiment\n\nTODO: what is tried, what is expected."
    yield "figure", "code", ["hide-input"], FIGURE
    yield "slips", "markdown", [], "## What usually goes wrong\n\nTODO: two to five slips."
    yield "slip", "code", [], SLIP
    yield "five-lines", "markdown", [], f"## In five lines\n\n{LINES}"
    yield "exercises", "markdown", [], "## Exercises"
    for number, mark in enumerate(EXERCISES, start=1):
        built = number == BUILT
        asked = "Build it: TODO.** TODO, graded by `practice.check(…)`." if built else "TODO.** TODO"
        yield f"exercise-{number}", "markdown", [], f"**{number} {mark} {asked}"
        yield f"solution-{number}", "code", ["hide-cell"], BUILD if built else SOLUTION
    yield "read-on", "markdown", [], "## Where to read on\n\nTODO: three to six works, each cited."


def skeleton(title):
    """Return the notebook of a chapter in which everything is still to be written."""
    made = []
    for name, kind, tags, text in cells():
        new = new_code_cell if kind == "code" else new_markdown_cell
        made.append(new(text.replace("{title}", title), id=name))
        if tags:
            made[-1].metadata["tags"] = tags
        if name == "figure":
            made[-1].metadata["mystnb"] = {
                "code_prompt_show": "Show the code of the figure",
                "code_prompt_hide": "Hide the code of the figure",
                "image": {"alt": "TODO: what is there, for those who do not see it"},
                "figure": {"caption": "TODO: what to see."},
            }
        if name == "derivation":
            made[-1].metadata["mystnb"] = {
                "code_prompt_show": "Show the steps as typed",
                "code_prompt_hide": "Hide the steps as typed",
            }
    return new_notebook(cells=made)


def numbered(toc):
    """Return the names of the numbered chapters in a table of contents, in order.

    Examples
    --------
    >>> numbered('''
    ... root: book/intro
    ... parts:
    ...   - {numbered: 1, chapters: [{file: book/sigmoid}, {file: book/digits}]}
    ...   - {chapters: [{file: book/notation}]}
    ... ''')
    ['sigmoid', 'digits']
    """
    parts = (part for part in yaml.safe_load(toc)["parts"] if part.get("numbered"))
    return [chapter["file"].rpartition("/")[2] for part in parts for chapter in part["chapters"]]


def enter(toc, name, after):
    """Return a table of contents, as text, with a chapter after another one.

    Examples
    --------
    >>> print(enter("      - file: book/sigmoid\\n      - file: book/digits", "new", "sigmoid"))
          - file: book/sigmoid
          - file: book/new
          - file: book/digits
    """
    return re.sub(rf"(?m)^( *- file: book/){after}$", rf"\g<0>\n\g<1>{name}", toc)


def renumber(text, numbers):
    """Return a text in which chapters that are linked have the numbers of a dict.

    Examples
    --------
    >>> renumber("See chapter 4, [Sigmoid](sigmoid.ipynb), and chapter 4.", {"sigmoid": 5})
    'See chapter 5, [Sigmoid](sigmoid.ipynb), and chapter 4.'
    """

    def replaced(link):
        said, number, rest, name = link.groups()
        return f"{said}{numbers.get(name, number)}{rest}"

    return LINKED.sub(replaced, text)


def begin(name, title, after=None):
    """Write a new chapter and enter it; return what has to be read because numbers have moved.

    Raises
    ------
    ValueError
        If the name is no name of a file, or taken, or there is no chapter `after`.
    """
    toc = TOC.read_text("utf-8")
    before = numbered(toc)
    after = after or before[-1]
    if not NAME.fullmatch(name):
        raise ValueError(f"name must be of small letters, digits and underscores, got {name!r}")
    if after not in before:
        raise ValueError(f"after must be one of {', '.join(before)}, got {after!r}")
    path = BOOK / f"{name}.ipynb"
    if path.exists():
        raise ValueError(f"there is a chapter {name}")

    TOC.write_text(enter(toc, name, after), "utf-8")
    numbers = {chapter: n for n, chapter in enumerate(numbered(TOC.read_text("utf-8")), start=1)}
    to_read = []
    for page in sorted([*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]):
        text = page.read_bytes().decode()
        changed = renumber(text, numbers)
        if changed != text:
            page.write_bytes(changed.encode())
        for found in UNLINKED.finditer(changed):
            if int(found[1]) >= numbers[name]:
                to_read.append(f"{page.name}: {found[0]}")
    write(skeleton(title), path)
    refresh(path)
    return to_read if numbers[name] < len(numbers) else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="of its file: small letters, digits, underscores")
    parser.add_argument("title")
    parser.add_argument("--after", metavar="NAME", help="the chapter before it; else the last one")
    given = parser.parse_args()
    prepare()
    try:
        moved = begin(given.name, given.title, given.after)
    except ValueError as error:
        parser.error(str(error))
    if moved:
        print("Numbers without a link; some of them have moved:", *moved, sep="\n  ")
    print(f"Now write book/{given.name}.ipynb; what is left: pytest -n0 tests/book -k {given.name}")
