"""Retraining a network in the reader's own browser: what a page has to know for it."""

import base64
import json
from html import escape

import numpy as np

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of whole numbers that a page holds
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
            f'data-alt="{escape(self.alt)}"><p>Fingerprint of the network trained here: '
            f'<code>{self.sha256}</code></p><p class="note">{NOTE}</p></div>'
        )

    def __repr__(self):
        epochs = f"{self.start['epochs']:,} epochs"
        return f"Retraining of {epochs}, which ends in the fingerprint {self.sha256}"


def retrain(layers, X, y, epochs, sha256, alt="", **settings):
    """Offer to train a network again in the reader's browser, and to compare the fingerprint.

    Parameters
    ----------
    layers, X, y, epochs, **settings
        See `start_of`.
    sha256 : str
        The fingerprint of the trained network, as it was found here.
    alt : str
        What the picture of the training shows, for those who do not see it.

    Returns
    -------
    Retraining

    Examples
    --------
    >>> from nnfs_book import Dense, RandomStream
    >>> layers = [Dense(2, 64, stream=RandomStream(0)), Dense(64, 1, stream=RandomStream(1))]
    >>> retrain(layers, [[0, 1]], [1], epochs=1_000, sha256="44145c")
    Retraining of 1,000 epochs, which ends in the fingerprint 44145c
    """
    return Retraining(start_of(layers, X, y, epochs, **settings), sha256, alt)


def start_of(
    layers,
    X,
    y,
    epochs,
    l2=0.0,
    learning_rate=0.001,
    decay=0.0,
    batch_size=None,
    stream=None,
    unit=None,
):
    """Return all that a training starts from, as a page holds it.

    Parameters
    ----------
    layers : sequence of Dense
        With their starting weights. ReLU stands between them; a sigmoid follows one last neuron, a
        softmax several.
    X, y : array_like, shapes (N, D) and (N,) or (N, 1)
        What it is trained on: inputs, and class numbers or answers of 0 or 1.
    epochs : int
        How often it goes through all samples.
    l2 : float
        Strength of the penalty on the first layer's weights and biases.
    learning_rate, decay : float
        Of Adam.
    batch_size : int, optional
        Samples in a step; all when omitted.
    stream : RandomStream, optional
        Where orders of samples and masks come from, as it stands before the training.
    unit : int, optional
        If inputs are whole numbers below 36, divided by this one, the page needs a digit for each.

    Examples
    --------
    >>> start_of([], [[0, 0.5], [1, 0.25]], [2, 0], epochs=9, unit=4)["inputs"]
    '0241'
    """
    start = {
        **points_of(X, y, unit),
        "layers": [{"weights": encoded(x.weights), "biases": encoded(x.biases)} for x in layers],
        "l2": l2,
        "learning_rate": learning_rate,
        "decay": decay,
        "epochs": epochs,
        "batch_size": batch_size,
        "stream": stream and bit_state(stream),
        "unit": unit,
    }
    return {name: value for name, value in start.items() if value is not None}


def points_of(X, y, unit=None):
    """Return inputs and their class numbers, or answers of 0 or 1, as a page holds them.

    Examples
    --------
    >>> points_of([[1, -2]], [1])
    {'inputs': 'AACAPwAAAMA=', 'y': '1'}
    """
    return {"inputs": digits(np.asarray(X) * unit) if unit else encoded(X), "y": digits(y)}


def encoded(a):
    """Return numbers as base64 text of little-endian float32.

    Examples
    --------
    >>> encoded([1, -2])
    'AACAPwAAAMA='
    """
    return base64.b64encode(np.asarray(a, "<f4").tobytes()).decode()


def digits(a):
    """Return whole numbers below 36 as a text of one digit each.

    Raises
    ------
    ValueError
        If there is any other number.

    Examples
    --------
    >>> digits([0, 9, 16])
    '09g'
    """
    a = np.ravel(a)
    if not np.isin(a, np.arange(36)).all():
        raise ValueError("numbers must be whole ones from 0 to 35")
    return "".join(DIGITS[int(x)] for x in a)


def bit_state(stream):
    """Return where a stream's raw bits stand, as texts: the numbers have up to 128 bits.

    Examples
    --------
    >>> from nnfs_book import RandomStream
    >>> bit_state(RandomStream(0))[1]
    '87136372517582989555478159403783844777'
    """
    state = stream.state["bits"]["state"]
    return [str(state["state"]), str(state["inc"])]
