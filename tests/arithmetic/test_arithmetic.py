"""The order-free arithmetic: same bits in any order, exact sums, close to float64."""

import threading
from fractions import Fraction
from math import ceil, log2
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mpmath import mp

from nnfs_book import arithmetic
from nnfs_book.arithmetic import (
    affine,
    affine_gradients,
    cos,
    empty,
    in_blocks,
    matmul,
    native,
    operand_bits,
    power,
    sin,
    snap,
    total,
    use_threads,
)

# Any finite float32: subnormals, zeros of both signs and the largest numbers included.
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
# Numbers of like size, where the last bits of a sum do depend on its order.
ordinary = st.floats(-8, 8, width=32)


def bits(a):
    """Return the bit patterns of a float32 array, so that -0 differs from 0."""
    assert a.dtype == np.float32
    return np.atleast_1d(a).view(np.uint32)


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
    """Round to the grid of `snap` with whole-number arithmetic only."""
    largest = max((abs(Fraction(float(x))) for x in a.flat), default=Fraction(0))
    if largest == 0:
        return [Fraction(0)] * a.size
    e = 0
    while largest >= Fraction(2) ** e:
        e += 1
    while largest < Fraction(2) ** (e - 1):
        e -= 1
    unit = Fraction(2) ** (e - keep)
    return [round(Fraction(float(x)) / unit) * unit for x in a.flat]  # round: ties to even


def test_sums_do_depend_on_the_order_without_this_module():
    a = np.random.RandomState(0).standard_normal((4, 100)).astype(np.float32)
    forwards, backwards = (np.cumsum(x, axis=1, dtype=np.float32)[:, -1] for x in (a, a[:, ::-1]))
    assert (forwards != backwards).any()


@pytest.mark.parametrize("elements", [numbers, ordinary], ids=["any size", "like size"])
@given(data=st.data())
def test_matmul_has_no_order(elements, data):
    a, b = data.draw(matrices(elements, terms=st.integers(1, 40)))
    order = data.draw(st.permutations(range(a.shape[1])))
    expected = bits(matmul(a, b))
    assert (bits(matmul(a[:, order], b[order])) == expected).all()


@given(pair=matrices(numbers, terms=st.integers(1, 40)))
def test_matmul_has_no_memory_layout(pair):
    a, b = pair
    expected = bits(matmul(a, b))
    for a_layout, b_layout in zip(layouts(a), layouts(b), strict=True):
        assert (bits(matmul(a_layout, b_layout)) == expected).all()


@pytest.mark.parametrize("terms", [5, 100, 512, 3000])
def test_long_matmul_has_no_order(terms):
    random = np.random.RandomState(terms)
    a = random.standard_normal((30, terms)).astype(np.float32)
    b = random.standard_normal((terms, 20)).astype(np.float32)
    expected = bits(matmul(a, b))
    for _ in range(5):
        order = random.permutation(terms)
        assert (bits(matmul(a[:, order], b[order])) == expected).all()


def test_a_zero_has_no_sign():
    result = matmul(np.full((2, 8), -1), np.zeros((8, 2)))
    assert (bits(result) == 0).all()


@given(data=st.data())
def test_total_has_no_order(data):
    a = data.draw(
        arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=numbers)
    )
    order = data.draw(st.permutations(range(len(a))))
    expected = bits(total(a, axis=0))
    assert (bits(total(a[order], axis=0)) == expected).all()
    assert (bits(total(a)) == bits(total(a[order]))).all()
    for layout in layouts(a):
        assert (bits(total(layout, axis=0)) == expected).all()
        assert (bits(total(layout.T, axis=1)) == expected).all()


