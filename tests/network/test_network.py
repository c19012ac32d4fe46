"""Layers, activations, losses and optimizers: values, extremes, and what they refuse."""

import copy
import inspect
import pickle
from contextlib import nullcontext

import numpy as np
import parts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nnfs_book.arithmetic import native
from nnfs_book.datasets import sine_data, spiral_data, vertical_data
from nnfs_book.network import losses, optimizers, storage
from nnfs_book.network.activations import Linear, ReLU, Sigmoid, Softmax, sigmoid, softmax
from nnfs_book.network.layers import Dense, Dropout, Layer
from nnfs_book.network.randomness import RandomStream, set_seed


def refused(message, error=ValueError):
    """Expect an error whose message matches."""
    return pytest.raises(error, match=message)


# --- values -------------------------------------------------------------------------------------


def test_defaults_are_the_source_books():
    for name, settings in {
        "SGD": {"learning_rate": 1.0, "decay": 0.0, "momentum": 0.0},
        "Adagrad": {"learning_rate": 1.0, "decay": 0.0, "epsilon": 1e-7},
        "RMSprop": {"learning_rate": 0.001, "decay": 0.0, "epsilon": 1e-7, "rho": 0.9},
        "Adam": {
            "learning_rate": 0.001,
            "decay": 0.0,
            "epsilon": 1e-7,
            "beta_1": 0.9,
            "beta_2": 0.999,
        },
    }.items():
        optimizer = getattr(optimizers, name)
        assert list(inspect.signature(optimizer).parameters) == list(settings)
        assert {key: getattr(optimizer(), key) for key in settings} == settings
    assert all(not v for name, v in vars(Dense(2, 3)).items() if "regularizer" in name)


def test_clipping_is_at_1e_7():
    low, high = -np.log(1e-7), -np.log1p(-(2.0**-23))  # the float32 nearest to 1 - 1e-7
    cce, bce = losses.CategoricalCrossentropy(), losses.BinaryCrossentropy()
    for p, wanted in ((0.0, low), (1.0, high)):
        assert cce.calculate([[p, 1 - p]], [0]) == pytest.approx(wanted, rel=1e-6)
        assert bce.calculate([[p]], [1]) == pytest.approx(wanted, rel=1e-6)


def test_the_loss_of_each_sample():
    p, y = np.float32([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]), [1, 0]
    rows = np.eye(3)[y]
    for loss, targets, wanted in (
        (losses.CategoricalCrossentropy(), y, -np.log([0.25, 0.1])),
        (losses.BinaryCrossentropy(), rows, -np.log(np.where(rows, p, 1 - p)).mean(axis=1)),
        (losses.MeanSquaredError(), rows, ((p - rows) ** 2).mean(axis=1)),
        (losses.MeanAbsoluteError(), rows, abs(p - rows).mean(axis=1)),
        (losses.Huber(), rows, ((p - rows) ** 2).mean(axis=1) / 2),
        (losses.Huber(0.01), rows, 0.01 * abs(p - rows).mean(axis=1) - 0.01**2 / 2),
    ):
        result = loss.forward(p, targets)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, wanted, rtol=1e-6)
        assert loss.calculate(p, targets) == pytest.approx(result.mean())


@pytest.mark.parametrize("delta", [0.25, 1, 3.0, np.float32(0.5)])
def test_huber_on_both_sides_of_its_bound(delta):
    loss, bound = losses.Huber(delta), float(delta)
    for error, cost, slope in (
        (0, 0, 0),
        (bound / 2, bound**2 / 8, bound / 2),
        (bound, bound**2 / 2, bound),  # where both forms meet, in value and in slope
        (2 * bound, 1.5 * bound**2, bound),
        (8 * bound, 7.5 * bound**2, bound),
    ):
        for sign in (1, -1):
            assert loss.calculate([[sign * error]], [[0]]) == cost
            loss.backward([[sign * error]], [[0]])
            assert loss.dinputs.tolist() == [[sign * slope]]


@pytest.mark.filterwarnings("error")
def test_errors_whose_squares_are_out_of_range():
    far, target = [[1e30], [-1e30]], [[0], [0]]
    with refused("NaN or infinity"):
        losses.MeanSquaredError().calculate(far, target)
    with refused("NaN or infinity"):
        losses.Huber(delta=1e25).calculate(far, target)
    assert losses.Huber(delta=2).calculate(far, target) == np.float32(2e30)
    assert losses.MeanAbsoluteError().calculate(far, target) == np.float32(1e30)
    for loss, slope in ((losses.Huber(delta=2), 1), (losses.MeanAbsoluteError(), 0.5)):
        loss.backward(far, target)
        assert loss.dinputs.tolist() == [[slope], [-slope]]


