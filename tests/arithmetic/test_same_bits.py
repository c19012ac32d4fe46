"""The same bits everywhere and for good: trainings under every arithmetic library at hand.

Each test trains the classifier of figures G for all its 10,001 epochs in a process of its own,
with other vector instructions in NumPy, other matrix kernels in OpenBLAS or another number of
threads, and compares the SHA-256 of all trained parameters with that of the stored ensemble.
Three larger trainings are held to their hashes after 200 epochs: the arithmetic is frozen, since
every stored ensemble rests on it.
"""

import json
import os
import subprocess
import sys

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from nnfs_book.arithmetic import use_threads
from nnfs_book.checks.ensembles import load
from nnfs_book.checks.experiments import EXPERIMENTS

PROGRAM = """
import json, numpy
from nnfs_book.checks.experiments import EXPERIMENTS
from numpy._core._multiarray_umath import __cpu_features__ as features
print(json.dumps([EXPERIMENTS["G"]().sha256, [f for f, on in features.items() if on]]))
"""
ABOVE_BASELINE = [f for f in __cpu_dispatch__ if __cpu_features__[f]]
KERNELS = {"Nehalem": "SSE42", "Haswell": "AVX2", "SkylakeX": "AVX512_SKX"}
SETTINGS = {
    "one thread": {"OPENBLAS_NUM_THREADS": "1"},
    "two threads": {"OPENBLAS_NUM_THREADS": "2"},
    "baseline NumPy": {"NPY_DISABLE_CPU_FEATURES": " ".join(ABOVE_BASELINE)},
} | {f"{kernel} kernels": {"OPENBLAS_CORETYPE": kernel} for kernel in KERNELS}


def train(settings):
    """Train G under environment settings; return its hash and NumPy's enabled features."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", SETTINGS)
def test_training_g_gives_the_same_bits(name):
    kernel = SETTINGS[name].get("OPENBLAS_CORETYPE")
    if kernel and not __cpu_features__.get(KERNELS[kernel]):
        pytest.skip(f"this processor cannot run OpenBLAS's {kernel} kernels")
    sha256, features = train(SETTINGS[name])
    assert sha256 == load("G")[0]["sha256"]
    if name == "baseline NumPy":
        assert not set(features) & set(ABOVE_BASELINE)


# After 200 epochs, recorded when the arithmetic was frozen.
FROZEN = {
    "A": "9876f274c03e9be4f656c6ee957d019fdaa7369f9fa853f9db02c2d4e8412e37",
    "D": "5e1a871bf28eba3de8834761fe602ace0eb215d8b71e7df5c5249052c9bb51dc",
    "F": "b9ca8cc8ff28b348b97b2a30b555717c541a38e9554f21da988098f285bbb102",
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", FROZEN)
def test_the_arithmetic_is_frozen(name, count):
    use_threads(count)
    try:
        assert EXPERIMENTS[name](epochs=200).sha256 == FROZEN[name]
    finally:
        use_threads(1)
