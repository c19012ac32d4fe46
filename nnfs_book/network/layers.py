"""Layers with weights, and dropout: forward and backward."""

from functools import partial

import numpy as np

from nnfs_book.arithmetic import (
    affine,
    affine_gradients,
    as_float,
    empty,
    finite,
    in_blocks,
    is_native,
    matmul,
)
from nnfs_book.network.penalties import penalty_gradient
from nnfs_book.network.randomness import stream_or_common
from nnfs_book.network.validation import float_array, float_array_like, must_have, number, whole_number


class OnDemand:
    """An attribute that is set to a function of no arguments, and read as its value.

    The function is called when the value is first read, so that nobody waits for what nobody
    asks for; with `native` arithmetic at once, while that is still switched on. What is not a
    function is stored as it is.

    Examples
    --------
    >>> class Question:
    ...     answer = OnDemand()
    >>> question = Question()
    >>> question.answer = lambda: 6 * 7
    >>> question.answer
    42
    """

    def __set_name__(self, owner, name):
        self.name = name

    def __set__(self, instance, value):
        instance.__dict__[self.name] = value() if callable(value) and is_native() else value

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if self.name not in instance.__dict__:
            kind = type(instance).__name__
            raise AttributeError(f"{kind} has no {self.name} yet", name=self.name, obj=instance)
        value = instance.__dict__[self.name]
        if callable(value):
            value = instance.__dict__[self.name] = value()
        return value


class Dense:
    r"""Fully connected layer: :math:`Z = X W + b`.

    Parameters
    ----------
    n_inputs, n_neurons : int
        D and M, the number of columns of X and of Z.
    weight_regularizer_l1, weight_regularizer_l2 : float
        Strengths :math:`\lambda_1, \lambda_2 \ge 0` of the penalties
        :math:`\lambda_1 \sum |w|` and :math:`\lambda_2 \sum w^2`.
    bias_regularizer_l1, bias_regularizer_l2 : float
        The same for the biases.
    stream : RandomStream, optional
        Where the starting weights come from; the common stream when omitted.

    Attributes
    ----------
    weights : ndarray, shape (D, M)
        Starts as 0.01 times a standard normal draw.
    biases : ndarray, shape (1, M)
        Starts at zero.
    output : ndarray, shape (N, M)
        Set by `forward`.
    dweights, dbiases, dinputs : ndarray
        Gradients of the loss, shaped as what they belong to; set by `backward`.

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive whole number, a strength is negative or the stream is none.

    Notes
    -----
    The layer keeps its inputs for the way back, and the gradient for `dinputs`, without copies:
    leave them as they are in between. It copies the weights, because the optimizer may move them
    first. Source: claims S2-01 and S2-02.

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> layer.weights[:] = [[2], [3]]
    >>> layer.forward([[1, 10]])
    >>> layer.output.tolist()
    [[32.0]]
    >>> layer.backward([[1]])
    >>> layer.dweights.tolist(), layer.dinputs.tolist()
    ([[1.0], [10.0]], [[2.0, 3.0]])
    """

    dinputs = OnDemand()  # no first layer of a network is ever asked for it

    def __init__(
        self,
        n_inputs,
        n_neurons,
        weight_regularizer_l1=0,
        weight_regularizer_l2=0,
        bias_regularizer_l1=0,
        bias_regularizer_l2=0,
        stream=None,
    ):
        n_inputs = whole_number(n_inputs, "n_inputs", minimum=1)
        n_neurons = whole_number(n_neurons, "n_neurons", minimum=1)
        self.weight_regularizer_l1 = number(weight_regularizer_l1, "weight_regularizer_l1")
        self.weight_regularizer_l2 = number(weight_regularizer_l2, "weight_regularizer_l2")
        self.bias_regularizer_l1 = number(bias_regularizer_l1, "bias_regularizer_l1")
        self.bias_regularizer_l2 = number(bias_regularizer_l2, "bias_regularizer_l2")
        stream = stream_or_common(stream)
        self.weights = np.float32(0.01) * stream.normal(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons), dtype=np.float32)

    def forward(self, inputs):
        """Compute ``output = inputs @ weights + biases`` for inputs of shape (N, D)."""
        inputs = float_array(inputs, "inputs")
        weights = float_array(self.weights, "weights")
        biases = float_array(self.biases, "biases")
        if inputs.shape[1] != len(weights):
            raise ValueError(
                f"inputs must have {len(weights)} columns, one for each input of the layer, "
                f"got shape {inputs.shape}"
            )
        self.output = affine(inputs, weights, biases)
        self.inputs = inputs

    def backward(self, dvalues):
        """Turn the gradient at the output, shape (N, M), into those at W, b and the inputs."""
        must_have(self, "output", "forward")
        dvalues = float_array_like(dvalues, self.output, "dvalues", "output")
        weights, biases = as_float(self.weights), as_float(self.biases)
        dweights, dbiases = affine_gradients(self.inputs, dvalues)
        self.dweights = dweights + penalty_gradient(
            weights, self.weight_regularizer_l1, self.weight_regularizer_l2
        )
        self.dbiases = dbiases + penalty_gradient(
            biases, self.bias_regularizer_l1, self.bias_regularizer_l2
        )
        self.dinputs = partial(matmul, dvalues, weights.copy().T)


