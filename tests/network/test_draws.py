"""The draws that every training starts from are the same float32 numbers on every machine."""

import numpy as np
import pytest

DRAWS = 40_000  # more than any training of the book takes from its stream
NEAR = 8  # units in the last place of float64, by which a C library's logarithm may be off


def distance_from_a_midpoint(draws):
    """Return how far float64 numbers lie from what rounds to two float32 ones, in their own units."""
    rounded = draws.astype(np.float32)
    outer = np.nextafter(rounded, np.where(draws > rounded, np.inf, -np.inf).astype(np.float32))
    middle = (rounded.astype(np.float64) + outer) / 2
    return np.abs(draws - middle) / np.spacing(np.abs(draws))


@pytest.mark.parametrize("seed", range(41))
def test_no_normal_draw_lies_where_another_last_digit_would_round_it_elsewhere(seed):
    draws = np.random.RandomState(seed).standard_normal(DRAWS)
    assert distance_from_a_midpoint(draws).min() > NEAR


def test_a_draw_near_a_midpoint_is_found():
    middle = 1 + 2.0**-24
    near = distance_from_a_midpoint(np.array([middle, np.nextafter(middle, 2), 1.0]))
    assert near[0] == 0 and near[1] == 1 and near[2] > 1e8
