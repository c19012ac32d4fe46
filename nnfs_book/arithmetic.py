"""Order-free arithmetic: the same bits on every machine.

A float32 sum depends on the order of its terms, and a matrix library chooses that order
by the processor, its vector width and the number of threads. Training then amplifies the
last bit until the third printed digit differs. The functions here have no order to depend on:

* `matmul` and `total` first round their operands to a fixed-point grid so coarse that every
  partial sum fits into a float64 exactly. An exact sum is the same in any order.
* `exp`, `log`, `sin` and `cos` are polynomials built from ``+ - * /``, which IEEE 754 fixes to
  the bit, where every mathematics library has last digits of its own.

Inside ``with native():`` the same names mean plain NumPy in whatever dtype comes in: gradient
checks use it in float64 and complex128.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from math import factorial, frexp, ldexp

import numpy as np

_native = ContextVar("native", default=False)

BLOCK = 2**16  # numbers converted at a time: half a megabyte of float64, to stay in cache
NARROW = 8  # columns up to which a matrix product is formed vector by vector


@contextmanager
def native():
    """Switch to plain NumPy arithmetic, in the dtype of the operands, inside a ``with`` block.

    Examples
    --------
    >>> with native():
    ...     float(exp(np.float64(1)))
    2.718281828459045
    >>> float(exp(1))
    2.7182817459106445
    """
    token = _native.set(True)
    try:
        yield
    finally:
        _native.reset(token)


def is_native():
    """Tell whether plain NumPy arithmetic is switched on (see `native`).

    Examples
    --------
    >>> is_native()
    False
    """
    return _native.get()


def as_float(a):
    """Return `a` as the array that the network computes with: float32, or as it is in `native`.

    Examples
    --------
    >>> as_float([1, 2]).dtype
    dtype('float32')
    """
    a = np.asarray(a)
    if is_native():
        return a if a.dtype.kind in "fc" else a.astype(np.float64)
    if a.dtype == np.float32:
        return a
    with np.errstate(over="ignore", under="ignore"):
        return a.astype(np.float32)


def snap(a, bits):
    """Round every element of `a` to a multiple of ``2**(e - bits)``, where ``2**e > max|a|``.

    Measured in that unit, each result is a whole number of at most ``2**bits``. Rounding is to
    the nearest multiple, ties to the even one. Adding ``1.5 * 2**(52 + e - bits)`` pushes
    everything below the unit out of a float64's 53 bits; subtracting it again leaves the rest.

    Parameters
    ----------
    a : array_like
        Finite numbers, any shape.
    bits : int
        Bits to keep, counted from the largest magnitude; 1 to 51.

    Returns
    -------
    ndarray of float64
        Same shape as `a`.

    Raises
    ------
    ValueError
        If `a` holds NaN or infinity, or `bits` is out of range.

    Examples
    --------
    >>> snap([0.9, 0.3, 0.1], bits=3).tolist()   # multiples of 1/8
    [0.875, 0.25, 0.125]
    """
    if not 1 <= bits <= 51:
        raise ValueError(f"bits must be from 1 to 51, got {bits}")
    a = np.asarray(a)
    return push(a, pusher_of(a, bits))


def pusher_of(a, bits):
    """Return the number whose addition pushes what is below the grid out of a float64."""
    largest = float(max(a.max(initial=0), -a.min(initial=0)))
    if not largest < np.inf:
        raise ValueError("an operand holds NaN or infinity; finite numbers are wanted")
    return ldexp(1.5, 52 + frexp(largest)[1] - bits)


def push(a, pusher):
    """Return `a` rounded to the grid of a pusher, in float64."""
    snapped = a.astype(np.float64)
    snapped += pusher
    snapped -= pusher
    return snapped


def operand_bits(terms, operands):
    """Return how many bits each operand may keep so that a sum of `terms` products is exact.

    A sum of k products of p-bit whole numbers stays within ``2**(operands*p + ceil(log2 k))``,
    and float64 holds every whole number up to ``2**53``. The factors of a product need no more
    than 24 bits, which is all that a float32 has.

    Examples
    --------
    >>> operand_bits(terms=512, operands=2), operand_bits(terms=3000, operands=2)
    (22, 20)
    >>> operand_bits(terms=3000, operands=1)
    41
    """
    room = 53 - max(terms - 1, 0).bit_length()
    return min(24, room // 2) if operands == 2 else min(51, room)


def matmul(a, b):
    """Multiply two matrices with the same result in any order of summation.

    Up to four terms are added from left to right in float32, in that written order. Longer
    sums are formed exactly, in float64, from operands snapped to a grid (see `snap`), and
    rounded to float32 once. The grid follows the operand's largest magnitude, so what is
    smaller than that by a factor of a million is lost.

    Parameters
    ----------
    a : array_like, shape (n, k)
    b : array_like, shape (k, m)
        Finite numbers; used as float32.

    Returns
    -------
    ndarray of float32, shape (n, m)
        Within ``2**-18 * k * max|a| * max|b|`` of the exact product for k up to 4096.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an operand holds NaN or infinity.

    Examples
    --------
    >>> matmul([[1, 2]], [[3], [4]]).tolist()
    [[11.0]]
    """
    a, b = as_float(a), as_float(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul wants shapes (n, k) and (k, m), got {a.shape} and {b.shape}")
    if is_native():
        return a @ b
    terms = a.shape[1]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if 1 <= terms <= 4:
            return _add_in_written_order(a, b)
        exact = _exact_product(a, b, operand_bits(terms, operands=2))
        exact += 0.0  # whether a sum of nothing but -0 is -0 is the library's choice; make it 0
        return exact.astype(np.float32)


def _exact_product(a, b, bits):
    """Return the exact product of the snapped operands.

    An exact sum is the same however it is split, so it may be split for speed: along the longer
    side of `a`, into blocks that stay in the processor's cache while they are converted.
    """
    (rows, terms), columns = a.shape, b.shape[1]
    pusher_a, pusher_b = pusher_of(a, bits), pusher_of(b, bits)
    if rows >= terms:
        b, block = push(b, pusher_b), max(1, BLOCK // max(1, terms))
        parts = [_product(push(a[i : i + block], pusher_a), b) for i in range(0, rows, block)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
    exact, block = 0.0, max(1, BLOCK // max(1, rows, columns))
    for i in range(0, terms, block):
        exact += _product(push(a[:, i : i + block], pusher_a), push(b[i : i + block], pusher_b))
    return exact


def _product(a, b):
    """Return ``a @ b``, vector by vector if it is narrow: libraries are slow at narrow products."""
    if b.shape[1] <= NARROW:
        return np.column_stack([a @ column for column in b.T.copy()])
    if a.shape[0] <= NARROW:
        return np.stack([row @ b for row in a])
    return a @ b


def _add_in_written_order(a, b):
    """Return ``a[:, 0] b[0] + a[:, 1] b[1] + ...``, each operation rounded to float32."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("an operand holds NaN or infinity; finite numbers are wanted")
    result = np.empty((len(a), b.shape[1]), dtype=np.float32)
    b, block = np.ascontiguousarray(b), max(1, BLOCK // max(1, b.shape[1]))
    for i in range(0, len(a), block):
        part, left = result[i : i + block], a[i : i + block]
        np.multiply(left[:, :1], b[:1], out=part)
        for k in range(1, a.shape[1]):
            part += left[:, k : k + 1] * b[k : k + 1]
    return result


def total(a, axis=None, keepdims=False):
    """Sum along an axis with the same result in any order.

    The terms are snapped to a grid (see `snap`) on which their sum is exact in float64; the
    sum is rounded to float32 once.

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
    >>> total([[1, 2], [3, 4]], axis=0).tolist()
    [4.0, 6.0]
    """
    a = as_float(a)
    if is_native():
        return a.sum(axis=axis, keepdims=keepdims)
    bits = operand_bits(a.size if axis is None else a.shape[axis], operands=1)
    if a.ndim == 2 and axis == 0:  # column sums are a product with a row of ones
        exact = _exact_product(np.ones((1, len(a))), a, bits)
        exact = exact if keepdims else exact[0]
    else:
        exact = snap(a, bits).sum(axis=axis, keepdims=keepdims)
    with np.errstate(over="ignore", under="ignore"):
        return exact.astype(np.float32)


def power(base, exponent):
    """Raise a float to a whole power with multiplications alone (``**`` asks the C library).

    Examples
    --------
    >>> power(0.5, 10)
    0.0009765625
    """
    result = 1.0
    while exponent:
        if exponent % 2:
            result *= base
        base *= base
        exponent //= 2
    return result


def polynomial(x, coefficients):
    """Evaluate ``c0 + c1 x + c2 x**2 + ...`` from the inside out (Horner's rule).

    Examples
    --------
    >>> polynomial(np.array([10.0]), [1, 2, 3]).tolist()
    [321.0]
    """
    result = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result *= x
        result += c
    return result


# log 2 and pi/2 as sums of floats. The leading ones have trailing zero bits to spare, so that a
# whole multiple of them is exact.
LN2 = (0.6931471805592082, 7.371002565167799e-13)
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)

