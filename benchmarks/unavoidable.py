"""What an epoch of a configuration cannot do without, in bare NumPy and BLAS calls.

Exact arithmetic multiplies in float64, so each operand of a product has to be converted, moved to
its grid, multiplied, and the result converted back; sums are formed in the same way, exponentials
and logarithms by the book's own polynomials. And the book promises an error where NaN or a wrong
class number comes in, so that each array is looked at where it is handed over.

Here every such call is timed by itself, on arrays of the right sizes with all memory in place: no
layers, no choices, nothing else. What one call hands to the next stays in the cache, a block at a
time; what a layer hands to another, or keeps for the way back, is a whole array of its own. The
calls take turns in the order of an epoch, so that each finds the caches as an epoch leaves them.
"""

from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

import numpy as np

from nnfs_book.arithmetic import BLOCK, NARROW, exp, log

PUSHER = 1.5 * 2**40
SINGLE_PUSHER = np.float32(1.5 * 2**11)
DRAWS = 2**15  # raw draws at a time, whose memory is small enough to be used again


def unavoidable(configuration, repetitions=None):
    """Return a list of (part of a step, name of the call, milliseconds for one epoch).

    Parameters
    ----------
    configuration : Configuration
    repetitions : int, optional
        How often each call has its turn; the median counts, the first turn left out. If not given,
        as often as a contender makes a step when it is timed, but at least five times: what runs
        more often finds caches and branches better prepared.
    """
    samples = len(configuration.make_data()[0])
    size = configuration.batch_size or samples
    batches, rest = divmod(samples, size)
    repetitions = repetitions or max(5, configuration.timed_epochs * batches)
    epoch = {}
    for rows, times in ((size, batches), (rest, 1)):
        calls = step(configuration, rows) if rows else {}
        for key, ms in zip(calls, in_turn(calls.values(), repetitions), strict=True):
            epoch[key] = epoch.get(key, 0) + times * ms
    return [(*key, ms) for key, ms in epoch.items()]


def in_turn(calls, repetitions):
    """Return the median milliseconds of each call, the first turn left out."""
    turns = [[seconds(call) for call in calls] for _ in range(repetitions + 1)]
    return (1000 * np.median(turns[1:], axis=0)).tolist()


def seconds(call):
    """Return the time that a call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


# --- what one step consists of, as calls by name ------------------------------------------------
#     The parts are those of `contenders.Ours`.


def step(configuration, rows):
    """Return the calls of one step with a batch of so many rows, by (part, name) in their order."""
    taking, forward, penalty, backward, update = {}, {}, {}, {}, {}
    inputs, d_inputs = numbers(rows, configuration.sizes[0]), None  # nobody asks for the latter
    if configuration.batch_size:
        taking = batch_calls(configuration, rows)
    layers = list(zip(configuration.sizes, configuration.sizes[1:]))
    for i, (n, m) in enumerate(layers):
        name = f"layer {i + 1}, {n}x{m}"
        output, d_output = numbers(rows, m), numbers(rows, m)
        forward |= dense_forward(name, inputs, output)
        behind = dense_backward(name, inputs, d_output, d_inputs)
        if i == 0 and configuration.l2:
            penalty = penalty_calls(name, n, m)
            behind |= penalty_gradient_calls(name, n, m)
        if i < len(layers) - 1:
            inputs, d_inputs = numbers(rows, m), numbers(rows, m)
            if configuration.dropout:
                active, d_active, mask = (numbers(rows, m) for _ in range(3))
                forward |= relu_forward(name, output, active)
                forward |= dropout_forward(name, active, mask, inputs, configuration.dropout)
                back = dropout_backward(name, d_inputs, mask, d_active)
                behind = back | relu_backward(name, d_active, output, d_output) | behind
            else:
                forward |= relu_forward(name, output, inputs)
                behind = relu_backward(name, d_inputs, output, d_output) | behind
        backward = behind | backward
        update |= update_calls(name, n, m)
    parts = {
        "take": taking,
        "forward": forward,
        "softmax_and_loss": loss_calls(output, d_output) | penalty,
        "backward": backward,
        "update": update,
    }
    return {(part, name): call for part, calls in parts.items() for name, call in calls.items()}


def batch_calls(configuration, rows):
    """Return the calls that take the rows of a batch."""
    X, y = configuration.make_data()
    chosen = np.random.RandomState(0).permutation(len(X))[:rows]
    return {"batch: its samples": lambda: X[chosen], "batch: its classes": lambda: y[chosen]}


def dense_forward(name, inputs, output):
    """Return the calls of a dense layer's way forward."""
    (rows, n), m = inputs.shape, output.shape[1]
    weights, biases = numbers(n, m), numbers(1, m)
    return {
        f"{name}: inputs, largest magnitude": in_blocks(LARGEST, inputs),
        f"{name}: inputs to their grid": in_blocks(TO_GRID, inputs),
        f"{name}: weights, largest magnitude": in_blocks(LARGEST, weights),
        f"{name}: weights to their grid": in_blocks(TO_GRID, weights),
        f"{name}: biases, largest magnitude": in_blocks(LARGEST, biases),
        f"{name}: biases to their grid": in_blocks(TO_GRID, biases),
        f"{name}: forward product, biases included": product(rows, n + 1, m),
        f"{name}: output to float32": in_blocks(TO_FLOAT32, output),
    }


