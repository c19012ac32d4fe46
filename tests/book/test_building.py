"""What the book's own Sphinx extensions do to a page, piece by piece."""

import os
import subprocess
import sys
from types import SimpleNamespace

import honesty
import pytest

sys.path.insert(0, str(honesty.BOOK / "_ext"))
import downloads
import mathematics
import pages
from bs4 import BeautifulSoup
from pybtex.database import parse_string

from nnfs_book import player
from tools.epub import still

WORKS = """
@book{one, author = "{Good}, I. J.", title = "Odds", year = "1979"}
@book{two, author = "van Rossum, Guido and Berkson, Joseph", title = "Both", year = "1944"}
@book{three, author = "A, B and C, D and E, F", title = "Many", year = "2001"}
@misc{none, title = "Loss functions", year = "2022"}
"""


def test_formula_brings_its_mathml():
    html = mathematics.typeset(r"\frac{a}{b}")
    assert html.startswith("<mjx-container") and "<math " in html and "<mfrac>" in html
    assert 'display="true"' in mathematics.typeset("a", display=True)


def test_formula_that_cannot_be_set_is_refused():
    with pytest.raises(ValueError, match="Undefined control sequence .unknown"):
        mathematics.typeset(r"\unknown")


def test_styles_are_those_of_the_characters_that_occur():
    styles = (
        'mjx-c {\n  display: inline;\n}\n\nmjx-c.mjx-c61::before {\n  content: "a";\n}\n\n'
        'mjx-c.mjx-c7B::before {\n  content: "{";\n}\n\nmjx-c.mjx-c2211::before {\n'
        '  content: "\\2211";\n}\n'
    )
    kept, text = mathematics.needed(styles, {"mjx-c7B", "mjx-c2211"})
    assert "mjx-c61" not in kept and "inline" in kept and text == {"{", "\N{N-ARY SUMMATION}"}


def test_box_says_how_wide_it_is():
    boxes = f"<pre><span>a &lt; b</span>\nlonger &amp; more</pre><pre>{'word ' * 30}</pre>"
    table, sentence = pages.BOX.sub(pages.with_columns, boxes).split("</pre>")[:2]
    assert table.startswith('<pre style="--columns: 13"><span>')
    assert sentence.startswith('<pre class="sentences" style="--columns: 100">')


def test_slider_says_what_it_varies():
    captions = ("Epoch 0: loss 1.099", "Epoch 10: loss 1.069", "Epoch 2000: loss 0.05")
    frames = [f"<svg>{caption}</svg>" for caption in captions]
    html = player(frames, captions, alt="A plane.")._repr_html_()
    named = pages.PLAYER.sub(pages.with_range, html)
    assert "<label hidden>Slide through the frames, from “Epoch 0” to “Epoch 2000”\n<input" in named


@pytest.mark.parametrize("base", ["https://example.org/book/", "https://me.example/book/"])
def test_addresses_stand_only_where_the_book_is_published(base):
    config = SimpleNamespace(html_baseurl=base, html_theme_options={"repository_url": "https://x"})
    pages.publish(None, config)
    published = "example.org" not in base
    assert config.html_baseurl == (base if published else "")
    assert ("launch_buttons" in config.html_theme_options) == published
    assert bool(config.html_theme_options["repository_url"]) == published


def test_downloaded_text_needs_no_myst():
    entries = parse_string(WORKS, "bibtex").entries
    text = "{cite:t}`one` and {cite}`two,three` and {cite:t}`none`, [there](sigmoid.ipynb#why)."
    said = "Good (1979) and [van Rossum and Berkson, 1944; A and others, 2001] and Loss functions (2022)"
    assert downloads.plain(text, entries) == f"{said}, [there](sigmoid.ipynb#why)."
    online = downloads.plain(text, entries, "https://me.example/book/")
    assert online.endswith("[there](https://me.example/book/sigmoid.html#why).")
    fold = ":::{dropdown} What it says\nThis.\n\nThat.\n:::"
    folded = "<details><summary>What it says</summary>\n\nThis.\n\nThat.\n\n</details>"
    assert downloads.plain(fold, entries) == folded


def test_downloaded_formulas_have_their_numbers():
    text = "$$a$$ (first)\n\nand {eq}`first`, [derived](#proof-slope)."
    said = downloads.plain(text, {}, "https://me.example/", "sigmoid", {"first": 1})
    link = "https://me.example/sigmoid.html#proof-slope"
    assert said == f"$$a\\tag{{1}}$$\n\nand (1), [derived]({link})."


def test_electronic_page_has_nothing_to_run_or_to_unfold():
    frames = [f"<svg>{number}</svg>" for number in range(3)]
    moved = player(frames, ["first", "second", "third"], alt="A plane.")._repr_html_()
    named = '<p class="collapsed">Show the steps</p><p class="expanded">Hide the steps</p>'
    fold = f"<details><summary>{named}</summary><pre style='--columns: 8'>1 &lt; 2</pre></details>"
    formula = mathematics.typeset("a", display=True)
    link = '<a href="../_modules/x.html">source</a>'
    html = f"<section>{moved}{fold}{formula}{link}</section>"
    page = BeautifulSoup(html, "html.parser").section
    pictures = still(page)
    left = {part.name for part in page(True)}
    assert left == {"div", "figure", "img", "figcaption", "p", "pre", "math", "mi"}
    assert len(pictures) == 1 and page.figcaption.get_text() == "third"
    assert page.math["display"] == "block" and str(page.pre) == "<pre>1 &lt; 2</pre>"
    assert page.find("p", class_="collapsed").get_text() == "The steps"
    assert "Hide" not in page.get_text() and page.get_text().endswith("source")


def test_a_program_that_has_set_formulas_ends():
    """Left to the end of the interpreter, the engine's thread is waited for forever: on Python 3.13."""
    code = "import mathematics; print(mathematics.typeset('x^2'))"
    path = {**os.environ, "PYTHONPATH": str(honesty.BOOK / "_ext")}
    run = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, timeout=120)
    assert run.returncode == 0 and b"mjx-container" in run.stdout
