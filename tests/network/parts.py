"""The parts of the network, found, and the checks that each of them has to pass.

A part is a public class that a module of `nnfs_book.network` defines and that states its
mathematics: a layer, an activation, a loss, an optimizer or a metric. None is named here. A check
takes such a class, makes examples of it, and raises where something is wrong; `CHECKS` holds them
all.
"""

import doctest
import inspect
import math
import pkgutil
import sys
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import mpmath
import numpy as np
import sympy as sp

from nnfs_book import network
from nnfs_book.arithmetic import native
from nnfs_book.checks.gradients import (
    check_layer,
    check_loss,
    in_float64,
    numerical_gradient,
    penalties,
)
from nnfs_book.network.activations import Activation, Sigmoid
from nnfs_book.network.layers import Dense, Layer
from nnfs_book.network.losses import Loss, MeanSquaredError
from nnfs_book.network.metrics import Metric
from nnfs_book.network.model import Model
from nnfs_book.network.optimizers import SGD, Optimizer
from nnfs_book.network.randomness import RandomStream
from nnfs_book.network.settings import Settings

# --- Finding and making them ----------------------------------------------------------------------

# The method in which a class states its mathematics; a class without it is a base of others.
STATED_IN = {Layer: "function", Loss: "sample_losses", Optimizer: "step", Metric: "mean"}

# Values for what has to be given: the name says what is meant.
REQUIRED = {"n_inputs": (3,), "n_neurons": (4,), "rate": (0.4, 0.0)}


@cache
def modules():
    """Return the modules of the network."""
    names = [module.name for module in pkgutil.iter_modules(network.__path__)]
    return [import_module(f"{network.__name__}.{name}") for name in names]


@cache
def classes():
    """Return the public classes of the network that can be written down, bases included."""
    defined = [c for module in modules() for c in vars(module).values() if inspect.isclass(c)]
    ours = [c for c in dict.fromkeys(defined) if c.__module__.startswith(network.__name__ + ".")]
    return [c for c in ours if issubclass(c, Settings) and c.__name__[0] != "_"]


def base_of(kind):
    """Return which of the bases a class belongs to, or None."""
    return next((base for base in STATED_IN if issubclass(kind, base)), None)


@cache
def parts():
    """Return the classes that are complete."""
    complete = [c for c in classes() if base_of(c) is None or hasattr(c, STATED_IN[base_of(c)])]
    return [c for c in complete if c is not Settings]


def parameters_of(kind):
    """Return what a class takes, but for a stream."""
    return {n: p for n, p in inspect.signature(kind).parameters.items() if n != "stream"}


@cache
def settings_to_try(kind):
    """Return settings to make a part with: as few as possible, each other one, and all of them."""
    required, others = [{}], {}
    for name, parameter in parameters_of(kind).items():
        if parameter.default is not parameter.empty:
            others[name] = another(parameter.default)
        elif name in REQUIRED:
            required = [r | {name: value} for value in REQUIRED[name] for r in required]
        else:
            raise TypeError(
                f"{kind.__name__} has to be given {name}, and the tests do not know what that is: "
                f"they know {', '.join(REQUIRED)}. Give it a default, or add it in {__file__}."
            )
    alone = [required[0] | {name: value} for name, value in others.items()]
    together = [required[0] | others] if len(others) > 1 else []
    return required + together + alone


def another(default):
    """Return another setting than the default: for a float, one within (0, 1)."""
    if isinstance(default, bool):
        return not default
    return default / 2 + 0.25 if isinstance(default, float) else default


def made(kind, settings):
    """Return a part, made repeatably; if it has weights, of an ordinary size, and some at zero."""
    stream = {"stream": RandomStream(5)} if "stream" in inspect.signature(kind).parameters else {}
    part = kind(**settings, **stream)
    if hasattr(part, "weights"):
        part.weights *= 100
        part.weights[0, 0] = 0  # a kink of L1
        part.biases += np.resize(np.float32([0, 0.5, -0.75, 0.25]), part.biases.shape)
    return part


def examples(kind):
    """Return one part for each of the settings to try."""
    return [made(kind, settings) for settings in settings_to_try(kind)]


# --- What they are tried on -----------------------------------------------------------------------

RANDOM = np.random.RandomState(11)


def numbers(low, high, shape):
    """Return numbers that float32 holds exactly, in float64."""
    return RANDOM.uniform(low, high, shape).astype(np.float32).astype(np.float64)


