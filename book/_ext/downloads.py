"""Sphinx extension: chapters that run, and can be read, wherever they are downloaded to.

A downloaded notebook begins with the line that installs what it needs. Jupyter knows no MyST, so
that citations become names and years, folds HTML, and labels of formulas numbers; links lead to the
published pages.
"""

import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell
from pybtex.database import parse_file

CITATION = re.compile(r"\{cite(?P<kind>:t)?\}`(?P<keys>[^`]+)`")
FOLD = re.compile(r"^:::\{dropdown\} (?P<title>.*)\n(?P<text>(?:.*\n)*?):::$", re.MULTILINE)
CHAPTER = re.compile(r"\]\((?P<name>\w+)\.(?:ipynb|md)(?P<place>#[^)]*)?\)")
PROOF = re.compile(r"\]\((?P<place>#proof-[^)]*)\)")
LABEL = re.compile(r"\$\$ \((?P<label>[\w-]+)\)$", re.MULTILINE)
TO_LABEL = re.compile(r"\{eq\}`(?P<label>[^`]+)`")
BY_ADDRESS = "nnfs-book[chapters] @ git+{}"
INSTALL = """\
To run this chapter, install the package of *{title}* once:

```
pip install "{package}"
```"""


def cited(entry):
    """Return author and year of an entry of the bibliography."""
    persons = entry.persons.get("author", [])
    names = [" ".join(map(str, p.rich_prelast_names + p.rich_last_names)) for p in persons]
    if not names:
        return entry.fields["title"], entry.fields["year"]
    others = {1: "", 2: f" and {names[-1]}"}.get(len(names), " and others")
    return names[0] + others, entry.fields["year"]


def plain(text, entries, base="", name="", numbers=None):
    """Return Markdown that Jupyter understands.

    Parameters
    ----------
    text : str
        MyST.
    entries : dict
        The bibliography, by key.
    base : str
        Where the chapters' pages are; if nowhere, links lead to notebooks beside this one.
    name : str
        The chapter that the text is from.
    numbers : dict, optional
        The number of each formula that has a label.
    """

    def citation(match):
        found = [cited(entries[key.strip()]) for key in match["keys"].split(",")]
        if match["kind"]:
            return ", ".join(f"{names} ({year})" for names, year in found)
        return f"[{'; '.join(f'{names}, {year}' for names, year in found)}]"

    text = CITATION.sub(citation, text)
    while FOLD.search(text):
        text = FOLD.sub(r"<details><summary>\g<title></summary>\n\n\g<text>\n</details>", text)
    text = LABEL.sub(lambda match: rf"\tag{{{numbers[match['label']]}}}$$", text)
    text = TO_LABEL.sub(lambda match: f"({numbers[match['label']]})", text)
    if base:
        text = PROOF.sub(rf"]({base}{name}.html\g<place>)", text)
        text = CHAPTER.sub(rf"]({base}\g<name>.html\g<place>)", text)
    return text


def rewrite(app, exception):
    """Rewrite the notebooks that the pages offer for download."""
    if exception or app.builder.format != "html":
        return
    entries = parse_file(str(Path(app.srcdir, app.config.bibtex_bibfiles[0]))).entries
    source = app.config.html_theme_options.get("repository_url")
    package = BY_ADDRESS.format(source) if source else "path/to/the/book[chapters]"
    install = INSTALL.format(title=app.config.html_title, package=package)
    base = app.config.html_baseurl and f"{app.config.html_baseurl}book/"
    for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        if notebook.cells[0].get("id") == "install":  # an earlier build wrote this page
            continue
        prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
        labels = LABEL.findall("\n".join(cell.source for cell in prose))
        numbers = {label: number for number, label in enumerate(labels, start=1)}
        for cell in prose:
            cell.source = plain(cell.source, entries, base, path.stem, numbers)
        notebook.cells.insert(0, new_markdown_cell(install, id="install"))
        nbformat.write(notebook, path)


def setup(app):
    app.connect("build-finished", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
