"""Every backward pass, three ways; and proof that these checks notice a wrong one.

1. Central differences of the forward pass in float64.
2. The complex step, where the forward pass is analytic.
3. The formula that SymPy finds by differentiating the forward pass, turned into a function.

The last part changes one operator at a time in every backward pass and demands that the checks
go red.
"""

import ast
import inspect
import types
from contextlib import nullcontext

import numpy as np
import pytest
import sympy as sp

from nnfs_book.network import activations, layers, losses
from nnfs_book.arithmetic import native
from nnfs_book.checks.gradients import (
    GradientError,
    check_layer,
    check_loss,
    check_network,
    compare,
    numerical_gradient,
)
from nnfs_book.network.randomness import RandomStream

RANDOM = np.random.RandomState(3)
INPUTS = RANDOM.uniform(-2, 2, (4, 3))
PROBABILITIES = RANDOM.uniform(0.1, 0.9, (4, 3))
YES_NO = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]])
CLASSES = np.array([2, 0, 1, 1])
NUMBERS = RANDOM.uniform(-2, 2, (4, 3))


def dense_with_penalties(module):
    """Return a Dense layer with all four penalties and no parameter at a kink."""
    layer = module.Dense(3, 2, 0.1, 0.2, 0.3, 0.4, stream=RandomStream(5))
    layer.weights *= 100
    layer.biases += np.float32([[0.5, -0.7]])
    return layer


def dense_without_kinks(module):
    """Return a Dense layer with L2 penalties alone, an analytic function of its parameters."""
    return module.Dense(3, 2, weight_regularizer_l2=0.2, bias_regularizer_l2=0.4)


def dropout(module):
    """Return a Dropout layer that meets the same mask in every check."""
    return module.Dropout(0.4, stream=RandomStream(1))


def checks(module):
    """Return the checks of everything in one module, by the name of what is checked."""
    if module.__name__.endswith("layers"):
        return {
            "Dense": lambda: check_layer(dense_with_penalties(module), INPUTS),
            # A central difference of |b| at b = 0 is 0, the subgradient that we take there.
            "Dense, biases at the kink of L1": lambda: check_layer(
                module.Dense(3, 2, bias_regularizer_l1=0.3), INPUTS
            ),
            "Dense, complex": lambda: check_layer(dense_without_kinks(module), INPUTS, "complex"),
            "Dropout": lambda: check_layer(dropout(module), INPUTS),
            "Dropout, complex": lambda: check_layer(dropout(module), INPUTS, "complex"),
        }
    if module.__name__.endswith("activations"):
        kinks = {"ReLU": lambda: check_layer(module.ReLU(), INPUTS)}
        smooth = {
            f"{name}, {method}": lambda name=name, method=method: check_layer(
                getattr(module, name)(), INPUTS, method
            )
            for name in ("Linear", "Sigmoid", "Softmax")
            for method in ("central", "complex")
        }
        return kinks | smooth
    cases = {
        "MeanSquaredError": (INPUTS, NUMBERS),
        "BinaryCrossentropy": (PROBABILITIES, YES_NO),
        "CategoricalCrossentropy": (PROBABILITIES, CLASSES),
        "SoftmaxCategoricalCrossentropy": (INPUTS, CLASSES),
    }
    kinks = {
        "MeanAbsoluteError": lambda: check_loss(module.MeanAbsoluteError(), INPUTS, NUMBERS),
        "Huber": lambda: check_loss(module.Huber(), INPUTS, NUMBERS),
        "Huber, small errors": lambda: check_loss(module.Huber(delta=9), INPUTS, NUMBERS),
        "Huber, large errors": lambda: check_loss(module.Huber(delta=0.01), INPUTS, NUMBERS),
    }
    smooth = {
        f"{name}, {method}": lambda name=name, case=case, method=method: check_loss(
            getattr(module, name)(), *case, method
        )
        for name, case in cases.items()
        for method in ("central", "complex")
    }
    return kinks | smooth


MODULES = [layers, activations, losses]


@pytest.mark.parametrize(
    "check", [pytest.param(c, id=name) for m in MODULES for name, c in checks(m).items()]
)
def test_against_numerical_derivatives(check):
    check()


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
        check_layer(Silent(3, 2), 1e-5 * INPUTS, method)


def test_a_layer_used_twice_is_seen_as_one():
    shared = layers.Dense(3, 3, stream=RandomStream(8))
    with pytest.raises(GradientError):
        check_network([shared, shared], losses.MeanSquaredError(), INPUTS, NUMBERS)


def test_compare_has_a_bound():
    numerical = np.array([1e3, 1.0])
    compare("g", numerical + [3e-5, 0], numerical)
    with pytest.raises(GradientError, match=r"g\[0\] is 1000.0001, but .* rate of 1000"):
        compare("g", numerical + [1e-4, 0], numerical)
    with pytest.raises(GradientError, match="has shape"):
        compare("g", np.ones((1, 3)), np.ones((2, 3)))


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


ACTIVATION_FORMULAS = {
    "Linear": lambda z: z,
    "ReLU": lambda z: z.applyfunc(lambda x: sp.Max(x, 0)),
    "Sigmoid": lambda z: z.applyfunc(lambda x: 1 / (1 + sp.exp(-x))),
    "Softmax": softmax_of,
}


