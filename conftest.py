"""Settings of the whole test run, made before NumPy is imported."""

import os

# One BLAS thread for each worker: the notebooks already run side by side. Kernels inherit this.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
