"""Sums without an order: exact, the same in any company, and who computes them."""

import os
import subprocess
import sys
from contextlib import nullcontext
from fractions import Fraction
from math import ceil, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mpmath import mp

from nnfs_book.arithmetic import (
    all_finite,
    as_float,
    backend,
    cos,
    exp,
    fast,
    has_twin,
    is_native,
    log,
    matmul,
    native,
    operand_bits,
    power,
    reference,
    sin,
    snap,
    total,
    twins,
)

# Any finite float32: subnormals, zeros of both signs and the largest numbers included.
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
# Numbers of like size, where the last bits of a sum do depend on its order.
ordinary = st.floats(-8, 8, width=32)


def bits(a):
    """Return the bit patterns of a float32 array, so that -0 differs from 0."""
    assert a.dtype == np.float32
    return np.atleast_1d(a).view(np.uint32)


def same_bits(a, b):
    """Demand two equal float32 arrays, signs of zeros included."""
    assert a.shape == b.shape and (bits(a) == bits(b)).all()


def matrices(elements, terms):
    """Return a strategy for a pair of matrices that share a contraction axis of length `terms`."""

    def pair(sizes):
        n, k, m = sizes
        return st.tuples(
            arrays(np.float32, (n, k), elements=elements),
            arrays(np.float32, (k, m), elements=elements),
        )

    return st.tuples(st.integers(1, 5), terms, st.integers(1, 5)).flatmap(pair)


def layouts(a):
    """Yield the same matrix in other memory layouts."""
    yield np.asfortranarray(a)
    yield np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3]
    yield a[::-1, ::-1].copy()[::-1, ::-1]


def nearest_float32(exact):
    """Return the float32 nearest to a Fraction that a float64 holds exactly."""
    assert Fraction(float(exact)) == exact
    with np.errstate(over="ignore", under="ignore"):
        return np.float64(float(exact)).astype(np.float32)


def snapped_exactly(a, keep):
    """Round numbers that share a grid as `snap` does, with whole-number arithmetic only."""
    a = [Fraction(float(x)) for x in np.ravel(a)]
    largest = max(map(abs, a), default=Fraction(0))
    if largest == 0:
        return a
    e = 0
    while largest >= Fraction(2) ** e:
        e += 1
    while largest < Fraction(2) ** (e - 1):
        e -= 1
    unit = Fraction(2) ** (e - keep)
    return [round(x / unit) * unit for x in a]  # round: ties to even


# --- No order, no layout, no company --------------------------------------------------------------


def test_sums_do_depend_on_the_order_without_this_module():
    a = np.random.RandomState(0).standard_normal((4, 100)).astype(np.float32)
    forwards, backwards = (np.cumsum(x, axis=1, dtype=np.float32)[:, -1] for x in (a, a[:, ::-1]))
    assert (forwards != backwards).any()


@pytest.mark.parametrize("elements", [numbers, ordinary], ids=["any size", "like size"])
@given(data=st.data())
def test_matmul_has_no_order(elements, data):
    a, b = data.draw(matrices(elements, terms=st.integers(1, 40)))
    order = data.draw(st.permutations(range(a.shape[1])))
    same_bits(matmul(a[:, order], b[order]), matmul(a, b))


@given(pair=matrices(numbers, terms=st.integers(1, 40)))
def test_matmul_has_no_memory_layout(pair):
    a, b = pair
    for a_layout, b_layout in zip(layouts(a), layouts(b), strict=True):
        same_bits(matmul(a_layout, b_layout), matmul(a, b))


@pytest.mark.parametrize("terms", [5, 100, 512, 3000])
def test_long_matmul_has_no_order(terms):
    random = np.random.RandomState(terms)
    a = random.standard_normal((30, terms)).astype(np.float32)
    b = random.standard_normal((terms, 20)).astype(np.float32)
    for _ in range(5):
        order = random.permutation(terms)
        same_bits(matmul(a[:, order], b[order]), matmul(a, b))


@given(pair=matrices(numbers, terms=st.integers(1, 40)))
def test_the_product_of_the_transposed_is_the_transposed_product(pair):
    a, b = pair
    same_bits(matmul(b.T, a.T).T, matmul(a, b))