def rows_of_three(*values):
    return np.float32(values).astype(np.float64).reshape(-1, 3)


ORDINARY = numbers(-2, 2, (5, 3))
# A kink, both sides of it at every distance, and far out, where what saturates does.
AWKWARD = rows_of_three(
    0, 1, -1, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 3e-5, 1e-7, -1e-7, -3e-5, 20, -20, 88, -88, 104,
    -104, 1000, -1000, 999, 0, 0, 0,
)  # fmt: skip
SLOPES = numbers(-2, 2, (8, 8))

CLASSES = np.array([2, 0, 1, 1])
YES_NO = np.float64([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]])
SHARES = numbers(0.1, 0.9, (4, 3))
ROWS = np.float64([[0.5, 0.25, 0.25], [0, 1, 0], [0.125, 0.125, 0.75], [0.25, 0.75, 0]])
NUMBERS = numbers(-2, 2, (4, 3))
# Errors of 0 and of sizes at which a loss may change its form.
STEPS = np.float64([[0, 1, -1], [0.75, -0.75, 0], [0.5, -0.5, 0.25], [2, -2, 0]])
CORNERS = np.float32([[0, 1, 1e-8], [1, 0, 0], [1 - 2**-24, 1e-7, 0], [0.5, 0.5, 1]])

# Predictions and targets. A loss or a metric is tried on those that it takes.
INSIDE = [
    (numbers(-2, 2, (4, 3)), NUMBERS),
    (NUMBERS.round(2) + 1000 * STEPS, NUMBERS.round(2)),
    (np.round(8 * NUMBERS) / 8 + STEPS, np.round(8 * NUMBERS) / 8),
    (1e-6 * numbers(-1, 1, (4, 1)), 1e-6 * numbers(-1, 1, (4, 1))),
    (numbers(0.1, 0.9, (4, 3)), YES_NO),
    (numbers(0.1, 0.9, (4, 3)), SHARES),
    (numbers(0.1, 0.9, (4, 3)), CLASSES),
    (numbers(0.1, 0.9, (4, 3)), ROWS),
    (numbers(0.1, 0.9, (4, 1)), CLASSES % 2),
    (np.float64([[1, 511], [511, 1]]) / 512, np.eye(2)),
    (2 * NUMBERS, CLASSES),
    (2 * NUMBERS, ROWS),
]
# Where something saturates, and is clipped, the gradient is by design not that of the clipped loss.
AT_THE_ENDS = [(CORNERS.astype(np.float64), y) for y in (YES_NO, 1 - YES_NO, CLASSES, ROWS)] + [
    (AWKWARD[:4], CLASSES),
    (AWKWARD[4:], CLASSES),
    (AWKWARD[4:], ROWS),
]

GRADIENTS = [numbers(-1, 1, (4, 2)) * 10.0 ** numbers(-4, 1, (4, 2)) for _ in range(5)]
AWKWARD_GRADIENTS = [
    np.float64([[0, 1e-20], [-1e-20, 1e-7], [-1000, 1e6], [sign, -0.0]]) for sign in (1, -1, 0)
]


def in_type(a, dtype):
    """Return an array of numbers in a float type; whole numbers are left as they are."""
    return a.astype(dtype) if a.dtype.kind == "f" else a


@cache
def cases(kind, ends=True):
    """Return what a kind of part can be tried on."""
    if issubclass(kind, Layer):
        return [ORDINARY, AWKWARD]
    if issubclass(kind, Optimizer):
        return [GRADIENTS, AWKWARD_GRADIENTS]
    taken = []
    for case in INSIDE + AT_THE_ENDS * ends:
        try:
            outcomes(examples(kind)[0], case)
        except (TypeError, ValueError):
            continue
        taken.append(case)
    assert taken, f"{kind.__name__} takes none of the predictions and targets of the tests"
    return taken


def outcomes(part, case, dtype=np.float32):
    """Return, by name, all that a part makes of a case: values and gradients."""
    if isinstance(part, Layer):
        part.forward(case.astype(dtype))
        part.backward(SLOPES[: len(case), : part.output.shape[1]].astype(dtype))
        gradients = {n: a for n, a in vars(part).items() if f"d{n}" in vars(part)}
        found = {"output": part.output} | {f"d{n}": getattr(part, f"d{n}") for n in gradients}
        if hasattr(part, "weights"):
            found["penalties"] = dtype(Loss().regularization_loss(part))
        return found
    if isinstance(part, Optimizer):
        return walked(part, case, dtype)
    predictions, y = (in_type(a, dtype) for a in case)
    if isinstance(part, Metric):
        return {"value": np.float64(part.calculate(predictions, y))}
    values = part.forward(predictions, y)
    found = (
        {"losses": values, "loss": part.calculate(predictions, y)}
        if is_loss(part)
        else {"loss": values, "output": part.output}
    )
    part.backward(predictions if is_loss(part) else part.output, y)
    return found | {"dinputs": part.dinputs}


