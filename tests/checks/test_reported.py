"""The ledger is complete, its verdicts follow from the evidence, and the chapters carry them."""

import dataclasses
import json
import re
import tomllib
from decimal import Decimal

import honesty
import numpy as np
import pytest

from nnfs_book.checks import ledger as reported
from nnfs_book.checks.ledger import (
    NotConfirmed,
    as_printed,
    claim,
    compare_log,
    confirm,
    confirmations,
    verdict,
)

LEDGER = reported.ledger()
FIGURES = ["N0", "A", "B", "C", "D", "E", "F", "G"]
IN_TOC = {page.rsplit("/")[-1] for page in re.findall(r"book/\w+", str(honesty.read_toc()))}


class Proof:
    """What `confirm` asks of a derivation."""

    def __init__(self, steps=3):
        self.steps = steps
        self.statement = r"\sigma' = \sigma (1 - \sigma)"

    def __len__(self):
        return self.steps


def rerun(**figures):
    return {"figures": figures}


@pytest.fixture
def toy(monkeypatch):
    """Put a claim of given fields, and an ensemble of given members, in place of the real ones."""

    def put(members=(), **fields):
        entry = dataclasses.replace(LEDGER["S2-15"], id="T", **fields)
        monkeypatch.setattr(reported, "ledger", lambda: {"T": entry})
        monkeypatch.setattr(reported, "load", lambda name, kind: list(members))

    return put


# The ledger itself


def test_every_claim_and_figure_is_there():
    counts = {"S1": 9, "S2": 18, "S3": 10}
    ids = [f"{source}-{n:02}" for source, last in counts.items() for n in range(1, last + 1)]
    assert list(LEDGER) == ids + FIGURES


def test_the_doubted_claims_say_what_is_doubted():
    doubted = [id for id, entry in LEDGER.items() if entry.doubt]
    assert doubted == ["S2-02", "S2-05", "S2-07", "S2-12", "S2-13", "S3-02", "S3-04"]


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
    if rows and rows[-1]["epoch"] == "10000":
        assert all(row == entry.values[name] for name, row in rows[-1].items() if name != "epoch")


def test_learning_rates_follow_from_the_decay():
    """At epoch t the rate is that of the step before: rate / (1 + decay (t - 1))."""
    for id in FIGURES:
        if "learning_rate" in LEDGER[id].values:
            rate, decay = re.search(r"Adam ([\d.]+) \((5e-\d)\)", LEDGER[id].statement).groups()
            for name, epoch in (("learning_rate", 10_000), ("learning_rate_at_9900", 9_900)):
                if name in LEDGER[id].values:
                    expected = float(rate) / (1 + float(decay) * (epoch - 1))
                    assert repr(expected) == LEDGER[id].values[name]


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


# Verdicts

TWENTY = [0.30, *np.linspace(0.40, 0.50, 18), 0.60]  # band 0.40 to 0.50, range 0.30 to 0.60


@pytest.mark.parametrize(
    ("reported_number", "ours", "expected"),
    [
        ("0.450", 0.4495001, "same"),  # half a unit of the last printed place below...
        ("0.450", 0.4494999, "within"),
        ("0.450", 0.4504999, "same"),  # ...and above
        ("0.450", 0.4505001, "within"),
        ("0.400", 0.45, "within"),
        ("0.500", 0.45, "within"),
        ("0.399", 0.45, "edge"),
        ("0.501", 0.45, "edge"),
        ("0.300", 0.45, "edge"),
        ("0.600", 0.45, "edge"),
        ("0.299", 0.45, "outside"),
        ("0.601", 0.45, "outside"),
        ("0.299", 0.299, "same"),
        ("0.45", 0.453, "same"),
        ("0.6", 0.45, "edge"),  # a single decimal reaches further
        ("0.5", 0.44, "within"),
        ("0.7", 0.45, "outside"),
    ],
)
def test_verdict(reported_number, ours, expected):
    assert verdict(reported_number, ours, TWENTY) == expected


@pytest.mark.parametrize("end", [0.4, 0.5, 0.3, 0.6])
def test_half_a_printed_unit_decides(end):
    """An end of the band or of the range just half a printed unit away still counts."""
    inward = 1 if end in (0.4, 0.3) else -1
    near = [value if value != end else end + inward * 0.00049 for value in TWENTY]
    far = [value if value != end else end + inward * 0.00051 for value in TWENTY]
    assert verdict(f"{end:.3f}", 0.45, near) == verdict(f"{end:.3f}", 0.45, TWENTY)
    assert verdict(f"{end:.3f}", 0.45, far) != verdict(f"{end:.3f}", 0.45, TWENTY)


