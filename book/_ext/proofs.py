"""Sphinx extension: a permalink on each proved derivation.

It is made of the name of the cell that proves it, such as ``sigmoid.html#proof-log-odds``, and so
holds whatever else changes in a chapter. Prose links to it as to a heading.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform


def parts(node, element):
    """Return what MyST-NB has made of a notebook's cells or outputs."""
    return [part for part in node.findall(nodes.container) if part.get("nb_element") == element]


def derivations(cell):
    """Return the formulas of a cell's outputs that are derivations."""
    return [
        formula
        for output in parts(cell, "mime_bundle")
        if any(form.astext().startswith("Derivation of ") for form in output)
        for formula in output.findall(nodes.math_block)
    ]


class Permalinks(SphinxTransform):
    """Give each derivation an anchor."""

    default_priority = 800  # before MyST looks, at 879, for what links point at

    def apply(self):
        path = Path(self.env.doc2path(self.env.docname))
        if path.suffix != ".ipynb":
            return
        written = json.loads(path.read_text("utf-8"))["cells"]
        for cell in parts(self.document, "cell_code"):
            for count, formula in enumerate(derivations(cell), start=1):
                name = f"proof-{written[cell['cell_index']]['id']}{f'-{count}' * (count > 1)}"
                formula["ids"], formula["names"] = [name], [name]
                self.document.note_explicit_target(formula)


def setup(app):
    app.add_transform(Permalinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
