"""The ledger: what the sources report, what this book finds, and the verdict.

What a chapter has to bring for a claim, and what has to hold of it, stands in the ledger; a chapter
brings derivations and measured values, and no threshold. Each kind of evidence is printed with what
it says:

numbers
    A reported number is compared *as printed*: ours is rounded to the decimals that the source
    printed, as Python's formatting rounds (the exact binary value, to the nearest decimal, a tie
    to the even digit), the same on every machine. It has to be the *same*. There is no other
    tolerance than the printed decimals. One that the ledger doubts may be *other*.
numbers that chance has a hand in
    They are shown beside the runs of the claim's ensemble, with how many lie below and above. One
    of them, named in the ledger, judges the claim: *consistent* or *unlikely* (see `verdicts`).
derivations
    *proved*: a `Derivation` begins and ends with the claim's own formula, under the conditions that
    stand with it in the ledger. *helped by*: one that the argument needs beside it.
measured values and truths
    *shown*: the condition that the ledger sets for a value, such as ``< 0.001``, is met, or a
    statement is true. The value is not printed: plain NumPy may give it other last digits
    elsewhere.

The verdict on the whole claim is the first that applies: *corrected* for a claim that the ledger
doubts, *consistent* or *unlikely* if a number judges it, *proved* if its own formula is, *stated*
if it is a definition, in which there is nothing to prove, *same* if it reports a number, else
*shown*.
"""

import json
import operator
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from numbers import Real
from pathlib import Path
from textwrap import TextWrapper

import numpy as np

from nnfs_book.checks.ensembles import load
from nnfs_book.checks.verdicts import rank

LEDGER = Path(__file__).parents[1] / "records" / "reported.toml"
CALLED = {  # the runs of an ensemble, in a heading
    "printed": "runs as printed",
    "rounding": "runs of ours",
    "seeds": "other seeds",
}
CONDITIONS = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
CONFIRMED = re.compile(
    r"^ledger (?P<id>\S+) · (?:(?!^ledger ).)*?"
    r"(?:^corrected  (?P<corrected>(?:(?!^verdict ).)*))?^verdict    (?P<verdict>\w+)$",
    re.MULTILINE | re.DOTALL,
)
_earned = {}  # by claim: the verdict of its last confirmation, for `verdict_table`
WRAPPER = TextWrapper(96, "", " " * 11, break_long_words=False, break_on_hyphens=False)


class NotConfirmed(AssertionError):
    """A check that should hold does not."""


@dataclass(frozen=True)
class Claim:
    """One entry of the ledger; ``records/reported.toml`` explains the fields."""

    id: str
    source: str
    title: str
    statement: str
    chapter: str
    where: str = ""
    doubt: str = ""
    ensemble: str = ""
    judged_by: str = ""
    second: str = ""
    stated: bool = False
    proves: list = field(default_factory=list)
    helped_by: list = field(default_factory=list)
    shown: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    rates: dict = field(default_factory=dict)
    log: dict = field(default_factory=dict)


@cache
def ledger():
    """Return all claims by id, in the ledger's order."""
    entries = tomllib.loads(LEDGER.read_text(encoding="utf-8"))
    sources = {key: source["name"] for key, source in entries["sources"].items()}
    return {
        id: Claim(**{"id": id, **entry, "source": sources[entry["source"]]})
        for id, entry in entries["claims"].items()
    }


def claim(id):
    """Return one claim of the ledger, or raise ValueError if it has none of that id.

    Examples
    --------
    >>> claim("S2-08").chapter
    'sigmoid'
    """
    if id not in ledger():
        raise ValueError(f"id must be one of {', '.join(ledger())}; got {id!r}")
    return ledger()[id]


def as_printed(measured, like):
    """Round a number, or several, to as many decimals as the printed ones have.

    Examples
    --------
    >>> as_printed(0.9649, like="0.965")
    '0.965'
    >>> as_printed([0.0, np.log(2), np.inf], like="0 0.693 inf")
    '0 0.693 inf'
    """
    measured, printed = np.asarray(measured), like.split()
    if measured.dtype.kind not in "fiu":
        raise TypeError(f"measured values must be numbers, got {measured.tolist()!r}")
    if measured.size != len(printed):
        raise ValueError(f"{len(printed)} numbers are wanted beside {like}, got {measured.size}")
    decimals = [len(number.partition(".")[2]) for number in printed]
    return " ".join(f"{float(m):z.{d}f}" for m, d in zip(measured.ravel(), decimals))


