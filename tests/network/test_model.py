"""Model: the same bits as loops by hand, what it refuses, interruptions, and files of models."""

import copy
import functools
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from math import sqrt

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nbclient import NotebookClient

from nnfs_book.arithmetic import native
from nnfs_book.checks.experiments import fingerprint, logistic_regression, spiral_classifier
from nnfs_book.datasets import sine_data, spiral_data
from nnfs_book.network import losses, metrics, storage
from nnfs_book.network.activations import Linear, ReLU, Sigmoid, Softmax
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import BinaryCrossentropy, CategoricalCrossentropy, MeanSquaredError
from nnfs_book.network.metrics import Accuracy, BinaryAccuracy, CategoricalAccuracy
from nnfs_book.network.model import History, Model
from nnfs_book.network.optimizers import SGD, Adam
from nnfs_book.network.randomness import RandomStream, set_seed, stream_or_common
from nnfs_book.presentation import figures

LOSS_PARTS = ["loss", "data_loss", "regularization_loss"]


def refused(message, error=ValueError):
    """Expect an error whose message matches."""
    return pytest.raises(error, match=message)


def spiral_model(dropout=0.0, l2=5e-4, optimizer=None, measured=(Accuracy,), samples=20, seed=0):
    """Return a compiled classifier of spirals, its data and its stream, as in `experiments`."""
    stream = RandomStream(seed)
    X, y = spiral_data(samples=samples, classes=3, stream=stream)
    strengths = {"weight_regularizer_l2": l2, "bias_regularizer_l2": l2}
    hidden = Dense(2, 64, **strengths, stream=stream)
    dropping = Dropout(dropout, stream=stream)
    layers = [hidden, ReLU(), dropping, Dense(64, 3, stream=stream), Softmax()]
    model = Model(layers)
    optimizer = optimizer or Adam(learning_rate=0.02, decay=5e-7)
    model.compile(optimizer, CategoricalCrossentropy(), [metric() for metric in measured])
    return model, X, y, stream


def regression_model(seed=0):
    """Return a compiled model of a sine, and its data."""
    stream = RandomStream(seed)
    layers = [Dense(1, 8, stream=stream), ReLU(), Dense(8, 1, stream=stream)]
    model = Model(layers)
    model.compile(SGD(0.1, momentum=0.5), MeanSquaredError(), [metrics.RootMeanSquaredError()])
    return model, *sine_data(50)


def settings_of(optimizer):
    """Return what an optimizer was made with, and how far it has come."""
    reached = {"t": optimizer.iterations, "rate": optimizer.current_learning_rate}
    return optimizer.settings() | reached


def arrays_of(model):
    """Return all parameters, and what the optimizer remembers of them."""
    places = storage.parameters(model.layers, model.optimizer)
    return {name: getattr(owner, attribute) for name, owner, attribute in places}


def streams_of(model):
    """Return where each stream of a model stands."""
    streams = [getattr(layer, "stream", None) for layer in model.layers] + [model.stream]
    return [s and s.state for s in streams]


def state_of(model):
    """Return all that a failed call must leave as it is."""
    return {
        "arrays": {name: a.tobytes() for name, a in arrays_of(model).items()},
        "optimizer": settings_of(model.optimizer),
        "streams": [*streams_of(model), stream_or_common(None).state],
        "history": hasattr(model, "history") and list(model.history.rows),
    }


# --- the same bits as a loop by hand ------------------------------------------------------------


@pytest.mark.parametrize(
    ("dropout", "learning_rate", "decay"), [(0, 0.02, 5e-7), (0.1, 0.05, 5e-5)]
)
def test_full_batches_make_the_bits_of_the_experiments(dropout, learning_rate, decay):
    by_hand = spiral_classifier(
        samples=50, epochs=101, dropout=dropout, learning_rate=learning_rate, decay=decay
    )
    model, X, y, stream = spiral_model(dropout, optimizer=Adam(learning_rate, decay), samples=50)
    history = model.fit(X, y, epochs=101, shuffle=False).history
    assert fingerprint(model.layers) == by_hand.sha256
    for row in by_hand.log:
        for name in (*LOSS_PARTS, "accuracy"):
            assert history[name][row["epoch"]] == row[name]
    X, y = spiral_data(samples=100, classes=3, stream=stream)
    measured = model.evaluate(X, y)
    assert measured["data_loss"] == by_hand.figures["validation_loss"]
    assert measured["accuracy"] == by_hand.figures["validation_accuracy"]


def test_sigmoid_and_binary_crossentropy_make_the_bits_of_the_experiment():
    by_hand, stream = logistic_regression(epochs=101), RandomStream(0)
    X, y = spiral_data(samples=100, classes=2, stream=stream)
    hidden = Dense(2, 64, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4, stream=stream)
    model = Model([hidden, ReLU(), Dense(64, 1, stream=stream), Sigmoid()])
    model.compile(Adam(decay=5e-7), BinaryCrossentropy(), [Accuracy()])
    history = model.fit(X, y.reshape(-1, 1), epochs=101, shuffle=False).history
    assert fingerprint(model.layers) == by_hand.sha256
    for row in by_hand.log:
        for name in (*LOSS_PARTS, "accuracy"):
            assert history[name][row["epoch"]] == row[name]


