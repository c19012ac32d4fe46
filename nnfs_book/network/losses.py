"""Losses: what training makes small, and its gradient at the network's output."""

import numpy as np

from nnfs_book.arithmetic import fast, has_twin, log, total
from nnfs_book.network.activations import Softmax
from nnfs_book.network.penalties import penalty
from nnfs_book.network.settings import Settings
from nnfs_book.network.validation import (
    array_of_numbers,
    finite_array,
    number,
    same_shape,
    with_weights,
)

# Probabilities are kept this far from 0 and 1, where a logarithm or its gradient is infinite. (The
# float32 nearest to 1 - 1e-7 is 1 - 2**-23, so that it is 1.19e-7 at the upper end.)
CLIP = 1e-7


class Loss(Settings):
    """What all losses share: the mean over samples, and the penalties of a layer.

    `forward` checks predictions and targets and returns the loss of each sample, `calculate` their
    mean. `backward` sets `dinputs`, the gradient of that mean at the predictions.

    A loss is one class with three methods: `check` returns predictions and targets of one shape
    (N, J), or raises; `sample_losses` returns the loss of each sample, and `gradient` its gradient.
    All else finds it by itself (see `activations.Activation`).

    Attributes
    ----------
    formula : str or None
        What one prediction adds to the loss of its sample, in SymPy's language: a function of
        the prediction yhat, its target y, the number of outputs J and the settings by name. The
        tests compare `sample_losses` with it, and `gradient` with its derivative.
    """

    formula = None

    def forward(self, output, y):
        """Return the loss of each sample, shape (N,); see `calculate`."""
        return fast(self.sample_losses)(*self.check(output, y))

    def calculate(self, output, y):
        """Return the mean loss over the samples, a float32 scalar.

        Parameters
        ----------
        output : array_like, shape (N, J) or (N, K)
            Predictions.
        y : array_like
            Targets; see the loss for the forms that it accepts.

        Raises
        ------
        TypeError, ValueError
            If predictions or targets are not what the loss takes. The message names which.
        """
        sample_losses = self.forward(output, y)
        return total(sample_losses) / len(sample_losses)

    def backward(self, dvalues, y):
        """Set `dinputs`, the gradient of the mean loss at the predictions `dvalues`."""
        predictions, targets = self.check(dvalues, y)
        self.dinputs = self.gradient(predictions, targets) / len(predictions)

    def regularization_loss(self, layer):
        r"""Return the penalty of a layer's weights and biases (see `layers.penalty`)."""
        with_weights(layer)
        return penalty(
            layer.weights, layer.weight_regularizer_l1, layer.weight_regularizer_l2
        ) + penalty(layer.biases, layer.bias_regularizer_l1, layer.bias_regularizer_l2)


class RegressionLoss(Loss):
    """A loss for numbers: targets of the same shape (N, J) as the predictions."""

    def check(self, output, y):
        """Return predictions and targets as arrays of one shape, or raise."""
        predictions = some_samples(output)
        return predictions, same_shape(y, predictions, "y", "output")


class MeanSquaredError(RegressionLoss):
    r"""Mean squared error: :math:`\frac1J \sum_j (\hat y_j - y_j)^2` for each sample.

    Notes
    -----
    Gradient for each sample: :math:`2 (\hat y_j - y_j) / J`. Source: claims S1-01 and S3-03.

    Examples
    --------
    >>> loss = MeanSquaredError()
    >>> float(loss.calculate([[1], [0]], [[2], [3]]))
    5.0
    >>> loss.backward([[1], [0]], [[2], [3]])
    >>> loss.dinputs.tolist()
    [[-1.0], [-3.0]]
    """

    formula = "(yhat - y)**2 / J"

    def sample_losses(self, predictions, targets):
        """Return the mean over the outputs of each sample, shape (N,)."""
        errors = predictions - targets
        with np.errstate(over="ignore"):  # `total` refuses a square that has become infinite
            return total(errors * errors, axis=1) / predictions.shape[1]

    def gradient(self, predictions, targets):
        """Return the gradient of each sample's loss, shape (N, J)."""
        return 2 * (predictions - targets) / predictions.shape[1]


class MeanAbsoluteError(RegressionLoss):
    r"""Mean absolute error: :math:`\frac1J \sum_j |\hat y_j - y_j|` for each sample.

    Notes
    -----
    Gradient for each sample: :math:`\operatorname{sign}(\hat y_j - y_j) / J`, and 0 at the kink,
    where the prediction is exactly right. Source: claim S3-02.

    Examples
    --------
    >>> loss = MeanAbsoluteError()
    >>> float(loss.calculate([[1], [0]], [[2], [3]]))
    2.0
    >>> loss.backward([[1], [0]], [[2], [3]])
    >>> loss.dinputs.tolist()
    [[-0.5], [-0.5]]
    """

    formula = "Abs(yhat - y) / J"

    def sample_losses(self, predictions, targets):
        """Return the mean over the outputs of each sample, shape (N,)."""
        return total(abs(predictions - targets), axis=1) / predictions.shape[1]

    def gradient(self, predictions, targets):
        """Return the gradient of each sample's loss, shape (N, J)."""
        return np.sign(predictions - targets) / predictions.shape[1]


