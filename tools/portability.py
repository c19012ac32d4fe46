"""Train under every arithmetic library, processor level and Python at hand; compare all bits.

    python -m tools.portability                           # everything; most of an hour on two cores
    python -m tools.portability --list                    # what there is to run
    python -m tools.portability --only openblas --only python
    python -m tools.portability --python /opt/python3.15/bin/python3
    python -m tools.portability --write                   # and keep the table for the book
    python -m tools.portability --compare FOLDER --rows 20  # reports of `tools.bits` from elsewhere

Each row of the table that it prints is a process of its own, with the first characters of the
SHA-256 of what it computed (see `tools.bits`). They have to agree in every column; the command
fails, and names the row, where they do not. What cannot be run here is a row too, and says why.
On ARM64, emulated, all chapters are executed as well and compared with their stored outputs.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.machine import processor
from tools.environments import (
    FOLDER,
    MINORS,
    ROOT,
    Unavailable,
    arm64,
    oldest_numpy,
    pythons,
    virtual_environment,
)

RECORD = ROOT / "nnfs_book/records/portability.json"
BACKENDS = ("reference", "compiled")
# What a row sets itself; no row inherits it from who starts the command.
SETTINGS = ("NNFS_BOOK_", "OPENBLAS_", "OMP_NUM", "MKL_NUM", "NPY_", "NUMBA_", "QEMU_", "PYTHON")

ARCHITECTURE = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
CORE_TYPES = {
    "x86_64": ("Prescott", "Nehalem", "Sandybridge", "Haswell", "SkylakeX", "Zen"),
    "aarch64": ("ARMV8", "NEOVERSEN1", "NEOVERSEV1"),
}
REPORTED_AS = {"Prescott": "Katmai"}  # the same kernels, and OpenBLAS gives them the older name
# Processors that Numba can compile for, and what NumPy calls an instruction that each needs.
NUMBA_LEVELS = {
    "generic": None,
    "x86-64-v2": "SSE42",
    "x86-64-v3": "AVX2",
    "x86-64-v4": "AVX512BW",
}
ARM_PROCESSORS = {"max": "SVE", "cortex-a57": "NEON only"}


@dataclass(frozen=True)
class Variant:
    """One row: what to start, under which settings, and what has then to be in force.

    Attributes
    ----------
    name : str
        What the table calls it.
    python : callable
        Returns a command that starts Python and environment variables for it; raises
        `Unavailable` if this machine cannot.
    settings : dict
        Environment variables that make the difference.
    expected : dict
        What `tools.bits` has to report of itself, or the settings were not heard.
    worker : tuple of str
        What Python is given to do.
    """

    name: str
    python: callable
    settings: dict = field(default_factory=dict)
    expected: dict = field(default_factory=dict)
    worker: tuple = ("-m", "tools.bits")


def here():
    """Start the Python that runs this."""
    return [sys.executable], {}


def nowhere(reason):
    """Start nothing, and say why."""
    raise Unavailable(reason)


def other(python, numpy="newest"):
    """Start another Python in an environment of its own."""
    return [str(virtual_environment(python, numpy))], {}


def asking(backend, **settings):
    """Return the settings and the expectation that choose a backend, one thread by default."""
    threads = str(settings.pop("threads", 1))
    settings |= {"NNFS_BOOK_BACKEND": backend}
    settings |= {"OPENBLAS_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
    return {"settings": settings, "expected": {"backend": backend}}


def variants(given=()):
    """Yield all rows; `given` are Pythons to use besides those that are found."""
    for threads in (1, 2):
        for backend in BACKENDS:
            name = f"{backend}, {threads} thread{'s' * (threads > 1)}"
            row = asking(backend, threads=threads)
            if (backend, threads) == ("reference", 2):
                row["expected"]["threads"] = threads
            yield Variant(name, here, **row)
    yield from simd_levels()
    yield from core_types()
    yield from numba_levels()
    yield from python_versions(given)
    yield from emulated()


def simd_levels():
    """Yield a row for each level of vector instructions that NumPy can be held down to."""
    enabled, _ = features()
    for kept in reversed(range(len(enabled))):
        level = f"up to {enabled[kept - 1]}" if kept else "baseline only"
        row = asking("reference", NPY_DISABLE_CPU_FEATURES=" ".join(enabled[kept:]))
        row["expected"]["simd"] = enabled[:kept]
        yield Variant(f"NumPy, {level}", here, **row)


def features():
    """Return what NumPy dispatches on here, lowest level first, and all that the processor has."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    available = [name for name, on in __cpu_features__.items() if on]
    return [name for name in __cpu_dispatch__ if name in available], available


