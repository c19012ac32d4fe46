"""Activation functions as layers: forward and backward."""

import numpy as np

from nnfs_book.arithmetic import as_float, exp, fast, has_twin, total
from nnfs_book.network.layers import Layer


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
    with np.errstate(over="ignore"):  # a gap beyond float32 is as good as an infinite one
        powers = exp(z - z.max(axis=1, keepdims=True))
    return powers / total(powers, axis=1, keepdims=True)


class Activation(Layer):
    """A function between two layers, applied to each number alone: what all activations share.

    An activation is one class with two short methods and a docstring with an example, such as the
    one below; all else finds it by itself: `Model`, saving and loading, the gradient checks and the
    other tests that every part of the network has to pass.

    What `__init__` takes it keeps as a number under the same name (see `settings.Settings`).

    Attributes
    ----------
    output : ndarray, shape (N, M)
        Set by ``forward(inputs)``.
    dinputs : ndarray, shape (N, M)
        The gradient of the loss at the inputs; set by ``backward(dvalues)``.
    formula : str or None
        The function of z in SymPy's language. The tests compare `function` with it, and
        `derivative` with its derivative.

    Raises
    ------
    TypeError, ValueError
        If inputs or gradients are not finite numbers of the right shape, or `backward` comes
        before `forward`.

    Examples
    --------
    >>> from nnfs_book.network.validation import number
    >>> class LeakyReLU(Activation):
    ...     def __init__(self, alpha=0.1):
    ...         self.alpha = number(alpha, "alpha")
    ...
    ...     def function(self, z):
    ...         return np.where(z > 0, z, self.alpha * z)
    ...
    ...     def derivative(self, inputs, output):
    ...         return np.where(inputs > 0, 1, self.alpha)
    >>> activation = LeakyReLU(alpha=0.25)
    >>> activation.forward([[-4, 2]])
    >>> activation.backward([[1, 1]])
    >>> activation, activation.output.tolist(), activation.dinputs.tolist()
    (LeakyReLU(alpha=0.25), [[-1.0, 2.0]], [[0.25, 1.0]])
    """

    formula = derivative = None

    def gradients(self, dvalues):
        """Return the gradient at the inputs for one at the output (see `chain`)."""
        twin = fast(self.derivative)  # which stands for the whole of `chain`
        chain = self.chain if twin == self.derivative else twin
        dinputs = chain(dvalues, self.inputs, self.output)
        return {"dinputs": dinputs.astype(dvalues.dtype, copy=False)}

    def chain(self, dvalues, inputs, output):
        """Apply the chain rule: the gradient at the output times the function's derivative."""
        return dvalues * self.derivative(inputs, output)


class Linear(Activation):
    """The identity, for regression: ``output = inputs``.

    Examples
    --------
    >>> activation = Linear()
    >>> activation.forward([[-1, 2]])
    >>> activation.output.tolist()
    [[-1.0, 2.0]]
    """

    formula = "z"

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

    formula = "Max(z, 0)"

    def function(self, z):
        """Return the larger of z and 0."""
        return np.where(z > 0, z, 0)

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

    formula = "1 / (1 + exp(-z))"

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

    def chain(self, dvalues, inputs, output):
        """Multiply the gradient by the Jacobian, row by row."""
        weighted = total(dvalues * output, axis=1, keepdims=True)
        return output * (dvalues - weighted)


has_twin(softmax, "softmax")
has_twin(Softmax.function, "softmax_function")
has_twin(ReLU.function, "relu")
has_twin(ReLU.derivative, "relu_chain")
