"""Sphinx extension: serve MathJax from the book itself, so that no page asks another host.

The files come from the package ``sphinx-mathjax-offline``; of its 24 MB a page can only ever ask
for the parts named here.
"""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

PARTS = ("tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2")


def copy_mathjax(app):
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "mathjax")
    with as_file(files("sphinx-mathjax-offline") / "static" / "mathjax") as source:
        for part in PARTS:
            copy = shutil.copytree if (source / part).is_dir() else shutil.copy
            if not (target / part).exists():
                (target / part).parent.mkdir(parents=True, exist_ok=True)
                copy(source / part, target / part)


def setup(app):
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
