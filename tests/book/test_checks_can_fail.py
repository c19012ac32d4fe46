"""A check that cannot fail proves nothing: here each one meets a doctored copy and must go red."""

import copy
import os
import re
import subprocess
import sys

import honesty
import nbformat
import pytest
from honesty import Chapter

from nnfs_book.presentation import player

# Re-execution: one character of one stored output is changed


def next_digit(number):
    """The matched number with its last digit raised by one, 9 becoming 0."""
    return number[0][:-1] + str((int(number[0][-1]) + 1) % 10)


def change_digit(output):
    """Change the last digit of the first number printed."""
    output["text"] = re.sub(r"\d(?!\d)", next_digit, output["text"], count=1)


def change_coordinate(output):
    """Move the first point of the first path by one unit in its last place."""
    svg = output["data"]["image/svg+xml"]
    output["data"]["image/svg+xml"] = re.sub(r'(?<= d="M )([\d.]*)\d', next_digit, svg, count=1)


def change_sign(output):
    """Turn the first minus sign of the formula into a plus sign."""
    output["data"]["text/latex"] = output["data"]["text/latex"].replace("-", "+", 1)


CHANGES = {
    "stdout": change_digit,
    "image/svg+xml": change_coordinate,
    "text/latex": change_sign,
}


def shows(cell, kind):
    return [o for o in cell.outputs if kind in (o.get("name"), *o.get("data", ()))]