EXP_SERIES = [1 / factorial(n) for n in range(2, 14)]
LOG_SERIES = [2 / (2 * n + 1) for n in range(1, 11)]
SIN_SERIES = [(-1) ** n / factorial(2 * n + 1) for n in range(1, 9)]
COS_SERIES = [(-1) ** n / factorial(2 * n) for n in range(2, 10)]


def exp(x):
    r"""Return :math:`e^x`, the float32 nearest to the true value.

    Write :math:`x = k \log 2 + r` with a whole number k and :math:`|r| \le \frac12 \log 2`. Then
    :math:`e^x = 2^k e^r`: the power of two is exact and thirteen terms of the exponential series
    give :math:`e^r` to float64 precision.

    Parameters
    ----------
    x : array_like
        Used as float32. Infinities give 0 and infinity, NaN gives NaN.

    Returns
    -------
    ndarray of float32, same shape

    Examples
    --------
    >>> exp([0, 1, -1000]).tolist()
    [1.0, 2.7182817459106445, 0.0]
    """
    x = as_float(x)
    if is_native():
        return np.exp(x)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        # The result overflows above 89 and rounds to 0 below -104: nothing changes further out.
        x = np.clip(x.astype(np.float64), -105, 90)
        k = np.rint(x / LN2[0])
        r = (x - k * LN2[0]) - k * LN2[1]
        result = np.ldexp(1 + (r + r * r * polynomial(r, EXP_SERIES)), k.astype(np.int32))
        return result.astype(np.float32)