@given(data=st.data())
def test_a_row_and_a_column_have_the_same_product_alone_and_in_company(data):
    a, b = data.draw(matrices(numbers, terms=st.integers(1, 40)))
    rows = data.draw(st.lists(st.integers(0, len(a) - 1), min_size=1, max_size=9))
    columns = data.draw(st.lists(st.integers(0, b.shape[1] - 1), min_size=1, max_size=9))
    whole = matmul(a, b)
    same_bits(matmul(a[rows], b[:, columns]), whole[rows][:, columns])


@given(data=st.data())
def test_total_has_no_order_and_no_company(data):
    shape = st.tuples(st.integers(1, 30), st.integers(1, 5))
    a = data.draw(arrays(np.float32, shape, elements=numbers))
    order = data.draw(st.permutations(range(len(a))))
    columns = total(a, axis=0)
    same_bits(total(a[order], axis=0), columns)
    same_bits(total(a[:, :1], axis=0), columns[:1])
    assert bits(total(a)) == bits(total(a[order]))
    for layout in layouts(a):
        same_bits(total(layout, axis=0), columns)
        same_bits(total(layout.T, axis=1), columns)


# --- Exact, and rounded once ----------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, 1])
@given(data=st.data())
def test_snap_rounds_to_a_grid_for_each_sum(axis, data):
    shape = st.tuples(st.integers(1, 6), st.integers(1, 6))
    a = data.draw(arrays(np.float32, shape, elements=numbers))
    keep = data.draw(st.integers(1, 51))
    found = snap(a, keep, axis)
    assert found.dtype == np.float64 and found.shape == a.shape
    lines = {None: [(found, a)], 0: zip(found.T, a.T), 1: zip(found, a)}[axis]
    for line, of_a in lines:
        assert list(map(Fraction, line.ravel().tolist())) == snapped_exactly(of_a, keep)


@settings(max_examples=50)
@given(pair=matrices(numbers, terms=st.integers(1, 20)))
def test_matmul_is_the_exact_sum_rounded_once(pair):
    a, b = pair
    keep = operand_bits(a.shape[1], operands=2)
    left = [snapped_exactly(row, keep) for row in a]
    right = [snapped_exactly(column, keep) for column in b.T]
    wanted = [
        [nearest_float32(sum(map(Fraction.__mul__, row, column))) for column in right]
        for row in left
    ]
    assert (matmul(a, b) == np.array(wanted)).all()


@given(pair=matrices(ordinary, terms=st.integers(1, 32)))
def test_up_to_32_terms_of_like_size_nothing_is_snapped_away(pair):
    a, b = (np.round(x * 1024) / 1024 for x in pair)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    assert (matmul(a, b) == exact.astype(np.float32)).all()


@settings(max_examples=50)
@given(a=arrays(np.float32, st.integers(1, 40), elements=numbers))
def test_total_is_the_exact_sum_rounded_once(a):
    keep = operand_bits(len(a), operands=1)
    assert total(a) == nearest_float32(sum(snapped_exactly(a, keep), Fraction(0)))


def test_the_grid_of_a_total_is_for_as_many_terms_as_it_has():
    """And not for as many as there are along the other axis: of 40 terms, the small one is lost."""
    a = np.zeros((40, 2), np.float32)
    a[:3] = [[1], [-1], [2.0**-49]]
    for few, many in ((total(a[:3], axis=0), total(a, axis=0)), (total(a[:3].T, 1), total(a.T, 1))):
        assert few.tolist() == [2.0**-49] * 2 and many.tolist() == [0] * 2


def test_operand_bits_fill_53_and_no_more():
    for operands, most in ((1, 51), (2, 24)):
        for terms in range(1, 5000):
            keep, room = operand_bits(terms, operands), 53 - ceil(log2(terms))
            assert operands * keep <= room
            assert keep == most or operands * (keep + 1) > room


