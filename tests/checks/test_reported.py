"""The ledger is complete, its verdicts follow from the evidence, and the chapters carry them."""

import dataclasses
import json
import re
import tomllib
from decimal import Decimal
from fractions import Fraction

import honesty
import numpy as np
import pytest
from sympy import Symbol

from nnfs_book.checks import ledger as reported
from nnfs_book.checks.derivation import Derivation
from nnfs_book.checks.ledger import (
    NotConfirmed,
    as_printed,
    claim,
    compare_log,
    confirm,
    confirmations,
    verdict_table,
)

LEDGER = reported.ledger()
FIGURES = ["N0", "A", "B", "C", "D", "E", "F", "G"]
IN_TOC = {page.rsplit("/")[-1] for page in re.findall(r"book/\w+", str(honesty.read_toc()))}


class Proof:
    """What `confirm` asks of a derivation: by default, that it proves what claim S2-08 says."""

    def __init__(self, theorem=None, steps=3):
        self.steps = steps
        self.theorem = " ".join((theorem or LEDGER["S2-08"].proves[0]).split())

    def __len__(self):
        return self.steps


def rerun(**figures):
    return {"figures": figures}


@pytest.fixture
def toy(monkeypatch):
    """Put a claim of given fields, and an ensemble of given members, in place of the real ones."""

    def put(members=(), **fields):
        fields = {"shown": {}, "helped_by": []} | fields
        entry = dataclasses.replace(LEDGER["S2-15"], id="T", **fields)
        monkeypatch.setattr(reported, "ledger", lambda: {"T": entry})
        monkeypatch.setattr(reported, "load", lambda name, kind: list(members))

    return put


# The ledger itself


def test_every_claim_and_figure_is_there():
    counts = {"S1": 11, "S2": 23, "S3": 12}
    ids = [f"{source}-{n:02}" for source, last in counts.items() for n in range(1, last + 1)]
    assert list(LEDGER) == ids + FIGURES


def test_the_doubted_claims_say_what_is_doubted():
    doubted = [id for id, entry in LEDGER.items() if entry.doubt]
    assert doubted == (
        "S1-10 S2-02 S2-05 S2-07 S2-12 S2-13 S2-19 S2-20 S2-21 S2-22 S2-23 S3-02 S3-04 S3-11 S3-12"
    ).split()


@pytest.mark.parametrize("entry", LEDGER.values(), ids=LEDGER)
def test_every_claim_asks_for_evidence(entry):
    """A number that the ledger doubts is none, and a definition is not proved."""
    assert entry.proves or entry.shown or entry.stated or (entry.values and not entry.doubt)
    assert not (entry.stated and entry.proves)
    for words, condition in entry.shown.values():
        assert words and re.fullmatch(r"is true|(<|<=|==|>=|>) -?\d[\d.]*(e-\d+)?", condition)
    assert not entry.shown.keys() & entry.values.keys()


def test_sources_are_described_in_full():
    sources = tomllib.loads(reported.LEDGER.read_text("utf-8"))["sources"]
    assert list(sources) == ["S1", "S2", "S3"]
    assert all({"name", "title", "kind"} <= set(source) for source in sources.values())
    for id, entry in LEDGER.items():
        assert entry.source == sources[id[:2] if "-" in id else "S2"]["name"]


def printed_numbers():
    for id, entry in LEDGER.items():
        yield from ((f"{id} {name}", printed) for name, printed in entry.values.items())
        for row in entry.log.get("rows", []):
            yield from ((f"{id} log", printed) for printed in row)


@pytest.mark.parametrize(("place", "printed"), list(printed_numbers()))
def test_printed_numbers_are_the_same_as_themselves(place, printed):
    assert as_printed([float(number) for number in printed.split()], printed) == printed


