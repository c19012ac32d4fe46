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

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import lru_cache, reduce
from math import factorial, frexp, isfinite, ldexp, prod
from operator import iadd

import numpy as np

BLOCK = 2**18  # numbers worked on at a time: two megabytes of float64, to stay in cache
LARGE = 2**14  # elements from which an array's memory is kept, to be used again
ENOUGH = 2**28  # bytes that may be kept unused while others are asked for
NARROW = 8  # columns up to which a matrix product is formed vector by vector

FLOAT32 = np.dtype(np.float32)

_native = ContextVar("native", default=False)
_kept = threading.local()
_helpers = []


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


def use_threads(count):
    """Have large arrays worked on by so many threads from now on; by one at the start.

    The bits are the same for any number: no thread can change an exact sum.

    Parameters
    ----------
    count : int
        At least 1.

    Raises
    ------
    ValueError
        If `count` is no such number.

    Examples
    --------
    >>> use_threads(2)
    >>> use_threads(1)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count must be a whole number of at least 1, got {count!r}")
    for helper in _helpers:
        helper.shutdown()
    # Threads that wait for the interpreter ask for it every so many seconds; their work is short.
    sys.setswitchinterval(5e-3 if count == 1 else 5e-5)
    _helpers[:] = [ThreadPoolExecutor(max_workers=1) for _ in range(count - 1)]


def as_float(a):
    """Return `a` as the array that the network computes with: float32, or as it is in `native`.

    Examples
    --------
    >>> as_float([1, 2]).dtype
    dtype('float32')
    """
    a = np.asarray(a)
    if a.dtype is FLOAT32:
        return a
    if is_native():
        return a if a.dtype.kind in "fc" else a.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return a.astype(np.float32)


def snap(a, bits):
    """Round every element of `a` to a multiple of ``2**(e - bits)``, where ``2**e > max|a|``.

    Measured in that unit, each result is a whole number of at most ``2**bits``. Rounding is to
    the nearest multiple, ties to the even one.

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
    return push(a, exponent(largest(a)), bits, out=np.empty(a.shape))


@np.errstate(over="ignore", invalid="ignore")
def finite(a, name):
    """Return an array, or raise ValueError if it, of that name, holds NaN or infinity.

    Examples
    --------
    >>> finite(np.array([1.0, np.inf]), "inputs")
    Traceback (most recent call last):
        ...
    ValueError: inputs holds NaN or infinity; finite numbers are wanted
    """
    flat = a.ravel(order="K")
    squares = flat.dot(flat)  # finite only if all are; infinite also by overflow
    if not isfinite(squares.real) and not np.isfinite(a).all():
        raise ValueError(f"{name} holds NaN or infinity; finite numbers are wanted")
    return a


def largest(a, name="an operand"):
    """Return the largest magnitude in an array, 0 if it is empty.

    Raises
    ------
    ValueError
        If `a`, of that name, holds NaN or infinity.

    Examples
    --------
    >>> largest(np.array([1, -8]))
    8.0
    """
    magnitude = float(in_blocks(_largest, a.ravel(order="K"), combine=np.maximum))
    if not isfinite(magnitude):
        finite(a, name)
    return magnitude


def _largest(a):
    return max(a.item(a.argmax()), -a.item(a.argmin())) if a.size else 0.0


def exponent(magnitude):
    """Return the whole number e with ``2**(e-1) <= magnitude < 2**e``, or 0 for 0.

    Examples
    --------
    >>> exponent(0.9), exponent(8.0)
    (0, 4)
    """
    return frexp(magnitude)[1]


def push(a, e, bits, out):
    """Write `a`, rounded to multiples of ``2**(e - bits)``, into the float64 array `out`.

    A float64 has room for 53 bits. Adding ``1.5 * 2**(52 + e - bits)`` pushes out everything
    below the unit; subtracting it again leaves the rest.
    """
    pusher = ldexp(1.5, 52 + e - bits)
    out[...] = a
    out += pusher
    out -= pusher
    return out


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


