"""Check backward passes against numerical derivatives of the forward passes.

Two independent ways to a derivative that use nothing but the forward pass, both in float64:

* central differences, :math:`(f(x+h) - f(x-h)) / 2h`, for any function away from its kinks;
* the complex step, :math:`\\operatorname{Im} f(x + ih) / h`, for analytic functions. Nothing is
  subtracted, so h can be tiny and the result is exact to rounding.
"""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from nnfs_book.arithmetic import native
from nnfs_book.network.losses import Loss
from nnfs_book.network.randomness import RandomStream

EPS = np.finfo(np.float64).eps

# The seed of the weights that make an output a scalar. Nobody else's: inputs from the same stream
# would be proportional to them, and hide a transposed gradient.
SLOPES = 271_828_182

# Step sizes. For central differences the error of the formula grows as h**2 and that of
# rounding as EPS/h: their sum is least near the cube root of EPS.
STEP = {"central": EPS ** (1 / 3), "complex": 1e-100}

# What each method may miss by, relative to the largest entry of the gradient (for central
# differences also to the function's value, if that is larger, since its rounding enters): its own
# error, of the order of EPS**(2/3) or EPS, times a margin of 1000 for curvature.
ALLOWED = {"central": 1000 * EPS ** (2 / 3), "complex": 1000 * EPS}


class GradientError(AssertionError):
    """A backward pass disagrees with the numerical derivative of its forward pass."""


@dataclass(frozen=True)
class GradientCheck:
    """The outcome of one comparison that passed.

    `name` says which gradient, `error` is the largest difference relative to the gradient's
    scale. The printed form leaves the error out: its digits differ between machines.
    """

    name: str
    method: str
    entries: int
    error: float

    def __repr__(self):
        how = {"central": "central differences", "complex": "the complex step"}[self.method]
        return f"{self.name}: {self.entries} entries agree with {how}"


def numerical_gradient(function, x, method="central"):
    """Return the gradient of a scalar function at x, from values of the function alone.

    Parameters
    ----------
    function : callable
        Takes an array shaped like `x` and returns a scalar; runs inside `native`.
    x : array_like
        Where to differentiate.
    method : {"central", "complex"}
        Central differences, or the complex step for analytic functions.

    Returns
    -------
    ndarray of float64, shape of `x`

    Raises
    ------
    ValueError
        If the method is unknown, `x` is empty, or the function is not analytic and so has lost
        the complex step.

    Examples
    --------
    >>> numerical_gradient(lambda x: (x * x).sum(), [1, 2], method="complex").tolist()
    [2.0, 4.0]
    """
    if method not in STEP:
        raise ValueError(f"method must be one of {', '.join(STEP)}, got {method!r}")
    h = STEP[method]
    x = np.array(x, dtype=np.complex128 if method == "complex" else np.float64)
    if x.size == 0:
        raise ValueError(f"there is nothing to differentiate in an array of shape {x.shape}")
    gradient = np.empty(x.shape)
    with native():
        for i in np.ndindex(x.shape):
            start = x[i]
            if method == "complex":
                x[i] = start + 1j * h
                value = function(x)
                if not np.iscomplexobj(value):
                    raise ValueError("the complex step needs an analytic function")
                gradient[i] = value.imag / h
            else:
                x[i] = start + h
                above = function(x)
                x[i] = start - h
                gradient[i] = (above - function(x)) / (2 * h)
            x[i] = start
    return gradient


def compare(name, analytic, numerical, method="central", value=1.0):
    """Return a `GradientCheck`, or raise GradientError if the two gradients part.

    Parameters
    ----------
    name : str
        What is compared, for the message.
    analytic, numerical : array_like
        The gradient that a backward pass gives, and the numerical one.
    method : {"central", "complex"}
        Where `numerical` comes from; it sets the difference allowed.
    value : float
        The function's value, whose rounding limits central differences.

    Raises
    ------
    GradientError
        If the shapes differ or an entry is off by more than `ALLOWED`.

    Examples
    --------
    >>> numerical = numerical_gradient(lambda x: (x * x).sum(), [1, 2])
    >>> compare("slope", [2, 4], numerical)
    slope: 2 entries agree with central differences
    >>> compare("slope", [2, -4], numerical)
    Traceback (most recent call last):
        ...
    nnfs_book.checks.gradients.GradientError: slope[1] is -4, but the forward pass changes at a rate of 4
    """
    analytic = np.asarray(analytic)
    if analytic.shape != numerical.shape:
        raise GradientError(f"{name} has shape {analytic.shape}, wanted {numerical.shape}")
    scale = abs(numerical).max()
    if method == "central":
        scale = max(scale, abs(value))
    difference = abs(analytic - numerical)
    if not (difference <= ALLOWED[method] * scale).all():
        worst = np.unravel_index(np.argmax(difference), difference.shape)
        raise GradientError(
            f"{name}{[int(i) for i in worst]} is {analytic[worst]:.8g}, but the forward pass "
            f"changes at a rate of {numerical[worst]:.8g}"
        )
    return GradientCheck(name, method, analytic.size, float(difference.max() / (scale or 1)))


