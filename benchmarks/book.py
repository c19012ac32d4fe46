"""How long the whole book takes: its tests, its notebooks, its pages."""

import os
import shutil
import subprocess
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[1]
LEFT_BY_TESTS = (".pytest_cache", "nnfs_book/__pycache__", "tests/__pycache__")


def book_seconds():
    """Return the wall time of tests, notebooks and pages as a dict of seconds.

    Cold is the first run after everything that runs leave behind has been removed, except the
    installed packages; warm is the run after it. Failing tests are told of and timed all the
    same: the stored results, which the tests look at, may be what is about to be renewed.
    """
    seconds_of("make", ".venv/installed")
    notebooks = sorted(ROOT.glob("book/*.ipynb"))
    chapters = [notebook for notebook in notebooks if notebook.stem != "intro"]

    remove(*LEFT_BY_TESTS)
    times = {"make_test_cold_s": seconds_of("make", "test", must_pass=False)}
    times["make_test_warm_s"] = seconds_of("make", "test", must_pass=False)

    paths = [str(notebook.relative_to(ROOT)) for notebook in notebooks]
    times["notebooks_s"] = seconds_of(".venv/bin/pytest", "--numprocesses=2", *paths)
    times["chapters"] = len(chapters)

    remove("_build")
    times["make_book_cold_s"] = seconds_of("make", "book")
    times["make_book_warm_s"] = seconds_of("make", "book")
    os.utime(chapters[-1])
    times["make_book_one_chapter_s"] = seconds_of("make", "book")
    return {name: round(value, 1) for name, value in times.items()}


def seconds_of(*command, must_pass=True):
    """Run a command in the repository and return its wall time; raise or tell if it fails."""
    # Neither the benchmarks' limits of threads nor the options of an outer make are its business.
    ours = ("_NUM_THREADS", "MAKEFLAGS", "MAKELEVEL")
    environment = {k: v for k, v in os.environ.items() if not k.endswith(ours)}
    start = perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds = perf_counter() - start
    if done.returncode:
        message = f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr}"
        if must_pass:
            raise RuntimeError(message)
        print(message)
    return seconds


def remove(*folders):
    """Remove folders of the repository if they are there."""
    for folder in folders:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
