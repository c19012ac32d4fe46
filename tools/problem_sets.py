"""Write the book without its solutions, and the solutions into a file of their own.

    python -m tools.problem_sets --into course            # the notebooks
    python -m tools.problem_sets --into course --pages    # and the pages made of them

The folder becomes a book like this one, of which nothing is missing but what solves an exercise: its
folded cells, and what is said about them. ``solutions.ipynb`` beside it has every exercise with its
solution, chapter by chapter. The pages are then in ``course/_build/html``.
"""

import argparse
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from tools.articles import ROOT, order

BOOK = ROOT / "book"

EXERCISE = re.compile(r"\*\*\d+[. ]")  # **1 ○ A title.** or **1. A title.**
HEADING = re.compile(r"#{1,6} ")
EVIDENCE = re.compile(r"^confirm\(", re.MULTILINE)  # folded, and no solution: a claim of the ledger
FENCE = re.compile(r"(:{3,}|`{3,})(.*)")
LINK = re.compile(r"\]\((?![a-z]+:)(?=[\w#])")

FOREWORD = """# Solutions

Every exercise of the book with its solution. The outputs are those of the book. To run a solution, run
its chapter first: it needs what is defined there."""


def divide(notebook):
    """Part a chapter into what is asked and what solves it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A chapter. What stands between the title of an exercise and the next heading belongs to the
        exercise; what solves it are its cells tagged ``hide-cell`` and its dropdowns. Elsewhere only
        the evidence for the ledger may be folded, and it stays.

    Returns
    -------
    problems : nbformat.NotebookNode
        The chapter without its solutions.
    solutions : list of NotebookNode
        Cells: each exercise, followed by its solution.

    Raises
    ------
    ValueError
        If another cell is folded and no exercise stands before it.
    """
    problems, solutions, in_exercise = deepcopy(notebook), [], False
    problems.cells = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            folded = "hide-cell" in cell.metadata.get("tags", [])
            if folded and not in_exercise and EVIDENCE.search(cell.source):
                folded = False
            if folded and not in_exercise:
                raise ValueError(f"cell {cell.id} is folded, and no exercise stands before it")
            if not folded:
                problems.cells.append(deepcopy(cell))
            if in_exercise:
                solutions.append(unfolded(cell))
            continue
        all_of_it, asked = pieces(cell.source), []
        for kind, text in all_of_it:
            in_exercise = kind == "exercise" or in_exercise and kind != "heading"
            if in_exercise:
                solutions.append(new_markdown_cell(inside(text) if kind == "dropdown" else text))
            if not (in_exercise and kind == "dropdown"):
                asked.append(text)
        if asked:
            problems.cells.append(deepcopy(cell))
            if len(asked) < len(all_of_it):
                problems.cells[-1].source = "\n\n".join(asked)
    return problems, solutions


def pieces(text):
    r"""Cut the Markdown of a cell before each heading and exercise, and around each dropdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of (str, str)
        "text", "heading", "exercise" or "dropdown", and the piece, no blank line around it.

    Examples
    --------
    >>> pieces("Before.\n\n**1 ○ Add.** What is 1 + 1?\n\n:::{dropdown} Answer\n2\n:::\n\n## Next")
    ... # doctest: +NORMALIZE_WHITESPACE
    [('text', 'Before.'), ('exercise', '**1 ○ Add.** What is 1 + 1?'),
     ('dropdown', ':::{dropdown} Answer\n2\n:::'), ('heading', '## Next')]
    """
    found, fence = [("text", [])], ""
    for line in text.split("\n"):
        mark = FENCE.match(line)
        if fence:  # a heading inside is none
            found[-1][1].append(line)
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
                if found[-1][0] == "dropdown":
                    found.append(("text", []))
            continue
        if mark:
            fence = mark[1]
        if mark and mark[2].startswith("{dropdown}"):
            found.append(("dropdown", []))
        elif HEADING.match(line):
            found.append(("heading", []))
        elif EXERCISE.match(line):
            found.append(("exercise", []))
        found[-1][1].append(line)
    joined = ((kind, "\n".join(lines).strip("\n")) for kind, lines in found)
    return [(kind, piece) for kind, piece in joined if piece]


def inside(dropdown):
    """Return what a dropdown folds, without its fence.

    Examples
    --------
    >>> inside(":::{dropdown} What the solution says\\nTwo.\\n:::")
    'Two.'
    """
    return "\n".join(dropdown.split("\n")[1:-1]).strip("\n")


def unfolded(cell):
    """Return a copy of a cell that is shown with its code."""
    copy = deepcopy(cell)
    copy.metadata.pop("tags", None)
    return copy


def collect(chapters):
    """Make one notebook of the solutions of several chapters.

    Parameters
    ----------
    chapters : dict
        Of each chapter its name, as of its file, and the cells of its solutions.

    Returns
    -------
    nbformat.NotebookNode
    """
    cells = [new_markdown_cell(FOREWORD, id="foreword")]
    for name, (title, solutions) in chapters.items():
        heading = new_markdown_cell(f"## [{title}](book/{name}.ipynb)")
        for number, cell in enumerate([heading, *deepcopy(solutions)]):
            cell.id = f"{name[:48]}-{number}"
            if number and cell.cell_type == "markdown":
                cell.source = LINK.sub("](book/", cell.source)
                cell.source = cell.source.replace("](book/#", f"](book/{name}.ipynb#")
            cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return new_notebook(cells=cells, metadata=metadata)


def title_of(notebook):
    """Return the title of a chapter."""
    return notebook.cells[0].source.split("\n")[0].removeprefix("# ")


def in_order():
    """Return the paths of the notebooks, in the order of the table of contents."""
    paths = ((ROOT / name).with_suffix(".ipynb") for part in order().values() for name in part)
    return [path for path in paths if path.exists()]


def write(folder):
    """Write the book without its solutions, and the solutions, into a new folder.

    Parameters
    ----------
    folder : path

    Raises
    ------
    FileExistsError
        If there is anything in the folder.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; name a new folder")
    shutil.copytree(BOOK, folder / "book", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, folder / name)
    chapters = {}
    for path in in_order():
        notebook = nbformat.read(path, as_version=4)
        problems, solutions = divide(notebook)
        nbformat.write(problems, folder / "book" / path.name)
        if solutions:
            chapters[path.stem] = title_of(notebook), solutions
    nbformat.write(collect(chapters), folder / "solutions.ipynb")


def main(arguments=None):
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--into", required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument("--pages", action="store_true", help="build the pages, too")
    given = parser.parse_args(arguments)
    try:
        write(given.into)
    except FileExistsError as error:
        parser.error(str(error))
    if given.pages:
        build = Path(sys.executable).with_name("jupyter-book")
        subprocess.run([build, "build", given.into], check=True)


if __name__ == "__main__":
    main()