@settings(max_examples=50)
@given(pair=matrices(numbers, terms=st.integers(1, 20)))
def test_matmul_is_the_exact_sum_rounded_once(pair):
    a, b = pair
    n, k, m = *a.shape, b.shape[1]
    keep = min(24, (53 - (k - 1).bit_length()) // 2)
    left, right = snapped_exactly(a, keep), snapped_exactly(b, keep)
    result = matmul(a, b)
    for i in range(n):
        for j in range(m):
            exact = sum((left[i * k + t] * right[t * m + j] for t in range(k)), Fraction(0))
            assert result[i, j] == nearest_float32(exact)


@settings(max_examples=50)
@given(a=arrays(np.float32, st.integers(1, 40), elements=numbers))
def test_total_is_the_exact_sum_rounded_once(a):
    keep = min(51, 53 - (len(a) - 1).bit_length())
    assert total(a) == nearest_float32(sum(snapped_exactly(a, keep), Fraction(0)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1])
def test_total_along_any_axis(axis, keepdims):
    for shape in ((2, 3, 4), (3, 4), (4,), (0, 4), (4, 0)):
        if axis is None or axis < len(shape):
            a = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
            found, wanted = total(a, axis, keepdims), a.sum(axis=axis, keepdims=keepdims)
            assert found.shape == wanted.shape
            assert (found == wanted).all()


def test_operand_bits_fill_53_and_no_more():
    for operands, most in ((1, 51), (2, 24)):
        for terms in range(1, 5000):
            keep = operand_bits(terms, operands)
            room = 53 - ceil(log2(terms))
            assert operands * keep <= room
            assert keep == most or operands * (keep + 1) > room


@settings(max_examples=50)
@given(data=st.data())
def test_affine_is_the_exact_sum_rounded_once(data):
    a, b = data.draw(matrices(ordinary, terms=st.sampled_from([1, 2, 7, 20, 32])))
    row = data.draw(arrays(np.float32, (1, b.shape[1]), elements=ordinary))
    _, e = np.frexp(abs(a).max())
    one = 2.0 ** (e - 1)  # on the grid of a, whatever its bits
    ones, scaled = np.full((len(a), 1), one), np.vstack([b, row / one])
    keep = operand_bits(len(scaled), operands=2)
    left = np.hstack([np.reshape(snapped_exactly(a, keep), a.shape), np.vectorize(Fraction)(ones)])
    exact = left @ np.reshape(snapped_exactly(scaled, keep), scaled.shape)
    wanted = [[nearest_float32(x) for x in line] for line in exact]
    assert (affine(a, b, row) == np.array(wanted)).all()


@given(pair=matrices(numbers, terms=st.integers(1, 40)))
def test_gradients_of_affine_are_exact_sums_rounded_once(pair):
    a, b = pair
    product, sums = affine_gradients(a.T, b)
    assert (bits(product) == bits(matmul(a, b))).all()
    keep = operand_bits(len(b), operands=2)
    exact = np.reshape(snapped_exactly(b, keep), b.shape).sum(axis=0)
    assert sums.tolist() == [[nearest_float32(x) for x in exact]]


@pytest.fixture
def threads():
    """Give back one thread, whatever the test has set."""
    yield use_threads
    use_threads(1)


@pytest.mark.parametrize("shapes", [((999, 40), (40, 33)), ((3, 9000), (9000, 200))])
def test_blocks_and_threads_do_not_change_the_bits(shapes, threads, monkeypatch):
    random = np.random.RandomState(0)
    a, b = (random.standard_normal(shape).astype(np.float32) for shape in shapes)
    row = b[:1]
    wanted = [affine(a, b, row), *affine_gradients(a.T, b), *affine_gradients(b, a.T)]
    for block, count in ((2**17, 2), (2**10, 1), (2**10, 2), (2**12, 3)):
        monkeypatch.setattr(arithmetic, "BLOCK", block)
        threads(count)
        found = [affine(a, b, row), *affine_gradients(a.T, b), *affine_gradients(b, a.T)]
        for one, other in zip(wanted, found, strict=True):
            assert (bits(one) == bits(other)).all()


def test_blocks_cover_every_row_once(threads, monkeypatch):
    monkeypatch.setattr(arithmetic, "BLOCK", 10)
    for count in (1, 2, 5):
        threads(count)
        for rows in (0, 1, 9, 10, 11, 100):
            blocks = in_blocks(
                lambda a, b: [(a, b)], *np.arange(2 * rows).reshape(2, -1), combine=add
            )
            assert max(len(a) for a, b in blocks) <= 10
            covered, also = map(np.concatenate, zip(*blocks, strict=True))
            assert sorted(covered) == list(range(rows))
            assert (also == covered + rows).all()


def test_an_error_in_a_thread_is_raised(threads, monkeypatch):
    monkeypatch.setattr(arithmetic, "BLOCK", 10)
    threads(2)
    for place in (2, 95):
        a = np.ones((100, 3), np.float32)
        a[place, 1] = np.nan
        with pytest.raises(ValueError, match="NaN or infinity"):
            matmul(a, np.ones((3, 2)))


@pytest.mark.parametrize("count", [0, 1.5, True, "2"])
def test_use_threads_refuses_what_is_no_count(count):
    with pytest.raises(ValueError, match="count must be a whole number of at least 1"):
        use_threads(count)


@pytest.mark.parametrize("keep", [lambda a: a, lambda a: a[5:, ::2], lambda a: memoryview(a)])
def test_memory_in_use_is_not_handed_out(keep):
    shape = (300, 301)
    kept = keep(empty(shape))
    others = [empty(shape) for _ in range(5)]
    assert not any(np.shares_memory(np.asarray(kept), other) for other in others)


def test_memory_out_of_use_is_handed_out_again():
    shape = (300, 302)
    address = empty(shape).ctypes.data
    assert empty(shape).ctypes.data == address


def test_unused_memory_is_given_back(monkeypatch):
    monkeypatch.setattr(arithmetic, "_kept", threading.local())
    empty((300, 302))
    empty((300, 303))
    assert len(arithmetic._kept.__dict__[(300, 302), np.float32]) == 1
    assert len(arithmetic._kept.__dict__[(300, 303), np.float32]) == 1
    monkeypatch.setattr(arithmetic, "ENOUGH", 0)
    used = empty((300, 304))
    assert arithmetic._kept.__dict__[(300, 303), np.float32] == []
    assert empty((300, 304)) is not used


def test_as_much_unused_memory_is_kept_as_is_in_use(monkeypatch):
    monkeypatch.setattr(arithmetic, "_kept", threading.local())
    monkeypatch.setattr(arithmetic, "ENOUGH", 0)
    used = empty((300, 306))
    address = empty((300, 305)).ctypes.data
    others = [empty((300, 307)) for _ in range(3)]
    assert empty((300, 305)).ctypes.data == address
    assert not any(np.shares_memory(used, other) for other in others)


@pytest.mark.parametrize("terms", [5, 64, 512, 1000, 2048, 3000])
@pytest.mark.parametrize("spread", [0, 3])
def test_matmul_is_close_to_float64(terms, spread):
    random = np.random.RandomState(terms + spread)
    shape_a, shape_b = (50, terms), (terms, 40)
    a = random.standard_normal(shape_a) * 10.0 ** random.uniform(-spread, spread, shape_a)
    b = random.standard_normal(shape_b) * 10.0 ** random.uniform(-spread, spread, shape_b)
    a, b = a.astype(np.float32), b.astype(np.float32)
    reference = a.astype(np.float64) @ b.astype(np.float64)
    scale = terms * float(abs(a).max()) * float(abs(b).max())
    assert abs(matmul(a, b) - reference).max() <= 2.0**-18 * scale


@given(a=arrays(np.float32, st.integers(1, 50), elements=numbers), keep=st.integers(1, 51))
def test_snap_rounds_to_the_grid(a, keep):
    assert [Fraction(x) for x in snap(a, keep).tolist()] == snapped_exactly(a, keep)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("terms", [2, 8])
def test_what_is_not_finite_is_refused(bad, terms):
    a, b = np.ones((3, terms), np.float32), np.ones((terms, 2), np.float32)
    a[1, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        matmul(a, b)
    with pytest.raises(ValueError, match="NaN or infinity"):
        matmul(b.T, a.T)
    with pytest.raises(ValueError, match="NaN or infinity"):
        total(a)


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((3,), (3, 2)), ((2, 3), (3,))])
def test_matmul_refuses_shapes_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match=r"matmul wants shapes \(n, k\) and \(k, m\)"):
        matmul(np.ones(shapes[0]), np.ones(shapes[1]))


