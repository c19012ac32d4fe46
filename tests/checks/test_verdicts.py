"""Verdicts can be wrong, and about as often as they say."""

import random

import numpy as np
import pytest

from nnfs_book import claim, load, place, spreads
from nnfs_book.checks.verdicts import combined, each_as_printed, false_alarms, rank

TRAININGS = ("N0", "A", "B", "C", "D", "E", "F", "G")


# The rank of a number


@pytest.mark.parametrize(
    ("printed", "below", "above", "p"),
    [
        ("0.50", 50, 49, 1.0),
        ("0.00", 0, 99, 2 * 2 / 101),
        ("-0.01", 0, 100, 2 / 101),
        ("0.03", 3, 96, 2 * 5 / 101),
        ("0.98", 98, 1, 2 * 3 / 101),
        ("0.5", 45, 45, 1.0),  # a single decimal is equal to many
    ],
)
def test_rank(printed, below, above, p):
    runs = random.Random(0).sample([n / 100 for n in range(100)], 100)
    found = rank(printed, runs)
    assert (found.below, found.above, found.p) == (below, above, pytest.approx(p, abs=0.11))
    assert found.p <= 1


def test_a_tie_counts_as_at_least_as_far_out():
    assert rank("0.10", [0.1] * 5 + [0.2] * 95).p == 2 * 6 / 101
    assert rank("0.10", [0.104] * 5 + [0.2] * 95).p == 2 * 6 / 101
    assert rank("0.10", [0.106] * 5 + [0.2] * 95).p == 2 * 1 / 101


def test_unlikely_begins_below_one_in_twenty():
    runs = [n / 1000 for n in range(1, 80)]  # with 79 runs, a rank of 1 from the end is 2 * 2 / 80
    assert rank("0.002", runs).verdict == "consistent" and rank("0.002", runs).p == 0.075
    assert rank("0.001", runs).verdict == "consistent" and rank("0.001", runs).p == 0.05
    assert rank("0.000", runs).verdict == "unlikely"


def test_a_dozen_runs_call_nothing_unlikely():
    assert rank("9.9", range(12)).verdict == "consistent"


def test_one_honest_run_in_twenty_is_called_unlikely():
    runs = np.random.default_rng(0).normal(size=1000)
    p = np.array(each_as_printed("0.0000", runs))
    assert 0.04 <= (p < 0.05).mean() <= 0.05


# All trainings together


def test_combined_is_uniform_for_honest_runs():
    under_null = [each_as_printed("0.000", np.random.default_rng(k).normal(size=60)) for k in range(8)]
    draw = np.random.default_rng(9)
    found = [
        combined([p[draw.integers(60)] for p in under_null], under_null, draws=2000)
        for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(found) < 0.05) < 0.09
    assert 0.4 < np.mean(found) < 0.6
    assert 0.03 < false_alarms(under_null) <= 0.051


def test_combined_notices_what_no_single_training_shows():
    even = [n / 100 for n in range(1, 101)]
    assert combined([0.1] * 8, [even] * 8) < 0.01 < combined([0.1], [even])


def test_a_wrong_null_is_noticed():
    """Runs shifted by one standard deviation, as of a program with a slip."""
    honest, other = (np.random.default_rng(k).normal(k, size=200) for k in (0, 1))
    p = [rank(f"{run:.3f}", honest).p for run in other]
    assert np.mean(np.array(p) < 0.05) > 0.1


# The ledger's trainings


@pytest.mark.parametrize("name", TRAININGS)
def test_false_alarms_of_each_training(name):
    entry = claim(name)
    runs = [member["figures"][entry.judged_by] for member in spreads(entry)[entry.ensemble]]
    p = np.array(each_as_printed(entry.values[entry.judged_by], runs))
    assert (p < 0.05).mean() <= 0.05


# Is my number a bug?


def said(name, **figures):
    """What `place` says, in one line."""
    return " ".join(place(name, **figures).split())


def test_a_number_is_placed_among_the_runs():
    runs = [m["figures"]["validation_loss"] for m in load("G", claim("G").ensemble)[1:]]
    middle = float(np.median(runs))
    assert "an ordinary number" in said("G", validation_loss=middle)
    assert f"{len(runs)} are below and 0 above" in said("G", validation_loss=max(runs) + 1)
    assert "fewer than one honest run in twenty" in said("G", validation_loss=max(runs) + 1)
    both = said("G", validation_loss=middle, loss="9.000")
    assert "loss 9.000: of " in both and "fewer than one" in both
    for answer in (both, said("G", accuracy=0.93)):
        assert "0.674 at epoch 100" in answer and "from nnfs_book.nnfs import *" in answer
    assert max(map(len, place("G", accuracy=0.93).splitlines())) <= 88


def test_a_small_number_is_placed_by_its_decimals():
    runs = len(load("G", claim("G").ensemble)) - 1
    assert f"0 are below and {runs} above" in said("G", loss=1e-5)
    assert f"0 are below and {runs} above" in said("G", loss="0.00001")


@pytest.mark.parametrize(
    ("name", "figures", "error", "message"),
    [
        ("H", {"loss": 0.3}, ValueError, "id must be one of"),
        ("S2-08", {"loss": 0.3}, ValueError, "name must be a training"),
        ("G", {}, ValueError, "figures must be some of accuracy, .*, got nothing"),
        ("G", {"los": 0.3}, ValueError, "figures must be some of accuracy, .*, got los"),
        ("G", {"loss": np.nan}, TypeError, "loss must be a finite number, got nan"),
        ("G", {"loss": "a lot"}, TypeError, "loss must be a finite number, got 'a lot'"),
        ("G", {"loss": True}, TypeError, "loss must be a finite number, got True"),
        ("G", {"loss": [0.3]}, TypeError, r"loss must be a finite number, got \[0.3\]"),
    ],
)
def test_place_refuses(name, figures, error, message):
    with pytest.raises(error, match=message):
        place(name, **figures)
