"""Bind the book: all pages of a build as one EPUB.

    python -m tools.epub _build/html _build/book.epub

Nothing in it moves or folds: formulas are MathML, figures SVG, a player is its last frame, folds are
open, and the solutions stand at the end.
"""

import argparse
import re
import zipfile
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

import yaml

from nnfs_book import __version__
from tools.articles import ROOT, articles, order

LEFT_OUT = "script, noscript, button, input, label, progress, svg, figure[hidden]"
KEPT = {"id", "class", "href", "src", "alt", "width", "height", "colspan", "rowspan", "start"}
KEPT |= {"display", "xmlns", "title", "lang", "mathvariant", "stretchy", "columnalign"}
KEPT |= {"columnspacing", "rowspacing", "accent", "accentunder", "fence", "linethickness"}
KEPT |= {"minsize", "maxsize", "scriptlevel", "displaystyle", "movablelimits", "depth"}
DOCTYPE = re.compile(r"<!DOCTYPE[^>]*>\s*")
EMPTY = re.compile(r"<path(?![^>]* d=)")
CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
PAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
  lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="epub.css"/></head>
<body>
{body}
</body>
</html>
"""
PACKAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>Text and figures: CC BY 4.0. Code: MIT.</dc:rights>
<meta property="dcterms:modified">{modified}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Figures are described, formulas are MathML.</meta>
</metadata>
<manifest>
<item id="contents" href="contents.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="styles" href="epub.css" media-type="text/css"/>
{items}
</manifest>
<spine>
<itemref idref="contents"/>
{spine}
</spine>
</package>
"""


def still(section):
    """Make of an article what a reader of electronic books can show; return its pictures' places."""
    for part in section.select(LEFT_OUT):
        part.decompose()
    for formula in section("mjx-container"):
        mathml = formula.math.extract()
        if formula.get("display"):
            mathml["display"] = "block"
        formula.replace_with(mathml)
    for fold in section("details"):
        fold.name = "div"
    for summary in section("summary"):
        summary.name = "div"
    for label in section.select(".expanded"):
        label.decompose()
    for label in section.select(".collapsed"):
        label.string = re.sub("^Show the", "The", label.get_text())
    for part in [section, *section(True)]:
        part.attrs = {name: value for name, value in part.attrs.items() if name in KEPT}
    for link in section("a", href=True):
        if not link["href"].startswith("#") and not urlsplit(link["href"]).scheme:
            link.unwrap()  # to what is on the pages only: the package's source, the index
    pictures = {}
    for image in section("img"):
        name = Path(unquote(image["src"])).name
        image["src"], pictures[f"images/{name}"] = f"images/{name}", image["src"]
    return pictures


def contents(titles):
    """Return the list of the chapters, in their parts."""

    def entries(names):
        return "".join(f'<li><a href="{n}.xhtml">{escape(titles[n])}</a></li>' for n in names)

    parts = {part: [Path(name).name for name in names] for part, names in order().items()}
    first = entries(parts.pop(""))
    parts["Appendices"].append("solutions")
    others = (
        f"<li><span>{part}</span><ol>{entries(names)}</ol></li>" for part, names in parts.items()
    )
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{first}{"".join(others)}</ol></nav>'


def bound(folder, target):
    """Write the pages of a build to one file."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    sections = articles(folder, drawn=False)
    titles = {name: section.h1.get_text() for name, section in sections.items()}
    pictures = {}
    for section in sections.values():
        pictures |= still(section)
    home = {part["id"]: name for name, section in sections.items() for part in section(id=True)}
    home |= {name: name for name in sections}
    pages, items = {"contents": contents(titles)}, []
    for name, section in sections.items():
        for link in section("a", href=re.compile("^#")):
            place = link["href"][1:]
            link["href"] = f"{home[place]}.xhtml#{place}"
        pages[name] = str(section)
        kind = ' properties="mathml"' * bool(section.math)
        item = f'id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"{kind}'
        items.append(f"<item {item}/>")
    for number, name in enumerate(pictures, start=1):
        items.append(f'<item id="picture-{number}" href="{name}" media-type="image/svg+xml"/>')
    package = PACKAGE.format(
        identifier=uuid5(NAMESPACE_URL, f"{config['title']} {__version__}").urn,
        title=config["title"],
        author=config["author"],
        modified=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        items="\n".join(items),
        spine="\n".join(f'<itemref idref="{name}"/>' for name in sections),
    )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, as it must
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/book.opf", package)
        book.write(Path(__file__).with_name("epub.css"), "book/epub.css")
        for name, body in pages.items():
            title = titles.get(name, config["title"])
            book.writestr(f"book/{name}.xhtml", PAGE.format(title=escape(title), body=body))
        for name, source in pictures.items():
            drawn = (folder / "book" / unquote(source)).read_text("utf-8")
            book.writestr(f"book/{name}", EMPTY.sub('<path d="M0 0"', DOCTYPE.sub("", drawn)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m tools.epub", description=__doc__.split("\n")[0])
    parser.add_argument("html", type=Path, help="the folder of the built pages")
    parser.add_argument("epub", type=Path, help="the file to write")
    given = parser.parse_args()
    bound(given.html.resolve(), given.epub)
