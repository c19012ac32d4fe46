"""Processes that wait, pinned to one core, until it is their turn; and what they are asked."""

import importlib
import multiprocessing
import os
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

from benchmarks.configurations import wide_spiral
from benchmarks.contenders import CONTENDERS, Ours

# What holds a process to one thread: NumPy's OpenBLAS, PyTorch's OpenMP and MKL, and XLA each have
# a variable of their own.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "TORCH_LOGS": "-all",
    "JAX_PLATFORMS": "cpu",
}


class Worker:
    """A process of its own, which calls one function at a time; close it after use.

    All workers are kept on one core, the same for all, where the system can do that.

    Parameters
    ----------
    backend : str
        The arithmetic of `nnfs_book` there, which a process chooses once.

    Examples
    --------
    ::

        with Worker("reference") as worker:
            print(worker(sum, [1, 2]))
    """

    def __init__(self, backend):
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(max_workers=1, mp_context=context)
        before = os.environ.copy()
        os.environ.update(ENVIRONMENT, NNFS_BOOK_BACKEND=backend)
        try:
            self(pin)  # the process starts here, and inherits what the environment says now
        finally:
            os.environ.clear()
            os.environ.update(before)

    def __call__(self, function, *arguments):
        """Call a function over there and return what it returns."""
        return self.pool.submit(function, *arguments).result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown()


# What follows runs in a worker. `contender` is the one that it keeps from call to call.

contender = None
megabytes_before = None


def pin():
    """Keep this process on the last core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def import_peers(name, configuration):
    """Import what a contender and the data need, then start to watch the memory."""
    global megabytes_before
    for module in CONTENDERS[name].modules + configuration.modules:
        importlib.import_module(module)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is held
    except OSError:
        pass
    megabytes_before = resident_megabytes("VmRSS")


def resident_megabytes(field):
    """Return this process's resident memory, VmRSS, or its peak, VmHWM; None if not on Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return int(re.search(rf"{field}:\s+(\d+) kB", status.read_text())[1]) / 1024


def peak_megabytes():
    """Return the peak of resident memory since `import_peers`, over what was held then."""
    peak = resident_megabytes("VmHWM")
    return None if peak is None else peak - megabytes_before


def build(name, configuration, seed):
    """Build a contender."""
    global contender
    contender = None  # so that two never take memory at once
    contender = CONTENDERS[name](configuration, seed)


def time_epochs(epochs):
    """Train for some epochs and return the seconds that each took."""
    seconds = []
    for _ in range(epochs):
        start = perf_counter()
        contender.epoch()
        seconds.append(perf_counter() - start)
    return seconds


def train(epochs):
    """Train for some epochs and return the loss."""
    for _ in range(epochs):
        contender.epoch()
    return contender.loss()


def weights_hash():
    """Return the SHA-256 of the weights and biases."""
    return contender.sha256()


def grow(samples, epochs):
    """Build ours on so many samples, train, and return seconds per epoch and peak megabytes."""
    configuration = wide_spiral(samples)
    build(Ours.name, wide_spiral(3), 0)
    time_epochs(1)  # the compiled code is loaded, and is not to count as memory that grows
    import_peers(Ours.name, configuration)
    build(Ours.name, configuration, 0)
    time_epochs(2)
    return time_epochs(epochs), peak_megabytes()


FIRST_STEP = """
from benchmarks.configurations import A
from benchmarks.contenders import Ours
Ours(A).epoch()
"""


def time_first_step(backend, cache):
    """Train A for one epoch in a new process; return the seconds and what it said meanwhile.

    Parameters
    ----------
    backend : str
        The arithmetic of that process.
    cache : path
        Where Numba keeps what it has compiled.
    """
    environment = os.environ | {"NNFS_BOOK_BACKEND": backend, "NUMBA_CACHE_DIR": str(cache)}
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return perf_counter() - start, done.stderr
