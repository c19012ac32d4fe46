"""Trainings on a page that a reader can try things out on, in the browser."""

import json
from html import escape

from nnfs_book.presentation.html import Html, still_picture

TRIALS = ("last_bit", "playground")


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
    Html

    Raises
    ------
    ValueError
        If there is nothing of that name.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
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
    picture = still_picture(still, alt)
    html = (
        f'<div class="trial" data-trial="{name}" data-values="{escape(json.dumps(data))}" '
        f'data-alt="{escape(alt)}">{picture}</div>'
    )
    return Html(html, f"Trial of {name}")