@pytest.mark.parametrize("id", FIGURES)
def test_figures_fit_together(id):
    """The loss is its two parts, as far as three decimals tell; each log ends near the figures."""
    entry = LEDGER[id]
    rows = [dict(zip(entry.log["columns"], row)) for row in entry.log.get("rows", [])]
    for row in [entry.values, *rows]:
        if "data_loss" in row:
            loss, *parts = (
                Decimal(row[name]) for name in ("loss", "data_loss", "regularization_loss")
            )
            assert abs(loss - sum(parts)) <= Decimal("0.001")
    assert entry.rates.keys() <= {row["epoch"] for row in rows}
    if rows and rows[-1]["epoch"] == "10000":
        assert all(row == entry.values[name] for name, row in rows[-1].items() if name != "epoch")


def test_learning_rates_follow_from_the_decay():
    """At epoch t the rate is that of the step before; three of them show how it was rounded."""
    for id in FIGURES:
        if "learning_rate" in LEDGER[id].values:
            rate, decay = re.search(r"Adam ([\d.]+) \((5e-\d)\)", LEDGER[id].statement).groups()
            values = LEDGER[id].values
            printed = [*LEDGER[id].rates.items(), ("10000", values["learning_rate"])]
            if "learning_rate_at_9900" in values:
                printed.append(("9900", values["learning_rate_at_9900"]))
            for epoch, printed_rate in printed:
                expected = float(rate) * (1 / (1 + float(decay) * max(int(epoch) - 1, 0)))
                assert repr(expected) == printed_rate


def test_unknown_claim():
    with pytest.raises(ValueError, match="id must be one of S1-01, .*, G; got 'H'"):
        claim("H")


# Rounding


@pytest.mark.parametrize(
    ("number", "like", "rounded"),
    [
        (0.9654999, "0.965", "0.965"),
        (0.9655001, "0.965", "0.966"),
        (0.0625, "0.000", "0.062"),  # a tie in binary too: to the even digit
        (0.1875, "0.000", "0.188"),
        (2.675, "0.00", "2.67"),  # not a tie: the float lies below 2.675
        (np.float32(0.1), "0.0000000000", "0.1000000015"),  # the exact value of the float32
        (-0.0001, "0.000", "0.000"),  # no minus sign before zero
        (7, "0.0", "7.0"),
        (np.inf, "inf", "inf"),
        (-np.inf, "0.0", "-inf"),
        (np.nan, "0.0", "nan"),
        (np.array([[2, 4.04]]), "2 4.0", "2 4.0"),
    ],
)
def test_as_printed(number, like, rounded):
    assert as_printed(number, like) == rounded


@pytest.mark.parametrize("measured", ["0.965", True, None, [0.1, "x"]])
def test_as_printed_wants_numbers(measured):
    with pytest.raises(TypeError, match="measured values must be numbers"):
        as_printed(measured, "0.965")


def test_as_printed_wants_one_number_for_each():
    with pytest.raises(ValueError, match="5 numbers are wanted .* got 4"):
        as_printed([2, 4, 5, 12], "2 4 5 12 10")


# Confirming


def test_table_of_figures(toy, capsys):
    ours = {"loss": 0.4444, "validation_loss": 0.5, "learning_rate": 0.00099502}
    losses = [0.30, *np.linspace(0.40, 0.50, 18), 0.60]
    reruns = [rerun(**{**ours, "loss": x, "validation_loss": x / 2}) for x in losses]
    toy(
        [rerun(**ours), *reruns],
        ensemble="rounding",
        judged_by="loss",
        second="validation_loss",
        values={"loss": "0.250", "validation_loss": "0.200", "learning_rate": "0.00099502"},
    )
    confirm("T", **ours)
    assert capsys.readouterr().out == (
        "ledger T · binary logistic regression\nreported by Kinsley & Kukieła, chapter 16\n"
        "quantity         reported  ours   20 runs of ours\n"
        "loss             0.250     0.444  0 below, 20 above\n"
        "validation loss  0.200     0.500  1 below, 18 above\n"
        "quantity       reported    ours        verdict\n"
        "learning rate  0.00099502  0.00099502  same\n"
        "judged by  the loss: p = 0.10 among 20 runs of ours; beside it the validation loss: "
        "p = 0.29\n"
        "verdict    consistent\n"
    )


