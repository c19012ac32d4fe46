"""What an epoch of a configuration cannot do without, in bare NumPy and BLAS calls.

Exact arithmetic multiplies in float64, so each operand of a product has to be converted, moved to
its grid, multiplied, and the result converted back. Here each such call is made alone, on arrays
of the right sizes with all outputs allocated in advance, in blocks that stay in the cache: no
checks, no layers, nothing else.
"""

from time import perf_counter

import numpy as np

from nnfs_book.arithmetic import BLOCK

PUSHER = np.float32(1.5 * 2**10)


def unavoidable(configuration, repetitions=5):
    """Return a list of (name, milliseconds for one epoch).

    Parameters
    ----------
    configuration : Configuration
    repetitions : int
        How often each call is timed; the median counts.
    """
    samples = len(configuration.make_data()[0])
    rows = configuration.batch_size or samples
    batches = samples / rows
    calls = []
    layers = list(zip(configuration.sizes, configuration.sizes[1:]))
    for i, (n, m) in enumerate(layers):
        name = f"layer {i + 1}, {n}x{m}"
        calls += dense_calls(name, rows, n, m, first=i == 0)
        if i < len(layers) - 1:
            calls += hidden_calls(name, rows, m, configuration.dropout)
        calls.append((f"{name}: Adam", adam_call(n, m)))
    return [(name, batches * milliseconds(call, repetitions)) for name, call in calls]


def milliseconds(call, repetitions):
    """Return the median time of a call, the first one left out."""
    call()
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1000 * float(np.median(times))


def dense_calls(name, rows, n, m, first):
    """Return the named calls of a dense layer of n inputs and m neurons."""
    calls = [
        (f"{name}: inputs, largest magnitude", in_blocks(largest, rows, n)),
        (f"{name}: inputs to their grid", in_blocks(to_grid, rows, n)),
        (f"{name}: forward product, biases included", product(rows, n + 1, m)),
        (f"{name}: output to float32", in_blocks(to_float32, rows, m)),
        (f"{name}: gradient, largest magnitude", in_blocks(largest, rows, m)),
        (f"{name}: gradient to its grid", in_blocks(to_grid, rows, m)),
        (f"{name}: weights' gradient", product(n, rows, m)),
        (f"{name}: biases' gradient", product(1, rows, m)),
    ]
    if not first:
        calls += [
            (f"{name}: inputs once more to a grid", in_blocks(to_grid, rows, n)),
            (f"{name}: inputs' gradient", product(rows, m, n)),
            (f"{name}: inputs' gradient to float32", in_blocks(to_float32, rows, n)),
        ]
    return calls


def hidden_calls(name, rows, m, dropout):
    """Return the named calls of ReLU and dropout behind a dense layer of m neurons."""
    calls = [
        (f"{name}: ReLU forward", in_blocks(relu, rows, m)),
        (f"{name}: ReLU backward, mask", in_blocks(positive, rows, m)),
        (f"{name}: ReLU backward, product", in_blocks(times, rows, m)),
    ]
    if dropout:
        bits = np.random.PCG64(0)
        calls += [
            (f"{name}: 32 raw bits for each mask entry", lambda: bits.random_raw(rows * m // 2)),
            (f"{name}: dropout mask", in_blocks(positive, rows, m)),
            (f"{name}: dropout forward", in_blocks(times, rows, m)),
            (f"{name}: dropout backward", in_blocks(times, rows, m)),
        ]
    return calls


def product(n, k, m):
    """Return a call that forms an (n, k) times (k, m) product, the fastest way that we know.

    Narrow products are tried as one and as vector after vector.
    """
    draw = np.random.RandomState(0)
    a, b, out = draw.rand(n, k), draw.rand(k, m), np.empty((n, m))
    columns, outs = b.T.copy(), np.empty((m, n))
    ways = [lambda: np.matmul(a, b, out=out)]
    if m <= 8:
        ways.append(lambda: [np.matmul(a, c, out=o) for c, o in zip(columns, outs)])
    if n <= 8:
        ways.append(lambda: [np.matmul(row, b, out=o) for row, o in zip(a, out)])
    return min(ways, key=lambda way: milliseconds(way, 5))


def in_blocks(operation, rows, columns):
    """Return a call of an operation on a float32 array, block after block."""
    whole = np.random.RandomState(0).rand(rows, columns).astype(np.float32)
    height = max(1, BLOCK // columns)
    single, double = np.ones((height, columns), np.float32), np.ones((height, columns))

    def call():
        for start in range(0, rows, height):
            part = whole[start : start + height]
            operation(part, single[: len(part)], double[: len(part)])

    return call


def largest(part, single, double):
    """Find the largest magnitude, on which the grid depends."""
    max(part.max(), -part.min())


def to_grid(part, single, double):
    """Push what is below the grid out, and convert to float64."""
    np.add(part, PUSHER, out=single)
    np.subtract(single, PUSHER, out=double)


def to_float32(part, single, double):
    """Convert a float64 result, which is still in the cache."""
    single[:] = double


def relu(part, single, double):
    """Take the larger of two arrays: faster than with the scalar 0."""
    np.maximum(part, single, out=single)


def positive(part, single, double):
    """Ask of each number whether it is positive."""
    np.greater(part, 0, out=single.view(np.bool_)[:, : part.shape[1]])


def times(part, single, double):
    """Multiply two arrays."""
    np.multiply(part, single, out=single)


def adam_call(n, m):
    """Return one step of Adam on an (n, m) array, ten passes."""
    weights, gradient, momentum, cache, step = np.full((5, n, m), 0.01, dtype=np.float32)

    def call():
        np.multiply(momentum, np.float32(0.9), out=momentum)
        np.multiply(gradient, np.float32(0.1), out=step)
        np.add(momentum, step, out=momentum)
        np.multiply(cache, np.float32(0.999), out=cache)
        np.multiply(gradient, gradient, out=step)
        np.multiply(step, np.float32(0.001), out=step)
        np.add(cache, step, out=cache)
        np.sqrt(cache, out=step)
        np.divide(momentum, step, out=step)
        np.subtract(weights, step, out=weights)

    return call
