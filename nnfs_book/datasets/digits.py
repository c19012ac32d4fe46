"""Handwritten digits of 8 by 8 pixels."""

import numpy as np

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