def log(x):
    r"""Return the natural logarithm, the float32 nearest to the true value.

    Write :math:`x = 2^k (1 + f)` with :math:`1 + f` between :math:`\sqrt{1/2}` and
    :math:`\sqrt 2`. With :math:`s = f / (2 + f)`, the series
    :math:`\log(1 + f) = 2s + \frac23 s^3 + \frac25 s^5 + \dots` converges fast. Since
    :math:`2s = f - \frac12 f^2 + \frac12 s f^2`, the sum can start from f, which is exact.

    Parameters
    ----------
    x : array_like
        Used as float32. Zero gives minus infinity, negative numbers and NaN give NaN.

    Returns
    -------
    ndarray of float32, same shape

    Examples
    --------
    >>> log([1, 2, 0]).tolist()
    [0.0, 0.6931471824645996, -inf]
    """
    x = as_float(x)
    if is_native():
        return np.log(x)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        m, k = np.frexp(x.astype(np.float64))
        below = m < np.sqrt(0.5)
        f = np.where(below, 2 * m, m) - 1
        k = k - below
        s = f / (2 + f)
        half = 0.5 * f * f
        series = half + s * s * polynomial(s * s, LOG_SERIES)
        result = round_sum(k * LN2[0] + f, s * series + k * LN2[1] - half)
        outside = np.where(x == 0, -np.inf, np.where(x == np.inf, np.inf, np.nan))
        return np.where((x > 0) & (x < np.inf), result, outside).astype(np.float32)


def round_sum(large, small):
    """Return the sum of two float64 arrays, rounded to float32 once.

    Rounding to float64 first and then to float32 goes wrong where the first rounding lands on
    the midpoint between two float32 numbers: five times in all logarithms. So what the first
    rounding lost moves an even last bit to the odd neighbour on its side (rounding to odd).

    Examples
    --------
    >>> midpoint = np.array([1 + 2.0**-24])  # between the float32 numbers 1 and 1 + 2**-23
    >>> float(round_sum(midpoint, np.array([2.0**-80]))[0]) == 1 + 2.0**-23
    True
    """
    result = large + small
    lost = small - (result - large)
    even = result.view(np.int64) % 2 == 0
    neighbour = np.nextafter(result, np.copysign(np.inf, lost))
    return np.where(even & (lost != 0), neighbour, result).astype(np.float32)


def sin(x):
    """Return the sine of a float64 array: radians, up to about a million in magnitude.

    The angle is reduced to at most a quarter of pi either side of a multiple of pi/2; there the
    Taylor series of sine or cosine takes over. `datasets` draws its spirals with it.

    Examples
    --------
    >>> sin([0.0, 0.5]).tolist()
    [0.0, 0.479425538604203]
    """
    return _sine_of_quadrant(x, shift=0)


def cos(x):
    """Return the cosine of a float64 array (see `sin`).

    Examples
    --------
    >>> cos([0.0, 0.5]).tolist()
    [1.0, 0.8775825618903728]
    """
    return _sine_of_quadrant(x, shift=1)


def _sine_of_quadrant(x, shift):
    """Return the sine of ``x + shift * pi/2``."""
    x = np.asarray(x, dtype=np.float64)
    k = np.rint(x / (np.pi / 2))
    r = ((x - k * HALF_PI[0]) - k * HALF_PI[1]) - k * HALF_PI[2]
    z = r * r
    sine = r + r * z * polynomial(z, SIN_SERIES)
    cosine = 1 - (0.5 * z - z * z * polynomial(z, COS_SERIES))
    quadrant = (k.astype(np.int64) + shift) % 4
    return np.select([quadrant == 0, quadrant == 1, quadrant == 2], [sine, cosine, -sine], -cosine)
