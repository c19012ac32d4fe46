"""Sphinx extension: put the modules of ``_static/exact`` into one script that a page can run.

A browser loads modules, and starts workers, from a server only. A page that is opened from its
folder has neither, so that the modules' code becomes one function in a plain script, without imports
and exports; a worker is started from the function's own source. Nothing else is changed.
"""

import re
from pathlib import Path

MODULES = ("arithmetic", "random", "network", "sha256", "training")
IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|class|function)\b)", re.MULTILINE)
NAME = re.compile(r"^export (?:const|class|function) (\w+)", re.MULTILINE)
SCRIPTS = {  # in this order, and the marks of the pages that need them
    "address.js": ('class="explore"', 'class="trial"'),
    "trainer.js": ('class="retrain"', 'class="trial"'),
    "retrain.js": ('class="retrain"',),
    "explore.js": ('class="explore"',),
    "trials.js": ('class="trial"',),
}


def bundled(folder):
    """Return a script that defines the function `exactModule` and calls it."""
    sources = [Path(folder, f"{name}.js").read_text("utf-8") for name in MODULES]
    names = ", ".join(name for source in sources for name in NAME.findall(source))
    code = "\n".join(EXPORT.sub("", IMPORT.sub("", source)) for source in sources)
    function = f"function exactModule() {{\n{code}\nreturn {{ {names} }};\n}}"
    return f"{function}\nglobalThis.exact = exactModule();\n"


def write(app):
    """Write the script among the static files of the build."""
    if app.builder.format == "html":
        target = Path(app.outdir, "_static", "exact.js")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(bundled(Path(app.srcdir, "book", "_static", "exact")), "utf-8")


def add_scripts(app, page, template, context, doctree):
    """Load the scripts on the pages that need them."""
    body = context.get("body", "")
    needed = [script for script, marks in SCRIPTS.items() if any(mark in body for mark in marks)]
    for name in ["exact.js", *needed] if needed else []:
        app.add_js_file(name, loading_method="defer")


def setup(app):
    app.connect("builder-inited", write)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