@pytest.mark.parametrize("batch_size", [1, 7, 16, 60, 999])
def test_batches_make_the_bits_of_a_loop_by_hand(batch_size):
    model, X, y, _ = spiral_model(dropout=0.2)
    history = model.fit(X, y, epochs=3, batch_size=batch_size, stream=RandomStream(5))

    other, X, y, _ = spiral_model(dropout=0.2)
    dense1, activation1, dropout1, dense2, activation2 = other.layers
    loss, optimizer, stream = (
        losses.SoftmaxCategoricalCrossentropy(),
        other.optimizer,
        RandomStream(5),
    )
    for epoch in range(3):
        order = stream.permutation(len(X)).tolist()
        rows = []
        while order:
            batch, order = order[:batch_size], order[batch_size:]
            dense1.forward(X[batch])
            activation1.forward(dense1.output)
            dropout1.forward(activation1.output)
            dense2.forward(dropout1.output)
            data_loss = loss.forward(dense2.output, y[batch])
            penalty = loss.loss.regularization_loss(dense1)
            right = (loss.output.argmax(axis=1) == y[batch]).sum()
            rows.append((len(batch), float(data_loss), float(penalty), right))
            loss.backward(loss.output, y[batch])
            dense2.backward(loss.dinputs)
            dropout1.backward(dense2.dinputs)
            activation1.backward(dropout1.dinputs)
            dense1.backward(activation1.dinputs)
            optimizer.pre_update_params()
            optimizer.update_params(dense1)
            optimizer.update_params(dense2)
            optimizer.post_update_params()
        sizes, data_losses, penalties, rights = np.array(rows, dtype=float).T
        of_epoch = history.rows[epoch]
        assert of_epoch["data_loss"] == pytest.approx((sizes @ data_losses) / 60, rel=1e-12)
        assert of_epoch["regularization_loss"] == pytest.approx((sizes @ penalties) / 60, rel=1e-12)
        assert of_epoch["accuracy"] == pytest.approx(rights.sum() / 60, rel=1e-12)
    assert fingerprint(model.layers) == fingerprint(other.layers)
    assert model.optimizer.iterations == 3 * -(-60 // batch_size)


def test_an_order_of_the_whole_data_set_changes_no_bit():
    """An exact sum over all samples is the same in any order."""
    shuffled, X, y, _ = spiral_model()
    in_order, X, y, _ = spiral_model()
    of_shuffled = shuffled.fit(X, y, epochs=5, stream=RandomStream(3)).rows
    assert in_order.fit(X, y, epochs=5, shuffle=False).rows == of_shuffled
    assert fingerprint(shuffled.layers) == fingerprint(in_order.layers)


def test_the_short_gradient_is_for_softmax_and_crossentropy_only(monkeypatch):
    def never(*_):
        raise AssertionError("the Jacobian is not wanted")

    model, X, y, _ = spiral_model()
    with monkeypatch.context() as patch:
        patch.setattr(Softmax, "backward", never)
        model.fit(X, y)
        rows = np.eye(3)[y]
        model.fit(X, rows)
        model.compile(SGD(), MeanSquaredError())
        with refused("the Jacobian is not wanted", AssertionError):
            model.fit(X, rows)
    model.fit(X, rows)


def test_sigmoid_and_categorical_crossentropy_go_through_both():
    model = Model([Dense(2, 3, stream=RandomStream(0)), Sigmoid()])
    model.compile(SGD(1.0), CategoricalCrossentropy())
    before, output = model.layers[0].weights.copy(), model.predict([[1, 2]])
    model.fit([[1, 2]], [1])
    # of -log s(z) the gradient is s(z) - 1, and the other outputs have none
    gradient = np.outer([1, 2], (output[0] - 1) * [0, 1, 0])
    np.testing.assert_allclose(model.layers[0].weights, before - gradient, rtol=1e-5)


def test_gradients_stop_at_the_first_weights():
    """What comes before them has no use for a gradient."""
    first, dropout = Dense(2, 4), Dropout(0.5)
    model = Model([dropout, first, ReLU(), Dense(4, 3), Softmax()])
    model.compile(SGD(), CategoricalCrossentropy())
    model.fit(np.ones((5, 2)), [0, 1, 2, 0, 1])
    assert hasattr(first, "dweights") and not hasattr(dropout, "dinputs")


def test_many_yes_no_outputs():
    model = Model([Dense(2, 8, stream=RandomStream(0)), ReLU(), Dense(8, 2), Sigmoid()])
    model.compile(Adam(0.05), BinaryCrossentropy(), [BinaryAccuracy()])
    X = np.float32([[0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.int64([[0, 0], [1, 0], [1, 0], [1, 1]])  # or, and
    history = model.fit(X, y, epochs=200)
    assert history.rows[-1]["binary_accuracy"] == 1
    assert model.predict(X).shape == (4, 2)


def test_regression():
    model, X, y = regression_model()
    history = model.fit(X, y, epochs=200, batch_size=10, stream=RandomStream(1))
    assert history.rows[-1]["loss"] < 0.5 * history.rows[0]["loss"]
    assert history.rows[-1]["loss"] == history.rows[-1]["data_loss"]
    assert "root_mean_squared_error" in history.rows[0]


def test_native_arithmetic_trains_in_float64():
    model, X, y = regression_model()
    with native():
        for layer in model.dense:
            layer.weights = layer.weights.astype(np.float64)
            layer.biases = layer.biases.astype(np.float64)
        model.fit(X.astype(np.float64), y.astype(np.float64), epochs=2)
        assert model.predict(X.astype(np.float64)).dtype == np.float64


# --- batches and orders -------------------------------------------------------------------------


def seen_by(model, X, y, **arguments):
    """Fit, and return the batches of samples that made a step, for each epoch."""
    batches = []

    class Recording(Model):
        def step(self, X, y):
            batches.append((X[:, 0].tolist(), y.tolist()))
            return super().step(X, y)

    model.__class__ = Recording
    history = model.fit(X, y, **arguments)
    per_epoch = len(batches) // len(history.rows)
    return [batches[i : i + per_epoch] for i in range(0, len(batches), per_epoch)]


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 30),
    batch_size=st.one_of(st.none(), st.integers(1, 40)),
    epochs=st.integers(1, 3),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_epoch_takes_each_sample_once(n, batch_size, epochs, shuffle, seed):
    model = Model([Dense(1, 3), Softmax()])
    model.compile(SGD(0.01), CategoricalCrossentropy(), [Accuracy()])
    X, y = np.arange(n).reshape(-1, 1), np.arange(n) % 3
    seen = seen_by(
        model,
        X,
        y,
        epochs=epochs,
        batch_size=batch_size,
        shuffle=shuffle,
        stream=RandomStream(seed),
    )
    assert len(seen) == epochs
    for of_epoch in seen:
        inputs = [x for batch, _ in of_epoch for x in batch]
        targets = [t for _, batch in of_epoch for t in batch]
        assert sorted(inputs) == list(range(n))
        assert [x % 3 for x in inputs] == targets
        if not shuffle:
            assert inputs == list(range(n))
        *full, last = [len(batch) for batch, _ in of_epoch]
        assert all(size == batch_size for size in full)
        assert 0 < last <= (batch_size or n)
    assert model.optimizer.iterations == epochs * len(seen[0])


def test_each_epoch_has_an_order_of_its_own_and_a_seed_repeats_it():
    X, y = np.arange(20).reshape(-1, 1), np.zeros(20, int)
    runs = []
    for seed in (1, 1, 2):
        model = Model([Dense(1, 3, stream=RandomStream(0)), Softmax()])
        model.compile(SGD(0.001), CategoricalCrossentropy())
        runs.append(seen_by(model, X, y, epochs=3, batch_size=5, stream=RandomStream(seed)))
    assert runs[0] == runs[1] != runs[2]
    assert runs[0][0] != runs[0][1] != runs[0][2]


def test_orders_come_from_the_stream_that_is_kept_or_from_the_common_one():
    X, y = np.arange(20).reshape(-1, 1), np.zeros(20, int)

    def fitted(model, **arguments):
        model.fit(X, y, epochs=2, batch_size=3, **arguments)
        return fingerprint(model.layers)

    def fresh():
        model = Model([Dense(1, 3, stream=RandomStream(0)), Softmax()])
        model.compile(SGD(0.1), CategoricalCrossentropy())
        return model

    kept, given_both, common, of_seed = fresh(), fresh(), fresh(), fresh()
    stream = RandomStream(7)
    assert fitted(kept, stream=RandomStream(7)) == fitted(given_both, stream=stream)
    assert kept.stream.state == stream.state
    assert fitted(kept) == fitted(given_both, stream=stream)
    set_seed(9)
    assert fitted(common) == fitted(of_seed, stream=RandomStream(9))
    assert common.stream is None


def test_a_permutation_is_the_order_of_raw_draws():
    for seed, n in ((0, 0), (1, 1), (2, 100), (3, 1001)):
        draws = np.random.PCG64(seed).random_raw(n).tolist()
        assert RandomStream(seed).permutation(n).tolist() == sorted(range(n), key=draws.__getitem__)


def test_equal_draws_keep_their_order(monkeypatch):
    class Draws:
        def random_raw(self, n):
            return np.arange(n, dtype=np.uint64) % 3

    monkeypatch.setattr(np.random, "PCG64", lambda seed: Draws())
    stream = RandomStream(0)
    expected = sorted(range(1000), key=lambda i: i % 3)
    assert stream.permutation(1000).tolist() == expected


def test_all_orders_are_about_equally_frequent():
    stream = RandomStream(0)
    orders = [tuple(stream.permutation(3).tolist()) for _ in range(6000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6 and max(counts) < 1120 and min(counts) > 880


@pytest.mark.parametrize("n", [-1, 1.5, True])
def test_permutations_of_no_number_are_refused(n):
    with pytest.raises((TypeError, ValueError), match="n must be"):
        RandomStream(0).permutation(n)


# --- what is measured ---------------------------------------------------------------------------


def test_a_measurement_at_rest_is_that_of_all_samples():
    """With a learning rate of zero, the mean over batches is the mean over samples."""
    model, X, y, _ = spiral_model(optimizer=SGD(0.0), measured=(Accuracy, CategoricalAccuracy))
    row = model.fit(X, y, batch_size=7).rows[0]
    measured = model.evaluate(X, y)
    assert list(row) == list(measured) == [*LOSS_PARTS, "accuracy", "categorical_accuracy"]
    assert row == pytest.approx(measured, rel=1e-6)


def test_the_root_of_an_epoch_is_not_a_mean_of_roots():
    model, X, y = regression_model()
    model.compile(SGD(0.0), MeanSquaredError(), [metrics.RootMeanSquaredError()])
    row = model.fit(X, y, batch_size=7).rows[0]
    assert row["root_mean_squared_error"] == pytest.approx(sqrt(row["loss"]), rel=1e-12)
    model.fit(X, y)
    assert model.evaluate(X, y)["root_mean_squared_error"] == sqrt(model.evaluate(X, y)["loss"])


def test_evaluation_is_what_losses_and_metrics_say():
    model, X, y, _ = spiral_model(dropout=0.5)
    predictions = model.predict(X)
    data_loss = model.loss.calculate(predictions, y)
    penalty = model.loss.regularization_loss(model.layers[0])
    assert model.evaluate(X, y) == {
        "loss": float(data_loss + penalty),
        "data_loss": float(data_loss),
        "regularization_loss": float(penalty),
        "accuracy": Accuracy().calculate(predictions, y),
    }


def test_the_penalties_of_all_layers_count():
    first, second = Dense(2, 3, weight_regularizer_l1=0.5), Dense(3, 2, bias_regularizer_l2=2)
    first.weights[:], second.biases[:] = 2, 3
    model = Model([first, ReLU(), second, Softmax()])
    model.compile(SGD(), CategoricalCrossentropy())
    assert model.evaluate([[0, 0]], [1])["regularization_loss"] == 0.5 * 6 * 2 + 2 * 2 * 9


def test_metrics_of_a_single_batch_are_not_rounded_again():
    for n in range(1, 120):
        model = Model([Dense(1, 2), Softmax()])
        model.compile(SGD(), CategoricalCrossentropy(), [Accuracy()])
        y = (np.arange(n) % 7 == 0).astype(int)
        predicted = model.predict(np.ones((n, 1))).argmax(axis=1)
        assert model.evaluate(np.ones((n, 1)), y)["accuracy"] == (predicted == y).sum() / n


def test_validation_data_are_measured_after_the_epoch_without_dropout():
    model, X, y, stream = spiral_model(dropout=0.5)
    X_val, y_val = spiral_data(10, 3, stream=stream)
    row = model.fit(X, y, batch_size=16, validation_data=(X_val, y_val)).rows[-1]
    measured = model.evaluate(X_val, y_val)
    assert {name: row[f"val_{name}"] for name in measured} == measured
    assert model.evaluate(X, y)["loss"] != row["loss"]


def test_validation_changes_nothing_in_the_training():
    with_it, X, y, _ = spiral_model(dropout=0.5)
    without, X, y, _ = spiral_model(dropout=0.5)
    with_it.fit(X, y, 3, 16, validation_data=[X.tolist(), y.tolist()], stream=RandomStream(1))
    without.fit(X, y, 3, 16, stream=RandomStream(1))
    assert fingerprint(with_it.layers) == fingerprint(without.layers)


def test_a_history_is_keras_s():
    model, X, y, _ = spiral_model()
    history = model.fit(X, y, epochs=4, validation_data=(X, y))
    assert history is model.history and isinstance(history, History)
    assert history.epoch == [0, 1, 2, 3]
    names = [*LOSS_PARTS, "accuracy"]
    assert list(history.history) == names + [f"val_{name}" for name in names]
    assert all(len(values) == 4 for values in history.history.values())
    assert all(type(value) is float for row in history.rows for value in row.values())
    for row in history.rows:
        assert row["loss"] == np.float32(row["data_loss"]) + np.float32(row["regularization_loss"])
    assert repr(history).startswith("History of 4 epochs: loss, data_loss")
    again = model.fit(X, y)
    assert again.epoch == [0] and model.history is again and len(history.rows) == 4
    assert History().history == {} and History().epoch == []


@functools.cache
def trained_spiral():
    """Return a trained model, its inputs and its predictions."""
    model, X, y, _ = spiral_model(samples=40)
    model.fit(X, y, epochs=20)
    return model, X, model.predict(X)


@given(data=st.data())
def test_a_prediction_does_not_depend_on_its_company(data):
    """A sample has the same bits alone, in any batch, and beside samples of any size."""
    model, X, together = trained_spiral()
    chosen = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1, max_size=30))
    others = data.draw(
        arrays(np.float32, (3, 2), elements=st.floats(-(2.0**99), 2.0**99, width=32))
    )
    among = model.predict(np.concatenate([others, X[chosen], others]))
    assert among[3:-3].tobytes() == together[chosen].tobytes()


@pytest.mark.parametrize("size", [1, 7, 119, 120])
def test_predictions_in_pieces_are_those_of_the_whole(size):
    model, X, together = trained_spiral()
    pieces = [model.predict(X[i : i + size]) for i in range(0, len(X), size)]
    assert np.concatenate(pieces).tobytes() == together.tobytes()


def test_the_summary(capsys):
    model = Model([Dropout(0.25), Dense(784, 1000), ReLU(), Dense(1000, 10), Softmax()])
    assert model.summary() is None
    assert capsys.readouterr().out == (
        "Layer               Output shape    Parameters\n"
        "----------------------------------------------\n"
        "Dropout(0.25)       (N, 784)                 0\n"
        "Dense(784, 1000)    (N, 1000)          785,000\n"
        "ReLU()              (N, 1000)                0\n"
        "Dense(1000, 10)     (N, 10)             10,010\n"
        "Softmax()           (N, 10)                  0\n"
        "----------------------------------------------\n"
        "Total                                  795,010\n"
    )
    assert repr(model) == (
        "Model([Dropout(0.25), Dense(784, 1000), ReLU(), Dense(1000, 10), Softmax()])"
    )


# --- metrics ------------------------------------------------------------------------------------


def test_accuracies():
    one, y = [[0.9], [0.5], [0.2], [0.51]], [1, 0, 0, 0]
    for targets in (y, np.reshape(y, (-1, 1)), np.array(y, bool), np.float32(y)):
        assert BinaryAccuracy().calculate(one, targets) == 0.75
        assert Accuracy().calculate(one, targets) == 0.75
    three, y = [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]], [1, 1, 2]
    for targets in (y, np.uint8(y), np.eye(3)[y], np.eye(3, dtype=int)[y].tolist()):
        assert CategoricalAccuracy().calculate(three, targets) == pytest.approx(2 / 3)
        assert Accuracy().calculate(three, targets) == pytest.approx(2 / 3)
    rows = [[0, 1, 0], [0, 0, 1], [0, 1, 1]]  # yes/no answers
    assert BinaryAccuracy().calculate(three, rows) == pytest.approx(6 / 9)


def test_errors_of_regression():
    output, y = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]]
    assert metrics.MeanAbsoluteError().calculate(output, y) == 2.25
    assert metrics.RootMeanSquaredError().calculate(output, y) == sqrt(7.25)


