"""The book can be read from the start: chapters are numbered, and no word comes before its home."""

import re

import honesty
import pytest

TOC = honesty.read_toc()
CHAPTERS = [
    chapter["file"].rpartition("/")[-1]
    for part in TOC["parts"]
    if part.get("numbered")
    for chapter in part["chapters"]
]
NUMBER = {name: number for number, name in enumerate(CHAPTERS, start=1)}
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\([^)]*\)")

# Where a word of the trade is explained. Before that chapter it may stand in links only.
HOMES = {
    "chain_rule": ["computation graph", "backward sweep"],
    "layer_gradients": ["dvalues", "dweights", "complex step", "central differences?"],
    "sigmoid": ["sigmoids?", "logits?", "log-odds"],
    "binary_crossentropy": ["cross-entropy", "clipp(?:ed|ing)"],
    "softmax_crossentropy": ["Jacobians?", "one-hot"],
    "where_losses_come_from": ["likelihood", "Gibbs", "Kullback"],
    "optimizers": ["momentum", "RMSprop", "Adam", "Adagrad"],
    "training": ["validation", "mini-?batch(?:es)?", "overfit(?:ted|ting)?"],
    "depth_and_initialization": ["Glorot", "initialization"],
    "regularization": ["weight decay"],
    "dropout": ["inverted dropout", "thinned"],
}


def prose(name):
    """Return what a chapter says in words, up to its readings; no links, code and formulas."""
    notebook = honesty.read_chapter(honesty.BOOK / f"{name}.ipynb").notebook
    texts = [c["source"] for c in notebook["cells"] if c["cell_type"] == "markdown"]
    text = "\n\n".join(texts).partition("## Where to read on")[0]
    for inert in (r"```.*?```", r"`[^`]*`", r"\$\$.*?\$\$", r"\$[^$]*\$", r"\{cite[^}]*\}`[^`]*`"):
        text = re.sub(inert, " ", text, flags=re.DOTALL)
    return LINK.sub(" ", text)


@pytest.mark.parametrize("home", HOMES)
def test_a_word_is_explained_before_it_is_used(home):
    early = CHAPTERS[: CHAPTERS.index(home)]
    words = re.compile(rf"\b(?:{'|'.join(HOMES[home])})\b")
    found = [f"{name}: {m[0]}" for name in early for m in words.finditer(prose(name))]
    assert found == []


@pytest.mark.parametrize("path", honesty.pages(".ipynb") + honesty.pages(".md"), ids=lambda p: p.stem)
def test_a_chapter_that_is_named_by_its_number_has_that_number(path):
    text = path.read_text("utf-8")
    for number, target in re.findall(r"[Cc]hapter (\d+), \[[^\]]*\]\((\w+)\.ipynb", text):
        assert NUMBER[target] == int(number), f"{target} is chapter {NUMBER[target]}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_chapter_is_called_the_next_one(name):
    assert re.findall(r"(?:next|last|previous|preceding) chapter", prose(name)) == []


HEADER = ["You will be able to", "You need", "Reading takes", "You can skip"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_all_parts_of_the_arc(name):
    chapter = honesty.read_chapter(honesty.BOOK / f"{name}.ipynb")
    cells = chapter.notebook["cells"]
    text = "\n\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    assert TITLE.search(text)
    assert re.findall(r"^> - \*\*(.+?)\*\*", text, re.MULTILINE) == HEADER
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for wanted in ("What usually goes wrong", "In five lines", "Exercises", "Where to read on"):
        assert wanted in headings
    lines = text.partition("## In five lines\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^(?:-|\d\.) ", lines, re.MULTILINE)) == 5
    exercises = re.findall(r"^\*\*(\d+) ([○◐●])( ✎)? ", text, re.MULTILINE)
    assert [int(number) for number, *_ in exercises] == list(range(1, len(exercises) + 1))
    assert len(exercises) >= 6
    assert len([pencil for *_, pencil in exercises if pencil]) >= 2
    assert any("practice.check(" in c["source"] for c in cells if c["cell_type"] == "code")
