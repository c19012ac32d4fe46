"""Listings are the code that runs, and figures come out the same, byte for byte."""

import ast
import inspect
import io
import re
from html import unescape
from urllib.parse import unquote

import matplotlib.pyplot as plt
import numpy as np
import pytest

from nnfs_book import presentation
from nnfs_book.network import activations, losses
from nnfs_book.presentation import (
    data_address,
    player,
    plot_pictures,
    plot_points,
    plot_probability,
    plot_regions,
    plot_reruns,
    show_code,
    without_docstrings,
)
from nnfs_book.presentation.figures import rounded, svg_of

pytestmark = pytest.mark.usefixtures("book_style")


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
    assert [line.get_color() for line in ax.lines] == list(presentation.CLASS_COLOURS[:2])
    assert ax.lines[1].get_xydata().tolist() == [[0, 1], [2, 2]]


def test_the_line_is_where_the_probability_is_one_half():
    fig, ax = plt.subplots()
    plot_probability(ax, lambda points: 0.5 + (points[:, 1:] - 0.25) / 4, extent=1, points=41)
    (vertices,) = (path.vertices for path in ax.collections[-1].get_paths())
    np.testing.assert_allclose(vertices[:, 1], 0.25)
    assert vertices[:, 0].min() == -1 and vertices[:, 0].max() == 1


def test_a_region_is_where_its_class_is_ahead():
    """Class 0 is the ground; class 1 is ahead below y = x, and class 2 nowhere."""
    fig, ax = plt.subplots()
    plot_regions(
        ax,
        lambda points: np.column_stack([points[:, 1], points[:, 0], 0 * points[:, 0] - 9]),
        1,
        21,
    )
    (ground,), (region,) = ax.patches, ax.collections
    below = region.get_paths()[0].vertices
    assert (below[:, 1] <= below[:, 0]).all() and below.min() == -1 and below.max() == 1
    assert ground.get_xy().min() == -1 and ground.get_xy().max() == 1


def test_regions_tell_the_class_of_every_point():
    """With scores that are linear, the borders are exact: the topmost colour is that of argmax."""
    slopes = np.array([[1, -1, 0.3], [0.2, 0.7, -1]])
    fig, ax = plt.subplots()
    plot_regions(ax, lambda points: points @ slopes, extent=1, points=41)
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (500, 2))
    top = np.zeros(500, dtype=int)
    for number, region in enumerate(ax.collections, start=1):
        covered = np.zeros(500, dtype=bool)
        for path in region.get_paths():
            covered |= path.contains_points(points)
        top[covered] = number
    scores = np.sort(points @ slopes, axis=1)
    clear = scores[:, -1] - scores[:, -2] > 0.05
    assert (top == (points @ slopes).argmax(axis=1))[clear].all() and clear.sum() > 400


def test_pictures_have_their_pixels_in_place():
    _, ax = plt.subplots()
    pictures = np.array([[0, 1, 0.5, 0], [0, 0, 0, 1]])  # of 2 by 2 pixels
    plot_pictures(ax, pictures, columns=1, captions=["one", "two"])
    half, full = ax.patches[2:]  # after the paper
    assert half.get_path().get_extents().extents.tolist() == [0, 1, 1, 2]
    corners = {tuple(point) for point in full.get_path().vertices[:4].tolist()}
    assert corners == {(1, 0), (2, 0), (2, 1), (1, 1)}
    second = ax.patches[1].get_y()
    assert full.get_path().get_extents().extents.tolist() == [1, 0, 2, second + 2]
    assert [text.get_text() for text in ax.texts] == ["one", "two"]
    assert ax.yaxis_inverted()


# The player; that its slider works is tested in a browser, in test_pages.py

SQUARE = '<svg viewBox="0 0 1 1"><path d="M 0 0 H 1 V 1"/></svg>'