@pytest.mark.parametrize("metric", storage.METRICS.values())
def test_metrics_have_keras_s_names(metric):
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in metric.__name__)
    assert metric.name == words.removeprefix("_")


def test_accuracies_refuse_targets_that_are_no_answers():
    with refused("y must hold 0 and 1, the answers no and yes, and nothing between"):
        BinaryAccuracy().calculate([[0.5]], [[0.5]])
    with refused("output must hold probabilities"):
        BinaryAccuracy().calculate([[3.0]], [[1]])
    with refused("sum to 1"):  # several answers at once are not one of several classes
        Accuracy().calculate([[0.9, 0.9]], [[1, 1]])
    with refused("class numbers from 0 to 1, got 2 to 2"):
        Accuracy().calculate([[0.5, 0.5]], [2])


# --- what is refused, with nothing changed ------------------------------------------------------

SHARED = ReLU()


@pytest.mark.parametrize(
    ("layers", "message", "error"),
    [
        (Dense(2, 3), r"layers must be a list of layers, got Dense\(2, 3\)", TypeError),
        (None, "layers must be a list of layers, got None", TypeError),
        ([], r"layers must hold at least one Dense, got \[\]", ValueError),
        (
            [ReLU(), Dropout(0.5)],
            r"at least one Dense, got \[ReLU\(\), Dropout\(0.5\)\]",
            ValueError,
        ),
        ([Dense(2, 3), "relu"], r"layers\[1\] must be a Dense, .*, got 'relu'", TypeError),
        ([Dense(2, 3), ReLU], r"layers\[1\] must be .*, got <class .*ReLU'>", TypeError),
        ([Dense(2, 3), [ReLU()]], r"layers\[1\] must be a Dense", TypeError),
        (
            [Dense(2, 3), SHARED, Dense(3, 3), SHARED],
            r"layers\[3\] must be a layer of its own, got layers\[1\] again",
            ValueError,
        ),
        (
            [Dense(2, 3), ReLU(), Dense(4, 5)],
            r"layers\[2\], Dense\(4, 5\), must have 3 inputs, as many as layers\[0\] has neurons",
            ValueError,
        ),
    ],
)
def test_layers_that_make_no_network_are_refused(layers, message, error):
    with refused(message, error):
        Model(layers)


