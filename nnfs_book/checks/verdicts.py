"""Verdicts on figures that chance has a hand in: would the printed program have printed this?

A training that was printed is one draw of what its program may give. Runs of that very program,
each started a little differently (see `ensembles`), say what else it gives, and the printed figure
takes its rank among them. Were it one more of these runs, every rank would be as likely, so that

.. math:: p = \\min\\left(1, \\; 2\\,\\frac{1 + m}{n + 1}\\right)

is the probability of a rank at least as far out, where m of the n runs lie at least as far out on
the nearer side. A figure is called *unlikely* if p is below 0.05, else *consistent*. Of twenty
honest figures one is called unlikely by luck, so each training is judged by one figure, named
beforehand in the ledger, and all trainings together by `combined`.
"""

from dataclasses import dataclass

import numpy as np

from nnfs_book.network.randomness import RandomStream

LEVEL = 0.05


@dataclass(frozen=True)
class Rank:
    """How many runs lie below a number and above it, rounded as it is, of how many."""

    below: int
    above: int
    runs: int

    @property
    def p(self):
        """The two-sided probability of a rank at least as far out, if the number is such a run."""
        nearer = self.runs - max(self.below, self.above)
        return min(1.0, 2 * (1 + nearer) / (self.runs + 1))

    @property
    def verdict(self):
        """*unlikely* below the level of 0.05, else *consistent*."""
        return "unlikely" if self.p < LEVEL else "consistent"

    def __str__(self):
        return f"{self.below} below, {self.above} above"


def rank(printed, runs):
    """Return the rank of a number, given as it was printed, among the runs' numbers.

    The runs' numbers are rounded to the decimals of the printed one. One that is then equal counts
    as at least as far out.

    Parameters
    ----------
    printed : str
        A number, such as ``"0.219"``.
    runs : sequence of float

    Returns
    -------
    Rank

    Examples
    --------
    >>> rank("0.50", [0.3, 0.4, 0.496, 0.6])
    Rank(below=2, above=1, runs=4)
    >>> rank("0.10", np.arange(100) / 100 + 0.2).p
    0.019801980198019802
    """
    decimals = len(printed.partition(".")[2])
    runs = np.array([float(f"{run:.{decimals}f}") for run in runs])
    return Rank(int((runs < float(printed)).sum()), int((runs > float(printed)).sum()), len(runs))


def each_as_printed(printed, runs):
    """Return the p of each run, had it been printed, among the others.

    Examples
    --------
    >>> each_as_printed("0.5", [0.1, 0.2, 0.3])
    [0.6666666666666666, 1.0, 0.6666666666666666]
    """
    decimals, runs = len(printed.partition(".")[2]), list(runs)
    return [rank(f"{run:.{decimals}f}", runs[:n] + runs[n + 1 :]).p for n, run in enumerate(runs)]


def combined(observed, under_null, draws=100_000):
    """Return the probability that luck alone makes several p as small, taken together.

    Fisher's statistic, -2 times the sum of their logarithms, is large if their product is small.
    The p of a rank are no continuous numbers, so that the product's distribution is not that of
    the book: it is found by drawing one p for each training from those of its own runs.

    Parameters
    ----------
    observed : sequence of float
        The p of each training.
    under_null : sequence of sequence of float
        For each training, the p that its runs would have had (see `each_as_printed`).
    draws : int
        How often to draw.

    Returns
    -------
    float

    Notes
    -----
    Source: R. A. Fisher, Statistical Methods for Research Workers, 4th edition, 1932.

    Examples
    --------
    >>> even = [n / 100 for n in range(1, 101)]
    >>> round(combined([0.05, 0.05], [even, even]), 2)
    0.01
    """
    return float((1 + np.sum(products(under_null, draws) <= product(observed))) / (draws + 1))


def false_alarms(under_null, draws=100_000):
    """Return how often `combined` is below the level when every training is an honest run.

    Examples
    --------
    >>> even = [n / 100 for n in range(1, 101)]
    >>> round(false_alarms([even, even]), 2)
    0.05
    """
    drawn = np.sort(products(under_null, draws))
    return float(np.mean((1 + np.searchsorted(drawn, drawn, side="right")) / (draws + 1) < LEVEL))


def product(numbers):
    """Multiply from left to right, which rounds in one way only."""
    result = 1.0
    for number in numbers:
        result = result * number
    return result


def products(under_null, draws):
    """Draw one p of each training, `draws` times, and return their products."""
    stream = RandomStream(0)
    return product(np.asarray(p)[stream.choose(len(p), draws)] for p in under_null)