def test_reruns_are_drawn_between_their_extremes_and_quartiles():
    epochs = [0, 100]
    members = [{"log": {"epoch": epochs, "loss": [1.0, 0.5]}}]  # ours is no part of the spread
    members += [{"log": {"epoch": epochs, "loss": [2.0, n / 10]}} for n in range(1, 21)]
    printed = {"columns": ["epoch", "accuracy", "loss"], "rows": [["100", "0.9", "0.70"]]}
    fig, ax = plt.subplots()
    plot_reruns(ax, members, "loss", printed)
    areas = [np.unique(area.get_paths()[0].vertices, axis=0) for area in ax.collections]
    assert [area[area[:, 0] == 100, 1].tolist() for area in areas] == [[0.1, 2.0], [0.6, 1.5]]
    assert all(area[area[:, 0] == 0, 1].tolist() == [2.0] for area in areas)
    ours, dots = (line.get_xydata().tolist() for line in ax.lines)
    assert ours == [[0, 1], [100, 0.5]]
    assert dots == [[100, 0.7]]
    labels = ["20 reruns", "their middle half", "ours", "printed"]
    assert ax.get_legend_handles_labels()[1] == labels


def curve(height):
    fig, ax = plt.subplots()
    ax.plot([0, height])
    return fig


def test_a_player_is_the_same_byte_for_byte_and_closes_its_figures():
    html = player([curve(1), curve(2)], ["one", "two"], "A line.")._repr_html_()
    assert player([curve(1), curve(2)], ["one", "two"], "A line.").html == html
    assert plt.get_fignums() == []
    assert "<dc:date>" not in unquote(html)
    assert " id=" not in re.sub(r'src="[^"]*"', "", html)
    assert repr(player([SQUARE], ["one"], "A square.")) == "Player of 1 frames"


def test_a_player_shows_its_last_frame_where_no_script_runs():
    html = player([SQUARE] * 3, ["one", "two", "three"], "A square.").html
    figures = re.findall(r"<figure( hidden)?>.*?<figcaption>(\w+)</figcaption>", html, re.DOTALL)
    assert figures == [(" hidden", "one"), (" hidden", "two"), ("", "three")]
    assert "<label hidden>" in html and 'max="2" value="2"' in html
    assert html.count('alt="A square."') == 3


def test_texts_of_a_player_are_text():
    html = player([SQUARE], ["a < b & c"], 'The "curve" <b>.').html
    assert "<figcaption>a &lt; b &amp; c</figcaption>" in html
    assert 'alt="The &quot;curve&quot; &lt;b&gt;."' in html


@pytest.mark.parametrize("svg", [SQUARE, "<svg a='1' b=\"it's 50 % of #1, √2 & more\"/>"])
def test_an_address_holds_the_whole_picture(svg):
    address = data_address("<?xml version='1.0'?>\n" + svg)
    assert not set(address) & set('<>"#&\n') and unescape(address) == address
    content = unquote(address.removeprefix("data:image/svg+xml,"))
    assert content in (svg, svg.replace('"', "'"))


@pytest.mark.parametrize(
    ("frames", "captions", "alt", "error", "message"),
    [
        ([SQUARE], ["one", "two"], "A.", ValueError, "captions must be one for each frame, got 2"),
        ([], [], "A.", ValueError, "got 0 for 0 frames"),
        ([SQUARE], ["one"], " ", ValueError, "alt must say something in words, got ' '"),
        ([SQUARE], [""], "A.", ValueError, "captions must say something in words"),
        ([SQUARE], [1], "A.", ValueError, "captions must say something in words, got 1"),
        (["a.svg"], ["one"], "A.", TypeError, "frames must be matplotlib figures or SVG"),
        ([None], ["one"], "A.", TypeError, "frames must be .* got None"),
    ],
)
def test_a_player_refuses(frames, captions, alt, error, message):
    with pytest.raises(error, match=message):
        player(frames, captions, alt)


def test_a_figure_has_two_decimals_in_its_coordinates_and_its_letters_keep_their_scale():
    fig, ax = plt.subplots()
    ax.plot([0, 1 / 3], [0, 1 / 7], "o-")
    svg = svg_of(fig)
    assert "scale(0.015625)" in svg
    assert re.findall(r'(?:\bd|x|y)="[^"]*\.\d{3}', svg) == []


def test_what_processors_disagree_about_does_not_reach_a_figure():
    assert rounded('d="M 363.846813 1"') == rounded('d="M 363.846812 1"') == 'd="M 363.85 1"'