@pytest.mark.parametrize(
    ("arguments", "message", "error"),
    [
        (
            (Adam, CategoricalCrossentropy()),
            "optimizer must be an instance of Optimizer",
            TypeError,
        ),
        (("adam", CategoricalCrossentropy()), "Optimizer, got 'adam'", TypeError),
        ((Adam(), CategoricalCrossentropy), "loss must be an instance of Loss, got <cl", TypeError),
        ((Adam(), losses.SoftmaxCategoricalCrossentropy()), "loss must be an instance", TypeError),
        (
            (Adam(), MeanSquaredError(), "accuracy"),
            "must be a list of metrics, got 'acc",
            TypeError,
        ),
        ((Adam(), MeanSquaredError(), Accuracy()), "metrics must be a list", TypeError),
        (
            (Adam(), MeanSquaredError(), [Accuracy(), "accuracy"]),
            r"metrics\[1\] must be an instance of Metric, got 'accuracy'",
            TypeError,
        ),
        (
            (Adam(), MeanSquaredError(), [Accuracy(), Accuracy()]),
            "metrics must have different names, got accuracy, accuracy",
            ValueError,
        ),
    ],
)
def test_compile_refuses(arguments, message, error):
    model, *_ = spiral_model()
    before = model.optimizer, model.loss, model.metrics
    with refused(message, error):
        model.compile(*arguments)
    assert (model.optimizer, model.loss, model.metrics) == before