def test_the_luckiest_three_percent_are_the_edge():
    reruns = [0.433, *np.linspace(0.45, 0.572, 39)]
    assert verdict("0.435", 0.503, reruns) == "edge"


def test_verdict_without_an_ensemble():
    assert verdict("0.88", 0.8808) == "same"
    assert verdict("0.88", 0.8857) == "outside"
    assert verdict("inf", np.inf) == "same"
    assert verdict("inf", 1e308) == "outside"


# Confirming


def test_table_of_figures(toy, capsys):
    ours = {"loss": 0.4444, "validation_loss": 0.5, "learning_rate": 0.00099502}
    reruns = [rerun(**{**ours, "loss": x, "validation_loss": x / 2}) for x in TWENTY]
    toy(
        [rerun(**ours), *reruns],
        ensemble="rounding",
        values={"loss": "0.399", "validation_loss": "0.200", "learning_rate": "0.00099502"},
    )
    confirm("T", **ours)
    assert capsys.readouterr().out == (
        "ledger T · binary logistic regression\nreported by Kinsley & Kukieła, chapter 16\n"
        "quantity         reported  ours   5–95 % band    all 20 reruns  verdict\n"
        "loss             0.399     0.444  0.400 … 0.500  0.300 … 0.600  edge\n"
        "validation loss  0.200     0.500  0.200 … 0.250  0.150 … 0.300  within\n"
        "quantity       reported    ours        verdict\n"
        "learning rate  0.00099502  0.00099502  same\n"
        "verdict    edge\n"
    )


def test_figures_may_hold_more_than_what_was_reported(toy, capsys):
    toy(values={"loss": "0.5"})
    confirm("T", figures={"loss": 0.5, "accuracy": 0.9})
    confirm("T", loss=0.5)
    first, second = capsys.readouterr().out.split("ledger")[1:]
    assert first == second
    with pytest.raises(ValueError, match="missing or unknown here: loss"):
        confirm("T", figures={"accuracy": 0.9})


def test_corrected_claim(capsys):
    confirm(
        "S2-05",
        Proof(),
        checks={"without clipping, the gradient is infinite": np.bool_(True)},
        corrected="Both passes clip.",
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == r"proved     \sigma' = \sigma (1 - \sigma) (3 steps)"
    assert lines[3] == "holds      without clipping, the gradient is infinite"
    assert lines[4].startswith("doubted    The source's backward pass does not clip")
    assert lines[-2:] == ["corrected  Both passes clip.", "verdict    corrected"]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ((("S2-08", Proof()), {}), "proved"),
        ((("S2-08", Proof(), Proof()), {"checks": {"so": True}}), "proved"),
        ((("S2-15",), {"checks": {"so": True}}), "holds"),
        ((("S2-09",), {"means": [2, 4, 5, 12, 10]}), "same"),
        ((("S2-09", Proof()), {"means": [2, 4, 5, 12, 10]}), "proved"),
        ((("S2-09", Proof()), {"means": [2, 4, 5, 12, 11]}), "outside"),
        ((("S1-06",), {"loss": [-0.0, np.log(2), np.log(4), np.inf]}), "same"),
    ],
)
def test_final_verdict(evidence, expected, capsys):
    arguments, named = evidence
    confirm(*arguments, **named)
    assert capsys.readouterr().out.splitlines()[-1] == f"verdict    {expected}"


MEANS = [2, 4, 5, 12, 10]


