"""Sphinx extension: a word of the glossary shows its meaning where a page first uses it.

The chapters are written without marks for it. A word is looked for in their paragraphs, but for the
page that explains it, and but for links, headings, headers, code and formulas.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref

HOME = "book/glossary"
LEFT_ALONE = nodes.reference, nodes.literal, nodes.math, nodes.strong, nodes.emphasis, nodes.block_quote


def entries(app):
    """Return for each word its anchor, its meaning, and the page that explains it."""
    found = {}
    for item in app.env.get_doctree(HOME).findall(nodes.definition_list_item):
        term, (meaning, where) = item.next_node(nodes.term), item.next_node(nodes.definition)
        link = where.next_node(pending_xref)
        found[term.astext()] = term["ids"][0], meaning.astext(), link["reftarget"]
    return found


def explained(app, doctree, page):
    """Link the first use of each word in a chapter to the glossary."""
    if app.builder.format != "html" or Path(app.env.doc2path(page)).suffix != ".ipynb":
        return
    words = {
        word.lower(): (anchor, meaning)
        for word, (anchor, meaning, home) in entries(app).items()
        if not page.endswith(home.removesuffix(".ipynb"))
    }
    glossary = app.builder.get_relative_uri(page, HOME)
    longest_first = sorted(words, key=len, reverse=True)
    any_word = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest_first)
    pattern = re.compile(rf"(?<![\w-])({any_word})(s|es)?(?![\w-])", re.IGNORECASE)

    def linked(match):
        word = " ".join(match[1].lower().split())
        if word not in words:  # it was used before
            return match[0]
        anchor, meaning = words.pop(word)
        return (
            f'<a class="term" href="{glossary}#{anchor}" data-meaning="{escape(meaning)}">{match[0]}</a>'
        )

    for text in [t for p in doctree.findall(nodes.paragraph) for t in p.findall(nodes.Text)]:
        html = escape(text.astext(), quote=False)
        if pattern.search(html) and not within(text, *LEFT_ALONE):
            text.parent.replace(text, nodes.raw("", pattern.sub(linked, html), format="html"))


def within(node, *kinds):
    """Tell whether a node stands in one of these kinds."""
    return node is not None and (isinstance(node, kinds) or within(node.parent, *kinds))


def setup(app):
    app.connect("doctree-resolved", explained)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
