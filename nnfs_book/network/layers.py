"""Layers with weights, and dropout; and what all layers share."""

import numpy as np

from nnfs_book.arithmetic import NotFinite, as_float, fast, has_twin, matmul, total
from nnfs_book.network.penalties import penalty_gradient
from nnfs_book.network.randomness import stream_or_common
from nnfs_book.network.settings import Settings
from nnfs_book.network.validation import (
    finite,
    finite_array,
    float_array,
    float_array_like,
    must_have,
    number,
    same_shape,
    whole_number,
)


class Layer(Settings):
    """What all layers share: they check what comes in, and remember what the way back needs.

    A layer states its mathematics in two methods, and nothing around them: `function` returns the
    output for inputs that have been checked; `gradients` returns, by name, the gradients that
    belong to a gradient at the output, one of them ``dinputs``. An activation is simpler still: see
    `activations.Activation`.

    Attributes
    ----------
    inputs, output : ndarray
        Set by `forward`. The inputs are not copied: leave them as they are until `backward`.
    dinputs : ndarray
        The gradient of the loss at the inputs; set by `backward`.

    Raises
    ------
    TypeError, ValueError
        If inputs or gradients are not finite numbers of the right shape, or `backward` comes
        before `forward`. Nothing is changed then.
    """

    def forward(self, inputs):
        """Compute the output for inputs of shape (N, D), one sample in each row."""
        inputs = self.check(inputs)
        try:
            self.output = as_float(fast(self.function)(inputs))
        except NotFinite:
            self.blame(inputs=inputs)
            raise
        self.inputs = inputs

    def backward(self, dvalues):
        """Turn the gradient of the loss at the output into those at all that it came from."""
        must_have(self, "output", "forward")
        dvalues = self.check_gradient(dvalues)
        try:
            gradients = fast(self.gradients)(dvalues)
        except NotFinite:
            self.blame(dvalues=dvalues, inputs=self.inputs)
            raise
        self.__dict__.update(gradients)

    def check(self, inputs):
        """Return inputs as an array that the layer can take, or raise."""
        return finite_array(inputs, "inputs")

    def check_gradient(self, dvalues):
        """Return a gradient at the output as an array that the layer can take, or raise."""
        return same_shape(dvalues, self.output, "dvalues", "output")

    def blame(self, **arrays):
        """Raise ValueError with the name of an array that holds NaN or infinity."""
        for name, a in arrays.items():
            finite(a, name)


class Dense(Layer):
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
    Source: claims S2-01 and S2-02.

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

    def __init__(
        self,
        n_inputs,
        n_neurons,
        weight_regularizer_l1=0.0,
        weight_regularizer_l2=0.0,
        bias_regularizer_l1=0.0,
        bias_regularizer_l2=0.0,
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

    def function(self, inputs):
        """Return ``inputs @ weights + biases``, shape (N, M)."""
        return matmul(inputs, self.weights) + self.biases

    def gradients(self, dvalues):
        """Return the gradients at W, b and the inputs for one at the output, shape (N, M)."""
        dweights = matmul(self.inputs.T, dvalues)
        dbiases = total(dvalues, axis=0, keepdims=True)
        dinputs = matmul(dvalues, self.weights.T)
        return self.with_penalties(dweights, dbiases) | {"dinputs": dinputs}

    def with_penalties(self, dweights, dbiases):
        """Return gradients by name, with those of the penalties added (see `penalty_gradient`)."""
        l1, l2 = self.weight_regularizer_l1, self.weight_regularizer_l2
        if l1 or l2:
            dweights = dweights + penalty_gradient(self.weights, l1, l2)
        l1, l2 = self.bias_regularizer_l1, self.bias_regularizer_l2
        if l1 or l2:
            dbiases = dbiases + penalty_gradient(self.biases, l1, l2)
        return {"dweights": dweights, "dbiases": dbiases}

    def check(self, inputs):
        """Return inputs that fit the weights, or raise. (`matmul` looks for NaN and infinity.)"""
        inputs = float_array(inputs, "inputs")
        weights = float_array(self.weights, "weights")
        biases = finite_array(self.biases, "biases")
        if inputs.shape[1] != len(weights):
            raise ValueError(
                f"inputs must have {len(weights)} columns, one for each input of the layer, "
                f"got shape {inputs.shape}"
            )
        if biases.shape != (1, weights.shape[1]):
            raise ValueError(f"biases must have shape (1, {weights.shape[1]}), got {biases.shape}")
        self.weights, self.biases = weights, biases
        return inputs

    def check_gradient(self, dvalues):
        """Return a gradient of the output's shape, or raise. (`total` looks for NaN.)"""
        return float_array_like(dvalues, self.output, "dvalues", "output")

    def blame(self, **arrays):
        """Raise ValueError with the name of an array, weights included, that is not finite."""
        super().blame(**arrays, weights=self.weights)

    @property
    def n_inputs(self):
        """D, the number of columns of the inputs."""
        return np.shape(self.weights)[0]

    @property
    def n_neurons(self):
        """M, the number of columns of the output."""
        return np.shape(self.weights)[1]


class Dropout(Layer):
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
    >>> from nnfs_book.network.randomness import RandomStream
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
        inputs = self.check(inputs)
        self.binary_mask = self.mask(inputs) if training and self.rate else None
        self.output, self.inputs = self.function(inputs), inputs

    def mask(self, inputs):
        """Return a mask drawn for these inputs."""
        return self.kept(inputs.shape) * self.scale(inputs.dtype.type)

    def kept(self, shape):
        """Draw which numbers are kept."""
        return stream_or_common(self.stream).keep(shape, probability=1 - self.rate)

    def scale(self, kind):
        """Return, as a number of a kind, by how much what is kept is multiplied."""
        return kind(1 / (1 - self.rate))

    def function(self, inputs):
        """Return the inputs that the mask lets through, scaled by it."""
        return inputs.copy() if self.binary_mask is None else inputs * self.binary_mask

    def gradients(self, dvalues):
        """Let the gradient through where the input went through, scaled alike."""
        passed = dvalues.copy() if self.binary_mask is None else dvalues * self.binary_mask
        return {"dinputs": passed}


has_twin(Dense.function, "dense")
has_twin(Dense.gradients, "dense_gradients")
