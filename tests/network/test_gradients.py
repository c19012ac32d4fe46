"""The gradient checks that readers use: what they find, and what they refuse.

And gradients that no formula of a single number states, of whole matrices, against those that
SymPy finds by differentiating the forward pass. (`test_every_part.py` checks those of every part.)
"""

from contextlib import nullcontext

import numpy as np
import pytest
import sympy as sp

from nnfs_book.arithmetic import native
from nnfs_book.checks.gradients import (
    GradientError,
    check_layer,
    check_loss,
    check_network,
    compare,
    numerical_gradient,
)
from nnfs_book.network import activations, layers, losses
from nnfs_book.network.randomness import RandomStream

RANDOM = np.random.RandomState(3)
INPUTS = RANDOM.uniform(-2, 2, (4, 3))
PROBABILITIES = RANDOM.uniform(0.1, 0.9, (4, 3))
CLASSES = np.array([2, 0, 1, 1])
NUMBERS = RANDOM.uniform(-2, 2, (4, 3))


@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_whole_network(method):
    smooth = activations.Sigmoid() if method == "complex" else activations.ReLU()
    network = [
        layers.Dense(3, 5, weight_regularizer_l2=0.01, bias_regularizer_l2=0.02),
        smooth,
        layers.Dropout(0.2, stream=RandomStream(2)),
        layers.Dense(5, 3),
    ]
    for layer in (network[0], network[3]):
        layer.weights *= 50
    loss = losses.SoftmaxCategoricalCrossentropy()
    assert len(check_network(network, loss, INPUTS, CLASSES, method)) == 5


def test_inputs_from_a_common_seed_do_not_hide_a_transposed_gradient():
    class Transposed(layers.Dense):
        def backward(self, dvalues):
            super().backward(dvalues)
            self.dweights = self.dweights.T

    with pytest.raises(GradientError, match="dweights"):
        check_layer(Transposed(3, 3), np.random.RandomState(0).standard_normal((4, 3)))


@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_tiny_gradient_is_not_taken_for_none(method):
    class Silent(layers.Dense):
        def backward(self, dvalues):
            super().backward(dvalues)
            self.dweights = 0 * self.dweights

    with pytest.raises(GradientError, match="dweights"):
        check_layer(Silent(3, 2), 1e-14 * INPUTS, method)


def test_a_layer_used_twice_is_seen_as_one():
    shared = layers.Dense(3, 3, stream=RandomStream(8))
    with pytest.raises(GradientError):
        check_network([shared, shared], losses.MeanSquaredError(), INPUTS, NUMBERS)


def test_compare_has_a_bound():
    numerical = np.array([1e3, 1.0])
    compare("g", numerical + [3e-5, 0], numerical)
    with pytest.raises(GradientError, match=r"g\[0\] is 1000.0001, but .* rate of 1000"):
        compare("g", numerical + [1e-4, 0], numerical)
    compare("g", numerical + [1e-10, 0], numerical, "complex")
    with pytest.raises(GradientError):
        compare("g", numerical + [1e-9, 0], numerical, "complex")
    for shape in ((2, 3), (3, 1)):
        with pytest.raises(GradientError, match="has shape"):
            compare("g", np.ones((1, 3)), np.ones(shape))
    with pytest.raises(GradientError, match=r"g\[1\] is nan"):
        compare("g", [1e3, np.nan], numerical)


def test_every_output_counts_by_itself():
    class Summed(layers.Dense):
        def backward(self, dvalues):
            super().backward(np.ones_like(dvalues))

    with pytest.raises(GradientError):
        check_layer(Summed(3, 2), INPUTS)


@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_wrong_gradient_of_a_loss_is_found(method):
    class Doubled(losses.MeanSquaredError):
        def gradient(self, predictions, targets):
            return 2 * super().gradient(predictions, targets)

    class Turned(losses.SoftmaxCategoricalCrossentropy):
        def backward(self, dvalues, y):
            super().backward(dvalues, y)
            self.dinputs = -self.dinputs

    for loss, y in ((Doubled(), NUMBERS), (Turned(), CLASSES)):
        with pytest.raises(GradientError, match="dinputs"):
            check_loss(loss, INPUTS, y, method)


def test_what_is_checked_is_left_as_it_was():
    layer, dropout = layers.Dense(3, 3), layers.Dropout(0.5, stream=RandomStream(2))
    loss, before = losses.SoftmaxCategoricalCrossentropy(), layer.weights.tobytes()
    check_network([layer, dropout], loss, INPUTS, CLASSES)
    assert layer.weights.tobytes() == before and layer.weights.dtype == np.float32
    assert not any(hasattr(thing, "output") for thing in (layer, dropout, loss))
    assert dropout.stream.state == RandomStream(2).state


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(ValueError, match="method must be one of central, complex, got 'forward'"):
        numerical_gradient(lambda x: x.sum(), [1.0], method="forward")
    with pytest.raises(ValueError, match="nothing to differentiate"):
        check_layer(activations.ReLU(), np.ones((0, 3)))
    with pytest.raises(ValueError, match="analytic"):
        check_loss(losses.MeanAbsoluteError(), INPUTS, NUMBERS, "complex")
    with pytest.raises(ValueError, match="analytic"):
        check_loss(losses.Huber(), INPUTS, NUMBERS, "complex")