def test_a_loss_of_ones_own_needs_a_forward_only():
    class Half(losses.Loss):
        def forward(self, y_pred, y_true):
            return np.full(len(y_pred), 0.5)

    assert Half().calculate(np.ones((4, 1)), np.ones((4, 1))) == 0.5


def test_linear_output_is_a_copy():
    x, activation = np.ones((1, 2), np.float32), Linear()
    activation.forward(x)
    x[:] = 5
    assert activation.output.tolist() == [[1, 1]]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool, list])
def test_sigmoid_and_softmax_take_any_numbers(kind):
    z = [[1, 0]] if kind is list else np.array([[1, 0]], dtype=kind)
    assert (sigmoid(z) == sigmoid(np.float32([[1, 0]]))).all()
    assert (softmax(z) == softmax(np.float32([[1, 0]]))).all()


def test_parameters_of_another_type_leave_the_network_in_float32():
    layer = Dense(2, 3)
    layer.weights, layer.biases = np.ones((2, 3)), np.zeros((1, 3))
    layer.forward([[1, 2]])
    layer.backward([[1, 1, 1]])
    arrays_of_layer = (layer.output, layer.dweights, layer.dbiases, layer.dinputs)
    assert all(a.dtype == np.float32 for a in arrays_of_layer)
    layer.dweights = layer.dweights.astype(np.float64)
    adam = optimizers.Adam()
    adam.update_params(layer)
    assert all(m.momentum.dtype != object for m in layer.optimizer_memory.values())


def test_averaging_over_the_last_axis():
    rows = np.array([[1, 2, 3], [2, 4, 6], [0, 5, 10], [11, 12, 13], [5, 10, 15]])
    loss = losses.MeanAbsoluteError()
    assert loss.sample_losses(*loss.check(rows, np.zeros((5, 3)))).tolist() == [2, 4, 5, 12, 10]


@pytest.mark.parametrize("loss", [losses.CategoricalCrossentropy, None])
def test_class_numbers_and_one_hot_rows_give_the_same(loss):
    rng = np.random.RandomState(0)
    logits = rng.normal(size=(20, 4))
    y = rng.randint(0, 4, 20)
    results = []
    for targets in (y, y.tolist(), y.astype(np.uint8), np.eye(4)[y]):
        if loss is None:
            combined = losses.SoftmaxCategoricalCrossentropy()
            value = combined.forward(logits, targets)
            combined.backward(combined.output, targets)
            results.append((float(value), combined.dinputs.tolist()))
        else:
            plain = loss()
            value = plain.calculate(softmax(logits), targets)
            plain.backward(softmax(logits), targets)
            results.append((float(value), plain.dinputs.tolist()))
    assert all(result == results[0] for result in results)


def test_class_numbers_may_be_truth_values():
    loss, p = losses.CategoricalCrossentropy(), np.array([[0.25, 0.75], [0.5, 0.5]])
    assert loss.calculate(p, [True, False]) == loss.calculate(p, [1, 0])


