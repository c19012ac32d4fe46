"""Metrics: what people read, while the loss is what training makes small.

A metric has no gradient, and need not have one: accuracy jumps from sample to sample.
"""

from math import sqrt

import numpy as np

from nnfs_book.network import losses
from nnfs_book.network.losses import class_rows, some_samples
from nnfs_book.network.settings import Settings


class Metric(Settings):
    """What all metrics share: a mean over the samples, and perhaps a last step.

    A metric of its own has a `name`, under which `Model.fit` records it, and a `mean`. What is
    measured batch by batch is put together before the last step, `finish`: so the error of a
    whole epoch is the root of a mean, and no mean of roots.

    Notes
    -----
    Source: claim S3-01.
    """

    def calculate(self, output, y):
        """Measure predictions against targets.

        Parameters
        ----------
        output : array_like, shape (N, J) or (N, K)
            Predictions.
        y : array_like
            Targets; see the metric for the forms that it accepts.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If predictions or targets are not what the metric takes. The message names which.
        """
        return self.finish(self.mean(output, y))

    def finish(self, mean):
        """Return the metric, given the mean over all samples: as a rule, that mean."""
        return mean


class BinaryAccuracy(Metric):
    """The share of yes/no answers that are right, where a probability above 0.5 means yes.

    Each of the J outputs counts as an answer of its own.

    Notes
    -----
    Targets are 0 and 1, shape (N, J); for one output also (N,). Source: claims S2-15 and S2-16.

    Examples
    --------
    >>> BinaryAccuracy().calculate([[0.9, 0.5], [0.6, 0.7]], [[1, 0], [0, 1]])
    0.75
    """

    name = "binary_accuracy"

    def mean(self, output, y):
        """Return the share of the right answers."""
        predictions, targets = losses.BinaryCrossentropy().check(output, y)
        if ((targets != 0) & (targets != 1)).any():
            raise ValueError("y must hold 0 and 1, the answers no and yes, and nothing between")
        return float(np.mean((predictions > 0.5) == targets))


class CategoricalAccuracy(Metric):
    """The share of samples whose most probable class is the right one.

    Notes
    -----
    Targets are class numbers, shape (N,), or one-hot rows, shape (N, K). Logits do as well as
    probabilities; the first of equals counts as the largest. Source: claim S2-16.

    Examples
    --------
    >>> metric = CategoricalAccuracy()
    >>> metric.calculate([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], [1, 1, 1, 0])
    0.75
    >>> metric.calculate([[0.1, 0.9], [0.8, 0.2]], [[0, 1], [0, 1]])
    0.5
    """

    name = "categorical_accuracy"

    def mean(self, output, y):
        """Return the share of the samples that are classified rightly."""
        predictions = some_samples(output)
        classes = class_rows(y, predictions).argmax(axis=1)
        return float(np.mean(predictions.argmax(axis=1) == classes))


class Accuracy(Metric):
    """`BinaryAccuracy` for a network with one output, `CategoricalAccuracy` for one with more.

    So does Keras choose where it is asked for ``"accuracy"`` (its class `Accuracy` is another thing).
    Several yes/no outputs at once want `BinaryAccuracy`, by that name.

    Examples
    --------
    >>> Accuracy().calculate([[0.9], [0.4]], [1, 1])
    0.5
    >>> Accuracy().calculate([[0.1, 0.9], [0.8, 0.2]], [1, 0])
    1.0
    """

    name = "accuracy"

    def mean(self, output, y):
        """Return the share of what is right."""
        one_output = some_samples(output).shape[1] == 1
        return (BinaryAccuracy if one_output else CategoricalAccuracy)().mean(output, y)


class MeanAbsoluteError(Metric):
    """The loss of this name as a metric: in the units of the targets.

    Examples
    --------
    >>> MeanAbsoluteError().calculate([[1], [0]], [[2], [3]])
    2.0
    """

    name = "mean_absolute_error"

    def mean(self, output, y):
        """Return the mean distance between prediction and target."""
        return float(losses.MeanAbsoluteError().calculate(output, y))


class RootMeanSquaredError(Metric):
    r"""The root of the mean squared error, which brings it back to the units of the targets.

    Notes
    -----
    As a loss it would have the same minimum as the squared error, but other gradients. Source:
    claim S3-04.

    Examples
    --------
    >>> RootMeanSquaredError().calculate([[1], [0]], [[8], [1]])
    5.0
    """

    name = "root_mean_squared_error"

    def mean(self, output, y):
        """Return the mean squared error."""
        return float(losses.MeanSquaredError().calculate(output, y))

    def finish(self, mean):
        """Return its root."""
        return sqrt(mean)