class Huber(RegressionLoss):
    r"""Huber's loss: squared for small errors, absolute for large ones.

    An error :math:`u_j = \hat y_j - y_j` costs

    .. math::
        \tfrac12 u_j^2 \quad \text{if } |u_j| \le \Delta, \qquad
        \Delta |u_j| - \tfrac12 \Delta^2 \quad \text{else},

    and a sample the mean over its outputs.

    Parameters
    ----------
    delta : float
        :math:`\Delta > 0`, up to which an error counts as small, in the unit of the targets.

    Raises
    ------
    TypeError, ValueError
        If `delta` is not a finite number above 0.

    Notes
    -----
    Gradient for each sample: :math:`u_j / J`, with :math:`u_j` clipped to
    :math:`[-\Delta, \Delta]`. It has no jump. Source: P. J. Huber, Robust estimation of a location
    parameter, 1964; the name, the default and the factor one half are those of Keras.

    Examples
    --------
    >>> loss = Huber(delta=1)
    >>> float(loss.calculate([[0.5], [3]], [[0], [0]]))
    1.3125
    >>> loss.backward([[0.5], [3]], [[0], [0]])
    >>> loss.dinputs.tolist()
    [[0.25], [0.5]]
    """

    formula = (
        "Piecewise(((yhat - y)**2 / 2, Abs(yhat - y) <= delta),"
        " (delta * Abs(yhat - y) - delta**2 / 2, True)) / J"
    )

    def __init__(self, delta=1.0):
        self.delta = number(delta, "delta", positive=True)

    def sample_losses(self, predictions, targets):
        """Return the mean over the outputs of each sample, shape (N,)."""
        sizes = abs(predictions - targets)
        clipped = np.minimum(sizes, self.delta)
        with np.errstate(over="ignore"):  # `total` refuses a loss that has become infinite
            return total(clipped * (sizes - clipped / 2), axis=1) / predictions.shape[1]

    def gradient(self, predictions, targets):
        """Return the gradient of each sample's loss, shape (N, J)."""
        errors = predictions - targets
        return np.clip(errors, -self.delta, self.delta) / predictions.shape[1]


class BinaryCrossentropy(Loss):
    r"""Binary cross-entropy of J yes/no outputs.

    For each sample, with predictions :math:`\hat y_j` and targets :math:`y_j`,

    .. math:: -\frac1J \sum_j \left[ y_j \log \hat y_j + (1-y_j) \log(1-\hat y_j) \right].

    Both passes clip predictions to [1e-7, 1 - 1e-7], so that 0 and 1 give finite numbers.

    Notes
    -----
    Targets are numbers from 0 to 1, shape (N, J); for one output also (N,), the class numbers.
    Gradient for each sample: :math:`-(y_j/\hat y_j - (1-y_j)/(1-\hat y_j)) / J`.
    Source: claims S2-09 and S2-10.

    Examples
    --------
    >>> loss = BinaryCrossentropy()
    >>> float(loss.calculate([[0.5], [0.5]], [0, 1]))
    0.6931471824645996
    >>> loss.backward([[0.5], [0.5]], [0, 1])
    >>> loss.dinputs.tolist()
    [[1.0], [-1.0]]
    """

    formula = "-(y * log(yhat) + (1 - y) * log(1 - yhat)) / J"

    def check(self, output, y):
        """Return clipped predictions and targets of one shape (N, J), or raise."""
        predictions = probabilities(output)
        targets = array_of_numbers(y, "y")
        if targets.ndim == 1 and predictions.shape[1] == 1:
            targets = targets.reshape(-1, 1)
        targets = same_shape(targets, predictions, "y", "output")
        targets = targets.astype(predictions.real.dtype, copy=False)
        if ((targets < 0) | (targets > 1)).any():
            raise ValueError("y must lie between 0 and 1")
        return np.clip(predictions, CLIP, 1 - CLIP), targets

    def sample_losses(self, predictions, targets):
        """Return the mean over the outputs of each sample, shape (N,)."""
        yes, no = targets * log(predictions), (1 - targets) * log(1 - predictions)
        return -total(yes + no, axis=1) / predictions.shape[1]

    def gradient(self, predictions, targets):
        """Return the gradient of each sample's loss, shape (N, J)."""
        slope = targets / predictions - (1 - targets) / (1 - predictions)
        return -slope / predictions.shape[1]


