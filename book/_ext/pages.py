"""Sphinx extension: pages that are light, fit a phone, and can be read by everyone.

Here is changed what the themes and MyST-NB write; ``_templates`` and the style sheets do the rest.
"""

import hashlib
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from fonts import cut

NOWHERE = "https://example.org/"  # where a book is that has not been published
WIDE = 560  # pixels: the text of a wider picture is too small on a phone
LONG = 100  # columns: what is longer is a sentence, not a table
TAG = re.compile(r"<[^>]+>")
BOX = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
PLAYER = re.compile(r'<div class="player">.*?<label hidden>[^<\n]*', re.DOTALL)
VARIED = re.compile(r"<figcaption>([^<\d]*(?:\d[\d.,]*)?\d)")
DRAWN = re.compile(r'src="data:image/svg\+xml,([^"]*)"')
IMAGE = re.compile(
    r'<img (?P<rest>[^>]*src="(?P<link>[^"]*_images/(?P<name>[^"/]+\.svg))"[^>]*?) ?/?>'
)
SIDES = re.compile(r"""<svg[^>]*? width=["']([\d.]+)pt["'] height=["']([\d.]+)pt["']""")
# What scripts that follow at once need: a page's own settings, and the search its tools.
AT_ONCE = "documentation_options.js", "doctools.js"
HEAVY = re.compile(r'<script defer src="[^"]*fontawesome\.js[^"]*"></script>')
ICON_FONT = "vendor/fontawesome/webfonts/fa-solid-900.ttf"
ICON_CLASS = re.compile(r"\bfa-[a-z-]+")
ICON_RULE = re.compile(r'(?P<names>(?:\.fa-[\w-]+:before,?)+)\{content:"\\(?P<code>\w+)"\}')
ICON_IN_STYLES = re.compile(r'--pst-icon-[\w-]+: ?"\\(f\w+)"|content: ?"\\(f107)"')
ICON_STYLES = """\
@font-face {
  font-family: "Font Awesome 6 Free";
  font-weight: 900;
  font-display: block;
  src: url("icons.woff") format("woff");
}
"""
REDIRECT = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={root}.html">
<title>{title}</title>
{canonical}</head>
<body><p><a href="{root}.html">{title}</a></p></body>
</html>
"""
SITEMAP = """\
<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{pages}
</urlset>
"""


# One page


def with_columns(box):
    """Say how wide the text of a box is, so that the style sheet can make it fit."""
    columns = max(map(len, unescape(TAG.sub("", box[1])).split("\n")))
    kind = ' class="sentences"' if columns > LONG else ""
    return f'<pre{kind} style="--columns: {min(columns, LONG)}">{box[1]}</pre>'


def with_range(player):
    """Let a player's slider say what it varies: what the first and the last caption begin with.

    Captions without a number say nothing of the kind.
    """
    found = VARIED.findall(player[0])
    return f"{player[0]}, from “{found[0]}” to “{found[-1]}”" if found else player[0]


def picture_of_its_own(app, context):
    """Return what puts a picture that stands in the page into a file, which loads when seen."""

    def replaced(drawn):
        svg = unquote(drawn[1]).encode()
        name = f"{hashlib.sha256(svg).hexdigest()}.svg"
        path = Path(app.outdir, "_images", name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(svg)
        address = context["pathto"](f"_images/{name}", 1)
        return f'src="{address}"'

    return replaced


def picture_with_size(app):
    """Return what gives a picture its size, lets it wait, and a wide one a link to itself."""
    sources = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}

    def replaced(image):
        svg = sources.get(image["name"], Path(app.outdir, "_images", image["name"]))
        points = SIDES.search(svg.read_text("utf-8")).groups()
        width, height = (round(float(side) * 4 / 3) for side in points)
        size = f'width="{width}" height="{height}" loading="lazy"'
        link = f'<a class="enlarge" href="{image["link"]}">Open the picture large</a>'
        return f"<img {image['rest']} {size}>{link if width > WIDE else ''}"

    return replaced


def described(doctree):
    """Return the first paragraph of a page as one line, no longer than search engines show."""
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None) if doctree else None
    words = " ".join(paragraph.astext().split()) if paragraph else ""
    return words if len(words) <= 160 else words[:160].rpartition(" ")[0] + " …"


def needed(script, body):
    """Whether a page needs a script; sphinx-design's is for tabs."""
    return "design-tabs" not in str(script.filename) or "sd-tab-set" in body


def change(app, page, template, context, doctree):
    """Change the body of a page, and what its head asks for."""
    body = context.get("body", "")
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    body = body.replace('<th class="head"><p></p></th>', "<td></td>")  # heads no column
    body = BOX.sub(with_columns, body)
    body = PLAYER.sub(with_range, body)
    body = DRAWN.sub(picture_of_its_own(app, context), body)
    context["body"] = IMAGE.sub(picture_with_size(app), body)
    context["description"] = described(doctree)
    context["address"] = app.config.html_baseurl
    context["without_heavy_scripts"] = lambda html: HEAVY.sub("", html)
    context["script_files"] = [s for s in context["script_files"] if needed(s, body)]
    for script in context["script_files"]:
        if script.filename and not script.filename.endswith(AT_ONCE):
            script.attributes["defer"] = "defer"


# The whole book


def publish(app, config):
    """Say where the book is published, if it is."""
    if config.html_baseurl.startswith(NOWHERE):
        config.html_baseurl = config.html_theme_options["repository_url"] = ""
    else:
        config.html_theme_options["launch_buttons"] = {"binderhub_url": "https://mybinder.org"}


def write_icons(static, pages):
    """Write a font of the icons that the pages and the themes' styles use."""
    styles = "".join(path.read_text("utf-8") for path in (static / "styles").glob("*.css"))
    used = set().union(*(ICON_CLASS.findall(page.read_text("utf-8")) for page in pages))
    codes = [code for pair in ICON_IN_STYLES.findall(styles) for code in pair if code]
    for rule in ICON_RULE.finditer(styles):
        if used & set(ICON_CLASS.findall(rule["names"])):
            codes.append(rule["code"])
    cut(static / ICON_FONT, static / "icons.woff", "".join(chr(int(code, 16)) for code in codes))
    (static / "icons.css").write_text(ICON_STYLES, "utf-8")


def finish(app, exception):
    """Write what belongs to the whole book: its icons, its first page, the list of its pages."""
    if exception or app.builder.format != "html":
        return
    out, base, root = Path(app.outdir), app.config.html_baseurl, app.config.master_doc
    write_icons(out / "_static", out.rglob("*.html"))
    canonical = f'<link rel="canonical" href="{base}{root}.html">\n' if base else ""
    first = REDIRECT.format(root=root, title=app.config.html_title, canonical=canonical)
    (out / "index.html").write_text(first, "utf-8")
    if base:
        pages = (f"<url><loc>{base}{page}.html</loc></url>" for page in sorted(app.env.found_docs))
        (out / "sitemap.xml").write_text(SITEMAP.format(pages="\n".join(pages)), "utf-8")


def setup(app):
    app.add_css_file("icons.css")
    app.add_js_file("pages.js", loading_method="defer")
    app.connect("config-inited", publish)
    app.connect("html-page-context", change, priority=900)
    app.connect("build-finished", finish, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