def test_binary_class_numbers_may_be_a_vector():
    p, y = np.array([[0.2], [0.7]]), np.array([1, 0])
    loss = losses.BinaryCrossentropy()
    assert loss.calculate(p, y) == loss.calculate(p, y.reshape(-1, 1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("loss", [losses.BinaryCrossentropy, losses.CategoricalCrossentropy])
def test_probabilities_of_exactly_0_and_1_are_finite(loss):
    p = np.array([[0.0, 1.0], [1.0, 0.0]])
    for y in (np.array([[1, 0], [1, 0]]), np.array([[0, 1], [0, 1]])):
        loss_function = loss()
        assert 0 < loss_function.calculate(p, y) < 20
        loss_function.backward(p, y)
        assert np.isfinite(loss_function.dinputs).all()
        assert abs(loss_function.dinputs).max() > 1e5


@pytest.mark.filterwarnings("error")
def test_logits_of_a_thousand_are_finite():
    z = np.array([[1000, -1000], [-1000, 1000], [1000, 1000]])
    assert sigmoid(z).tolist() == [[1, 0], [0, 1], [1, 1]]
    assert softmax(z).tolist() == [[1, 0], [0, 1], [0.5, 0.5]]
    for y in ([0, 1, 0], [1, 0, 1]):
        combined = losses.SoftmaxCategoricalCrossentropy()
        assert np.isfinite(combined.forward(z, y))
        combined.backward(combined.output, y)
        assert np.isfinite(combined.dinputs).all()
        separate, loss = Softmax(), losses.CategoricalCrossentropy()
        separate.forward(z)
        assert loss.calculate(separate.output, y) == combined.forward(z, y)
        loss.backward(separate.output, y)
        separate.backward(loss.dinputs)
        assert np.isfinite(separate.dinputs).all()
        activation, loss = Sigmoid(), losses.BinaryCrossentropy()
        activation.forward(z)
        targets = np.eye(2)[list(y)]
        assert np.isfinite(loss.calculate(activation.output, targets))
        loss.backward(activation.output, targets)
        activation.backward(loss.dinputs)
        assert np.isfinite(activation.dinputs).all()


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays(np.float32, (3, 4), elements=finite))
def test_sigmoid_and_softmax_stay_probabilities(z):
    for result in (sigmoid(z), softmax(z)):
        assert ((result >= 0) & (result <= 1)).all()
    assert abs(softmax(z).sum(axis=1) - 1).max() < 1e-6
    assert abs(sigmoid(z) + sigmoid(-z) - 1).max() < 1e-6


def test_combined_gradient_is_that_of_the_two_parts():
    rng = np.random.RandomState(0)
    z, y = rng.normal(size=(30, 5)), rng.randint(0, 5, 30)
    combined, activation, loss = (
        losses.SoftmaxCategoricalCrossentropy(),
        Softmax(),
        losses.CategoricalCrossentropy(),
    )
    combined.forward(z, y)
    combined.backward(combined.output, y)
    activation.forward(z)
    loss.backward(activation.output, y)
    activation.backward(loss.dinputs)
    np.testing.assert_allclose(activation.dinputs, combined.dinputs, atol=2e-8)


def test_penalties_count_weights_and_biases():
    layer = Dense(2, 1, 0.1, 0.01, 0.2, 0.02)
    layer.weights[:], layer.biases[:] = [[3], [-4]], [[-2]]
    expected = 0.1 * 7 + 0.01 * 25 + 0.2 * 2 + 0.02 * 4
    assert losses.Loss().regularization_loss(layer) == pytest.approx(expected)


def test_dropout_scales_what_it_keeps():
    layer = Dropout(0.25, stream=RandomStream(0))
    inputs = np.full((1000, 10), 3, dtype=np.float32)
    layer.forward(inputs)
    assert set(np.unique(layer.output)) == {0, np.float32(4)}
    assert (layer.output == 0).mean() == pytest.approx(0.25, abs=0.02)
    layer.forward(inputs, training=False)
    assert (layer.output == inputs).all()
    layer.backward(inputs)
    assert (layer.dinputs == inputs).all()
    layer.output[:], layer.dinputs[:] = 5, 7  # neither belongs to somebody else
    assert not np.isin([5, 7], inputs).any()


@pytest.mark.parametrize("of_inputs", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("of_gradient", [np.float32, np.float64])
def test_native_dropout_rounds_no_gradient(of_inputs, of_gradient):
    layer = Dropout(0.1, stream=RandomStream(0))
    with native():
        layer.forward(np.ones((2, 5), of_inputs))
        layer.backward(np.ones((2, 5), of_gradient))
    assert layer.dinputs.dtype == np.result_type(of_inputs, of_gradient)
    assert (layer.dinputs == layer.binary_mask).all()


def test_dropout_draws_a_fresh_mask_each_time():
    layer = Dropout(0.5)
    masks = []
    for _ in range(2):
        layer.forward(np.ones((8, 8)))
        masks.append(layer.binary_mask)
    assert (masks[0] != masks[1]).any()


def steps(optimizer, gradients):
    """Return the weight after each gradient, from 1, by the optimizer's protocol."""
    layer = Dense(1, 1)
    layer.weights[:] = 1
    weights = []
    for gradient in gradients:
        layer.dweights, layer.dbiases = np.array([[gradient]]), np.array([[0.0]])
        optimizer.pre_update_params()
        optimizer.update_params(layer)
        optimizer.post_update_params()
        weights.append(layer.weights.item())
    return weights


GRADIENTS = [0.5, -1.0, 2.0]


def test_sgd_by_hand():
    expected, w = [], 1.0
    for t, g in enumerate(GRADIENTS):
        w -= 0.1 / (1 + 0.5 * t) * g
        expected.append(w)
    assert steps(optimizers.SGD(0.1, decay=0.5), GRADIENTS) == pytest.approx(expected)


def test_momentum_by_hand():
    expected, w, m = [], 1.0, 0.0
    for g in GRADIENTS:
        m = 0.9 * m - 0.1 * g
        w += m
        expected.append(w)
    assert steps(optimizers.SGD(0.1, momentum=0.9), GRADIENTS) == pytest.approx(expected)


def test_adagrad_by_hand():
    expected, w, c = [], 1.0, 0.0
    for g in GRADIENTS:
        c += g * g
        w -= 0.1 * g / (c**0.5 + 1e-7)
        expected.append(w)
    assert steps(optimizers.Adagrad(0.1), GRADIENTS) == pytest.approx(expected)


def test_rmsprop_by_hand():
    expected, w, c = [], 1.0, 0.0
    for g in GRADIENTS:
        c = 0.8 * c + 0.2 * g * g
        w -= 0.1 * g / (c**0.5 + 1e-7)
        expected.append(w)
    assert steps(optimizers.RMSprop(0.1, rho=0.8), GRADIENTS) == pytest.approx(expected)


def test_adam_by_hand():
    expected, w, m, c = [], 1.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, start=1):
        m, c = 0.9 * m + 0.1 * g, 0.999 * c + 0.001 * g * g
        w -= 0.1 * (m / (1 - 0.9**t)) / ((c / (1 - 0.999**t)) ** 0.5 + 1e-7)
        expected.append(w)
    assert steps(optimizers.Adam(0.1), GRADIENTS) == pytest.approx(expected, rel=1e-6)


def test_learning_rates_as_the_source_book_prints_them():
    for optimizer, t, printed in (
        (optimizers.Adam(0.02, decay=5e-7), 9_999, 0.019900507413187767),
        (optimizers.Adam(0.05, decay=5e-5), 9_999, 0.03333444448148271),
        (optimizers.Adam(0.05, decay=5e-5), 9_899, 0.0334459346466437),
        (optimizers.Adam(decay=5e-7), 9_999, 0.0009950253706593885),
    ):
        optimizer.iterations = t
        optimizer.pre_update_params()
        assert optimizer.current_learning_rate == printed


def test_one_optimizer_keeps_layers_apart_and_two_do_not_mix():
    first, second = Dense(1, 1), Dense(1, 1)
    for layer, g in ((first, 1.0), (second, -2.0)):
        layer.weights[:] = 0
        layer.dweights, layer.dbiases = np.array([[g]]), np.array([[0.0]])
    sgd, other = optimizers.SGD(0.1, momentum=0.5), optimizers.SGD(0.1, momentum=0.5)
    for layer in (first, second, first, second):
        sgd.update_params(layer)
    assert first.weights.item() == pytest.approx(-0.25)
    assert second.weights.item() == pytest.approx(0.5)
    other.update_params(first)
    assert first.weights.item() == pytest.approx(-0.35)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_training_goes_on_as_the_original(duplicate):
    layer, optimizer = Dense(2, 2), optimizers.Adam(0.1)
    layer.dweights, layer.dbiases = np.ones((2, 2)), np.ones((1, 2))
    optimizer.update_params(layer)
    layer_too, optimizer_too = duplicate((layer, optimizer))
    for one, other in ((layer, optimizer), (layer_too, optimizer_too)):
        one.dweights = np.full((2, 2), -3.0)
        other.update_params(one)
    assert (layer.weights == layer_too.weights).all()


# --- random streams and data sets ---------------------------------------------------------------


def test_the_normal_stream_is_numpys_frozen_one():
    expected = np.random.RandomState(0).randn(5).astype(np.float32)
    assert (RandomStream(0).normal(5) == expected).all()


def test_masks_are_raw_bits_compared_as_whole_numbers():
    draws = np.random.PCG64(9).random_raw(50).tolist()
    halves = [half for draw in draws for half in (draw % 2**32, draw >> 32)]
    expected = [half < 0.75 * 2**32 for half in halves]
    assert RandomStream(9).keep((10, 10), 0.75).ravel().tolist() == expected
    assert RandomStream(9).keep((9, 11), 0.75).ravel().tolist() == expected[:99]
    assert RandomStream(9).keep((10, 10), 1.0).all()
    first = draws[0] % 2**32  # below the chance, and not at it
    assert not RandomStream(9).keep((1,), first / 2**32).any()
    assert RandomStream(9).keep((1,), (first + 1) / 2**32).all()


def test_the_spiral_is_the_source_books():
    set_seed(0)
    X, y = spiral_data(samples=100, classes=3)
    legacy, expected = np.random.RandomState(0), []
    for c in range(3):
        noise = legacy.randn(100).astype(np.float32) * np.float32(0.2)
        t = np.linspace(c * 4, (c + 1) * 4, 100) + noise
        r = np.linspace(0.0, 1, 100)
        expected.append(np.c_[r * np.sin(t * 2.5), r * np.cos(t * 2.5)].astype(np.float32))
    np.testing.assert_allclose(X, np.concatenate(expected), atol=6e-8)
    assert (y == np.repeat([0, 1, 2], 100)).all()
    weights = (0.01 * legacy.randn(2, 64)).astype(np.float32)
    np.testing.assert_allclose(Dense(2, 64).weights, weights, rtol=2e-7)


def test_vertical_and_sine_data():
    X, y = vertical_data(5, 3, stream=RandomStream(1))
    legacy = np.random.RandomState(1)
    for c in range(3):
        across, upward = legacy.randn(5), legacy.randn(5)
        expected = np.column_stack([across * 0.1 + c / 3, upward * 0.1 + 0.5])
        np.testing.assert_allclose(X[y == c], expected, rtol=1e-5, atol=1e-6)
    x, s = sine_data()
    assert x.shape == s.shape == (1000, 1)
    assert X.dtype == x.dtype == s.dtype == np.float32
    np.testing.assert_allclose(s, np.sin(2 * np.pi * np.arange(1000) / 1000)[:, None], atol=1e-6)


# --- what is refused, with nothing changed ------------------------------------------------------


def test_layers_say_what_came_and_what_is_wanted():
    layer = Dense(2, 3)
    with refused("Dense has no output yet: call forward first"):
        layer.backward(np.ones((4, 3)))
    layer.forward(np.ones((4, 2)))
    for row in ([1, 2], np.float32([1, 2])):
        with refused(r"inputs must have 2 dimensions, got shape \(2,\)"):
            layer.forward(row)
    for bad in ("abc", [["1", "2"]], [[1], [1, 2]], [[1j, 2]], {}):
        with refused(f"inputs must be an array of numbers, got {type(bad).__name__}", TypeError):
            layer.forward(bad)
    for kind in (int, np.float32):
        with refused("inputs has masked entries; finite numbers are wanted"):
            layer.forward(np.ma.masked_equal(np.array([[1, 2]], kind), 2))
    with refused(r"dvalues must have the shape of output, \(4, 3\), got \(1, 2\)"):
        layer.backward([[1, 2]])
    with refused("dvalues holds NaN or infinity; finite numbers are wanted"):
        layer.backward(np.full(layer.output.shape, np.nan))


def test_dense_refuses_the_wrong_number_of_columns():
    with refused(
        r"inputs must have 2 columns, one for each input of the layer, got shape \(4, 3\)"
    ):
        Dense(2, 3).forward(np.ones((4, 3)))


@pytest.mark.parametrize(
    ("sizes", "message", "error"),
    [
        ((0, 3), "n_inputs must be at least 1, got 0", ValueError),
        ((2, -1), "n_neurons must be at least 1, got -1", ValueError),
        ((2.0, 3), "n_inputs must be a whole number, got 2.0", TypeError),
        ((2, True), "n_neurons must be a whole number, got True", TypeError),
    ],
)
def test_dense_refuses_sizes(sizes, message, error):
    with refused(message, error):
        Dense(*sizes)


@pytest.mark.parametrize(
    "name",
    [
        "weight_regularizer_l1",
        "weight_regularizer_l2",
        "bias_regularizer_l1",
        "bias_regularizer_l2",
    ],
)
def test_dense_refuses_strengths(name):
    for bad in (-0.1, np.nan, np.inf):
        with refused(f"{name} must be at least 0 and finite, got"):
            Dense(2, 3, **{name: bad})
    with refused(f"{name} must be a number, got 'x'", TypeError):
        Dense(2, 3, **{name: "x"})


@pytest.mark.parametrize("stream", [5, "x", np.random.RandomState(0)])
def test_streams_are_random_streams(stream):
    for make in (
        lambda: Dense(2, 3, stream=stream),
        lambda: Dropout(0.5, stream=stream),
        lambda: spiral_data(5, 2, stream=stream),
        lambda: vertical_data(5, 2, stream=stream),
    ):
        with refused("stream must be a RandomStream or None, got", TypeError):
            make()


@pytest.mark.parametrize("name", ["weights", "biases"])
def test_parameters_that_are_not_finite_are_refused(name):
    layer = Dense(2, 3)
    getattr(layer, name)[0, 1] = np.nan
    with refused(f"{name} holds NaN or infinity"):
        layer.forward([[1, 2]])


@pytest.mark.parametrize("shape", [(1, 2), (4, 3), (3, 1), (1, 1)])
@pytest.mark.parametrize("arithmetic", [nullcontext, native])
def test_biases_of_another_shape_are_refused(shape, arithmetic):
    layer = Dense(2, 3)
    layer.biases = np.zeros(shape)
    with arithmetic(), refused(rf"biases must have shape \(1, 3\), got \({shape[0]}, {shape[1]}\)"):
        layer.forward(np.ones((4, 2)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [k for k in parts.parts() if issubclass(k, Layer)])
def test_what_is_not_finite_is_refused_in_native_arithmetic_too(kind, bad):
    for layer in parts.examples(kind):
        with native():
            layer.forward(np.ones((4, 3)))
            output = layer.output
            with refused("inputs holds NaN or infinity"):
                layer.forward([[1, bad, 1]])
            with refused("dvalues holds NaN or infinity"):
                layer.backward(np.full(output.shape, bad))
        assert layer.output is output


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, np.nan])
def test_dropout_refuses_rates(rate):
    with refused("rate must be at least 0 and below 1, got"):
        Dropout(rate)


