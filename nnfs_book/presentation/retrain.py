"""Retraining a network in the reader's own browser: what a page has to know for it."""

import base64
import json
from html import escape

import numpy as np

NOTE = (
    "On the page of this book, a button here trains the network again in your browser, and compares "
    "the fingerprint."
)


class Retraining:
    """What a browser needs to repeat a training, as HTML; made by `retrain`."""

    def __init__(self, start, sha256, alt):
        self.start, self.sha256, self.alt = start, sha256, alt

    def _repr_html_(self):
        start = escape(json.dumps(self.start))
        return (
            f'<div class="retrain" data-sha256="{self.sha256}" data-start="{start}" '
            f'data-alt="{escape(self.alt)}"><p>{NOTE}</p></div>'
        )

    def __repr__(self):
        epochs = f"{self.start['epochs']:,} epochs"
        return f"Retraining of {epochs}, which ends in the fingerprint {self.sha256}"


def retrain(run, X, y, layers, l2=0.0, learning_rate=0.001, decay=0.0, alt=""):
    """Offer to train a network again in the reader's browser, and to compare the fingerprint.

    Parameters
    ----------
    run : Run
        The training as it went here: its length and its fingerprint.
    X, y : ndarray, shapes (N, D) and (N,) or (N, 1)
        What it is trained on: inputs, and class numbers or answers of 0 or 1.
    layers : sequence of Dense
        With their starting weights. ReLU stands between them; a sigmoid follows one last neuron, a
        softmax several.
    l2 : float
        Strength of the penalty on the first layer's weights and biases.
    learning_rate, decay : float
        Of Adam.
    alt : str
        What the picture of the training shows, for those who do not see it.

    Returns
    -------
    Retraining

    Examples
    --------
    >>> from nnfs_book import Dense, RandomStream, logistic_regression
    >>> run = logistic_regression(epochs=1)
    >>> layers = [Dense(2, 64, stream=RandomStream(0)), Dense(64, 1, stream=RandomStream(1))]
    >>> offer = retrain(run, [[0, 1]], [1], layers)
    >>> repr(offer).startswith("Retraining of 1 epochs, which ends in the fingerprint ")
    True
    """
    start = {
        "inputs": encoded(X),
        "y": encoded(y),
        "layers": [{"weights": encoded(x.weights), "biases": encoded(x.biases)} for x in layers],
        "l2": l2,
        "learning_rate": learning_rate,
        "decay": decay,
        "epochs": run.log[-1]["epoch"] + 1,
    }
    return Retraining(start, run.sha256, alt)


def encoded(a):
    """Return numbers as base64 text of little-endian float32.

    Examples
    --------
    >>> encoded([1, -2])
    'AACAPwAAAMA='
    """
    return base64.b64encode(np.asarray(a, "<f4").tobytes()).decode()
