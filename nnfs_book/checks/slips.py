"""Small mistakes in a training program, planted to see what notices them.

Each runs without an error and brings the loss down. `program` trains with one of them, from the
same starts as the reruns of the program without it.
"""

from functools import partial
from unittest.mock import patch

import numpy as np

from nnfs_book.arithmetic import operand_bits, snap, total
from nnfs_book.checks import experiments
from nnfs_book.network.layers import Dense
from nnfs_book.network.losses import BinaryCrossentropy, SoftmaxCategoricalCrossentropy
from nnfs_book.network.optimizers import Adam


class NoBiasPenalty(Dense):
    """A layer whose biases have no penalty."""

    def __init__(self, n_inputs, n_neurons, bias_regularizer_l2=0.0, **others):
        super().__init__(n_inputs, n_neurons, **others)


class LargeStart(Dense):
    """A layer whose weights start ten times as large."""

    def __init__(self, *sizes, **others):
        super().__init__(*sizes, **others)
        self.weights = 10 * self.weights


def on_one_grid(a, b):
    """Multiply matrices with one grid for each of them, in place of one for each row and column.

    Examples
    --------
    >>> on_one_grid(np.float32([[1], [1e-9]]), np.float32([[1]])).tolist()
    [[1.0], [0.0]]
    """
    bits = operand_bits(len(b), operands=2)
    return (snap(a, bits) @ snap(b, bits)).astype(np.float32)


class OneGrid(Dense):
    """A layer whose products are formed on one grid for a whole array."""

    def function(self, inputs):
        """Return ``inputs @ weights + biases``, shape (N, M)."""
        return on_one_grid(inputs, self.weights) + self.biases

    def gradients(self, dvalues):
        """Return the gradients at W, b and the inputs for one at the output, shape (N, M)."""
        dweights = on_one_grid(self.inputs.T, dvalues)
        dbiases = total(dvalues, axis=0, keepdims=True)
        dinputs = on_one_grid(dvalues, self.weights.T)
        return self.with_penalties(dweights, dbiases) | {"dinputs": dinputs}


class NoCorrection(Adam):
    """Adam without the correction of its means for their start at zero."""

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        memory.momentum = self.beta_1 * memory.momentum + (1 - self.beta_1) * gradient
        memory.cache = self.beta_2 * memory.cache + (1 - self.beta_2) * gradient**2
        step = memory.momentum / (np.sqrt(memory.cache) + self.epsilon)
        return -self.current_learning_rate * step


class NoDecay(Adam):
    """Adam at a constant learning rate."""

    def __init__(self, learning_rate, decay):
        super().__init__(learning_rate)


class SumOfSamples:
    """A loss whose gradient is that of the sum over the samples."""

    def backward(self, dvalues, y):
        """Set `dinputs`."""
        super().backward(dvalues, y)
        self.dinputs = self.dinputs * len(dvalues)


class SummedBinaryCrossentropy(SumOfSamples, BinaryCrossentropy):
    """Binary cross-entropy, summed over the samples on the way back."""


class SummedSoftmaxCategoricalCrossentropy(SumOfSamples, SoftmaxCategoricalCrossentropy):
    """Softmax and categorical cross-entropy, summed over the samples on the way back."""


# What takes the place of which part of `experiments`.
SLIPS = {
    "bias_penalty": {"Dense": NoBiasPenalty},
    "start": {"Dense": LargeStart},
    "beta_2": {"Adam": partial(Adam, beta_2=0.99)},
    "correction": {"Adam": NoCorrection},
    "decay": {"Adam": NoDecay},
    "sum": {
        "BinaryCrossentropy": SummedBinaryCrossentropy,
        "SoftmaxCategoricalCrossentropy": SummedSoftmaxCategoricalCrossentropy,
    },
    "one_grid": {"Dense": OneGrid},
}
IN_WORDS = {
    "bias_penalty": "penalty on the biases forgotten",
    "start": "starting weights ten times as large",
    "beta_2": "Adam's β₂ 0.99 for 0.999",
    "correction": "Adam without its correction",
    "decay": "decay of the learning rate forgotten",
    "sum": "gradient of the sum for that of the mean",
    "one_grid": "products on one grid for a whole array",
}


def program(slip, name, **settings):
    """Run a training with a slip in it.

    Parameters
    ----------
    slip : str
        A name in ``SLIPS``.
    name : str
        A name in ``experiments.EXPERIMENTS``.
    **settings
        ``nudge``, ``seed`` and ``epochs``, as of the experiment.

    Returns
    -------
    Run

    Examples
    --------
    >>> right = experiments.logistic_regression(epochs=201)
    >>> wrong = program("bias_penalty", "G", epochs=201)
    >>> [f"{run.log[-1]['accuracy']:.3f}" for run in (right, wrong)]
    ['0.625', '0.635']
    """
    with patch.multiple(experiments, **SLIPS[slip]):
        return experiments.EXPERIMENTS[name](**settings)


SLIPPED = {
    slip: {name: partial(program, slip, name) for name in experiments.EXPERIMENTS if name != "S2-11"}
    for slip in SLIPS
}