def test_losses_say_what_came_and_what_is_wanted():
    loss, y = losses.MeanSquaredError(), np.eye(2)
    for call in (loss.calculate, loss.backward):
        with refused("output holds NaN or infinity"):
            call(np.full((2, 2), np.nan), y)
        with refused(r"output must hold at least one sample, got shape \(0, 2\)"):
            call(np.ones((0, 2)), np.ones((0, 2)))
        with refused(r"y must have the shape of output, \(2, 2\), got \(3, 2\)"):
            call(y, np.ones((3, 2)))


@pytest.mark.parametrize("loss", [losses.BinaryCrossentropy, losses.CategoricalCrossentropy])
@pytest.mark.parametrize("y", [[0, 1], [[1, 0], [0, 1]]])
def test_masked_targets_are_refused(loss, y):
    shape = (2, 1) if np.ndim(y) == 1 and loss is losses.BinaryCrossentropy else (2, 2)
    with refused("y has masked entries"):
        loss().calculate(np.full(shape, 0.5), np.ma.masked_equal(y, 1))


def test_huber_refuses_bounds():
    for bad in (0, -1, np.nan, np.inf):
        with refused(f"delta must be above 0 and finite, got {bad}"):
            losses.Huber(bad)
    for bad in ("1", None, True, [1.0]):
        with refused("delta must be a number, got", TypeError):
            losses.Huber(bad)


