"""Random numbers whose stream is frozen, so that a start can be repeated anywhere.

Starting weights and data noise are normal draws of NumPy's legacy generator, whose stream is
frozen for good and is the one the source book used. Dropout masks and orders of samples come from
raw bits, compared as whole numbers, so that not even a rounding enters.
"""

from math import prod

import numpy as np

from nnfs_book.network.validation import whole_number


class RandomStream:
    """A repeatable source of starting weights, data noise, dropout masks and orders of samples.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1. Equal seeds give equal streams on every machine.

    Examples
    --------
    >>> RandomStream(0).normal(3).tolist()
    [1.764052391052246, 0.40015721321105957, 0.978738009929657]
    """

    def __init__(self, seed=0):
        seed = whole_number(seed, "seed", minimum=0, maximum=2**32 - 1)
        self._normal = np.random.RandomState(seed)
        self._bits = np.random.PCG64(seed)

    def normal(self, *shape):
        """Draw from the normal distribution with mean 0 and variance 1, rounded to float32."""
        return self._normal.standard_normal(shape).astype(np.float32)

    def keep(self, shape, probability):
        """Draw a boolean array, each entry True with the given probability.

        A raw draw has 64 bits, enough for two whole numbers below ``2**32``; an entry is True
        when its number is below ``probability * 2**32``.
        """
        count = prod(shape)
        draws = self._bits.random_raw((count + 1) // 2).astype("<u8", copy=False)
        return (draws.view("<u4")[:count] < round(probability * 2**32)).reshape(shape)

    def binomial(self, shape, probability):
        """Draw ones with the given probability and zeros, from the stream that `normal` draws from.

        So the source book's program draws its masks. The C library has a say in how many draws one
        takes, so that the book's own masks come from `keep`.
        """
        return self._normal.binomial(1, probability, size=shape)

    def choose(self, n, count):
        """Draw `count` whole numbers below `n`, with replacement.

        Each is the rest of a raw draw of 64 bits, divided by `n`.

        Examples
        --------
        >>> RandomStream(0).choose(6, 8).tolist()
        [5, 1, 2, 5, 3, 4, 3, 1]
        """
        n = whole_number(n, "n", minimum=1)
        count = whole_number(count, "count", minimum=0)
        return (self._bits.random_raw(count) % np.uint64(n)).astype(np.intp)

    def permutation(self, n):
        """Draw an order of the whole numbers below `n`, all of them practically equally probable.

        Every number gets a raw draw of 64 bits, and the numbers are sorted by their draws. There
        is one way to sort different draws, and equal ones keep their order, so that neither the
        machine nor the version of NumPy has a say, as it has in NumPy's own shuffling.

        Examples
        --------
        >>> RandomStream(0).permutation(5).tolist()
        [3, 2, 1, 0, 4]
        """
        n = whole_number(n, "n", minimum=0)
        return np.argsort(self._bits.random_raw(n), kind="stable")

    @property
    def state(self):
        """Where the stream stands, in plain numbers; a stream that is set to them goes on there.

        Examples
        --------
        >>> stream, other = RandomStream(0), RandomStream(1)
        >>> stream.normal(1).tolist()
        [1.764052391052246]
        >>> other.state = stream.state
        >>> other.normal(1).tolist(), stream.normal(1).tolist()
        ([0.40015721321105957], [0.40015721321105957])
        """
        kind, key, *position = self._normal.get_state()
        return {"normal": [kind, key.tolist(), *position], "bits": self._bits.state}

    @state.setter
    def state(self, state):
        kind, key, position, *spare = state["normal"]
        if len(key) != 624 or position not in range(625):
            raise ValueError(
                f"state must have 624 numbers and a position among them, got {len(key)} numbers "
                f"and the position {position!r}"
            )
        normal, bits = np.random.RandomState(0), np.random.PCG64(0)
        normal.set_state((kind, np.array(key, np.uint32), position, *spare))
        bits.state = state["bits"]
        self._normal, self._bits = normal, bits


_common = RandomStream(0)


def set_seed(seed):
    """Restart the book's common stream, from which layers and data sets draw in turn.

    Examples
    --------
    >>> set_seed(0)
    >>> first = stream_or_common(None).normal(3)
    >>> set_seed(0)
    >>> (stream_or_common(None).normal(3) == first).all()
    np.True_
    """
    global _common
    _common = RandomStream(seed)


def stream_or_common(stream):
    """Return the given stream, or the common one for None; raise TypeError for anything else."""
    if stream is None:
        return _common
    if not isinstance(stream, RandomStream):
        raise TypeError(f"stream must be a RandomStream or None, got {stream!r}")
    return stream
