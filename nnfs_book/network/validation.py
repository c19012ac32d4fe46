"""Checks of what comes in, with errors that say what was wanted."""

from numbers import Integral, Real

import numpy as np

from nnfs_book.arithmetic import all_finite, as_float, is_native


def finite(a, name):
    """Return an array, or raise ValueError if it, of that name, holds NaN or infinity.

    Examples
    --------
    >>> finite(np.array([1.0, np.inf]), "inputs")
    Traceback (most recent call last):
        ...
    ValueError: inputs holds NaN or infinity; finite numbers are wanted
    """
    if not all_finite(a):
        raise ValueError(f"{name} holds NaN or infinity; finite numbers are wanted")
    return a


def finite_array(a, name, ndim=2):
    """Return `a` as a floating array of `ndim` dimensions without NaN or infinity.

    Raises
    ------
    TypeError
        If `a` does not hold numbers.
    ValueError
        If it has another number of dimensions, or holds NaN, infinity or masked entries.

    Examples
    --------
    >>> finite_array([[1, np.nan]], "inputs")
    Traceback (most recent call last):
        ...
    ValueError: inputs holds NaN or infinity; finite numbers are wanted
    """
    return finite(float_array(a, name, ndim), name)


def float_array(a, name, ndim=2):
    """Return `a` as a floating array, or raise as `finite_array` does, but for NaN and infinity."""
    if type(a) is np.ndarray and a.dtype == np.float32 and a.ndim == ndim:
        return a  # the usual case, which needs no closer look
    a = as_float(array_of_numbers(a, name))
    if a.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {a.shape}")
    return a


def array_of_numbers(a, name):
    """Return `a` as an array of numbers of any type, or raise TypeError; ValueError if masked."""
    if isinstance(a, np.ma.MaskedArray) and np.ma.is_masked(a):
        raise ValueError(f"{name} has masked entries; finite numbers are wanted")
    wanted, kind = f"{name} must be an array of numbers", type(a).__name__
    try:
        a = np.asarray(a)
        if a.dtype.kind == "O":
            a = a.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{wanted}, got {kind} that makes none") from None
    if a.dtype.kind not in ("biufc" if is_native() else "biuf"):
        raise TypeError(f"{wanted}, got {kind} with elements of type {a.dtype}")
    return a


def same_shape(a, other, name, other_name):
    """Return `a` as a finite array, or raise ValueError unless its shape is that of `other`."""
    return finite(float_array_like(a, other, name, other_name), name)


def float_array_like(a, other, name, other_name):
    """Return `a` as `same_shape` does, but let NaN and infinity pass."""
    a = float_array(a, name, ndim=other.ndim)
    if a.shape != other.shape:
        raise ValueError(
            f"{name} must have the shape of {other_name}, {other.shape}, got {a.shape}"
        )
    return a


def whole_number(value, name, minimum, maximum=np.inf):
    """Return `value` as an int, or raise unless it is a whole number in the given range.

    Examples
    --------
    >>> whole_number(0, "samples", minimum=1)
    Traceback (most recent call last):
        ...
    ValueError: samples must be at least 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    if value > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {value}")
    return int(value)


def number(value, name, below=np.inf, positive=False):
    """Return `value` as a float, or raise unless ``0 <= value < below`` (0 < value if positive).

    Examples
    --------
    >>> number(1.5, "rate", below=1)
    Traceback (most recent call last):
        ...
    ValueError: rate must be at least 0 and below 1, got 1.5
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 <= value < below or (positive and value == 0):
        wanted = "above 0 and " if positive else "at least 0 and "
        wanted += f"below {below:g}" if below < np.inf else "finite"
        raise ValueError(f"{name} must be {wanted}, got {value}")
    return float(value)


def truth(value, name):
    """Return `value`, or raise TypeError unless it is True or False.

    Examples
    --------
    >>> truth("no", "shuffle")
    Traceback (most recent call last):
        ...
    TypeError: shuffle must be True or False, got 'no'
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def must_have(owner, attribute, call):
    """Raise ValueError unless `owner` has what an earlier call sets."""
    if not hasattr(owner, attribute):
        raise ValueError(f"{type(owner).__name__} has no {attribute} yet: call {call} first")


def with_weights(layer):
    """Return a layer, or raise TypeError if it has no weights."""
    if not hasattr(layer, "weights"):
        raise TypeError(f"layer must have weights, got {type(layer).__name__}")
    return layer
