"""Which arithmetic is in force: the definitions, their compiled twins, or plain NumPy."""

import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial, wraps
from importlib import import_module
from importlib.util import find_spec

import numpy as np

FLOAT32 = np.dtype(np.float32)

_native = ContextVar("native", default=False)
_twins = {}  # function -> the name of its twin in `compiled`
_found = {}  # function -> its twin, or None; filled as they are asked for


@contextmanager
def native(float32_products=False):
    """Switch to plain NumPy arithmetic, in the dtype of the operands, inside a ``with`` block.

    Gradient checks use it in float64 and complex128. In float32 it is the arithmetic of the source
    book's own package, which multiplies matrices in float64, rounds the product to float32, and
    leaves all else to NumPy.

    Parameters
    ----------
    float32_products : bool
        Round every matrix product to float32, as that package does, even where an operand is
        float64.

    Examples
    --------
    >>> from nnfs_book.arithmetic import exp
    >>> with native():
    ...     float(exp(np.float64(1)))
    2.718281828459045
    >>> float(exp(1))
    2.7182817459106445
    """
    token = _native.set("float32 products" if float32_products else True)
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
    return bool(_native.get())


@cache
def backend():
    """Return who computes: ``"compiled"`` where Numba is installed, else ``"reference"``.

    The environment variable ``NNFS_BOOK_BACKEND``, read once, chooses one of the two by name. Both
    give the same bits; the reference needs NumPy alone and is slower.

    Raises
    ------
    ValueError
        If the variable holds another name.
    ImportError
        If it asks for ``compiled`` and Numba is missing.

    Examples
    --------
    >>> backend() in ("compiled", "reference")
    True
    """
    has_numba = find_spec("numba") is not None
    wanted = os.environ.get("NNFS_BOOK_BACKEND") or ("compiled" if has_numba else "reference")
    if wanted not in ("compiled", "reference"):
        raise ValueError(f"NNFS_BOOK_BACKEND must be compiled or reference, got {wanted!r}")
    if wanted == "compiled" and not has_numba:
        raise ImportError("NNFS_BOOK_BACKEND=compiled needs Numba: pip install numba")
    return wanted


def rounds_products():
    """Tell whether plain NumPy arithmetic rounds every matrix product to float32 (see `native`)."""
    return _native.get() == "float32 products"


def as_float(a):
    """Return `a` as the array that the network computes with: float32, or as it is in `native`.

    Examples
    --------
    >>> as_float([1, 2]).dtype
    dtype('float32')
    """
    if type(a) is np.ndarray and a.dtype is FLOAT32:
        return a
    a = np.asarray(a)
    if is_native():
        return a if a.dtype.kind in "fc" else a.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        return a.astype(np.float32)


def has_twin(function, name):
    """Say that the function of a name in `compiled` gives the same bits as this one, faster.

    It is the very function that has the twin: one that is put in its place has none.
    """
    _twins[function] = name
    return function


def twins():
    """Return, for each function that has a twin, the name of the twin.

    Examples
    --------
    >>> from nnfs_book.arithmetic import reference
    >>> twins()[reference.matmul]
    'matmul'
    """
    return dict(_twins)


def has_its_twins(*kinds):
    """Tell whether twins compute for these kinds of layers: no method of theirs has been replaced.

    Examples
    --------
    >>> from nnfs_book import Dropout
    >>> has_its_twins(Dropout)  # it never had any
    False
    """
    if _native.get() or backend() == "reference":
        return False
    back = ("gradients", "derivative")
    return all(
        kind.function in _twins and any(getattr(kind, name, None) in _twins for name in back)
        for kind in kinds
    )


def fast(function):
    """Return the compiled twin of a function or method, or what was given where there is none.

    Examples
    --------
    >>> fast(len)
    <built-in function len>
    """
    if _native.get() or backend() == "reference":
        return function
    definition = getattr(function, "__func__", function)
    if definition not in _found:
        _found[definition] = _find(definition)
    twin = _found[definition]
    if twin is None:
        return function
    return twin if definition is function else partial(twin, function.__self__)


def _find(definition):
    if definition not in _twins:
        return None
    return getattr(import_module("nnfs_book.arithmetic.compiled"), _twins[definition])


def warm_up():
    """Compile what is compiled, unless that has been done on this machine: once, about 15 s.

    Without it the first network that is trained waits. ``python -m nnfs_book.arithmetic`` does the
    same. The reference has nothing to compile.

    Examples
    --------
    >>> warm_up()
    """
    if backend() == "compiled":
        import_module("nnfs_book.arithmetic.compiled").warm_up()


def public(definition, plain):
    """Return a function as the network calls it: a definition, its twin, or NumPy's in `native`.

    Parameters
    ----------
    definition : callable
        Its first argument is an array; its name is that of its twin.
    plain : callable
        What takes its place inside ``with native():``.
    """
    has_twin(definition, definition.__name__)

    @wraps(definition)
    def function(a, *others, **settings):
        chosen = plain if _native.get() else fast(definition)
        return chosen(as_float(a), *others, **settings)

    return function
