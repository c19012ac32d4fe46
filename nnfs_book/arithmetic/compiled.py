"""Twins for speed: what `reference` and `functions` define, compiled by Numba.

A twin gives the bits of its definition. Exact sums may be formed in any order, so only the kernels
that add snapped numbers (`exact_kernel`) let the compiler reorder and fuse. Everywhere else each
operation rounds as it is written: reordering would turn ``(x + pusher) - pusher`` into x, and
a fused multiplication and addition rounds once where the definition rounds twice.

Compiled code checks no bounds. The thin functions in Python at the end check what comes in and hand
contiguous arrays to the kernels. All kernels and their constants stand in this one module, because
Numba's cache watches only the file that defines a function.
"""

import sys
from math import factorial

import numpy as np
from llvmlite import binding
from numba import config, njit
from numba.core import event

from nnfs_book.arithmetic import functions, reference
from nnfs_book.arithmetic.backend import as_float


def whole_registers():
    """Let Numba use all 512 bits of a vector register; by itself it takes half on many processors.

    Saves a quarter of a training. Whoever chose a processor or its features for Numba is left alone,
    and so is a process in which Numba has compiled before: the bits are the same anyway.
    """
    features = binding.get_host_cpu_features()
    chosen = config.CPU_NAME is not None or config.CPU_FEATURES is not None
    if features.get("avx512f") and config.ENABLE_AVX and not chosen:
        config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"


whole_registers()

FLOAT32 = np.dtype(np.float32)
NO_BIAS = np.float32(-0.0)  # added to any number, it changes nothing, not even a zero's sign

# What is called from Python and kept in Numba's cache, what that calls, what becomes part of a
# loop, and what adds snapped numbers: there every partial sum is exact, and the compiler may reorder
# and fuse. Division by zero gives infinity, as in NumPy.
entry = njit(error_model="numpy", cache=True)
kernel = njit(error_model="numpy")
formula = njit(error_model="numpy", forceinline=True)
exact_kernel = njit(error_model="numpy", fastmath={"reassoc", "contract"})

MAGNITUDE = np.int32(0x7FFFFFFF)  # a float32's bits without its sign: ordered like its magnitude
SIGN = ~MAGNITUDE
INFINITE = np.int32(0x7F800000)  # infinity; larger ones are NaN

PANEL, STRIDE = 128, 128 + 8  # columns of a product that are formed together; their rows' distance
WIDE, WIDE_STRIDE = 512, 512 + 8  # the same where there are few rows
DEPTH = 64  # terms of a sum that are added before the next columns have their turn
NARROW = 16  # fewer columns than this are formed as dot products
FEW, ROWS = 4, 64  # columns, and rows of a tall operand that are read twice in a row
ZERO = np.int64(0)  # a function is compiled anew for each plain number that it is called with
# (The distances are odd numbers of cache lines, so that rows do not fall onto the same ones.)


# --- The grid -------------------------------------------------------------------------------------


