"""Activation functions as layers: forward and backward."""

import numpy as np

from nnfs_book.arithmetic import as_float, by_blocks, exp, finite, total
from nnfs_book.network.validation import float_array, float_array_like, must_have, same_shape


def sigmoid(z):
    r"""Return :math:`\sigma(z) = 1 / (1 + e^{-z})`, element by element.

    With :math:`r = e^{-|z|}`, which never overflows, it is :math:`1/(1+r)` to the right of zero
    and :math:`r/(1+r)` to the left.

    Notes
    -----
    ``np.minimum(z, -z)`` is :math:`-|z|`, written so that it also carries the small imaginary
    part of a complex step. Source: claim S2-07.

    Examples
    --------
    >>> sigmoid(np.array([-1000, 0, 1000])).tolist()
    [0.0, 0.5, 1.0]
    """
    z = as_float(z)
    power = exp(np.minimum(z, -z))
    return np.where(z < 0, power, 1) / (1 + power)


def softmax(z):
    r"""Return :math:`s_k = e^{z_k} / \sum_j e^{z_j}` for each row of z, shape (N, K).

    The row's maximum is subtracted first: the value is the same, and no exponential overflows.

    Notes
    -----
    Source: claim S2-04.

    Examples
    --------
    >>> softmax(np.array([[1000, 1000, -1000]])).tolist()
    [[0.5, 0.5, 0.0]]
    """
    z = as_float(z)
    largest = z.T.copy().max(axis=0)  # of each row; NumPy is slow along short rows
    with np.errstate(over="ignore"):  # a gap beyond float32 is as good as an infinite one
        powers = exp(z - largest[:, np.newaxis])
    return powers / total(powers, axis=1, keepdims=True)


class Activation:
    """An element-wise function between two layers: what all activations share.

    Attributes
    ----------
    output : ndarray, shape (N, M)
        Set by ``forward(inputs)``.
    dinputs : ndarray, shape (N, M)
        The gradient of the loss at the inputs; set by ``backward(dvalues)``.

    Raises
    ------
    TypeError, ValueError
        If inputs or gradients are not finite numbers of the right shape, or `backward` comes
        before `forward`.
    """

    def forward(self, inputs):
        """Apply the function to inputs of shape (N, M)."""
        inputs = float_array(inputs, "inputs")
        self.output = by_blocks(lambda z: self.function(finite(z, "inputs")), inputs)
        self.inputs = inputs

    def backward(self, dvalues):
        """Multiply the gradient at the output by the function's derivative."""
        must_have(self, "output", "forward")
        dvalues = float_array_like(dvalues, self.output, "dvalues", "output")
        self.dinputs = by_blocks(self.chain, dvalues, self.inputs, self.output)

    def chain(self, dvalues, inputs, output):
        """Apply the chain rule to some rows."""
        return finite(dvalues, "dvalues") * self.derivative(inputs, output)


class Linear(Activation):
    """The identity, for regression: ``output = inputs``.

    Examples
    --------
    >>> activation = Linear()
    >>> activation.forward([[-1, 2]])
    >>> activation.output.tolist()
    [[-1.0, 2.0]]
    """

    def function(self, z):
        """Return a copy of z."""
        return z.copy()

    def derivative(self, inputs, output):
        """Return 1."""
        return 1


class ReLU(Activation):
    r"""Rectified linear unit: :math:`\max(0, z)`.

    The gradient passes where :math:`z > 0` and is zero elsewhere; the kink at 0 takes 0.

    Notes
    -----
    Source: claim S2-03.

    Examples
    --------
    >>> activation = ReLU()
    >>> activation.forward([[-1, 0, 2]])
    >>> activation.output.tolist()
    [[0.0, 0.0, 2.0]]
    >>> activation.backward([[5, 5, 5]])
    >>> activation.dinputs.tolist()
    [[0.0, 0.0, 5.0]]
    """

    def function(self, z):
        """Return the larger of z and 0."""
        zeros = np.zeros(z.shape[1], z.dtype)  # NumPy is faster with a row than with a single 0
        return np.maximum(z, zeros)

    def derivative(self, inputs, output):
        """Return 1 where the input was positive, else 0."""
        return inputs > 0


class Sigmoid(Activation):
    r"""Sigmoid: :math:`\sigma(z) = 1/(1+e^{-z})`, with derivative :math:`\sigma(1-\sigma)`.

    Notes
    -----
    Source: claims S2-07 and S2-08.

    Examples
    --------
    >>> activation = Sigmoid()
    >>> activation.forward([[0]])
    >>> activation.backward([[1]])
    >>> activation.output.tolist(), activation.dinputs.tolist()
    ([[0.5]], [[0.25]])
    """

    def function(self, z):
        """Return the sigmoid of z."""
        return sigmoid(z)

    def derivative(self, inputs, output):
        """Return s(1 - s), read off the output."""
        return output * (1 - output)


class Softmax(Activation):
    r"""Softmax: :math:`s_k = e^{z_k} / \sum_j e^{z_j}` along each row.

    Its Jacobian is :math:`\partial s_i / \partial z_j = s_i (\delta_{ij} - s_j)`, so a gradient g
    at the output becomes :math:`s_j (g_j - \sum_i g_i s_i)` at the inputs.

    Notes
    -----
    Source: claim S2-04.

    Examples
    --------
    >>> activation = Softmax()
    >>> activation.forward([[0, 0]])
    >>> activation.backward([[1, 0]])
    >>> activation.output.tolist(), activation.dinputs.tolist()
    ([[0.5, 0.5]], [[0.25, -0.25]])
    """

    def function(self, z):
        """Return the softmax of each row of z."""
        return softmax(z)

    def backward(self, dvalues):
        """Multiply the gradient by the Jacobian, row by row."""
        must_have(self, "output", "forward")
        dvalues = same_shape(dvalues, self.output, "dvalues", "output")
        weighted = total(dvalues * self.output, axis=1, keepdims=True)
        self.dinputs = self.output * (dvalues - weighted)