def test_a_figure_is_judged_by_the_runs_of_its_ensemble(monkeypatch, capsys):
    """By the printed program's, which lie elsewhere than ours here."""
    fields = {"ensemble": "printed", "judged_by": "loss", "values": {"loss": "0.500"}}
    entry = dataclasses.replace(LEDGER["S2-15"], id="T", shown={}, helped_by=[], **fields)
    monkeypatch.setattr(reported, "ledger", lambda: {"T": entry})
    first = {"printed": 1.0, "rounding": 0.4}
    monkeypatch.setattr(
        reported, "load", lambda _, kind: [rerun(loss=first[kind] + n / 1000) for n in range(101)]
    )
    confirm("T", loss=0.4)
    assert capsys.readouterr().out.splitlines()[2:] == [
        "quantity  reported  ours   100 runs as printed  100 runs of ours",
        "loss      0.500     0.400  0 below, 100 above   99 below, 0 above",
        "judged by  the loss: p = 0.02 among 100 runs as printed",
        "verdict    unlikely",
    ]


def test_figures_may_hold_more_than_what_was_reported(toy, capsys):
    toy(values={"loss": "0.5"})
    confirm("T", figures={"loss": 0.5, "accuracy": 0.9})
    confirm("T", loss=0.5)
    first, second = capsys.readouterr().out.split("ledger")[1:]
    assert first == second
    with pytest.raises(ValueError, match="missing or unknown here: loss"):
        confirm("T", figures={"accuracy": 0.9})


def test_corrected_claim(toy, capsys):
    toy(
        proves=["x + x = 2*x for x > 0"],
        helped_by=["x = x"],
        shown={"twice": ["without clipping, the gradient is infinite", "is true"]},
        doubt="The source's backward pass does not clip.",
    )
    proofs = Proof("x + x = 2*x for x > 0", 1), Proof("x = x")
    confirm("T", *proofs, twice=np.bool_(True), corrected="Both passes clip.")
    assert capsys.readouterr().out.splitlines()[2:] == [
        "proved     x + x = 2*x for x > 0 (1 step)",
        "helped by  x = x (3 steps)",
        "shown      without clipping, the gradient is infinite",
        "doubted    The source's backward pass does not clip.",
        "corrected  Both passes clip.",
        "verdict    corrected",
    ]


SHOWN = {"shown": {"so": ["it is", "is true"]}}
PROVED = {"proves": ["x = x"]}


@pytest.mark.parametrize(
    ("fields", "given", "expected"),
    [
        (PROVED | SHOWN, {"so": True}, "proved"),
        (PROVED | {"values": {"loss": "0.5"}}, {"loss": 0.5}, "proved"),
        ({"stated": True, "values": {"loss": "0.5"}}, {"loss": 0.5}, "stated"),
        (SHOWN | {"values": {"loss": "0 inf"}}, {"so": True, "loss": [-0.0, np.inf]}, "same"),
        (SHOWN, {"so": True}, "shown"),
    ],
)
def test_final_verdict(toy, fields, given, expected, capsys):
    toy(**fields)
    confirm("T", *map(Proof, fields.get("proves", [])), **given)
    assert capsys.readouterr().out.splitlines()[-1] == f"verdict    {expected}"


def test_a_derivation_that_only_helps_proves_nothing(toy, capsys):
    toy(helped_by=["x = x"], **SHOWN)
    confirm("T", Proof("x = x"), so=True)
    assert capsys.readouterr().out.splitlines()[-1] == "verdict    shown"


def derived(where, *lines):
    first, *others = lines
    derivation = Derivation(first, symbols=[Symbol("z", real=True)], where=where)
    for line in others:
        derivation.step(line, because="so")
    return derivation