@pytest.mark.parametrize("loss", [losses.MeanSquaredError, losses.MeanAbsoluteError, losses.Huber])
def test_regression_losses_refuse_what_would_broadcast(loss):
    for output, y in ((np.ones((4, 1)), np.ones((1, 4))), (np.ones((4, 2)), np.ones((4, 1)))):
        with refused("y must have the shape of output"):
            loss().calculate(output, y)


@pytest.mark.parametrize("loss", [losses.BinaryCrossentropy, losses.CategoricalCrossentropy])
def test_probabilities_must_be_probabilities(loss):
    with refused("output must hold probabilities, from 0 to 1, got values from -0.5 to 1.5"):
        loss().calculate([[-0.5, 1.5]], [[0, 1]])


def test_a_column_against_a_vector_is_refused_not_broadcast():
    with refused(r"y must have 2 dimensions, got shape \(4,\)"):
        losses.MeanSquaredError().calculate(np.ones((4, 1)), np.ones(4))


def test_binary_targets():
    loss = losses.BinaryCrossentropy()
    for bad in (2, -0.5):
        with refused("y must lie between 0 and 1"):
            loss.calculate([[0.5]], [[bad]])
    with refused("y must be an array of numbers, got list", TypeError):
        loss.calculate([[0.5]], [["yes"]])
    with refused("y must have 2 dimensions"):
        loss.calculate([[0.5, 0.5]], [1])


