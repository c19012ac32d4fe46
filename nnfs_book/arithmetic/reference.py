"""Sums without an order: the definition that every trained bit rests on.

A sum of floats depends on the order of its terms, and a matrix library chooses that order by the
processor, its vector width and the number of threads. These sums have no order to depend on. Before
adding, the terms are rounded to a grid so coarse that every partial sum fits into a float64 exactly;
and an exact sum is the same in any order.

Each sum has a grid of its own, fitted to its largest term. So it has no company to depend on either:
a row's product is the same alone and within a batch.
"""

import numpy as np


class NotFinite(ValueError):
    """A sum was to be of NaN or infinity."""


def snap(a, bits, axis=None):
    """Round numbers to a grid: multiples of ``2**(e - bits)``, where ``2**e > max|a|``.

    Measured in that unit, each result is a whole number of at most ``2**bits``. Rounding is to the
    nearest multiple, ties to the even one.

    Parameters
    ----------
    a : array_like
        Finite numbers, any shape.
    bits : int
        Bits to keep, counted from the largest magnitude; 1 to 51.
    axis : int or None
        The axis along which numbers share a grid; None for one grid for all.

    Returns
    -------
    ndarray of float64, same shape

    Raises
    ------
    ValueError
        If `a` holds NaN or infinity (`NotFinite`), or `bits` is out of range.

    Examples
    --------
    >>> snap([0.9, 0.3, 0.1], bits=3).tolist()  # multiples of 1/8
    [0.875, 0.25, 0.125]
    >>> snap([[0.9, 0.3], [90, 30]], bits=3, axis=1).tolist()  # and of 16 for the second row
    [[0.875, 0.25], [96.0, 32.0]]
    """
    if not 1 <= bits <= 51:
        raise ValueError(f"bits must be from 1 to 51, got {bits}")
    a = np.asarray(a)
    highest = a.max(axis=axis, keepdims=True, initial=0)
    lowest = a.min(axis=axis, keepdims=True, initial=0)
    largest = np.maximum(highest, -lowest)
    if not np.isfinite(largest).all():
        raise NotFinite("a sum must be of finite numbers, got NaN or infinity")
    _, e = np.frexp(largest)
    # A float64 has room for 53 bits: adding this pushes out what is below the unit.
    pusher = np.ldexp(1.5, 52 + e - bits)
    snapped = a + pusher
    snapped -= pusher
    return snapped


def operand_bits(terms, operands):
    """Return how many bits each operand may keep so that a sum of `terms` products is exact.

    A sum of k products of p-bit whole numbers stays within ``2**(operands*p + ceil(log2 k))``, and
    float64 holds every whole number up to ``2**53``. The factors of a product need no more than 24
    bits, which is all that a float32 has.

    Examples
    --------
    >>> operand_bits(terms=32, operands=2), operand_bits(terms=3000, operands=2)
    (24, 20)
    >>> operand_bits(terms=3000, operands=1)
    41
    """
    room = 53 - max(terms - 1, 0).bit_length()
    return min(24, room // 2) if operands == 2 else min(51, room)


def matmul(a, b):
    """Multiply two matrices: ``a @ b``, with the same result in any order of summation.

    Every row of `a` and every column of `b` is snapped to a grid of its own; the sums are formed
    exactly, in float64, and rounded to float32 once.

    Parameters
    ----------
    a : array_like, shape (n, k)
    b : array_like, shape (k, m)
        Finite numbers; used as float32.

    Returns
    -------
    ndarray of float32, shape (n, m)
        For k up to 32 the exact product, rounded once; for k up to 4096 within
        ``2**-19 * k * max|a_i| * max|b_j|`` of it, with the largest magnitudes in row i and
        column j.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an operand holds NaN or infinity.

    Examples
    --------
    >>> matmul(np.float32([[1, 2]]), np.float32([[3], [4]])).tolist()
    [[11.0]]
    """
    bits = operand_bits(terms=len(b), operands=2)
    exact = snap(a, bits, axis=1) @ snap(b, bits, axis=0)
    exact += 0.0  # makes -0 a 0: the sign of a zero is all that an order could still decide
    return to_float32(exact)


def total(a, axis=None, keepdims=False):
    """Sum along an axis, with the same result in any order.

    The terms of each sum are snapped to a grid on which it is exact in float64; the sum is rounded
    to float32 once.

    Parameters
    ----------
    a : array_like
        Finite numbers; used as float32.
    axis : int or None
        Axis to sum over; None sums everything.
    keepdims : bool
        Keep the summed axis with length 1.

    Returns
    -------
    ndarray of float32, or a float32 scalar

    Raises
    ------
    ValueError
        If `a` holds NaN or infinity.

    Examples
    --------
    >>> total(np.float32([[1, 2], [3, 4]]), axis=0).tolist()
    [4.0, 6.0]
    """
    bits = operand_bits(terms=a.size if axis is None else a.shape[axis], operands=1)
    exact = snap(a, bits, axis).sum(axis=axis, keepdims=keepdims)
    return to_float32(exact)


def all_finite(a):
    """Tell whether an array holds neither NaN nor infinity.

    Examples
    --------
    >>> all_finite(np.float32([1, np.inf]))
    False
    """
    return bool(np.isfinite(a).all())


def to_float32(exact):
    """Round exact sums to float32, once; those beyond its range become infinite."""
    with np.errstate(over="ignore", under="ignore"):
        return exact.astype(np.float32)
