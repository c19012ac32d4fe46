"""Ensembles: an experiment run again and again, each time from a start hardly different.

Training is chaotic: move the starting weights in their fifth digit, or in their last bit, and the
third printed digit at the end is another. How far printed figures wander for no better reason is
measured here, in several kinds of ensembles:

``"rounding"``
    Member m starts from the m-th nudge of the starting weights (see `experiments.nudged`), which is
    a little larger than what the rounding of another machine may do.
``"seeds"``
    Member m starts from seed m: other data, other weights.
``"printed"``
    As ``"rounding"``, but of the program that the source prints, in plain NumPy (see `printed`).
    Its last bits are those of the machine that is stored with each member.
``"printed_masks"``
    As ``"rounding"``, with the dropout masks that the printed program draws.
``"slip_bias_penalty"`` and others
    As ``"rounding"``, with a small mistake in the program (see `slips`).

Member 0 is the experiment as it stands: stored beside the others, so that figures can be checked
against it, but no part of their spread.

A finished member is one line of ``records/ensembles/G-rounding.jsonl``, written at once; a run that
was stopped goes on where it left off::

    python -m nnfs_book.checks.ensembles G --members 20

Members run in parallel, on the cores of this machine or on those of a Dask cluster, whose machines
have the same release of this module::

    python -m nnfs_book.checks.ensembles G --members 1000 --dask tcp://scheduler:8786

Only members come and go, so that it does not matter who is stopped: what a worker had under way is
run by another one, and a new client goes on where the last one left off.
"""

import argparse
import json
import os
import platform
from contextlib import contextmanager
from math import isfinite
from pathlib import Path

import numpy as np

from nnfs_book.checks.experiments import EXPERIMENTS
from nnfs_book.checks.printed import PRINTED, WITH_PRINTED_MASKS
from nnfs_book.checks.slips import SLIPPED

FOLDER = Path(__file__).parents[1] / "records" / "ensembles"
PATIENCE = 10  # seconds that a scheduler has to answer
EARLY = 1000  # the epoch of a member's first fingerprint
LOGGED = ("epoch", "accuracy", "loss", "data_loss", "regularization_loss")
# What is run, and the argument that a member's number sets.
KINDS = {
    "rounding": (EXPERIMENTS, "nudge"),
    "seeds": (EXPERIMENTS, "seed"),
    "printed": (PRINTED, "nudge"),
    "printed_masks": (WITH_PRINTED_MASKS, "nudge"),
    **{f"slip_{slip}": (programs, "nudge") for slip, programs in SLIPPED.items()},
}


def run(name, members, kind="rounding", folder=FOLDER, jobs=-1, dask=None):
    """Run what is missing of the members 0 to `members`, and store it.

    Parameters
    ----------
    name : str
        A name in ``nnfs_book.checks.experiments.EXPERIMENTS``.
    members : int
        Number of reruns; member 0 comes on top.
    kind : str
        What is run, and what the members differ in: a key of ``KINDS``.
    folder : path
        Where the file ``<name>-<kind>.jsonl`` is kept. Delete the file to start anew.
    jobs : int
        Number of processes, -1 for one on each core.
    dask : str, optional
        Address of the scheduler of a Dask cluster, all of whose cores are used in the place of
        this machine's.

    Raises
    ------
    ValueError
        If an argument is none of these, or the file is corrupt.
    ConnectionError
        If no scheduler answers, or it has no workers.
    """
    from joblib import Parallel, delayed  # not above, so that stored members are read without them
    from tqdm import tqdm

    experiment, path = _find(name, kind, folder)
    if isinstance(members, bool) or not isinstance(members, int) or members < 1:
        raise ValueError(f"members must be a whole number of at least 1, got {members!r}")
    with _cores(dask):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            starts, end = {}, 0
            for record, start, end in _lines(file, path):
                starts[record["member"]] = start
            file.truncate(end)  # a line that a kill has torn is run again
            missing = [m for m in range(members + 1) if m not in starts]
            tasks = (delayed(rerun)(name, m, kind, experiment) for m in missing)
            finished = Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)
            for record in tqdm(finished, desc=path.stem, total=len(missing), unit="member"):
                starts[record["member"]] = end
                end += file.write(_line(record))
                file.flush()
    in_order = path.with_suffix(".tmp")
    with open(path, "rb") as file, open(in_order, "wb") as copy:
        for member in sorted(starts):
            file.seek(starts[member])
            copy.write(file.readline())
    os.replace(in_order, path)