@pytest.mark.parametrize(
    ("y", "message", "error"),
    [
        ([0, 3], "y must hold class numbers from 0 to 2, got 0 to 3", ValueError),
        ([-1, 0], "y must hold class numbers from 0 to 2, got -1 to 0", ValueError),
        ([0.0, 1.0], "y must hold whole numbers as class numbers, got float64", TypeError),
        (
            [0, 1, 2],
            r"y must hold 2 class numbers or rows of shape \(2, 3\), got shape \(3,\)",
            ValueError,
        ),
        ([[1, 1, 0], [1, 0, 0]], "not negative and sum to 1", ValueError),
        ([[2, -1, 0], [1, 0, 0]], "not negative and sum to 1", ValueError),
    ],
)
def test_class_targets(y, message, error):
    for call in (
        losses.CategoricalCrossentropy().calculate,
        losses.SoftmaxCategoricalCrossentropy().forward,
    ):
        with refused(message, error):
            call(np.full((2, 3), 0.25), y)


def test_the_combined_loss_keeps_its_state():
    combined = losses.SoftmaxCategoricalCrossentropy()
    combined.forward([[0, 1]], [0])
    before = combined.output
    with refused("class numbers from 0 to 1"):
        combined.forward([[5, 5]], [2])
    with refused("inputs holds NaN"):
        combined.forward([[np.nan, 0]], [0])
    assert combined.output is before


