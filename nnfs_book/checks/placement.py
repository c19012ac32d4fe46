"""Is my number a bug? Where a reader's own figures lie among the stored runs of a training."""

from decimal import Decimal, InvalidOperation
from textwrap import fill

from nnfs_book.checks.ensembles import load
from nnfs_book.checks.ledger import claim
from nnfs_book.checks.verdicts import rank

EARLY_ROWS, WIDTH = 4, 88


class Placement(str):
    """Where numbers lie among the runs, in words."""

    __repr__ = str.__str__


def place(name, **figures):
    """Say where your numbers lie among the runs of a training, and what would settle the rest.

    Parameters
    ----------
    name : str
        A training: N0 or one of A to G.
    **figures : float or str
        What your run gave, under the names of the ledger: ``loss``, ``accuracy``, ``data_loss``,
        ``regularization_loss``, ``validation_loss``, ``validation_accuracy``. A string is taken to
        have as many decimals as it shows.

    Returns
    -------
    Placement
        Prints as a few sentences.

    Raises
    ------
    ValueError, TypeError
        If the training or a figure is unknown, none is given, or one is no finite number.

    Examples
    --------
    >>> place("G", validation_loss=5.0)  # doctest: +ELLIPSIS
    validation loss 5.0: of 200 runs of the printed program 200 are below and 0 above.
    That is rare: ...
    """
    if not claim(name).judged_by or not load(name)[0]["log"]["epoch"]:
        raise ValueError(f"name must be a training: N0 or one of A to G, got {name!r}")
    members = load(name, claim(name).ensemble)[1:]
    known = [key for key in members[0]["figures"] if not key.startswith("learning_rate")]
    if not figures or (wrong := sorted(figures.keys() - set(known))):
        given = ", ".join(wrong) if figures else "nothing"
        raise ValueError(f"figures must be some of {', '.join(known)}, got {given}")
    lines, ranks = [], []
    for key, value in figures.items():
        runs = [member["figures"][key] for member in members]
        ranks.append(rank(_decimal(key, value), runs))
        lines.append(
            f"{key.replace('_', ' ')} {value}: of {len(runs)} runs of the printed program "
            f"{ranks[-1].below} are below and {ranks[-1].above} above."
        )
    if any(rank.verdict == "unlikely" for rank in ranks):
        lines.append(
            "That is rare: fewer than one honest run in twenty ends so far out. Look for a "
            "mistake before you believe in luck."
        )
    else:
        lines.append(
            "That is an ordinary number for this program, and no sign of a mistake. It does not "
            "clear your program either: many slips end among the honest runs too."
        )
    lines += _what_settles_it(name)
    return Placement("\n".join(fill(line, WIDTH) for line in lines))


def _what_settles_it(name):
    ours, *reruns = load(name)
    everyone = [ours, *reruns, *load(name, claim(name).ensemble)]
    rows = []
    for row, epoch in enumerate(ours["log"]["epoch"][:EARLY_ROWS]):
        losses = sorted(f"{member['log']['loss'][row]:.3f}" for member in everyone)
        span = losses[0] if losses[0] == losses[-1] else f"{losses[0]} to {losses[-1]}"
        rows.append(f"{span} at epoch {epoch}")
    return [
        "What settles it: the first rows of your log, where honest runs still lie together "
        f"({name}'s loss is {', '.join(rows)}). Or bits: begin your own program with",
        "    from nnfs_book.nnfs import *",
        f"and compare its figures with ours, {ours['figures']['loss']:.6f} for the loss.",
    ]


def _decimal(key, value):
    """Return a number in plain decimals, as many as it shows."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise TypeError(f"{key} must be a finite number, got {value!r}")
    return f"{number:f}"
