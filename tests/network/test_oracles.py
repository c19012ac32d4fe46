"""Losses, gradients and optimizers agree with scikit-learn and SciPy, and so do their refusals.

Nothing here was written for this book: the losses are public functions of `sklearn.metrics` and
`scipy.special` (SciPy comes with scikit-learn), gradients and optimizers are what scikit-learn's own
estimators train with. All of them compute in float64, ours in float32, and both get the same float32
numbers.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import huber
from sklearn import metrics
from sklearn._loss import loss as sklearn_losses
from sklearn.neural_network import _stochastic_optimizers as sklearn_optimizers

from nnfs_book.arithmetic import native
from nnfs_book.network import losses, optimizers
from nnfs_book.network.activations import Sigmoid, sigmoid, softmax
from nnfs_book.network.layers import Dense

UNIT = 2.0**-23  # in the last place of a float32 next to 1
SMALLEST = 1e-37  # below it float32 has fewer digits: squares of errors below 1e-19
DELTAS = (0.01, 1.0, 50.0)

# Targets and predictions may be huge, tiny or equal; their squares stay within float32.
numbers = st.floats(-(2.0**50), 2.0**50, width=32)
several_outputs = st.tuples(st.integers(1, 8), st.integers(1, 3))
pairs = several_outputs.flatmap(
    lambda shape: st.tuples(*2 * [arrays(np.float32, shape, elements=numbers)])
)
# Probabilities from 0 to 1, both of them included, and how far a sigmoid or softmax gets.
shares = st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0, 2.0**-40, 2.0**-20, 1 - 2.0**-24])


def clipped(p):
    """Return probabilities as our losses clip them, as float64: scikit-learn clips elsewhere."""
    p = np.clip(np.float32(p), np.float32(losses.CLIP), np.float32(1 - losses.CLIP))
    return p.astype(np.float64)


def agree(ours, theirs, rtol=1e-6, atol=SMALLEST):
    """Demand that two results agree, to 1e-6 unless said otherwise."""
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def random_classes(n_samples, n_classes, seed=0):
    """Return logits of very different size, and class numbers of which each occurs."""
    random = np.random.RandomState(seed)
    logits = (
        random.standard_normal((n_samples, n_classes))
        * 10 ** random.uniform(-3, 3, n_samples)[:, None]
    )
    return logits.astype(np.float32), np.arange(n_samples) % n_classes


# --- losses for numbers -------------------------------------------------------------------------


@given(pair=pairs)
def test_mean_absolute_error(pair):
    predictions, y = pair
    agree(
        losses.MeanAbsoluteError().calculate(predictions, y),
        metrics.mean_absolute_error(y, predictions),
    )


@given(pair=pairs)
def test_mean_squared_error_and_its_root(pair):
    predictions, y = pair
    mse = losses.MeanSquaredError().calculate(predictions, y)
    agree(mse, metrics.mean_squared_error(y, predictions))
    if predictions.shape[1] == 1:  # for several outputs, theirs is a mean of roots
        agree(np.sqrt(mse), metrics.root_mean_squared_error(y, predictions), atol=SMALLEST**0.5)


@given(pair=pairs, delta=st.sampled_from(DELTAS) | st.floats(2.0**-20, 2.0**20, width=32))
def test_huber(pair, delta):
    predictions, y = pair
    errors = predictions.astype(np.float64) - y
    agree(losses.Huber(delta).calculate(predictions, y), huber(delta, errors).mean())


@pytest.mark.parametrize("size", [1e-15, 1e-3, 1.0, 1e6, 1e15])
@pytest.mark.parametrize("outputs", [1, 4])
def test_errors_of_every_size(size, outputs):
    random = np.random.RandomState(0)
    y = random.standard_normal((200, outputs)).astype(np.float32) * np.float32(size)
    predictions = random.standard_normal(y.shape).astype(np.float32) * np.float32(size)
    wanted = metrics.mean_squared_error(y.astype(np.float64), predictions.astype(np.float64))
    agree(losses.MeanSquaredError().calculate(predictions, y), wanted)
    wanted = metrics.mean_absolute_error(y.astype(np.float64), predictions.astype(np.float64))
    agree(losses.MeanAbsoluteError().calculate(predictions, y), wanted)
    errors = predictions.astype(np.float64) - y
    for delta in DELTAS:
        agree(losses.Huber(delta).calculate(predictions, y), huber(delta, errors).mean())


REGRESSION = {
    "squared": (losses.MeanSquaredError, sklearn_losses.HalfSquaredError, 2),
    "absolute": (losses.MeanAbsoluteError, sklearn_losses.AbsoluteError, 1),
    **{
        f"huber {delta}": (
            lambda delta=delta: losses.Huber(delta),
            lambda delta=delta: sklearn_losses.HuberLoss(delta=delta),
            1,
        )
        for delta in DELTAS
    },
}


@pytest.mark.parametrize("name", REGRESSION)
@pytest.mark.parametrize("outputs", [1, 4])
def test_gradients_of_losses_for_numbers(name, outputs):
    ours, theirs, factor = REGRESSION[name]
    random = np.random.RandomState(1)
    y = random.standard_normal((100, outputs)).astype(np.float32)
    predictions = y + 10 ** random.uniform(-3, 3, y.shape).astype(np.float32) * random.choice(
        [-1, 1], y.shape
    )
    predictions = predictions.astype(np.float32)
    loss = ours()
    loss.backward(predictions, y)
    wanted = theirs().gradient(y.astype(np.float64).ravel(), predictions.astype(np.float64).ravel())
    agree(loss.dinputs, factor * wanted.reshape(y.shape) / y.size)


# --- losses for classes -------------------------------------------------------------------------

# Where a probability is near 1, what is left of it to 1 has lost digits in float32; a loss or a
# gradient that is that small then has an error of up to a unit of the 1.
AT_ONE = {"atol": UNIT}


@given(data=st.data())
def test_binary_crossentropy(data):
    p = data.draw(arrays(np.float32, several_outputs, elements=shares))
    y = data.draw(arrays(np.uint8, p.shape, elements=st.integers(0, 1)))
    each = [
        metrics.log_loss(answers, probabilities, labels=[0, 1])
        for answers, probabilities in zip(y.T, clipped(p).T, strict=True)
    ]
    loss = losses.BinaryCrossentropy()
    agree(loss.calculate(p, y), np.mean(each), **AT_ONE)
    if p.shape[1] == 1:
        agree(loss.calculate(p, y.ravel()), np.mean(each), **AT_ONE)


@pytest.mark.parametrize("labels", [[0, 1], None])
def test_binary_crossentropy_of_a_sigmoid(labels):
    logits, y = random_classes(300, 2)
    p = sigmoid(logits[:, :1])
    assert {0.0, 1.0} <= set(p.ravel().tolist())
    wanted = metrics.log_loss(y, clipped(p).ravel(), labels=labels)
    agree(losses.BinaryCrossentropy().calculate(p, y), wanted, **AT_ONE)


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")  # but in float32
@given(data=st.data())
def test_categorical_crossentropy(data):
    shape = data.draw(st.tuples(st.integers(1, 8), st.integers(2, 5)))
    p = data.draw(arrays(np.float32, shape, elements=shares))
    y = data.draw(arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))
    rows, labels = np.eye(shape[1])[y], list(range(shape[1]))
    wanted = metrics.log_loss(y, clipped(p), labels=labels)
    agree(metrics.log_loss(rows, clipped(p)), wanted, rtol=1e-14)
    for targets in (y, y.astype(np.uint8), rows):
        agree(losses.CategoricalCrossentropy().calculate(p, targets), wanted)


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_categorical_crossentropy_of_a_softmax(n_classes):
    logits, y = random_classes(300, n_classes)
    p = softmax(logits)
    assert {0.0, 1.0} <= set(p.ravel().tolist())
    wanted = metrics.log_loss(y, clipped(p), labels=range(n_classes))
    for targets in (y, np.eye(n_classes)[y]):
        agree(losses.CategoricalCrossentropy().calculate(p, targets), wanted)
        agree(losses.SoftmaxCategoricalCrossentropy().forward(logits, targets), wanted)


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_gradient_of_softmax_and_crossentropy_at_the_logits(n_classes):
    logits, y = random_classes(300, n_classes)
    combined = losses.SoftmaxCategoricalCrossentropy()
    combined.forward(logits, y)
    combined.backward(combined.output, y)
    theirs = sklearn_losses.HalfMultinomialLoss(n_classes=n_classes)
    wanted = theirs.gradient(y.astype(np.float64), logits.astype(np.float64)) / len(y)
    agree(combined.dinputs, wanted, atol=UNIT / len(y))


def test_gradient_of_sigmoid_and_crossentropy_at_the_logits():
    z = np.linspace(-12, 12, 200, dtype=np.float32).reshape(-1, 1)  # where nothing is clipped
    y = np.arange(200) % 2
    activation, loss = Sigmoid(), losses.BinaryCrossentropy()
    activation.forward(z)
    loss.backward(activation.output, y)
    activation.backward(loss.dinputs)
    theirs = sklearn_losses.HalfBinomialLoss()
    wanted = theirs.gradient(y.astype(np.float64), z.astype(np.float64).ravel()) / len(y)
    agree(activation.dinputs.ravel(), wanted, atol=UNIT / len(y))


# --- what they refuse, we refuse ----------------------------------------------------------------

ONE = np.ones((4, 2))
BAD_NUMBERS = {
    "another length": (ONE, ONE[:3]),
    "another number of outputs": (ONE, ONE[:, :1]),
    "three dimensions": (ONE[None], ONE[None]),
    "no sample": (ONE[:0], ONE[:0]),
    "no output": (ONE[:, :0], ONE[:, :0]),
    "NaN predicted": (np.nan * ONE, ONE),
    "NaN as a target": (ONE, np.nan * ONE),
    "infinity predicted": (np.inf * ONE, ONE),
    "infinity as a target": (ONE, -np.inf * ONE),
    "words": (ONE, np.full((4, 2), "one")),
    "nothing": (ONE, None),
}


@pytest.mark.parametrize("case", BAD_NUMBERS)
def test_numbers_that_both_refuse(case):
    predictions, y = BAD_NUMBERS[case]
    for theirs in (
        metrics.mean_absolute_error,
        metrics.mean_squared_error,
        metrics.root_mean_squared_error,
    ):
        with pytest.raises((ValueError, TypeError)):
            theirs(y, predictions)
    for ours in (losses.MeanAbsoluteError, losses.MeanSquaredError, losses.Huber):
        for call in (ours().calculate, ours().backward):
            with pytest.raises((ValueError, TypeError), match="^(y|output) "):
                call(predictions, y)


ROWS = np.full((3, 3), 1 / 3)
CLASSES = np.array([0, 1, 2])
BAD_CLASSES = {
    "another length": (ROWS, CLASSES[:2]),
    "a label beyond the classes": (ROWS, CLASSES + 1),
    "a label below the classes": (ROWS, CLASSES - 1),
    "too few columns": (ROWS[:, :2], CLASSES),
    "rows of another width": (ROWS, np.eye(3)[:, :2]),
    "above 1": (ROWS + np.eye(3), CLASSES),
    "below 0": (ROWS - np.eye(3), CLASSES),
    "NaN predicted": (np.nan * ROWS, CLASSES),
    "infinity predicted": (np.inf * ROWS, CLASSES),
    "NaN as a target": (ROWS, np.nan * CLASSES),
    "no sample": (ROWS[:0], CLASSES[:0]),
    "three dimensions": (ROWS[None], CLASSES),
    "nothing": (ROWS, None),
}


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@pytest.mark.parametrize("case", BAD_CLASSES)
def test_classes_that_both_refuse(case):
    predictions, y = BAD_CLASSES[case]
    with pytest.raises((ValueError, TypeError)):
        metrics.log_loss(y, predictions, labels=[0, 1, 2])
    loss = losses.CategoricalCrossentropy()
    for call in (loss.calculate, loss.backward):
        with pytest.raises((ValueError, TypeError), match="^(y|output) "):
            call(predictions, y)


HALVES = np.full((3, 1), 0.5)
BAD_ANSWERS = {
    "another length": (HALVES, [0, 1]),
    "a third answer": (HALVES, [0, 1, 2]),
    "a negative answer": (HALVES, [0, 1, -1]),
    "above 1": (HALVES + 1, [0, 1, 1]),
    "below 0": (HALVES - 1, [0, 1, 1]),
    "NaN predicted": (np.nan * HALVES, [0, 1, 1]),
    "NaN as a target": (HALVES, [0, 1, np.nan]),
    "words": (HALVES, ["no", "yes", "yes"]),
    "no sample": (HALVES[:0], []),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_answers_that_both_refuse(case):
    predictions, y = BAD_ANSWERS[case]
    with pytest.raises((ValueError, TypeError)):
        metrics.log_loss(y, predictions.ravel(), labels=[0, 1])
    loss = losses.BinaryCrossentropy()
    for call in (loss.calculate, loss.backward):
        with pytest.raises((ValueError, TypeError), match="^(y|output) "):
            call(predictions, y)


# --- optimizers ---------------------------------------------------------------------------------


def walk(optimizer, oracle, dtype, before_step):
    """Give both the same random gradients; yield our parameters and theirs after each step."""
    random = np.random.RandomState(2)
    layer = Dense(3, 4)
    layer.weights = random.standard_normal((3, 4)).astype(dtype)
    layer.biases = random.standard_normal((1, 4)).astype(dtype)
    theirs = [layer.weights.astype(np.float64), layer.biases.astype(np.float64)]
    oracle = oracle(theirs)
    for _ in range(15):
        sizes = 10 ** random.uniform(-4, 0, (4, 4))
        gradients = (random.standard_normal((4, 4)) * sizes).astype(dtype)
        layer.dweights, layer.dbiases = gradients[:3], gradients[3:]
        optimizer.pre_update_params()
        optimizer.update_params(layer)
        optimizer.post_update_params()
        before_step(oracle)
        oracle.update_params(
            theirs, [layer.dweights.astype(np.float64), layer.dbiases.astype(np.float64)]
        )
        for ours, wanted in zip((layer.weights, layer.biases), theirs, strict=True):
            assert ours.dtype == dtype
            yield ours, wanted


def assert_same_walk(optimizer, oracle, before_step=lambda oracle: None):
    """Demand the same parameters in the book's float32, and to 1e-13 in float64."""
    for ours, wanted in walk(optimizer(), oracle, np.float32, before_step):
        agree(ours, wanted, atol=1e-6)
    with native():
        for ours, wanted in walk(optimizer(), oracle, np.float64, before_step):
            agree(ours, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_sgd(momentum):
    assert_same_walk(
        lambda: optimizers.SGD(0.1, momentum=momentum),
        lambda parameters: sklearn_optimizers.SGDOptimizer(
            parameters, learning_rate_init=0.1, momentum=momentum, nesterov=False
        ),
    )


def correct_epsilon(epsilon, beta_2=0.999):
    """Return what makes scikit-learn's epsilon ours.

    Ours, as the paper's algorithm:  (m / (1 - beta_1^t)) / (sqrt(c / (1 - beta_2^t)) + epsilon).
    Theirs, as the paper's shortcut: both corrections go into the rate, so that epsilon is added to
    the root of the *uncorrected* c, and counts 1 / sqrt(1 - beta_2^t) times as much. The two are
    equal if theirs is epsilon * sqrt(1 - beta_2^t): at t = 1 a thirtieth of ours, later ours.
    """

    def set_epsilon(oracle):
        oracle.epsilon = epsilon * np.sqrt(1 - beta_2 ** (oracle.t + 1))

    return set_epsilon


def adam_of_scikit_learn(parameters, epsilon=1e-7):
    return sklearn_optimizers.AdamOptimizer(parameters, learning_rate_init=0.02, epsilon=epsilon)


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3, 0.1])
def test_adam(epsilon):
    assert_same_walk(
        lambda: optimizers.Adam(0.02, epsilon=epsilon),
        lambda parameters: adam_of_scikit_learn(parameters, epsilon),
        correct_epsilon(epsilon),
    )


def test_adams_epsilon_would_be_seen_in_the_other_place():
    with pytest.raises(AssertionError):
        assert_same_walk(
            lambda: optimizers.Adam(0.02, epsilon=1e-3),
            lambda parameters: adam_of_scikit_learn(parameters, epsilon=1e-3),
        )