def test_dropout_on_the_common_stream_cannot_be_checked():
    with pytest.raises(ValueError, match="stream of its own"):
        check_layer(layers.Dropout(0.5), INPUTS)


# --- the formula that SymPy derives -------------------------------------------------------------

Z = sp.Matrix(4, 3, lambda n, k: sp.Symbol(f"z{n}{k}", real=True))
W = sp.Matrix(3, 2, lambda i, j: sp.Symbol(f"w{i}{j}", real=True))
B = sp.Matrix(1, 2, lambda i, j: sp.Symbol(f"b{j}", real=True))
G = sp.Matrix(4, 3, lambda n, k: sp.Symbol(f"g{n}{k}", real=True))


def derived(scalar, symbols, values):
    """Differentiate a scalar by a matrix of symbols and evaluate it: values by symbol matrix."""
    gradient = symbols.applyfunc(lambda s: sp.diff(scalar, s))
    arguments = [s for matrix, _ in values for s in matrix]
    numbers = [x for _, array in values for x in np.ravel(array)]
    return np.array(sp.lambdify(arguments, gradient, "numpy")(*numbers), dtype=float)


def softmax_of(matrix):
    """Return the textbook softmax of each row, in symbols."""
    rows = [
        [sp.exp(z) / sum(sp.exp(v) for v in matrix.row(n)) for z in matrix.row(n)]
        for n in range(matrix.rows)
    ]
    return sp.Matrix(rows)


def crossentropy_of(p):
    """Return the mean of -log of the true class's probability, in symbols."""
    return -sum(sp.log(p[n, int(c)]) for n, c in enumerate(CLASSES)) / p.rows


def test_softmax_against_sympy():
    scalar = sum(G.multiply_elementwise(softmax_of(Z)))
    wanted = derived(scalar, Z, [(Z, INPUTS), (G, NUMBERS)])
    for arithmetic, rtol in ((native, 1e-12), (nullcontext, 2e-6)):
        activation = activations.Softmax()
        with arithmetic():
            activation.forward(INPUTS)
            activation.backward(NUMBERS)
        np.testing.assert_allclose(activation.dinputs, wanted, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("from_logits", [False, True])
def test_categorical_crossentropy_against_sympy(from_logits):
    inputs = INPUTS if from_logits else PROBABILITIES
    scalar = crossentropy_of(softmax_of(Z) if from_logits else Z)
    wanted = derived(scalar, Z, [(Z, inputs)])
    for arithmetic, rtol in ((native, 1e-12), (nullcontext, 2e-6)):
        for y in (CLASSES, np.eye(3)[CLASSES]):
            loss = losses.CategoricalCrossentropy()
            with arithmetic():
                if from_logits:
                    loss = losses.SoftmaxCategoricalCrossentropy()
                    loss.forward(inputs, y)
                loss.backward(loss.output if from_logits else inputs, y)
            np.testing.assert_allclose(loss.dinputs, wanted, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("of", ["inputs", "weights", "biases"])
def test_dense_against_sympy(of):
    layer = layers.Dense(3, 2, 0.1, 0.2, 0.3, 0.4, stream=RandomStream(5))
    layer.weights *= 100
    layer.biases += np.float32([[0.5, -0.7]])
    with native():
        layer.weights, layer.biases = layer.weights.astype(float), layer.biases.astype(float)
        layer.forward(INPUTS)
        layer.backward(NUMBERS[:, :2])
    ones = sp.ones(4, 1)
    scalar = sum(G[:, :2].multiply_elementwise(Z * W + ones * B))
    scalar += sum(sp.Rational(1, 10) * sp.Abs(w) + sp.Rational(2, 10) * w**2 for w in W)
    scalar += sum(sp.Rational(3, 10) * sp.Abs(b) + sp.Rational(4, 10) * b**2 for b in B)
    symbols = {"inputs": Z, "weights": W, "biases": B}[of]
    values = [(Z, INPUTS), (W, layer.weights), (B, layer.biases), (G[:, :2], NUMBERS[:, :2])]
    wanted = derived(scalar, symbols, values)
    np.testing.assert_allclose(getattr(layer, "d" + of), wanted, rtol=1e-12, atol=1e-14)


def test_dropout_against_sympy():
    layer = layers.Dropout(0.4, stream=RandomStream(1))
    with native():
        layer.forward(INPUTS)
        layer.backward(NUMBERS)
    mask = layer.output / INPUTS
    assert set(mask.round(9).ravel()) == {0, round(1 / 0.6, 9)}
    scalar = sum(G.multiply_elementwise(Z).multiply_elementwise(sp.Matrix(mask)))
    wanted = derived(scalar, Z, [(Z, INPUTS), (G, NUMBERS)])
    np.testing.assert_allclose(layer.dinputs, wanted, rtol=1e-12)