def dense_backward(name, inputs, d_output, d_inputs):
    """Return the calls of a dense layer's way back; `d_inputs` is None for the first layer."""
    (rows, n), m = inputs.shape, d_output.shape[1]
    calls = {
        f"{name}: gradient, largest magnitude": in_blocks(LARGEST, d_output),
        f"{name}: gradient to its grid": in_blocks(TO_GRID, d_output),
        f"{name}: inputs once more to a grid": in_blocks(TO_GRID, inputs),
        f"{name}: weights' gradient": product(n, rows, m),
        f"{name}: biases' gradient": product(1, rows, m),
        f"{name}: gradients to float32": in_blocks(TO_FLOAT32, numbers(n + 1, m)),
    }
    if d_inputs is not None:
        calls |= {
            f"{name}: gradient once more to a grid": in_blocks(TO_GRID, d_output),
            f"{name}: weights once more to a grid": in_blocks(TO_GRID, numbers(n, m)),
            f"{name}: inputs' gradient": product(rows, m, n),
            f"{name}: inputs' gradient to float32": in_blocks(TO_FLOAT32, d_inputs),
        }
    return calls


def relu_forward(name, inputs, output):
    """Return the calls of ReLU's way forward."""
    return {
        f"{name}: ReLU forward, NaN?": in_blocks(IS_FINITE, inputs),
        f"{name}: ReLU forward": in_blocks(RELU, inputs, output),
    }


def relu_backward(name, d_output, inputs, d_inputs):
    """Return the calls of ReLU's way back."""
    return {
        f"{name}: ReLU backward, NaN?": in_blocks(IS_FINITE, d_output),
        f"{name}: ReLU backward": in_blocks(WHERE_POSITIVE, d_output, inputs, d_inputs),
    }


