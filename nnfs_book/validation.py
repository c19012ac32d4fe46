"""Checks of what comes in, with errors that say what was wanted."""

from numbers import Integral, Real

import numpy as np

from nnfs_book.arithmetic import as_float


def finite_array(a, name, ndim=2):
    """Return `a` as a floating array of `ndim` dimensions without NaN or infinity.

    Raises
    ------
    TypeError
        If `a` does not hold numbers.
    ValueError
        If it has another number of dimensions, or holds NaN or infinity.
    """
    try:
        a = as_float(a)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of numbers, got {type(a).__name__}") from None
    if a.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimensions, got shape {a.shape}")
    if not np.isfinite(a).all():
        raise ValueError(f"{name} holds NaN or infinity; finite numbers are wanted")
    return a


def same_shape(a, other, name, other_name):
    """Return `a` as a finite array, or raise ValueError unless its shape is that of `other`."""
    a = finite_array(a, name, ndim=other.ndim)
    if a.shape != other.shape:
        raise ValueError(
            f"{name} must have the shape of {other_name}, {other.shape}, got {a.shape}"
        )
    return a


def whole_number(value, name, minimum, maximum=np.inf):
    """Return `value` as an int, or raise unless it is a whole number in the given range."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    if value > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {value}")
    return int(value)


def number(value, name, minimum=0.0, below=np.inf):
    """Return `value` as a float, or raise unless ``minimum <= value < below``."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not minimum <= value < below:
        wanted = f"at least {minimum:g} and " + (f"below {below:g}" if below < np.inf else "finite")
        raise ValueError(f"{name} must be {wanted}, got {value}")
    return float(value)


def must_have(owner, attribute, call):
    """Raise ValueError unless `owner` has what an earlier call sets."""
    if not hasattr(owner, attribute):
        raise ValueError(f"{type(owner).__name__} has no {attribute} yet: call {call} first")


def with_weights(layer):
    """Return a layer, or raise TypeError if it has no weights."""
    if not hasattr(layer, "weights"):
        raise TypeError(f"layer must have weights, got {type(layer).__name__}")
    return layer