def is_loss(part):
    """Tell a loss from one that comes with the activation before it, and starts from logits."""
    return isinstance(part, Loss)


def walked(optimizer, gradients, dtype):
    """Return the parameters of a layer after each of some steps."""
    layer, found = Dense(3, 2, stream=RandomStream(1)), {}
    layer.weights = np.linspace(-1, 1, 6).reshape(3, 2).astype(dtype)
    layer.biases = np.linspace(-1, 1, 2).reshape(1, 2).astype(dtype)
    for t, gradient in enumerate(gradients):
        layer.dweights, layer.dbiases = gradient[:3].astype(dtype), gradient[3:].astype(dtype)
        optimizer.pre_update_params()
        optimizer.update_params(layer)
        optimizer.post_update_params()
        found[f"after {t + 1} steps"] = np.concatenate([layer.weights, layer.biases])
    return found


@contextmanager
def computing_by(backend):
    """Let one of the two backends compute."""
    module = sys.modules["nnfs_book.arithmetic.backend"]
    before, module.backend = module.backend, lambda: backend
    try:
        yield
    finally:
        module.backend = before


# --- Gradients ------------------------------------------------------------------------------------


def has_gradients(kind):
    return issubclass(kind, Layer | Loss) or base_of(kind) is None


def gradients_lie_between_the_slopes_on_both_sides(kind):
    """At every point, kinks included: there the two slopes differ, and any between them will do."""
    for part in examples(kind) if has_gradients(kind) else ():
        for case in cases(kind, ends=False):
            with native():
                for name, change, x, gradient in gradients_of(part, case):
                    between_slopes(change, x, gradient, f"{name} of {part}")


def gradients_of(part, case):
    """Yield the name of each gradient, a function, where it was taken, and the gradient.

    The function tells by how much the loss has grown since then; for a layer it is a weighted sum
    of the output, and the penalties.
    """
    if not isinstance(part, Layer):
        predictions, y = case
        ran = deepcopy(part)
        outcomes(ran, case, np.float64)
        before = np.asarray(deepcopy(part).forward(predictions, y))
        yield (
            "dinputs",
            lambda x: (np.asarray(deepcopy(part).forward(x, y)) - before).mean(),
            predictions,
            ran.dinputs,
        )
        return
    (layer,) = in_float64([part])
    ran = deepcopy(layer)
    outcomes(ran, case, np.float64)
    slopes = SLOPES[: len(case), : ran.output.shape[1]]
    for name in ["inputs"] + [n for n in ("weights", "biases") if hasattr(layer, n)]:

        def change(x, name=name):
            changed = deepcopy(layer)
            if name != "inputs":
                setattr(changed, name, x)
            changed.forward(x if name == "inputs" else case)
            grown = ((changed.output - ran.output) * slopes).sum()
            return grown + (penalties([changed]) - penalties([layer]))

        x = case if name == "inputs" else getattr(layer, name)
        yield f"d{name}", change, x, getattr(ran, f"d{name}")


def slopes_on_both_sides(change, x):
    """Return the slopes of a function to the left and to the right of x, entry by entry.

    `change(x)` is by how much the function has grown.
    """
    x = np.array(x, np.float64)
    slopes = np.empty((2, *x.shape))
    for i in np.ndindex(x.shape):
        start, h = x[i], 2.0 ** (math.frexp(max(1, abs(x[i])))[1] - 21)
        for side, there in enumerate((start - h, start + h)):
            x[i] = there
            slopes[(side, *i)] = change(x) / (there - start)
        x[i] = start
    return slopes


def between_slopes(change, x, gradient, name):
    """Demand that each entry of a gradient lies between the slopes to its left and to its right."""
    gradient = np.asarray(gradient)
    assert gradient.shape == x.shape, f"{name} has shape {gradient.shape}, wanted {x.shape}"
    left, right = slopes_on_both_sides(change, x)
    room = 1e-6 * (abs(left) + abs(right)) + 1e-8
    inside = (np.minimum(left, right) - room <= gradient) & (
        gradient <= np.maximum(left, right) + room
    )
    assert inside.all(), (
        f"{name} at {x[~inside]} is {gradient[~inside]}, but the slopes on both sides are "
        f"{left[~inside]} and {right[~inside]}"
    )