def test_proved_is_the_claims_own_statement_under_its_own_conditions():
    sigma = ["sigma(z) == 1/(1 + exp(-z))"]
    slope, claimed = "Derivative(1/(1 + exp(-z)), z)", "sigma(z) * (1 - sigma(z))"
    confirm("S2-08", derived(sigma, slope, claimed))
    for other in (
        derived(sigma, slope, "sigma(z) - sigma(z)**2"),
        derived(sigma, "sigma(z)", "sigma(z) + 0"),
        derived([*sigma, "tau(z) == z"], slope, claimed),
    ):
        with pytest.raises(NotConfirmed, match="(?s)S2-08 wants .*it lacks .*it wants no "):
            confirm("S2-08", other)


@pytest.mark.parametrize(
    ("condition", "met", "missed"),
    [
        ("< 0.001", 0.0009999, [0.001, np.float32(0.0011), np.nan, np.inf]),
        ("<= 0.5", Fraction(1, 2), [0.5000001]),
        ("== 4810", np.int64(4810), [4811, 4810.000001]),
        (">= 1", 1, [0.9999999]),
        ("> -0.5", 0, [-0.5, np.nan]),
        ("is true", np.bool_(True), [False, np.bool_(False)]),
    ],
)
def test_the_ledgers_condition_is_held_against_what_was_measured(toy, condition, met, missed):
    toy(shown={"number": ["the number is", condition]})
    confirm("T", number=met)
    for value in missed:
        message = f"T: it does not hold that the number is {condition}: number is {value!r}"
        with pytest.raises(NotConfirmed, match=re.escape(message)):
            confirm("T", number=value)


@pytest.mark.parametrize(
    ("condition", "value"),
    [("< 1", True), ("< 1", np.bool_(False)), ("< 1", "0"), ("< 1", np.zeros(1)), ("< 1", None)]
    + [("is true", 1), ("is true", 0.0), ("is true", None), ("is true", "yes")],
)
def test_a_truth_is_no_number_and_a_number_no_truth(toy, condition, value):
    toy(shown={"it": ["it is", condition]})
    with pytest.raises(TypeError, match="it must be (a number|True or False), got "):
        confirm("T", it=value)


@pytest.mark.parametrize(
    ("arguments", "named", "error", "message"),
    [
        (["H"], {}, ValueError, "id must be one of"),
        (["S1-06"], {}, ValueError, "S1-06 wants loss, off_the_clip; .*: loss, off_the_clip"),
        (["S1-06"], {"loss": 1, "off_the_clip": 0, "sum": 1}, ValueError, "unknown here: sum"),
        (["S2-08", Proof()], {"loss": 1}, ValueError, "S2-08 wants no value; .*: loss"),
        (["S2-08"], {}, NotConfirmed, "S2-08 wants .*proved, as the ledger lists it"),
        (["S2-08", Proof(), Proof()], {}, NotConfirmed, "order and each once"),
        (["S2-19", Proof()], {"as_derived": 1, "as_printed_first": 1}, ValueError, "is wanted"),
        (["S2-08", Proof()], {"corrected": "So."}, ValueError, "corrected is not wanted for S2-08"),
        (["S2-08", True], {}, TypeError, "must be of type Derivation, got True"),
        (["S2-08", Proof(steps=0)], {}, NotConfirmed, "S2-08: a derivation without a step"),
        (["S1-06"], {"loss": "0 1", "off_the_clip": 0}, TypeError, "must be numbers"),
    ],
)
def test_nothing_is_printed_without_evidence(arguments, named, error, message, capsys):
    with pytest.raises(error, match=message):
        confirm(*arguments, **named)
    assert capsys.readouterr().out == ""


