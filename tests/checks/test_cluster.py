"""An ensemble on a Dask cluster, a real one on this machine: the same lines, whoever is killed."""

import json
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from nnfs_book.checks import ensembles
from nnfs_book.checks.experiments import EXPERIMENTS, logistic_regression

pytest.importorskip("distributed")

MEMBERS = 11
CLIENT = """
import sys
from functools import partial
from nnfs_book.checks import ensembles, experiments
experiments.EXPERIMENTS["short"] = partial(experiments.logistic_regression, epochs=1001)
ensembles.PATIENCE = 120
ensembles.run("short", int(sys.argv[2]), folder=sys.argv[1], dask=sys.argv[3])
"""


class Cluster:
    """A scheduler and its workers, each a process with one thread, on the loopback interface."""

    def __init__(self, folder):
        self.folder, self.workers = folder, []
        told = folder / "scheduler.json"
        self.shared = ["--scheduler-file", told, "--host", "127.0.0.1", "--no-dashboard"]
        self.scheduler = self.start("scheduler", "--port", "0")
        wait_until(told.exists)
        self.address = json.loads(told.read_text())["address"]

    def start(self, what, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *self.shared, *options]
        return subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL, cwd=self.folder)

    def add_worker(self):
        here = self.folder / "workers"
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", here)
        self.workers.append(self.start("worker", *options))
        return self.workers[-1]

    def end(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "PATIENCE", 120)  # the machine may be busy
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker()
        cluster.add_worker()
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def short(monkeypatch):
    """A training of a tenth of its length, which takes about a second."""
    monkeypatch.setitem(EXPERIMENTS, "short", partial(logistic_regression, epochs=1001))


def wait_until(true, patience=300):
    """Wait for something, or give up."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def lines_in(folder):
    path = folder / "short-rounding.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def expected(folder):
    """What the same ensemble is on this machine alone."""
    ensembles.run("short", MEMBERS, folder=folder / "here", jobs=1)
    return (folder / "here" / "short-rounding.jsonl").read_bytes()


@pytest.mark.slow
def test_a_cluster_gives_the_same_lines(cluster, tmp_path):
    for where, dask in (("here", None), ("there", cluster.address)):
        ensembles.run("S2-11", 20, "seeds", tmp_path / where, dask=dask)
    here, there = ((tmp_path / w / "S2-11-seeds.jsonl").read_bytes() for w in ("here", "there"))
    assert here == there


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(cluster, short, tmp_path):
    there = tmp_path / "there"
    options = {"folder": there, "dask": cluster.address}
    client = threading.Thread(target=ensembles.run, args=("short", MEMBERS), kwargs=options)
    client.start()
    wait_until(lambda: lines_in(there) >= 2)
    cluster.workers[0].kill()
    assert lines_in(there) < MEMBERS + 1
    client.join(timeout=300)
    assert (there / "short-rounding.jsonl").read_bytes() == expected(tmp_path)


@pytest.mark.slow
def test_a_client_that_is_killed_resumes(cluster, short, tmp_path):
    there = tmp_path / "there"
    command = [sys.executable, "-c", CLIENT, there, MEMBERS, cluster.address]
    client = subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL)
    wait_until(lambda: lines_in(there) >= 2)
    client.kill()
    client.wait()
    done = lines_in(there)
    assert 2 <= done < MEMBERS + 1
    first = (there / "short-rounding.jsonl").read_bytes().splitlines()[:done]
    ensembles.run("short", MEMBERS, folder=there, dask=cluster.address)
    whole = (there / "short-rounding.jsonl").read_bytes()
    assert set(first) <= set(whole.splitlines())
    assert whole == expected(tmp_path)


@pytest.mark.slow
def test_a_cluster_without_workers_is_an_error(tmp_path, short, monkeypatch):
    monkeypatch.setattr(ensembles, "PATIENCE", 2)
    cluster = Cluster(tmp_path)
    try:
        with pytest.raises(ConnectionError, match=f"{cluster.address} has no workers"):
            ensembles.run("short", 1, folder=tmp_path / "there", dask=cluster.address)
    finally:
        cluster.end()


@pytest.mark.slow
def test_the_command_says_in_a_line_that_no_scheduler_answers(tmp_path):
    arguments = ["G", "--folder", tmp_path, "--dask", "tcp://127.0.0.1:1"]
    command = [sys.executable, "-m", "nnfs_book.checks.ensembles", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert ensembles.PATIENCE <= 10
    assert finished.returncode == 1
    assert finished.stderr.startswith("no Dask scheduler answers at tcp://127.0.0.1:1: ")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://"])
def test_an_address_where_nobody_answers_changes_nothing(tmp_path, short, monkeypatch, address):
    monkeypatch.setattr(ensembles, "PATIENCE", 0.3)
    with pytest.raises(ConnectionError, match=f"no Dask scheduler answers at {address}"):
        ensembles.run("short", 1, folder=tmp_path, dask=address)
    assert [*tmp_path.iterdir()] == []
