"""Processes that wait, pinned to one core, until it is their turn; and what they are asked."""

import importlib
import multiprocessing
import os
import re
import tracemalloc
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.configurations import wide_spiral
from benchmarks.contenders import CONTENDERS, Ours
from nnfs_book import arithmetic

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

    Parameters
    ----------
    pinned : bool
        Keep the process on one core, the same for all workers, where the system can do that.

    Examples
    --------
    ::

        with Worker() as worker:
            print(worker(sum, [1, 2]))
    """

    def __init__(self, pinned=True):
        os.environ.update(ENVIRONMENT)  # the new process inherits it
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(max_workers=1, mp_context=context)
        if pinned:
            self(pin)

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


def switch(constants, to_the_inputs):
    """Set constants of the arithmetic, and whether ours goes back to the inputs."""
    for name, value in constants.items():
        if not hasattr(arithmetic, name):
            raise AttributeError(f"the arithmetic has no constant {name}")
        setattr(arithmetic, name, value)
    contender.to_the_inputs = to_the_inputs


def time_epochs(epochs):
    """Train for some epochs and return the seconds that each took."""
    seconds = []
    for _ in range(epochs):
        start = perf_counter()
        contender.epoch()
        seconds.append(perf_counter() - start)
    return seconds


def time_parts(epochs):
    """Train ours for some epochs, its steps taken apart.

    Returns
    -------
    dict
        By the name of the part, the seconds that it took in each epoch; `"the rest"` is what is in
        no part.
    """
    clock = {}

    def timed(part, method):
        def call(*arguments):
            start = perf_counter()
            result = method(*arguments)
            clock[part] += perf_counter() - start
            return result

        return call

    for part in contender.parts:
        setattr(contender, part, timed(part, getattr(contender, part)))
    seconds = {part: [] for part in (*contender.parts, "the rest")}
    for _ in range(epochs):
        clock.update(dict.fromkeys(contender.parts, 0.0))
        [whole] = time_epochs(1)
        for part in contender.parts:
            seconds[part].append(clock[part])
        seconds["the rest"].append(whole - sum(clock.values()))
    for part in contender.parts:
        delattr(contender, part)  # the method of the class is back
    return seconds


class AtOnce:
    """In place of a second thread: does its share at once, in the first one, and takes the time."""

    def __init__(self):
        self.seconds, self.shares = 0, 0

    def submit(self, function, *arguments):
        """Call a function and return its result as a future."""
        start, done = perf_counter(), Future()
        done.set_result(function(*arguments))
        self.seconds += perf_counter() - start
        self.shares += 1
        return done


def time_shares(epochs):
    """Train for some epochs as if with two threads, for the second of which there is a stand-in.

    Returns
    -------
    tuple of float
        What part of the time is the second one's work, and in how many shares it comes an epoch.
    """
    second = AtOnce()
    arithmetic._helpers.append(second)
    seconds = sum(time_epochs(epochs))
    arithmetic._helpers.clear()
    return second.seconds / seconds, second.shares / epochs


def time_handing_over(times=200):
    """Return the median of the seconds that it takes another thread to do nothing and say so."""
    seconds = []
    with ThreadPoolExecutor(max_workers=1) as other:
        for _ in range(times):
            start = perf_counter()
            other.submit(int).result()
            seconds.append(perf_counter() - start)
    return float(np.median(seconds))


def train(epochs):
    """Train for some epochs and return the loss."""
    for _ in range(epochs):
        contender.epoch()
    return contender.loss()


def weights_hash():
    """Return the SHA-256 of the weights and biases."""
    return contender.sha256()


def newly_allocated_bytes():
    """Train one epoch and return the peak of the memory that was newly allocated in it.

    What was allocated before does not count, and its release is not subtracted: a new array is
    seen even where it takes the place of an old one.
    """
    tracemalloc.start()
    try:
        contender.epoch()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def grow(samples, epochs):
    """Build ours on so many samples, train, and return seconds per epoch and peak megabytes."""
    configuration = wide_spiral(samples)
    import_peers(Ours.name, configuration)
    build(Ours.name, configuration, 0)
    time_epochs(2)
    return time_epochs(epochs), peak_megabytes()