@pytest.mark.parametrize("loss", [BinaryCrossentropy, CategoricalCrossentropy])
@pytest.mark.parametrize("last", [[], [ReLU()], [Linear()], [Softmax(), Dropout(0.5)]])
def test_losses_that_want_probabilities_get_them(loss, last):
    model = Model([Dense(2, 3), *last])
    with refused(f"{loss.__name__} wants probabilities: the last layer must be Sigmoid or Softmax"):
        model.compile(Adam(), loss())
    for activation in (Sigmoid, Softmax):
        Model([Dense(2, 3), activation()]).compile(Adam(), loss())


def test_a_model_must_be_compiled():
    model = Model([Dense(2, 3), Softmax()])
    for call in (model.fit, model.evaluate):
        with refused("Model has no loss yet: call compile first"):
            call(np.ones((4, 2)), [0, 1, 2, 0])
    assert not hasattr(model, "history")
    model.predict(np.ones((4, 2)))


GOOD = {"X": np.ones((4, 2)), "y": [0, 1, 2, 0]}


@pytest.mark.parametrize(
    ("arguments", "message", "error"),
    [
        ({"X": "abc"}, "X must be an array of numbers, got str", TypeError),
        ({"X": np.ones(4)}, r"X must have 2 dimensions, got shape \(4,\)", ValueError),
        ({"X": np.full((4, 2), np.nan)}, "X holds NaN or infinity", ValueError),
        ({"X": np.ones((0, 2))}, "X must hold at least one sample", ValueError),
        (
            {"X": np.ones((4, 3))},
            r"X must have 2 columns, one for each input of the first Dense layer, got shape \(4, 3",
            ValueError,
        ),
        (
            {"y": [0, 1, 2]},
            r"y must hold a target for each of the 4 .*, got shape \(3,\)",
            ValueError,
        ),
        ({"y": 1}, r"y must hold a target for each of the 4 .*, got shape \(\)", ValueError),
        ({"y": list("abca")}, "y must be an array of numbers", TypeError),
        ({"y": [0, 1, 2, 3]}, "y must hold class numbers from 0 to 2, got 0 to 3", ValueError),
        ({"y": [0.0, 1.0, 2.0, 0.0]}, "y must hold whole numbers as class numbers", TypeError),
        ({"y": np.ones((4, 2))}, "y must hold 4 class numbers or rows of shape", ValueError),
        ({"epochs": 0}, "epochs must be at least 1, got 0", ValueError),
        ({"epochs": 1.5}, "epochs must be a whole number, got 1.5", TypeError),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0", ValueError),
        ({"batch_size": "all"}, "batch_size must be a whole number, got 'all'", TypeError),
        ({"shuffle": 1}, "shuffle must be True or False, got 1", TypeError),
        ({"progress": "yes"}, "progress must be True or False, got 'yes'", TypeError),
        ({"stream": 0}, "stream must be a RandomStream or None, got 0", TypeError),
        ({"validation_data": 5}, r"validation_data must be a pair \(X, y\)", TypeError),
        ({"validation_data": (np.ones((4, 2)),)}, r"validation_data must be a pair", ValueError),
        ({"validation_data": ()}, r"validation_data must be a pair", ValueError),
        (
            {"validation_data": (np.ones((4, 3)), [0, 1, 2, 0])},
            r"validation_data must be a pair \(X, y\): X must have 2 columns",
            ValueError,
        ),
        (
            {"validation_data": (np.ones((4, 2)), [0, 1, 2, 5])},
            r"validation_data .*: y must hold class numbers from 0 to 2, got 0 to 5",
            ValueError,
        ),
        (
            {"validation_data": (np.ones((4, 2)), [0.5, 1, 2, 0])},
            r"validation_data .*: y must hold whole numbers",
            TypeError,
        ),
    ],
)
def test_fit_refuses_and_nothing_has_changed(arguments, message, error):
    model, X, y, _ = spiral_model(dropout=0.5)
    model.fit(X, y, epochs=2, batch_size=16, stream=RandomStream(1))
    before, history = state_of(model), model.history
    with refused(message, error):
        model.fit(**GOOD | {"stream": RandomStream(2)} | arguments)
    assert state_of(model) == before and model.history is history


def test_targets_that_a_metric_does_not_take_are_refused_before_the_training():
    model, X, y, _ = spiral_model(measured=(Accuracy, metrics.MeanAbsoluteError))
    before = state_of(model)
    with refused(r"y must have 2 dimensions, got shape \(60,\)"):
        model.fit(X, y)
    assert state_of(model) == before
    model.fit(X, np.eye(3)[y])


def test_masked_targets_are_refused():
    model, X, y = regression_model()
    with refused("y has masked entries"):
        model.fit(X, np.ma.masked_less(y, 0))