def check_layer(layer, inputs, method="central"):
    """Check every gradient that a layer or activation computes: inputs, weights and biases.

    The output is made a scalar by a weighted sum with fixed random weights, which multiply all
    gradients. Penalties of a layer with weights count as part of the loss.

    Parameters
    ----------
    layer : layer or activation
        It is copied, not changed. A `Dropout` needs a stream of its own, so that every
        evaluation meets the same mask.
    inputs : array_like, shape (N, D)
        Where to check; away from kinks.
    method : {"central", "complex"}
        See `numerical_gradient`.

    Returns
    -------
    list of GradientCheck

    Raises
    ------
    GradientError
        If a gradient is wrong.

    Examples
    --------
    >>> from nnfs_book.network.layers import Dense
    >>> for check in check_layer(Dense(2, 3), [[1, 2]]):
    ...     print(check)
    dinputs: 2 entries agree with central differences
    dweights: 6 entries agree with central differences
    dbiases: 3 entries agree with central differences
    """

    def slopes(output):
        return RandomStream(SLOPES).normal(*output.shape).astype(np.float64)

    return check_all(
        [layer], inputs, lambda output: (output * slopes(output)).sum(), slopes, method
    )


def check_loss(loss, predictions, y, method="central"):
    """Check the gradient of a loss at its predictions.

    Parameters
    ----------
    loss : Loss or SoftmaxCategoricalCrossentropy
        The latter is checked at logits. It is copied, not changed.
    predictions, y : array_like
        Where to check: inside the clipping bounds and away from kinks.
    method : {"central", "complex"}
        See `numerical_gradient`.

    Returns
    -------
    GradientCheck

    Raises
    ------
    GradientError
        If the gradient is wrong.

    Examples
    --------
    >>> from nnfs_book.network.losses import BinaryCrossentropy
    >>> check_loss(BinaryCrossentropy(), [[0.3], [0.8]], [0, 1], method="complex")
    dinputs: 2 entries agree with the complex step
    """
    value, gradient = value_and_gradient(loss, y)
    predictions = np.asarray(predictions, dtype=np.float64)
    with native():
        analytic, loss_value = gradient(predictions), value(predictions)
    numerical = numerical_gradient(value, predictions, method)
    return compare("dinputs", analytic, numerical, method, loss_value)


def check_network(layers, loss, inputs, y, method="central"):
    """Check a whole network from its loss back to its inputs, and every parameter on the way.

    Parameters
    ----------
    layers : list
        Layers and activations in order; copied, not changed. See `check_layer` for dropout.
    loss : Loss or SoftmaxCategoricalCrossentropy
        What the last layer's output goes into.
    inputs, y : array_like
        Samples and targets.
    method : {"central", "complex"}
        See `numerical_gradient`.

    Returns
    -------
    list of GradientCheck

    Raises
    ------
    GradientError
        If a gradient is wrong.

    Examples
    --------
    >>> from nnfs_book.network.activations import Sigmoid
    >>> from nnfs_book.network.layers import Dense
    >>> from nnfs_book.network.losses import BinaryCrossentropy
    >>> for check in check_network([Dense(2, 1), Sigmoid()], BinaryCrossentropy(), [[1, 2]], [1]):
    ...     print(check)
    dinputs: 2 entries agree with central differences
    layers[0].dweights: 2 entries agree with central differences
    layers[0].dbiases: 1 entries agree with central differences
    """
    return check_all(layers, inputs, *value_and_gradient(loss, y), method)


def check_all(layers, inputs, value, gradient, method):
    """Check all gradients of ``value(output of the layers) + penalties``.

    `gradient` gives the derivative of `value` at the output, from which `backward` starts.
    """
    layers = in_float64(layers)
    inputs = np.asarray(inputs, dtype=np.float64)

    def loss_with(x, position=None, name=None):
        changed = deepcopy(layers)
        if name:
            setattr(changed[position], name, x)
        return value(run(changed, inputs if name else x)) + penalties(changed)

    ran = deepcopy(layers)
    with native():
        output = run(ran, inputs)
        loss = value(output) + penalties(ran)
        dvalues = gradient(output)
        for layer in reversed(ran):
            layer.backward(dvalues)
            dvalues = layer.dinputs

    numerical = numerical_gradient(loss_with, inputs, method)
    checks = [compare("dinputs", dvalues, numerical, method, loss)]
    for i, layer in enumerate(ran):
        for name in ("weights", "biases") if hasattr(layer, "weights") else ():
            label = f"layers[{i}].d{name}" if len(ran) > 1 else f"d{name}"
            numerical = numerical_gradient(
                lambda x, i=i, name=name: loss_with(x, i, name), getattr(layer, name), method
            )
            checks.append(compare(label, getattr(layer, "d" + name), numerical, method, loss))
    return checks


def in_float64(layers):
    """Return copies of layers with their parameters, if any, in float64."""
    layers = deepcopy(list(layers))
    for layer in layers:
        if getattr(layer, "rate", 0) and layer.stream is None:
            raise ValueError("a Dropout layer needs a stream of its own to be checked")
        if hasattr(layer, "weights"):
            layer.weights = np.asarray(layer.weights, dtype=np.float64)
            layer.biases = np.asarray(layer.biases, dtype=np.float64)
    return layers


def run(layers, values):
    """Send values forward through the layers and return the last output."""
    for layer in layers:
        layer.forward(values)
        values = layer.output
    return values


def penalties(layers):
    """Return the penalties of all layers with weights."""
    return sum(Loss().regularization_loss(layer) for layer in layers if hasattr(layer, "weights"))


def value_and_gradient(loss, y):
    """Return two functions of the predictions: the loss and its gradient.

    The combined softmax loss starts from logits and reads its own output on the way back.
    """

    from_logits = hasattr(loss, "activation")

    def value(predictions):
        probe = deepcopy(loss)
        return (probe.forward if from_logits else probe.calculate)(predictions, y)

    def gradient(predictions):
        probe = deepcopy(loss)
        if from_logits:
            probe.forward(predictions, y)
            predictions = probe.output
        probe.backward(predictions, y)
        return probe.dinputs

    return value, gradient
