"""Order-free arithmetic: the same bits on every machine.

`reference` and `functions` are the definitions, plain NumPy that the chapters show; `compiled` has
their twins for speed, held to them bit by bit; `backend` says which of the two computes. Inside
``with native():`` the same names mean plain NumPy in whatever dtype comes in.
"""

import numpy as np

from nnfs_book.arithmetic import functions, reference
from nnfs_book.arithmetic.backend import (
    as_float,
    backend,
    fast,
    has_its_twins,
    has_twin,
    is_native,
    native,
    public,
    rounds_products,
    twins,
    warm_up,
)
from nnfs_book.arithmetic.functions import cos, power, sin
from nnfs_book.arithmetic.reference import NotFinite, operand_bits, snap

__all__ = [
    "NotFinite",
    "all_finite",
    "as_float",
    "backend",
    "cos",
    "exp",
    "fast",
    "has_its_twins",
    "has_twin",
    "is_native",
    "log",
    "matmul",
    "native",
    "operand_bits",
    "power",
    "sin",
    "snap",
    "total",
    "twins",
    "warm_up",
]


def matmul(a, b):
    a, b = as_float(a), as_float(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"matmul wants shapes (n, k) and (k, m), got {a.shape} and {b.shape}")
    if not is_native():
        return fast(reference.matmul)(a, b)
    if not (reference.all_finite(a) and reference.all_finite(b)):
        raise NotFinite("a sum must be of finite numbers, got NaN or infinity")
    if a.dtype == b.dtype == np.float32 or rounds_products():
        return (a.astype(np.float64) @ b.astype(np.float64)).astype(np.float32)
    return a @ b


has_twin(reference.matmul, "matmul")
matmul.__doc__, matmul.__wrapped__ = reference.matmul.__doc__, reference.matmul
all_finite = public(reference.all_finite, reference.all_finite)
total = public(reference.total, np.sum)
exp = public(functions.exp, np.exp)
log = public(functions.log, np.log)
