"""The benchmarks measure the same work for all, and their figures are what they are called."""

import doctest
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import nnfs_book
from benchmarks import sections, summaries, workers
from benchmarks.configurations import CONFIGURATIONS, DIGITS, A, D, F, spiral
from benchmarks.contenders import CONTENDERS, Ours, OursNative, PlainNumpy
from benchmarks.goals import goals
from nnfs_book import arithmetic

RESULTS = Path(nnfs_book.__file__).with_name("records") / "benchmarks.json"
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
        "print([m for m in ('sklearn', 'torch', 'jax', 'numba') if m in sys.modules])"
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


@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_a_worker_computes_with_the_backend_it_is_given(backend):
    if backend == "compiled":
        pytest.importorskip("numba")
    before = dict(os.environ)
    with workers.Worker(backend) as worker:
        assert worker(arithmetic.backend) == backend
    assert dict(os.environ) == before


def test_a_first_step_is_timed_in_a_process_of_its_own(tmp_path):
    seconds, said = workers.time_first_step("reference", tmp_path)
    assert seconds > 0
    assert said == ""


def first_use_of(monkeypatch, seconds, said):
    """What `first_use` makes of a worker that reports seconds and lines, by what is in the cache."""
    used = set()

    class Fake:
        def __init__(self, backend):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __call__(self, function, backend, cache):
            kind = backend if backend == "reference" else "later" if cache in used else "first"
            used.add(cache)
            return seconds[kind], said[kind]

    monkeypatch.setattr(sections, "Worker", Fake)
    return sections.first_use(rounds=2)


def test_first_use_is_compared_with_the_reference(monkeypatch):
    seconds = {"first": 12.0, "later": 1.5, "reference": 1.0}
    found = first_use_of(monkeypatch, seconds, {"first": "once\n", "later": "", "reference": ""})
    assert found["compiling_s"] == 11
    assert found["later_s_more"] == 0.5
    assert found["announced_once"] is True


@pytest.mark.parametrize("kind, said", [("first", ""), ("first", "a\nb\n"), ("later", "a\n")])
def test_a_first_use_that_is_silent_or_repeats_itself_is_noticed(monkeypatch, kind, said):
    lines = {"first": "once\n", "later": "", "reference": ""} | {kind: said}
    found = first_use_of(monkeypatch, dict.fromkeys(lines, 1.0), lines)
    assert found["announced_once"] is False


def measured(ratio=0.1, agrees=True, same_bits=True, slope=1.0, compiling=10.0, announced=True):
    """Sections as a run returns them, as far as goals look at them."""
    row = {"ours_over_this": {"median_ratio": ratio}, "loss": {"agrees": agrees}}
    side_by_side = {
        "contenders": {"PyTorch eager": row, "JAX jitted": row},
        "compiled_and_reference_same_bits": same_bits,
    }
    return dict.fromkeys(CONFIGURATIONS, side_by_side) | {
        "linearity": {"time_slope": slope, "memory_slope": slope},
        "first_use": {
            "compiling_s": compiling,
            "later_s_more": compiling / 20,
            "announced_once": announced,
        },
    }


def test_goals_can_all_be_met_and_none_is_met_unmeasured():
    assert all(row["met"] for row in goals(measured()))
    assert not any(row["met"] for row in goals({}))


@pytest.mark.parametrize(
    "worse, missed",
    [
        ({"ratio": 0.46}, "D: ours over PyTorch eager"),
        ({"ratio": 0.71}, "D: ours over JAX jitted"),
        ({"agrees": False}, "losses within the spread of seeds"),
        ({"same_bits": False}, "compiled and reference: the same bits"),
        ({"slope": 1.2}, "slope of time on samples"),
        ({"slope": 0.8}, "slope of memory on samples"),
        ({"compiling": 30.5}, "first use: s of compiling"),
        ({"compiling": 30.5}, "later starts: s more than without"),
        ({"announced": False}, "first use: announced, once"),
    ],
)
def test_goals_are_judged_by_what_was_measured(worse, missed):
    assert missed in [row["goal"] for row in goals(measured(**worse)) if not row["met"]]


def test_a_configuration_that_was_not_measured_spoils_what_is_said_of_all():
    without = {name: section for name, section in measured().items() if name != "F"}
    unmet = [row["goal"] for row in goals(without) if not row["met"]]
    assert "losses within the spread of seeds" in unmet
    assert "compiled and reference: the same bits" in unmet


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


def test_stored_losses_agree(results):
    for name in CONFIGURATIONS:
        for contender, row in results["sections"][name]["contenders"].items():
            assert row["loss"].get("agrees") is not False, (name, contender)


def test_stored_bits_agree(results):
    for name in CONFIGURATIONS:
        assert results["sections"][name]["compiled_and_reference_same_bits"] is True


def test_stored_machine_is_described_and_not_named(results):
    assert {"processor", "cores", "memory_gb", "python", "packages"} <= set(results["machine"])
    assert None not in results["machine"]["packages"].values()
    assert "/" not in json.dumps(results["machine"])
