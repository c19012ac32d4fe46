"""exp and log are correctly rounded: their results are compared with mpmath's.

Tens of thousands of inputs every time, over a million in the slow tests, and all there are in
tools/exhaustive.py.
"""

import numpy as np
import pytest
from mpmath import mp, mpf
from mpmath.libmp import from_float, mpf_exp, mpf_log, mpf_neg, mpf_shift, round_nearest, to_int

from nnfs_book.arithmetic import exp, functions, log
from nnfs_book.arithmetic.functions import round_sum

SMALLEST = 2.0**-149  # the smallest positive float32, and the distance between subnormal ones


def every_kind(uniform):
    """Return twice as many float32 inputs: every exponent, the ends, what is special.

    `uniform` are the inputs of an ordinary size; the rest are random bit patterns, the first
    and last subnormals, and the neighbourhood of 0, 1 and infinity.
    """
    random = np.random.RandomState(2026)
    patterns = random.randint(0, 2**32, len(uniform), dtype=np.uint32).view(np.float32)
    ends = np.concatenate(
        [
            np.arange(2000) + start
            for start in (
                0x00000000,
                0x007FFC00,
                0x3F800000 - 1000,
                0x7F800000 - 1000,
                0x42B17218 - 1000,
                0x42CFF1B5 - 1000,
                0x42AEAC50 - 1000,
            )
        ]
    ).astype(np.uint32)
    ends = np.concatenate([ends, ends | np.uint32(0x80000000)]).view(np.float32)
    special = np.float32([0, -0.0, np.inf, -np.inf, np.nan, SMALLEST, -SMALLEST])
    return np.concatenate([uniform.astype(np.float32), patterns, ends, special])


def nearest_float32(value):
    """Round an mpmath number to float32, as a Python float."""
    _, man, exponent, bitcount = value
    if not man:
        return 0.0
    lowest = max(exponent + bitcount - 24, -149)  # the weight of the last bit that float32 keeps
    whole = to_int(mpf_shift(value, -lowest), round_nearest)
    return whole * 2.0**lowest if abs(whole) * 2.0**lowest < 2.0**128 else np.inf


def reference_exp(x):
    """Return exp(x) rounded to float32, from mpmath with 100 bits."""
    if np.isnan(x):
        return np.nan
    if x > 89:
        return np.inf
    return nearest_float32(mpf_exp(from_float(max(x, -110.0)), 100, "n"))


def reference_log(x):
    """Return log(x) rounded to float32, from mpmath with 100 bits."""
    if np.isnan(x) or x < 0:
        return np.nan
    if x in (0, np.inf):
        return -np.inf if x == 0 else np.inf
    value = mpf_log(from_float(x), 100, "n")
    return -nearest_float32(mpf_neg(value)) if value[0] else nearest_float32(value)


@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("function", "reference", "low", "high"),
    [(exp, reference_exp, -104.5, 89.5), (log, reference_log, 0, 4)],
    ids=["exp", "log"],
)
def test_correctly_rounded(function, reference, low, high, count):
    x = every_kind(np.random.RandomState(7).uniform(low, high, count // 2))
    assert len(x) >= count
    ours = function(x)
    wanted = np.fromiter((reference(v) for v in x.tolist()), np.float64, len(x))
    wrong = ~((ours == wanted) | (np.isnan(ours) & np.isnan(wanted)))
    assert not wrong.any(), [(v, function(v), reference(float(v))) for v in x[wrong][:5]]


def test_the_five_logarithms_that_two_roundings_get_wrong():
    x = np.array([1010908474, 1092063211, 1281189285, 1708691667, 1865525484], dtype=np.uint32)
    x = x.view(np.float32)
    assert log(x).tolist() == [reference_log(v) for v in x.tolist()]


def test_round_sum_rounds_once():
    midpoint = np.array([1 + 2.0**-24] * 3)  # between two float32 numbers
    below_at_above = np.array([-(2.0**-80), 0, 2.0**-80])
    assert round_sum(midpoint, below_at_above).tolist() == [1, 1, 1 + 2.0**-23]


@pytest.mark.filterwarnings("error")
def test_special_values_come_without_a_warning():
    assert exp([0, -0.0, np.inf, -np.inf, 1000, -1000]).tolist() == [1, 1, np.inf, 0, np.inf, 0]
    assert log([1, 0, -0.0, np.inf]).tolist() == [0, -np.inf, -np.inf, np.inf]
    assert np.isnan(exp(np.nan)) and np.isnan(log([np.nan, -1, -np.inf])).all()


# What is approximated, the powers that the coefficients belong to, and the largest argument.
SERIES = {
    "EXP": (mp.exp, range(0, 14), mp.log(2) / 2),
    "LOG": (lambda s: mp.log((1 + s) / (1 - s)), range(3, 23, 2), 3 - 2 * mp.sqrt(2)),
    "SIN": (mp.sin, range(3, 19, 2), mp.pi / 4),
    "COS": (mp.cos, range(4, 20, 2), mp.pi / 4),
}


@pytest.mark.parametrize("name", SERIES)
def test_every_coefficient_is_that_of_the_taylor_series_and_none_is_missing(name):
    """The last ones move a result by less than float64's last bit, which no sample would show."""
    function, powers, furthest = SERIES[name]
    left_out = powers[-1] + powers.step
    with mp.workdps(60):
        wanted = mp.taylor(function, 0, left_out)
        assert getattr(functions, f"{name}_SERIES") == [float(wanted[n]) for n in powers]
        assert abs(wanted[left_out]) * furthest**left_out < 2.0**-57


def test_the_parts_of_a_constant_add_up_to_it_and_a_multiple_of_the_first_is_exact():
    with mp.workdps(60):
        assert abs(sum(map(mpf, functions.LN2)) - mp.log(2)) < 2.0**-100
        assert abs(sum(map(mpf, functions.HALF_PI)) - mp.pi / 2) < 2.0**-120
        for part, multiples in ((functions.LN2[0], 2**8), (functions.HALF_PI[0], 2**20)):
            assert all(mpf(part) * k == part * k for k in (multiples - 1, multiples // 3))
