"""Compute here what every machine has to compute alike, and print its hashes as one JSON object.

    python -m tools.bits

`tools.portability` starts it under many settings; alone it tells what the present ones give. Beside
the hashes stands what really ran: the settings that were asked for need not have been heard.
"""

import json
import platform
import sys
from hashlib import sha256
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_info

from nnfs_book import (
    EXPERIMENTS,
    Adam,
    Dense,
    RandomStream,
    ReLU,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    arithmetic,
    fingerprint,
    load_digits,
)

EPOCHS = {"A": 300, "D": 20, "F": 20, "G": 300}  # under emulation each takes some 5 to 20 s
DIGITS_EPOCHS = 50


def hashes():
    """Return the SHA-256 of each training's weights and of the arithmetic's own results."""
    found = {f"{n}, {e} epochs": EXPERIMENTS[n](epochs=e).sha256 for n, e in EPOCHS.items()}
    found[f"digits, {DIGITS_EPOCHS} epochs"] = digits()
    found["arithmetic"] = sha256(b"".join(result.tobytes() for result in results())).hexdigest()
    return found


def digits():
    """Train a small network on the handwritten digits and return its fingerprint."""
    X, y, _, _ = load_digits()
    stream = RandomStream(0)
    dense1, dense2 = Dense(64, 32, stream=stream), Dense(32, 10, stream=stream)
    activation1, activation2 = ReLU(), Softmax()
    loss, optimizer = SoftmaxCategoricalCrossentropy(), Adam(learning_rate=0.02)
    forward = dense1, activation1, dense2, activation2
    for _ in range(DIGITS_EPOCHS):
        outputs = X
        for layer in forward:
            layer.forward(outputs)
            outputs = layer.output
        loss.backward(outputs, y)
        dvalues = loss.dinputs
        for layer in (dense2, activation1, dense1):
            layer.backward(dvalues)
            dvalues = layer.dinputs
        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
    return fingerprint(forward)


def results():
    """Return what the arithmetic makes of fixed numbers: small and large, of every shape.

    No result is a NaN: the sign of one is the processor's own choice.
    """
    numbers = scattered(2**16, exponents=60)
    yield arithmetic.exp(scattered(2**16, exponents=14))
    yield arithmetic.log(np.abs(numbers))
    yield arithmetic.log(np.arange(2**12, dtype=np.uint32).view(np.float32))  # subnormals and 0
    yield arithmetic.sin(numbers % 1000)
    yield arithmetic.cos(numbers % 1000)
    shapes = (1, 1, 1), (3, 1000, 1), (300, 2, 64), (64, 300, 3), (65, 129, 67)
    for rows, terms, columns in shapes:
        a = numbers[: rows * terms].reshape(rows, terms)
        b = numbers[-terms * columns :].reshape(terms, columns)
        yield arithmetic.matmul(a, b)
        yield arithmetic.matmul(b.T, a.T)
        yield arithmetic.total(a, axis=0)
        yield arithmetic.total(a, axis=1)
        yield np.asarray(arithmetic.total(a), dtype="<f4")


def scattered(count, exponents):
    """Return float32 numbers of both signs whose exponents scatter over a range around 0.

    They are made of integers alone, and the last bits of each are busy.

    Examples
    --------
    >>> scattered(4, exponents=3).tolist()
    [0.5, -1.433402180671692, 0.9334021806716919, -2.6004130840301514]
    """
    mixed = np.arange(count, dtype=np.uint64) * 2654435769 % 2**32
    fraction = (1 + (mixed % 2**23) / 2**23) * np.where(mixed >> 31, -1, 1)
    power = (mixed >> 23) % exponents
    return np.ldexp(fraction, power.astype(np.int32) - exponents // 2).astype(np.float32)


def circumstances():
    """Return what the hashes were computed with, as a dict of short texts, numbers and lists."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    found = {
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "simd": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
        "backend": arithmetic.backend(),
    }
    if found["backend"] == "compiled":
        import numba
        from numba.core.registry import cpu_target

        found["numba"] = numba.__version__
        _, found["numba_cpu"], _ = cpu_target.target_context.codegen().magic_tuple()
    for library in threadpool_info():
        if library["internal_api"] == "openblas" and "numpy" in library["filepath"]:
            found["openblas"] = library["architecture"]
            found["threads"] = library["num_threads"]
    return found


if __name__ == "__main__":
    start = perf_counter()
    report = {"hashes": hashes(), "ran": circumstances()}
    report["seconds"] = round(perf_counter() - start, 1)
    json.dump(report, sys.stdout)
