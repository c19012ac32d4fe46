"""Listings: the source of what runs, as the page shows it."""

import ast
import inspect
from textwrap import dedent, indent

from IPython.display import Markdown


def show_code(*objects):
    """Show the source of functions or classes that run in this book, without their docstrings.

    Parameters
    ----------
    *objects : function, class or method
        Shown one below the other; methods under the name of their class.

    Returns
    -------
    IPython.display.Markdown
        A highlighted listing.

    Examples
    --------
    >>> from nnfs_book.arithmetic import is_native
    >>> print(show_code(is_native).data)
    ```python
    def is_native():
        return bool(_native.get())
    ```
    """
    listings, last_owner = [], ""
    for o in objects:
        listing = without_docstrings(dedent(inspect.getsource(o)))
        owner = o.__qualname__.rpartition(".")[0]
        if owner:
            header = f"class {owner}:\n" if owner != last_owner else ""
            listing = header + indent(listing, "    ")
        listings.append(listing)
        last_owner = owner
    return Markdown("```python\n" + "\n\n".join(listings) + "\n```")


def without_docstrings(source):
    """Return source code with the docstrings of functions and classes taken out.

    Examples
    --------
    >>> print(without_docstrings('def f(x):\\n    "Return x."\\n    return x'))
    def f(x):
        return x
    """
    lines = source.rstrip().split("\n")
    documented = (ast.FunctionDef, ast.ClassDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines[docstring.lineno - 1 : docstring.end_lineno] = [None] * (
                docstring.end_lineno - docstring.lineno + 1
            )
    kept = []
    for line in lines:
        follows_removed = bool(kept) and kept[-1] is None
        if line is None or (line == "" and follows_removed):
            kept.append(None)
        else:
            kept.append(line)
    return "\n".join(line for line in kept if line is not None)
