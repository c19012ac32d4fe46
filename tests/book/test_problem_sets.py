"""Problem sets have no solution in them, the solutions have all, and nothing else is lost."""

import honesty
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import problem_sets

CHAPTERS = {path.stem: nbformat.read(path, as_version=4) for path in honesty.pages(".ipynb")}


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request):
    """A chapter, its problem set and its solutions."""
    notebook = CHAPTERS[request.param]
    return notebook, *problem_sets.divide(notebook)


def folded(cell):
    """Whether a cell is a solution."""
    evidence = problem_sets.EVIDENCE.search(cell.source)
    return "hide-cell" in cell.metadata.get("tags", []) and not evidence


def words(cells):
    """What the Markdown of cells says, without blank lines."""
    texts = (cell.source for cell in cells if cell.cell_type == "markdown")
    return [line for text in texts for line in text.split("\n") if line.strip()]


def codes(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def test_no_solution_is_left(chapter):
    _, problems, _ = chapter
    assert not any(map(folded, problems.cells))
    assert "What the solution says" not in "\n".join(words(problems.cells))


def test_every_solution_is_among_the_solutions(chapter):
    notebook, _, solutions = chapter
    solved = codes(solutions)
    assert all(cell.source in solved for cell in notebook.cells if folded(cell))
    said = words(solutions)
    for cell in notebook.cells:
        for kind, text in problem_sets.pieces(cell.source):
            if kind == "dropdown" and cell.cell_type == "markdown":
                assert set(text.split("\n")[1:-1]) - {""} <= set(said)
    assert not any(map(folded, solutions))


def test_every_exercise_is_in_both_and_has_a_solution(chapter):
    notebook, problems, solutions = chapter
    titles = [line for line in words(notebook.cells) if problem_sets.EXERCISE.match(line)]
    assert titles == [line for line in words(problems.cells) if line in titles]
    kinds = []
    for cell in solutions:
        if cell.cell_type == "markdown" and problem_sets.EXERCISE.match(cell.source):
            kinds.append(set())
        kinds[-1].add(cell.cell_type)
    assert len(kinds) == len(titles)
    assert all("code" in kind for kind in kinds), "an exercise has no executed solution"


def test_nothing_else_is_lost(chapter):
    notebook, problems, _ = chapter
    kept = {cell.id: cell for cell in problems.cells}
    assert [cell.id for cell in notebook.cells if cell.id in kept] == list(kept)
    for cell in notebook.cells:
        if cell.id in kept and kept[cell.id] == cell:
            continue
        if cell.cell_type == "markdown":
            parts = problem_sets.pieces(cell.source)
            dropped = [text for kind, text in parts if kind == "dropdown"]
            assert dropped, cell.id
            left = words([kept[cell.id]] if cell.id in kept else [])
            gone = [line for text in dropped for line in text.split("\n") if line.strip()]
            assert sorted(left + gone) == sorted(words([cell])), cell.id
        else:
            assert folded(cell), cell.id


def test_nothing_that_is_left_needs_a_solution(chapter):
    """A problem set can be run: what a solution defines is used by solutions only."""
    notebook, problems, _ = chapter

    gone = set().union(*(honesty.names(c.source)[0] for c in notebook.cells if folded(c)))
    known = set()
    for cell in problems.cells:
        if cell.cell_type == "code":
            made, needed = honesty.names(cell.source)
            assert not needed & gone - known, cell.id
            known |= made


def test_problem_set_is_a_valid_notebook(chapter):
    nbformat.validate(chapter[1])


def test_the_folder_is_a_book(tmp_path, capsys):
    problem_sets.main(["--into", str(tmp_path / "course")])
    course = tmp_path / "course"
    assert {path.name for path in course.iterdir()} == {
        "_config.yml",
        "_toc.yml",
        "book",
        "solutions.ipynb",
    }
    copied = {path.relative_to(course / "book") for path in (course / "book").rglob("*")}
    there = {path.relative_to(honesty.BOOK) for path in honesty.BOOK.rglob("*")}
    assert copied == {path for path in there if ".ipynb_checkpoints" not in path.parts}
    for name in CHAPTERS:
        written = nbformat.read(course / "book" / f"{name}.ipynb", as_version=4)
        assert written == problem_sets.divide(CHAPTERS[name])[0]

    solutions = nbformat.read(course / "solutions.ipynb", as_version=4)
    nbformat.validate(solutions)
    assert len({cell.id for cell in solutions.cells}) == len(solutions.cells)
    solved = codes(solutions.cells)
    for notebook in CHAPTERS.values():
        assert all(cell.source in solved for cell in notebook.cells if folded(cell))

    with pytest.raises(SystemExit):
        problem_sets.main(["--into", str(course)])
    assert "is not empty" in capsys.readouterr().err


def test_links_of_the_solutions_lead_into_the_book():
    cell = new_markdown_cell("[a](sigmoid.ipynb#code), [b](#here), [c](https://example.org)")
    _, _, moved = problem_sets.collect({"digits": ("Digits", [cell])}).cells
    assert moved.source == (
        "[a](book/sigmoid.ipynb#code), [b](book/digits.ipynb#here), [c](https://example.org)"
    )


def test_a_chapter_is_divided():
    solution = new_code_cell("print(2)", metadata={"tags": ["hide-cell"]})
    given, said = new_code_cell("a = 1"), "# no heading\n\n2, `**3 bold`.\n\n```\n# none either\n```"
    problems, solutions = problem_sets.divide(
        new_notebook(
            cells=[
                new_markdown_cell("# Sums\n\n:::{dropdown} A note\nThat stays.\n:::"),
                new_markdown_cell("## Exercises\n\nTry.\n\n**1 ◐ ✎ Add.** What is 1 + 1?"),
                given,
                solution,
                new_markdown_cell(f"::::{{dropdown}} What it says\n{said}\n::::\n\n## Next\n\nOn."),
            ]
        )
    )
    assert words(problems.cells) == [
        "# Sums",
        ":::{dropdown} A note",
        "That stays.",
        ":::",
        "## Exercises",
        "Try.",
        "**1 ◐ ✎ Add.** What is 1 + 1?",
        "## Next",
        "On.",
    ]
    assert codes(problems.cells) == ["a = 1"]
    assert [cell.source for cell in solutions] == [
        "**1 ◐ ✎ Add.** What is 1 + 1?",
        "a = 1",
        "print(2)",
        said,
    ]


def test_the_evidence_for_the_ledger_stays():
    evidence = new_code_cell('confirm("S1-01")', metadata={"tags": ["hide-cell"]})
    asked = new_markdown_cell("## Exercises\n\n**1 ○ Add.** What is 1 + 1?")
    cells = [asked, new_markdown_cell("## What the sources say"), evidence]
    problems, solutions = problem_sets.divide(new_notebook(cells=cells))
    assert codes(problems.cells) == [evidence.source]
    assert codes(solutions) == []


def test_a_solution_without_an_exercise_is_refused():
    stray = new_code_cell("print(2)", metadata={"tags": ["hide-cell"]}, id="stray")
    with pytest.raises(ValueError, match="cell stray is folded, and no exercise stands before it"):
        problem_sets.divide(new_notebook(cells=[new_markdown_cell("# Sums"), stray]))