@pytest.mark.parametrize("terms", [5, 64, 512, 1000, 2048, 3000])
@pytest.mark.parametrize("spread", [0, 3])
def test_rows_and_columns_of_any_scale_keep_their_accuracy(terms, spread):
    """Each entry is within a bound of its own row and column, whatever the others are."""
    random = np.random.RandomState(terms + spread)
    a = random.standard_normal((50, terms)) * 10.0 ** random.uniform(-spread, spread, (50, 1))
    b = random.standard_normal((terms, 40)) * 10.0 ** random.uniform(-spread, spread, (1, 40))
    a, b = a.astype(np.float32), b.astype(np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    error = abs(matmul(a, b) - exact)
    # a unit in the last place, and half a unit of either grid for each term
    unit = 2.0 ** -operand_bits(terms, operands=2)
    of_grid = terms * 2 * unit * abs(a).max(axis=1, keepdims=True) * abs(b).max(axis=0)
    assert (error <= 2.0**-24 * abs(exact) + of_grid).all()
    if terms <= 64:  # as float32 does, relative to the lengths of the two
        lengths = np.linalg.norm(a, axis=1, keepdims=True) * np.linalg.norm(b, axis=0)
        assert (error <= 3e-7 * lengths).all()


def test_a_total_keeps_small_terms_beside_large_ones():
    assert total([[1e8, 0.1], [1e8, 0.1]], axis=0).tolist() == pytest.approx([2e8, 0.2])


# --- Shapes, zeros and ends -----------------------------------------------------------------------


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2])
def test_total_along_any_axis(axis, keepdims):
    for shape in ((2, 3, 4), (3, 4), (4,), (0, 4), (4, 0)):
        if axis is None or -len(shape) <= axis < len(shape):
            a = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
            found, wanted = total(a, axis, keepdims), a.sum(axis=axis, keepdims=keepdims)
            assert found.shape == wanted.shape and found.dtype == np.float32
            assert (found == wanted).all()


def test_a_zero_product_has_no_sign():
    same_bits(matmul(np.full((2, 8), -1), np.zeros((8, 2))), np.zeros((2, 2), np.float32))
    same_bits(matmul([[-0.0, 1.0]], [[1.0], [-0.0]]), np.zeros((1, 1), np.float32))


def test_empty_operands():
    assert matmul(np.ones((0, 9)), np.ones((9, 2))).shape == (0, 2)
    assert matmul(np.ones((3, 0)), np.ones((0, 2))).tolist() == [[0, 0]] * 3
    assert total(np.ones(0)) == 0
    assert all_finite(np.ones((0, 3)))


@pytest.mark.filterwarnings("error")
def test_results_too_large_or_small_are_rounded_without_a_warning():
    assert matmul(np.full((1, 8), 3e38), np.full((8, 1), 3e38)).item() == np.inf
    assert matmul(np.full((1, 8), -3e38), np.full((8, 1), 3e38)).item() == -np.inf
    assert matmul(np.full((1, 8), 1e-30), np.full((8, 1), 1e-30)).item() == 0
    assert matmul([[2.0**-100]], [[2.0**-49]]).item() == 2.0**-149  # the smallest there is
    assert total(np.full(8, 3e38)) == np.inf
    assert total(np.full(3, 2.0**-149)) == 3 * 2.0**-149
    assert matmul([[3e38, 3e38]], [[3e38], [-3e38]]).item() == 0


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("terms", [2, 8, 200])
def test_what_is_not_finite_is_refused(bad, terms):
    a, b = np.ones((3, terms), np.float32), np.ones((terms, 2), np.float32)
    a[1, 1] = bad
    for call in (
        lambda: matmul(a, b),
        lambda: matmul(b.T, a.T),
        lambda: total(a),
        lambda: total(a, axis=0),
        lambda: total(a, axis=1),
        lambda: snap(a, 5),
        lambda: snap(a, 5, axis=0),
    ):
        with pytest.raises(
            ValueError, match="a sum must be of finite numbers, got NaN or infinity"
        ):
            call()
    assert not all_finite(a) and all_finite(b)


@pytest.mark.parametrize("arithmetic", [native, nullcontext])
@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,)), ((), ())])
def test_matmul_refuses_shapes_that_do_not_fit(shapes, arithmetic):
    wanted = r"matmul wants shapes \(n, k\) and \(k, m\), got \("
    with arithmetic(), pytest.raises(ValueError, match=wanted):
        matmul(np.ones(shapes[0]), np.ones(shapes[1]))


@pytest.mark.parametrize("keep", [0, 52])
def test_snap_refuses_bits_out_of_range(keep):
    with pytest.raises(ValueError, match=f"bits must be from 1 to 51, got {keep}"):
        snap([1.0], keep)