class CategoricalCrossentropy(Loss):
    r"""Categorical cross-entropy of one choice among K classes.

    For each sample, with predicted probabilities :math:`\hat y_k` and targets :math:`y_k`,

    .. math:: -\sum_k y_k \log \hat y_k.

    Both passes clip predictions to [1e-7, 1 - 1e-7], so that 0 and 1 give finite numbers.

    Notes
    -----
    Targets are class numbers, shape (N,), or rows of probabilities, one-hot as a rule, shape
    (N, K). Gradient for each sample: :math:`-y_k / \hat y_k`. Source: claim S2-05.

    Examples
    --------
    >>> loss = CategoricalCrossentropy()
    >>> float(loss.calculate([[0.75, 0.25]], [0])), float(loss.calculate([[0.75, 0.25]], [[1, 0]]))
    (0.28768208622932434, 0.28768208622932434)
    >>> float(loss.calculate([[1, 0]], [0])), float(loss.calculate([[1, 0]], [1]))  # clipped
    (1.1920930376163597e-07, 16.11809539794922)
    >>> loss.backward([[0.5, 0.5]], [0])
    >>> loss.dinputs.tolist()
    [[-2.0, -0.0]]
    """

    formula = "-y * log(yhat)"

    def check(self, output, y):
        """Return clipped predictions and one-hot targets, both (N, K), or raise."""
        predictions = probabilities(output)
        targets = class_rows(y, predictions)
        return np.clip(predictions, CLIP, 1 - CLIP), targets

    def sample_losses(self, predictions, targets):
        """Return the loss of each sample, shape (N,)."""
        terms, counted = np.zeros_like(predictions), targets != 0  # the others add nothing
        terms[counted] = targets[counted] * log(predictions[counted])
        return -total(terms, axis=1)

    def gradient(self, predictions, targets):
        """Return the gradient of each sample's loss, shape (N, K)."""
        return -targets / predictions


class SoftmaxCategoricalCrossentropy(Settings):
    r"""Softmax and categorical cross-entropy in one, with the short gradient they share.

    The gradient at the logits is :math:`(\hat y - y) / N`.

    Attributes
    ----------
    activation, loss : Softmax, CategoricalCrossentropy
        The two parts.
    output : ndarray, shape (N, K)
        The softmax of the logits; set by `forward`.
    dinputs : ndarray, shape (N, K)
        The gradient at the logits; set by `backward`.

    Notes
    -----
    Source: claim S2-06.

    Examples
    --------
    >>> loss_activation = SoftmaxCategoricalCrossentropy()
    >>> float(loss_activation.forward([[0, 0]], [1]))
    0.6931471824645996
    >>> loss_activation.backward(loss_activation.output, [1])
    >>> loss_activation.dinputs.tolist()
    [[0.5, -0.5]]
    """

    def __init__(self):
        self.activation = Softmax()
        self.loss = CategoricalCrossentropy()

    def forward(self, inputs, y):
        """Return the mean loss of logits of shape (N, K)."""
        activation = Softmax()
        activation.forward(inputs)
        loss = self.loss.calculate(activation.output, y)
        self.activation, self.output = activation, activation.output
        return loss

    def backward(self, dvalues, y):
        """Set `dinputs`; `dvalues` are the predicted probabilities, the `output`."""
        predictions = probabilities(dvalues, "dvalues")
        self.dinputs = (predictions - class_rows(y, predictions)) / len(predictions)


def some_samples(output, name="output"):
    """Return predictions as a finite array of shape (N, J) with N and J at least 1, or raise."""
    output = finite_array(output, name)
    if output.size == 0:
        raise ValueError(f"{name} must hold at least one sample, got shape {output.shape}")
    return output


def probabilities(output, name="output"):
    """Return predictions as an array (N, K) of numbers from 0 to 1, or raise ValueError."""
    output = some_samples(output, name)
    smallest, largest = output.real.min(), output.real.max()
    if smallest < 0 or largest > 1:
        raise ValueError(
            f"{name} must hold probabilities, from 0 to 1, got values from "
            f"{smallest:g} to {largest:g}"
        )
    return output


def class_rows(y, predictions):
    """Return targets as rows of probabilities: class numbers become one-hot rows.

    Parameters
    ----------
    y : array_like, shape (N,) or (N, K)
        Class numbers from 0 to K - 1, or rows that are not negative and sum to 1.
    predictions : ndarray, shape (N, K)
        The rows get their shape and type.

    Raises
    ------
    TypeError
        If class numbers are not whole numbers.
    ValueError
        If the shape does not fit, a class number is out of range or a row is no distribution.

    Examples
    --------
    >>> class_rows([2, 0], np.zeros((2, 3))).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    n_samples, n_classes = shape = predictions.shape
    y = array_of_numbers(y, "y")
    if y.shape == shape:
        y = finite_array(y, "y")
        if (y < 0).any() or (abs(y.sum(axis=1) - 1) > n_classes * np.finfo(np.float32).eps).any():
            raise ValueError("y must have rows that are not negative and sum to 1, such as one-hot")
        return y
    if y.shape != (n_samples,):
        raise ValueError(
            f"y must hold {n_samples} class numbers or rows of shape {shape}, got shape {y.shape}"
        )
    if y.dtype.kind not in "iub":
        raise TypeError(f"y must hold whole numbers as class numbers, got {y.dtype}")
    if y.min() < 0 or y.max() >= n_classes:
        raise ValueError(
            f"y must hold class numbers from 0 to {n_classes - 1}, got {y.min()} to {y.max()}"
        )
    rows = np.zeros(shape, predictions.real.dtype)
    rows[np.arange(n_samples), y.astype(np.intp)] = 1
    return rows


has_twin(CategoricalCrossentropy.sample_losses, "categorical_losses")
