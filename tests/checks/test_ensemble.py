"""The stored ensembles are what the experiments give, to the bit; and a kill costs one member."""

import json
import random
import subprocess
import sys
from types import SimpleNamespace

import joblib
import numpy as np
import pytest

from nnfs_book.checks import ensembles as ensemble
from nnfs_book.checks.experiments import EXPERIMENTS, logistic_regression, nudged, spiral_classifier
from nnfs_book.checks.ledger import claim, ledger
from nnfs_book.checks.slips import SLIPS
from nnfs_book.network.randomness import RandomStream

# A member of these is run to its end within seconds, and to its first fingerprint in a tenth of that.
QUICK = ("N0", "A", "A0", "G")
STORED = sorted(path.stem.rsplit("-", 1) for path in ensemble.FOLDER.glob("*.jsonl"))


def toy(nudge=0, seed=0):
    figures = {"loss": 1 / (3 + nudge), "accuracy": 0.1 * seed}
    hash = f"{nudge}-{seed}"
    row = dict.fromkeys(ensemble.LOGGED, 1 / (3 + nudge)) | {"epoch": 0}
    return SimpleNamespace(
        figures=figures, log=[row], sha256=hash, sha256_at=lambda epoch: f"{epoch}: {hash}"
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for experiments, _ in ensemble.KINDS.values():
        monkeypatch.setitem(experiments, "toy", toy)
    return tmp_path


# The stored ensembles


def test_ensembles_are_stored():
    sizes = {
        "rounding": {"N0": 200, "A": 200, "B": 100, "C": 60, "D": 60, "E": 100, "F": 60, "G": 200},
        "seeds": {"N0": 40, "A": 40, "A0": 40, "B": 20, "C": 12, "D": 12, "E": 12, "F": 12, "G": 40},
        "printed": {"N0": 200, "A": 200, "B": 100, "C": 40, "D": 40, "E": 100, "F": 40, "G": 200},
        "printed_masks": {"E": 15},
        **{f"slip_{slip}": {"G": 40, "A": 40} for slip in SLIPS if slip != "one_grid"},
        "slip_one_grid": {"G": 100},
    }
    for kind, names in sizes.items():
        for name, size in names.items():
            assert len(ensemble.load(name, kind)) > size
    judged = [[entry.id, entry.ensemble] for entry in ledger().values() if entry.ensemble]
    assert len(judged) == 9
    assert all(pair in STORED for pair in judged)


def drawn(name, kind, count):
    """Return stored members drawn by chance, and how to draw the same again."""
    seed = random.randrange(10**6)
    members = random.Random(seed).sample(ensemble.load(name, kind), count)
    for member in members:
        if member.get("machine", ensemble.machine()) != ensemble.machine():
            pytest.skip(f"plain NumPy has other last bits here than on {member['machine']}")
    return members, f"drawn with seed {seed}"


@pytest.mark.parametrize(("name", "kind"), STORED)
def test_a_random_member_begins_to_the_bit(name, kind):
    """Member 0 is trained to the end in its chapter, and two others of each by the slow test."""
    [member], drawing = drawn(name, kind, count=1)
    number = member["member"]
    what = f"member {number}, {drawing}"
    if not member["log"]["epoch"]:  # no training, but done at once
        assert ensemble.rerun(name, number, kind) == member, what
        return
    experiments, argument = ensemble.KINDS[kind]
    epochs = ensemble.EARLY + 1 if name in QUICK else 101
    run = experiments[name](**{argument: number}, epochs=epochs)
    early = {name: values[: len(run.log)] for name, values in member["log"].items()}
    assert len(run.log) == epochs // 100 + 1 and early == ensemble.columns(run.log), what
    if name in QUICK:
        assert run.sha256_at(ensemble.EARLY) == member["sha256_at_1000"], what


@pytest.mark.parametrize("kind", ["rounding", "seeds"])
def test_a_random_member_ends_to_the_bit(kind):
    name = random.choice([name for name in QUICK if [name, kind] in STORED])
    [member], drawing = drawn(name, kind, count=1)
    assert ensemble.rerun(name, member["member"], kind) == member, f"of {name}, {drawing}"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), STORED)
