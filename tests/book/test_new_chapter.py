"""A new chapter has all parts of the arc, and every other chapter keeps its right number."""

import doctest
import shutil

import honesty
import nbformat
import pytest

from tools import new_chapter

LEFT = honesty.nothing_left_to_write


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of the first four chapters and their contents, where nothing is executed."""
    (tmp_path / "book").mkdir()
    toc = honesty.ROOT / "_toc.yml"
    for name in new_chapter.numbered(toc.read_text("utf-8"))[:4]:
        shutil.copy(honesty.BOOK / f"{name}.ipynb", tmp_path / "book")
    shutil.copy(toc, tmp_path)
    monkeypatch.setattr(new_chapter, "BOOK", tmp_path / "book")
    monkeypatch.setattr(new_chapter, "TOC", tmp_path / "_toc.yml")
    monkeypatch.setattr(new_chapter, "refresh", lambda path: None)
    return tmp_path


def chapters(book):
    return new_chapter.numbered((book / "_toc.yml").read_text("utf-8"))


def test_the_examples_hold():
    tried = doctest.testmod(new_chapter)
    assert tried.attempted and not tried.failed


def test_what_is_left_to_write_is_told_and_everything_else_is_there(book):
    before = chapters(book)
    assert new_chapter.begin("momentum", "Momentum, slowly") == []
    assert chapters(book) == [*before, "momentum"]
    chapter = honesty.read_chapter(book / "book" / "momentum.ipynb")
    assert chapter.notebook["cells"][0]["source"].startswith("# Momentum, slowly\n")
    assert len(LEFT(chapter)) > 20
    assert honesty.plain_python(chapter) == []


def test_a_chapter_in_the_middle_moves_the_others_and_tells_what_to_read(book):
    before = chapters(book)
    to_read = new_chapter.begin("slopes", "Slopes", after="chain_rule")
    assert chapters(book) == [*before[:2], "slopes", *before[2:]]
    text = (book / "book" / "sigmoid.ipynb").read_text("utf-8")
    assert "chapter 4, [A layer" in text and "chapter 2, [The chain rule" in text
    assert "chapter 3, [A layer" not in text
    assert to_read and all(".ipynb: " in line for line in to_read)
    original = nbformat.read(honesty.BOOK / "sigmoid.ipynb", as_version=4)
    assert len(nbformat.reads(text, as_version=4).cells) == len(original.cells)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Momentum", "M"), "name must be of small letters"),
        (("../momentum", "M"), "name must be of small letters"),
        (("sigmoid", "S"), "there is a chapter sigmoid"),
        (("momentum", "M", "notation"), "after must be one of network_by_hand, "),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(book, arguments, message):
    toc = (book / "_toc.yml").read_bytes()
    with pytest.raises(ValueError, match=message):
        new_chapter.begin(*arguments)
    assert (book / "_toc.yml").read_bytes() == toc
    assert len([*(book / "book").iterdir()]) == 4


@pytest.mark.slow
def test_a_new_chapter_runs_and_breaks_no_other_rule(tmp_path):
    path = tmp_path / "new.ipynb"
    nbformat.write(new_chapter.skeleton("New"), path)
    new_chapter.refresh(path)
    chapter = honesty.read_chapter(path)
    assert [r.__name__ for r in honesty.RULES if r is not LEFT and r(chapter) != []] == []
