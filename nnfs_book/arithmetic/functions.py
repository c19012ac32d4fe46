"""Functions that end in the same bits on every machine.

A mathematics library has last digits of its own. Those here are made of ``+ - * /``, rounding to
whole numbers and powers of two, which IEEE 754 fixes to the bit, in float64; `exp` and `log` end in
the float32 nearest to the true value, for every float32 there is.
"""

from functools import lru_cache
from math import factorial

import numpy as np


@lru_cache
def power(base, exponent):
    """Raise a float to a whole power of at least 0, by multiplications (``**`` asks the C library).

    Examples
    --------
    >>> power(0.5, 10)
    0.0009765625
    """
    if exponent < 0:
        raise ValueError(f"exponent must be at least 0, got {exponent}")
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
    *others, last, highest = coefficients
    result = x * highest
    result += last
    for c in reversed(others):
        result *= x
        result += c
    return result


HALF_ROOT = 0.7071067811865476  # the square root of one half

# log 2 and pi/2 as sums of floats. The leading ones have trailing zero bits to spare, so that a
# whole multiple of them is exact.
LN2 = (0.6931471805592082, 7.371002565167799e-13)
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)

EXP_SERIES = [1 / factorial(n) for n in range(14)]
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
    x = np.asarray(x, np.float32)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        # The result overflows above 89 and rounds to 0 below -104: nothing changes further out.
        x = np.minimum(np.maximum(x.astype(np.float64), -105), 90)
        k = np.rint(x * (1 / LN2[0]))
        r = (x - k * LN2[0]) - k * LN2[1]
        return np.ldexp(polynomial(r, EXP_SERIES), k.astype(np.int32)).astype(np.float32)


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
    x = np.asarray(x, np.float32)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        m, k = np.frexp(x.astype(np.float64))
        below = m < HALF_ROOT
        f = np.where(below, 2 * m, m) - 1
        k = k - below
        s = f / (2 + f)
        z, half = s * s, 0.5 * f * f
        series = half + z * polynomial(z, LOG_SERIES)
        result = round_sum(k * LN2[0] + f, s * series + k * LN2[1] - half)
        inside = (x > 0) & (x < np.inf)
        if not inside.all():
            limits = np.where(x == 0, -np.inf, np.where(x > 0, np.inf, np.nan))
            result = np.where(inside, result, limits).astype(np.float32)
        return result


def round_sum(large, small):
    """Return the sum of two float64 arrays, rounded to float32 once.

    Rounding to float64 first and then to float32 goes wrong where the first rounding lands on
    the midpoint between two float32 numbers: five times in all logarithms. What it lost there
    tells which side the sum is on, and moves it off the midpoint.

    Examples
    --------
    >>> midpoint = np.array([1 + 2.0**-24])  # between the float32 numbers 1 and 1 + 2**-23
    >>> float(round_sum(midpoint, np.array([2.0**-80]))[0]) == 1 + 2.0**-23
    True
    """
    result = large + small
    midpoint = result.view(np.int64) & (2**29 - 1) == 2**28
    if midpoint.any():
        lost = small - (result - large)
        neighbour = np.nextafter(result, np.copysign(np.inf, lost))
        result = np.where(midpoint & (lost != 0), neighbour, result)
    return result.astype(np.float32)


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
