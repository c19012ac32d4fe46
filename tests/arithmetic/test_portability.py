"""The table of portability refuses what differs, and says what it did not run."""

import doctest
import json
import os
import sys
from importlib import import_module

import pytest

from tools import environments, portability
from tools.environments import Unavailable, oldest_numpy, once, pythons
from tools.portability import Variant, here, nowhere, report, start


def printing(name, hashes, ran=None, **attributes):
    """Return a row whose process prints these hashes instead of computing some."""
    told = json.dumps({"hashes": hashes, "ran": ran or {}, "seconds": 0})
    return Variant(name, here, worker=("-c", f"print({told!r})"), **attributes)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command on these rows; return its exit status and what it printed."""

    def run(*rows, options=()):
        monkeypatch.setattr(portability, "variants", lambda given: rows)
        monkeypatch.setattr(sys, "argv", ["portability", *options])
        status = portability.main()
        return status, capsys.readouterr().out

    return run


# --- what it refuses ----------------------------------------------------------------------------


def test_equal_hashes_pass(run):
    status, printed = run(printing("one", {"A": "5" * 64}), printing("two", {"A": "5" * 64}))
    assert status == 0
    assert "| two | `555555555555` |" in printed


def test_an_unequal_hash_fails_and_names_its_row_and_column(run):
    status, printed = run(
        printing("one", {"A": "5" * 64, "G": "6" * 64}),
        printing("two", {"A": "5" * 64, "G": "6" * 64}),
        printing("three", {"A": "5" * 64, "G": "6" * 63 + "7"}),
    )
    assert status == 1
    said = printed.split("rows were run.")[1]
    assert "three: G is" in said and "two" not in said


def test_a_difference_behind_the_printed_prefix_shows_in_the_sentence():
    rows = [{"name": name, "hashes": {"A": "5" * 20 + name}} for name in ("1", "2")]
    assert portability.complaints(rows) == [f"2: A is {'5' * 20}2, not {'5' * 20}1 as in 1"]


def test_a_process_that_breaks_fails_and_is_named(run):
    broken = Variant("broken", here, worker=("-c", "raise ValueError('no such kernel')"))
    status, printed = run(printing("one", {"A": "5"}), printing("two", {"A": "5"}), broken)
    assert status == 1
    assert "broken: ValueError: no such kernel" in printed


def test_a_single_row_proves_nothing(run):
    status, printed = run(printing("one", {"A": "5"}), Variant("two", lambda: nowhere("no such")))
    assert status == 1
    assert "nothing was compared" in printed


def test_a_row_without_a_column_of_the_others_fails(run):
    status, printed = run(printing("one", {"A": "5", "G": "6"}), printing("two", {"A": "5"}))
    assert status == 1
    assert "two: G" in printed


# --- what it says of rows that were not run -----------------------------------------------------


def test_what_cannot_be_run_is_a_row_with_its_reason(run):
    missing = Variant("Python 3.99", lambda: nowhere("not found on this machine"))
    status, printed = run(printing("one", {"A": "5"}), printing("two", {"A": "5"}), missing)
    assert status == 0
    assert "| Python 3.99 | not run: not found on this machine |" in printed
    assert "2 of 3 rows were run." in printed


def test_settings_that_were_not_heard_do_not_count_as_run():
    row = printing("kernels", {"A": "5"}, ran={"openblas": "Haswell"}, expected={"openblas": "Zen"})
    assert report(row) == {"name": "kernels", "not_run": "asked for openblas Zen, got Haswell"}


def test_without_numba_the_compiled_rows_are_not_run(monkeypatch):
    monkeypatch.setattr(portability, "has_numba", lambda command, environment: False)
    row = printing("twins", {"A": "5"}, expected={"backend": "compiled"})
    assert "no Numba" in report(row)["not_run"]


def test_without_an_emulator_arm64_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="qemu-user-static"):
        environments.arm64()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('ERROR: no wheel', file=sys.stderr); warn(); sys.exit(1)", "no wheel"),
        ("warn(); sys.exit(3)", "ended with 3"),
    ],
)
def test_a_set_up_that_fails_gives_the_error_and_not_a_warning(program, reason):
    define = "import sys; warn = lambda: print('WARNING: old pip', file=sys.stderr); "
    with pytest.raises(Unavailable, match=f"^no pip: {reason}$"):
        environments.run(sys.executable, "-c", define + program, why="no pip")


# --- what is run --------------------------------------------------------------------------------


def test_every_row_has_a_name_of_its_own_and_every_chapter_a_row():
    names = [variant.name for variant in portability.variants()]
    assert len(names) == len(set(names))
    chapters = {path.stem for path in portability.ROOT.glob("book/*.ipynb")}
    assert chapters == {name.rpartition("chapter ")[2] for name in names if "chapter" in name}


def test_each_level_of_numpy_takes_away_more_until_nothing_is_left():
    levels = [variant.expected["simd"] for variant in portability.simd_levels()]
    assert [len(kept) for kept in levels] == list(reversed(range(len(levels))))
    for variant in portability.simd_levels():
        program = (
            "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f"
            "; print(*(name for name in d if f[name]))"
        )
        done = start(sys.executable, "-c", program, **variant.settings)
        assert done.stdout.split() == variant.expected["simd"]


def test_rows_do_not_inherit_settings_from_who_starts_the_command(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("NNFS_BOOK_BACKEND", "reference")
    program = "import os; print(sorted(k for k in os.environ if k.startswith(('OPENB', 'NNFS'))))"
    done = start(sys.executable, "-c", program, OPENBLAS_NUM_THREADS="2")
    assert done.stdout.strip() == "['OPENBLAS_NUM_THREADS']"


def test_a_given_python_comes_before_those_that_are_found():
    version = f"3.{sys.version_info.minor}"
    assert str(pythons([sys.executable])[version]) == os.path.abspath(sys.executable)
    assert "3.99" not in pythons(["/no/such/python"])


def test_the_oldest_numpy_satisfies_the_project_and_no_older_one_does():
    from packaging.requirements import Requirement

    (numpy,) = [
        requirement
        for requirement in map(Requirement, environments.project()["dependencies"])
        if requirement.name == "numpy"
    ]
    assert oldest_numpy() in numpy.specifier
    assert "1.26.4" not in numpy.specifier


def test_a_set_up_that_broke_off_is_done_again_and_a_finished_one_is_not(tmp_path):
    attempts = []

    def break_off(folder):
        attempts.append(folder)
        (folder / "half").touch()
        raise Unavailable("no network")

    with pytest.raises(Unavailable):
        once(tmp_path / "venv", break_off)
    for _ in range(2):
        once(tmp_path / "venv", attempts.append)
    assert len(attempts) == 2
    assert not (tmp_path / "venv/half").exists()


# --- chapters executed in one process -----------------------------------------------------------

EQUAL = {
    "from sympy import sqrt\nprint('a line')": {"name": "stdout", "text": ["a line\n"]},
    "sqrt(2)": {"data": {"text/latex": ["$\\displaystyle \\sqrt{2}$"], "text/plain": ["sqrt(2)"]}},
    "import sys\nimport matplotlib.pyplot as plt": None,
}
# A cell's source: what is stored of it, and what has to be said.
DIFFERENT = {
    "print(1.5)": ({"name": "stdout", "text": ["1.25\n"]}, "line 1: stored '1.25', got '1.5'"),
    "sqrt(3)": ({"data": {"text/plain": ["sqrt(3)"]}}, "text/latex: stored 0, got 1"),
    "print(1)": (None, "stdout: stored 0, got 1"),
    "1 / 0": (None, "ZeroDivisionError: division by zero"),
    "print('careful', file=sys.stderr)": (None, "stderr: stored 0, got 1: careful"),
    "plt.plot([1]); plt.show()": (None, "image/png: stored 0, got 1"),
}


def executed(tmp_path, cells):
    """Write a notebook, execute it with the tool, and return the differences that it found."""
    notebook = {"cells": [{"cell_type": "markdown", "source": ["# Title"]}]}
    for source, output in cells.items():
        kind = "stream" if output and "text" in output else "execute_result"
        outputs = [{"output_type": kind, **output}] if output else []
        notebook["cells"].append({"cell_type": "code", "source": [source], "outputs": outputs})
    path = tmp_path / "chapter.ipynb"
    path.write_text(json.dumps(notebook))
    done = start(sys.executable, "-m", "tools.cells", str(path))
    return json.loads(done.stdout)["differences"]


def test_cells_that_differ_are_named_with_the_difference_and_no_others(tmp_path):
    different = {source: stored for source, (stored, _) in DIFFERENT.items()}
    found = executed(tmp_path, EQUAL | different)
    first = 2 + len(EQUAL)  # after the title, counted from 1
    expected = range(first, first + len(DIFFERENT))
    assert [difference["cell"] for difference in found] == list(expected)
    for difference, (_, said) in zip(found, DIFFERENT.values()):
        assert said in difference["difference"]


def test_a_chapter_that_differs_fails_the_command(run):
    told = json.dumps({"differences": [{"cell": 7, "difference": "stdout"}], "ran": {}})
    chapter = Variant("chapter sigmoid", here, worker=("-c", f"print({told!r})"))
    status, printed = run(printing("one", {"A": "5"}), printing("two", {"A": "5"}), chapter)
    assert status == 1
    assert "chapter sigmoid, cell 7: stdout" in printed


# --- what is kept for the book ------------------------------------------------------------------


def test_the_record_has_every_row_and_no_name_of_the_machine(run, monkeypatch, tmp_path):
    monkeypatch.setattr(portability, "RECORD", tmp_path / "record.json")
    run(printing("one", {"A": "5"}), printing("two", {"A": "5"}), options=["--write"])
    record = json.loads((tmp_path / "record.json").read_text())
    assert [row["name"] for row in record["rows"]] == ["one", "two"]
    assert record["machine"].keys() == {"processor", "architecture", "system"}


@pytest.mark.parametrize("rows, status", [(2, 0), (3, 1)])
def test_reports_from_elsewhere_are_compared_if_all_are_there(run, tmp_path, rows, status):
    for name in ("Linux", "Windows"):
        report = {"hashes": {"A": "5" * 64}, "ran": {}, "seconds": 0}
        (tmp_path / f"{name}, Python.json").write_text(json.dumps(report))
    options = ["--compare", str(tmp_path), "--rows", str(rows)]
    got, printed = run(options=options)
    assert got == status
    assert "| Windows, Python | `555555555555` |" in printed
    assert ("there are 2 reports, not 3" in printed) == (status == 1)


def test_a_report_from_elsewhere_that_differs_is_named(run, tmp_path):
    for name, hash in (("Linux", "5"), ("macOS", "6")):
        (tmp_path / f"{name}.json").write_text(json.dumps({"hashes": {"A": hash}}))
    status, printed = run(options=["--compare", str(tmp_path)])
    assert status == 1 and "macOS: A is 6, not 5 as in Linux" in printed


@pytest.mark.parametrize("name", ["bits", "cells", "environments", "portability"])
def test_the_examples_in_the_docstrings_hold(name):
    assert doctest.testmod(import_module(f"tools.{name}")).failed == 0