def test_two_random_members_rerun_to_the_bit(name, kind):
    members, drawing = drawn(name, kind, count=2)
    for member in members:
        number = member["member"]
        assert ensemble.rerun(name, number, kind) == member, f"member {number}, {drawing}"


@pytest.mark.parametrize(("name", "kind"), STORED)
def test_members_differ(name, kind):
    members = ensemble.load(name, kind)
    assert len({member["sha256"] for member in members}) == len(members)
    assert [member["member"] for member in members] == list(range(len(members)))


@pytest.mark.parametrize(("name", "kind"), [pair for pair in STORED if pair[0] in ledger()])
def test_members_hold_every_reported_figure(name, kind):
    for member in ensemble.load(name, kind):
        assert set(member["figures"]) >= set(claim(name).values)


# Running


@pytest.mark.parametrize("kind", ensemble.KINDS)
def test_run_stores_every_member_exactly(folder, kind):
    _, argument = ensemble.KINDS[kind]
    ensemble.run("toy", 3, kind, folder, jobs=1)
    members = ensemble.load("toy", kind, folder)
    assert [member["member"] for member in members] == [0, 1, 2, 3]
    for member in members:
        assert member["figures"] == toy(**{argument: member["member"]}).figures
        assert member["sha256"] == toy(**{argument: member["member"]}).sha256


def test_a_bar_shows_how_far_a_run_has_come(folder, capsys):
    ensemble.run("toy", 2, folder=folder, jobs=1)
    assert "toy-rounding: 100%" in capsys.readouterr().err


def test_processes_give_the_same_file(folder):
    for jobs in (1, 2):
        ensemble.run("toy", 5, folder=folder / str(jobs), jobs=jobs)
    one, two = ((folder / jobs / "toy-rounding.jsonl").read_bytes() for jobs in "12")
    assert one == two


def test_members_run_on_the_backend_that_joblib_is_told_to_use(folder):
    with joblib.parallel_config(backend="threading"):
        ensemble.run("toy", 5, folder=folder)
    assert len(ensemble.load("toy", folder=folder)) == 6


def test_command_line_knows_the_experiments():
    command = [sys.executable, "-m", "nnfs_book.checks.ensembles", "H"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 2
    assert "invalid choice: 'H'" in finished.stderr


def test_finished_members_are_not_run_again(folder, monkeypatch):
    ensemble.run("toy", 2, folder=folder, jobs=1)
    run = []
    monkeypatch.setitem(EXPERIMENTS, "toy", lambda nudge: run.append(nudge) or toy(nudge))
    ensemble.run("toy", 4, folder=folder, jobs=1)
    assert run == [3, 4]


def test_a_kill_loses_the_member_under_way_only(folder, monkeypatch):
    def killed(nudge):
        if nudge == 3:
            raise KeyboardInterrupt
        return toy(nudge)

    monkeypatch.setitem(EXPERIMENTS, "toy", killed)
    with pytest.raises(KeyboardInterrupt):
        ensemble.run("toy", 5, folder=folder, jobs=1)
    assert [member["member"] for member in ensemble.load("toy", folder=folder)] == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 2, 30, 120])
def test_a_torn_line_is_run_again(folder, cut):
    ensemble.run("toy", 4, folder=folder, jobs=1)
    path = folder / "toy-rounding.jsonl"
    whole = path.read_bytes()
    assert cut <= len(whole.splitlines()[-1])
    path.write_bytes(whole[:-cut])
    assert len(ensemble.load("toy", folder=folder)) == 4
    ensemble.run("toy", 4, folder=folder, jobs=1)
    assert path.read_bytes() == whole


