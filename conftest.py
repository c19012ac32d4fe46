"""Settings of the whole test run, made before NumPy is imported."""

import os
from pathlib import Path

# Kernels import the module of this very folder, wherever another one may be installed from.
HERE, OTHERS = str(Path(__file__).parent), os.environ.get("PYTHONPATH")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (HERE, OTHERS)))

# One BLAS thread for each worker: the notebooks already run side by side. Kernels inherit this.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Where the C library is glibc, memory that arrays leave is kept for the next ones: a long training
# takes a tenth less, which it would spend on having fresh pages cleared.
os.environ.setdefault(
    "GLIBC_TUNABLES", "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592"
)

from importlib.util import find_spec  # noqa: E402

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

if find_spec("numba") is None:
    collect_ignore = ["nnfs_book/arithmetic/compiled.py"]

# No test fails for being slow: machines differ, and are busy.
settings.register_profile("book", deadline=None)
settings.load_profile("book")

# These take a minute and more each, and begin first, or the end of a run waits for one of them.
LONGEST = ("book/dropout.ipynb", "book/regularization.ipynb", "tests/book/test_pages.py")


def pytest_configure(config):
    """Compile the arithmetic once, before the workers start, if that has not been done yet."""
    from nnfs_book.arithmetic import warm_up

    if not hasattr(config, "workerinput"):
        warm_up()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Use a worker more than there are cores: some of them wait, for a kernel or a browser."""
    return (yield) + 1


def pytest_collection_modifyitems(items):
    """Put the longest files first; the others, and the tests within a file, keep their order."""
    items.sort(key=lambda item: item.nodeid.partition("::")[0] not in LONGEST)