def gradients_are_numerical_derivatives(kind):
    """At ordinary points: central differences, and the complex step where it agrees with them.

    Where it does not, the function is not analytic, and has dropped the small imaginary part.
    """
    for part in examples(kind) if has_gradients(kind) else ():
        case = ORDINARY if isinstance(part, Layer) else cases(kind, ends=False)[0]
        check_layer(part, case) if isinstance(part, Layer) else check_loss(part, *case)
        with native():
            for name, change, x, gradient in gradients_of(part, case):
                central = numerical_gradient(change, x)
                try:
                    exact = numerical_gradient(change, x, "complex")
                except (TypeError, ValueError):
                    continue  # it takes no complex numbers, or returns none
                scale = max(1, abs(central).max())
                if abs(exact - central).max() <= 1e-6 * scale:
                    assert abs(gradient - exact).max() <= 1e-13 * scale, (
                        f"{name} of {part} is not what the complex step gives"
                    )


# --- Formulas -------------------------------------------------------------------------------------


@cache
def function_of(formula, names, of=None):
    """Return a formula as a function for mpmath; with `of`, its derivative by that variable."""
    symbols = {name: sp.Symbol(name, real=True) for name in names}
    expression = sp.sympify(formula, locals=symbols)
    unknown = {str(s) for s in expression.free_symbols} - set(names)
    assert not unknown, f"formula {formula!r} has {unknown}, but may have {', '.join(names)} only"
    if of:
        expression = sp.diff(expression.rewrite(sp.Piecewise), symbols[of])
    return sp.lambdify(list(symbols.values()), expression, "mpmath")


@cache
def values_and_slopes(formula, of, points, settings):
    """Return a formula's values, and its slopes a hair to the left and to the right, by mpmath."""
    names = (of, *(name for name, _ in (*points[0][1], *settings)))
    value, slope = function_of(formula, names), function_of(formula, names, of)
    found = []
    with mpmath.workdps(120):
        for x, others in points:
            arguments = [mpmath.mpf(v) for _, v in (*others, *settings)]
            x, hair = mpmath.mpf(x), mpmath.mpf(10) ** -80
            found.append(
                [float(f) for f in (
                    value(x, *arguments), slope(x - hair, *arguments), slope(x + hair, *arguments)
                )]
            )  # fmt: skip
    return np.array(found)


def what_the_formula_says_is_what_comes_out(kind):
    """Values and gradients, in float64 and in the book's float32, to the rounding of each."""
    formula = getattr(kind, "formula", None)
    if formula is None:
        return
    check = next(
        check
        for base, check in {
            Activation: formula_of_activation,
            Loss: formula_of_loss,
            Optimizer: formula_of_optimizer,
        }.items()
        if issubclass(kind, base)
    )
    for settings in settings_to_try(kind):
        for case in cases(kind, ends=False):
            check(formula, made(kind, settings), case, np.float32, 2.0**-20)
            with native():
                check(formula, made(kind, settings), case, np.float64, 2.0**-49)


def near(ours, wanted, room, of):
    """Demand that numbers are those wanted, up to some units of the larger of them and 1."""
    wanted = np.reshape(wanted, np.shape(ours))
    wrong = ~(abs(ours - wanted) <= room * np.maximum(1, abs(wanted)))
    assert not wrong.any(), f"{of} gives {ours[wrong]}, its formula {wanted[wrong]}"


def within(ours, low, high, room, of):
    """Demand that numbers lie in ranges, up to some units."""
    low, high = (
        np.reshape(x, np.shape(ours)) for x in (np.minimum(low, high), np.maximum(low, high))
    )
    room = room * np.maximum(1, np.maximum(abs(low), abs(high)))
    wrong = ~((low - room <= ours) & (ours <= high + room))
    assert not wrong.any(), f"{of} has slopes {ours[wrong]}, its formula {low[wrong]}"


def formula_of_activation(formula, activation, inputs, dtype, room):
    points = tuple((z, ()) for z in inputs.ravel().tolist())
    settings = tuple(activation.settings().items())
    value, left, right = values_and_slopes(formula, "z", points, settings).T
    found = outcomes(activation, inputs, dtype)
    near(found["output"], value, room, activation)
    slopes = SLOPES[: len(inputs), : inputs.shape[1]].ravel()
    within(found["dinputs"], slopes * left, slopes * right, room, activation)


