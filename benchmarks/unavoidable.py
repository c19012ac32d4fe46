"""What an epoch of a configuration cannot do without, in bare NumPy and BLAS calls.

Exact arithmetic multiplies in float64, so each operand of a product has to be converted, moved to
its grid, multiplied, and the result converted back; sums are formed in the same way, exponentials
and logarithms by the book's own polynomials. Here each such call is timed by itself, on arrays of
the right sizes with all outputs allocated in advance: no checks, no layers, nothing else. What one
call hands to the next stays in the cache, a block at a time; what a layer hands to another is a
whole array. The calls take turns, so that each finds the caches as an epoch leaves them.
"""

from functools import lru_cache
from time import perf_counter

import numpy as np

from nnfs_book.arithmetic import BLOCK, NARROW, exp, log

PUSHER = np.float32(1.5 * 2**10)


def unavoidable(configuration, repetitions=5):
    """Return a list of (name, milliseconds for one epoch).

    Parameters
    ----------
    configuration : Configuration
    repetitions : int
        How often each call has its turn; the median counts, the first turn left out.
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
        if i == 0 and configuration.l2:
            calls += penalty_calls(name, n, m)
        for what, inputs in (("weights", n), ("biases", 1)):
            calls.append((f"{name}: Adam on the {what}", adam_call(inputs, m)))
    calls += loss_calls(rows, configuration.sizes[-1])
    times = in_turn([call for _, call in calls], repetitions)
    return [(name, batches * ms) for (name, _), ms in zip(calls, times, strict=True)]


def in_turn(calls, repetitions):
    """Return the median milliseconds of each call, the first turn left out."""
    turns = [[seconds(call) for call in calls] for _ in range(repetitions + 1)]
    return (1000 * np.median(turns[1:], axis=0)).tolist()


def seconds(call):
    """Return the time that a call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def dense_calls(name, rows, n, m, first):
    """Return the named calls of a dense layer of n inputs and m neurons."""
    calls = [
        (f"{name}: inputs, largest magnitude", in_blocks(largest, rows, n)),
        (f"{name}: inputs to their grid", in_blocks(to_grid, rows, n)),
        (f"{name}: weights, largest magnitude", in_blocks(largest, n, m)),
        (f"{name}: weights to their grid", in_blocks(to_grid, n, m)),
        (f"{name}: biases, largest magnitude", in_blocks(largest, 1, m)),
        (f"{name}: biases to their grid", in_blocks(to_grid, 1, m)),
        (f"{name}: forward product, biases included", product(rows, n + 1, m)),
        (f"{name}: output to float32", in_blocks(to_float32, rows, m)),
        (f"{name}: gradient, largest magnitude", in_blocks(largest, rows, m)),
        (f"{name}: gradient to its grid", in_blocks(to_grid, rows, m)),
        (f"{name}: inputs once more to a grid", in_blocks(to_grid, rows, n)),
        (f"{name}: weights' gradient", product(n, rows, m)),
        (f"{name}: biases' gradient", product(1, rows, m)),
        (f"{name}: gradients to float32", in_blocks(to_float32, n + 1, m)),
    ]
    if not first:
        calls += [
            (f"{name}: gradient once more to a grid", in_blocks(to_grid, rows, m)),
            (f"{name}: weights once more to a grid", in_blocks(to_grid, n, m)),
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


def penalty_calls(name, n, m):
    """Return the named calls of the penalty on the squares of (n, m) weights and m biases."""
    calls = []
    for what, rows in (("weights", n), ("biases", 1)):
        calls += [
            (f"{name}: squares of the {what}", in_blocks(times, rows, m)),
            *sum_calls(f"{name}: penalty on the {what}", 1, rows * m),
            (f"{name}: its gradient, twice the {what}", in_blocks(times, rows, m)),
            (f"{name}: added to that of the {what}", in_blocks(times, rows, m)),
        ]
    return calls


def loss_calls(rows, classes):
    """Return the named calls of softmax, categorical cross-entropy and their gradient."""
    draw = np.random.RandomState(0)
    logits = draw.rand(rows, classes).astype(np.float32)
    of_columns, chosen = np.ascontiguousarray(logits.T), logits[:, 0].copy()
    result, targets = np.empty_like(logits), np.zeros_like(logits)
    numbers, right = np.arange(rows), np.arange(rows) % classes
    return [
        ("softmax: largest of each row", lambda: np.maximum.reduce(of_columns)),
        ("softmax: minus the largest", lambda: np.subtract(logits, chosen[:, None], out=result)),
        ("softmax: exponentials", lambda: exp(logits)),
        *sum_calls("softmax: sums", rows, classes),
        ("softmax: division", lambda: np.divide(logits, chosen[:, None], out=result)),
        ("loss: probabilities of the right classes", lambda: logits[numbers, right]),
        ("loss: logarithms", lambda: log(chosen)),
        *sum_calls("loss: sum", 1, rows),
        ("loss: gradient, targets", lambda: targets.__setitem__((numbers, right), 1)),
        ("loss: gradient, difference", lambda: np.subtract(logits, targets, out=result)),
        ("loss: gradient, division", lambda: np.divide(result, rows, out=result)),
    ]


def sum_calls(name, rows, columns):
    """Return the named calls of the exact sum of each row."""
    terms, ones = np.ones((rows, columns)), np.ones(columns)
    return [
        (f"{name}, largest magnitude", in_blocks(largest, rows, columns)),
        (f"{name}, to the grid", in_blocks(to_grid, rows, columns)),
        (f"{name}, product with ones", lambda: np.dot(terms, ones)),
    ]


def product(n, k, m):
    """Return a call that forms an (n, k) times (k, m) product, the fastest way that we know.

    It goes block after block along the longer of n and k. Narrow products are tried as one and as
    vector after vector.
    """
    height = max(1, BLOCK // max(m, min(n, k)))
    whole_blocks, rest = divmod(max(n, k), height)
    heights = whole_blocks * [height] + [rest] * (rest > 0)
    shapes = [(h, k, m) if n >= k else (n, h, m) for h in heights]
    ways = [[way(*shape) for shape in shapes] for way in (at_once, by_columns, by_rows)]
    calls = [lambda way=way: [call() for call in way] for way in ways if None not in way]
    speeds = in_turn(calls, repetitions=5)
    return calls[speeds.index(min(speeds))]


def at_once(n, k, m):
    """Return a call that forms a product in one call of the library."""
    a, b, out = operands(n, k, m)
    return lambda: np.matmul(a, b, out=out)


def by_columns(n, k, m):
    """Return a call that forms a product column after column, None if there are many."""
    if m > NARROW:
        return None
    a, b, out = operands(n, k, m)
    columns, outs = b.T.copy(), out.T.copy()
    return lambda: [np.dot(a, column, out=o) for column, o in zip(columns, outs)]


def by_rows(n, k, m):
    """Return a call that forms a product row after row, None if there are many."""
    if n > NARROW:
        return None
    a, b, out = operands(n, k, m)
    return lambda: [np.dot(row, b, out=o) for row, o in zip(a, out)]


@lru_cache
def operands(n, k, m):
    """Return float64 arrays of shapes (n, k), (k, m) and (n, m), the same for the same shapes."""
    draw = np.random.RandomState(0)
    return draw.rand(n, k), draw.rand(k, m), np.empty((n, m))


def in_blocks(operation, rows, columns):
    """Return a call of an operation on a float32 array, block after block."""
    whole, handed_on, single, double = arrays(rows, columns)
    height = len(single)

    def call():
        for start in range(0, rows, height):
            part, out = whole[start : start + height], handed_on[start : start + height]
            operation(part, single[: len(part)], double[: len(part)], out)

    return call


@lru_cache
def arrays(rows, columns):
    """Return two whole float32 arrays, a float32 block and a float64 block."""
    whole, handed_on = np.random.RandomState(0).rand(2, rows, columns).astype(np.float32)
    height = max(1, min(rows, BLOCK // columns))
    return whole, handed_on, np.ones((height, columns), np.float32), np.ones((height, columns))


def largest(part, single, double, out):
    """Find the largest magnitude, on which the grid depends."""
    max(np.maximum.reduce(part, axis=None), -np.minimum.reduce(part, axis=None))


def to_grid(part, single, double, out):
    """Push what is below the grid out, and convert to float64."""
    np.add(part, PUSHER, out=single)
    np.subtract(single, PUSHER, out=single)
    double[:] = single


def to_float32(part, single, double, out):
    """Convert a float64 result, which is still in the cache."""
    out[:] = double


def relu(part, single, double, out):
    """Take the larger of two arrays: faster than with the scalar 0."""
    np.maximum(part, single, out=out)


def positive(part, single, double, out):
    """Ask of each number whether it is positive."""
    np.greater(part, 0, out=single.view(np.bool_)[:, : part.shape[1]])


def times(part, single, double, out):
    """Multiply two arrays."""
    np.multiply(part, single, out=out)


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