def test_evaluate_and_predict_refuse():
    model, X, y, _ = spiral_model()
    before = state_of(model)
    for call in (lambda X: model.predict(X), lambda X: model.evaluate(X, y)):
        with refused("X must have 2 columns"):
            call(np.ones((60, 3)))
        with refused("X holds NaN"):
            call(np.full((60, 2), np.inf))
        with refused("X must hold at least one sample"):
            call(np.ones((0, 2)))
    with refused("y must hold 60 class numbers"):
        model.evaluate(X, y[:5])
    with refused("y must hold class numbers from 0 to 2"):
        model.evaluate(X, y + 1)
    assert state_of(model) == before


def test_a_training_that_diverges_says_when():
    model, X, y = regression_model()
    model.compile(SGD(1e30), MeanSquaredError())
    message = r"training broke off in epoch \d+ \(has it diverged\?\): .* NaN or infinity"
    with refused(message) as caught:
        model.fit(X, y, epochs=100)
    assert f"epoch {len(model.history.rows)}" in str(caught.value)
    assert all(np.isfinite(row["loss"]) for row in model.history.rows)


# --- interruptions ------------------------------------------------------------------------------


@pytest.fixture
def ctrl_c():
    """Let Ctrl-C do what it does in a program; pytest's workers ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (RandomStream, "permutation"),
        (Dense, "check"),
        (Dropout, "kept"),
        (CategoricalCrossentropy, "calculate"),
        (CategoricalAccuracy, "mean"),
        (losses.SoftmaxCategoricalCrossentropy, "backward"),
        (Dense, "with_penalties"),
        (Adam, "pre_update_params"),
        (Adam, "update_params"),
        (Adam, "step"),
        (Adam, "post_update_params"),
    ],
)
@pytest.mark.parametrize("calls", [4, 21])
def test_an_interrupted_training_leaves_a_model_and_its_history(
    monkeypatch, ctrl_c, owner, method, calls
):
    """Ctrl-C, pressed in the middle of a step or between two."""
    model, X, y, _ = spiral_model(dropout=0.2)
    original, left = getattr(owner, method), [calls]

    def interrupted(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y, epochs=1000, batch_size=30, validation_data=(X, y))
    history = model.history
    assert len(history.rows) < 25
    assert all(list(row) == list(history.rows[0]) for row in history.rows)
    assert model.predict(X).shape == (60, 3)
    assert model.evaluate(X, y)["loss"] > 0
    assert len(model.fit(X, y, epochs=2).rows) == 2


# --- the progress bar ---------------------------------------------------------------------------

FITTING = """
import numpy as np
from nnfs_book.network.activations import Softmax
from nnfs_book.network.layers import Dense
from nnfs_book.network.losses import CategoricalCrossentropy
from nnfs_book.network.model import Model
from nnfs_book.network.optimizers import SGD
model = Model([Dense(2, 3), Softmax()])
model.compile(SGD(), CategoricalCrossentropy())
history = model.fit(np.ones((4, 2)), [0, 1, 2, 0], epochs=7{})
"""


def test_no_bar_where_there_is_no_terminal():
    run = subprocess.run(
        [sys.executable, "-c", FITTING.format("")], capture_output=True, check=True
    )
    assert (run.stdout, run.stderr) == (b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_on_a_terminal_unless_it_is_unwanted(progress):
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    program = FITTING.format("" if progress else ", progress=False")
    run = subprocess.run([sys.executable, "-c", program], stderr=theirs, stdout=subprocess.PIPE)
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 10_000).decode()
    except BlockingIOError:
        shown = ""
    assert run.returncode == 0 and run.stdout == b""
    assert ("7/7" in shown and "epoch" in shown and "loss=" in shown) == progress
    assert bool(shown) == progress


def test_a_notebook_stores_nothing_of_the_bar():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FITTING.format(""))])
    NotebookClient(notebook, kernel_name="python3").execute()
    assert notebook.cells[0].outputs == []


def test_networks_are_trained_without_matplotlib_and_sympy():
    program = FITTING.format("") + (
        "import sys\n"
        "print([name for name in ('matplotlib', 'sympy', 'IPython') if name in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


# --- the picture of a history -------------------------------------------------------------------


def drawn(history):
    """Return a history's picture as SVG."""
    return figures.svg_of(history.plot()[0].figure)


def test_a_history_is_drawn(book_style):
    model, X, y, _ = spiral_model()
    history = model.fit(X, y, epochs=4, validation_data=(X, y))
    axes = history.plot()
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]
    assert axes[-1].get_xlabel() == "epoch"
    for ax, name in zip(axes, ("loss", "accuracy")):
        for line, quantity in zip(ax.lines, (name, f"val_{name}"), strict=True):
            assert line.get_xdata().tolist() == [0, 1, 2, 3]
            assert line.get_ydata().tolist() == history.history[quantity]
    texts = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert texts == ["training", "validation"]
    assert drawn(history) == drawn(history)
    without = model.fit(X, y, epochs=2).plot()
    assert [len(ax.lines) for ax in without] == [1, 1]
    with refused("History has no epoch to plot yet"):
        History().plot()


# --- files --------------------------------------------------------------------------------------


def trained_model(optimizer=Adam, dropout=0.2):
    """Return a model in the middle of a training, with data to go on."""
    model, X, y, stream = spiral_model(dropout, optimizer=optimizer(0.05, decay=1e-3))
    model.fit(X, y, epochs=3, batch_size=16, stream=stream)  # as the one for dropout
    return model, X, y


def same(model, other):
    """Tell whether two models are the same to the bit, in all that is stored."""
    ones, others = arrays_of(model), arrays_of(other)
    return (
        [storage.described(layer, storage.LAYERS) for layer in model.layers]
        == [storage.described(layer, storage.LAYERS) for layer in other.layers]
        and [(a.tobytes(), a.shape, a.dtype) for a in ones.values()]
        == [(a.tobytes(), a.shape, a.dtype) for a in others.values()]
        and settings_of(model.optimizer) == settings_of(other.optimizer)
        and type(model.optimizer) is type(other.optimizer)
        and type(model.loss) is type(other.loss)
        and [type(m) for m in model.metrics] == [type(m) for m in other.metrics]
        and streams_of(model) == streams_of(other)
    )