def formula_of_loss(formula, loss, case, dtype, room):
    predictions, y = case
    n, j = predictions.shape
    targets = y if y.shape == (n, j) else y.reshape(n, 1) if j == 1 else np.eye(j)[y]
    points = tuple(
        (yhat, (("y", t), ("J", j)))
        for yhat, t in zip(predictions.ravel().tolist(), targets.ravel().tolist(), strict=True)
    )
    value, left, right = values_and_slopes(
        formula, "yhat", points, tuple(loss.settings().items())
    ).T
    found = outcomes(loss, case, dtype)
    near(found["losses"], value.reshape(n, j).sum(axis=1), room, loss)
    near(found["loss"], value.sum() / n, room, loss)
    within(found["dinputs"] * n, left, right, room, loss)
    assert found["dinputs"].shape == predictions.shape


def formula_of_optimizer(formula, optimizer, gradients, dtype, room):
    assert list(formula) == [*optimizer.remembers, "step"], f"formula of {optimizer}"
    wanted = steps_by_formula(
        tuple(formula.items()), tuple(optimizer.settings().items()),
        tuple(tuple(g.astype(dtype).ravel().tolist()) for g in gradients),
    )  # fmt: skip
    start = np.concatenate(
        [np.linspace(-1, 1, 6).astype(dtype), np.linspace(-1, 1, 2).astype(dtype)]
    )
    found = walked(optimizer, gradients, dtype)
    for ours, steps in zip(found.values(), wanted, strict=True):
        start = start + steps.astype(dtype)
        near(ours, start, 8 * room * np.maximum(1, abs(steps)).reshape(ours.shape), optimizer)
    assert optimizer.iterations == len(gradients)


@cache
def steps_by_formula(formula, settings, gradients):
    """Return what a formula says that each step is, for each entry of the gradients."""
    settings = dict(settings)
    kept = [f"memory_{name}" for name, _ in formula[:-1]]
    names = ("g", "t", *settings, *kept)
    functions = [function_of(expression, names) for _, expression in formula]
    memory = {name: [mpmath.mpf(0)] * len(gradients[0]) for name in kept}
    wanted = []
    with mpmath.workdps(50):
        for before, of_step in enumerate(gradients):
            decay = 1 + mpmath.mpf(settings.get("decay", 0)) * before
            arguments = settings | {"learning_rate": settings["learning_rate"] / decay}
            steps = []
            for i, g in enumerate(of_step):
                for name, function in zip((*kept, None), functions, strict=True):
                    of_entry = [memory[k][i] for k in kept]
                    given = (g, before + 1, *arguments.values(), *of_entry)
                    value = function(*map(mpmath.mpf, given))
                    if name:
                        memory[name][i] = value
                steps.append(float(value))
            wanted.append(np.array(steps))
    return wanted


# --- Values ---------------------------------------------------------------------------------------


def examples_in_the_docstring_run(kind):
    """And there are some."""
    assert run_examples(kind), f"{kind.__name__} has no example in its docstring"


def run_examples(thing):
    """Run the examples in a docstring, and return how many there are."""
    module = sys.modules[thing.__module__]
    tests = doctest.DocTestFinder(recurse=False).find(thing, thing.__name__, module=module)
    runner, failures = doctest.DocTestRunner(verbose=False), []
    for test in tests:
        runner.run(test, out=failures.append)
    assert not failures, "".join(failures)
    return sum(len(test.examples) for test in tests)


def results_are_finite_float32_everywhere(kind):
    """At awkward points too, without a warning, and close to what float64 gives at the others."""
    for settings in settings_to_try(kind):
        for case in cases(kind):
            found = outcomes(made(kind, settings), case)
            for name, a in found.items():
                wanted = np.float64 if issubclass(kind, Metric) else np.float32
                assert a.dtype == wanted, f"{name} of {kind.__name__} is of type {a.dtype}"
                assert np.isfinite(a).all(), f"{name} of {kind.__name__} is not finite"
        for case in cases(kind, ends=False):
            found = outcomes(made(kind, settings), case)
            with native():
                exact = outcomes(made(kind, settings), case, np.float64)
            for name, a in exact.items():
                assert found[name].shape == a.shape
                assert abs(found[name] - a).max() <= 1e-5 * max(1, abs(a).max()), (
                    f"{name} of {kind.__name__} in float32 is not that in float64"
                )


