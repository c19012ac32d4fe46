"""Print the book: all pages of a build as one PDF.

    python -m tools.paper _build/html _build/book.pdf

The pages' articles become one page, in the order of the book, with the solutions at its end. A
Chromium of this machine prints it, with folds open, page numbers, and the headings as the PDF's
outline.
"""

import argparse
import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.articles import articles, order

STYLES = re.compile(r'<link [^>]*rel="stylesheet"[^>]*>')
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


def printed(folder, target):
    """Print the pages of a build to a file."""
    (root,) = order()[""]
    first = (folder / f"{root}.html").read_text("utf-8")
    sections = articles(folder)
    for section in sections.values():
        for fold in section("details"):
            fold["open"] = ""
        for image in section("img"):
            del image["loading"]
    titles = {name: section.h1.decode_contents() for name, section in sections.items()}
    whole = PAGE.format(
        title=re.search("<title>(.*?)</title>", first)[1],
        styles="".join(STYLES.findall(first)),
        contents="".join(f'<li><a href="#{s}">{title}</a></li>' for s, title in titles.items()),
        articles="".join(map(str, sections.values())),
    )
    joined = folder / Path(root).parent / "paper.html"
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
    printed(given.html.resolve(), given.pdf)