def test_ours_has_to_be_the_run_that_the_ensemble_started_from(toy):
    both = {"ensemble": "rounding", "values": {"loss": "0.500"}, **SHOWN}
    toy([rerun(loss=0.5), rerun(loss=0.6)], **both)
    confirm("T", loss=0.5, so=True)
    with pytest.raises(NotConfirmed, match="loss is 0.5000001, not that of member 0"):
        confirm("T", loss=0.5000001, so=True)


def test_what_is_shown_beside_an_ensemble_is_no_figure_of_its_runs(toy, capsys):
    shown = {"share": ["a share", "> 0.5"]}
    toy([rerun(loss=0.5), rerun(loss=0.6)], ensemble="rounding", values={"loss": "0.5"}, shown=shown)
    confirm("T", loss=0.5, share=0.75)
    assert "shown      a share > 0.5" in capsys.readouterr().out


def test_without_chance_another_number_is_refused(toy, capsys):
    toy(values={"loss": "0.501"})
    with pytest.raises(NotConfirmed, match="T: loss is reported as 0.501, ours is 0.500"):
        confirm("T", loss=0.5)
    assert capsys.readouterr().out == ""


def test_a_doubted_number_may_be_another(toy, capsys):
    toy(values={"loss": "2 4"}, doubt="A mean of two is half their sum.")
    confirm("T", loss=[1, 2], corrected="They are 1 and 2.")
    assert "loss      2 4       1 2   other" in capsys.readouterr().out


def test_the_table_of_a_chapter_has_what_its_claims_have_earned(toy, monkeypatch):
    monkeypatch.setattr(reported, "_earned", {})
    says = {"shown": {"x": ["it is", "is true"]}, "values": {}, "proves": [], "stated": False}
    toy(chapter="toys", statement="A |w|\nis never negative.", **says)
    with pytest.raises(ValueError, match="not confirmed yet: T$"):
        verdict_table("toys")
    confirm("T", x=True)
    origin = "T, Kinsley & Kukieła, chapter 16"
    row = f"| {origin} | A \\|w\\| is never negative. | shown |"
    assert verdict_table("toys").data.splitlines()[2:] == [row]


# Logs

LOG = {"columns": ["epoch", "accuracy", "data_loss"], "rows": [["0", "0.50", "0.693"]]}
LOG["rows"] += [["100", "0.63", "0.674"], ["300", "0.65", "0.664"]]


def our_log(**last):
    rows = [(0, 0.5, 0.6931), (100, 0.631, 0.6744), (200, 0.0, 0.0), (300, 0.65, 0.664)]
    rows = [dict(zip(["epoch", "accuracy", "data_loss"], row)) for row in rows]
    return [*rows[:-1], {**rows[-1], **last}]


def test_logs_that_agree(toy, capsys):
    toy(log=LOG)
    compare_log("T", our_log())
    assert capsys.readouterr().out == (
        "log T · binary logistic regression\nreported by Kinsley & Kukieła, chapter 16\n"
        "epoch  accuracy  ours  data loss  ours\n"
        "0      0.50      0.50  0.693      0.693\n"
        "100    0.63      0.63  0.674      0.674\n"
        "300    0.65      0.65  0.664      0.664\n"
        "The runs agree in all 3 printed rows.\n"
    )


def test_logs_that_part(toy, capsys):
    toy(log=LOG)
    compare_log("T", our_log(data_loss=0.6651))
    *_, row, ending = capsys.readouterr().out.splitlines()
    assert row == "300    0.65      0.65  0.664      0.665"
    assert ending == "The first row that parts is that of epoch 300, after 2 of 3 printed rows."


def test_printed_learning_rates_have_to_be_ours(toy, capsys):
    toy(log=LOG, rates={"100": "0.0999", "300": "0.0997"})
    rows = [{**row, "learning_rate": rate} for row, rate in zip(our_log(), (1, 0.0999, 0, 0.0997))]
    compare_log("T", rows)
    ending = capsys.readouterr().out.splitlines()[-1]
    assert ending == "All 2 printed learning rates are ours, to the last digit."
    rows[1]["learning_rate"] = 0.0998
    with pytest.raises(NotConfirmed, match="T: the rate at epoch 100 is reported as 0.0999, ours"):
        compare_log("T", rows)


