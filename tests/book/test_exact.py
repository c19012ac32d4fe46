"""The book's arithmetic in JavaScript: in a real browser, the bits of Python's."""

import base64
import hashlib
import json
import sys

import honesty
import numpy as np
import pytest

from nnfs_book import Dense, Dropout, RandomStream, ReLU, exp, log, matmul, spiral_data, total
from nnfs_book.arithmetic import operand_bits
from nnfs_book.checks.experiments import EXPERIMENTS
from nnfs_book.network.activations import sigmoid, softmax
from nnfs_book.presentation.retrain import encoded, retrain

sys.path.insert(0, str(honesty.BOOK / "_ext"))
from exact import bundled  # noqa: E402

TINY, LARGEST = np.float32(1e-45), np.finfo(np.float32).max
SPECIAL = np.float32([0, -0.0, TINY, -TINY, 1e-38, LARGEST, -LARGEST, 1, -1, 0.5, 88.7, 88.8, -104])
# Their logarithms lie so near to a midpoint that float64 takes them for it: there are five in all.
HARD = np.array([0x3C413D3A, 0x41178FEB, 0x4C5D65A5, 0x65D890D3, 0x6F31A8EC], np.uint32).view(np.float32)
HELPERS = """
globalThis.matrix = ({ shape, data }) => new exact.Matrix(...shape, exact.decode(data));
globalThis.bits = (numbers) => {
  const floats = Float32Array.from(numbers);
  return Array.from(new Int32Array(floats.buffer));
};
"""


@pytest.fixture(scope="module")
def chromium(browser):
    return browser.new_page()


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def page(request):
    """An empty page, in each browser, that holds the module and nothing else."""
    page = request.getfixturevalue(request.param)
    page.add_script_tag(content=bundled(honesty.BOOK / "_static" / "exact"))
    page.add_script_tag(content=HELPERS)
    return page


def sent(a):
    """Return a matrix as the page takes it."""
    return {"shape": a.shape, "data": encoded(a)}


def bits(a):
    """Return the patterns of float32 numbers; NaN has many, of which one stands for all."""
    a = np.asarray(a, np.float32).ravel()
    return np.where(np.isnan(a), np.float32(np.nan), a).view(np.int32).tolist()


def awkward(draw, *shape):
    """Return matrices: ordinary numbers, rows far apart, any bits, zeros and ends."""
    yield draw.standard_normal(shape)
    yield draw.standard_normal(shape) * 10.0 ** draw.randint(-30, 30, (shape[0], 1))
    patterns = draw.randint(0, 2**32, shape, dtype=np.uint64).astype(np.uint32).view(np.float32)
    yield np.where(np.isfinite(patterns), patterns, 0)
    yield draw.choice(SPECIAL, shape)
    yield draw.randint(-3, 4, shape) + 2.0 ** -draw.randint(15, 24, shape)


def matrices(seed, *shape):
    with np.errstate(over="ignore", under="ignore"):
        drawn = [a.astype(np.float32) for a in awkward(np.random.RandomState(seed), *shape)]
    return [np.where(np.isfinite(a), a, 1) for a in drawn]


