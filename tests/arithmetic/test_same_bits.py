"""The same bits everywhere and for good.

Each test trains the networks of `trainings` in a process of its own: by either backend, with other
vector instructions in NumPy, other matrix kernels in OpenBLAS or another number of threads. All
trained parameters together have the SHA-256 below, since every stored figure rests on them.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

EPOCHS = {"A": 200, "D": 20, "F": 20, "G": 200, "digits": 5}
FROZEN = {
    "A": "0452606b72426857ccd5ff8c3840488e61e6a4e2907141be6f747e7be36ffd1e",
    "D": "998c6372122cc18b872bebadd6da9c524495ecf71e426bb6ec6b8fb06ee9f624",
    "F": "4caadf11fd31e70e5efe14eb92ec376f889950370f9519bd5b33954c3dc5109c",
    "G": "99ab79fd0882db81325fdc8c48216295ccd4b8e42d7efe31e288c69640bea15d",
    "digits": "4dec296da385e794016bf37dda757b9980d8c32cd9121b8b2a52f4405c09ffd3",
}
BACKENDS = ["reference"] + ["compiled"] * (find_spec("numba") is not None)
ABOVE_BASELINE = [f for f in __cpu_dispatch__ if __cpu_features__[f]]
KERNELS = {"Nehalem": "SSE42", "Haswell": "AVX2", "SkylakeX": "AVX512_SKX"}


def train(epochs, **settings):
    """Train in a fresh process with these environment variables; return what it reports."""
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("trainings.py"), json.dumps(epochs)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_arithmetic_is_frozen(backend):
    report = train(EPOCHS, NNFS_BOOK_BACKEND=backend)
    assert report["backend"] == backend
    assert report["hashes"] == FROZEN


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_do_not_change_the_bits(backend, threads):
    settings = {"OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
    assert train(EPOCHS, NNFS_BOOK_BACKEND=backend, **settings)["hashes"] == FROZEN


@pytest.mark.slow
def test_vector_instructions_do_not_change_the_bits():
    features = " ".join(ABOVE_BASELINE)
    report = train(EPOCHS, NNFS_BOOK_BACKEND="reference", NPY_DISABLE_CPU_FEATURES=features)
    assert not set(report["features"]) & set(ABOVE_BASELINE)
    assert report["hashes"] == FROZEN


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_matrix_kernels_do_not_change_the_bits(kernel):
    if not __cpu_features__.get(KERNELS[kernel]):
        pytest.skip(f"this processor cannot run OpenBLAS's {kernel} kernels")
    report = train(EPOCHS, NNFS_BOOK_BACKEND="reference", OPENBLAS_CORETYPE=kernel)
    assert report["hashes"] == FROZEN


@pytest.mark.slow
@pytest.mark.skipif(len(BACKENDS) < 2, reason="there is one backend only")
def test_a_whole_training_ends_in_the_same_bits_by_either_backend():
    one, other = (train({"G": 10_001}, NNFS_BOOK_BACKEND=b)["hashes"] for b in BACKENDS)
    assert one == other