def test_regularization_loss_wants_a_layer_with_weights():
    with refused("layer must have weights, got ReLU", TypeError):
        losses.Loss().regularization_loss(ReLU())


@pytest.mark.parametrize("optimizer", storage.OPTIMIZERS.values())
def test_optimizers_refuse_settings_out_of_range(optimizer):
    for name in inspect.signature(optimizer).parameters:
        if name in ("learning_rate", "decay"):
            bad, wanted = (-1, np.inf), "at least 0 and finite"
        elif name == "epsilon":
            bad, wanted = (0, -1e-7), "above 0 and finite"
        else:
            bad, wanted = (1, -0.1), "at least 0 and below 1"
        for value in bad:
            with refused(f"{name} must be {wanted}, got {value}"):
                optimizer(**{name: value})
        with refused(f"{name} must be a number, got None", TypeError):
            optimizer(**{name: None})


def test_optimizers_say_what_came_and_what_is_wanted():
    layer, optimizer = Dense(2, 2), optimizers.Adam()
    with refused("Dense has no dweights yet: call backward first"):
        optimizer.update_params(layer)
    with refused("layer must have weights, got ReLU", TypeError):
        optimizer.update_params(ReLU())
    layer.dweights, layer.dbiases = np.ones((2, 2)), np.array([[1, np.nan]])
    with refused("dbiases holds NaN or infinity"):
        optimizer.update_params(layer)
    layer.dweights, layer.dbiases = np.ones((1, 2)), np.ones((1, 2))
    with refused(r"dweights must have the shape of weights, \(2, 2\), got \(1, 2\)"):
        optimizer.update_params(layer)


@pytest.mark.parametrize("make", [spiral_data, vertical_data])
def test_data_sets_refuse_sizes(make):
    for arguments, message, error in (
        ((0, 3), "samples must be at least 1, got 0", ValueError),
        ((10, 0), "classes must be at least 1, got 0", ValueError),
        ((10, 257), "classes must be at most 256, got 257", ValueError),
        ((1.5, 3), "samples must be a whole number, got 1.5", TypeError),
    ):
        with refused(message, error):
            make(*arguments)


def test_sine_data_refuses_sizes():
    with refused("samples must be at least 1, got -1"):
        sine_data(-1)


def test_the_first_and_the_last_seed():
    assert RandomStream(0).normal(1) != RandomStream(2**32 - 1).normal(1)


@pytest.mark.parametrize("seed", [-1, 2**32, "0"])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises((ValueError, TypeError), match="seed"):
        RandomStream(seed)