@kernel
def room_for(terms, operands):
    """Return what `reference.operand_bits` does."""
    bits, rest = 53, max(terms - 1, 0)
    while rest > 0:
        bits -= 1
        rest >>= 1
    return min(24, bits // 2) if operands == 2 else min(51, bits)


@formula
def magnitude(x):
    """Return the bits of a float32 without its sign."""
    return np.int32(np.float32(x).view(np.int32) & MAGNITUDE)


@formula
def pusher(largest, keep):
    """Return what added to a number and taken off again leaves a multiple of the grid's unit.

    It is ``1.5 * 2**(52 + e - keep)``, with ``2**e`` above the magnitude whose bits are `largest`.
    (For zeros another one than the reference's, which does them no harm.)
    """
    exponent = np.float64(np.int32(largest).view(np.float32)).view(np.int64) >> 52
    return np.int64(((exponent + (53 - keep)) << 52) | (1 << 51)).view(np.float64)


@formula
def snapped(x, push):
    """Return a float32 on its grid. Never to be an `exact_kernel`."""
    return (np.float64(x) + push) - push


@formula
def rounded(exact):
    """Return the float32 nearest to an exact sum; a zero is +0. Never to be an `exact_kernel`."""
    return np.float32(exact + 0.0)


@formula
def shifted(exact, bias):
    """Return a rounded sum plus a bias, rounded again. Never to be an `exact_kernel`."""
    return np.float32(rounded(exact) + bias)


@kernel
def largest_of(row):
    """Return the bits of the largest magnitude in a row."""
    largest = np.int32(0)
    for c in range(len(row)):
        largest = max(largest, magnitude(row[c]))
    return largest


@kernel
def pushers_of_rows(a, keep, push):
    """Fill in the pusher of each row; return whether all numbers are finite."""
    overall = np.int32(0)
    for i in range(a.shape[0]):
        largest = np.int32(0)
        for j in range(a.shape[1]):
            largest = max(largest, magnitude(a[i, j]))
        overall = max(overall, largest)
        push[i] = pusher(largest, keep)
    return overall < INFINITE


@kernel
def pushers_of_columns(a, keep, push):
    """Fill in the pusher of each column; return whether all numbers are finite."""
    largest = np.zeros(a.shape[1], np.int32)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            largest[j] = max(largest[j], magnitude(a[i, j]))
    overall = np.int32(0)
    for j in range(a.shape[1]):
        overall = max(overall, largest[j])
        push[j] = pusher(largest[j], keep)
    return overall < INFINITE


@kernel
def largest_of_both(a, rows, columns):
    """Fill in the largest magnitude of each row and column; return whether all are finite."""
    overall = np.int32(0)
    columns[:] = 0
    for i in range(a.shape[0]):
        largest = np.int32(0)
        for j in range(min(a.shape[1], columns.size)):
            x = magnitude(a[i, j])
            largest = max(largest, x)
            columns[j] = max(columns[j], x)
        rows[i] = largest
        overall = max(overall, largest)
    return overall < INFINITE


@kernel
def pushers(largest, keep):
    """Return the pusher for each of some magnitudes."""
    push = scratch(largest.size)
    for i in range(largest.size):
        push[i] = pusher(largest[i], keep)
    return push


# --- Matrix products ------------------------------------------------------------------------------
#
# Which kernel forms a product depends on its shape. All of them work on four terms, rows or columns
# at a time, with what is missing filled up by zeros, which change no sum.


@kernel
def scratch(size):
    """Return room for float64 numbers that begins with a cache line; vectors would straddle two."""
    room = np.empty(size + 7)
    start = (-room.ctypes.data // 8) % 8
    return room[start : start + size]


@kernel
def pack_left(a, turned, push, first, start, stop, packed):
    """Snap four rows of the left operand: ``packed[4 * term + row]``."""
    terms, rows = stop - start, min(4, len(push) - first)
    if rows < 4:
        for i in range(4 * terms):
            packed[i] = 0.0
        for r in range(rows):
            for t in range(terms):
                x = a[start + t, first + r] if turned else a[first + r, start + t]
                packed[4 * t + r] = snapped(x, push[first + r])
    else:
        p0, p1, p2, p3 = push[first], push[first + 1], push[first + 2], push[first + 3]
        if turned:
            for t in range(terms):
                x, four = a[start + t, first : first + 4], packed[4 * t : 4 * t + 4]
                four[0], four[1] = snapped(x[0], p0), snapped(x[1], p1)
                four[2], four[3] = snapped(x[2], p2), snapped(x[3], p3)
        else:
            x0, x1 = a[first, start:stop], a[first + 1, start:stop]
            x2, x3 = a[first + 2, start:stop], a[first + 3, start:stop]
            for t in range(min(terms, DEPTH)):
                packed[4 * t], packed[4 * t + 1] = snapped(x0[t], p0), snapped(x1[t], p1)
                packed[4 * t + 2], packed[4 * t + 3] = snapped(x2[t], p2), snapped(x3[t], p3)
    for i in range(4 * terms, (terms + 3) // 4 * 16):
        packed[i] = 0.0


@kernel
def pack_right(b, turned, push, first, columns, width, start, stop, packed):
    """Snap some columns of the right operand: ``packed[term, column]``."""
    terms = stop - start
    push = push[first : first + columns]
    for t in range((terms + 3) // 4 * 4):
        target = packed[t, :width]
        filled = columns if t < terms else 0
        if turned:
            column = b[first : first + filled, min(start + t, stop - 1)]
            for c in range(filled):
                target[c] = snapped(column[c], push[c])
        else:
            row = b[min(start + t, stop - 1), first : first + filled]
            for c in range(filled):
                target[c] = snapped(row[c], push[c])
        for c in range(filled, width):
            target[c] = 0.0


@kernel
def round_panel(sums, biases, out, turned, rows, first, columns):
    """Round exact sums into some columns of the result, or into its transpose, without biases."""
    for r in range(rows):
        exact = sums[r, :columns]
        if turned:
            column = out[first : first + columns, r]
            for c in range(columns):
                column[c] = rounded(exact[c])
        else:
            row, bias = out[r, first : first + columns], biases[first : first + columns]
            for c in range(columns):
                row[c] = shifted(exact[c], bias[c])


@exact_kernel
def add_outer(left, right, terms, width, sums):
    """Add the products of four packed rows and all columns of a panel, four terms at a time.

    What the compiler has to know to use vectors: the distances between rows, and that no index
    leaves a panel.
    """
    for t in range(0, terms, 4):
        a = left[4 * t : 4 * t + 16]
        b = right[STRIDE * t : STRIDE * t + 4 * STRIDE]
        a00, a10, a20, a30 = a[0], a[1], a[2], a[3]
        a01, a11, a21, a31 = a[4], a[5], a[6], a[7]
        a02, a12, a22, a32 = a[8], a[9], a[10], a[11]
        a03, a13, a23, a33 = a[12], a[13], a[14], a[15]
        for c in range(min(width, PANEL)):
            b0, b1, b2, b3 = b[c], b[STRIDE + c], b[2 * STRIDE + c], b[3 * STRIDE + c]
            sums[c] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
            sums[STRIDE + c] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
            sums[2 * STRIDE + c] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
            sums[3 * STRIDE + c] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3


@kernel
def product_of_blocks(a, a_turned, a_push, b, b_turned, b_push, terms, biases, out, out_turned):
    """Form a product of ordinary shape: four rows times a panel of columns, block by block."""
    n, m = len(a_push), len(b_push)
    left, right = scratch((DEPTH + 3) * 4), scratch((DEPTH + 3) * STRIDE)
    sums = scratch((n + 3) // 4 * 4 * STRIDE)
    right_rows, sum_rows = right.reshape(-1, STRIDE), sums.reshape(-1, STRIDE)
    for first in range(0, m, PANEL):
        columns = min(PANEL, m - first)
        width = (columns + 7) // 8 * 8
        for i in range(len(sums)):
            sums[i] = 0.0
        for start in range(0, terms, DEPTH):
            stop = min(start + DEPTH, terms)
            pack_right(b, b_turned, b_push, first, columns, width, start, stop, right_rows)
            for i in range(0, n, 4):
                pack_left(a, a_turned, a_push, i, start, stop, left)
                add_outer(left, right, stop - start, width, sums[i * STRIDE :])
        round_panel(sum_rows, biases, out, out_turned, n, first, columns)


@exact_kernel
def two_rows_of_two_terms(a, b, bias, row, next_row):
    """Form two rows of a product with two terms."""
    a00, a10, a01, a11 = a[0], a[1], a[4], a[5]
    for c in range(min(len(row), WIDE)):
        b0, b1 = b[c], b[WIDE_STRIDE + c]
        row[c] = shifted(a00 * b0 + a01 * b1, bias[c])
        next_row[c] = shifted(a10 * b0 + a11 * b1, bias[c])


@exact_kernel
def two_rows_of_four_terms(a, b, bias, row, next_row):
    """Form two rows of a product with up to four terms."""
    a00, a10, a01, a11 = a[0], a[1], a[4], a[5]
    a02, a12, a03, a13 = a[8], a[9], a[12], a[13]
    for c in range(min(len(row), WIDE)):
        b0, b1 = b[c], b[WIDE_STRIDE + c]
        b2, b3 = b[2 * WIDE_STRIDE + c], b[3 * WIDE_STRIDE + c]
        row[c] = shifted(a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3, bias[c])
        next_row[c] = shifted(a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3, bias[c])


@kernel
def product_of_few_terms(a, a_turned, a_push, b, b_turned, b_push, terms, biases, out):
    """Form a product with up to four terms, without sums kept in between."""
    n, m = out.shape
    left, right = scratch(16), scratch(4 * WIDE_STRIDE)
    unused = np.empty(min(m, WIDE), np.float32)
    for first in range(0, m, WIDE):
        end = min(first + WIDE, m)
        width, bias = end - first, biases[first:end]
        rows = right.reshape(-1, WIDE_STRIDE)
        pack_right(b, b_turned, b_push, first, width, width, ZERO, terms, rows)
        for i in range(0, n, 4):
            pack_left(a, a_turned, a_push, i, ZERO, terms, left)
            for r in range(0, min(4, n - i), 2):
                row = out[i + r, first:end]
                next_row = out[i + r + 1, first:end] if i + r + 1 < n else unused[:width]
                if terms <= 2:
                    two_rows_of_two_terms(left[r:], right, bias, row, next_row)
                else:
                    two_rows_of_four_terms(left[r:], right, bias, row, next_row)


@exact_kernel
def add_outer_snapping(a, b0, b1, b2, b3, push, sums):
    """Add four terms of four packed rows and all columns of a wide panel, snapped on the way."""
    a00, a10, a20, a30 = a[0], a[1], a[2], a[3]
    a01, a11, a21, a31 = a[4], a[5], a[6], a[7]
    a02, a12, a22, a32 = a[8], a[9], a[10], a[11]
    a03, a13, a23, a33 = a[12], a[13], a[14], a[15]
    for c in range(min(len(push), WIDE)):
        p = push[c]
        x0, x1, x2, x3 = snapped(b0[c], p), snapped(b1[c], p), snapped(b2[c], p), snapped(b3[c], p)
        sums[c] += a00 * x0 + a01 * x1 + a02 * x2 + a03 * x3
        sums[WIDE_STRIDE + c] += a10 * x0 + a11 * x1 + a12 * x2 + a13 * x3
        sums[2 * WIDE_STRIDE + c] += a20 * x0 + a21 * x1 + a22 * x2 + a23 * x3
        sums[3 * WIDE_STRIDE + c] += a30 * x0 + a31 * x1 + a32 * x2 + a33 * x3


@kernel
def product_of_few_rows(a, a_turned, a_push, b, b_push, terms, biases, out, out_turned):
    """Form up to four rows from many terms, in one pass over a tall right operand."""
    n, m = len(a_push), len(b_push)
    left, sums = scratch((DEPTH + 3) * 4), scratch(4 * WIDE_STRIDE)
    for first in range(0, m, WIDE):
        end = min(first + WIDE, m)
        nothing = np.zeros(end - first, np.float32)
        for i in range(len(sums)):
            sums[i] = 0.0
        for start in range(0, terms, DEPTH):
            stop = min(start + DEPTH, terms)
            pack_left(a, a_turned, a_push, ZERO, start, stop, left)
            for t in range(start, stop, 4):
                b0 = b[t, first:end]
                b1 = b[t + 1, first:end] if t + 1 < stop else nothing
                b2 = b[t + 2, first:end] if t + 2 < stop else nothing
                b3 = b[t + 3, first:end] if t + 3 < stop else nothing
                four = left[4 * (t - start) : 4 * (t - start) + 16]
                add_outer_snapping(four, b0, b1, b2, b3, b_push[first:end], sums)
        sum_rows = sums.reshape(-1, WIDE_STRIDE)
        round_panel(sum_rows, biases, out, out_turned, n, first, end - first)


@exact_kernel
def eight_dots(row, push, next_row, next_push, right, sums):
    """Form the dot products of two rows, snapped on the way, with four packed columns."""
    s00 = s01 = s02 = s03 = 0.0
    s10 = s11 = s12 = s13 = 0.0
    for t in range(len(row)):
        a0, a1 = snapped(row[t], push), snapped(next_row[t], next_push)
        b0, b1, b2, b3 = right[0, t], right[1, t], right[2, t], right[3, t]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s03 += a0 * b3
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s13 += a1 * b3
    sums[0], sums[1], sums[2], sums[3] = s00, s01, s02, s03
    sums[4], sums[5], sums[6], sums[7] = s10, s11, s12, s13


@exact_kernel
def sixteen_dots(left, right, sums):
    """Form the dot products of four packed rows with four packed columns."""
    s00 = s01 = s02 = s03 = 0.0
    s10 = s11 = s12 = s13 = 0.0
    s20 = s21 = s22 = s23 = 0.0
    s30 = s31 = s32 = s33 = 0.0
    for t in range(left.shape[1]):
        a0, a1, a2, a3 = left[0, t], left[1, t], left[2, t], left[3, t]
        b0, b1, b2, b3 = right[0, t], right[1, t], right[2, t], right[3, t]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s03 += a0 * b3
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s13 += a1 * b3
        s20 += a2 * b0
        s21 += a2 * b1
        s22 += a2 * b2
        s23 += a2 * b3
        s30 += a3 * b0
        s31 += a3 * b1
        s32 += a3 * b2
        s33 += a3 * b3
    sums[0], sums[1], sums[2], sums[3] = s00, s01, s02, s03
    sums[4], sums[5], sums[6], sums[7] = s10, s11, s12, s13
    sums[8], sums[9], sums[10], sums[11] = s20, s21, s22, s23
    sums[12], sums[13], sums[14], sums[15] = s30, s31, s32, s33


@kernel
def packed_columns(b, turned, push):
    """Return a right operand of few columns, snapped; its columns are rows, in fours."""
    m, terms = b.shape if turned else b.shape[::-1]
    length = (terms + 15) // 16 * 16 + 8  # an odd number of cache lines
    right = scratch((m + 3) // 4 * 4 * length).reshape((m + 3) // 4 * 4, length)
    right[:] = 0.0
    for j in range(m):
        for t in range(terms):
            right[j, t] = snapped(b[j, t] if turned else b[t, j], push[j])
    return right


@kernel
def dot_products(a, a_push, right, biases, out):
    """Form a product with few columns, which `packed_columns` has packed, as dot products."""
    (n, terms), m = a.shape, out.shape[1]
    sums = np.empty(16)
    if m <= 4:
        for i in range(0, n, 2):
            k = min(i + 1, n - 1)  # a last row without company is its own
            eight_dots(a[i], a_push[i], a[k], a_push[k], right, sums)
            for j in range(m):
                out[i, j] = shifted(sums[j], biases[j])
                out[k, j] = shifted(sums[4 + j], biases[j])
        return
    left = scratch(4 * right.shape[1]).reshape(4, right.shape[1])
    left[:] = 0.0
    for i in range(0, n, 4):
        rows = min(4, n - i)
        for r in range(rows):
            row, p = a[i + r], a_push[i + r]
            for t in range(terms):
                left[r, t] = snapped(row[t], p)
        for j in range(0, m, 4):
            sixteen_dots(left, right[j : j + 4], sums)
            round_panel(sums.reshape(4, 4), biases[j:], out[i:, j:], False, rows, ZERO, min(4, m - j))


@entry
def product(a, a_turned, b, b_turned, biases, out):
    """Multiply matrices, each given as it is or turned (transposed), and add biases to each row.

    Biases of -0 change nothing; if `a` is turned, they have to be that. Returns whether all numbers
    are finite; if not, `out` holds nothing of use.
    """
    n, m = out.shape
    terms = a.shape[0] if a_turned else a.shape[1]
    keep = room_for(terms, 2)
    a_push, b_push = scratch(n), scratch(m)
    if a_turned:
        finite = pushers_of_columns(a, keep, a_push)
    else:
        finite = pushers_of_rows(a, keep, a_push)
    if b_turned:
        finite &= pushers_of_rows(b, keep, b_push)
    else:
        finite &= pushers_of_columns(b, keep, b_push)
    if not finite:
        return False
    if terms <= 4:
        product_of_few_terms(a, a_turned, a_push, b, b_turned, b_push, terms, biases, out)
        return True
    if m < NARROW and not a_turned:
        dot_products(a, a_push, packed_columns(b, b_turned, b_push), biases, out)
        return True
    # A narrow product from columns in the left operand is formed as its transpose, which is wide.
    out_turned = m < min(n, 32) and a_turned
    if out_turned:
        a, a_turned, a_push, b, b_turned, b_push = b, not b_turned, b_push, a, not a_turned, a_push
    if len(a_push) <= 4 and not b_turned:
        product_of_few_rows(a, a_turned, a_push, b, b_push, terms, biases, out, out_turned)
    else:
        product_of_blocks(a, a_turned, a_push, b, b_turned, b_push, terms, biases, out, out_turned)
    return True


# --- Sums -----------------------------------------------------------------------------------------


@exact_kernel
def sum_of_row(a, i, push):
    """Return the exact sum of a row, snapped on the way."""
    exact = 0.0
    for j in range(a.shape[1]):
        exact += snapped(a[i, j], push)
    return exact


@entry
def totals_of_rows(a, out):
    """Sum each row; return whether all numbers are finite."""
    push = np.empty(a.shape[0])
    finite = pushers_of_rows(a, room_for(a.shape[1], 1), push)
    for i in range(a.shape[0]):
        out[i] = rounded(sum_of_row(a, i, push[i]))
    return finite


@formula
def snapped_pair(x, y, push):
    """Return ``snapped(x, push) + snapped(y, push)``, exactly, with one operation less."""
    return (np.float64(x) + push) + (np.float64(y) - push)


@kernel
def add_rows(a, push, exact):
    """Add the rows of a matrix to exact sums, snapped on the way, four at a time."""
    n, m = a.shape[0], min(a.shape[1], exact.size)
    for i in range(0, n - 3, 4):
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        for j in range(m):
            p = push[j]
            exact[j] += snapped_pair(a0[j], a1[j], p) + snapped_pair(a2[j], a3[j], p)
    for i in range(n // 4 * 4, n):
        for j in range(m):
            exact[j] += snapped(a[i, j], push[j])


@entry
def totals_of_columns(a, out):
    """Sum each column; return whether all numbers are finite."""
    push, exact = np.empty(a.shape[1]), np.zeros(a.shape[1])
    finite = pushers_of_columns(a, room_for(a.shape[0], 1), push)
    add_rows(a, push, exact)
    for j in range(a.shape[1]):
        out[j] = rounded(exact[j])
    return finite


@entry
def narrow_gradients(x, w, d, dw, db, dx):
    """Fill in ``x.T @ d``, the sum of d's rows and ``d @ w.T``; return whether all are finite.

    There are up to FEW columns in x or in d, so that what takes the time is to read the other.
    """
    (n, m), k = d.shape, x.shape[1]
    rows, columns = np.empty(n, np.int32), np.empty(m, np.int32)
    x_push, w_push = scratch(k), scratch(k)
    finite = largest_of_both(d, rows, columns)
    finite &= pushers_of_rows(w, room_for(m, 2), w_push)
    finite &= pushers_of_columns(x, room_for(n, 2), x_push)
    if not finite:
        return False
    no_biases = np.full(max(k, m), NO_BIAS)
    row_push, column_push = pushers(rows, room_for(m, 2)), pushers(columns, room_for(n, 2))
    if n <= 4:
        product_of_few_terms(x, True, x_push, d, False, column_push, n, no_biases, dw)
    elif k <= FEW:
        product_of_few_rows(x, True, x_push, d, column_push, n, no_biases, dw, False)
    else:
        product_of_few_rows(d, True, column_push, x, x_push, n, no_biases, dw, True)
    push, exact = pushers(columns, room_for(n, 1)), np.zeros(m)
    if m <= 4:
        add_rows(d, push, exact)
        product_of_few_terms(d, False, row_push, w, True, w_push, m, no_biases, dx)
    else:
        right = packed_columns(w, True, w_push)
        for i in range(0, n, ROWS):  # for both sums while they are in the cache
            add_rows(d[i : i + ROWS], push, exact)
            dot_products(d[i : i + ROWS], row_push[i:], right, no_biases, dx[i : i + ROWS])
    for j in range(m):
        db[j] = rounded(exact[j])
    return True


# --- A hidden layer in one go ---------------------------------------------------------------------
#
# Dense, ReLU, Dropout and Dense, between up to two inputs and up to three outputs. Its width makes
# the work: each hidden number is written once on the way forward, and read twice on the way back.
# What the kernels read column by column stands in one array, a line of WIDE_STRIDE for each thing.


@formula
def let_through(x, z):
    """Return x where z is positive, else 0."""
    return x if z > 0 else np.float32(0)


@formula
def scaled(x, scale):
    """Return a product, rounded. Never to be an `exact_kernel`."""
    return np.float32(x * scale)


@exact_kernel
def hidden_row(a0, a1, lines, bias, row):
    """Fill in a row of hidden numbers: two terms, a bias, ReLU."""
    for c in range(min(len(row), WIDE)):
        z = shifted(a0 * lines[c] + a1 * lines[WIDE_STRIDE + c], bias[c])
        row[c] = let_through(z, z)


@kernel
def keep_some(row, mask, scale):
    """Scale what a mask keeps of a row, and set the rest to zero."""
    for c in range(min(len(row), len(mask))):
        row[c] = scaled(row[c], scale) if mask[c] else np.float32(0)


@kernel
def largest_value(row):
    """Return the largest magnitude in a row."""
    return np.float64(np.int32(largest_of(row)).view(np.float32))


@entry
def stays_finite(a, b, terms, bias, scale):
    """Tell whether no entry of ``(a @ b + bias) * scale`` can leave the range of float32."""
    product = largest_value(a.reshape(a.size)) * largest_value(b.reshape(b.size))
    return (product * terms + largest_value(bias)) * scale < 1e38


@entry
def hidden_forward(x, w, b, kept, scale, v, c, h, out):
    """Fill in the hidden numbers and the outputs, all of which have to stay finite.

    `kept` has a row for each sample, or no rows, when nothing is dropped.
    """
    (n, k), (m, outputs) = x.shape, v.shape
    x_push, w_push, v_push = scratch(n), scratch(m), scratch(outputs)
    pushers_of_rows(x, room_for(k, 2), x_push)
    pushers_of_columns(w, room_for(k, 2), w_push)
    pushers_of_columns(v, room_for(m, 2), v_push)
    lines, sums, keep = scratch(4 * WIDE_STRIDE), np.empty(8), room_for(m, 2)
    pack_right(w, False, w_push, ZERO, m, m, ZERO, k, lines.reshape(-1, WIDE_STRIDE))
    right, first_push = packed_columns(v, False, v_push), 0.0
    for i in range(n):
        a0, a1 = snapped(x[i, 0], x_push[i]), snapped(x[i, k - 1], x_push[i]) if k == 2 else 0.0
        hidden_row(a0, a1, lines, b, h[i])
        if len(kept):
            keep_some(h[i], kept[i], scale)
        push = pusher(largest_of(h[i]), keep)
        if i % 2 == 0 and i + 1 < n:
            first_push = push
            continue
        first = i - i % 2  # a last row without company is its own
        eight_dots(h[first], first_push if i % 2 else push, h[i], push, right, sums)
        for o in range(outputs):
            out[first, o] = shifted(sums[o], c[o])
            out[i, o] = shifted(sums[4 + o], c[o])


@exact_kernel
def largest_hidden(d0, d1, d2, lines, scale, row, largest):
    """Keep the largest magnitude of each column, of the hidden numbers and of their gradients."""
    for c in range(min(len(row), WIDE)):
        e = d0 * lines[c] + d1 * lines[WIDE_STRIDE + c] + d2 * lines[2 * WIDE_STRIDE + c]
        z = let_through(scaled(rounded(e), scale), row[c])
        largest[c] = max(largest[c], magnitude(row[c]))
        largest[WIDE_STRIDE + c] = max(largest[WIDE_STRIDE + c], magnitude(z))


@exact_kernel
def add_hidden(d, e, x, lines, scale, row, next_row, sums):
    """Add what two samples contribute to the six gradients of each column.

    `d` holds their gradients at the output on the grids of the rows, `e` on those of the columns,
    `x` their inputs.
    """
    d0, d1, d2, d3, d4, d5 = d[0], d[1], d[2], d[3], d[4], d[5]
    e0, e1, e2, e3, e4, e5 = e[0], e[1], e[2], e[3], e[4], e[5]
    x0, x1, x2, x3 = x[0], x[1], x[2], x[3]
    for c in range(min(len(row), len(next_row), WIDE)):
        v0, v1, v2 = lines[c], lines[WIDE_STRIDE + c], lines[2 * WIDE_STRIDE + c]
        h_push, z_push = lines[3 * WIDE_STRIDE + c], lines[4 * WIDE_STRIDE + c]
        sum_push = lines[5 * WIDE_STRIDE + c]
        h, k = row[c], next_row[c]
        z = let_through(scaled(rounded(d0 * v0 + d1 * v1 + d2 * v2), scale), h)
        y = let_through(scaled(rounded(d3 * v0 + d4 * v1 + d5 * v2), scale), k)
        hs, ks = snapped(h, h_push), snapped(k, h_push)
        zs, ys = snapped(z, z_push), snapped(y, z_push)
        sums[c] += hs * e0 + ks * e3
        sums[WIDE_STRIDE + c] += hs * e1 + ks * e4
        sums[2 * WIDE_STRIDE + c] += hs * e2 + ks * e5
        sums[3 * WIDE_STRIDE + c] += zs * x0 + ys * x2
        sums[4 * WIDE_STRIDE + c] += zs * x1 + ys * x3
        sums[5 * WIDE_STRIDE + c] += snapped_pair(z, y, sum_push)


@kernel
def padded(a, push, by_row, width):
    """Return a matrix on its grids, row by row, filled up with zeros to a width and even height."""
    n, m = a.shape
    result = np.zeros((n + 1) // 2 * 2 * width)
    for i in range(n):
        for j in range(m):
            result[i * width + j] = snapped(a[i, j], push[i] if by_row else push[j])
    return result


@entry
def hidden_backward(x, h, scale, v, d, dw, db, dv, dc):
    """Fill in the gradients of weights and biases; return whether no number was out of range."""
    (n, k), (m, j) = x.shape, v.shape
    x_push, v_push, d_rows, d_columns = scratch(k), scratch(m), scratch(n), scratch(j)
    finite = pushers_of_columns(x, room_for(n, 2), x_push)
    pushers_of_rows(v, room_for(j, 2), v_push)
    pushers_of_rows(d, room_for(j, 2), d_rows)
    pushers_of_columns(d, room_for(n, 2), d_columns)
    totals_of_columns(d, dc)
    if not (finite and stays_finite(d, v, j, dc[:0], scale)):
        return False
    by_row, by_column = padded(d, d_rows, True, 3), padded(d, d_columns, False, 3)
    inputs = padded(x, x_push, False, 2)
    lines, sums = scratch(6 * WIDE_STRIDE), scratch(6 * WIDE_STRIDE)
    largest = np.zeros(2 * WIDE_STRIDE, np.int32)
    lines[:], sums[:] = 0.0, 0.0
    for i in range(m):
        for o in range(j):
            lines[o * WIDE_STRIDE + i] = snapped(v[i, o], v_push[i])
    for i in range(n):
        d0, d1, d2 = by_row[3 * i], by_row[3 * i + 1], by_row[3 * i + 2]
        largest_hidden(d0, d1, d2, lines, scale, h[i], largest)
    for i in range(m):
        finite &= largest[i] < INFINITE
        lines[3 * WIDE_STRIDE + i] = pusher(largest[i], room_for(n, 2))
        lines[4 * WIDE_STRIDE + i] = pusher(largest[WIDE_STRIDE + i], room_for(n, 2))
        lines[5 * WIDE_STRIDE + i] = pusher(largest[WIDE_STRIDE + i], room_for(n, 1))
    nothing = np.zeros(m, np.float32)
    for i in range(0, n, 2):
        next_row = h[i + 1] if i + 1 < n else nothing
        d_row, d_column, x_row = by_row[3 * i :], by_column[3 * i :], inputs[2 * i :]
        add_hidden(d_row, d_column, x_row, lines, scale, h[i], next_row, sums)
    for i in range(m):
        for o in range(j):
            dv[i, o] = rounded(sums[o * WIDE_STRIDE + i])
        for o in range(k):
            dw[o, i] = rounded(sums[(3 + o) * WIDE_STRIDE + i])
        db[i] = rounded(sums[5 * WIDE_STRIDE + i])
    return finite


# --- Functions ------------------------------------------------------------------------------------

# The constants of `functions`, which says what they are; a test compares them.
EXP_SERIES = tuple(1 / factorial(n) for n in range(14))
LOG_SERIES = tuple(2 / (2 * n + 1) for n in range(1, 11))
LN2_HIGH, LN2_LOW = 0.6931471805592082, 7.371002565167799e-13
PER_LN2 = 1 / LN2_HIGH
HALF_ROOT = 0.7071067811865476

WHOLE = 1.5 * 2.0**52  # added to a float64, it leaves the nearest whole number in the last bits


@formula
def exp_of(x):
    """Return e**x for one float32; see `functions.exp`. Without a branch, so that it vectorises."""
    x = np.float64(x)
    x = -105.0 if x < -105.0 else x
    x = 90.0 if x > 90.0 else x
    pushed = x * PER_LN2 + WHOLE
    k = pushed - WHOLE
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    s = r * EXP_SERIES[13] + EXP_SERIES[12]
    s = s * r + EXP_SERIES[11]
    s = s * r + EXP_SERIES[10]
    s = s * r + EXP_SERIES[9]
    s = s * r + EXP_SERIES[8]
    s = s * r + EXP_SERIES[7]
    s = s * r + EXP_SERIES[6]
    s = s * r + EXP_SERIES[5]
    s = s * r + EXP_SERIES[4]
    s = s * r + EXP_SERIES[3]
    s = s * r + EXP_SERIES[2]
    s = s * r + EXP_SERIES[1]
    s = s * r + EXP_SERIES[0]
    exponent = (np.float64(pushed).view(np.int64) + 1023) << 52
    return np.float32(s * np.int64(exponent).view(np.float64))  # times 2**k


@entry
def exps(x, out):
    for i in range(x.size):
        out[i] = exp_of(x[i])


@formula
def log_of(x):
    """Return the logarithm of one float32; see `functions.log`."""
    bits = np.float64(x).view(np.int64)
    k = (bits >> 52) - 1022
    m = np.int64((bits & ((1 << 52) - 1)) | (1022 << 52)).view(np.float64)
    below = m < HALF_ROOT
    f = (2.0 * m if below else m) - 1.0
    k = np.float64(k - 1 if below else k)
    s = f / (2.0 + f)
    z, half = s * s, 0.5 * f * f
    p = z * LOG_SERIES[9] + LOG_SERIES[8]
    p = p * z + LOG_SERIES[7]
    p = p * z + LOG_SERIES[6]
    p = p * z + LOG_SERIES[5]
    p = p * z + LOG_SERIES[4]
    p = p * z + LOG_SERIES[3]
    p = p * z + LOG_SERIES[2]
    p = p * z + LOG_SERIES[1]
    p = p * z + LOG_SERIES[0]
    large, small = k * LN2_HIGH + f, s * (half + z * p) + k * LN2_LOW - half
    result = large + small
    # `round_sum`: what the sum lost moves it off the midpoint of two float32 numbers. The patterns
    # of floats of one sign are ordered like the floats.
    lost = small - (result - large)
    pattern = np.float64(result).view(np.int64)
    outwards = (lost > 0.0) == (result > 0.0)
    step = (1 if outwards else -1) if lost != 0.0 else 0
    pattern += step if pattern & ((1 << 29) - 1) == 1 << 28 else 0
    result = np.int64(pattern).view(np.float64)
    result = result if x < np.inf else np.float64(x)  # infinity or NaN
    result = result if x >= 0.0 else np.nan
    return np.float32(result if x != 0.0 else -np.inf)


@entry
def logs(x, out):
    for i in range(x.size):
        out[i] = log_of(x[i])


@entry
def softmaxes(z, out):
    """Fill in the softmax of each row; return whether all of them are finite."""
    n, k = z.shape
    for i in range(n):
        largest = z[i, 0]
        for j in range(1, k):
            largest = max(largest, z[i, j])
        for j in range(k):
            out[i, j] = z[i, j] - largest
    flat = out.reshape(out.size)
    for i in range(flat.size):
        flat[i] = exp_of(flat[i])
    keep = room_for(k, 1)
    finite = True
    for i in range(n):
        top = np.int32(0)
        for j in range(k):
            top = max(top, magnitude(out[i, j]))
        finite &= top < INFINITE
        push = pusher(top, keep)
        exact = 0.0
        for j in range(k):
            exact += snapped(out[i, j], push)
        whole = rounded(exact)
        for j in range(k):
            out[i, j] = out[i, j] / whole
    return finite


@entry
def cross_entropies(predictions, targets, out):
    """Fill in the loss of each row; return whether all of them are finite."""
    n, k = predictions.shape
    terms, keep, largest = np.empty((n, k), np.float32), room_for(k, 1), np.int32(0)
    p, t, flat = predictions.reshape(n * k), targets.reshape(n * k), terms.reshape(n * k)
    for i in range(flat.size):
        term = t[i] * log_of(p[i])
        flat[i] = term if t[i] != 0 else np.float32(0)
    for i in range(n):
        top = np.int32(0)
        for j in range(k):
            top = max(top, magnitude(terms[i, j]))
        largest = max(largest, top)
        push, exact = pusher(top, keep), 0.0
        for j in range(k):
            exact += snapped(terms[i, j], push)
        out[i] = -rounded(exact)
    return largest < INFINITE


# --- Element by element ---------------------------------------------------------------------------


@entry
def finites(a):
    return largest_of(a) < INFINITE


@entry
def relus(z, out):
    for i in range(z.size):
        out[i] = z[i] if z[i] > 0 else np.float32(0)


@entry
def relu_gradients(dvalues, z, out):
    for i in range(z.size):
        out[i] = dvalues[i] * np.float32(z[i] > 0)


@kernel
def largest_at_rest(keep, correction, down):
    """Return the bits of the largest momentum that stays as it is and moves nothing.

    Without a gradient a momentum decays, until rounding holds it at a few times the smallest
    number there is. There most processors compute some ten times slower, and neurons that are
    dead for good never leave.
    """
    bits = np.int32(0)
    while bits < 8:
        m = np.int32(bits + 1).view(np.float32)
        if keep * m != m or down * (m / correction) != 0:
            break
        bits += 1
    return bits


@entry
def adam_steps(gradient, momentum, cache, beta_1, beta_2, correction_1, correction_2, rate, epsilon, out):
    keep_1, take_1 = np.float32(beta_1), np.float32(1.0 - beta_1)
    keep_2, take_2 = np.float32(beta_2), np.float32(1.0 - beta_2)
    correction_1, correction_2 = np.float32(correction_1), np.float32(correction_2)
    down, epsilon = np.float32(-rate), np.float32(epsilon)
    resting = largest_at_rest(keep_1, correction_1, down)
    for i in range(gradient.size):
        g, bits = gradient[i], np.float32(momentum[i]).view(np.int32)
        size = bits & MAGNITUDE
        aside = bits if (g == 0) & (0 < size) & (size <= resting) else np.int32(0)
        m = keep_1 * np.int32(bits ^ aside).view(np.float32) + take_1 * g
        c = keep_2 * cache[i] + take_2 * (g * g)
        step = down * (m / correction_1) / (np.sqrt(c / correction_2) + epsilon)
        momentum[i] = np.int32(np.float32(m).view(np.int32) | aside).view(np.float32)
        cache[i] = c
        out[i] = np.int32(np.float32(step).view(np.int32) ^ (aside & SIGN)).view(np.float32)


# --- What is called from outside ------------------------------------------------------------------


def matmul(a, b):
    """Twin of `reference.matmul`."""
    n, k = a.shape
    m = b.shape[1]
    if not (n and k and m):
        return reference.matmul(a, b)
    a_turned, b_turned = not a.flags.carray, not b.flags.carray
    if a_turned:
        a = a.T
        if not a.flags.carray:
            a, a_turned = a.T.copy(), False
    if b_turned:
        b = b.T
        if not b.flags.carray:
            b, b_turned = b.T.copy(), False
    out = np.empty((n, m), FLOAT32)
    if not product(a, a_turned, b, b_turned, np.full(m, NO_BIAS), out):
        raise reference.NotFinite(NOT_FINITE)
    return out


def affine(a, b, biases):
    """Return ``matmul(a, b) + biases``, with biases of shape (1, m); two roundings, like there."""
    if not (a.size and b.size):
        return reference.matmul(a, b) + biases
    out = np.empty((a.shape[0], b.shape[1]), FLOAT32)
    if not product(straight(a), False, straight(b), False, flat(biases), out):
        raise reference.NotFinite(NOT_FINITE)
    return out


def straight(a):
    """Return an array whose numbers stand in a row, ready for a kernel: itself if possible."""
    return a if a.flags.carray else np.array(a, order="C")


NOTHING_KEPT = np.empty((0, 0), bool)
NOT_FINITE = "a sum must be of finite numbers, got NaN or infinity"


def total(a, axis=None, keepdims=False):
    """Twin of `reference.total`."""
    if a.ndim not in (1, 2) or a.size == 0 or not a.flags.carray:
        return reference.total(a, axis, keepdims)
    if a.ndim == 2 and (axis == 0 or axis == -2):
        out = np.empty(a.shape[1], FLOAT32)
        if not totals_of_columns(a, out):
            raise reference.NotFinite(NOT_FINITE)
        return out[np.newaxis] if keepdims else out
    if a.ndim == 2 and (axis == 1 or axis == -1):
        out = np.empty(a.shape[0], FLOAT32)
        if not totals_of_rows(a, out):
            raise reference.NotFinite(NOT_FINITE)
        return out[:, np.newaxis] if keepdims else out
    if axis is None or (a.ndim == 1 and (axis == 0 or axis == -1)):
        out = np.empty(1, FLOAT32)
        if not totals_of_rows(a.reshape(1, a.size), out):
            raise reference.NotFinite(NOT_FINITE)
        return out.reshape((1,) * a.ndim) if keepdims else out[0]
    return reference.total(a, axis, keepdims)


def flat(a):
    """Return what `straight` does, in one dimension."""
    return straight(a).ravel()


def exp(x):
    """Twin of `functions.exp`."""
    if x.ndim == 0:
        return functions.exp(x)
    out = np.empty(x.size, FLOAT32)
    exps(flat(x), out)
    return out.reshape(x.shape)


def log(x):
    """Twin of `functions.log`."""
    if x.ndim == 0:
        return functions.log(x)
    out = np.empty(x.size, FLOAT32)
    logs(flat(x), out)
    return out.reshape(x.shape)


def softmax(z):
    """Return ``powers / total(powers, axis=1)`` with ``powers = exp(z - z.max(axis=1))``."""
    out = np.empty(z.shape, FLOAT32)
    if z.size == 0:
        z.max(axis=1)  # refuses rows of no length
        return out
    if not softmaxes(z if z.flags.carray else z.copy(), out):
        raise reference.NotFinite(NOT_FINITE)
    return out


def all_finite(a):
    """Return ``np.isfinite(a).all()``."""
    if a.flags.farray:
        a = a.T
    return finites(flat(a))


def dense(layer, inputs):
    """Twin of `Dense.function`."""
    return affine(inputs, layer.weights, layer.biases)


def dense_gradients(layer, dvalues):
    """Twin of `Dense.gradients`."""
    inputs, weights = as_float(layer.inputs), as_float(layer.weights)
    (n, m), k = dvalues.shape, len(weights)
    fit = inputs.shape == (n, k) and weights.shape == (k, m)
    if not (n and fit and 1 <= min(k, m) <= FEW):
        return type(layer).gradients(layer, dvalues)
    dweights, dbiases, dinputs = (np.empty(shape, FLOAT32) for shape in ((k, m), (1, m), (n, k)))
    x, w, d = straight(inputs), straight(weights), straight(dvalues)
    if not narrow_gradients(x, w, d, dweights, dbiases.ravel(), dinputs):
        raise reference.NotFinite(NOT_FINITE)
    return layer.with_penalties(dweights, dbiases) | {"dinputs": dinputs}


def forget(name, *layers):
    """Take from layers what belongs to an earlier batch: better nothing."""
    for layer in layers:
        layer.__dict__.pop(name, None)


def is_narrow(first, last, rows):
    """Tell whether the kernels for a hidden layer can do a batch of so many samples."""
    (k, m), j = first.weights.shape, last.weights.shape[1]
    return rows and len(last.weights) == m and 1 <= k <= 2 and 1 <= m <= WIDE and 1 <= j <= 3


def hidden_forward_pass(layers, inputs):
    """Twin of `passes.through` for Dense, ReLU and Dense, or None if they are not for it."""
    first, *between, last = layers
    inputs = first.check(inputs)
    if inputs.dtype != FLOAT32 or not is_narrow(first, last, len(inputs)):
        return None
    x, kept, scale = straight(inputs), NOTHING_KEPT, np.float32(1)
    (n, m), j = (len(x), first.weights.shape[1]), last.weights.shape[1]
    h, out = np.empty((n, m), FLOAT32), np.empty((n, j), FLOAT32)
    last.check(h)
    w, b, v, c = (straight(a) for a in (first.weights, first.biases, last.weights, last.biases))
    dropped = len(between) == 2 and between[1].rate
    if dropped:
        scale = between[1].scale(FLOAT32.type)
    if not (stays_finite(x, w, w.shape[0], b.ravel(), scale) and finites(v.ravel())):
        return None
    if dropped:  # not before it is clear that the mask is needed here
        kept = between[1].drawn = between[1].kept((n, m))
    hidden_forward(x, w, b.ravel(), kept, scale, v, c.ravel(), h, out)
    forget("output", first, *between)
    first.inputs, last.inputs, last.output = inputs, h, out
    return out


def backward_pass(layers, dvalues):
    """Twin of `passes.back_through`: true, or None if the layers are not for it.

    They begin with a Dense. The gradient at its inputs, which moves nothing, is left out.
    """
    first, *others = layers
    if others:
        passed = hidden_backward_pass(layers, dvalues)
        if passed or not hasattr(first, "output"):
            return passed
    for layer in reversed(others):
        layer.backward(dvalues)
        dvalues = layer.dinputs
    return dense_backward_pass(first, dvalues)


def dense_backward_pass(layer, dvalues):
    """Let a Dense keep the gradients of its weights and biases: true, or None."""
    d, x = layer.check_gradient(dvalues), as_float(layer.inputs)
    if d.dtype != FLOAT32 or x.shape != (len(d), len(layer.weights)):
        return None
    try:
        gradients = layer.with_penalties(matmul(x.T, d), total(d, axis=0, keepdims=True))
    except reference.NotFinite:
        return None
    forget("dinputs", layer)
    layer.__dict__.update(gradients)
    return True


def hidden_backward_pass(layers, dvalues):
    """Let the two Dense of a hidden layer keep theirs, if it is narrow enough: true, or None."""
    first, *between, last = layers
    d = last.check_gradient(dvalues)
    x, h, w, v = first.inputs, last.inputs, first.weights, last.weights
    fit = x.shape == (len(d), len(w)) and h.shape == (len(d), len(v)) and d.shape[1] == v.shape[1]
    if not fit or not x.dtype == h.dtype == d.dtype == FLOAT32 or not is_narrow(first, last, len(d)):
        return None
    scale = between[1].scale(FLOAT32.type) if len(between) == 2 else np.float32(1)
    shapes = w.shape, (1, w.shape[1]), v.shape, (1, v.shape[1])
    dw, db, dv, dc = (np.empty(shape, FLOAT32) for shape in shapes)
    x, h, v, d = map(straight, (x, h, v, d))
    if not hidden_backward(x, h, scale, v, d, dw, db.ravel(), dv, dc.ravel()):
        return None
    forget("dinputs", *layers)
    first.__dict__.update(first.with_penalties(dw, db))
    last.__dict__.update(last.with_penalties(dv, dc))
    return True


def relu(activation, z):
    """Twin of `ReLU.function`."""
    out = np.empty(z.shape, FLOAT32)
    relus(flat(z), out.ravel())
    return out


def relu_chain(activation, dvalues, inputs, output):
    """Twin of `ReLU.chain`."""
    out = np.empty(inputs.shape, FLOAT32)
    relu_gradients(flat(dvalues), flat(inputs), out.ravel())
    return out


def softmax_function(activation, z):
    """Twin of `Softmax.function`."""
    return softmax(z)


def categorical_losses(loss, predictions, targets):
    """Twin of `CategoricalCrossentropy.sample_losses`."""
    p, t = straight(predictions), straight(targets)
    if not p.dtype == t.dtype == FLOAT32 or p.ndim != 2 or p.shape != t.shape or p.size == 0:
        return type(loss).sample_losses(loss, predictions, targets)
    out = np.empty(len(p), FLOAT32)
    if not cross_entropies(p, t, out):
        raise reference.NotFinite(NOT_FINITE)
    return out


def adam(optimizer, gradient, memory):
    """Twin of `Adam.step`."""
    t = optimizer.iterations + 1
    return adam_step(
        gradient, memory.momentum, memory.cache, optimizer.beta_1, optimizer.beta_2,
        1 - functions.power(optimizer.beta_1, t), 1 - functions.power(optimizer.beta_2, t),
        optimizer.current_learning_rate, optimizer.epsilon,
    )


def adam_step(
    gradient, momentum, cache, beta_1, beta_2, correction_1, correction_2, learning_rate, epsilon
):
    """Update momentum and cache in place and return the step, all float32, factors rounded to it.

    In NumPy::

        momentum[...] = beta_1 * momentum + (1 - beta_1) * gradient
        cache[...] = beta_2 * cache + (1 - beta_2) * gradient**2
        -learning_rate * (momentum / correction_1) / (np.sqrt(cache / correction_2) + epsilon)
    """
    out = np.empty(gradient.shape, FLOAT32)
    m, c = flat(momentum), flat(cache)
    adam_steps(
        flat(gradient), m, c, float(beta_1), float(beta_2), float(correction_1),
        float(correction_2), float(learning_rate), float(epsilon), out.ravel(),
    )
    for given, updated in (momentum, m), (cache, c):
        if not given.flags.carray:
            given[...] = updated.reshape(given.shape)
    return out


# --- Compiling ------------------------------------------------------------------------------------


class Announcement(event.Listener):
    """Says, once, that the first compilation begins; what comes from the cache needs none."""

    said = False

    def on_start(self, event):
        ours = event.data["dispatcher"].py_func.__module__ == __name__
        if ours and not self.said:
            self.said = True
            print("nnfs_book: compiling its arithmetic, once (about 15 s)", file=sys.stderr)

    def on_end(self, event):
        pass


event.register("numba:compile", Announcement())


def warm_up():
    """Compile all twins, or load them from Numba's cache."""
    a = np.ones((2, 2), FLOAT32)
    affine(a, a, a[:1])
    narrow_gradients(a, a, a, a.copy(), a[0].copy(), a.copy())
    for kept in NOTHING_KEPT, a > 0:
        hidden_forward(a, a, a[0], kept, a[0, 0], a, a[0], a.copy(), a.copy())
    stays_finite(a, a, 2, a[0], a[0, 0])
    hidden_backward(a, a, a[0, 0], a, a, a.copy(), a[0].copy(), a.copy(), a[0].copy())
    total(a, axis=0)
    total(a, axis=1)
    exp(a)
    log(a)
    softmax(a)
    categorical_losses(None, a, a)
    all_finite(a)
    relu(None, a)
    relu_chain(None, a, a, a)
    adam_step(a, a.copy(), a.copy(), 0.9, 0.999, 1, 1, 0.1, 1e-7)
