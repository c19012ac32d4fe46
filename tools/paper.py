"""Print the book: all pages of a build as one PDF.

    python -m tools.paper _build/html _build/book.pdf

The pages' articles become one page, in the order of the book, in which links lead from one to the
other. A Chromium of this machine prints it, with folds open, page numbers, and the headings as the
PDF's outline.
"""

import argparse
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
ARTICLE = re.compile(r"<article[^>]*>(.*)</article>", re.DOTALL)
STYLES = re.compile(r'<link [^>]*rel="stylesheet"[^>]*>')
ANCHOR = re.compile(r'(?<= )id="([^"]+)"')
HEADING = re.compile(r"<h1>(.*?)<a class=\"headerlink\"", re.DOTALL)
LINK = re.compile(r'href="([^"]+)"')
FOOTER = """\
<p style="font: 8pt sans-serif; margin: auto"><span class="pageNumber"></span></p>"""
PAGE = """\
<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title}</title>{styles}</head>
<body><main class="bd-article paper">
<nav><h1>{title}</h1><ul>{contents}</ul></nav>
{articles}
</main></body>
</html>
"""


def order():
    """Return the names of the book's files in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]


def article(html, name, names):
    """Return what a page says, with anchors and links that hold among all pages in one.

    Examples
    --------
    >>> html = '<article><h1 id="a">A</h1> <a href="#a">up</a> <a href="b.html#c">b</a></article>'
    >>> article(html, "book/a", ["book/a", "book/b"])
    '<section id="a"><h1 id="a-a">A</h1> <a href="#a-a">up</a> <a href="#b-c">b</a></section>'
    """
    stem = Path(name).name
    known = {Path(other).name for other in names}

    def linked(match):
        address = urlsplit(match[1])
        page = Path(address.path).stem or stem
        if address.scheme or page not in known:
            return match[0]
        return f'href="#{page}{"-" if address.fragment else ""}{address.fragment}"'

    body = ANCHOR.sub(rf'id="{stem}-\1"', ARTICLE.search(html)[1])
    body = LINK.sub(linked, body).replace("<details", "<details open")
    body = body.replace(' loading="lazy"', "")
    return f'<section id="{stem}">{body}</section>'


def printed(folder, target, names):
    """Print the pages of a build to a file."""
    pages = {name: (folder / f"{name}.html").read_text("utf-8") for name in names}
    first = pages[names[0]]
    titles = {Path(name).name: HEADING.search(html)[1] for name, html in pages.items()}
    whole = PAGE.format(
        title=re.search("<title>(.*?)</title>", first)[1],
        styles="".join(STYLES.findall(first)),
        contents="".join(f'<li><a href="#{s}">{title}</a></li>' for s, title in titles.items()),
        articles="".join(article(html, name, names) for name, html in pages.items()),
    )
    joined = folder / Path(names[0]).parent / "paper.html"
    joined.write_text(whole, "utf-8")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(joined.as_uri())
        page.pdf(
            path=target,
            format="A4",
            margin={"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"},
            display_header_footer=True,
            header_template="<p></p>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        browser.close()
    joined.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m tools.paper", description=__doc__.split("\n")[0])
    parser.add_argument("html", type=Path, help="the folder of the built pages")
    parser.add_argument("pdf", type=Path, help="the file to write")
    given = parser.parse_args()
    printed(given.html.resolve(), given.pdf, order())