def run_nbval(notebook, folder):
    """Have nbval compare this notebook in a pytest of its own; return (exit code, report)."""
    nbformat.write(notebook, folder / "copy.ipynb")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no", "-q"]
        + ["-p", "no:cacheprovider", "--rootdir", ".", "copy.ipynb"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout + run.stderr


def test_one_changed_character_is_red_and_what_is_untouched_green(tmp_path):
    """In the beginning of a real chapter, by nbval in a pytest of its own."""
    notebook = nbformat.read(honesty.BOOK / "sigmoid.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    changed = {kind: next(cell for cell in cells if shows(cell, kind)) for kind in CHANGES}
    numbers = {kind: cells.index(cell) for kind, cell in changed.items()}
    assert len(set(numbers.values())) == len(CHANGES)
    for kind, change in CHANGES.items():
        output = shows(changed[kind], kind)[0]
        before = copy.deepcopy(output)
        change(output)
        assert output != before
    notebook.cells = cells[: max(numbers.values()) + 3]  # and some untouched ones behind the last

    code, report = run_nbval(notebook, tmp_path)
    assert code == 1
    # Where CI is set, pytest's closing list repeats each of them in full: hence a set.
    red = {int(cell) for cell in re.findall(r"Cell (\d+): Cell outputs differ", report)}
    assert red == set(numbers.values())
    assert f"{len(red)} failed, {len(notebook.cells) - len(red)} passed" in report
    for kind in CHANGES:
        assert f"mismatch '{kind}'" in report


# The rules of honesty.py


def honest():
    """A chapter with nothing to complain about."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><use xlink:href="#a"/></svg>'
    prints = {"output_type": "stream", "name": "stdout", "text": "0.512 and [2. 5.]\n"}
    shows = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": svg}}
    code = {"cell_type": "code", "metadata": {}}
    cells = [
        {"cell_type": "markdown", "id": "words", "metadata": {}, "source": "It is $0.512$ or 2.0."},
        code | {"id": "print", "source": "print(0.25)", "execution_count": 1, "outputs": [prints]},
        code | {"id": "draw", "source": "draw()", "execution_count": 2, "outputs": [shows]},
    ]
    cells[2]["metadata"] = {"mystnb": {"image": {"alt": "A curve through 0.25."}}}
    metadata = {"kernelspec": dict(honesty.KERNEL), "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def doctored(path, value):
    """The honest chapter with one thing put in; `path` says where, with dots."""
    notebook = honest()
    *way, last = [int(step) if step.isdigit() else step for step in path.split(" ")]
    place = notebook
    for step in way:
        place = place[step]
    place[last] = value
    return Chapter("doctored", notebook)


def html(text):
    """An output in HTML, such as a player."""
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": text}}


def folded(source):
    """A cell that is folded, in the place of the one that prints."""
    metadata = {"tags": ["hide-input"]}
    return honest()["cells"][1] | {"source": source, "metadata": metadata}


OUTPUT = "cells 1 outputs 0"
SVG = "cells 2 outputs 0 data image/svg+xml"
DOCTORED = [
    ("executed_in_order", "cells 1 execution_count", None),
    ("executed_in_order", "cells 2 execution_count", 3),
    ("plain_python", "cells 1 source", "%%capture\nprint(0.25)"),
    ("plain_python", "cells 1 source", "!date"),
    ("no_way_round_nbval", "cells 1 source", "# NBVAL_IGNORE_OUTPUT\nprint(0.25)"),
    ("no_way_round_nbval", "cells 1 metadata tags", ["nbval-skip"]),
    ("no_way_round_nbval", "cells 1 metadata tags", ["raises-exception"]),
    ("typed_cell_by_cell", "cells 1", folded("def draw():\n    print(0.25)")),
    ("typed_cell_by_cell", "cells 1", folded("draw = Derivation('0.25')")),
    ("nothing_left_to_write", "cells 0 source", "TODO: two to five slips."),
    ("nothing_left_to_write", "cells 1 source", "print(0.25)  # TODO: your experiment"),
    ("nothing_left_to_write", "cells 2 metadata mystnb image alt", "TODO: what is there"),
    ("quiet_outputs", OUTPUT, {"output_type": "stream", "name": "stderr", "text": "careful"}),
    ("quiet_outputs", OUTPUT, {"output_type": "error", "ename": "ValueError"}),
    ("quiet_outputs", OUTPUT + " text", "10 %\r20 %"),
    ("compared_outputs", "cells 2 outputs 0 data image/png", "iVBORw0KGgo="),
    ("same_on_any_machine", OUTPUT + " text", "<Dense object at 0x7f3a5c1d2e80>"),
    ("same_on_any_machine", OUTPUT + " text", "read /home/ada/book/data.csv"),
    ("same_on_any_python", "cells 1 source", "print(sum([0.1] * 10))"),
    ("same_on_any_python", "cells 1 source", "print([*map(sum, rows)])"),
    ("same_on_any_python", "cells 1 source", "print(f'{sum(x * (x > 0) for x in row)}')"),
    ("same_on_any_python", "cells 1 source", "print(sum((x > 0 for x in row), 0.1))"),
    ("same_on_any_python", "cells 1 source", "print(sum(x > 0 for x in row))"),
    ("thresholds_in_the_ledger", "cells 1 source", "confirm('A', x=error < limit)"),
    ("thresholds_in_the_ledger", "cells 1 source", "confirm('A', x=len(errors) == 0)"),
    ("thresholds_in_the_ledger", "cells 1 source", "x = a[0] == [1]\nconfirm('A', x=x)"),
    ("thresholds_in_the_ledger", "cells 1 source", "confirm('A', x=np.allclose(a, b))"),
    ("thresholds_in_the_ledger", "cells 1 source", "confirm('A', x=like(a, b, rtol=small))"),
    ("tidy_metadata", "cells 1 metadata execution", {"iopub.execute_input": "2024-01-01"}),
    ("tidy_metadata", "metadata kernelspec name", "ada-venv"),
    ("tidy_metadata", "metadata language_info version", "3.11.7"),
    ("tidy_metadata", "metadata widgets", {}),
    ("small_enough", OUTPUT + " text", "x" * (honesty.MAX_BYTES + 1)),
    ("figures_in_words", "cells 2 metadata", {}),
    ("figures_alone", SVG, "<svg><metadata><dc:date>2024-01-01</dc:date></metadata></svg>"),
    ("figures_alone", SVG, '<svg><image xlink:href="https://example.org/a.png"/></svg>'),
    ("figures_in_words", OUTPUT, html('<img src="data:image/svg+xml,%3Csvg/%3E">')),
    ("figures_in_words", OUTPUT, html('<img alt=" " src="data:image/svg+xml,%3Csvg/%3E">')),
    ("figures_alone", OUTPUT, html('<img alt="A curve." src="https://example.org/a.svg">')),
    ("figures_alone", OUTPUT, html("<script>fetch(location)</script>")),
    ("figures_alone", OUTPUT, html('<p onclick="fetch(location)">Here.</p>')),
    (
        "figures_alone",
        OUTPUT,
        html('<img alt="A curve." src="data:image/svg+xml,%3Cuse href=\'a.svg\'/%3E">'),
    ),
    ("figures_compared_as_text", OUTPUT, html('<img alt="A." src="data:image/png;base64,iVBO">')),
    ("figures_compared_as_text", OUTPUT, html('<img alt="A.">')),
    (
        "figures_compared_as_text",
        OUTPUT,
        html('<img alt="A." src="data:image/svg+xml,%3Cimage href=\'data:image/png,\'/%3E">'),
    ),
]


def test_every_rule_accepts_the_honest_chapter():
    for rule in honesty.RULES:
        assert rule(Chapter("honest", honest())) == []


def test_every_rule_accepts_a_player():
    svg = "<svg><path id='p' d='M 0.26 1'/><g clip-path='url(#p)'><use href='#p'/></g></svg>"
    shown = player([svg, svg], ["0.3", "0.4"], alt="A curve.").html
    for rule in honesty.RULES:
        assert rule(doctored(OUTPUT, html(shown))) == []


def test_a_derivation_may_stay_folded_where_code_is_held_against_it():
    chapter = doctored("cells 1", folded("quarter = Derivation('0.25')"))
    chapter.code[1]["source"] = "quarter.confirm_code(draw, [])"
    assert honesty.typed_cell_by_cell(chapter) == []


@pytest.mark.parametrize("name, path, value", DOCTORED)
def test_every_rule_finds_its_fault(name, path, value):
    assert getattr(honesty, name)(doctored(path, value)) != []


def test_every_rule_is_among_them():
    assert {rule.__name__ for rule in honesty.RULES} == {name for name, _, _ in DOCTORED}


def unaccounted(text):
    chapter = doctored("cells 0 source", text)
    return honesty.unaccounted_numbers(chapter, honesty.accounted_for(chapter))


@pytest.mark.parametrize(
    "text", ["0.512, -0.512 and 51.2 %", r"$51.2\,\%$", "0.25", "2.0 and 5.0", "1. two 3", "v2.4.6"]
)
def test_printed_numbers_are_accepted(text):
    assert unaccounted(text) == []


@pytest.mark.parametrize(
    "text", ["0.51", "0.513", "$x = 0.513$", "`0.513`", "5e-1", "25.1 %", r"2.0 \times 10^{-7}"]
)
def test_a_number_from_nowhere_is_found(text):
    assert len(unaccounted(text)) == 1


def test_a_caption_is_prose_too():
    chapter = doctored("cells 2 metadata mystnb figure", {"caption": "Highest at 0.26."})
    assert honesty.unaccounted_numbers(chapter, honesty.accounted_for(chapter)) == ["0.26"]


def test_a_player_vouches_for_its_captions_only():
    """Not for its alt text, which is prose, nor for the coordinates in its pictures."""
    shown = player(["<svg><path d='M 0.26 1'/></svg>"], ["at 0.27"], alt="Highest at 0.28.").html
    chapter = doctored(OUTPUT, html(shown))
    chapter.notebook["cells"][1]["source"] = 'player(frames, captions, alt="Highest at 0.28.")'
    known = honesty.accounted_for(chapter)
    assert honesty.Decimal("0.27") in known
    assert not known & {honesty.Decimal("0.26"), honesty.Decimal("0.28")}
    assert "0.28" in honesty.unaccounted_numbers(chapter, known)


def test_a_comment_prints_nothing():
    chapter = doctored("cells 1 source", "print(1)  # 0.26")
    assert honesty.Decimal("0.26") not in honesty.accounted_for(chapter)


def test_the_ledger_is_read_number_by_number(tmp_path):
    ledger = tmp_path / "ledger.toml"
    ledger.write_text('# 0.1\n[G]\nloss = 0.690\nepochs = 10001\ntext = "about 0.25"\n')
    assert honesty.ledger_numbers(ledger) == {honesty.Decimal(n) for n in ("0.69", "10001", "0.25")}


def test_a_missing_or_stray_page_is_found():
    toc = {"root": "book/intro", "parts": [{"chapters": [{"file": "book/sigmoid"}]}]}
    both = {"book/intro", "book/sigmoid"}
    assert honesty.toc_faults(toc, both) == []
    assert honesty.toc_faults(toc, both - {"book/sigmoid"}) != []
    assert honesty.toc_faults(toc, both | {"book/stray"}) != []


STRICT = {"addopts": [*honesty.ADDOPTS - {"-m", "not slow"}, "-m", "not slow"]}
STRICT["testpaths"] = ["tests", "nnfs_book", "book"]


def test_a_strict_call_of_pytest_has_no_fault():
    assert honesty.pytest_faults(STRICT) == []


@pytest.mark.parametrize(
    "changed",
    [
        *({"addopts": [w for w in STRICT["addopts"] if w != word]} for word in honesty.ADDOPTS),
        *(
            {"addopts": STRICT["addopts"] + more.split()}
            for more in ("--nbval-lax", "--nbval-sanitize-with=x", "--deselect=x", "-k x", "-m x")
        ),
        {"addopts": STRICT["addopts"][:-1] + ["not slow and not book"]},
        {"testpaths": ["tests", "nnfs_book"]},
        {"norecursedirs": ["book"]},
        {"filterwarnings": ["ignore"]},
    ],
)
def test_a_lenient_call_of_pytest_is_found(changed):
    assert honesty.pytest_faults(STRICT | changed) != []
