"""The programs that the source book prints, run as they are printed: in plain NumPy.

Whether a printed figure could come from the printed program is a question about that program, so
that it is run here: the book's own loops in `native` arithmetic, with the products
of the source's package and with the two parts that the source computes otherwise. Its runs are those
of one machine: another processor or NumPy has other last bits.
"""

from functools import partial

from nnfs_book.arithmetic import exp, native
from nnfs_book.checks.experiments import EXPERIMENTS
from nnfs_book.network.activations import Sigmoid
from nnfs_book.network.layers import Dropout


class PrintedSigmoid(Sigmoid):
    """The sigmoid as the source computes it, which overflows for large negative z.

    Source: claim S2-07.
    """

    def function(self, z):
        """Return 1 / (1 + exp(-z))."""
        return 1 / (1 + exp(-z))

    def chain(self, dvalues, inputs, output):
        """Multiply the gradient by 1 - s, and then by s."""
        return dvalues * (1 - output) * output


class PrintedDropout(Dropout):
    """Dropout with the source's masks: binomial draws from the stream of the starting weights.

    The masks are float64, and so is what they are multiplied with. Source: claim S2-11.
    """

    def mask(self, inputs):
        """Return a mask drawn for these inputs."""
        kept = 1 - self.rate
        return self.stream.binomial(inputs.shape, kept) / kept


def printed_program(name, nudge=0, seed=0, epochs=10_001):
    """Run a training of the source book as it is printed.

    Parameters
    ----------
    name : str
        N0 or one of A to G.
    nudge, seed, epochs : int
        See `experiments.logistic_regression`.

    Returns
    -------
    Run

    Examples
    --------
    >>> run = printed_program("G", epochs=101)
    >>> f"{run.log[-1]['accuracy']:.3f} {run.log[-1]['loss']:.3f}"
    '0.630 0.674'
    """
    part = {"sigmoid": PrintedSigmoid} if name == "G" else {"masks": PrintedDropout}
    with native(float32_products=True):
        return EXPERIMENTS[name](nudge=nudge, seed=seed, epochs=epochs, **part)


PRINTED = {name: partial(printed_program, name) for name in EXPERIMENTS if name != "S2-11"}

# In the book's own arithmetic, with the source's masks: which of the two makes the difference?
WITH_PRINTED_MASKS = {name: partial(EXPERIMENTS[name], masks=PrintedDropout) for name in "EF"}
