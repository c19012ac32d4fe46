"""Sphinx extension: set all formulas while the book is built, so that no page needs MathJax.

MathJax, from the package ``sphinx-mathjax-offline``, runs in the JavaScript engine of the package
``mini-racer``. A page gets the finished formulas, each with its MathML for screen readers; the book
gets one style sheet and one set of fonts, both of the characters that occur in it and no others.
"""

import atexit
import functools
import json
import re
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes
from fonts import cut
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number, wrap_displaymath

MATHJAX = files("sphinx-mathjax-offline") / "static" / "mathjax"
PARTS = ["loader", "core", "adaptors/liteDOM", "input/tex-base", "input/tex/extensions/ams"]
PARTS += ["output/chtml", "output/chtml/fonts/tex", "a11y/assistive-mml"]
FONTS = "output/chtml/fonts/woff-v2"
TYPESETTER = """
const { adaptors, handlers, a11y, input, output, mathjax } = MathJax._;
const adaptor = adaptors.liteAdaptor.liteAdaptor();
a11y["assistive-mml"].AssistiveMmlHandler(handlers.html_ts.RegisterHTMLHandler(adaptor));
const formatError = (_, error) => { throw Error(error.message); };
const tex = new input.tex_ts.TeX({ packages: ["base", "ams"], formatError });
const font = new output.chtml.fonts.tex_ts.TeXFont({ fontURL: "mathematics" });
const chtml = new output.chtml_ts.CHTML({ font, adaptiveCSS: false });
const page = mathjax.mathjax.document("", { InputJax: tex, OutputJax: chtml });
const typeset = (source, display) => adaptor.outerHTML(page.convert(source, { display }));
const styles = () => adaptor.textContent(chtml.styleSheet(page));
"""
RULE = re.compile(r"""(?P<names>[^{}]+)\{(?P<body>(?:[^{}"]|"(?:\\.|[^"\\])*")*)\}\n*""")
CHARACTER = re.compile(r"mjx-c[0-9A-F]+")
CONTENT = re.compile(r'content: "((?:\\[0-9A-F]+ ?|\\.|[^"\\])*)"')
FACE = re.compile(r"mathematics/([\w-]+\.woff)")


@functools.cache
def engine():
    """Return the JavaScript engine with MathJax in it."""
    javascript = MiniRacer()
    atexit.register(javascript.close)  # later its thread is gone, and some Pythons wait for it forever
    javascript.eval("var window = globalThis;")
    for part in PARTS:
        javascript.eval((MATHJAX / f"{part}.js").read_text("utf-8"))
    javascript.eval(TYPESETTER)
    return javascript


@functools.cache
def typeset(source, display=False):
    """Return a formula in TeX as HTML."""
    try:
        return engine().eval(f"typeset({json.dumps(source)}, {json.dumps(display)})")
    except JSEvalException as error:
        raise ValueError(re.search("Error: (.*)", str(error)).group(1)) from None


def add(translator, node, tag, source, number=""):
    """Write a formula into a page; a formula that cannot be set is a warning."""
    try:
        html = typeset(source, display=tag == "div")
    except ValueError as error:
        logging.getLogger(__name__).warning("%s in %s", error, source, location=node)
        html = translator.encode(source)
    opening = translator.starttag(node, tag, "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{opening}{number}{html}")
    if node["ids"]:
        what = "equation" if number else "derivation"
        translator.add_permalink_ref(node, f"Permalink to this {what}")
    translator.body.append(f"</{tag}>")
    raise nodes.SkipNode


def visit_math(translator, node):
    add(translator, node, "span", node.astext())


def visit_math_block(translator, node):
    number = ""
    if node["number"]:
        number = f'<span class="eqno">({get_node_equation_number(translator, node)})</span>'
    source = node.astext() if node["nowrap"] else wrap_displaymath(node.astext(), None, False)
    add(translator, node, "div", source, number)


def needed(styles, characters):
    """Return the style rules that these characters need, and the text that the rules bring in."""
    kept, text = [], set()
    for rule in RULE.finditer(re.sub(r"/\*.*?\*/", "", styles)):
        if not set(CHARACTER.findall(rule["names"])) <= characters:
            continue
        kept.append(rule.group())
        for content in CONTENT.findall(rule["body"]):
            code = r"\\([0-9A-F]+) ?"
            text |= set(re.sub(code, lambda match: chr(int(match[1], 16)), content))
    return "".join(kept), text


def write_styles(app, exception):
    """Write the style sheet and the fonts for what stands in the pages of this build."""
    if exception or app.builder.format != "html":
        return
    pages = (path.read_text("utf-8") for path in Path(app.outdir).rglob("*.html"))
    characters = set().union(*(CHARACTER.findall(page) for page in pages))
    styles, text = needed(engine().eval("styles()"), characters)
    folder = Path(app.outdir, "_static")
    (folder / "mathematics").mkdir(exist_ok=True)
    (folder / "mathematics.css").write_text(styles, "utf-8")
    for name in FACE.findall(styles):
        with as_file(MATHJAX / FONTS / name) as source:
            cut(source, folder / "mathematics" / name, "".join(text))


def setup(app):
    app.add_html_math_renderer("typeset", (visit_math, None), (visit_math_block, None))
    app.add_css_file("mathematics.css")
    app.connect("build-finished", write_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