def dropout_forward(name, inputs, mask, output, rate):
    """Return the calls of dropout's way forward: 32 raw bits decide on each entry."""
    bits, scale, limit = np.random.PCG64(0), np.float32(1 / (1 - rate)), round((1 - rate) * 2**32)
    entries = mask.reshape(-1)
    kept = np.empty(entries.shape, np.bool_)

    def draw():
        for start in range(0, len(entries), 2 * DRAWS):
            part = kept[start : start + 2 * DRAWS]
            draws = bits.random_raw(-(-len(part) // 2)).view(np.uint32)
            np.less(draws[: len(part)], limit, out=part)

    return {
        f"{name}: dropout, raw bits": draw,
        f"{name}: dropout mask": lambda: np.multiply(kept, scale, out=entries),
        f"{name}: dropout forward, NaN?": in_blocks(IS_FINITE, inputs),
        f"{name}: dropout forward": in_blocks(TIMES, inputs, mask, output),
    }


def dropout_backward(name, d_output, mask, d_inputs):
    """Return the calls of dropout's way back."""
    return {
        f"{name}: dropout backward, NaN?": in_blocks(IS_FINITE, d_output),
        f"{name}: dropout backward": in_blocks(TIMES, d_output, mask, d_inputs),
    }


def penalty_calls(name, n, m):
    """Return the calls of the penalty on the squares of (n, m) weights and m biases."""
    calls = {}
    for what, rows in (("weights", n), ("biases", 1)):
        a, out = numbers(rows, m), numbers(rows, m)
        calls[f"{name}: squares of the {what}"] = in_blocks(TIMES, a, a, out)
        calls |= sum_calls(f"{name}: penalty on the {what}", 1, rows * m)
    return calls


def penalty_gradient_calls(name, n, m):
    """Return the calls of that penalty's gradient."""
    calls = {}
    for what, rows in (("weights", n), ("biases", 1)):
        a, b, out = (numbers(rows, m) for _ in range(3))
        calls |= {
            f"{name}: penalty's gradient, twice the {what}": in_blocks(TIMES, a, b, out),
            f"{name}: added to that of the {what}": in_blocks(TIMES, a, b, out),
        }
    return calls


def loss_calls(logits, gradient):
    """Return the calls of softmax, categorical cross-entropy and their gradient."""
    rows, classes = logits.shape
    of_columns, chosen = np.ascontiguousarray(logits.T), logits[:, 0].copy()
    column, samples = chosen[:, np.newaxis], np.arange(rows)
    right = samples % classes
    result, targets = np.empty_like(logits), np.zeros_like(logits)
    range_of_classes = in_blocks(LARGEST, right[np.newaxis])
    range_of_predictions = in_blocks(LARGEST, logits)
    is_finite = in_blocks(IS_FINITE, logits)
    return {
        "softmax: NaN?": is_finite,
        "softmax: largest of each row": lambda: np.maximum.reduce(of_columns),
        "softmax: minus the largest": lambda: np.subtract(logits, column, out=result),
        "softmax: exponentials": lambda: exp(logits),
        **sum_calls("softmax: sums", rows, classes),
        "softmax: division": lambda: np.divide(logits, column, out=result),
        "loss: NaN?": is_finite,
        "loss: predictions out of range?": range_of_predictions,
        "loss: classes out of range?": range_of_classes,
        "loss: probabilities of the right classes": lambda: logits[samples, right],
        "loss: logarithms": lambda: log(chosen),
        **sum_calls("loss: sum", 1, rows),
        "loss: gradient, NaN?": is_finite,
        "loss: gradient, predictions out of range?": range_of_predictions,
        "loss: gradient, classes out of range?": range_of_classes,
        "loss: gradient, targets": lambda: targets.__setitem__((samples, right), 1),
        "loss: gradient, difference": lambda: np.subtract(logits, targets, out=gradient),
        "loss: gradient, division": lambda: np.divide(gradient, rows, out=gradient),
    }


def sum_calls(name, rows, columns):
    """Return the calls of the exact sum of each row."""
    single, terms, ones = numbers(rows, columns), np.ones((rows, columns)), np.ones(columns)
    return {
        f"{name}, largest magnitude": in_blocks(LARGEST, single),
        f"{name}, to the grid": in_blocks(TO_GRID, single),
        f"{name}, product with ones": lambda: np.dot(terms, ones),
    }


def update_calls(name, n, m):
    """Return the calls of one step of Adam on (n, m) weights and m biases."""
    calls = {}
    for what, rows in (("weights", n), ("biases", 1)):
        calls[f"{name}: gradient of the {what}, NaN?"] = in_blocks(IS_FINITE, numbers(rows, m))
        calls[f"{name}: Adam on the {what}"] = adam_call(rows, m)
    return calls


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


def numbers(rows, columns):
    """Return a new float32 array of numbers from a half to 1."""
    return np.random.RandomState(0).uniform(0.5, 1, (rows, columns)).astype(np.float32)


# --- products -----------------------------------------------------------------------------------


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
    return fastest([lambda way=way: [call() for call in way] for way in ways if None not in way])


def fastest(calls):
    """Return the call that takes the least time."""
    if len(calls) == 1:
        return calls[0]
    times = in_turn(calls, repetitions=5)
    return calls[times.index(min(times))]


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


# --- passes over arrays, block after block ------------------------------------------------------


def in_blocks(ways, *arrays):
    """Return a call of an operation on arrays, block after block, in the fastest of some ways."""
    rows, columns = arrays[0].shape
    height = max(1, min(rows, BLOCK // columns))
    work = workspace(height, columns)
    parts = [
        (Work(*(w[: rows - start] for w in work)), *(a[start : start + height] for a in arrays))
        for start in range(0, rows, height)
    ]
    return fastest([lambda way=way: [way(*part) for part in parts] for way in ways])


class Work(NamedTuple):
    """Blocks to work in."""

    zeros: np.ndarray
    single: np.ndarray
    double: np.ndarray
    mask: np.ndarray


@lru_cache
def workspace(rows, columns):
    """Return blocks to work in, the same for the same shape."""
    types = np.float32, np.float32, np.float64, np.bool_
    return Work(*(np.zeros((rows, columns), dtype) for dtype in types))


def by_search(work, part):
    """Find the largest magnitude, on which the grid depends."""
    max(part.item(part.argmax()), -part.item(part.argmin()))


def by_reduction(work, part):
    """Find it with what is faster for large arrays."""
    max(np.maximum.reduce(part, axis=None), -np.minimum.reduce(part, axis=None))


def grid_of_doubles(work, part):
    """Convert to float64 and push out what is below the grid."""
    work.double[:] = part
    np.add(work.double, PUSHER, out=work.double)
    np.subtract(work.double, PUSHER, out=work.double)


def grid_of_singles(work, part):
    """Push it out before the conversion, which does for grids of up to 22 bits."""
    np.add(part, SINGLE_PUSHER, out=work.single)
    np.subtract(work.single, SINGLE_PUSHER, out=work.single)
    work.double[:] = work.single


def to_float32(work, out):
    """Convert a float64 result, which is still in the cache."""
    out[:] = work.double


def is_finite(work, part):
    """Add up squares: the sum is finite only if all are."""
    np.vdot(part, part)


def relu(work, part, out):
    """Take the larger of two arrays: faster than with the scalar 0."""
    np.maximum(part, work.zeros, out=out)


def where_positive(work, part, other, out):
    """Let pass where another array is positive."""
    np.multiply(part, np.greater(other, 0, out=work.mask), out=out)


def times(work, part, other, out):
    """Multiply two arrays."""
    np.multiply(part, other, out=out)


LARGEST = by_search, by_reduction
TO_GRID = grid_of_doubles, grid_of_singles
TO_FLOAT32, IS_FINITE = (to_float32,), (is_finite,)
RELU, WHERE_POSITIVE, TIMES = (relu,), (where_positive,), (times,)