def what_is_given_is_left_as_it_is(kind):
    """The very arrays, since a copy, made where numbers are converted, may be changed unseen."""
    for part in examples(kind):
        for case in cases(kind):
            outcomes(part, case)  # so that a layer has an output, and a combined loss, too
            for given, call in calls_with_arrays(part, case):
                before = deepcopy(given)
                call(*given)
                assert all(map(np.array_equal, before, given)), f"{part} changes what it is given"


def calls_with_arrays(part, case):
    """Yield arrays in the type that is not converted, and what may be called with them."""
    if isinstance(part, Optimizer):
        layer = Dense(3, 2, stream=RandomStream(1))

        def update(dweights, dbiases):
            layer.dweights, layer.dbiases = dweights, dbiases
            part.update_params(layer)

        yield [case[0][:3].astype(np.float32), case[0][3:].astype(np.float32)], update
    elif isinstance(part, Layer):
        yield [case.astype(np.float32)], part.forward
        slopes = SLOPES[: len(case), : part.output.shape[1]]
        yield [slopes.astype(np.float32)], part.backward
    else:
        predictions, y = (in_type(a, np.float32) for a in case)
        yield [predictions, y], part.calculate if hasattr(part, "calculate") else part.forward
        if has_gradients(type(part)):
            yield [predictions if is_loss(part) else part.output, y], part.backward


def a_sample_is_alone_what_it_is_in_company(kind):
    """To the bit; and so no sample before it has left a trace."""
    for layer in examples(kind) if issubclass(kind, Layer) else ():
        asked = inspect.signature(layer.forward).parameters
        untrained = {"training": False} if "training" in asked else {}
        for inputs in (case.astype(np.float32) for case in cases(kind)):
            together = deepcopy(layer)
            together.forward(inputs, **untrained)
            for n in range(len(inputs)):
                layer.forward(inputs[n : n + 1], **untrained)
                assert layer.output.tobytes() == together.output[n : n + 1].tobytes(), (
                    f"{layer} gives a sample something else alone than in a batch"
                )


def samples_have_no_order(kind):
    """What is measured is the mean over samples: the same for a half twice, and in any order."""
    if not issubclass(kind, Loss | Metric):
        return
    for part in examples(kind):
        measure = part.calculate
        for predictions, y in cases(kind):
            predictions, y = in_type(predictions, np.float32), in_type(y, np.float32)
            value = measure(predictions, y)
            assert value >= 0, f"{part} is negative"
            assert measure(predictions[::-1], y[::-1]) == value, f"{part} has an order"
            twice = measure(np.concatenate([predictions] * 2), np.concatenate([y] * 2))
            assert math.isclose(twice, value, rel_tol=1e-6), f"{part} is no mean"


def a_first_step_goes_downhill(kind):
    """Against the gradient, from a memory of zeros, and anew for parameters of another shape."""
    if not issubclass(kind, Optimizer):
        return
    for optimizer in examples(kind):
        layer = Dense(3, 2, stream=RandomStream(1))
        for shape in ((3, 2), (5, 2)):
            layer.weights = weights = np.zeros(shape, np.float32)
            layer.dweights = np.resize(np.float32([0.5, -0.25, 0, 2]), shape)
            layer.dbiases = np.zeros((1, 2), np.float32)
            optimizer.pre_update_params()
            optimizer.update_params(layer)
            assert layer.weights is weights, f"{optimizer} makes its step elsewhere"
            assert (np.sign(weights) == -np.sign(layer.dweights)).all(), f"{optimizer} climbs"
            kept = vars(optimizer.memory_of(layer, "weights"))
            assert list(kept) == list(optimizer.remembers)
            assert all(a.shape == shape for a in kept.values())


def nothing_is_drawn_without_training(kind):
    """A layer that is told that it is not trained gives the same output again."""
    if not issubclass(kind, Layer) or "training" not in inspect.signature(kind.forward).parameters:
        return
    for layer in examples(kind):
        found = []
        for _ in range(2):
            layer.forward(ORDINARY, training=False)
            found.append(layer.output)
        assert (found[0] == found[1]).all(), f"{layer} draws without being trained"
        assert not np.shares_memory(layer.output, layer.inputs)