@pytest.mark.parametrize("name", ACTIVATION_FORMULAS)
def test_activation_against_sympy(name):
    scalar = sum(G.multiply_elementwise(ACTIVATION_FORMULAS[name](Z)))
    wanted = derived(scalar, Z, [(Z, INPUTS), (G, NUMBERS)])
    activation = getattr(activations, name)()
    with native():
        activation.forward(INPUTS)
        activation.backward(NUMBERS)
    np.testing.assert_allclose(activation.dinputs, wanted, rtol=1e-12, atol=1e-14)
    assert_float32_agrees(activation, (INPUTS,), NUMBERS, wanted)


def mean_over_samples(terms):
    """Return the mean of a matrix of terms over samples, and over outputs for each of them."""
    return sum(terms) / (terms.rows * terms.cols)


def symbolic_crossentropy(p):
    """Return the mean of -log of the true class's probability."""
    return -sum(sp.log(p[n, int(c)]) for n, c in enumerate(CLASSES)) / p.rows


LOSS_FORMULAS = {
    "MeanSquaredError": (
        lambda p: mean_over_samples((p - sp.Matrix(NUMBERS)).applyfunc(lambda x: x**2)),
        INPUTS,
        NUMBERS,
    ),
    "MeanAbsoluteError": (
        lambda p: mean_over_samples((p - sp.Matrix(NUMBERS)).applyfunc(sp.Abs)),
        INPUTS,
        NUMBERS,
    ),
    "Huber": (
        lambda p: mean_over_samples(
            (p - sp.Matrix(NUMBERS)).applyfunc(
                lambda x: sp.Piecewise((x**2 / 2, sp.Abs(x) <= 1), (sp.Abs(x) - sp.S.Half, True))
            )
        ),
        INPUTS,
        NUMBERS,
    ),
    "BinaryCrossentropy": (
        lambda p: (
            -mean_over_samples(
                sp.Matrix(
                    4, 3, lambda n, j: sp.log(p[n, j]) if YES_NO[n, j] else sp.log(1 - p[n, j])
                )
            )
        ),
        PROBABILITIES,
        YES_NO,
    ),
    "CategoricalCrossentropy": (symbolic_crossentropy, PROBABILITIES, CLASSES),
    "SoftmaxCategoricalCrossentropy": (
        lambda z: symbolic_crossentropy(softmax_of(z)),
        INPUTS,
        CLASSES,
    ),
}


@pytest.mark.parametrize("name", LOSS_FORMULAS)
def test_loss_against_sympy(name):
    formula, predictions, y = LOSS_FORMULAS[name]
    wanted = derived(formula(Z), Z, [(Z, predictions)])
    for arithmetic, rtol in ((native, 1e-12), (nullcontext, 2e-6)):
        loss = getattr(losses, name)()
        with arithmetic():
            if name.startswith("Softmax"):
                loss.forward(predictions, y)
                loss.backward(loss.output, y)
            else:
                loss.backward(predictions, y)
        np.testing.assert_allclose(loss.dinputs, wanted, rtol=rtol, atol=rtol / 10)
    one_hot = np.eye(3)[y] if y is CLASSES else y
    again = getattr(losses, name)()
    again.backward(getattr(loss, "output", predictions), one_hot)
    assert (again.dinputs == loss.dinputs).all()


@pytest.mark.parametrize("of", ["inputs", "weights", "biases"])
def test_dense_against_sympy(of):
    layer = dense_with_penalties(layers)
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
    layer = dropout(layers)
    with native():
        layer.forward(INPUTS)
        layer.backward(NUMBERS)
    mask = layer.output / INPUTS
    assert set(mask.round(9).ravel()) == {0, round(1 / 0.6, 9)}
    scalar = sum(G.multiply_elementwise(Z).multiply_elementwise(sp.Matrix(mask)))
    wanted = derived(scalar, Z, [(Z, INPUTS), (G, NUMBERS)])
    np.testing.assert_allclose(layer.dinputs, wanted, rtol=1e-12)


def assert_float32_agrees(part, inputs, dvalues, wanted):
    """The arithmetic of the book, in float32, gives the same gradient to its precision."""
    part.forward(*inputs)
    part.backward(dvalues)
    assert part.dinputs.dtype == np.float32
    np.testing.assert_allclose(part.dinputs, wanted, rtol=2e-6, atol=2e-7)


# --- the checks can fail ------------------------------------------------------------------------

BACKWARD = {"backward", "derivative", "gradient", "penalty_gradient"}
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


def places(tree):
    """Yield a function for each operator in a backward pass: it changes that one, and no other."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in BACKWARD:
            for node in ast.walk(function):
                if isinstance(node, ast.BinOp) and type(node.op) in OTHER:
                    yield node
                elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                    yield node
                elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt):
                    yield node


def mutants(module):
    """Return copies of a module's source, each with one operator of a backward pass changed."""
    source = inspect.getsource(module)
    count = len(list(places(ast.parse(source))))
    for i in range(count):
        tree = ast.parse(source)
        node = list(places(tree))[i]
        if isinstance(node, ast.Compare):
            node.ops[0] = ast.Lt()
        elif isinstance(node, ast.UnaryOp):
            node.op = ast.UAdd()
        else:
            node.op = OTHER[type(node.op)]()
        yield pytest.param(module, ast.unparse(tree), id=f"{module.__name__}:{node.lineno}:{i}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("module", "source"), [mutant for m in MODULES for mutant in mutants(m)])
def test_one_wrong_operator_goes_red(module, source):
    copy = types.ModuleType(module.__name__)
    exec(compile(source, module.__name__, "exec"), copy.__dict__)
    with pytest.raises((GradientError, ValueError)):
        for check in checks(copy).values():
            check()


def test_there_are_operators_to_change():
    assert all(len(list(mutants(m))) >= 3 for m in MODULES)