# --- Plain NumPy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_native_is_plain_numpy_in_the_type_that_comes_in(dtype):
    a, b = np.random.RandomState(0).standard_normal((2, 6, 6)).astype(dtype)
    with native():
        assert is_native()
        for found, wanted in (
            (matmul(a, b), a @ b),
            (total(a, axis=1), a.sum(axis=1)),
            (exp(a), np.exp(a)),
            (log(abs(a)), np.log(abs(a))),
        ):
            assert (found == wanted).all() and found.dtype == wanted.dtype
        assert as_float(a) is a and as_float([1, 2]).dtype == np.float64
    assert not is_native()


def test_outside_native_all_is_float32_and_nothing_is_complex():
    a = np.random.RandomState(0).standard_normal((6, 6))
    results = [matmul(a, a), total(a), exp(a), log(abs(a))]
    assert {r.dtype for r in results} == {np.dtype(np.float32)}


def test_a_native_product_in_float32_is_that_in_float64_rounded_once():
    a, b = np.random.RandomState(0).standard_normal((2, 60, 60)).astype(np.float32)
    wanted = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.float32)
    with native():
        same_bits(matmul(a, b), wanted)
        assert matmul(a, b.astype(np.float64)).dtype == np.float64
    with native(float32_products=True):
        same_bits(matmul(a, b.astype(np.float64)), wanted)


def test_native_ends_after_an_error():
    with pytest.raises(ZeroDivisionError), native():
        raise ZeroDivisionError
    assert total(np.ones(3, np.float64)).dtype == np.float32


# --- Who computes ---------------------------------------------------------------------------------


def ask(variable, program="", without_numba=False):
    """Return what a fresh Python says who computes, or how it fails."""
    hidden = (
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *rest: None if name == 'numba' else find(name, *rest); "
    )
    program = (
        hidden * without_numba
        + "from nnfs_book.arithmetic import backend; print(backend());"
        + program
    )
    environment = {k: v for k, v in os.environ.items() if k != "NNFS_BOOK_BACKEND"}
    if variable is not None:
        environment["NNFS_BOOK_BACKEND"] = variable
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return run.stdout.strip() or run.stderr.strip().splitlines()[-1]


def test_the_environment_chooses_who_computes():
    assert ask("reference") == "reference"
    assert ask("reference", without_numba=True) == "reference"
    for variable in (None, ""):
        assert ask(variable, without_numba=True) == "reference"
    wrong = "ValueError: NNFS_BOOK_BACKEND must be compiled or reference, got 'fast'"
    assert ask("fast") == wrong
    missing = "ImportError: NNFS_BOOK_BACKEND=compiled needs Numba: pip install numba"
    assert ask("compiled", without_numba=True) == missing


def test_numba_computes_where_it_is_installed():
    pytest.importorskip("numba")
    for variable in (None, "", "compiled"):
        assert ask(variable) == "compiled"


def test_the_definitions_need_no_numba():
    program = "import sys; from nnfs_book.network import model; print('numba' in sys.modules)"
    assert ask("reference", program).split() == ["reference", "False"]


def test_a_twin_is_that_of_the_very_function():
    def definition(a):
        return a

    def put_in_its_place(a):
        return a

    assert has_twin(definition, "matmul") is definition and twins()[definition] == "matmul"
    assert fast(put_in_its_place) is put_in_its_place
    if backend() == "compiled":
        assert fast(definition) == fast(reference.matmul) != reference.matmul
    with native():
        assert fast(reference.matmul) is reference.matmul


# --- Other functions that end in the same bits ----------------------------------------------------


@given(x=arrays(np.float64, 20, elements=st.floats(-1000, 1000)))
def test_sin_and_cos(x):
    assert abs(sin(x) - np.sin(x)).max() < 5e-16
    assert abs(cos(x) - np.cos(x)).max() < 5e-16


def test_sin_of_a_million():
    x = np.random.RandomState(0).uniform(-1e6, 1e6, 500)
    with mp.workdps(40):
        for angle, sine in zip(x.tolist(), sin(x).tolist(), strict=True):
            assert abs(mp.sin(angle) - sine) < 3e-16


@given(base=st.floats(0.5, 1), exponent=st.integers(0, 10_001))
def test_power(base, exponent):
    assert power(base, exponent) == pytest.approx(base**exponent, rel=1e-11, abs=1e-300)


def test_a_negative_power_is_refused():
    with pytest.raises(ValueError, match="exponent must be at least 0, got -1"):
        power(0.5, -1)