def what_is_set_is_written_down(kind):
    """The settings are all there, and the repr can be typed."""
    names = vars(sys.modules[kind.__module__])
    for settings, part in zip(settings_to_try(kind), examples(kind), strict=True):
        defaults = {n: p.default for n, p in parameters_of(kind).items()}
        assert part.settings() == defaults | settings, f"settings of {part}"
        typed = eval(repr(part), dict(names))
        assert type(typed) is kind and typed.settings() == part.settings(), f"repr of {part}"


# --- What is refused ------------------------------------------------------------------------------


def snapshot(part):
    """Return all that a part knows, to be compared."""
    return {
        name: value.tobytes() if isinstance(value, np.ndarray)
        else value.state if isinstance(value, RandomStream)
        else {k: a.tobytes() for key, kept in value.items() for k, a in vars(kept).items()}
        if name == "optimizer_memory" else value
        for name, value in vars(part).items()
    }  # fmt: skip


def refused(call, *arguments, part, names, **more):
    """Demand an error that names an argument, and that nothing has changed."""
    before = snapshot(part)
    try:
        call(*arguments, **more)
    except (TypeError, ValueError) as error:
        assert str(error).startswith(tuple(f"{name} " for name in names)), (
            f"the message of {part} names none of {', '.join(names)}: {error}"
        )
    else:
        raise AssertionError(f"{part} takes what it should refuse: {arguments}")
    assert snapshot(part) == before, f"{part} has changed in a call that failed"


def bad(a):
    """Return what nobody should take in the place of an array of numbers (N, M)."""
    a = np.array(a, np.float32)
    with_nan, with_infinity = a.copy(), a.copy()
    with_nan.flat[-1], with_infinity.flat[0] = np.nan, -np.inf
    words = np.full(a.shape, "one")
    masked = np.ma.masked_equal(a.copy(), a.flat[0])
    return [with_nan, with_infinity, words, masked, a[..., None], a + 1j, "abc", None, {}]


def bad_input_is_refused(kind):
    """With a message that names the argument, and nothing has changed."""
    for part in examples(kind):
        if isinstance(part, Layer):
            layer_refuses(part)
        elif isinstance(part, Optimizer):
            optimizer_refuses(part)
        elif isinstance(part, Metric):
            names = list(inspect.signature(part.calculate).parameters)
            pairs_refused(part, part.calculate, cases(kind)[0], names)
        else:
            outcomes(part, cases(kind)[0])
            names = {n for call in (part.forward, part.backward) for n in signature_of(call)}
            names |= set(signature_of(Loss.calculate))
            pairs_refused(part, part.forward, cases(kind)[0], names)
            pairs_refused(part, part.backward, cases(kind)[0], names)


def signature_of(call):
    return [name for name in inspect.signature(call).parameters if name != "self"]


def layer_refuses(layer):
    try:
        layer.backward(SLOPES)
    except ValueError as error:
        assert "call forward first" in str(error)
    else:
        raise AssertionError(f"{layer} goes backward before it went forward")
    outcomes(layer, ORDINARY)
    for wrong in [*bad(ORDINARY), ORDINARY[0]]:
        refused(layer.forward, wrong, part=layer, names=["inputs"])
    if hasattr(layer, "weights"):
        refused(layer.forward, ORDINARY[:, :2], part=layer, names=["inputs"])
        for name in ("weights", "biases"):
            good = getattr(layer, name)
            for wrong in [*bad(good)[:2], good[:, 1:]]:
                setattr(layer, name, wrong)
                refused(layer.forward, ORDINARY, part=layer, names=["inputs", "weights", "biases"])
            setattr(layer, name, good)
    for wrong in [*bad(layer.output), layer.output[:1], layer.output.T]:
        refused(layer.backward, wrong, part=layer, names=["dvalues"])


def pairs_refused(part, call, case, names):
    predictions, y = case
    for wrong in [*bad(predictions), predictions[:0], predictions[0]]:
        refused(call, wrong, y, part=part, names=names)
    for wrong in [*bad(np.zeros_like(predictions)), y[:-1]]:
        refused(call, predictions, wrong, part=part, names=["y"])