@contextmanager
def _cores(dask):
    """Let joblib use this machine, or the cluster of a scheduler."""
    if dask is None:
        yield
        return
    from distributed import Client
    from joblib import parallel_config

    try:
        client = Client(dask, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {dask}: {error}") from error
    with client, parallel_config(backend="dask", client=client):
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise ConnectionError(f"the Dask scheduler at {dask} has no workers") from None
        yield


def rerun(name, member, kind="rounding", experiment=None):
    """Run one member; return in a dict its ``figures``, its ``log`` and fingerprints of its weights.

    For the log see `columns`. ``sha256`` is the fingerprint of the trained network,
    ``sha256_at_1000`` that of epoch 1000, by which a member can be recognised in a tenth of the
    time.
    """
    experiments, argument = KINDS[kind]
    trained = (experiment or experiments[name])(**{argument: member})
    where = {"machine": machine()} if kind == "printed" else {}
    return {
        "experiment": name,
        "kind": kind,
        "member": member,
        **where,
        "figures": trained.figures,
        "log": columns(trained.log),
        "sha256_at_1000": trained.sha256_at(EARLY),
        "sha256": trained.sha256,
    }


def machine():
    """Return in a line what the last bits of plain NumPy depend on here.

    Examples
    --------
    >>> machine().startswith("NumPy ")
    True
    """
    vectors = np.show_config(mode="dicts")["SIMD Extensions"].get("found") or ["none"]
    system = f"{platform.system()} on {platform.machine()}"
    return f"NumPy {np.__version__}, {system}, vectors up to {vectors[-1]}"


def columns(log):
    """Return a log as a list for each quantity, of float32 numbers in as few digits as will do.

    Examples
    --------
    >>> row = {"epoch": 100, "accuracy": 1 / 3, "loss": 0.5, "data_loss": 0.5}
    >>> columns([row | {"regularization_loss": 0.0}])["accuracy"]
    [0.33333334]
    """
    return {name: [_short(row[name]) for row in log] for name in LOGGED}


def load(name, kind="rounding", folder=FOLDER):
    """Return the finished members of a stored ensemble as dicts (see `rerun`), member 0 first.

    Raises
    ------
    ValueError, FileNotFoundError
        If the name or the kind is unknown, or the file is corrupt, lacks member 0 or is missing.
    """
    _, path = _find(name, kind, folder)
    if not path.exists():
        command = f"python -m nnfs_book.checks.ensembles {name} --kind {kind}"
        raise FileNotFoundError(f"{path} is missing: run {command}")
    with open(path, "rb") as file:
        done = {record["member"]: record for record, _, _ in _lines(file, path)}
    if 0 not in done or len(done) < 2:
        raise ValueError(f"{path} must hold member 0 and at least one rerun")
    return [done[m] for m in sorted(done)]


def _find(name, kind, folder):
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    experiments, _ = KINDS[kind]
    if name not in experiments:
        raise ValueError(f"name must be one of {', '.join(experiments)}, got {name!r}")
    return experiments[name], Path(folder) / f"{name}-{kind}.jsonl"


def _short(value):
    return value if isinstance(value, int) else float(str(np.float32(value)))


def _line(record):
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def _lines(file, path):
    """Yield the member of each complete line of a file, and where the line starts and ends."""
    file.seek(0)
    known, end = set(), 0
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            return
        try:
            record = json.loads(line)
            new = type(record["member"]) is int and record["member"] not in known
            if not new or f"{record['experiment']}-{record['kind']}" != path.stem:
                raise ValueError("not a new member of this ensemble")
            if not all(map(isfinite, record["figures"].values())):
                raise ValueError("a figure is not a finite number")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}, is corrupt: {error}") from None
        known.add(record["member"])
        start, end = end, end + len(line)
        yield record, start, end


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m nnfs_book.checks.ensembles")
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--kind", choices=KINDS, default="rounding")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where its file is kept")
    parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a cluster, tcp://host:8786")
    try:
        run(**vars(parser.parse_args()))
    except ConnectionError as error:
        parser.exit(1, f"{error}\n")
