"""The chapters are honest: what nbval cannot see is checked here, by the rules of honesty.py."""

import re
import tomllib
from urllib.parse import unquote

import honesty
import pytest
from myst_parser.mdit_to_docutils.base import default_slugify

CHAPTERS = honesty.pages(".ipynb")
PAGES = [*honesty.pages(".md"), honesty.ROOT / "README.md"]


def name(path):
    return path.stem


@pytest.mark.parametrize("rule", honesty.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapter_keeps_the_rule(path, rule):
    faults = rule(honesty.read_chapter(path))
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_numbers_in_a_chapter_are_printed_or_reported(path):
    chapter = honesty.read_chapter(path)
    known = honesty.accounted_for(chapter) | honesty.ledger_numbers()
    assert honesty.unaccounted_numbers(chapter, known) == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_numbers_on_a_page_come_from_a_chapter_or_the_ledger(path):
    known = honesty.ledger_numbers()
    for chapter in CHAPTERS:
        known |= honesty.accounted_for(honesty.read_chapter(chapter))
    assert honesty.unaccounted_numbers(path.read_text("utf-8"), known) == []


def test_contents_and_pages_agree():
    assert honesty.toc_faults(honesty.read_toc(), honesty.written_pages()) == []


def words_of(path):
    """The text of a page: of a chapter, its Markdown cells."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = honesty.read_chapter(path).notebook["cells"]
    return "\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")


def test_links_to_a_section_find_its_heading():
    words = {path.name: words_of(path) for path in [*CHAPTERS, *honesty.pages(".md")]}
    anchors = {
        name: {default_slugify(title) for title in re.findall(r"(?m)^#{1,3} (.+?) *$", text)}
        for name, text in words.items()
    }
    for path in CHAPTERS:  # each derivation has an anchor
        cells = honesty.read_chapter(path).notebook["cells"]
        anchors[path.name] |= {
            f"proof-{cell['id']}" for cell in cells if "Derivation of " in str(cell.get("outputs"))
        }
    links = [
        (name, page or name, unquote(anchor))
        for name, text in words.items()
        for page, anchor in re.findall(r"\]\(([\w/]*\.?\w*)#([^)\s]+)\)", text)
    ]
    lost = [link for link in links if link[2] not in anchors.get(link[1], ())]
    assert links and lost == []


def test_pytest_compares_every_notebook_strictly():
    project = tomllib.loads((honesty.ROOT / "pyproject.toml").read_text("utf-8"))
    assert honesty.pytest_faults(project["tool"]["pytest"]["ini_options"]) == []


def test_the_build_executes_nothing():
    config = (honesty.ROOT / "_config.yml").read_text("utf-8")
    assert 'execute_notebooks: "off"' in config
