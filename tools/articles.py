"""What the built pages say, for paper and readers of electronic books: one article after the other.

Links lead from one article to the other, and the solutions of the exercises are an appendix.
"""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
ARTICLE = re.compile(r"<article[^>]*>(.*)</article>", re.DOTALL)
DRAWN = re.compile(r"<mjx-math.*?</mjx-math>", re.DOTALL)
ANCHOR = re.compile(r'(?<= )id="([^"]+)"')
LINK = re.compile(r'href="([^"]+)"')
EXERCISE = re.compile(r"(\d+) [○◐●]")
SOLUTION = re.compile("^(Show the solution|What the solution says)")


def order():
    """Return the names of the book's files in reading order, by part; the first part has no name."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    parts = {part["caption"]: [c["file"] for c in part["chapters"]] for part in toc["parts"]}
    return {"": [toc["root"]], **parts}


def article(html, name, names):
    """Return what a page says, with anchors and links that hold among all pages in one.

    Examples
    --------
    >>> html = '<article><h1 id="a">A</h1> <a href="#a">up</a> <a href="b.html#c">b</a></article>'
    >>> article(html, "book/a", ["book/a", "book/b"])
    '<section id="a"><h1 id="a-a">A</h1> <a href="#a-a">up</a> <a href="#b-c">b</a></section>'
    >>> article('<article><a href="../code/b.html#c">b</a></article>', "book/a", ["book/b"])
    '<section id="a"><a href="../code/b.html#c">b</a></section>'
    """
    stem = Path(name).name
    stems = {f"{other}.html": Path(other).name for other in names}

    def linked(match):
        address = urlsplit(urljoin(f"{name}.html", match[1]))
        if address.path not in stems:
            return match[0]
        place = f"-{address.fragment}" if address.fragment else ""
        return f'href="#{stems[address.path]}{place}"'

    body = ANCHOR.sub(rf'id="{stem}-\1"', ARTICLE.search(html)[1])
    return f'<section id="{stem}">{LINK.sub(linked, body)}</section>'


def articles(folder, drawn=True):
    """Return the articles of a build as trees, by their names; the last are the solutions.

    Parameters
    ----------
    folder : Path
        Where the built pages are.
    drawn : bool
        Whether to keep the drawings of the formulas; their MathML stays in any case.
    """
    names = [name for part in order().values() for name in part]
    found = {}
    for name in names:
        html = (folder / f"{name}.html").read_text("utf-8")
        html = article(html if drawn else DRAWN.sub("", html), name, names)
        section = BeautifulSoup(html, "html.parser").section
        for link in section.select("a.headerlink, a:has(.viewcode-link), a.enlarge"):
            link.decompose()
        found[section["id"]] = section
    found["solutions"] = solutions(found.values())
    return found


def solutions(sections):
    """Take the solutions out of chapters, and return them as an appendix; links lead both ways.

    Examples
    --------
    >>> fold = "<details><summary>Show the solution</summary><pre>4</pre></details>"
    >>> exercises = f'<p><strong>1 ○ Add.</strong> 2 + 2?</p><div class="cell">{fold}</div>'
    >>> html = f'<section id="a"><h1>A</h1><section id="a-exercises">{exercises}</section></section>'
    >>> chapter = BeautifulSoup(html, "html.parser").section
    >>> print(solutions([chapter]).find("pre"), chapter.find("pre"))
    <pre>4</pre> None
    >>> print(chapter.find("p", class_="solved"))
    <p class="solved"><a href="#a-solution-1">Solution</a></p>
    """
    whole = BeautifulSoup('<section id="solutions"><h1>Solutions</h1></section>', "html.parser")
    for section in sections:
        chapter, place = section["id"], None
        for part in section.select(f'[id="{chapter}-exercises"] > *'):
            title = part.strong if part.name == "p" else None
            if title and (match := EXERCISE.match(title.get_text())):
                number, asked, place = match[1], part, None
                continue
            summary = part.find("summary")
            if not summary or not SOLUTION.match(summary.get_text().strip()):
                continue
            if place is None:
                if not whole.find(id=f"{chapter}-solutions"):
                    heading = f'<h2 id="{chapter}-solutions">{section.h1.get_text()}</h2>'
                    whole.section.append(BeautifulSoup(heading, "html.parser"))
                asked["id"], place = f"{chapter}-exercise-{number}", f"{chapter}-solution-{number}"
                back = f'<a href="#{asked["id"]}">{asked.strong.get_text().strip(" .")}</a>'
                whole.section.append(BeautifulSoup(f'<h3 id="{place}">{back}</h3>', "html.parser"))
                link = f'<p class="solved"><a href="#{place}">Solution</a></p>'
                part.insert_before(BeautifulSoup(link, "html.parser"))
            if summary.get_text().strip().startswith("Show"):
                summary.decompose()
            whole.section.append(part.extract())
    return whole.section
