"""Small data sets: made from a formula and a random stream, and handwritten digits."""

import numpy as np

from nnfs_book.arithmetic import cos, sin
from nnfs_book.randomness import stream_or_common
from nnfs_book.validation import whole_number


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


DIGITS_FOR_TRAINING = 1287  # ten of fourteen forms


def load_digits():
    """Return 1797 handwritten digits of 8 by 8 pixels, split into training and validation.

    Returns
    -------
    X : ndarray of float32, shape (1287, 64)
        Pictures, row by row of their pixels, from 0 (paper) to 1 (ink).
    y : ndarray of uint8, shape (1287,)
        The digits, 0 to 9, as class numbers.
    X_validation, y_validation : ndarray, shapes (510, 64) and (510,)
        The same for validation.

    Notes
    -----
    The digits come with scikit-learn, so no network is needed: they are the test set of E. Alpaydin
    and C. Kaynak's *Optical Recognition of Handwritten Digits* (UCI, 1998). A pixel counts the ink
    in a block of 4 by 4 finer pixels; divided by 16, it is exact in float32.

    Thirteen people wrote them, and a writer's digits resemble each other. The order of the class
    numbers shows where each of fourteen forms begins. The first ten are for training and the last
    four for validation, so that no form is in both: a random split would put most pictures beside
    others of the same hand, and validation would measure how well a hand is remembered.

    Examples
    --------
    >>> X, y, X_validation, y_validation = load_digits()
    >>> X.shape, X_validation.shape, y[:12].tolist()
    ((1287, 64), (510, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    """
    from sklearn import datasets  # takes a second, and only this function needs it

    pixels, digits = datasets.load_digits(return_X_y=True)
    X, y = (pixels / 16).astype(np.float32), digits.astype(np.uint8)
    n = DIGITS_FOR_TRAINING
    return X[:n], y[:n], X[n:], y[n:]
