"""The tasks of `practice`: what there is to build, what solves it, and what it is tried on."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from nnfs_book.arithmetic import exp, log, snap, total
from nnfs_book.checks.verdicts import Rank
from nnfs_book.network.activations import ReLU, Sigmoid, Softmax, sigmoid, softmax
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import BinaryCrossentropy, Huber, MeanSquaredError
from nnfs_book.network.optimizers import SGD, Adam
from nnfs_book.network.penalties import penalty_gradient
from nnfs_book.network.randomness import RandomStream

TASKS = {}


@dataclass(frozen=True)
class Task:
    """Something to build: what is asked, a solution to compare with, and what to try it on."""

    name: str
    asked: str
    solution: object
    cases: object


def task(name, asked, cases):
    """Enter the decorated function as the solution of a task.

    Parameters
    ----------
    name : str
        What `check` is called with, for instance ``"relu.backward"``.
    asked : str
        What to build, with the arguments and their shapes.
    cases : callable
        Takes ``draw``, which draws normal numbers in a shape, and yields the arguments of calls,
        awkward ones first.
    """

    def enter(solution):
        TASKS[name] = Task(name, asked, solution, cases)
        return solution

    return enter


@task(
    "neuron.forward",
    "f(inputs, weights, bias) returns the weighted sum of D inputs, a number",
    lambda draw: [([0, 0], [1, 2], 3.0), ([1], [-2], 0.5)] + [(draw(4), draw(4), 0.25)] * 3,
)
def neuron_forward(inputs, weights, bias):
    return (inputs * weights).sum() + bias


@task(
    "neuron.step",
    "f(x, y, w, b, rate) returns (w, b) after one step of a neuron with one input and N samples",
    lambda draw: [([0], [1], 3.0, 3.0, 0.5), ([2], [1], 1.0, 1.0, 0.25), ([1, 3], [0, 0], 0.0, 1.0, 1.0)]
    + [(draw(n), draw(n), -1.5, 0.75, 0.1) for n in (1, 4, 7)],
)
def neuron_step(x, y, w, b, rate):
    neuron, loss, optimizer = Dense(1, 1, stream=RandomStream(0)), MeanSquaredError(), SGD(rate)
    neuron.weights, neuron.biases = np.array([[w]]), np.array([[b]])
    neuron.forward(x.reshape(-1, 1))
    loss.backward(neuron.output, y.reshape(-1, 1))
    neuron.backward(loss.dinputs)
    optimizer.update_params(neuron)
    return neuron.weights[0, 0], neuron.biases[0, 0]


@task(
    "relu.backward",
    "f(dvalues, inputs) returns the gradient at the inputs, shape (N, M)",
    lambda draw: [([[1, 1, 1]], [[-1, 0, 1]]), ([[-2, 3]], [[4, -5]])]
    + [(draw(3, 2), draw(3, 2)) for _ in range(10)],
)
def relu_backward(dvalues, inputs):
    return ReLU().chain(dvalues, inputs, None)


@task(
    "sigmoid.forward",
    "f(z) returns the sigmoid of each number; no warning far from zero",
    lambda draw: [([[0]],), ([[800, -800]],), ([[36, -36]],)]
    + [(5 * draw(2, 3),) for _ in range(8)],
)
def sigmoid_forward(z):
    return sigmoid(z)


@task(
    "softmax.forward",
    "f(z) returns the softmax of each row, shape (N, K)",
    lambda draw: [([[0, 0]],), ([[1000, 1000, 999]],), ([[-1000, 0]],), ([[7]],)]
    + [(3 * draw(3, 4),) for _ in range(8)],
)
def softmax_forward(z):
    return softmax(z)


@task(
    "graph.backward",
    "f(slopes) returns the gradient of the last node at each of n nodes, shape (n,); slopes[k, j], "
    "shape (n, n), is the slope of the arrow from node k to a later node j, 0 where there is none",
    lambda draw: [
        ([[0]],),
        ([[0, 0], [0, 0]],),
        ([[0, 3, 0], [0, 0, 0], [0, 0, 0]],),
        ([[0, -10, 60, 0], [0, 0, 4, 2], [0, 0, 0, 1], [0, 0, 0, 0]],),
    ]
    + [(np.triu(draw(n, n), 1),) for n in (2, 3, 4, 5, 6, 7, 8)],
)
def graph_backward(slopes):
    gradient = np.zeros(len(slopes))
    gradient[-1] = 1
    for k in reversed(range(len(slopes) - 1)):
        gradient[k] = (slopes[k] * gradient).sum()
    return gradient


@task(
    "grid.snap",
    "f(a, bits) returns numbers rounded to whole multiples of 2**(e - bits), ties to the even one, "
    "where 2**e is the smallest power of two above all magnitudes in a",
    lambda draw: [
        ([0.9, 0.3, 0.1], 3),
        ([0, 0], 4),
        ([-0.9, 0.3], 3),
        ([1, 0.375, 0.125], 3),
        ([-(2.0**70), 2.0**60], 8),
        ([3e-30, 1e-31], 6),
    ]
    + [(draw(6), 5) for _ in range(4)]
    + [(draw(3, 4), 20) for _ in range(2)],
)
def grid_snap(a, bits):
    return snap(a, bits)


@task(
    "timing.ratio",
    "f(ours, theirs) returns the median of the ratios of our time to theirs, each taken within a "
    "turn; both have one time for each turn",
    lambda draw: [
        ([2, 2, 2], [1, 1, 1]),
        ([3], [2]),
        ([1, 8, 1], [2, 8, 4]),
        ([1, 2, 9, 4], [1, 1, 1, 1]),
    ]
    + [(abs(draw(5)) + 1, abs(draw(5)) + 1) for _ in range(8)],
)
def timing_ratio(ours, theirs):
    return np.median(ours / theirs)


@task(
    "chance.moments",
    "f(values, probabilities) returns expected value and variance, two numbers",
    lambda draw: [([5], [1]), ([3, 1e6], [1, 0]), ([-2, 2], [0.25, 0.75])]
    + [([1e9, 1e9 + 1], [0.5, 0.5])]
    + [(draw(4), [0.125, 0.125, 0.25, 0.5]) for _ in range(6)],
)
def chance_moments(values, probabilities):
    mean = (probabilities * values).sum()
    return mean, (probabilities * (values - mean) ** 2).sum()


@task(
    "weights.start",
    "f(draws, rule) returns starting weights made of normal draws of shape (D, M), by the rule "
    "'forward', 'backward' or 'glorot'",
    lambda draw: [
        (draws, rule)
        for draws in ([[1, 1, 1]], draw(5, 1), draw(2, 7), draw(4, 4))
        for rule in ("forward", "backward", "glorot")
    ],
)
def weights_start(draws, rule):
    n_inputs, n_neurons = draws.shape
    count = {"forward": n_inputs, "backward": n_neurons, "glorot": n_inputs + n_neurons}
    return draws * np.sqrt(2 / count[rule])


@task(
    "batchnorm.backward",
    "f(dvalues, inputs, weights, epsilon) returns the gradients of batch normalization at gain, "
    "shift and inputs, shapes (1, D), (1, D) and (N, D)",
    lambda draw: [
        ([[1, 2]], [[3, -4]], [[1, 5]], 0.001),
        ([[1], [0], [-2]], [[7], [7], [7]], [[2]], 0.25),
    ]
    + [(draw(n, 2), 3 * draw(n, 2), draw(1, 2), 0.001) for n in (3, 4, 5, 8)],
)
def batchnorm_backward(dvalues, inputs, weights, epsilon):
    def mean(a):
        return total(a, axis=0, keepdims=True) / len(a)

    centred = inputs - mean(inputs)
    deviation = np.sqrt(mean(centred**2) + epsilon)
    normal, g = centred / deviation, dvalues * weights
    dinputs = (g - mean(g) - normal * mean(g * normal)) / deviation
    dweights, dbiases = (total(a, axis=0, keepdims=True) for a in (dvalues * normal, dvalues))
    return dweights, dbiases, dinputs


@task(
    "sigmoid.backward",
    "f(dvalues, output) returns the gradient at the inputs, shape (N, M); output is the sigmoid's",
    lambda draw: [([[1]], [[0.5]]), ([[1, -1]], [[0, 1]]), ([[2, -3]], [[0.25, 0.9]])]
    + [(draw(3, 2), sigmoid(draw(3, 2))) for _ in range(8)],
)
def sigmoid_backward(dvalues, output):
    return Sigmoid().chain(dvalues, None, output)


@task(
    "binary_crossentropy.gradient",
    "f(predictions, y) returns the gradient of the mean loss at the predictions, shape (N, J); all "
    "predictions lie between 0 and 1",
    lambda draw: [
        ([[0.5]], [[1]]),
        ([[0.25, 0.9]], [[0, 1]]),
        ([[0.1], [0.8], [0.3]], [[0], [1], [1]]),
    ]
    + [(sigmoid(draw(n, j)), (draw(n, j) > 0) * 1) for n, j in ((2, 2), (3, 1), (1, 5), (4, 3))],
)
def binary_crossentropy_gradient(predictions, y):
    loss = BinaryCrossentropy()
    loss.backward(predictions, y)
    return loss.dinputs


@task(
    "binary_crossentropy.from_logits",
    "f(z, y) returns the loss of each number at the logits z, without a clip and without a warning; "
    "y is 0 or 1, and both have the same shape",
    lambda draw: [([[0]], [[1]]), ([[800, -800]], [[0, 1]]), ([[36, -36]], [[1, 0]])]
    + [(5 * draw(2, 3), (draw(2, 3) > 0) * 1) for _ in range(6)],
)
def binary_crossentropy_from_logits(z, y):
    return np.maximum(z, 0) - y * z + np.log1p(np.exp(-abs(z)))


@task(
    "rank.p",
    "f(printed, runs) returns the probability of a place at least as far out as that of a printed "
    "number among n runs, on either side, at most 1; runs equal to it count as further out",
    lambda draw: [
        (0.219, [0.25, 0.27, 0.3]),
        (2.0, [2, 2, 2]),
        (1.5, [1]),
        (1.0, list(range(45))),
        (0.5, [0.1, 0.5, 0.9, 0.7, 0.5, 0.6, 0.8, 0.95]),
        (300.0, list(range(39))),
    ]
    + [(float(draw().round(1)), draw(n).round(1)) for n in (5, 20, 40, 60, 80)],
)
def rank_p(printed, runs):
    return Rank((runs < printed).sum(), (runs > printed).sum(), len(runs)).p


@task(
    "crossentropy.logits",
    "f(logits, y) returns the cross-entropy of each sample, shape (N,), from logits and one-hot "
    "rows, both of shape (N, K); no warning for any logits",
    lambda draw: [
        ([[0, 0]], [[1, 0]]),
        ([[0, 1000]], [[1, 0]]),
        ([[-1000, -1001, -1001]], [[1, 0, 0]]),
        ([[1000, 1000], [-1000, -1000]], [[0, 1], [1, 0]]),
        ([[7]], [[1]]),
    ]
    + [(2 * draw(4, 3), np.eye(3)[[0, 2, 1, 1]]) for _ in range(6)],
)
def crossentropy_logits(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return log(total(exp(shifted), axis=1)) - total(y * shifted, axis=1)


@task(
    "softmax.backward",
    "f(dvalues, output) returns the gradient at the logits of a softmax, shape (N, K), for the "
    "gradient at its output and the output itself",
    lambda draw: [
        ([[1, 1, 1]], [[0.5, 0.25, 0.25]]),
        ([[0, 0, 4]], [[0, 0, 1]]),
        ([[-2, 0]], [[0.5, 0.5]]),
        ([[4, 0], [0, 1]], [[0.75, 0.25], [0.5, 0.5]]),
    ]
    + [(draw(3, 4), softmax(2 * draw(3, 4))) for _ in range(8)],
)
def softmax_backward(dvalues, output):
    return Softmax().chain(dvalues, None, output)


@task(
    "divergence.kl",
    "f(y, yhat) returns the Kullback-Leibler divergence of two arrays of K probabilities, a "
    "number; all of yhat are positive, some of y may be zero",
    lambda draw: [
        ([0.5, 0.5], [0.5, 0.5]),
        ([1, 0], [0.5, 0.5]),
        ([0.25, 0.75], [0.75, 0.25]),
        ([0, 0.5, 0.5], [0.25, 0.25, 0.5]),
    ]
    + [tuple(softmax(2 * draw(2, size))) for size in (2, 3, 4, 5, 6, 7)],
)
def divergence_kl(y, yhat):
    came_up = y > 0
    return (y[came_up] * log(y[came_up] / yhat[came_up])).sum()


@task(
    "penalty.gradient",
    "f(dweights, weights, l1, l2) returns the gradient of data loss plus penalty at the weights, "
    "shape (D, M); dweights is that of the data loss",
    lambda draw: [
        ([[0, 0, 0]], [[-1, 0, 2]], 0.5, 0.0),
        ([[1, 1, 1]], [[-1, 0, 2]], 0.0, 0.5),
        ([[1, -2]], [[3, 4]], 0.0, 0.0),
    ]
    + [(draw(3, 2), draw(3, 2), 0.25, 0.125) for _ in range(6)],
)
def penalised_gradient(dweights, weights, l1, l2):
    return dweights + penalty_gradient(weights, l1, l2)


@task(
    "stopping.steps",
    "f(losses, patience) returns (kept, last): the step whose weights are kept, and the one at which "
    "training stops, because the lowest loss so far is `patience` steps old or there are no more",
    lambda draw: [
        ([2], 3),
        ([1, 2, 3], 1),
        ([3, 3, 3, 3], 2),
        ([3, 4, 2, 4, 4, 1], 2),
        ([5, 4, 3, 2], 1),
        ([3, 4, 4, 2, 5, 5], 3),
    ]
    + [(draw(12), 3) for _ in range(6)],
)
def stopping_steps(losses, patience):
    kept = last = 0
    while last < len(losses) - 1 and last - kept < patience:
        last += 1
        if losses[last] < losses[kept]:
            kept = last
    return kept, last


@task(
    "dropout.both",
    "f(inputs, dvalues, kept, rate) returns (output, dinputs) of a dropout layer, all of shape "
    "(N, M); kept has 1 where a number is kept and 0 where it is dropped",
    lambda draw: [
        ([[1, 2, 3]], [[1, 1, 1]], [[1, 0, 1]], 0.5),
        ([[5, -5]], [[2, 3]], [[0, 0]], 0.25),
        ([[1, 2]], [[3, 4]], [[1, 1]], 0.0),
        ([[4, 0]], [[0, -8]], [[1, 1]], 0.75),
    ]
    + [(draw(3, 4), draw(3, 4), (draw(3, 4) > -1).astype(float), 0.2) for _ in range(6)],
)
def dropout_both(inputs, dvalues, kept, rate):
    layer = Dropout(rate, stream=RandomStream(0))
    layer.binary_mask = kept * layer.scale(float)
    return layer.function(inputs), layer.gradients(dvalues)["dinputs"]


@task(
    "adam.steps",
    "f(gradients, eta, beta_1, beta_2, epsilon) returns the steps of Adam, shape (t,), for one "
    "parameter with these gradients, one after the other",
    lambda draw: [
        ([0.5], 0.1, 0.9, 0.999, 1e-7),
        ([0, 0], 0.1, 0.9, 0.999, 1e-7),
        ([1e-6, 1e-6, 1e-6], 0.5, 0.9, 0.999, 1e-4),
        ([2, -2, 2], 1.0, 0.0, 0.75, 1e-7),
    ]
    + [(draw(n), 0.01, 0.9, 0.999, 1e-7) for n in (3, 5, 20)],
)
def adam_steps(gradients, eta, beta_1, beta_2, epsilon):
    optimizer = Adam(eta, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    memory, steps = SimpleNamespace(momentum=0.0, cache=0.0), []
    for gradient in gradients:
        steps.append(optimizer.step(gradient, memory))
        optimizer.post_update_params()
    return np.array(steps)


@task(
    "training.epoch",
    "f(x, y, w, b, rate, size) returns (w, b) after one epoch of a neuron with one input: a step for "
    "each batch of size samples, in the order in which they come, the last batch perhaps smaller",
    lambda draw: [
        ([2], [1], 1.0, 1.0, 0.25, 1),
        ([1, 3], [0, 0], 0.0, 1.0, 0.5, 2),
        ([1, 3, -1], [2, 0, 1], 0.0, 1.0, 0.25, 2),
        ([1, 3], [0, 0], 0.0, 1.0, 0.5, 5),
    ]
    + [(draw(7), draw(7), -1.5, 0.75, 0.1, size) for size in (1, 3, 7)],
)
def training_epoch(x, y, w, b, rate, size):
    for start in range(0, len(x), size):
        batch = slice(start, start + size)
        w, b = neuron_step(x[batch], y[batch], w, b, rate)
    return w, b


@task(
    "dense.backward",
    "f(X, W, g) returns (dW, db, dX), the gradients of a dense layer at its weights, biases (a row, "
    "shape (1, M)) and inputs; X has shape (N, D), W (D, M), g (N, M)",
    lambda draw: [
        ([[1, 2], [3, 4]], [[1, 0], [2, -1]], [[1, 1], [0, 2]]),
        ([[1, 2, 3]], [[1], [0], [-1]], [[2]]),
        ([[1], [2], [3]], [[4, 5]], [[1, 0], [0, 1], [2, -2]]),
    ]
    + [(draw(n, d), draw(d, m), draw(n, m)) for n, d, m in ((3, 4, 2), (5, 2, 3), (4, 4, 4))],
)
def dense_backward(X, W, g):
    layer = Dense(*W.shape, stream=RandomStream(0))
    layer.weights, layer.biases = W, np.zeros((1, W.shape[1]))
    layer.forward(X)
    layer.backward(g)
    return layer.dweights, layer.dbiases, layer.dinputs


@task(
    "accuracy.by_group",
    "f(right, group) returns (mean, error): the mean of the groups' accuracies and its standard "
    "error; right, shape (N,), holds 1 and 0, group, shape (N,), numbers of at least two groups",
    lambda draw: [
        ([1, 0], [7, 3]),
        ([1, 1, 0, 1], [1, 2, 1, 2]),
        ([1, 1, 1, 0, 0], [5, 5, 5, 5, 9]),
    ]
    + [((draw(30) > -1) * 1.0, np.arange(30) % groups) for groups in (2, 3, 7)],
)
def accuracy_by_group(right, group):
    shares = [right[group == number].mean() for number in np.unique(group)]
    return np.mean(shares), np.sqrt(np.var(shares, ddof=1) / len(shares))


@task(
    "huber.gradient",
    "f(predictions, targets, delta) returns the gradient of Huber's loss, the mean over a batch, "
    "shape (N, J)",
    lambda draw: [
        ([[3]], [[3]], 1.0),
        ([[1, -1]], [[0, 0]], 1.0),
        ([[0], [5], [-7]], [[0.25], [0], [0]], 2.0),
        ([[1e-9, 1e9]], [[0, 0]], 0.5),
    ]
    + [(draw(n, 2), draw(n, 2), 0.75) for n in (1, 2, 3, 5, 8)],
)
def huber_gradient(predictions, targets, delta):
    loss = Huber(delta)
    loss.backward(predictions, targets)
    return loss.dinputs