@pytest.mark.parametrize("keep", [0, 52])
def test_snap_refuses_bits_out_of_range(keep):
    with pytest.raises(ValueError, match="bits must be from 1 to 51"):
        snap([1.0], keep)


def test_empty_operands():
    assert matmul(np.ones((0, 9)), np.ones((9, 2))).shape == (0, 2)
    assert matmul(np.ones((3, 0)), np.ones((0, 2))).tolist() == [[0, 0]] * 3
    assert total(np.ones(0)) == 0


@pytest.mark.filterwarnings("error")
def test_results_too_large_or_small_are_rounded_without_a_warning():
    assert matmul(np.full((1, 8), 3e38), np.full((8, 1), 3e38)).item() == np.inf
    assert matmul(np.full((1, 8), 1e-30), np.full((8, 1), 1e-30)).item() == 0
    assert total(np.full(8, 3e38)) == np.inf
    assert matmul([[3e38, 3e38]], [[3e38], [-3e38]]).shape == (1, 1)


def test_a_total_keeps_small_terms_beside_large_ones():
    assert total([[1e8, 0.1], [1e8, 0.1]], axis=0).tolist() == pytest.approx([2e8, 0.2])


def test_native_is_plain_numpy():
    a, b = np.random.RandomState(0).standard_normal((2, 6, 6))
    with native():
        assert (matmul(a, b) == a @ b).all()
        assert (total(a, axis=1) == a.sum(axis=1)).all()
    assert matmul(a, b).dtype == np.float32


def test_native_ends_after_an_error():
    with pytest.raises(ZeroDivisionError), native():
        raise ZeroDivisionError
    assert total(np.ones(3, np.float64)).dtype == np.float32


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
