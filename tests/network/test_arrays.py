"""Arrays that users get are theirs: nothing kept shares their memory, and memory does not grow."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import parts
import pytest

from nnfs_book.datasets import spiral_data
from nnfs_book.network.activations import ReLU, Softmax
from nnfs_book.network.layers import Dense, Layer
from nnfs_book.network.losses import CategoricalCrossentropy
from nnfs_book.network.model import Model
from nnfs_book.network.optimizers import Adam
from nnfs_book.network.randomness import RandomStream


def classifier(samples, neurons):
    """Return a compiled classifier of spirals, as in figures D, and its data."""
    stream = RandomStream(0)
    X, y = spiral_data(samples=samples, classes=3, stream=stream)
    strengths = {"weight_regularizer_l2": 5e-4, "bias_regularizer_l2": 5e-4}
    hidden = Dense(2, neurons, **strengths, stream=stream)
    model = Model([hidden, ReLU(), Dense(neurons, 3, stream=stream), Softmax()])
    model.compile(Adam(0.02, decay=5e-7), CategoricalCrossentropy())
    return model, X, y


def test_a_prediction_may_be_given_another_shape_and_dropped():
    model, X, _ = classifier(100, 64)
    wanted = model.predict(X).tolist()
    for _ in range(3):
        mine = model.predict(X)
        mine.shape = (-1,)
        mine[:] = 7
        del mine
        assert model.predict(X).tolist() == wanted


def test_what_a_user_marks_as_read_only_stops_nothing():
    model, X, y = classifier(100, 64)
    other, *_ = classifier(100, 64)
    for _ in range(3):
        values = X
        for layer in model.layers:
            layer.forward(values)
            values = layer.output
            values.flags.writeable = False
        model.fit(X, y)
        other.fit(X, y)
        model.predict(X).flags.writeable = False
    assert model.predict(X).tobytes() == other.predict(X).tobytes()


def test_what_predict_returns_is_not_changed_by_later_calls():
    model, X, y = classifier(100, 64)
    first = model.predict(X)
    kept = first.copy()
    model.fit(X, y, epochs=2)
    second = model.predict(X)
    assert (first == kept).all() and (second != kept).any()


@pytest.mark.parametrize("kind", [k for k in parts.parts() if issubclass(k, Layer)])
def test_results_share_no_memory(kind):
    for layer in parts.examples(kind):
        inputs = parts.ORDINARY.astype(np.float32)
        dvalues = None
        for _ in range(2):
            layer.forward(inputs)
            dvalues = np.ones_like(layer.output)
            layer.backward(dvalues)
            named = {n: a for n, a in vars(layer).items() if isinstance(a, np.ndarray)}
            named.pop("inputs")  # they are kept, and not copied
            arrays = [*named.values(), inputs, dvalues]
            for i, a in enumerate(arrays):
                assert not any(np.shares_memory(a, b) for b in arrays[:i])


def test_memory_does_not_grow():
    model, X, y = classifier(1000, 256)
    model.fit(X, y, epochs=2)
    tracemalloc.start()
    model.fit(X, y, epochs=3)
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    model.fit(X, y, epochs=30)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    one = 3000 * 256 * 4  # bytes of the hidden layer's output
    assert after - before < one / 10
    assert peak - before < 12 * one


def finishes(program):
    """Demand that a program ends, within two minutes, without an error."""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120)
    assert run.returncode == 0, run.stderr.decode()


def test_a_wide_softmax_finishes():
    finishes(
        "import numpy as np\n"
        "from nnfs_book import Softmax\n"
        "softmax = Softmax()\n"
        "softmax.forward(np.zeros((4, 300_000), 'f4'))\n"
        "assert (softmax.output == np.float32(1 / 300_000)).all()\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_can_multiply():
    finishes(
        "import os, numpy as np\n"
        "from nnfs_book import matmul\n"
        "a = np.ones((500, 500), 'f4')\n"
        "matmul(a, a)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(int((matmul(a, a) != 500).any()))\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
    )
