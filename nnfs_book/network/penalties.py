"""Penalties on weights and biases: L1 and L2, and their gradients."""

import numpy as np

from nnfs_book.arithmetic import as_float, total


def penalty(w, l1, l2):
    r"""Return :math:`\lambda_1 \sum |w| + \lambda_2 \sum w^2`.

    Examples
    --------
    >>> float(penalty(np.array([1, -2, 0]), l1=1, l2=10))
    53.0
    """
    w, loss = as_float(w), 0.0
    if l1:
        loss = loss + l1 * total(abs(w))
    if l2:
        loss = loss + l2 * total(w * w)
    return loss


def penalty_gradient(w, l1, l2):
    r"""Return :math:`\lambda_1 \operatorname{sign}(w) + 2 \lambda_2 w`.

    At w = 0, where :math:`|w|` has a kink and any slope from -1 to 1 is a subgradient, ours is
    0: a weight that has reached zero is not pushed off it.

    Examples
    --------
    >>> penalty_gradient(np.array([1, -2, 0]), l1=1, l2=10).tolist()
    [21.0, -41.0, 0.0]
    """
    w, gradient = as_float(w), 0.0
    if l1:
        gradient = l1 * np.sign(w)
    if l2:
        gradient = gradient + 2 * l2 * w
    return gradient