def test_the_log_has_to_be_that_of_the_run_that_the_ensemble_started_from(toy):
    ours = [{"epoch": 100, "accuracy": 0.5, "loss": 0.5}]
    printed = {"columns": ["epoch", "accuracy", "loss"], "rows": [["100", "0.50", "0.50"]]}
    first = {"log": {"epoch": [0, 100], "accuracy": [0.1, 0.5], "loss": [0.9, 0.5]}}
    toy([first, first], ensemble="rounding", log=printed)
    compare_log("T", ours)
    with pytest.raises(NotConfirmed, match="T: loss at epoch 100 is 0.5001, not that of member 0"):
        compare_log("T", [{**ours[0], "loss": 0.5001}])


def test_log_refuses(toy):
    with pytest.raises(ValueError, match="S2-08 has no log"):
        compare_log("S2-08", [])
    toy(log=LOG)
    with pytest.raises(ValueError, match="rows lack 300 at printed epoch 300"):
        compare_log("T", our_log()[:3])
    with pytest.raises(ValueError, match="rows lack 'accuracy' at printed epoch 0"):
        compare_log("T", [{"epoch": 0, "data_loss": 0.6931}])


# The chapters


def headings(chapter):
    """The (kind, id) of every confirmation and every log that a chapter printed."""
    printed = "".join(text for _, text in chapter.shown("stream"))
    return set(re.findall(r"^(ledger|log) (\S+) · ", printed, flags=re.MULTILINE))


CHAPTERS = [honesty.read_chapter(path) for path in honesty.pages(".ipynb")]
PRINTED = {chapter.name.removesuffix(".ipynb"): headings(chapter) for chapter in CHAPTERS}


def notebook(folder, name, *outputs):
    """Write a notebook with a cell for each printed output."""
    cells = [{"cell_type": "markdown", "source": "ledger S1-01 · in prose\nverdict    same"}]
    cells += [{"outputs": [{"output_type": "stream", "text": text}]} for text in outputs]
    (folder / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")


def test_confirmations_are_collected_from_outputs(tmp_path, capsys):
    confirm("S2-08", Proof())
    claim_19 = {"as_printed_first": 1.25, "as_derived": -1.25, "corrected": "something " * 30}
    confirm("S2-19", Proof(LEDGER["S2-19"].proves[0]), **claim_19)
    both = capsys.readouterr().out
    notebook(tmp_path, "one", "no ledger here\n", "before\n" + both + "after\n")
    found = confirmations(tmp_path)
    assert list(found) == ["S2-08", "S2-19"]  # as in the ledger
    assert {c.chapter for c in found.values()} == {"one"}
    assert [c.verdict for c in found.values()] == ["proved", "corrected"]
    assert [c.corrected for c in found.values()] == ["", ("something " * 30).strip()]
    assert "".join(c.text + "\n" for c in found.values()) == both


def test_a_claim_is_confirmed_once(tmp_path, capsys):
    confirm("S2-08", Proof())
    printed = capsys.readouterr().out
    notebook(tmp_path, "one", printed)
    notebook(tmp_path, "two", printed)
    with pytest.raises(ValueError, match="S2-08 is confirmed in one and two"):
        confirmations(tmp_path)


def test_every_claim_belongs_to_a_chapter():
    assert {entry.chapter for entry in LEDGER.values()} <= IN_TOC


@pytest.mark.parametrize("id", LEDGER)
def test_claim_is_confirmed_in_its_chapter(id):
    chapter = LEDGER[id].chapter
    assert ("ledger", id) in PRINTED.get(chapter, set())
    assert not LEDGER[id].log or ("log", id) in PRINTED[chapter]


def test_chapters_confirm_known_claims_only():
    assert {id for printed in PRINTED.values() for _, id in printed} <= set(LEDGER)
