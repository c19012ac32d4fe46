"""What is timed: data, network, optimizer, and the starting weights that all contenders share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from nnfs_book.datasets import load_digits, spiral_data
from nnfs_book.network.randomness import RandomStream

EPSILON = 1e-7  # of Adam, for everybody


@dataclass(frozen=True)
class Configuration:
    """A network, its data and its training.

    Every layer but the last is followed by ReLU and, if wanted, dropout; the last by softmax
    and categorical cross-entropy. The optimizer is Adam.

    Attributes
    ----------
    name : str
    make_data : callable
        Returns X (float32) and class numbers y, the same on every call.
    sizes : tuple of int
        Columns of the data, neurons of each hidden layer, classes.
    learning_rate, decay : float
        After t steps the rate is ``learning_rate / (1 + decay * t)``.
    l2 : float
        Strength of the penalty on the squares of the first layer's weights and biases.
    dropout : float
        Share that is dropped behind each hidden layer.
    batch_size : int or None
        None for the whole data set at once.
    timed_epochs : int
        Epochs that are timed in each round.
    loss_epochs : int
        Epochs after which losses are compared.
    modules : tuple of str
        What making the data imports, which is not to count as a contender's memory.
    """

    name: str
    make_data: Callable
    sizes: tuple
    learning_rate: float
    decay: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_size: int | None = None
    timed_epochs: int = 10
    loss_epochs: int = 200
    modules: tuple = ()

    def start(self, seed):
        """Return the starting weights and biases of each layer, drawn from a seed."""
        stream = RandomStream(seed)
        return [
            (np.float32(0.01) * stream.normal(n, m), np.zeros((1, m), dtype=np.float32))
            for n, m in zip(self.sizes, self.sizes[1:])
        ]

    def batches(self, epoch, samples):
        """Return the row numbers of each batch of an epoch, or ``[None]`` for all rows at once."""
        if self.batch_size is None:
            return [None]
        order = np.random.RandomState(epoch).permutation(samples)
        return np.split(order, range(self.batch_size, samples, self.batch_size))

    def loss(self, weights):
        """Return the loss of a network on the data, penalty included and without dropout.

        It is computed in float64 and for every contender by this one function, so that nobody
        is judged by a loss of its own.
        """
        output, y = self.make_data()
        for i, (w, b) in enumerate(weights):
            output = output.astype(np.float64) @ w + b
            if i < len(weights) - 1:
                output = np.maximum(output, 0)
        output -= output.max(axis=1, keepdims=True)
        log_likelihood = output[range(len(y)), y] - np.log(np.exp(output).sum(axis=1))
        penalised = (np.square(a, dtype=np.float64).sum() for a in weights[0])
        return float(self.l2 * sum(penalised) - log_likelihood.mean())


def spiral(samples):
    """Return three spiral arms of so many points each."""
    return spiral_data(samples, classes=3, stream=RandomStream(0))


def digits():
    """Return all of the 8x8 digits that come with scikit-learn, scaled to [0, 1]."""
    X, y, X_test, y_test = load_digits()
    return np.concatenate([X, X_test]), np.concatenate([y, y_test])


def mnist_sized():
    """Return noise of the width of MNIST's images, 10,000 samples.

    The label is the one of ten random directions in which a sample lies furthest from the middle,
    so that there is something to learn: how far a contender gets tells whether it did the work.
    """
    draw = np.random.RandomState(0)
    X = draw.random_sample((10_000, 784)).astype(np.float32)
    directions = draw.standard_normal((784, 10)).astype(np.float32)
    distances = X @ directions - directions.sum(axis=0) / 2
    return X, distances.argmax(axis=1).astype(np.uint8)


A = Configuration(
    name="A",
    make_data=partial(spiral, 100),
    sizes=(2, 64, 3),
    learning_rate=0.02,
    decay=5e-7,
    l2=5e-4,
    timed_epochs=100,
)
D = replace(
    A,
    name="D",
    make_data=partial(spiral, 1000),
    sizes=(2, 512, 3),
    timed_epochs=10,
    loss_epochs=100,
)
F = replace(D, name="F", learning_rate=0.05, decay=5e-5, dropout=0.1, timed_epochs=5)
DIGITS = Configuration(
    name="digits",
    make_data=digits,
    sizes=(64, 128, 10),
    learning_rate=0.001,
    batch_size=128,
    timed_epochs=10,
    modules=("sklearn.datasets",),
)
MNIST_SIZED = replace(
    DIGITS,
    name="784-128-128-10",
    make_data=mnist_sized,
    sizes=(784, 128, 128, 10),
    timed_epochs=1,
    loss_epochs=20,
    modules=(),
)

CONFIGURATIONS = {c.name: c for c in (A, D, F, DIGITS, MNIST_SIZED)}


def wide_spiral(samples):
    """Return configuration D with another number of samples, a multiple of three."""
    return replace(D, name=f"D with {samples:,} samples", make_data=partial(spiral, samples // 3))