def confirm(id, *derivations, figures=None, corrected="", **measured):
    """Print a claim's evidence and the verdict it earns.

    Parameters
    ----------
    id : str
        The claim's id in the ledger.
    *derivations : Derivation
        What the ledger wants proved for the claim, in its order: the claim's own formulas, or those
        of its correction, then what helps.
    figures : dict, optional
        Our values under the ledger's names, those of a training for one; others may be there too.
    corrected : str
        For a doubted claim, and for no other: what is right, in a sentence.
    **measured : number, array or bool
        Our values under the ledger's names, one by one: those of reported numbers, and what is to
        be shown, as a number for a condition and as a truth for a statement.

    Raises
    ------
    ValueError, TypeError
        If a value is missing, unknown or of another kind; if `corrected` is missing for a doubted
        claim, or given for another.
    NotConfirmed
        If a number is another one than the reported, a condition is not met, a derivation is
        missing, proves something else or has no step, or ours is not member 0 of the ensemble.

    Examples
    --------
    >>> confirm("S3-07", from_one_hot=0.28768208, from_class_number=0.28768208, distance=0)
    ledger S3-07 · one loss from two kinds of target
    reported by Loss functions in TensorFlow
    quantity           reported   ours       verdict
    from one hot       0.2876821  0.2876821  same
    from class number  0.2876821  0.2876821  same
    shown      the two losses differ by == 0
    verdict    same
    """
    entry = claim(id)
    wanted = [*entry.values, *entry.shown]
    measured |= {name: value for name, value in (figures or {}).items() if name in wanted}
    if wrong := ", ".join(sorted(measured.keys() ^ set(wanted))):
        wants = ", ".join(wanted) or "no value"
        raise ValueError(f"{id} wants {wants}; missing or unknown here: {wrong}")
    if bool(entry.doubt) != bool(corrected):
        raise ValueError(f"corrected is {'' if entry.doubt else 'not '}wanted for {id}")

    lines = [_heading("ledger", entry), *_numbers(entry, measured), *_proofs(entry, derivations)]
    for name, (words, condition) in entry.shown.items():
        if not _meets(condition, measured[name], name):
            found = f"{name} is {measured[name]!r}"
            raise NotConfirmed(f"{id}: it does not hold that {words} {condition}: {found}")
        lines += _labelled("shown", words if condition == "is true" else f"{words} {condition}")
    if corrected:
        lines += _labelled("doubted", entry.doubt) + _labelled("corrected", corrected)

    judgement, judged = _judgement(entry)
    kinds = [("corrected", corrected), (judged, judged), ("proved", entry.proves)]
    kinds += [("stated", entry.stated), ("same", entry.values), ("shown", True)]
    final = next(kind for kind, applies in kinds if applies)
    _earned[id] = f"corrected: {corrected}" if corrected else final
    print("\n".join([*lines, *judgement, *_labelled("verdict", final)]))


def verdict_table(chapter):
    """Show what the sources claim on a chapter's subject, with the verdicts that it has earned.

    Parameters
    ----------
    chapter : str
        File name without ending. Its claims have been confirmed, each by a call of `confirm`.

    Returns
    -------
    IPython.display.Markdown

    Raises
    ------
    ValueError
        If the ledger has no claim for the chapter, or one of them has not been confirmed.

    Examples
    --------
    >>> verdict_table("regression")
    Traceback (most recent call last):
        ...
    ValueError: chapter must be one that the ledger has claims for, got 'regression'
    """
    from IPython.display import Markdown  # not above, so that claims are read without it

    claims = [entry for entry in ledger().values() if entry.chapter == chapter]
    if not claims:
        raise ValueError(f"chapter must be one that the ledger has claims for, got {chapter!r}")
    if missing := ", ".join(entry.id for entry in claims if entry.id not in _earned):
        raise ValueError(f"not confirmed yet: {missing}")
    rows = ["| claim | what the source says | verdict |", "|---|---|---|"]
    for entry in claims:
        origin = ", ".join(filter(None, (entry.source, entry.where)))
        cells = f"{entry.id}, {origin}", entry.statement, _earned[entry.id]
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
        rows.append(f"| {' | '.join(cells)} |")
    return Markdown("\n".join(rows))