def core_types():
    """Yield a row for each set of kernels that OpenBLAS can be told to use."""
    for core in CORE_TYPES.get(ARCHITECTURE, ()):
        row = asking("reference", OPENBLAS_CORETYPE=core)
        row["expected"]["openblas"] = REPORTED_AS.get(core, core)
        yield Variant(f"OpenBLAS for {core}", here, **row)


def numba_levels():
    """Yield a row for each processor that Numba can be told to compile for."""
    _, available = features()
    for level, needed in NUMBA_LEVELS.items():
        if level.startswith("x86") and ARCHITECTURE != "x86_64":
            continue
        row = asking("compiled", NUMBA_CPU_NAME=level, NUMBA_CPU_FEATURES="")
        row["expected"]["numba_cpu"] = level
        missing = needed and needed not in available
        python = partial(nowhere, f"this processor has no {needed}") if missing else here
        yield Variant(f"Numba for {level}", python, **row)


def python_versions(given):
    """Yield rows for every Python, with the newest NumPy that it has, and for the oldest NumPy."""
    found = pythons(given)
    for minor in MINORS:
        version = f"3.{minor}"
        python = partial(nowhere, "not found on this machine")
        if version in found:
            python = partial(other, found[version])
        for backend in BACKENDS:
            name = f"Python {version}, its newest NumPy, {backend}"
            yield Variant(name, python, **asking(backend))
    version, path = next(iter(found.items()))
    for backend in BACKENDS:
        row = asking(backend)
        row["expected"]["numpy"] = oldest_numpy()
        name = f"Python {version}, NumPy {oldest_numpy()}, {backend}"
        yield Variant(name, partial(other, path, oldest_numpy()), **row)


def emulated():
    """Yield rows for ARM64 under user-mode emulation, and one for each chapter executed there."""
    is_arm64 = ARCHITECTURE == "aarch64"
    python = partial(nowhere, "this machine is ARM64 itself") if is_arm64 else arm64
    for name, level in ARM_PROCESSORS.items():
        for backend in BACKENDS:
            row = asking(backend, QEMU_CPU=name)
            row["expected"]["architecture"] = "aarch64"
            yield Variant(f"ARM64 emulated, {level}, {backend}", python, **row)
    for path in sorted(ROOT.glob("book/*.ipynb")):
        row = asking("reference", QEMU_CPU="max") | {"expected": {"architecture": "aarch64"}}
        worker = ("-m", "tools.cells", str(path.relative_to(ROOT)))
        yield Variant(f"ARM64 emulated, chapter {path.stem}", python, **row, worker=worker)


def report(variant):
    """Run a variant and return its row as a dict.

    Besides the ``"name"`` it has one of ``"not_run"`` and ``"failed"``, each with the reason, or
    what the worker printed: ``"hashes"`` or the ``"differences"`` of a chapter.
    """
    row = {"name": variant.name}
    try:
        command, environment = variant.python()
        if variant.expected.get("backend") == "compiled" and not has_numba(command, environment):
            raise Unavailable("no Numba for this Python and NumPy")
    except Unavailable as reason:
        return row | {"not_run": str(reason)}
    # A cache for each row: Numba keeps processors apart in one, but not its own versions.
    compiled = {"NUMBA_CACHE_DIR": str(FOLDER / "numba" / variant.name)}
    done = start(*command, *variant.worker, **compiled, **environment, **variant.settings)
    if done.returncode:
        complaints = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return row | {"failed": complaints[-1]}
    told = json.loads(done.stdout.splitlines()[-1])
    for name, value in variant.expected.items():
        if told["ran"].get(name) != value:
            reason = f"asked for {name} {value}, got {told['ran'].get(name, 'no answer')}"
            return row | {"not_run": reason}
    return row | told


def has_numba(command, environment):
    """Tell whether the Python that a command starts has Numba."""
    program = "import sys, importlib.util as u; sys.exit(u.find_spec('numba') is None)"
    return start(*command, "-c", program, **environment).returncode == 0


