"""Compare exp and log with the C library's 80-bit ones on every float32: python tools/exhaustive.py

All 4,294,967,296 inputs, a few minutes; run it after any change to exp or log. It needs a
processor whose long double has 64 bits of precision (x86). The test suite compares a random
million with mpmath instead.
"""

import sys

import numpy as np

from nnfs_book.arithmetic import exp, log


def misrounded(function, reference, bits):
    """Return the float32 inputs with these bits for which `function` misses the nearest float32."""
    x = bits.view(np.float32)
    with np.errstate(all="ignore"):
        wanted = reference(x.astype(np.longdouble)).astype(np.float32)
    ours = function(x)
    return x[~((ours == wanted) | (np.isnan(ours) & np.isnan(wanted)))]


def main():
    """Print what is misrounded, and return how much of it there is."""
    if np.finfo(np.longdouble).nmant < 63:
        sys.exit("long double is too short on this machine to judge by")
    wrong = 0
    for function, reference in ((exp, np.exp), (log, np.log)):
        found = 0
        for start in range(0, 2**32, 2**17):
            bits = np.arange(start, start + 2**17).astype(np.uint32)
            for x in misrounded(function, reference, bits):
                found += 1
                print(f"{function.__name__}({x!r}) = {function(x)!r}")
        print(f"{function.__name__}: {found} of {2**32:,} inputs misrounded", flush=True)
        wrong += found
    return wrong


if __name__ == "__main__":
    sys.exit(main() > 0)