@pytest.mark.parametrize("optimizer", storage.OPTIMIZERS.values())
def test_a_training_goes_on_from_a_file_as_if_never_interrupted(tmp_path, optimizer):
    model, X, y = trained_model(optimizer)
    model.save(tmp_path / "model.npz")
    state = state_of(model)
    loaded = Model.load(tmp_path / "model.npz")
    assert state_of(model) == state
    assert same(model, loaded)
    assert loaded.stream is loaded.layers[2].stream  # shared, as before
    assert not hasattr(loaded, "history")
    rows = [m.fit(X, y, epochs=3, batch_size=16).rows for m in (model, loaded)]
    assert rows[0] == rows[1]
    assert same(model, loaded)
    assert (model.predict(X) == loaded.predict(X)).all()


def test_a_file_comes_out_the_same_again(tmp_path):
    model, *_ = trained_model()
    model.save(tmp_path / "one.npz")
    Model.load(str(tmp_path / "one.npz")).save(str(tmp_path / "two"))
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two") as two:
        assert one.files == two.files
        for name in one.files:
            assert one[name].tobytes() == two[name].tobytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.npz", "two"]


def test_loading_draws_nothing_from_the_common_stream(tmp_path):
    model, *_ = trained_model()
    model.save(tmp_path / "model")
    before = stream_or_common(None).state
    Model.load(tmp_path / "model")
    assert stream_or_common(None).state == before


def test_a_model_that_is_not_compiled_is_saved_too(tmp_path):
    model = Model([Dense(2, 3, 0.1, 0.2, 0.3, 0.4), Dropout(0.5), Sigmoid(), Dense(3, 1), Linear()])
    model.layers[0].weights = model.layers[0].weights.astype(np.float64) / 3
    model.layers[0].biases[:] = -0.0
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert repr(loaded) == repr(model) and not hasattr(loaded, "loss")
    assert loaded.layers[1].stream is None and loaded.stream is None
    for one, other in zip(model.dense, loaded.dense, strict=True):
        assert one.weights.dtype == other.weights.dtype
        assert one.weights.tobytes() == other.weights.tobytes()
        assert one.biases.tobytes() == other.biases.tobytes()
        strengths = [k for k in vars(one) if "regularizer" in k]
        assert [getattr(one, k) for k in strengths] == [getattr(other, k) for k in strengths]


def test_a_part_that_others_are_made_of_can_be_stored_still():
    """A class is stored by what it can do: one that is derived from it takes nothing away."""

    class Module:
        class Base(losses.Loss):
            pass

        class Squared(MeanSquaredError):
            pass

        MeanSquaredError = MeanSquaredError

    known = storage.kinds(Module, losses.Loss, "sample_losses")
    assert known == {"Squared": Module.Squared, "MeanSquaredError": MeanSquaredError}


def test_what_is_not_of_the_book_cannot_be_stored(tmp_path):
    class Half(losses.Loss):
        pass

    class Dropout(ReLU):  # of the same name as one of the book's
        pass

    model, X, y = trained_model()
    model.save(tmp_path / "model")
    before = (tmp_path / "model").read_bytes()
    model.compile(Adam(), Half())
    with refused("a Half cannot be stored: it is none of MeanSquaredError, ", TypeError):
        model.save(tmp_path / "model")
    with refused("a Dropout cannot be stored", TypeError):
        Model([Dense(2, 3), Dropout()]).save(tmp_path / "model")
    model, X, y = trained_model()
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "nowhere" / "model")
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "nowhere")
    model.layers[0].weights[0, 0] = np.nan
    with refused("layers.0.weights holds NaN or infinity"):
        model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("failing", ["savez", "replace"])
