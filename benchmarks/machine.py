"""On what it ran: enough to repeat it elsewhere, nothing that names the machine or its owner."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

PACKAGES = ("numpy", "numba", "torch", "jax", "jaxlib", "scikit-learn")


def machine():
    """Return a dict of what is known about the machine and the libraries."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cache_kb": caches(),
        "memory_gb": memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy_blas": f"{blas['name']} {blas['version']}",
        "packages": {name: installed(name) for name in PACKAGES},
    }


def processor():
    """Return the processor's name as well as it is known."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", info.read_text()) if info.exists() else []
    return names[0] if names else platform.processor() or "unknown"


def caches():
    """Return the size of each cache of one core in kB by its name; empty if not known."""
    sizes = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / f).read_text().strip() for f in ("level", "type", "size"))
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size.rstrip("K"))
    return sizes


def memory():
    """Return the memory in GB, None if not known."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, ValueError):
        return None


def installed(name):
    """Return a package's version, None if it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
