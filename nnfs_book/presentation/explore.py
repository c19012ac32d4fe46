"""Things to move on a page: sliders over the book's arithmetic in the reader's browser."""

import json
from html import escape

from nnfs_book.presentation.html import Html, still_picture
from nnfs_book.presentation.retrain import encoded

WIDGETS = ("neuron", "price", "softmax", "valley", "sums", "bug")
NOTE = "On the page of this book, in a browser that runs scripts, this can be moved."


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
    Html

    Raises
    ------
    ValueError
        If there is nothing of that name.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
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
    picture = still_picture(still, alt)
    values = escape(json.dumps(data, default=encoded))
    html = (
        f'<div class="explore" data-explore="{name}" data-values="{values}">'
        f"{picture}<p>{NOTE}</p></div>"
    )
    return Html(html, f"Exploration of {name}")
