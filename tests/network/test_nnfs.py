"""Loops in the protocol of the source book run unchanged, and train what they say they train."""

import numpy as np
import pytest

import nnfs_book.nnfs
from nnfs_book.checks.experiments import fingerprint, logistic_regression, spiral_classifier
from nnfs_book.nnfs import *

STRENGTHS = {
    "weight_regularizer_l1": 1e-3,
    "weight_regularizer_l2": 5e-4,
    "bias_regularizer_l1": 2e-3,
    "bias_regularizer_l2": 3e-4,
}
OPTIMIZERS = {
    "sgd": lambda: Optimizer_SGD(),
    "sgd with momentum": lambda: Optimizer_SGD(learning_rate=0.5, decay=1e-2, momentum=0.9),
    "adagrad": lambda: Optimizer_Adagrad(learning_rate=0.5, decay=1e-4),
    "rmsprop": lambda: Optimizer_RMSprop(learning_rate=0.02, decay=1e-4, rho=0.99),
    "adam": lambda: Optimizer_Adam(learning_rate=0.02, decay=1e-3),
}


def classifier(optimizer, one_hot=False, rate=0.0, epochs=30, strengths=STRENGTHS, neurons=16):
    """Train on three arms in the source's protocol; return what it would print, and the layers."""
    init()
    X, y = spiral_data(samples=100, classes=3)
    if one_hot:
        y = np.eye(3)[y]
    dense1 = Layer_Dense(2, neurons, **strengths)
    activation1 = Activation_ReLU()
    dropout1 = Layer_Dropout(rate)
    dense2 = Layer_Dense(neurons, 3)
    loss_activation = Activation_Softmax_Loss_CategoricalCrossentropy()
    printed = []
    for epoch in range(epochs):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dropout1.forward(activation1.output)
        dense2.forward(dropout1.output)
        data_loss = loss_activation.forward(dense2.output, y)
        penalties = [loss_activation.loss.regularization_loss(d) for d in (dense1, dense2)]
        predictions = np.argmax(loss_activation.output, axis=1)
        labels = np.argmax(y, axis=1) if len(y.shape) == 2 else y
        accuracy = np.mean(predictions == labels)

        loss_activation.backward(loss_activation.output, y)
        dense2.backward(loss_activation.dinputs)
        dropout1.backward(dense2.dinputs)
        activation1.backward(dropout1.dinputs)
        dense1.backward(activation1.dinputs)

        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
        printed.append((accuracy, data_loss, sum(penalties), optimizer.current_learning_rate))
    return printed, (dense1, dense2)


