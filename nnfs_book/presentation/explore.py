"""Things to move on a page: sliders over the book's arithmetic in the reader's browser."""

import json
from html import escape

import matplotlib.pyplot as plt

from nnfs_book.presentation.figures import svg_of
from nnfs_book.presentation.player import data_address
from nnfs_book.presentation.retrain import encoded

WIDGETS = ("neuron", "price", "softmax", "valley", "sums", "bug")
NOTE = "On the page of this book, in a browser that runs scripts, this can be moved."


class Exploration:
    """Something to move, as HTML; made by `explore`."""

    def __init__(self, name, html):
        self.name, self.html = name, html

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"Exploration of {self.name}"


def explore(name, still, alt, **data):
    """Show something that a reader can move; where no script runs, a still.

    Parameters
    ----------
    name : str
        One of ``"neuron"``, ``"price"``, ``"softmax"``, ``"valley"``, ``"sums"`` and ``"bug"``.
    still : matplotlib Figure
        What the page shows without JavaScript, and in print. It is closed.
    alt : str
        What the still shows, for those who do not see it.
    **data
        What the widget needs: ``numbers`` for ``"sums"``, an array; for ``"bug"`` under the name of
        each training a dict of its figures, each the numbers of all runs.

    Returns
    -------
    Exploration

    Raises
    ------
    ValueError
        If there is nothing of that name.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> explore("valley", figure, alt="A parabola.")
    Exploration of valley
    >>> explore("mountain", figure, alt="A cone.")
    Traceback (most recent call last):
        ...
    ValueError: name must be one of neuron, price, softmax, valley, sums, bug; got 'mountain'
    """
    if name not in WIDGETS:
        raise ValueError(f"name must be one of {', '.join(WIDGETS)}; got {name!r}")
    picture = data_address(svg_of(still))
    plt.close(still)
    values = escape(json.dumps(data, default=encoded))
    html = (
        f'<div class="explore" data-explore="{name}" data-values="{values}">'
        f'<img alt="{escape(alt)}" src="{picture}"><p>{NOTE}</p></div>'
    )
    return Exploration(name, html)