def compare_log(id, rows):
    """Print the log that the source printed beside ours, and say where the two part.

    Learning rates depend on no chance: those that the source printed have to be the same.

    Parameters
    ----------
    id : str
        The claim's id in the ledger.
    rows : list of dict
        Our log: ``"epoch"`` and what the source printed, among others.

    Raises
    ------
    ValueError
        If the claim has no log, or a printed epoch or quantity is missing from `rows`.
    NotConfirmed
        If a learning rate is another one, or ours is not the log of member 0 of the ensemble.

    Examples
    --------
    >>> from nnfs_book.checks.experiments import logistic_regression
    >>> compare_log("G", logistic_regression(epochs=101).log)
    Traceback (most recent call last):
        ...
    ValueError: rows lack 200 at printed epoch 200
    """
    entry = claim(id)
    if not entry.log:
        raise ValueError(f"{id} has no log in the ledger")
    ours_at = {row["epoch"]: row for row in rows}
    names = entry.log["columns"][1:]
    table = [["epoch", *(cell for name in names for cell in (name, "ours"))]]
    parted = ""
    for agreed, (epoch, *printed) in enumerate(entry.log["rows"]):
        try:
            measured = [ours_at[int(epoch)][name] for name in names]
        except KeyError as error:
            raise ValueError(f"rows lack {error} at printed epoch {epoch}") from None
        ours = [as_printed(m, like) for m, like in zip(measured, printed)]
        table.append([epoch, *(cell for pair in zip(printed, ours) for cell in pair)])
        if ours != printed and not parted:
            parted = f"The first row that parts is that of epoch {epoch}, after {agreed} of "
    for epoch, rate in entry.rates.items():
        ours = as_printed(ours_at[int(epoch)]["learning_rate"], rate)
        if ours != rate:
            found = f"is reported as {rate}, ours is {ours}"
            raise NotConfirmed(f"{id}: the rate at epoch {epoch} {found}")
    _must_be_log_of_member_0(entry, rows)
    endings = [(parted or "The runs agree in all ") + f"{len(table) - 1} printed rows."]
    if entry.rates:
        rates = f"All {len(entry.rates)} printed learning rates"
        endings.append(f"{rates} are ours, to the last digit.")
    print("\n".join([_heading("log", entry), *_table(table), *endings]))


@dataclass(frozen=True)
class Confirmation:
    """What a chapter printed when it confirmed a claim.

    Attributes
    ----------
    id, chapter, verdict : str
    corrected : str
        What is right, for a doubted claim; else empty.
    text : str
        The whole of it.
    """

    id: str
    chapter: str
    verdict: str
    corrected: str
    text: str


def confirmations(folder):
    """Collect what `confirm` has printed from the stored outputs of notebooks.

    Parameters
    ----------
    folder : path
        Where the chapters are. pytest executes them again and compares their outputs, so what is
        stored is what they print.

    Returns
    -------
    dict of str to Confirmation
        By the claims' ids, in the order of the ledger.

    Raises
    ------
    FileNotFoundError
        If no claim is confirmed: the chapters are elsewhere.
    ValueError
        If a claim is confirmed twice.

    Examples
    --------
    >>> confirmations("nowhere")
    Traceback (most recent call last):
        ...
    FileNotFoundError: folder must hold the chapters, and no claim is confirmed in nowhere
    """
    found = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            printed = "".join("".join(o.get("text", "")) for o in cell.get("outputs", []))
            for block in CONFIRMED.finditer(printed):
                id = block["id"]
                if id in found:
                    raise ValueError(f"{id} is confirmed in {found[id].chapter} and {path.stem}")
                corrected = " ".join((block["corrected"] or "").split())
                found[id] = Confirmation(id, path.stem, block["verdict"], corrected, block[0])
    if not found:
        raise FileNotFoundError(
            f"folder must hold the chapters, and no claim is confirmed in {folder}"
        )
    return {id: found[id] for id in ledger() if id in found}


def spreads(entry):
    """Return the runs that a claim's figures are shown beside, by kind: the one it is judged by first.

    Examples
    --------
    >>> {kind: len(runs) for kind, runs in spreads(claim("G")).items()}
    {'printed': 200, 'rounding': 200}
    """
    kinds = dict.fromkeys([entry.ensemble, _kind_of_ours(entry)]) if entry.ensemble else ()
    return {kind: load(entry.id, kind)[1:] for kind in kinds}


def _kind_of_ours(entry):
    return "rounding" if entry.ensemble == "printed" else entry.ensemble


def _must_be_member_0(entry, figures):
    """Raise NotConfirmed unless figures are those of member 0 of the ensemble, to the bit."""
    if entry.ensemble:
        stored = load(entry.id, _kind_of_ours(entry))[0]["figures"]
        for name, value in figures.items():
            if value != stored[name]:
                raise _not_member_0(entry, name, value)