def plain(name, epochs):
    """Train the same without dropout in float64, by the formulas and with nothing of ours."""
    init()
    X, y = spiral_data(samples=100, classes=3)  # tested elsewhere against the formula
    draw = np.random.RandomState(0)
    draw.randn(300)
    W1, W2 = (np.float32(0.01 * draw.randn(*shape)).astype(float) for shape in ((2, 16), (16, 3)))
    parameters = [W1, np.zeros((1, 16)), W2, np.zeros((1, 3))]
    strengths = list(STRENGTHS.values()) + [0.0] * 4
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    printed = []
    for t in range(epochs):
        W1, b1, W2, b2 = parameters
        hidden = X @ W1 + b1
        relu = hidden * (hidden > 0)
        scores = np.exp(relu @ W2 + b2)
        p = scores / scores.sum(axis=1, keepdims=True)
        data_loss = -np.log(p[np.arange(300), y]).mean()
        pairs = list(zip(parameters, strengths[::2], strengths[1::2]))
        penalty = sum(l1 * abs(w).sum() + l2 * (w * w).sum() for w, l1, l2 in pairs)
        dscores = (p - np.eye(3)[y]) / 300
        dhidden = dscores @ W2.T * (hidden > 0)
        gradients = [X.T @ dhidden, dhidden.sum(axis=0), relu.T @ dscores, dscores.sum(axis=0)]
        settings = {"sgd": (1, 0), "sgd with momentum": (0.5, 1e-2), "adagrad": (0.5, 1e-4)}
        settings |= {"rmsprop": (0.02, 1e-4), "adam": (0.02, 1e-3)}
        rate, decay = settings[name]
        rate /= 1 + decay * t
        printed.append(((p.argmax(axis=1) == y).mean(), data_loss, penalty, rate))
        for i, (w, l1, l2) in enumerate(pairs):
            g = gradients[i] + l1 * np.sign(w) + 2 * l2 * w
            if name == "sgd":
                step = -rate * g
            elif name == "sgd with momentum":
                first[i] = step = 0.9 * first[i] - rate * g
            elif name == "adagrad":
                second[i] += g * g
                step = -rate * g / (np.sqrt(second[i]) + 1e-7)
            elif name == "rmsprop":
                second[i] = 0.99 * second[i] + 0.01 * g * g
                step = -rate * g / (np.sqrt(second[i]) + 1e-7)
            else:
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.999 * second[i] + 0.001 * g * g
                corrected = first[i] / (1 - 0.9 ** (t + 1)), second[i] / (1 - 0.999 ** (t + 1))
                step = -rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
            parameters[i] = w + step
    return printed


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loop_trains_as_the_formulas_say(name):
    # Six steps: later, L1 weights that AdaGrad and RMSprop throw from one side of 0 to the other
    # have made more of the first rounding.
    printed, _ = classifier(OPTIMIZERS[name](), epochs=6)
    expected = plain(name, epochs=6)
    np.testing.assert_allclose(np.array(printed)[:, 1:], np.array(expected)[:, 1:], rtol=1e-4)
    assert abs(np.array(printed) - expected)[:, 0].max() < 2.5 / 300  # points on the boundary
    assert printed[0][2] > 0
    assert [row[3] for row in printed] == pytest.approx([row[3] for row in expected], rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_class_numbers_and_one_hot_rows_train_to_the_same_bits(name, rate):
    numbers, one_hot = (classifier(OPTIMIZERS[name](), kind, rate) for kind in (False, True))
    assert numbers[0] == one_hot[0]
    assert fingerprint(numbers[1]) == fingerprint(one_hot[1])


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_regularizer_does_something_of_its_own(name):
    without = fingerprint(classifier(Optimizer_Adam(), strengths={})[1])
    trained = fingerprint(classifier(Optimizer_Adam(), strengths={name: 0.01})[1])
    assert trained != without
    l2 = {"weight_regularizer_l2": 5e-4, "bias_regularizer_l2": 5e-4}
    assert trained != fingerprint(classifier(Optimizer_Adam(), strengths=l2)[1])


def test_masks_come_from_the_stream_that_init_restarts():
    runs = [classifier(Optimizer_Adam(), rate=0.1) for _ in range(2)]
    assert runs[0][0] == runs[1][0]
    assert runs[0][0] != classifier(Optimizer_Adam())[0]


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_a_typed_loop_is_the_experiment(rate):
    l2 = {"weight_regularizer_l2": 5e-4, "bias_regularizer_l2": 5e-4}
    adam = Optimizer_Adam(learning_rate=0.02, decay=5e-7)
    _, dense = classifier(adam, rate=rate, epochs=50, strengths=l2, neurons=64)
    assert fingerprint(dense) == spiral_classifier(dropout=rate, epochs=50).sha256


def test_a_typed_binary_loop_is_the_experiment():
    init()
    X, y = spiral_data(samples=100, classes=2)
    y = y.reshape(-1, 1)
    dense1 = Layer_Dense(2, 64, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4)
    activation1 = Activation_ReLU()
    dense2 = Layer_Dense(64, 1)
    activation2 = Activation_Sigmoid()
    loss_function = Loss_BinaryCrossentropy()
    optimizer = Optimizer_Adam(decay=5e-7)
    for epoch in range(50):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        activation2.forward(dense2.output)
        loss = loss_function.calculate(activation2.output, y)
        loss += loss_function.regularization_loss(dense1)
        loss += loss_function.regularization_loss(dense2)
        loss_function.backward(activation2.output, y)
        activation2.backward(loss_function.dinputs)
        dense2.backward(activation2.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)
        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
    predictions = (activation2.output > 0.5) * 1
    assert 0.5 < np.mean(predictions == y) < 1
    assert 0.6 < loss < 0.7
    assert fingerprint((dense1, dense2)) == logistic_regression(epochs=50).sha256


@pytest.mark.parametrize("Loss_Regression", [Loss_MeanSquaredError, Loss_MeanAbsoluteError])
def test_a_regression_loop_learns_a_sine(Loss_Regression):
    init()
    X, y = sine_data()
    dense1, dense2 = Layer_Dense(1, 32), Layer_Dense(32, 1)
    dense1.weights *= 10  # a start in which the neurons differ
    activation1, activation2 = Activation_ReLU(), Activation_Linear()
    loss_function, optimizer, losses = Loss_Regression(), Optimizer_Adam(0.01, decay=1e-3), []
    for epoch in range(200):
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        activation2.forward(dense2.output)
        losses.append(loss_function.calculate(activation2.output, y))
        loss_function.backward(activation2.output, y)
        activation2.backward(loss_function.dinputs)
        dense2.backward(activation2.dinputs)
        activation1.backward(dense2.dinputs)
        dense1.backward(activation1.dinputs)
        optimizer.pre_update_params()
        optimizer.update_params(dense1)
        optimizer.update_params(dense2)
        optimizer.post_update_params()
    assert losses[-1] < 0.6 * losses[0]


def test_every_name_is_there_and_no_other():
    public = {name for name in vars(nnfs_book.nnfs) if name[0].isupper() or "_data" in name}
    assert set(nnfs_book.nnfs.__all__) == public | {"init"}


def test_init_restarts_numpys_own_stream_too():
    init()
    first = np.random.randn(3)
    init()
    assert (np.random.randn(3) == first).all()
