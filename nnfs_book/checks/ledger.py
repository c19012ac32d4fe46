"""The ledger: what the sources report, what this book finds, and the verdict.

Three kinds of evidence confirm a claim, and each is printed with the verdict it earns:

numbers
    A reported number is compared *as printed*: ours is rounded to the decimals that the source
    printed, as Python's formatting rounds (the exact binary value, to the nearest decimal, a tie
    to the even digit), the same on every machine. If a claim names an ensemble, its band and
    its range are rounded alike, and the question is whether the printed run could be one of our
    reruns:

    * *same*: ours equals the reported number,
    * *within*: the reported number lies in the 5-95 % band of the reruns (see `ensemble.band`),
    * *edge*: it lies outside the band, but in the range of all reruns,
    * *outside*: it lies outside that range; or, without an ensemble, ours is another number.

    There is no other tolerance than the printed decimals.
derivations
    *proved*: every step of a `Derivation` has been proved.
checks
    *holds*: a named statement is true of what was measured. A false one raises `NotConfirmed`.

The verdict on the whole claim is that of its worst number if one is off, else *corrected* for a
claim that the ledger doubts, *proved* if there is a derivation, or *holds* or *same*.
"""

import json
import re
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from textwrap import TextWrapper

import numpy as np

from nnfs_book.checks.ensembles import band, load

LEDGER = Path(__file__).parents[1] / "records" / "reported.toml"
BEST_FIRST = ("same", "within", "edge", "outside")
CONFIRMED = re.compile(
    r"^ledger (?P<id>\S+) · (?:(?!^ledger ).)*?"
    r"(?:^corrected  (?P<corrected>(?:(?!^verdict ).)*))?^verdict    (?P<verdict>\w+)$",
    re.MULTILINE | re.DOTALL,
)
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
    values: dict = field(default_factory=dict)
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


def verdict(reported, ours, reruns=()):
    """Return *same*, *within*, *edge* or *outside*, as the module's head defines them.

    Examples
    --------
    >>> verdict("0.50", 0.4951), verdict("0.50", 0.4949)
    ('same', 'outside')
    >>> verdict("0.50", 0.6, reruns=[0.4951, 0.7]), verdict("0.50", 0.6, reruns=[0.51, 0.7])
    ('within', 'outside')
    """
    if as_printed(ours, reported) == reported:
        return "same"
    if len(reruns):
        for name, ends in (("within", band(reruns)), ("edge", (min(reruns), max(reruns)))):
            low, high = (Decimal(as_printed(end, reported)) for end in ends)
            if low <= Decimal(reported) <= high:
                return name
    return "outside"


def confirm(id, *derivations, figures=None, checks=None, corrected="", **measured):
    """Print a claim's evidence and the verdict it earns.

    Parameters
    ----------
    id : str
        The claim's id in the ledger.
    *derivations : Derivation
        Derivations that prove the claim, or its correction.
    figures : dict, optional
        Our values under the ledger's names, those of a training for one; others may be there too.
    checks : dict of str to bool, optional
        Statements in words, each with the measured truth value.
    corrected : str
        For a doubted claim, and for no other: what is right, in a sentence.
    **measured : number or array
        Our values under the ledger's names, one by one.

    Raises
    ------
    ValueError, TypeError
        If evidence is missing, unknown or of another kind; if `corrected` is missing for a
        doubted claim, or given for another.
    NotConfirmed
        If a check is false, a derivation has no step, or ours is not member 0 of the ensemble.

    Examples
    --------
    >>> confirm("S2-09", means=[2, 4, 5, 12, 10], checks={"log 0 is -inf": True})
    ledger S2-09 · binary cross-entropy
    reported by Kinsley & Kukieła, chapter 16
    quantity  reported     ours         verdict
    means     2 4 5 12 10  2 4 5 12 10  same
    holds      log 0 is -inf
    verdict    holds
    """
    entry, checks = claim(id), checks or {}
    measured |= {name: value for name, value in (figures or {}).items() if name in entry.values}
    if wrong := ", ".join(sorted(measured.keys() ^ entry.values.keys())):
        wanted = ", ".join(entry.values) or "no number"
        raise ValueError(f"{id} reports {wanted}; missing or unknown here: {wrong}")
    if bool(entry.doubt) != bool(corrected):
        raise ValueError(f"corrected is {'' if entry.doubt else 'not '}wanted for {id}")
    if not (derivations or checks or (measured and not corrected)):
        raise ValueError(f"{id} needs evidence: derivations or checks")

    numbers, verdicts = _numbers(entry, measured)
    lines = [_heading("ledger", entry), *numbers]
    for derivation in derivations:
        if not hasattr(derivation, "statement"):
            raise TypeError(f"derivations must be of type Derivation, got {derivation!r}")
        if not len(derivation):
            raise NotConfirmed(f"{id}: a derivation without a step proves nothing")
        steps = "1 step" if len(derivation) == 1 else f"{len(derivation)} steps"
        lines += _labelled("proved", f"{derivation.statement} ({steps})")
    for statement, true in checks.items():
        if not isinstance(true, (bool, np.bool_)):
            raise TypeError(f"checks must be True or False, got {true!r} for {statement!r}")
        if not true:
            raise NotConfirmed(f"{id}: it does not hold that {statement}")
        lines += _labelled("holds", statement)
    if corrected:
        lines += _labelled("doubted", entry.doubt) + _labelled("corrected", corrected)

    final = max(verdicts, key=BEST_FIRST.index, default="same")
    if final == "same" and (corrected or derivations or checks):
        final = "corrected" if corrected else "proved" if derivations else "holds"
    print("\n".join([*lines, *_labelled("verdict", final)]))


