"""Small data sets made from a formula and a random stream."""

import numpy as np

from nnfs_book.arithmetic import cos, sin
from nnfs_book.network.randomness import stream_or_common
from nnfs_book.network.validation import whole_number


def spiral_data(samples, classes, stream=None):
    r"""Return points on the arms of a spiral, one arm for each class.

    Point i of S on arm c has radius :math:`r = i/(S-1)` and angle 2.5t, where t runs evenly
    from 4c to 4(c + 1) with noise of 0.2 times a standard normal draw; it lies at
    :math:`(r \sin 2.5t,\ r \cos 2.5t)`.

    Parameters
    ----------
    samples, classes : int
        Points for each class, and the number of classes C.
    stream : RandomStream, optional
        Where the noise comes from; the common stream when omitted.

    Returns
    -------
    X : ndarray of float32, shape (C * samples, 2)
    y : ndarray of uint8, shape (C * samples,)
        Class numbers.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1, or `classes` is above 256.

    Notes
    -----
    The noise of each class is drawn in turn. Source: the spiral of the source book, S2.

    Examples
    --------
    >>> X, y = spiral_data(samples=100, classes=3)
    >>> X.shape, y.tolist()[::100]
    ((300, 2), [0, 1, 2])
    """
    samples = whole_number(samples, "samples", minimum=1)
    classes = whole_number(classes, "classes", minimum=1, maximum=256)
    stream = stream_or_common(stream)
    r = np.linspace(0, 1, samples)
    arms = []
    for c in range(classes):
        t = np.linspace(4 * c, 4 * (c + 1), samples) + stream.normal(samples) * np.float32(0.2)
        arms.append(np.column_stack([r * sin(2.5 * t), r * cos(2.5 * t)]))
    y = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    return np.concatenate(arms).astype(np.float32), y


def vertical_data(samples, classes, stream=None):
    """Return clouds of points side by side, one for each class.

    Cloud c has its centre at (c/3, 1/2) and a standard deviation of 0.1 both ways.

    Parameters
    ----------
    samples, classes : int
        Points for each class, and the number of classes C.
    stream : RandomStream, optional
        Where the positions come from; the common stream when omitted.

    Returns
    -------
    X : ndarray of float32, shape (C * samples, 2)
    y : ndarray of uint8, shape (C * samples,)
        Class numbers.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1, or `classes` is above 256.

    Examples
    --------
    >>> X, y = vertical_data(samples=50, classes=3)
    >>> X.shape, y.shape
    ((150, 2), (150,))
    """
    samples = whole_number(samples, "samples", minimum=1)
    classes = whole_number(classes, "classes", minimum=1, maximum=256)
    stream = stream_or_common(stream)
    clouds = []
    for c in range(classes):
        across = stream.normal(samples) * np.float32(0.1) + np.float32(c / 3)
        upward = stream.normal(samples) * np.float32(0.1) + np.float32(0.5)
        clouds.append(np.column_stack([across, upward]))
    return np.concatenate(clouds), np.repeat(np.arange(classes, dtype=np.uint8), samples)


def sine_data(samples=1000):
    r"""Return one period of a sine: :math:`y = \sin 2\pi x` for x = 0, 1/S, …, (S-1)/S.

    Parameters
    ----------
    samples : int
        S, the number of points.

    Returns
    -------
    X, y : ndarray of float32, shape (S, 1)

    Raises
    ------
    TypeError, ValueError
        If `samples` is not a whole number of at least 1.

    Examples
    --------
    >>> X, y = sine_data(4)
    >>> X.ravel().tolist(), y.ravel().round(6).tolist()
    ([0.0, 0.25, 0.5, 0.75], [0.0, 1.0, 0.0, -1.0])
    """
    samples = whole_number(samples, "samples", minimum=1)
    x = np.arange(samples).reshape(-1, 1) / samples
    return x.astype(np.float32), sin(2 * np.pi * x).astype(np.float32)
