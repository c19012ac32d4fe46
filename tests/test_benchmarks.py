"""The benchmarks measure the same work for all, and their figures are what they are called."""

import doctest
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import configurations, summaries, workers
from benchmarks.configurations import CONFIGURATIONS, DIGITS, A, D, F, spiral
from benchmarks.contenders import CONTENDERS, Ours, OursNative, PlainNumpy
from benchmarks.goals import goals
from benchmarks.sections import STEPS
from benchmarks.unavoidable import unavoidable

RESULTS = Path(configurations.__file__).with_name("results.json")
SMALL = replace(D, make_data=partial(spiral, 30), sizes=(2, 16, 3))
IN_BATCHES = replace(SMALL, sizes=(2, 16, 8, 3), batch_size=32)


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text())


# --- the same work ------------------------------------------------------------------------------


def test_data_and_start_are_repeatable():
    for first, second in zip(A.make_data(), A.make_data()):
        np.testing.assert_array_equal(first, second)
    for first, second in zip(A.start(1), A.start(1)):
        np.testing.assert_array_equal(first[0], second[0])
    assert (A.start(1)[0][0] != A.start(2)[0][0]).all()


def test_a_batch_holds_each_sample_once():
    batches = DIGITS.batches(epoch=3, samples=1797)
    assert [len(rows) for rows in batches] == 14 * [128] + [5]
    assert sorted(np.concatenate(batches)) == list(range(1797))
    assert (DIGITS.batches(epoch=4, samples=1797)[0] != batches[0]).any()


def test_configurations_import_no_peer():
    code = (
        "import sys, benchmarks.run; "
        "print([m for m in ('sklearn', 'torch', 'jax') if m in sys.modules])"
    )
    root = RESULTS.parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("configuration", [SMALL, IN_BATCHES], ids=["whole", "in batches"])
def test_ours_native_and_plain_numpy_train_alike(configuration):
    contenders = [contender(configuration, seed=3) for contender in (Ours, OursNative, PlainNumpy)]
    for _ in range(5):
        reported = [contender.epoch() for contender in contenders]
        np.testing.assert_allclose(reported, reported[0], rtol=1e-5)
    losses = [contender.loss() for contender in contenders]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)
    assert losses[0] < np.log(3)  # something has been learned


def test_penalty_is_part_of_the_loss():
    contenders = [contender(SMALL, seed=0) for contender in (Ours, PlainNumpy)]
    heavier = replace(SMALL, l2=1.0)
    for contender in contenders:
        weights = contender.weights()
        penalty = sum(np.square(a).sum() for a in weights[0])
        without = contender.loss() - SMALL.l2 * penalty
        assert heavier.loss(weights) == pytest.approx(without + penalty, rel=1e-6)


def test_dropout_leaves_its_mark():
    with_dropout = replace(F, make_data=SMALL.make_data, sizes=SMALL.sizes)
    without = replace(with_dropout, dropout=0.0)
    for contender in (Ours, PlainNumpy):
        one, other = contender(with_dropout, seed=0), contender(without, seed=0)
        for _ in range(5):
            one.epoch(), other.epoch()
        assert one.loss() != pytest.approx(other.loss(), rel=1e-4)


# --- the figures --------------------------------------------------------------------------------


def test_summaries_on_made_up_numbers():
    assert doctest.testmod(summaries).failed == 0
    assert summaries.summary([4, 1, 2, 3, 100], "ms")["median_ms"] == 3
    assert summaries.slope([1, 2, 4], [5, 20, 80]) == pytest.approx(2)
    with pytest.raises(ValueError):
        summaries.ratios([1, 2], [1])


def test_unavoidable_calls_cover_every_layer():
    names = [name for part, name, ms in unavoidable(IN_BATCHES, repetitions=1)]
    for layer in ("layer 1, 2x16", "layer 2, 16x8", "layer 3, 8x3"):
        assert f"{layer}: forward product, biases included" in names
    assert "layer 1, 2x16: inputs' gradient" not in names
    assert "layer 1, 2x16: squares of the biases" in names
    assert {"softmax: exponentials", "loss: logarithms"} <= set(names)
    assert len(set(names)) == len(names)
    assert "layer 1, 2x16: ReLU forward" in names
    assert not any("dropout" in name for name in names)
    assert not any("squares" in name for _, name, _ in unavoidable(DIGITS, repetitions=1))


def test_unavoidable_calls_come_in_the_order_of_an_epoch():
    wanted = [
        "layer 1, 2x16: forward product, biases included",
        "layer 1, 2x16: ReLU forward",
        "layer 1, 2x16: dropout, raw bits",
        "layer 1, 2x16: dropout forward",
        "layer 2, 16x3: forward product, biases included",
        "softmax: exponentials",
        "loss: gradient, division",
        "layer 1, 2x16: squares of the weights",
        "layer 2, 16x3: inputs' gradient to float32",
        "layer 1, 2x16: dropout backward",
        "layer 1, 2x16: ReLU backward",
        "layer 1, 2x16: weights' gradient",
        "layer 1, 2x16: penalty's gradient, twice the weights",
        "layer 1, 2x16: Adam on the weights",
        "layer 2, 16x3: Adam on the weights",
    ]
    calls = unavoidable(replace(SMALL, dropout=0.1), repetitions=1)
    assert [name for part, name, ms in calls if name in wanted] == wanted


