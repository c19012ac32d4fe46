"""Listings are the code that runs, and figures come out the same, byte for byte."""

import ast
import inspect
import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nnfs_book import activations, losses, plotting
from nnfs_book.plotting import plot_points, plot_probability, show_code, without_docstrings


@pytest.fixture(autouse=True)
def book_style():
    """Draw without a screen and in the book's style, and put the settings back."""
    with matplotlib.rc_context():
        plt.switch_backend("agg")
        plt.rcParams.update(plotting.STYLE)
        yield
        plt.close("all")


def code_of(*objects):
    """Return a listing without its fence."""
    text = show_code(*objects).data
    assert text.startswith("```python\n") and text.endswith("\n```")
    return text.removeprefix("```python\n").removesuffix("\n```")


def same_code(one, other):
    """Tell whether two pieces of code are the same but for docstrings and layout."""
    trees = []
    for source in (one, other):
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
                del node.body[0]
        trees.append(ast.dump(tree))
    return trees[0] == trees[1]


@pytest.mark.parametrize(
    "thing",
    [activations.sigmoid, activations.Softmax, losses.BinaryCrossentropy, losses.class_rows],
)
def test_a_listing_is_the_source_without_docstrings(thing):
    listing = code_of(thing)
    assert same_code(listing, inspect.getsource(thing))
    assert '"""' not in listing
    assert not listing.startswith("\n") and "\n\n\n" not in listing


def test_methods_stand_under_their_class_once():
    listing = code_of(losses.Loss.calculate, losses.Loss.backward, activations.sigmoid)
    assert listing.count("class Loss:") == 1
    assert listing.index("class Loss:\n    def calculate") < listing.index("\n\n    def backward")
    assert "\n\ndef sigmoid(z):" in listing
    ast.parse(listing)


def test_comments_and_blank_lines_stay():
    source = 'def f():\n    """Doc."""\n\n    # why\n    x = 1\n\n    return x\n'
    assert without_docstrings(source) == "def f():\n    # why\n    x = 1\n\n    return x"


def draw():
    """Return the bytes of a figure with points, shading and letters."""
    X, y = np.float32([[0, 1], [1, 0], [-1, -1]]), np.array([0, 1, 2])
    fig, ax = plt.subplots()
    plot_points(ax, X, y)
    plot_probability(ax, lambda points: (1 + points[:, :1]) / 3, points=21)
    ax.legend()
    ax.set_title(r"$\sigma(z)$")
    file = io.BytesIO()
    fig.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def test_a_figure_is_the_same_byte_for_byte():
    first = draw()
    assert draw() == first
    assert b"<dc:date>" not in first and b"<text" not in first and b"base64" not in first


def test_points_keep_their_class_colours():
    fig, ax = plt.subplots()
    plot_points(ax, np.float32([[0, 1], [1, 0], [2, 2]]), np.array([[1], [0], [1]]))
    assert [line.get_color() for line in ax.lines] == list(plotting.CLASS_COLOURS[:2])
    assert ax.lines[1].get_xydata().tolist() == [[0, 1], [2, 2]]


def test_the_line_is_where_the_probability_is_one_half():
    fig, ax = plt.subplots()
    plot_probability(ax, lambda points: 0.5 + (points[:, 1:] - 0.25) / 4, extent=1, points=41)
    (vertices,) = (path.vertices for path in ax.collections[-1].get_paths())
    np.testing.assert_allclose(vertices[:, 1], 0.25)
    assert vertices[:, 0].min() == -1 and vertices[:, 0].max() == 1
