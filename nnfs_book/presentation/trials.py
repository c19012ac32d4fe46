"""Trainings on a page that a reader can try things out on, in the browser."""

import json
from html import escape

import matplotlib.pyplot as plt

from nnfs_book.presentation.figures import svg_of
from nnfs_book.presentation.player import data_address

TRIALS = ("last_bit", "playground")


class Trial:
    """A training to try things out on, as HTML; made by `trial`."""

    def __init__(self, name, html):
        self.name, self.html = name, html

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"Trial of {self.name}"


def trial(name, still, alt, **data):
    """Show a training that a reader can change and start; where no script runs, a still.

    Parameters
    ----------
    name : str
        ``"last_bit"``: two trainings side by side that differ in one bit of one weight.
        ``"playground"``: points to draw, and a network that is trained on them.
    still : matplotlib Figure
        What the page shows without JavaScript, and in print. It is closed.
    alt : str
        What the still, and then the trial, shows, for those who do not see it.
    **data
        ``start``, what the training starts from (see `retrain.start_of`). For ``"playground"`` also
        ``fresh``, other points like those to train on (see `retrain.points_of`).

    Returns
    -------
    Trial

    Raises
    ------
    ValueError
        If there is nothing of that name.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> trial("playground", figure, alt="The plane.", start={})
    Trial of playground
    >>> trial("swing", figure, alt="A swing.")
    Traceback (most recent call last):
        ...
    ValueError: name must be one of last_bit, playground; got 'swing'
    """
    if name not in TRIALS:
        raise ValueError(f"name must be one of {', '.join(TRIALS)}; got {name!r}")
    picture = data_address(svg_of(still))
    plt.close(still)
    html = (
        f'<div class="trial" data-trial="{name}" data-values="{escape(json.dumps(data))}" '
        f'data-alt="{escape(alt)}"><img alt="{escape(alt)}" src="{picture}"></div>'
    )
    return Trial(name, html)