def test_unavoidable_calls_have_the_parts_of_our_step():
    calls = unavoidable(IN_BATCHES, repetitions=1)
    assert tuple(dict.fromkeys(part for part, name, ms in calls)) == Ours.parts
    part_of = {name: part for part, name, ms in calls}
    assert part_of["batch: its samples"] == "take"
    assert part_of["layer 2, 16x8: ReLU forward"] == "forward"
    assert part_of["layer 1, 2x16: squares of the weights"] == "softmax_and_loss"
    assert part_of["loss: gradient, division"] == "softmax_and_loss"
    assert part_of["layer 1, 2x16: penalty's gradient, twice the weights"] == "backward"
    assert part_of["layer 3, 8x3: Adam on the biases"] == "update"


def test_the_parts_of_our_step_make_up_the_epoch(monkeypatch):
    ours, timed = Ours(IN_BATCHES), Ours(IN_BATCHES)
    ours.epoch()
    ours.epoch()
    ticks = iter(range(10**6))
    monkeypatch.setattr(workers, "contender", timed)
    monkeypatch.setattr(workers, "perf_counter", lambda: next(ticks))
    seconds = workers.time_parts(2)
    # It ticks when it is read: as a part begins and ends, and the epoch. So every part of the three
    # batches takes one tick, and from one part to the next, of fifteen, it is one, too.
    assert seconds == {part: [3, 3] for part in Ours.parts} | {"the rest": 2 * [15 + 1]}
    assert timed.sha256() == ours.sha256()
    assert not set(Ours.parts) & set(vars(timed))


def test_the_last_batch_of_unavoidable_calls_is_as_small_as_it_is(monkeypatch):
    monkeypatch.setattr("benchmarks.unavoidable.seconds", lambda call: 1)
    sizes = []
    monkeypatch.setattr(
        "benchmarks.unavoidable.step",
        lambda c, rows: sizes.append(rows) or {("part", "call"): None},
    )
    assert unavoidable(IN_BATCHES) == [("part", "call", 3000)]
    assert sizes == [32, 90 % 32]
    assert unavoidable(SMALL) == [("part", "call", 1000)]


def test_unavoidable_calls_have_as_many_turns_as_a_contender_makes_steps(monkeypatch):
    turns = []
    calls = {("part", "call"): turns.append}
    monkeypatch.setattr("benchmarks.unavoidable.step", lambda c, rows: calls)
    monkeypatch.setattr("benchmarks.unavoidable.seconds", lambda call: call(1) or 1)
    for configuration, wanted in (
        (SMALL, 10),
        (IN_BATCHES, 20),
        (replace(SMALL, timed_epochs=1), 5),
    ):
        turns.clear()
        unavoidable(configuration)
        batch_sizes = 2 if configuration.batch_size else 1
        assert len(turns) == batch_sizes * (wanted + 1)  # and one to warm up


def test_goals_are_judged_by_what_was_measured():
    def judged(value):
        row = {"ours_exact_over_this": {"median_ratio": value}, "loss": {"agrees": True}}
        rows = goals({"D": {"contenders": {"PyTorch eager": row}}})
        return next(row for row in rows if row["goal"] == "D: ours over PyTorch eager")

    assert judged(0.45)["met"] and not judged(0.46)["met"]
    assert not any(row["met"] for row in goals({}))


# --- what is stored -----------------------------------------------------------------------------


def test_every_goal_has_a_measured_value(results):
    assert results["goals"] == goals(results["sections"])
    assert [row["goal"] for row in results["goals"] if row["measured"] is None] == []


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_contender_is_stored_or_its_absence_explained(results, name):
    section = results["sections"][name]
    assert set(section["contenders"]) | set(section["not_available"]) == set(CONTENDERS)
    assert "PyTorch eager" in section["contenders"]
    for row in section["contenders"].values():
        assert row["epoch"]["lower_quartile_ms"] <= row["epoch"]["median_ms"]
        assert row["epoch"]["median_ms"] <= row["epoch"]["upper_quartile_ms"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_parts_of_our_step_are_stored_beside_their_bare_calls(results, name):
    section = results["sections"][name]
    assert list(section["ours_by_part"]) == [*Ours.parts, "the rest"]
    parts = sum(part["median_ms"] for part in section["ours_by_part"].values())
    assert 0.8 < parts / section["contenders"]["ours exact"]["epoch"]["median_ms"] < 1.25
    bare = sum(call["epoch_ms"] for call in section["unavoidable"])
    assert bare == pytest.approx(section["unavoidable_sum_ms"], rel=1e-2)
    assert {call["part"] for call in section["unavoidable"]} <= set(Ours.parts)


def test_stored_losses_agree(results):
    for name in CONFIGURATIONS:
        for contender, row in results["sections"][name]["contenders"].items():
            assert row["loss"].get("agrees", True), (name, contender)


def test_each_step_of_the_optimisation_is_stored_and_changed_no_bit(results):
    steps = results["sections"]["steps"]
    assert list(steps["variants"]) == list(STEPS)
    assert steps["same_bits"] is True


def test_stored_machine_is_described_and_not_named(results):
    assert {"processor", "cores", "memory_gb", "python", "packages"} <= set(results["machine"])
    assert "/" not in json.dumps(results["machine"])