def compare_log(id, rows):
    """Print the log that the source printed beside ours, with a verdict on each row.

    A row's verdict is that of its worst number; that of a number is found as `confirm` finds it,
    from what the reruns logged at this epoch. The last line says where the two logs part.

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
        If ours is not the log of member 0 of the ensemble.

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
    logs = [member["log"] for member in _members(entry)]
    ours_at = {row["epoch"]: row for row in rows}
    names = entry.log["columns"][1:]
    table = [["epoch", *(cell for name in names for cell in (name, "ours")), "verdict"]]
    parted = ""
    for agreed, (epoch, *printed) in enumerate(entry.log["rows"]):
        try:
            measured = [ours_at[int(epoch)][name] for name in names]
        except KeyError as error:
            raise ValueError(f"rows lack {error} at printed epoch {epoch}") from None
        ours = [as_printed(m, like) for m, like in zip(measured, printed)]
        pairs = [cell for pair in zip(printed, ours) for cell in pair]
        verdicts = []
        for name, reported, number in zip(names, printed, measured):
            reruns = [log[name][log["epoch"].index(int(epoch))] for log in logs]
            if reruns and np.float32(number) != np.float32(reruns[0]):
                raise _not_member_0(entry, f"{name} at epoch {epoch}", number)
            verdicts.append(verdict(reported, number, reruns[1:]))
        table.append([epoch, *pairs, max(verdicts, key=BEST_FIRST.index)])
        if ours != printed and not parted:
            parted = f"The first row that parts is that of epoch {epoch}, after {agreed} of "
    ending = (parted or "The runs agree in all ") + f"{len(table) - 1} printed rows."
    print("\n".join([_heading("log", entry), *_table(table), ending]))


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
    ValueError
        If a claim is confirmed twice.

    Examples
    --------
    >>> confirmations("a folder without notebooks")
    {}
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
    return {id: found[id] for id in ledger() if id in found}


def _members(entry):
    return load(entry.id, entry.ensemble) if entry.ensemble else []


def _not_member_0(entry, name, number):
    differs = f"{name} is {number}, not that of member 0 of the stored ensemble"
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
    """Return the lines of the tables of numbers, and the verdicts in them."""
    members = _members(entry)
    tables, verdicts = {}, []  # numbers without a spread have a table of their own
    for name, reported in entry.values.items():
        reruns = [member["figures"][name] for member in members]
        if reruns and measured[name] != reruns.pop(0):
            raise _not_member_0(entry, name, measured[name])
        verdicts.append(verdict(reported, measured[name], reruns))
        spread = {}
        if len(set(reruns)) > 1:
            spread["5–95 % band"] = band(reruns)
            spread[f"all {len(reruns)} reruns"] = min(reruns), max(reruns)
        header = ("quantity", "reported", "ours", *spread, "verdict")
        ranges = [" … ".join(as_printed(end, reported) for end in r) for r in spread.values()]
        row = [name, reported, as_printed(measured[name], reported), *ranges, verdicts[-1]]
        tables.setdefault(header, [header]).append(row)
    return [line for table in tables.values() for line in _table(table)], verdicts
