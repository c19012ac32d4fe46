"""Things to move: what each shows in a real browser is what Python computes."""

import json
import sys
from pathlib import Path

import honesty
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nnfs_book import explore, log, rank, total
from nnfs_book.network.activations import sigmoid, softmax

sys.path.insert(0, str(honesty.BOOK / "_ext"))
from exact import bundled

STATIC = honesty.BOOK / "_static"
NUMBERS = [(-1) ** i * (i % 7 + 0.1) * 10.0 ** (i % 5 - 2) for i in range(200)]
RUNS = {"G": {"loss": [0.21, 0.25, 0.2501, 0.3, 0.41], "accuracy": [0.9, 0.91, 0.92, 0.92, 0.95]}}
f32 = np.float32


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page with all of them, opened from a folder, as a reader without a server opens it."""
    folder = Path(tmp_path_factory.mktemp("explore"))
    data = {"sums": {"numbers": NUMBERS}, "bug": RUNS}
    names = ("neuron", "price", "softmax", "valley", "sums", "bug")
    body = "".join(explore(n, plt.figure(), n, **data.get(n, {}))._repr_html_() for n in names)
    script = bundled(STATIC / "exact") + (STATIC / "explore.js").read_text("utf-8")
    style = (STATIC / "book.css").read_text("utf-8")
    page = f"<meta charset=utf-8><style>{style}</style><div class=bd-article>{body}</div>"
    (folder / "page.html").write_text(f"<!doctype html>{page}<script>{script}</script>", "utf-8")
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def page(browser, address):
    """The page on a phone, the same for all tests: each moves its own widget."""
    faults = []
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert faults == []


def shown(page, name):
    return json.loads(page.get_attribute(f"[data-explore={name}]", "data-shown"))


def move(page, name, **state):
    """Move the controls of a widget, each named by its label."""
    for label, value in state.items():
        field = page.locator(f"[data-explore={name}]").get_by_label(label.replace("_", " "), exact=True)
        field.evaluate(
            "(field, value) => { field.value = value; field.dispatchEvent(new Event('input')); }",
            str(value),
        )


def close(found, wanted):
    """The bits are the same: JSON carries a float32 as a float64, and this turns it back."""
    return np.array_equal(np.float32(found), np.float32(wanted))


@pytest.mark.parametrize(("weight", "bias"), [(2, -1), (-8, 8), (0, 0.5), (7.5, -3)])
def test_neuron(page, weight, bias):
    move(page, "neuron", weight=weight, bias=bias)
    assert close(shown(page, "neuron"), [sigmoid(f32(bias)), sigmoid(f32(weight) + f32(bias))])


@pytest.mark.parametrize("probability", [0.01, 0.5, 0.37, 0.99])
def test_price(page, probability):
    move(page, "price", **{"probability given to what happened": probability})
    assert close(shown(page, "price"), [-log(f32(probability)), -1 / f32(probability)])


@pytest.mark.parametrize("temperature", [0.25, 1, 8])
def test_softmax(page, temperature):
    logits = f32([3.5, -2, 0.5])
    labels = {f"logit of class {k}": z for k, z in enumerate(logits.tolist())}
    move(page, "softmax", **labels, temperature=temperature)
    assert close(shown(page, "softmax"), softmax(logits[np.newaxis] / f32(temperature))[0])


@pytest.mark.parametrize(("rate", "momentum"), [(0.3, 0), (2.2, 0), (0.1, 0.9)])
def test_valley(page, rate, momentum):
    move(page, "valley", learning_rate=rate, momentum=momentum)
    w, last, path = f32(-3), f32(0), [f32(-3)]
    for _ in range(30):
        last = f32(momentum) * last - f32(rate) * w
        w = w + last
        path.append(w)
    assert close(shown(page, "valley"), path)


def test_sums(page):
    button = page.get_by_role("button", name="Shuffle")
    wanted = total(f32(NUMBERS))
    found = [shown(page, "sums")]
    for _ in range(8):
        button.press("Enter")
        found.append(shown(page, "sums"))
    assert all(close(grid, wanted) for _, grid in found)
    assert len({in_order for in_order, _ in found}) > 1
    in_order = f32(0)
    for x in f32(NUMBERS):
        in_order += x
    assert close(found[0][0], in_order)


@pytest.mark.parametrize(("quantity", "printed"), [("loss", "0.25"), ("loss", "0.1"), ("accuracy", "0.92")])
def test_is_my_number_a_bug(page, quantity, printed):
    move(page, "bug", quantity=quantity, your_number=printed)
    placed = rank(printed, RUNS["G"][quantity])
    below, above, p = shown(page, "bug")
    assert (below, above) == (placed.below, placed.above)
    assert p == pytest.approx(placed.p, rel=1e-15)


def test_a_word_in_place_of_a_number_is_asked_for_again(page):
    move(page, "bug", your_number="a lot")
    assert shown(page, "bug") is None
    assert "Type the number" in page.inner_text("[data-explore=bug] .words")


def test_the_keyboard_moves_a_slider_and_the_address_remembers_it(page, browser):
    slider = page.locator("[data-explore=valley]").get_by_role("slider", name="learning rate")
    moved_from = shown(page, "valley")
    slider.focus()
    slider.press("ArrowRight")
    assert shown(page, "valley")[1] != moved_from[1]
    again = browser.new_page()
    again.goto(page.url)
    assert shown(again, "valley") == shown(page, "valley")
    again.close()


def test_nothing_is_wider_than_a_phone(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_there_is_a_still(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("[data-explore] img").count() == 6
    context.close()
