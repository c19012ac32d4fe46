"""The trainings, and other experiments with chance, whose printed figures the book confirms.

Chapters, stored ensembles and tests all call these functions, and the chapters show their
source: what is read is what ran.
"""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from nnfs_book.arithmetic import total
from nnfs_book.datasets import spiral_data
from nnfs_book.network.activations import ReLU, Sigmoid, Softmax
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SoftmaxCategoricalCrossentropy,
)
from nnfs_book.network.optimizers import Adam
from nnfs_book.network.passes import backward, forward
from nnfs_book.network.randomness import RandomStream
from nnfs_book.network.validation import number, whole_number

NUDGE = 2.0**-14  # moves a weight's fifth digit


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes
    ----------
    figures : dict
        The measured numbers, under the names of the ledger.
    log : list of dict
        What was measured during training: the epoch and the same names.
    layers : tuple
        The trained network, first layer first, activations included.
    """

    figures: dict
    log: list
    layers: tuple

    def predict(self, inputs):
        """Send inputs of shape (N, D) through the layers and return the last output."""
        return forward(self.layers, inputs, training=False)

    @property
    def sha256(self):
        """The fingerprint of the trained network (see `fingerprint`)."""
        return fingerprint(self.layers)

    def sha256_at(self, epoch):
        """Return the fingerprint before the step of an epoch, or None if that was not logged."""
        return next((row["sha256"] for row in self.log if row["epoch"] == epoch), None)


def fingerprint(layers):
    """Return the SHA-256 of all weights and biases as little-endian float32: equal hash, equal bits.

    Examples
    --------
    >>> fingerprint([Dense(2, 1, stream=RandomStream(0))])[:16]
    '9827b06edab57c06'
    """
    digest = sha256()
    for layer in layers:
        if hasattr(layer, "weights"):
            digest.update(layer.weights.astype("<f4").tobytes())
            digest.update(layer.biases.astype("<f4").tobytes())
    return digest.hexdigest()


def nudged(weights, nudge, size=NUDGE):
    """Return starting weights that are hardly different from the given ones.

    Each weight is moved by the same share of itself, up or down by the toss of a coin.

    A nudge has to be larger than what the order of a sum changes, or its crowd of runs is too
    narrow: moved by one unit in the last place, 200 runs of G stay alike for 400 epochs, while plain
    NumPy has long passed the first ReLU on its other side.

    Parameters
    ----------
    weights : ndarray
        Float32 weights; they are not changed.
    nudge : int
        Seed of the coin, at least 1; or 0, which moves nothing.
    size : float
        By how much of itself a weight is moved, between 0 and 1; 2**-24 moves it by one unit in
        its last place (and leaves a power of two where it is).

    Raises
    ------
    TypeError, ValueError
        If `nudge` or `size` is out of its range.

    Examples
    --------
    >>> weights = np.array([0.75, 3.0], dtype=np.float32)
    >>> nudged(weights, 2).tolist()
    [0.7499542236328125, 3.00018310546875]
    >>> (nudged(weights, 2, size=2**-24) - weights).tolist()
    [-5.960464477539063e-08, 2.384185791015625e-07]
    >>> nudged(weights, 0).tolist()
    [0.75, 3.0]
    """
    size = number(size, "size", positive=True, below=1)
    if whole_number(nudge, "nudge", minimum=0) == 0:
        return weights
    up = RandomStream(nudge).keep(weights.shape, probability=0.5)
    step = np.where(up, size, -size) * abs(weights)
    return (weights + step).astype(weights.dtype)


def logistic_regression(
    nudge=0, seed=0, epochs=10_001, sigmoid=Sigmoid, nudge_size=NUDGE
):
    """Train the binary classifier of figures G on two spiral arms.

    Parameters
    ----------
    nudge : int
        How to move the first layer's starting weights a little (see `nudged`); 0 for not at all.
    seed : int
        Of the stream that draws the data, then the weights, then the validation data.
    epochs : int
        Number of steps, each on all 200 points.
    sigmoid : type of Activation
        The class of the output's activation (see `printed`).
    nudge_size : float
        See `nudged`.

    Returns
    -------
    Run
        Its log has a row for every hundredth epoch.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range. The message names which.

    Examples
    --------
    >>> run = logistic_regression(epochs=101)
    >>> [row["epoch"] for row in run.log]
    [0, 100]
    >>> f"{run.log[0]['accuracy']:.3f} {run.log[0]['loss']:.3f}"
    '0.500 0.693'
    """
    stream = RandomStream(seed)
    X, y = spiral_data(samples=100, classes=2, stream=stream)
    y = y.reshape(-1, 1)

    dense1 = Dense(
        2, 64, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4, stream=stream
    )
    dense1.weights = nudged(dense1.weights, nudge, nudge_size)
    dense2 = Dense(64, 1, stream=stream)
    layers = [dense1, ReLU(), dense2, sigmoid()]
    loss_function = BinaryCrossentropy()
    optimizer = Adam(learning_rate=0.001, decay=5e-7)
    log = []

    for epoch in range(whole_number(epochs, "epochs", minimum=1)):
        output = forward(layers, X)

        if epoch % 100 == 0:
            data_loss = loss_function.calculate(output, y)
            regularization_loss = loss_function.regularization_loss(dense1)
            accuracy = np.mean((output > 0.5) == y)
            losses = data_loss, regularization_loss
            log.append(log_row(epoch, accuracy, *losses, optimizer, (dense1, dense2)))

        loss_function.backward(output, y)
        backward(layers, loss_function.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()

    X, y = spiral_data(samples=100, classes=2, stream=stream)
    y = y.reshape(-1, 1)
    run = Run({}, log, layers=tuple(layers))
    prediction = run.predict(X)
    accuracy = np.mean((prediction > 0.5) == y)
    loss = loss_function.calculate(prediction, y)
    run.figures.update(figures_of(log, accuracy, loss))
    return run


def spiral_classifier(
    samples=100,
    neurons=64,
    l2=5e-4,
    dropout=0.0,
    learning_rate=0.02,
    decay=5e-7,
    nudge=0,
    seed=0,
    epochs=10_001,
    masks=Dropout,
    nudge_size=NUDGE,
):
    """Train one of the classifiers of figures N0 and A to F on three spiral arms.

    Parameters
    ----------
    samples : int
        Training points on each arm; there are 100 for validation.
    neurons : int
        In the hidden layer.
    l2 : float
        Strength of the penalty on the hidden layer's weights and biases.
    dropout : float
        Share of the hidden layer's outputs that is dropped in training.
    learning_rate, decay : float
        Of Adam.
    nudge, seed, epochs : int
        See `logistic_regression`.
    masks : type of Dropout
        The class of the layer that drops (see `printed`).
    nudge_size : float
        See `nudged`.

    Returns
    -------
    Run
        Its log has a row for every hundredth epoch.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range. The message names which.

    Examples
    --------
    >>> run = spiral_classifier(epochs=101)
    >>> f"{run.log[0]['accuracy']:.3f} {run.log[0]['loss']:.3f}"
    '0.360 1.099'
    """
    stream = RandomStream(seed)
    X, y = spiral_data(samples=samples, classes=3, stream=stream)

    dense1 = Dense(2, neurons, weight_regularizer_l2=l2, bias_regularizer_l2=l2, stream=stream)
    dense1.weights = nudged(dense1.weights, nudge, nudge_size)
    dense2 = Dense(neurons, 3, stream=stream)
    layers = [dense1, ReLU(), masks(dropout, stream=stream), dense2, Softmax()]
    loss_function = CategoricalCrossentropy()
    softmax_and_loss = SoftmaxCategoricalCrossentropy()
    optimizer = Adam(learning_rate=learning_rate, decay=decay)
    log = []

    for epoch in range(whole_number(epochs, "epochs", minimum=1)):
        output = forward(layers, X)

        if epoch % 100 == 0:
            data_loss = loss_function.calculate(output, y)
            regularization_loss = loss_function.regularization_loss(dense1)
            accuracy = np.mean(output.argmax(axis=1) == y)
            losses = data_loss, regularization_loss
            log.append(log_row(epoch, accuracy, *losses, optimizer, (dense1, dense2)))

        softmax_and_loss.backward(output, y)
        backward(layers[:-1], softmax_and_loss.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()

    X, y = spiral_data(samples=100, classes=3, stream=stream)
    run = Run({}, log, layers=tuple(layers))
    prediction = run.predict(X)
    accuracy = np.mean(prediction.argmax(axis=1) == y)
    run.figures.update(figures_of(log, accuracy, loss_function.calculate(prediction, y)))
    return run


@dataclass(frozen=True)
class MaskedSums:
    """What was found of one vector, summed up under many masks.

    Attributes
    ----------
    figures : dict
        The measured numbers, under the names of the ledger.
    sums : ndarray, shape (masks,)
        The vector's sum under each mask.
    log : tuple
        Empty: there are no epochs here.
    """

    figures: dict
    sums: np.ndarray
    log: tuple = ()

    @property
    def sha256(self):
        """The SHA-256 of the sums as little-endian float32: equal hash, equal bits."""
        return sha256(self.sums.astype("<f4").tobytes()).hexdigest()

    def sha256_at(self, epoch):
        """Return None: there are no epochs here."""
        return None


def masked_sums(seed=0, rate=0.2, masks=10_000):
    """Sum up the ten numbers of claim S2-11 under many dropout masks.

    Parameters
    ----------
    seed : int
        Of the stream that the masks come from.
    rate : float
        q, the share that is dropped.
    masks : int
        Number of masks.

    Returns
    -------
    MaskedSums

    Examples
    --------
    >>> demonstration = masked_sums(masks=4)
    >>> [f"{s:.2f}" for s in demonstration.sums]
    ['-0.80', '0.76', '2.20', '-1.12']
    >>> f"{demonstration.figures['sum']:.2f}"
    '0.36'
    """
    vector = np.float32([0.27, -1.03, 0.67, 0.99, 0.05, -0.37, -2.01, 1.13, -0.07, 0.73])
    dropout = Dropout(rate, stream=RandomStream(seed))
    dropout.forward(np.tile(vector, (masks, 1)))
    sums = total(dropout.output, axis=1)
    figures = {"sum": float(total(vector)), "mean_of_masked_sums": float(total(sums)) / masks}
    return MaskedSums(figures, sums)


def log_row(epoch, accuracy, data_loss, regularization_loss, optimizer, layers):
    """Return a row of a log: plain numbers under the names of the ledger, and a fingerprint."""
    return {
        "epoch": epoch,
        "accuracy": float(accuracy),
        "loss": float(data_loss + regularization_loss),
        "data_loss": float(data_loss),
        "regularization_loss": float(regularization_loss),
        "learning_rate": float(optimizer.current_learning_rate),
        "sha256": fingerprint(layers),
    }


def figures_of(log, validation_accuracy, validation_loss):
    """Return the figures of a finished training under the names of the ledger."""
    figures = {name: value for name, value in log[-1].items() if isinstance(value, float)}
    for row in log:
        if row["epoch"] == 9900:
            figures["learning_rate_at_9900"] = row["learning_rate"]
    figures["validation_accuracy"] = float(validation_accuracy)
    figures["validation_loss"] = float(validation_loss)
    return figures


EXPERIMENTS = {
    "N0": partial(spiral_classifier, l2=0, learning_rate=0.05),
    "A": spiral_classifier,
    "A0": partial(spiral_classifier, l2=0),  # printed nowhere: A without its penalty
    "B": partial(spiral_classifier, samples=1000),
    "C": partial(spiral_classifier, samples=1000, neurons=256),
    "D": partial(spiral_classifier, samples=1000, neurons=512),
    "E": partial(spiral_classifier, samples=1000, dropout=0.1, learning_rate=0.05, decay=5e-5),
    "F": partial(
        spiral_classifier, samples=1000, neurons=512, dropout=0.1, learning_rate=0.05, decay=5e-5
    ),
    "G": logistic_regression,
    "S2-11": masked_sums,
}