def matmul(a, b, names=("a", "b")):
    """Multiply two matrices with the same result in any order of summation.

    The sums are formed exactly, in float64, from operands snapped to a grid (see `snap`), and
    rounded to float32 once. The grid follows the operand's largest magnitude, so what is
    smaller than that by a factor of a million is lost.

    Parameters
    ----------
    a : array_like, shape (n, k)
    b : array_like, shape (k, m)
        Finite numbers; used as float32.
    names : pair of str
        What an error calls the two.

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
    a, b = _two_matrices(a, b)
    if is_native():
        return finite(a, names[0]) @ finite(b, names[1])
    bits = operand_bits(len(b), operands=2)
    e_a, e_b = exponent(largest(a, names[0])), exponent(largest(b, names[1]))
    right = push(b, e_b, bits, out=np.empty(b.shape))
    return _by_rows(a, e_a, bits, right)


def affine(inputs, weights, biases):
    """Return ``inputs @ weights + biases``, rounded to float32 once (see `matmul`).

    Parameters
    ----------
    inputs : array_like, shape (n, k)
    weights : array_like, shape (k, m)
    biases : array_like, shape (1, m)
        Finite numbers; used as float32. The biases enter the sum as one more term.

    Returns
    -------
    ndarray of float32, shape (n, m)

    Raises
    ------
    ValueError
        If the shapes do not fit, or one of the three holds NaN or infinity.

    Examples
    --------
    >>> affine([[1, 2]], [[3], [4]], [[5]]).tolist()
    [[16.0]]
    """
    inputs, weights = _two_matrices(inputs, weights)
    biases, (terms, columns) = as_float(biases), weights.shape
    if biases.shape != (1, columns):
        raise ValueError(f"biases must have shape (1, {columns}), got {biases.shape}")
    if is_native():
        inputs, weights = finite(inputs, "inputs"), finite(weights, "weights")
        return inputs @ weights + finite(biases, "biases")
    # The biases are a last row of the weights, which meets a last column of ones in the inputs. For
    # these stands the largest power of two on the grid of the inputs: it does not make it coarser.
    e_a = exponent(largest(inputs, "inputs"))
    one = np.float64(ldexp(1, e_a - 1))
    e_b = exponent(max(largest(weights, "weights"), largest(biases, "biases") / one))
    bits, right = operand_bits(terms + 1, operands=2), np.empty((terms + 1, columns))
    push(weights, e_b, bits, out=right[:-1])
    push(biases / one, e_b, bits, out=right[-1:])
    if terms < columns:
        return _by_rows(inputs, e_a, bits, right, ones=one)
    return _by_rows(inputs, e_a, bits, right[:-1], row=right[-1:] * one)  # costs less if narrow


def affine_gradients(inputs, dvalues):
    """Return ``inputs.T @ dvalues`` and, of shape (1, m), the column sums of `dvalues`.

    They are the gradients of `affine` at weights and biases, on one grid (see `matmul`).

    Parameters
    ----------
    inputs : array_like, shape (n, k)
    dvalues : array_like, shape (n, m)
        Finite numbers; used as float32.

    Returns
    -------
    pair of ndarray of float32, shapes (k, m) and (1, m)

    Raises
    ------
    ValueError
        If the shapes do not fit, or one of the two holds NaN or infinity.

    Examples
    --------
    >>> dweights, dbiases = affine_gradients([[1, 2]], [[3]])
    >>> dweights.tolist(), dbiases.tolist()
    ([[3.0], [6.0]], [[3.0]])
    """
    names = "inputs", "dvalues"
    a, b = _two_matrices(as_float(inputs).T, dvalues)
    if is_native():
        return finite(a, names[0]) @ finite(b, names[1]), b.sum(axis=0, keepdims=True)
    return _by_terms(a, b, names)


def _two_matrices(a, b):
    """Return two arrays as float matrices that can be multiplied, or raise ValueError."""
    a, b = as_float(a), as_float(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul wants shapes (n, k) and (k, m), got {a.shape} and {b.shape}")
    return a, b


# An exact sum is the same however it is split, so it is split for speed: along the samples, into
# blocks that stay in the processor's cache while they are converted.


@np.errstate(over="ignore", under="ignore")
def _by_rows(a, e_a, bits, right, ones=None, row=None):
    """Return `a`, moved to its grid, times `right`, for some rows of `a` at a time.

    To `a` a column of `ones` is appended, and to the product a row is added, if they are given.
    """
    terms, columns = right.shape

    def multiply(result, a):
        left = empty((len(a), terms), np.float64)
        push(a, e_a, bits, out=left[:, : a.shape[1]])
        if ones is not None:
            left[:, -1] = ones
        exact = product(left, right, out=empty(result.shape, np.float64))
        if row is not None:
            exact += row
        np.copyto(result, exact, "same_kind")

    result = empty((len(a), columns))
    in_blocks(multiply, result, a, width=max(terms, columns))
    return result


@np.errstate(over="ignore", under="ignore")
def _by_terms(a, b, names):
    """Return ``a @ b`` and the column sums of `b`, adding some rows of `b` at a time."""
    e_a, e_b = exponent(largest(a, names[0])), exponent(largest(b, names[1]))
    bits = operand_bits(len(b), operands=2)

    def multiply(at, b):
        left, right = empty(at.shape, np.float64), empty(b.shape, np.float64)
        push(at, e_a, bits, out=left)
        push(b, e_b, bits, out=right)
        exact = np.empty((len(a) + 1, b.shape[1]))
        product(left.T, right, out=exact[:-1])
        np.dot(np.ones(len(b)), right, out=exact[-1])
        return exact

    exact = in_blocks(multiply, a.T, b, width=max(len(a), b.shape[1]), combine=iadd)
    gradients = exact.astype(np.float32)
    return gradients[:-1], gradients[-1:]


def product(a, b, out):
    """Write ``a @ b`` into `out`, by vectors if it is narrow: libraries are slow at those."""
    if min(out.shape) > NARROW:
        np.matmul(a, b, out=out)
    elif len(a) < b.shape[1]:
        for i in range(len(a)):
            np.dot(a[i], b, out=out[i])
    else:
        for j in range(b.shape[1]):
            out[:, j] = a @ b[:, j]
    return out


def in_blocks(function, *arrays, width=None, combine=None):
    """Call a function for one block of rows after the other, each of a cache's size.

    Parameters
    ----------
    function : callable
        Takes the rows of a block, one argument for each array.
    *arrays : ndarray
        Of one length.
    width : int, optional
        How many numbers are in use for each row, if not those in a row of the first array.
    combine : callable, optional
        Makes one result of two. Without it only the last is kept.

    Returns
    -------
    object
        What `function` returned, combined over all blocks, whose order is not fixed (see
        `use_threads`).

    Examples
    --------
    >>> in_blocks(np.sum, np.ones((3, 2)), combine=np.add)
    np.float64(6.0)
    """
    length, width = len(arrays[0]), width or prod(arrays[0].shape[1:])
    if length * width <= BLOCK:
        return function(*arrays)
    rows = max(1, BLOCK // width)

    def work(share):
        return reduce(combine, (function(*(a[block] for a in arrays)) for block in share))

    combine = combine or (lambda first, second: second)
    blocks = [slice(i, i + rows) for i in range(0, length, rows)]
    count = min(len(blocks), len(_helpers) + 1)
    own, *others = (blocks[t::count] for t in range(count))
    started = [
        helper.submit(copy_context().run, work, share)
        for helper, share in zip(_helpers, others, strict=False)
    ]
    return reduce(combine, [work(own)] + [share.result() for share in started])


def by_blocks(function, *arrays):
    """Return ``function(*arrays)``, worked out for one block of rows after the other.

    Parameters
    ----------
    function : callable
        Takes arrays of equal length and returns a new one; what it makes of a row must not depend
        on other rows.
    *arrays : ndarray
        Of one length; the result has the shape and type of the first.

    Examples
    --------
    >>> by_blocks(np.add, np.ones((2, 2)), np.eye(2)).tolist()
    [[2.0, 1.0], [1.0, 2.0]]
    """
    if arrays[0].size <= BLOCK:
        return function(*arrays)
    result = empty(arrays[0].shape, arrays[0].dtype.type)
    in_blocks(lambda out, *parts: np.copyto(out, function(*parts)), result, *arrays)
    return result


def empty(shape, dtype=np.float32):
    """Return an array to be filled, in memory that is no longer in use if there is some.

    Fresh memory is slow, because the system hands it out page by page. So large arrays are
    kept, and one that nobody else refers to is handed out again. Each thread keeps its own.

    Examples
    --------
    >>> a = empty((256, 256))
    >>> empty((256, 256)) is a
    False
    """
    if prod(shape) < LARGE:
        return np.empty(shape, dtype)
    kept = _kept.__dict__.setdefault((shape, dtype), [])
    for i in range(len(kept)):
        if _is_unused(kept, i):
            return kept[i]
    _let_go()
    kept.append(np.empty(shape, dtype))
    return kept[-1]


def _is_unused(arrays, i):
    """Tell whether nothing refers to an array but the list (and, just now, the question)."""
    return sys.getrefcount(arrays[i]) == 2


def _let_go():
    """Give unused arrays back to the system if they take more than enough and than those in use."""
    every = [(arrays, i) for arrays in _kept.__dict__.values() for i in range(len(arrays))]
    unused = [(arrays, i) for arrays, i in every if _is_unused(arrays, i)]
    in_all, out_of_use = (sum(arrays[i].nbytes for arrays, i in some) for some in (every, unused))
    if out_of_use > max(ENOUGH, in_all - out_of_use):
        for arrays, i in reversed(unused):
            del arrays[i]


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
    exact = push(a, exponent(largest(a)), bits, out=np.empty(a.shape))
    if axis == 1 and a.ndim == 2:  # where a matrix library is much faster
        sums = exact @ np.ones((a.shape[1], 1) if keepdims else a.shape[1])
    else:
        sums = exact.sum(axis=axis, keepdims=keepdims)
    with np.errstate(over="ignore", under="ignore"):
        return sums.astype(np.float32)


@lru_cache
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
    x = as_float(x)
    if is_native():
        return np.exp(x)
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
    x = as_float(x)
    if is_native():
        return np.log(x)
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
