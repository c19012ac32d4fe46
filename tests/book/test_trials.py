"""Trainings to try things out on: what a browser trains, draws and says is what Python computes."""

import json
import sys
from pathlib import Path

import honesty
import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import expect

from nnfs_book import (
    Adam,
    BinaryCrossentropy,
    Dense,
    Dropout,
    RandomStream,
    ReLU,
    Sigmoid,
    SoftmaxCategoricalCrossentropy,
    backward,
    fingerprint,
    forward,
    spiral_data,
)
from nnfs_book.presentation import points_of, start_of, trial

sys.path.insert(0, str(honesty.BOOK / "_ext"))
from exact import bundled

STATIC = honesty.BOOK / "_static"
EPOCHS = 60
expect.set_options(timeout=30_000)


def arms(classes):
    """Return points, an untrained network for them, and fresh points."""
    stream = RandomStream(0)
    X, y = spiral_data(samples=100, classes=classes, stream=stream)
    outputs = 1 if classes == 2 else classes
    layers = [Dense(2, 64, stream=stream), Dense(64, outputs, stream=stream)]
    return layers, X, y, spiral_data(samples=100, classes=classes, stream=stream)


def written(folder, epochs):
    """Write a page with both of them; return its address, a file's, as for a reader without a server."""
    settings = {"l2": 5e-4, "learning_rate": 0.001, "decay": 5e-7}
    last_bit = {"start": start_of(*arms(2)[:3], epochs, **settings)}
    layers, X, y, fresh = arms(3)
    settings = {"learning_rate": 0.02, "decay": 5e-7, "stream": RandomStream(0)}
    playground = {"start": start_of(layers, X, y, epochs, **settings), "fresh": points_of(*fresh)}
    body = "".join(
        trial(name, plt.figure(), name, **data)._repr_html_()
        for name, data in (("last_bit", last_bit), ("playground", playground))
    )
    names = ("address.js", "trainer.js", "trials.js")
    script = bundled(STATIC / "exact") + "".join((STATIC / n).read_text("utf-8") for n in names)
    style = (STATIC / "book.css").read_text("utf-8")
    page = f"<meta charset=utf-8><style>{style}</style><div class=bd-article>{body}</div>"
    path = Path(folder, f"{epochs}.html")
    path.write_text(f"<!doctype html>{page}<script>{script}</script>", "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """A page whose trainings are soon over, and one whose trainings take until they are cancelled."""
    folder = tmp_path_factory.mktemp("trials")
    return [written(folder, epochs) for epochs in (EPOCHS, 10_000_000)]


@pytest.fixture
def address(addresses):
    return addresses[0]


@pytest.fixture
def page(browser, address):
    """The page on a phone, which is tapped."""
    faults = []
    page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert faults == []


def shown(page, name):
    return json.loads(page.get_attribute(f"[data-trial={name}]", "data-shown"))


def move(page, label, value):
    page.get_by_role("slider", name=label).fill(str(value))


def trained(page, name, button):
    """Train to the end, and return what is shown then."""
    place = page.locator(f"[data-trial={name}]")
    page.get_by_role("button", name=button).press("Enter")
    expect(place.locator(".words")).to_contain_text(f"After {EPOCHS} epochs")
    return shown(page, name)


def train(layers, X, y, loss, epochs, rate=0.02):
    """Train a network; before each step, hand out its number."""
    optimizer = Adam(rate, decay=5e-7)
    for epoch in range(epochs):
        yield epoch
        predictions = forward(layers, X)
        if isinstance(loss, SoftmaxCategoricalCrossentropy):
            loss.forward(predictions, y)
            predictions = loss.output
        loss.backward(predictions, y)
        backward(layers, loss.dinputs)
        optimizer.pre_update_params()
        for layer in layers:
            if isinstance(layer, Dense):
                optimizer.update_params(layer)
        optimizer.post_update_params()


def flipped(weights, weight, bit):
    weights = weights.copy()
    weights.reshape(-1).view(np.int32)[weight - 1] ^= 1 << bit
    return weights


@pytest.mark.parametrize(("weight", "bit"), [(1, 0), (3, 0), (128, 22), (77, 9)])
def test_a_bit_is_flipped_before_the_training(page, weight, bit):
    move(page, "weight of the first layer", weight)
    move(page, "its bit, counted from the last", bit)
    before = arms(2)[0][0].weights
    found = shown(page, "last_bit")
    assert np.float32(found["before"]) == before.ravel()[weight - 1]
    assert np.float32(found["after"]) == flipped(before, weight, bit).ravel()[weight - 1]
    assert f"last_bit.weight={weight}" in page.url and f"last_bit.bit={bit}" in page.url


def pair(weight, bit):
    """Return two networks that differ in a bit, trained, and their differences on the way."""
    networks = []
    for flip in (False, True):
        (hidden, last), X, y, _ = arms(2)
        hidden.weight_regularizer_l2 = hidden.bias_regularizer_l2 = 5e-4
        if flip:
            hidden.weights = flipped(hidden.weights, weight, bit)
        networks.append([hidden, ReLU(), last, Sigmoid()])
    runs = [train(layers, X, y, BinaryCrossentropy(), EPOCHS, 0.001) for layers in networks]
    differences = [
        np.abs(networks[0][0].weights - networks[1][0].weights).max() for _ in zip(*runs)
    ]
    # zip stops at the first run that is over, and leaves the second before its last step
    list(runs[1])
    return networks, differences


@pytest.mark.parametrize(("weight", "bit"), [(1, 0), (3, 0), (77, 9)])
def test_both_trainings_and_their_difference_have_the_bits_of_pythons(page, weight, bit):
    move(page, "weight of the first layer", weight)
    move(page, "its bit, counted from the last", bit)
    found = trained(page, "last_bit", "Flip the bit")
    networks, differences = pair(weight, bit)
    assert found["sha256"] == [fingerprint(layers) for layers in networks]
    assert np.array_equal(np.float32(found["differences"]), differences)


@pytest.mark.parametrize("way", ["Cancel", "another bit"])
def test_a_training_that_is_cancelled_leaves_nothing_running(page, addresses, way):
    page.goto(addresses[1])
    page.get_by_role("button", name="Flip the bit").click()
    expect(page.locator("[data-trial=last_bit] .status")).to_contain_text("epochs a second")
    assert len(page.workers) == 1
    if way == "Cancel":
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Flip the bit")).to_be_focused()
    else:
        move(page, "its bit, counted from the last", 5)
    assert "before" in shown(page, "last_bit")
    for _ in range(100):  # its end is reported a moment later
        if page.workers:
            page.wait_for_timeout(100)
    assert page.workers == []


def test_points_are_put_by_keyboard_and_by_touch_and_stay_in_the_address(page, browser):
    page.get_by_role("button", name="Clear the plane").click()
    plane = page.get_by_role("application")
    plane.focus()
    for key in ["ArrowLeft"] * 10 + ["ArrowUp"] * 5 + ["Enter"] * 2 + ["Backspace"]:
        page.keyboard.press(key)
    page.get_by_label("what a tap puts").select_option("green ring")
    box = plane.bounding_box()
    plane.tap(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    (x0, y0), (x1, y1) = np.reshape(shown(page, "playground")["drawn"], (2, 2)) / 1.15
    assert (x0, y0) == pytest.approx((-0.5, 0.25), abs=1e-3)
    assert (x1, y1) == pytest.approx((0.5, 0), abs=0.01)
    again = browser.new_page()
    again.goto(page.url)
    assert shown(again, "playground") == shown(page, "playground")
    assert "2 points" in again.inner_text("[data-trial=playground] .words")
    again.close()


OWN = "playground.points=0aa7m1mmk02zz991cc0b0gggg&playground.arms=0"


def test_own_points_few_neurons_a_penalty_and_dropout(page, address):
    page.goto(f"{address}#{OWN}&playground.neurons=5&playground.l2=0.0005&playground.dropout=0.2")
    page.reload()
    X = np.float32(shown(page, "playground")["drawn"]).reshape(-1, 2)
    y = np.uint8([0, 1, 2, 1, 0])
    (hidden, last), *_ = arms(3)
    hidden.weight_regularizer_l2 = hidden.bias_regularizer_l2 = 5e-4
    hidden.weights, hidden.biases = hidden.weights[:, :5], hidden.biases[:, :5]
    last.weights = last.weights[:5]
    layers = [hidden, ReLU(), Dropout(0.2, stream=RandomStream(0)), last]
    list(train(layers, X, y, SoftmaxCategoricalCrossentropy(), EPOCHS))
    found = trained(page, "playground", "Train on these points")
    assert found["sha256"] == fingerprint(layers) and found["onFresh"] is None


@pytest.mark.parametrize("away", [0, 40, 63])
def test_neurons_are_taken_away_from_a_trained_network(page, away):
    (hidden, last), X, y, (X_fresh, y_fresh) = arms(3)
    layers = [hidden, ReLU(), last]
    list(train(layers, X, y, SoftmaxCategoricalCrossentropy(), EPOCHS))
    found = trained(page, "playground", "Train on these points")
    assert found["sha256"] == fingerprint(layers)
    move(page, "neurons taken away afterwards", away)
    left = 64 - away
    hidden.weights, hidden.biases = hidden.weights[:, :left], hidden.biases[:, :left]
    last.weights = last.weights[:left]
    found = shown(page, "playground")
    for share, points, labels in (("own", X, y), ("onFresh", X_fresh, y_fresh)):
        assert found[share] == np.mean(forward(layers, points).argmax(axis=1) == labels)


def test_another_setting_begins_a_running_training_anew(page, addresses):
    page.goto(addresses[1])
    words = page.locator("[data-trial=playground] .words")
    page.get_by_role("button", name="Train on these points").click()
    expect(words).to_contain_text("with 64 of 64 neurons")
    move(page, "hidden neurons", 3)
    expect(words).to_contain_text("with 3 of 3 neurons")
    page.get_by_role("button", name="Clear the plane").click()
    expect(words).to_have_text("Tap the plane to put points on it.")
    expect(page.get_by_role("button", name="Train on these points")).to_be_visible()


def test_who_wants_less_motion_sees_the_end(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    page.evaluate(
        """() => {
            globalThis.seen = [];
            const place = document.querySelector("[data-trial=playground]");
            const look = () => seen.push(JSON.parse(place.dataset.shown).epoch);
            new MutationObserver(look).observe(place, { attributes: true });
        }"""
    )
    trained(page, "playground", "Train on these points")
    assert page.evaluate("seen") == [EPOCHS]
    context.close()


def test_nothing_starts_by_itself_or_is_wider_than_a_phone(page):
    assert page.workers == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_there_is_a_still(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("[data-trial] img").count() == 2
    context.close()
