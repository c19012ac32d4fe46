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
NAMES = ("neuron", "price", "softmax", "valley", "sums", "bug")
NUMBERS = np.float32([(-1) ** i * (i % 7 + 0.1) * 10.0 ** (i % 5 - 2) for i in range(200)])
RUNS = {
    "G, two arms": {"loss": [0.21, 0.25, 0.2501, 0.3, 0.41], "accuracy": [0.9, 0.91, 0.92, 0.92, 0.95]},
    "A, three arms": {"loss": [0.125, 0.375, 0.625] * 20, "accuracy": [0.5] * 60},
}
RIGHT = "\ue014"  # the arrow key, as WebDriver calls it
f32 = np.float32


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page with all of them, opened from a folder, as a reader without a server opens it."""
    folder = Path(tmp_path_factory.mktemp("explore"))
    data = {"sums": {"numbers": NUMBERS}, "bug": RUNS}
    body = "".join(explore(n, plt.figure(), n, **data.get(n, {}))._repr_html_() for n in NAMES)
    names = ("address.js", "explore.js")
    script = bundled(STATIC / "exact") + "".join((STATIC / n).read_text("utf-8") for n in names)
    style = (STATIC / "book.css").read_text("utf-8")
    page = f"<meta charset=utf-8><style>{style}</style><div class=bd-article>{body}</div>"
    (folder / "page.html").write_text(f"<!doctype html>{page}<script>{script}</script>", "utf-8")
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def chromium(browser, address):
    """The page on a phone, the same for all tests: each moves its own widget."""
    faults = []
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address)
    yield page
    page.close()
    assert faults == []


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def page(request, address):
    """The page in each browser."""
    page = request.getfixturevalue(request.param)
    if request.param == "firefox":
        page.goto(address)
    return page


def shown(page, name):
    return json.loads(page.evaluate(f"document.querySelector('[data-explore={name}]').dataset.shown"))


def move(page, name, **state):
    """Move the controls of a widget, each named by its label; return what is shown then."""
    script = """([name, label, value]) => {
        const field = document.querySelector(`[data-explore=${name}] [aria-label="${label}"]`);
        field.value = value;
        field.dispatchEvent(new Event("input"));
    }"""
    for label, value in state.items():
        page.evaluate(script, [name, label.replace("_", " "), str(value)])
    return shown(page, name)


def words(page, name):
    return page.evaluate(f"document.querySelector('[data-explore={name}] .words').innerText")


def click(page, name, button):
    """Press a button of a widget, by its place; the last one starts again."""
    page.evaluate(f"[...document.querySelectorAll('[data-explore={name}] button')].at({button}).click()")


def same(found, wanted):
    """The bits are the same: JSON carries a float32 as a float64, and this turns it back."""
    return np.array_equal(np.float32(found), np.float32(wanted))


@pytest.mark.parametrize(
    ("weight", "bias"), [(2.3, -0.7), (2.3, -2.1), (-8, 8), (0, 0.5), (7.5, -3), (0.1, -0.3)]
)
def test_neuron(page, weight, bias):
    found = move(page, "neuron", weight=weight, bias=bias)
    assert same(found, [sigmoid(f32(bias)), sigmoid(f32(weight) + f32(bias))])


@pytest.mark.parametrize("probability", [0.01, 0.05, 0.5, 0.6, 0.37, 0.99])
def test_price(page, probability):
    found = move(page, "price", probability_given_to_what_happened=probability)
    assert same(found, [-log(f32(probability)), -1 / f32(probability)])


@pytest.mark.parametrize("logits", [(2, 1, -1), (3.5, -2, 0.5), (-5, 5, 5)])
@pytest.mark.parametrize("temperature", [0.25, 1, 1.75, 8])
def test_softmax(page, logits, temperature):
    first, second, third = logits
    found = move(
        page, "softmax", first_logit=first, second_logit=second, third_logit=third, temperature=temperature
    )
    assert same(found, softmax(f32([logits]) / f32(temperature))[0])


@pytest.mark.parametrize(
    ("rate", "momentum"), [(0.3, 0), (1, 0), (1.95, 0), (2.05, 0), (2.05, 0.5), (0.1, 0.9), (4, 0.95)]
)
def test_valley(page, rate, momentum):
    found = move(page, "valley", learning_rate=rate, momentum=momentum)
    w, last, path = f32(-3), f32(0), [f32(-3)]
    for _ in range(30):
        last = f32(momentum) * last - f32(rate) * w
        w = w + last
        path.append(w)
    assert same(found, path)


def test_sums(page):
    click(page, "sums", -1)
    wanted, found = total(NUMBERS), [shown(page, "sums")]
    for _ in range(8):
        click(page, "sums", 0)
        found.append(shown(page, "sums"))
    click(page, "sums", 1)
    found.append(shown(page, "sums"))
    assert "in 29 orders" in words(page, "sums")
    assert all(same(grid, wanted) and different == 1 for _, grid, different in found)
    assert len({in_order for in_order, *_ in found}) > 1
    in_order = f32(0)
    for x in NUMBERS:
        in_order += x
    assert same(found[0][0], in_order)
    click(page, "sums", -1)
    assert shown(page, "sums") == found[0]


@pytest.mark.parametrize(
    ("training", "figure", "printed"),
    [
        ("G, two arms", "loss", "0.25"),
        ("G, two arms", "loss", "0.1"),
        ("G, two arms", "accuracy", "0.92"),
        ("A, three arms", "loss", "0.62"),  # 0.625 is rounded to the even digit
        ("A, three arms", "loss", "0.38"),
        ("A, three arms", "loss", "7"),
        ("A, three arms", "accuracy", "0"),
        ("A, three arms", "accuracy", "0.5"),
    ],
)
def test_is_my_number_a_bug(page, training, figure, printed):
    found = move(page, "bug", training=training, figure=figure, what_your_run_printed=printed)
    placed = rank(printed, RUNS[training][figure])
    below, above, p = found
    assert (below, above) == (placed.below, placed.above)
    assert p == pytest.approx(placed.p, rel=1e-15)
    assert ("That is rare" in words(page, "bug")) == (placed.verdict == "unlikely")
    assert ("So few runs" in words(page, "bug")) == (len(RUNS[training][figure]) < 39)


@pytest.mark.parametrize("typed", ["a lot", "", ".", "0.2.1", "1e-3"])
def test_what_is_no_number_is_asked_for_again(page, typed):
    assert move(page, "bug", what_your_run_printed=typed) is None
    assert "Type a number" in words(page, "bug")


def test_a_decimal_comma_is_a_point(page):
    with_comma, with_point = (move(page, "bug", what_your_run_printed=x) for x in ("0,25", "0.25"))
    assert with_comma == with_point


def test_start_again_undoes_what_was_moved(page):
    click(page, "price", -1)
    at_first = shown(page, "price")
    assert move(page, "price", probability_given_to_what_happened=0.2) != at_first
    click(page, "price", -1)
    assert shown(page, "price") == at_first


def test_keys_move_a_slider_in_firefox(firefox, address):
    firefox.goto(address)
    moved_from = shown(firefox, "valley")
    firefox.press("[data-explore=valley] input", RIGHT)
    assert shown(firefox, "valley")[1] < 0 and shown(firefox, "valley") != moved_from


def test_the_keyboard_moves_a_slider_and_the_address_remembers_it(chromium, browser):
    click(chromium, "valley", -1)
    slider = chromium.locator("[data-explore=valley]").get_by_role("slider", name="learning rate")
    moved_from = shown(chromium, "valley")
    slider.focus()
    slider.press("ArrowRight")
    assert shown(chromium, "valley")[1] != moved_from[1]
    again = browser.new_page()
    again.goto(chromium.url)
    assert all(shown(again, name) == shown(chromium, name) for name in NAMES)
    again.close()


@pytest.mark.parametrize(
    "state", ["neuron.weight=99&neuron.bias=steep", "sums.shuffles=1e9", "bug.training=H&bug.figure=", "%"]
)
def test_an_address_that_asks_for_what_there_is_not(browser, address, state):
    faults = []
    page = browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}#{state}")
    assert all(shown(page, name) for name in NAMES) and faults == []
    page.close()


def test_nothing_is_wider_than_a_phone(chromium):
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_there_is_a_still(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("[data-explore] img").count() == len(NAMES)
    context.close()