@pytest.mark.parametrize(("name", "function"), [("exp", exp), ("log", log)])
def test_exp_and_log(page, name, function):
    draw = np.random.RandomState(0)
    any_bits = draw.randint(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = np.float32(draw.uniform(-105, 90, 100_000))
    ends = np.float32([np.inf, -np.inf, np.nan])
    x = np.concatenate([any_bits, near, SPECIAL, ends, HARD])
    # As one text: Playwright takes long over an array of so many numbers.
    script = "([name, x]) => JSON.stringify(bits(exact.decode(x).map((x) => exact[name](x))))"
    found = np.array(json.loads(page.evaluate(script, [name, encoded(x)])), np.int32).view(np.float32)
    with np.errstate(all="ignore"):
        assert bits(found) == bits(function(x))


SHAPES = [(1, 1, 1), (2, 3, 4), (5, 2, 64), (64, 40, 1), (7, 70, 3), (3, 129, 9), (33, 17, 20)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_matmul_and_total(page, shape):
    n, k, m = shape
    for a, b in zip(matrices(1, n, k), matrices(2, k, m), strict=True):
        with np.errstate(all="ignore"):
            product = page.evaluate(
                "([a, b]) => bits(exact.matmul(matrix(a), matrix(b)).data)", [sent(a), sent(b)]
            )
            assert product == bits(matmul(a, b))
            for axis in 0, 1:
                found = page.evaluate(
                    "([a, axis]) => bits(exact.total(matrix(a), axis).data)", [sent(a), axis]
                )
                assert found == bits(total(a, axis=axis))


def test_how_many_bits_a_sum_leaves_to_its_operands(page):
    terms = [*range(1, 70), *(2**e + d for e in range(7, 25) for d in (-1, 0, 1))]
    for operands in 1, 2:
        found = page.evaluate(
            "([terms, n]) => terms.map((t) => exact.operandBits(t, n))", [terms, operands]
        )
        assert found == [operand_bits(t, operands) for t in terms]


def test_a_sum_of_what_is_not_finite_is_refused(page):
    for value in np.nan, np.inf:
        a = sent(np.float32([[1, value]]))
        assert page.evaluate(
            "(a) => { try { exact.total(matrix(a), 1); return ''; } catch (e) { return e.message; } }", a
        ) == "a sum must be of finite numbers"


def test_sigmoid_and_softmax(page):
    for z in matrices(3, 40, 5):
        z = np.clip(z, -1e30, 1e30)
        one_by_one = "(z) => bits(matrix(z).data.map(exact.sigmoid))"
        assert page.evaluate(one_by_one, sent(z)) == bits(sigmoid(z))
        assert page.evaluate("(z) => bits(exact.softmax(matrix(z)).data)", sent(z)) == bits(softmax(z))


def test_relu_lets_the_same_gradients_through(page):
    for z, g in zip(matrices(4, 6, 5), matrices(5, 6, 5), strict=True):
        relu = ReLU()
        relu.forward(z)
        relu.backward(g)
        script = """([z, g]) => {
            const relu = new exact.ReLU();
            return [bits(relu.forward(matrix(z)).data), bits(relu.backward(matrix(g)).data)];
        }"""
        output, gradient = page.evaluate(script, [sent(z), sent(g)])
        assert output == bits(relu.output)
        assert bits(np.abs(np.array(gradient, np.int32).view(np.float32))) == bits(np.abs(relu.dinputs))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.999])
def test_dropout_draws_the_same_masks(page, rate):
    start = np.random.PCG64(7).state["state"]
    script = """([state, inc, rate, a]) => {
        const dropout = new exact.Dropout(rate, new exact.PCG64(state, inc));
        return [1, 2].map(() => bits(dropout.forward(matrix(a)).data));
    }"""
    a = matrices(6, 9, 11)[0]
    found = page.evaluate(script, [str(start["state"]), str(start["inc"]), rate, sent(a)])
    dropout = Dropout(rate, stream=RandomStream(7))
    for mask in found:
        dropout.forward(a)
        # A number of an odd count leaves half a draw, which neither of the two keeps.
        assert mask == bits(dropout.output)


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_sha256(page, length):
    data = np.random.RandomState(length).bytes(length)
    script = "(t) => exact.sha256(Uint8Array.from(atob(t), (c) => c.charCodeAt(0)))"
    found = page.evaluate(script, base64.b64encode(data).decode())
    assert found == hashlib.sha256(data).hexdigest()


def offer(name, epochs):
    """Return a training of the book, and what a page holds to repeat it."""
    classes = 2 if name == "G" else 3
    stream = RandomStream(0)
    X, y = spiral_data(samples=100, classes=classes, stream=stream)
    layers = [Dense(2, 64, stream=stream), Dense(64, 1 if classes == 2 else 3, stream=stream)]
    rate = 0.001 if name == "G" else 0.02
    run = EXPERIMENTS[name](epochs=epochs)
    return run, retrain(run, X, y, layers, l2=5e-4, learning_rate=rate, decay=5e-7)


TRAIN = """(start) => {
    const training = new exact.Training(start);
    let predictions;
    while (training.epoch < training.epochs) predictions = training.step();
    const { loss, y } = training;
    return [training.sha256, loss.loss(predictions, y), loss.accuracy(predictions, y)];
}"""


@pytest.mark.parametrize("name", ["G", "A"])
@pytest.mark.parametrize("epochs", [101, pytest.param(10_001, marks=pytest.mark.slow)])
def test_a_training_ends_in_the_same_bits(page, name, epochs):
    run, offered = offer(name, epochs)
    sha256, loss, accuracy = page.evaluate(TRAIN, json.loads(json.dumps(offered.start)))
    assert sha256 == run.sha256 == offered.sha256
    if epochs % 100 == 1:
        last = run.log[-1]
        assert (loss, accuracy) == (np.float32(last["data_loss"]), last["accuracy"])


def test_the_page_holds_the_starting_weights_of_the_training():
    run, offered = offer("G", 1)
    for layer, trained in zip(offered.start["layers"], (run.layers[0], run.layers[2]), strict=True):
        start = np.frombuffer(base64.b64decode(layer["weights"]), "<f4").reshape(trained.weights.shape)
        moved = np.abs(start - trained.weights)
        assert 0 < moved.max() <= np.float32(0.00101)  # by one step of Adam