@pytest.mark.parametrize(
    ("arguments", "named", "error", "message"),
    [
        (["H"], {}, ValueError, "id must be one of"),
        (["S2-09"], {}, ValueError, "S2-09 reports means; .*: means"),
        (["S2-09"], {"means": MEANS, "sum": 1}, ValueError, "S2-09 reports means; .*: sum"),
        (["S2-08"], {"loss": 1}, ValueError, "S2-08 reports no number; .*: loss"),
        (["S2-08"], {}, ValueError, "S2-08 needs evidence"),
        (["S2-08"], {"checks": {}}, ValueError, "S2-08 needs evidence"),
        (["S2-05"], {"corrected": "Clip."}, ValueError, "S2-05 needs evidence"),
        (["S2-05", Proof()], {}, ValueError, "corrected is wanted for S2-05"),
        (["S2-08", Proof()], {"corrected": "So."}, ValueError, "corrected is not wanted for S2-08"),
        (["S2-08", True], {}, TypeError, "must be of type Derivation, got True"),
        (["S2-08", Proof(0)], {}, NotConfirmed, "S2-08: a derivation without a step"),
        (["S2-08"], {"checks": {"so": 1}}, TypeError, "must be True or False, got 1 for 'so'"),
        (["S2-08"], {"checks": {"so": False}}, NotConfirmed, "S2-08: it does not hold that so"),
        (["S2-08"], {"checks": {"a": True, "b": np.bool_(False)}}, NotConfirmed, "hold that b"),
        (["S2-09"], {"means": "2 4 5 12 10"}, TypeError, "must be numbers"),
    ],
)
def test_nothing_is_printed_without_evidence(arguments, named, error, message, capsys):
    with pytest.raises(error, match=message):
        confirm(*arguments, **named)
    assert capsys.readouterr().out == ""


def test_a_correction_needs_more_than_numbers(toy):
    toy(values={"loss": "0.5"}, doubt="Hardly.")
    with pytest.raises(ValueError, match="needs evidence"):
        confirm("T", loss=0.5, corrected="So.")


def test_ours_has_to_be_the_run_that_the_ensemble_started_from(toy):
    toy([rerun(loss=0.5), rerun(loss=0.6)], ensemble="rounding", values={"loss": "0.500"})
    confirm("T", loss=0.5)
    with pytest.raises(NotConfirmed, match="loss is 0.5000001, not that of member 0"):
        confirm("T", loss=0.5000001)


def test_a_changed_digit_of_the_ledger_changes_the_verdict(toy, capsys):
    for printed, expected in (("0.500", "same"), ("0.600", "within"), ("0.601", "outside")):
        toy([rerun(loss=0.5), rerun(loss=0.6)], ensemble="rounding", values={"loss": printed})
        confirm("T", loss=0.5)
        assert capsys.readouterr().out.splitlines()[-1].split()[-1] == expected


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
        "epoch  accuracy  ours  data loss  ours   verdict\n"
        "0      0.50      0.50  0.693      0.693  same\n"
        "100    0.63      0.63  0.674      0.674  same\n"
        "300    0.65      0.65  0.664      0.664  same\n"
        "The runs agree in all 3 printed rows.\n"
    )


def test_logs_that_part(toy, capsys):
    toy(log=LOG)
    compare_log("T", our_log(data_loss=0.6651))
    *_, row, ending = capsys.readouterr().out.splitlines()
    assert row == "300    0.65      0.65  0.664      0.665  outside"
    assert ending == "The first row that parts is that of epoch 300, after 2 of 3 printed rows."


def test_a_row_has_the_verdict_of_its_worst_number(toy, capsys):
    def logged(loss):
        return {"log": {"epoch": [100], "accuracy": [0.5], "loss": [loss]}}

    ours = [{"epoch": 100, "accuracy": 0.5, "loss": 0.5}]
    members = [logged(0.5), logged(1.0), *[logged(0.6 + n / 100) for n in range(19)]]
    for accuracy, loss, expected in (
        ("0.50", "0.50", "same"),
        ("0.50", "0.78", "within"),
        ("0.50", "1.00", "edge"),
        ("0.50", "0.59", "outside"),
        ("0.51", "0.78", "outside"),
    ):
        printed = {"columns": ["epoch", "accuracy", "loss"], "rows": [["100", accuracy, loss]]}
        toy(members, ensemble="rounding", log=printed)
        compare_log("T", ours)
        assert capsys.readouterr().out.splitlines()[3].split()[-1] == expected
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
    confirm("S2-05", Proof(), corrected="something " * 30)
    both = capsys.readouterr().out
    notebook(tmp_path, "one", "no ledger here\n", "before\n" + both + "after\n")
    found = confirmations(tmp_path)
    assert list(found) == ["S2-05", "S2-08"]  # as in the ledger
    assert {c.chapter for c in found.values()} == {"one"}
    assert [c.verdict for c in found.values()] == ["corrected", "proved"]
    assert [c.corrected for c in found.values()] == [("something " * 30).strip(), ""]
    assert "".join(c.text + "\n" for c in (found["S2-08"], found["S2-05"])) == both


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