class Dropout:
    r"""Inverted dropout: set a share q of the inputs to zero, scale the rest by :math:`1/(1-q)`.

    Parameters
    ----------
    rate : float
        q, the share that is dropped: :math:`0 \le q < 1`.
    stream : RandomStream, optional
        Where the masks come from; the common stream when omitted.

    Attributes
    ----------
    binary_mask : ndarray
        :math:`1/(1-q)` where an input was kept, 0 where it was dropped; set by `forward`, to
        None where it lets all inputs through.
    output, dinputs : ndarray
        Set by `forward` and `backward`.

    Raises
    ------
    TypeError, ValueError
        If `rate` is not a number in [0, 1).

    Notes
    -----
    With ``training=False`` the layer passes its inputs through. Source: claim S2-11.

    Examples
    --------
    >>> from nnfs_book.network.penalties import penalty_gradient
from nnfs_book.network.randomness import RandomStream
    >>> layer = Dropout(0.5, stream=RandomStream(2))
    >>> layer.forward([[1, 2, 3, 4]])
    >>> layer.output.tolist()
    [[0.0, 4.0, 6.0, 8.0]]
    """

    def __init__(self, rate, stream=None):
        self.rate = number(rate, "rate", below=1)
        stream_or_common(stream)
        self.stream = stream

    def forward(self, inputs, training=True):
        """Apply a fresh mask to inputs of any 2-D shape, or none when not training."""
        inputs, mask = float_array(inputs, "inputs"), None
        if training and self.rate:
            kept = stream_or_common(self.stream).keep(inputs.shape, 1 - self.rate)
            scale = inputs.dtype.type(1 / (1 - self.rate))
            mask = np.multiply(kept, scale, out=empty(kept.shape, inputs.dtype.type))
        self.output = masked(inputs, mask, "inputs")
        self.binary_mask = mask

    def backward(self, dvalues):
        """Let the gradient through where the input went through, scaled alike."""
        must_have(self, "output", "forward")
        dvalues = float_array_like(dvalues, self.output, "dvalues", "output")
        self.dinputs = masked(dvalues, self.binary_mask, "dvalues")


def masked(a, mask, name):
    """Return a new array: `a` times a mask, or a copy of `a` where there is none.

    Examples
    --------
    >>> masked(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]), "inputs").tolist()
    [[0.0, 8.0]]
    """
    if mask is None:
        return finite(a, name).copy()
    result = empty(a.shape, np.result_type(a, mask).type)
    in_blocks(lambda out, a, mask: np.multiply(finite(a, name), mask, out=out), result, a, mask)
    return result
