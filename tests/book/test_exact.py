"""The book's arithmetic in JavaScript: in a real browser, the bits of Python's."""

import base64
import hashlib
import json
import sys
from html.parser import HTMLParser

import honesty
import numpy as np
import pytest

from nnfs_book import (
    Accuracy,
    Adam,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Model,
    RandomStream,
    ReLU,
    Softmax,
    exp,
    fingerprint,
    load,
    load_digits,
    log,
    matmul,
    spiral_data,
    total,
)
from nnfs_book.arithmetic import functions, operand_bits
from nnfs_book.checks.experiments import EXPERIMENTS
from nnfs_book.network.activations import sigmoid, softmax
from nnfs_book.presentation.retrain import bit_state, digits, encoded, retrain

sys.path.insert(0, str(honesty.BOOK / "_ext"))
from exact import bundled

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


def hard(name, x):
    """Return the numbers whose exp or log lies nearest to the middle between two float32 numbers.

    There a small mistake shows, which rounding hides elsewhere.
    """
    beyond = getattr(np, name)(x.astype(np.float64)).view(np.int64) & (2**29 - 1)
    return x[np.argsort(np.abs(beyond - 2**28))[:4000]]


@pytest.mark.parametrize(("name", "function"), [("exp", exp), ("log", log)])
def test_exp_and_log(page, name, function):
    draw = np.random.RandomState(0)
    any_bits = draw.randint(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = np.float32(draw.uniform(-105, 90, 100_000))
    ends = np.float32([np.inf, -np.inf, np.nan])
    many = np.float32(draw.uniform(*{"exp": (-87, 88), "log": (0, 3)}[name], 4_000_000))
    x = np.concatenate([any_bits, near, SPECIAL, ends, HARD, hard(name, many)])
    # As one text: Playwright takes long over an array of so many numbers.
    script = "([name, x]) => JSON.stringify(bits(exact.decode(x).map((x) => exact[name](x))))"
    found = np.array(json.loads(page.evaluate(script, [name, encoded(x)])), np.int32).view(np.float32)
    with np.errstate(all="ignore"):
        assert bits(found) == bits(function(x))


@pytest.mark.parametrize("name", ["LN2", "HALF_ROOT", "EXP_SERIES", "LOG_SERIES"])
def test_the_constants_are_those_of_python(page, name):
    wanted = getattr(functions, name)
    assert page.evaluate(f"exact.{name}") == (list(wanted) if isinstance(wanted, tuple) else wanted)


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
    script = """([stream, rate, a, g]) => {
        const dropout = new exact.Dropout(rate, new exact.PCG64(...stream));
        return [1, 2].map(() => {
            const output = bits(dropout.forward(matrix(a)).data);
            return [output, bits(dropout.backward(matrix(g)).data)];
        });
    }"""
    a, g = (matrices(seed, 9, 11)[0] for seed in (6, 7))
    stream = RandomStream(7)
    found = page.evaluate(script, [bit_state(stream), rate, sent(a), sent(g)])
    dropout = Dropout(rate, stream=stream)
    for output, gradient in found:
        dropout.forward(a)
        dropout.backward(g)
        # An odd count of numbers leaves half a draw, which neither of the two keeps.
        assert output == bits(dropout.output)
        assert gradient == bits(dropout.dinputs)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_raw_bits_and_orders(page, seed):
    script = """([stream, sizes]) => {
        const draw = new exact.PCG64(...stream);
        const orders = sizes.map((n) => draw.permutation(n));
        const raw = Array.from({ length: 1000 }, () => (draw.next(), [draw.high, draw.low]));
        return [orders, raw];
    }"""
    sizes, stream = [1, 2, 7, 1287], RandomStream(seed)
    orders, raw = page.evaluate(script, [bit_state(stream), sizes])
    assert orders == [stream.permutation(n).tolist() for n in sizes]
    bits_of = np.random.PCG64(seed)
    bits_of.random_raw(sum(sizes))
    assert raw == [[int(x) >> 32, int(x) & (2**32 - 1)] for x in bits_of.random_raw(1000)]


def test_a_bit_is_flipped(page):
    x = matrices(8, 20, 16)[2].ravel()
    places = np.arange(x.size) % 23  # neither sign nor exponent, so that none becomes NaN
    script = "([x, places]) => bits(exact.decode(x).map((x, i) => exact.flipBit(x, places[i])))"
    wanted = (x.view(np.int32) ^ (1 << places).astype(np.int32)).tolist()
    assert page.evaluate(script, [encoded(x), places.tolist()]) == wanted


def test_digits_carry_whole_numbers_in_parts_of_a_unit(page):
    whole = np.arange(36)
    script = "([text, unit]) => bits(exact.readDigits(text, unit))"
    assert page.evaluate(script, [digits(whole), 16]) == bits(whole / np.float32(16))
    for other in (36, -1, 0.5, np.nan):
        with pytest.raises(ValueError, match="whole"):
            digits([other])


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_sha256(page, length):
    data = np.random.RandomState(length).bytes(length)
    script = "(t) => exact.sha256(Uint8Array.from(atob(t), (c) => c.charCodeAt(0)))"
    found = page.evaluate(script, base64.b64encode(data).decode())
    assert found == hashlib.sha256(data).hexdigest()


SETTINGS = {  # of the trainings that a page offers to repeat
    "N0": {"learning_rate": 0.05},
    "A": {"l2": 5e-4, "learning_rate": 0.02},
    "G": {"l2": 5e-4, "learning_rate": 0.001},
}
CHAPTERS = {
    "N0": "training.ipynb",
    "A": "regularization.ipynb",
    "G": "logistic_regression.ipynb",
    "digits": "digits.ipynb",
}


def start(classes, neurons=64):
    """Return the points and the untrained layers of a training on arms of a spiral."""
    stream = RandomStream(0)
    X, y = spiral_data(samples=100, classes=classes, stream=stream)
    outputs = 1 if classes == 2 else classes
    layers = [Dense(2, neurons, stream=stream), Dense(neurons, outputs, stream=stream)]
    return layers, X, y


def on_arms(name, epochs):
    """Train on arms of a spiral; return fingerprint, loss and accuracy, and what a page holds."""
    run = EXPERIMENTS[name](epochs=epochs)
    offer = retrain(
        *start(2 if name == "G" else 3), epochs, run.sha256, decay=5e-7, **SETTINGS[name]
    )
    return run.log[-1]["data_loss"], run.log[-1]["accuracy"], offer


def on_digits(epochs):
    """Train on handwritten digits, in shuffled batches; return the same."""
    X, y, _, _ = load_digits()
    stream = RandomStream(0)
    layers = [Dense(64, 64, stream=stream), Dense(64, 10, stream=stream)]
    settings = {"learning_rate": 0.01, "batch_size": 128, "stream": stream, "unit": 16}
    offer = retrain(layers, X, y, epochs, "", **settings)
    model = Model([layers[0], ReLU(), layers[1], Softmax()])
    model.compile(Adam(0.01), CategoricalCrossentropy(), [Accuracy()])
    row = model.fit(X, y, epochs=epochs, batch_size=128, stream=stream).rows[-1]
    offer.sha256 = fingerprint(layers)
    return row["data_loss"], row["accuracy"], offer


TRAIN = """(start) => {
    const training = new exact.Training(start);
    let measured;
    while (training.epoch < training.epochs) measured = training.advance();
    return [training.sha256, measured.loss, measured.accuracy];
}"""
LONG = pytest.param(10_001, marks=pytest.mark.slow)


@pytest.mark.parametrize("epochs", [201, LONG])
@pytest.mark.parametrize("name", ["N0", "A", "G"])
def test_a_training_ends_in_the_same_bits(page, name, epochs):
    loss, accuracy, offer = on_arms(name, epochs)
    found = page.evaluate(TRAIN, json.loads(json.dumps(offer.start)))
    assert found == [offer.sha256, loss, accuracy]


@pytest.mark.parametrize("epochs", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_digits_end_in_the_same_bits(page, epochs):
    loss, accuracy, offer = on_digits(epochs)
    sha256, *measured = page.evaluate(TRAIN, json.loads(json.dumps(offer.start)))
    assert sha256 == offer.sha256
    assert measured == pytest.approx([loss, accuracy], rel=1e-12)  # means over the batches


def test_a_training_with_dropout_ends_in_the_same_bits(page):
    run = EXPERIMENTS["E"](samples=100, epochs=101)
    layers, X, y = start(3)
    settings = {"l2": 5e-4, "learning_rate": 0.05, "decay": 5e-5, "stream": RandomStream(0)}
    offer = retrain(layers, X, y, 101, run.sha256, **settings)
    sha256, loss, _ = page.evaluate(TRAIN, offer.start | {"dropout": 0.1})
    assert (sha256, loss) == (run.sha256, run.log[-1]["data_loss"])


class Offers(HTMLParser):
    """What the trainings on a page hold."""

    def __init__(self, name):
        super().__init__()
        self.found = []
        for _, html in honesty.read_chapter(honesty.BOOK / CHAPTERS[name]).shown("text/html"):
            self.feed(html)
        (self.offer,) = self.found

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("class") == "retrain":
            self.found.append(attributes)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_page_holds_the_start_of_its_training(name):
    offer = on_digits(epochs=1)[-1] if name == "digits" else on_arms(name, 1)[-1]
    held = json.loads(Offers(name).offer["data-start"])
    assert held == offer.start | {"epochs": 60 if name == "digits" else 10_001}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_page_wants_the_fingerprint_of_the_stored_run(name):
    assert Offers(name).offer["data-sha256"] == load(name)[0]["sha256"]