def test_a_number_that_is_not_finite_is_refused(folder, monkeypatch):
    endless = toy()
    endless.figures["loss"] = float("inf")
    monkeypatch.setitem(EXPERIMENTS, "toy", lambda nudge: endless)
    with pytest.raises(ValueError, match="not JSON compliant"):
        ensemble.run("toy", 1, folder=folder, jobs=1)


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("H", 20), "name must be one of N0, A, A0, B, C, D, E, F, G, S2-11, toy, got 'H'"),
        (("toy", 20, "luck"), "kind must be one of rounding, seeds, printed, .*, got 'luck'"),
        (("toy", 0), "members must be a whole number of at least 1, got 0"),
        (("toy", 2.0), "members must be a whole number of at least 1, got 2.0"),
        (("toy", True), "members must be a whole number of at least 1, got True"),
    ],
)
def test_run_refuses(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        ensemble.run(*arguments, folder=folder)
    assert list(folder.iterdir()) == []


def test_load_says_how_to_get_a_missing_ensemble(folder):
    with pytest.raises(FileNotFoundError, match="python -m nnfs_book.checks.ensembles toy --kind seeds"):
        ensemble.load("toy", "seeds", folder)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"member": 1}',
        b"\xff",
        {"member": 0},
        {"member": "1"},
        {"experiment": "G"},
        {"kind": "seeds"},
        {"figures": {"loss": "0.1"}},
        {"figures": {"loss": float("nan")}},
    ],
)
def test_a_corrupt_file_is_refused_and_left_alone(folder, line):
    path = folder / "toy-rounding.jsonl"
    ensemble.run("toy", 1, folder=folder, jobs=1)
    first, second = path.read_bytes().splitlines()
    if isinstance(line, dict):
        line = json.dumps({**json.loads(second), **line}).encode()
    content = first + b"\n" + line + b"\n"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="line 2, is corrupt"):
        ensemble.load("toy", folder=folder)
    with pytest.raises(ValueError, match="line 2, is corrupt"):
        ensemble.run("toy", 1, folder=folder, jobs=1)
    assert path.read_bytes() == content


def test_an_ensemble_without_member_0_is_refused(folder):
    path = folder / "toy-rounding.jsonl"
    ensemble.run("toy", 2, folder=folder, jobs=1)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(ValueError, match="must hold member 0"):
        ensemble.load("toy", folder=folder)


# The nudge


def test_nudge_moves_each_weight_by_its_share():
    weights = RandomStream(0).normal(2, 64)
    before = weights.copy()
    moved = nudged(weights, 5)
    shares = np.unique((moved / weights - 1).round(6))
    assert shares.tolist() == np.float32([-(2.0**-14), 2.0**-14]).round(6).tolist()
    assert (weights == before).all()
    assert (nudged(weights, 5) == moved).all()
    assert (nudged(weights, 6) != moved).any()


def test_smallest_nudge_moves_each_weight_by_one_unit_in_the_last_place():
    weights = RandomStream(0).normal(2, 64)
    steps = (nudged(weights, 5, size=2**-24).view("i4") - weights.view("i4")).ravel()
    assert set(steps.tolist()) == {-1, 1}


@pytest.mark.parametrize("size", [0, 1, -0.5, "2"])
def test_size_of_a_nudge_must_lie_between_0_and_1(size):
    with pytest.raises((TypeError, ValueError), match="size must be"):
        nudged(RandomStream(0).normal(2, 2), 1, size)


@pytest.mark.parametrize("nudge", [-1, 0.5, True])
def test_nudge_must_be_a_whole_number(nudge):
    with pytest.raises((TypeError, ValueError), match="nudge must be"):
        nudged(RandomStream(0).normal(2, 2), nudge)


@pytest.mark.parametrize("experiment", [logistic_regression, spiral_classifier])
@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_epochs_must_be_a_whole_number(experiment, epochs):
    with pytest.raises((TypeError, ValueError), match="epochs must be"):
        experiment(epochs=epochs)


def test_hash_covers_every_parameter():
    run = logistic_regression(epochs=1)
    before = run.sha256
    for layer in run.layers[::2]:
        for parameters in (layer.weights, layer.biases):
            entry = parameters[0, -1]
            parameters[0, -1] += 1
            assert run.sha256 != before
            parameters[0, -1] = entry
    assert run.sha256 == before