def start(*command, **settings):
    """Run a command in the project, free of all settings that rows make, but for these."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
    settings = inherited | {"PYTHONPATH": str(ROOT)} | settings
    return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True)


def reported(folder):
    """Return a row for each report of `tools.bits` that another machine has left in a folder."""
    reports = sorted(Path(folder).glob("*.json"))
    return [{"name": path.stem, **json.loads(path.read_text("utf-8"))} for path in reports]


def complaints(rows):
    """Return a sentence for each row that failed, or that differs from the first that ran.

    Examples
    --------
    >>> complaints([{"name": n, "hashes": {"A": h}} for n, h in (("one", "12"), ("two", "13"))])
    ['two: A is 13, not 12 as in one']
    """
    said = [f"{row['name']}: {row['failed']}" for row in rows if "failed" in row]
    computed = [row for row in rows if "hashes" in row]
    chapters = [row for row in rows if "differences" in row]
    for row in computed[1:]:
        for column, expected in computed[0]["hashes"].items():
            got = row["hashes"].get(column, "missing")
            if got != expected:
                is_not = f"{column} is {got}, not {expected} as in {computed[0]['name']}"
                said.append(f"{row['name']}: {is_not}")
    for row in chapters:
        said += [
            f"{row['name']}, cell {found['cell']}: {found['difference']}"
            for found in row["differences"]
        ]
    if len(computed) < 2 and not chapters:
        said.append("nothing was compared: fewer than two rows could be run")
    return said


def table(rows, prefix=12):
    """Return the rows as a table in Markdown, with the first characters of each hash."""
    columns = next((list(row["hashes"]) for row in rows if "hashes" in row), [])
    lines = [["", *columns], ["---"] * (1 + len(columns))]
    for row in rows:
        if "hashes" in row:
            hashes = [row["hashes"].get(column, "missing")[:prefix] for column in columns]
            lines.append([row["name"], *(f"`{text}`" for text in hashes)])
        else:
            lines.append([row["name"], in_words(row), *[""] * (len(columns) - 1)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_words(row):
    """Say of a row without hashes how it went."""
    if "not_run" in row:
        return f"not run: {row['not_run']}"
    if "failed" in row:
        return f"FAILED: {row['failed']}"
    count = len(row["differences"])
    return f"{count} cells differ" if count else "all outputs as stored"


def write(rows):
    """Keep the rows for the book, without the times, which would differ with every run."""
    described = {
        "processor": processor(),
        "architecture": ARCHITECTURE,
        "system": platform.system(),
    }
    kept = [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
    RECORD.write_text(json.dumps({"machine": described, "rows": kept}, indent=1) + "\n")


def main():
    """Run what the command line asks for; exit with an error if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", metavar="TEXT", help="rows whose name has it")
    parser.add_argument("--list", action="store_true", help="print the rows' names and stop")
    parser.add_argument("--python", action="append", default=[], help="another Python to use")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="rows at a time")
    parser.add_argument("--write", action="store_true", help=f"keep all in {RECORD.name}")
    parser.add_argument("--compare", metavar="FOLDER", help="compare reports of tools.bits instead")
    parser.add_argument("--rows", type=int, help="how many reports there have to be")
    options = parser.parse_args()
    if options.compare:
        rows = reported(options.compare)
        said = complaints(rows)
        if options.rows not in (None, len(rows)):
            said.append(f"there are {len(rows)} reports, not {options.rows}")
        print(table(rows), *said, sep="\n")
        return 1 if said else 0
    if options.write and options.only:
        parser.error("the book's table has all rows: --write does not go with --only")

    texts = [text.lower() for text in options.only or [""]]
    chosen = [v for v in variants(options.python) if any(t in v.name.lower() for t in texts)]
    if options.list:
        print("\n".join(variant.name for variant in chosen))
        return 0
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = []
        for row in pool.map(report, chosen):
            rows.append(row)
            seconds = f" ({row['seconds']:.0f} s)" if "seconds" in row else ""
            print(f"{len(rows)}/{len(chosen)} {row['name']}{seconds}", file=sys.stderr, flush=True)
    print(table(rows))
    said = complaints(rows)
    if options.write:
        write(rows)
    not_run = sum("not_run" in row for row in rows)
    print(f"\n{len(rows) - not_run} of {len(rows)} rows were run.", *said, sep="\n")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