def _must_be_log_of_member_0(entry, rows):
    """Raise NotConfirmed unless rows are in the log of member 0, which is stored as float32."""
    if entry.ensemble:
        stored = load(entry.id, _kind_of_ours(entry))[0]["log"]
        place = {epoch: n for n, epoch in enumerate(stored["epoch"])}
        for row in rows:
            for name in row.keys() & stored.keys():
                if np.float32(row[name]) != np.float32(stored[name][place[row["epoch"]]]):
                    raise _not_member_0(entry, f"{name} at epoch {row['epoch']}", row[name])


def _not_member_0(entry, name, value):
    differs = f"{name} is {value}, not that of member 0 of the stored ensemble"
    return NotConfirmed(f"{entry.id}: {differs}; has the experiment changed since?")


def _heading(what, entry):
    origin = ", ".join(filter(None, (entry.source, entry.where)))
    return f"{what} {entry.id} · {entry.title}\nreported by {origin}"


def _labelled(label, text):
    return WRAPPER.wrap(label.ljust(11) + " ".join(text.split()))


def _table(rows):
    rows = [[cell.replace("_", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _numbers(entry, measured):
    """Return the lines of the tables of numbers; those that chance moves have one of their own."""
    _must_be_member_0(entry, {name: measured[name] for name in entry.values})
    runs, exact = spreads(entry), [["quantity", "reported", "ours", "verdict"]]
    moved = [["quantity", "reported", "ours", *(f"{len(r)} {CALLED[k]}" for k, r in runs.items())]]
    for name, reported in entry.values.items():
        ours = as_printed(measured[name], reported)
        numbers = [[run["figures"][name] for run in members] for members in runs.values()]
        if len(set().union(*numbers)) > 1:
            moved.append([name, reported, ours, *(str(rank(reported, n)) for n in numbers)])
            continue
        if ours != reported and not entry.doubt:
            raise NotConfirmed(f"{entry.id}: {name} is reported as {reported}, ours is {ours}")
        exact.append([name, reported, ours, "same" if ours == reported else "other"])
    return [line for table in (moved, exact) if len(table) > 1 for line in _table(table)]


def _proofs(entry, derivations):
    """Return a line for each derivation, all of which have to be those that the ledger wants."""
    wanted = [" ".join(text.split()) for text in (*entry.proves, *entry.helped_by)]
    for derivation in derivations:
        if not hasattr(derivation, "theorem"):
            raise TypeError(f"derivations must be of type Derivation, got {derivation!r}")
        if not len(derivation):
            raise NotConfirmed(f"{entry.id}: a derivation without a step proves nothing")
    given = [derivation.theorem for derivation in derivations]
    if given != wanted:
        faults = [f"\n  it lacks  {text}" for text in wanted if text not in given]
        faults += [f"\n  it wants no  {text}" for text in given if text not in wanted]
        other = ", as the ledger lists it:" if faults else ", in the ledger's order and each once"
        raise NotConfirmed(f"{entry.id} wants what it says proved{other}{''.join(faults)}")
    labels = ["proved"] * len(entry.proves) + ["helped by"] * len(entry.helped_by)
    lines = []
    for label, derivation in zip(labels, derivations):
        steps = "1 step" if len(derivation) == 1 else f"{len(derivation)} steps"
        lines += _labelled(label, f"{derivation.theorem} ({steps})")
    return lines


def _meets(condition, value, name):
    """Tell whether a value meets a condition of the ledger; NaN meets none."""
    if condition == "is true":
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, got {value!r}")
        return bool(value)
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}")
    sign, threshold = condition.split()
    return bool(CONDITIONS[sign](value, float(threshold)))


def _judgement(entry):
    """Return how the number that judges a claim does, in lines and in a word."""
    if not entry.judged_by:
        return [], ""
    members = spreads(entry)[entry.ensemble]
    ranks = {
        name: rank(entry.values[name], [member["figures"][name] for member in members])
        for name in filter(None, (entry.judged_by, entry.second))
    }
    first, *second = (f"the {name.replace('_', ' ')}: p = {r.p:.2f}" for name, r in ranks.items())
    line = f"{first} among {len(members)} {CALLED[entry.ensemble]}"
    beside = f"; beside it {second[0]}" if second else ""
    return _labelled("judged by", line + beside), ranks[entry.judged_by].verdict