def optimizer_refuses(optimizer):
    layer = Dense(3, 2, stream=RandomStream(1))
    outside = {"dweights", "dbiases", "layer"}
    try:
        optimizer.update_params(layer)
    except ValueError as error:
        assert "call backward first" in str(error)
    else:
        raise AssertionError(f"{optimizer} makes a step without a gradient")
    good = {"dweights": np.ones((3, 2)), "dbiases": np.ones((1, 2))}
    vars(layer).update(good)
    optimizer.update_params(layer)
    for name, gradient in good.items():
        for wrong in [*bad(gradient), gradient[:, :1]]:
            setattr(layer, name, wrong)
            of_layer = {k: v for k, v in snapshot(layer).items() if k != name}
            refused(optimizer.update_params, layer, part=optimizer, names=outside)
            after = {k: v for k, v in snapshot(layer).items() if k != name}
            assert after == of_layer, f"{optimizer} has moved a layer in a step that failed"
        setattr(layer, name, gradient)
    refused(optimizer.update_params, Sigmoid(), part=optimizer, names=outside)


def bad_settings_are_refused(kind):
    """Each one, with a message that names it."""
    good = settings_to_try(kind)[0]
    wrong = ["x", None, [1.0], float("nan"), float("inf"), -1]
    for name in parameters_of(kind):
        for value in wrong:
            try:
                kind(**good | {name: value})
            except (TypeError, ValueError) as error:
                assert str(error).startswith(f"{name} "), f"{kind.__name__}: {error}"
            else:
                raise AssertionError(f"{kind.__name__} takes {value!r} as its {name}")


# --- In a model, and by either backend ------------------------------------------------------------


def a_training_goes_on_from_a_file(kind):
    """A model that uses the part, saved and loaded, trains on with the same bits."""
    for settings in settings_to_try(kind) if base_of(kind) else ():
        model, X, y = model_with(kind, settings)
        model.fit(X, y, epochs=2, batch_size=3, stream=RandomStream(3))
        with TemporaryDirectory() as folder:
            model.save(Path(folder) / "model")
            loaded = Model.load(Path(folder) / "model")
        assert repr(loaded) == repr(model), f"{kind.__name__} is not what was stored"
        rows = [m.fit(X, y, epochs=2, batch_size=3).rows for m in (model, loaded)]
        assert rows[0] == rows[1], f"{kind.__name__} does not go on as it was"
        assert model.predict(X).tobytes() == loaded.predict(X).tobytes()


def model_with(kind, settings):
    """Return a compiled model that uses a part, and data for it."""
    part, first = made(kind, settings), Dense(3, 3, stream=RandomStream(4))
    optimizer, loss, metrics, y = SGD(0.1), MeanSquaredError(), [], SHARES
    layers = [first, Sigmoid(), Dense(3, 3, stream=RandomStream(6))]
    if isinstance(part, Layer):
        outcomes(part, ORDINARY)
        layers[1:] = [part, Dense(part.output.shape[1], 3, stream=RandomStream(6))]
    elif isinstance(part, Optimizer):
        optimizer = part
    else:
        predictions, y = cases(kind)[0]
        layers[2:] = [Dense(3, predictions.shape[1], stream=RandomStream(6)), Sigmoid()]
        loss = part if isinstance(part, Loss) else loss_for(predictions, y)
        metrics = [part] if isinstance(part, Metric) else []
    model = Model(layers)
    model.compile(optimizer, loss, metrics)
    return model, ORDINARY[: len(y)], y


def loss_for(predictions, y):
    """Return the first loss that takes these."""
    for kind in parts():
        if issubclass(kind, Loss) and any(y is of_case[1] for of_case in cases(kind)):
            return kind()
    raise AssertionError("no loss takes these targets")


def has_numba():
    """Tell whether there is a second backend."""
    return find_spec("numba") is not None


def both_backends_give_the_same_bits(kind):
    """Where Numba is installed; of many samples as of few."""
    if not has_numba():
        return
    for settings in settings_to_try(kind):
        for case in cases(kind):
            found = []
            for backend in ("reference", "compiled"):
                with computing_by(backend):
                    found.append(outcomes(made(kind, settings), case))
            for name, a in found[0].items():
                assert a.tobytes() == found[1][name].tobytes(), (
                    f"{name} of {kind.__name__} differs between the backends"
                )


CHECKS = [
    gradients_lie_between_the_slopes_on_both_sides,
    what_the_formula_says_is_what_comes_out,
    examples_in_the_docstring_run,
    results_are_finite_float32_everywhere,
    what_is_given_is_left_as_it_is,
    a_sample_is_alone_what_it_is_in_company,
    samples_have_no_order,
    a_first_step_goes_downhill,
    nothing_is_drawn_without_training,
    gradients_are_numerical_derivatives,
    what_is_set_is_written_down,
    bad_input_is_refused,
    bad_settings_are_refused,
    a_training_goes_on_from_a_file,
    both_backends_give_the_same_bits,
]