def test_nothing_half_written_is_left(tmp_path, monkeypatch, failing):
    model, *_ = trained_model()
    model.save(tmp_path / "model")
    before = (tmp_path / "model").read_bytes()

    def fail(file, *arguments, **more):
        if failing == "savez":
            file.write(b"PK half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np if failing == "savez" else os, failing, fail)
        with pytest.raises(KeyboardInterrupt):
            model.save(tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The arrays of a stored model, its description, and its bytes."""
    path = tmp_path_factory.mktemp("stored") / "model"
    trained_model()[0].save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    return arrays, json.loads(arrays["description"].tobytes()), path.read_bytes()


def write_changed(path, stored, arrays=None, description=None):
    """Write a stored model with some arrays changed, or None for left out, and its description."""
    described = copy.deepcopy(stored[1])
    if description:
        description(described)
    text = np.frombuffer(json.dumps(described).encode(), np.uint8)
    changed = {**stored[0], "description": text, **(arrays or {})}
    with open(path, "wb") as file:
        np.savez(file, **{name: a for name, a in changed.items() if a is not None})


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("layers.0.biases", None, "layers.0.biases is missing"),
        ("layers.0.weights", None, "layers.0.weights is missing"),
        ("layers.3.weights.cache", None, "layers.3.weights.cache is missing"),
        ("description", None, "description is missing"),
        (
            "layers.9.weights",
            np.ones((2, 2), np.float32),
            "layers.9.weights must belong to a layer",
        ),
        (
            "layers.0.biases",
            np.zeros((64, 1), np.float32),
            r"must have shape \(1, 64\), got \(64, 1",
        ),
        ("layers.0.biases", np.zeros(64, np.float32), r"must have shape \(1, 64\), got \(64,\)"),
        (
            "layers.0.weights",
            np.zeros((3, 64), np.float32),
            r"must have shape \(3, 64\), got \(2, 6",
        ),
        ("layers.3.weights", np.zeros((32, 3), np.float32), "must have shape|inputs, as many"),
        (
            "layers.0.weights",
            np.zeros((2, 64), int),
            "must be of type float32 or float64, got int64",
        ),
        ("layers.0.weights", np.zeros((2, 64), complex), "float64, got complex128"),
        ("layers.0.weights", np.zeros((2, 64), ">f4"), "float64, got >f4"),
        ("layers.0.weights", np.full((2, 64), np.nan), "layers.0.weights holds NaN or infinity"),
        ("layers.0.weights", np.full((2, 64), np.inf), "layers.0.weights holds NaN or infinity"),
        ("layers.0.weights", np.zeros((2, 64, 1), np.float32), "multiple values"),
        ("layers.0.weights", np.zeros((), np.float32), "n_inputs"),
        ("layers.0.weights", np.zeros((0, 64), np.float32), "n_inputs must be at least 1, got 0"),
        ("layers.0.weights.momentum", np.full((2, 64), np.nan), "momentum holds NaN or infinity"),
        ("layers.0.weights", np.full((2, 64), None), "allow_pickle=False|UnpicklingError"),
        ("description", np.zeros(3, np.uint8), "JSON|Expecting|control character"),
    ],
)
def test_files_with_other_arrays_are_refused(tmp_path, stored, name, array, message):
    write_changed(tmp_path / "model", stored, {name: array})
    with refused(message) as caught:
        Model.load(tmp_path / "model")
    assert str(tmp_path / "model") in str(caught.value)


def change(*path, to):
    """Return a function that changes one entry of a description."""

    def changed(description):
        for step in path[:-1]:
            description = description[step]
        if to is KeyError:
            del description[path[-1]]
        else:
            description[path[-1]] = to

    return changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            change("format", to="nnfs_book model 2"),
            "format must be 'nnfs_book model 1', got 'nnfs_b",
        ),
        (change("layers", 1, "kind", to="Tanh"), "a kind must be one of Dense, .*, got 'Tanh'"),
        (change("layers", 1, "kind", to="Activation"), "got 'Activation'"),
        (change("layers", 1, "kind", to=["ReLU"]), "unhashable"),
        (change("layers", 1, "kind", to="Dense"), "layers.1.weights is missing"),
        (change("layers", 0, "kind", to="ReLU"), "unexpected keyword|takes no arguments"),
        (change("layers", 0, "n_inputs", to=3), "multiple values"),
        (change("layers", 2, "rate", to=1.5), "rate must be at least 0 and below 1, got 1.5"),
        (change("layers", 2, "rate", to="high"), "rate must be a number, got 'high'"),
        (change("layers", 2, "rate", to=float("nan")), "rate must be"),
        (change("layers", to=[]), "must belong to a layer"),
        (change("layers", to=None), "NoneType"),
        (change("layers", 4, to={"kind": "Linear"}), "wants probabilities"),
        (change("layers", 4, to=KeyError), "shorter|longer"),
        (change("optimizer", "kind", to="Lion"), "a kind must be one of SGD, .*, got 'Lion'"),
        (change("optimizer", "beta_1", to=2), "beta_1 must be at least 0 and below 1"),
        (change("optimizer", to=KeyError), "must belong to a layer, but does not"),
        (change("iterations", to=-1), "iterations must be at least 0, got -1"),
        (change("iterations", to=1.5), "iterations must be a whole number, got 1.5"),
        (change("current_learning_rate", to=-1), "current_learning_rate must be at least 0"),
        (change("loss", "kind", to="Loss"), "a kind must be one of MeanSquaredError, .*got 'Loss'"),
        (change("loss", to=KeyError), "KeyError"),
        (change("metrics", 0, "kind", to="os.system"), "a kind must be one of .*got 'os.system'"),
        (change("metrics", to=[{"kind": "Accuracy"}] * 2), "metrics must have different names"),
        (change("streams", to=[]), "IndexError"),
        (change("streams", 0, "bits", to={}), "PCG64"),
        (change("streams", 0, "normal", 1, to=[1, 2]), "624 numbers .* got 2 numbers"),
        (change("streams", 0, "normal", 2, to=10**6), "the position 1000000"),
        (change("streams", 0, "normal", 1, to=[-1] * 624), "OverflowError|out of bounds"),
        (change("drawn_from", to=[None]), "shorter|longer"),
    ],
)
def test_files_with_another_description_are_refused(tmp_path, stored, changed, message):
    write_changed(tmp_path / "model", stored, description=changed)
    with refused(message) as caught:
        Model.load(tmp_path / "model")
    assert str(tmp_path / "model") in str(caught.value)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign"
    contents = {"empty": b"", "text": b"weights: 1 2 3\n", "PK": b"PK\x03\x04 and no more"}
    file = io.BytesIO()
    np.save(file, np.ones(3))
    contents["array"] = file.getvalue()
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    contents["arrays"] = file.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("description.npy", "no array")
    contents["zip"] = file.getvalue()
    for content in contents.values():
        path.write_bytes(content)
        with refused(f"{path} is no model as `save` writes them: "):
            Model.load(path)


def test_files_that_run_code_when_read_by_others_are_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'sprung')!r}, 'w')",)

    trap = np.empty(1, dtype=object)
    trap[0] = Trap()
    np.savez(tmp_path / "model.npz", description=trap)
    np.save(tmp_path / "array.npy", trap, allow_pickle=True)
    for name in ("model.npz", "array.npy"):
        with refused("is no model"):
            Model.load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_oversized_files_are_refused(tmp_path, stored):
    path = tmp_path / "model"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("description.npy", b"0" * 10**7)  # it packs to ten kilobytes
    with refused("claims to hold 10000000 bytes, more than it has"):
        Model.load(path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**40, 2**20)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("description.npy", b"\x93NUMPY\x01\x00" + header.getvalue()[8:])
    with refused("is no model"):
        Model.load(path)


def test_truncated_files_are_refused(tmp_path, stored):
    content = stored[2]
    for length in [*range(0, len(content), 997), len(content) - 1]:
        (tmp_path / "model").write_bytes(content[:length])
        with refused("is no model"):
            Model.load(tmp_path / "model")


def test_flipped_bits_are_refused_or_without_effect(tmp_path, stored):
    """Every bit of a value is covered by a check sum; but dates and the like do not matter."""
    content, path = stored[2], tmp_path / "model"
    path.write_bytes(content)
    original = Model.load(path)
    rng = np.random.RandomState(0)
    start = content.index(b"PK\x01\x02")  # the directory at the end
    places = {
        *rng.randint(0, len(content), 150),
        *rng.randint(start, len(content), 150),
        *range(60),
    }
    refusals = 0
    for place in sorted(int(p) for p in places):
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.randint(8))
        path.write_bytes(bytes(changed))
        try:
            assert same(Model.load(path), original)
        except ValueError as error:
            assert "is no model" in str(error)
            refusals += 1
    assert refusals > 0.5 * len(places)
