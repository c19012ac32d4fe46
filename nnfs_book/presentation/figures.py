"""Figures in one style, drawn as SVG that comes out the same on every run."""

import io
import math
import re

import matplotlib.pyplot as plt
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib_inline.backend_inline import set_matplotlib_formats

# Colours that stay apart for colour-blind readers and on a dark page (after Okabe and Ito).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#a05a8c", "#767676"
CLASS_COLOURS = (BLUE, ORANGE, GREEN, PURPLE)

STYLE = {
    "figure.figsize": (5.4, 3.1),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=CLASS_COLOURS),
    "axes.titlesize": "medium",
    "axes.grid": True,
    "grid.color": "#d0d0d0",
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    # For equal bytes on every run: fixed identifiers, and letters drawn as outlines.
    "svg.hashsalt": "nnfs_book",
    "svg.fonttype": "path",
}


# Where an SVG holds coordinates: outlines, places and sizes, and shifts. Scales are none: letters
# are drawn in units of a 64th.
COORDINATES = re.compile(r'\b(?:d|x|y|cx|cy|r|width|height|viewBox)="[^"]*"|translate\([^)]*\)')
LONG = re.compile(r"-?\d+\.\d{3,}")


def setup():
    """Make the figures of a notebook come out in the book's style, as SVG without a date."""
    plt.rcParams.update(STYLE)
    set_matplotlib_formats("svg")
    svg = InteractiveShell.instance().display_formatter.formatters["image/svg+xml"]
    svg.for_type(Figure, svg_of)


def svg_of(figure):
    """Return a figure as SVG, the same on every machine.

    Processors disagree about the last digits of what matplotlib computes, so that two decimals of
    a coordinate are kept: hundredths of a point.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> svg_of(fig).startswith("<?xml")
    True
    >>> plt.close(fig)
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return rounded(file.getvalue())


def rounded(svg):
    """Round the coordinates in an SVG to two decimals.

    Examples
    --------
    >>> rounded('<path d="M 363.846813 -0.001 L 7.25 2"/><use transform="scale(0.015625)"/>')
    '<path d="M 363.85 0 L 7.25 2"/><use transform="scale(0.015625)"/>'
    """

    def short(number):
        digits = f"{float(number[0]):z.2f}"
        return digits.rstrip("0").rstrip(".")

    return COORDINATES.sub(lambda place: LONG.sub(short, place[0]), svg)


def plot_points(ax, X, y):
    """Draw the points of a data set, a colour and a marker for each class.

    Parameters
    ----------
    ax : matplotlib Axes
    X : ndarray, shape (N, 2)
    y : ndarray, shape (N,) or (N, 1)
        Class numbers.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> plot_points(ax, np.array([[0, 1], [1, 0]]), np.array([0, 1]))
    >>> [line.get_label() for line in ax.lines]
    ['class 0', 'class 1']
    >>> plt.close(fig)
    """
    for c, marker in zip(np.unique(y), "os^D", strict=False):
        members = np.ravel(y) == c
        colour = CLASS_COLOURS[int(c) % len(CLASS_COLOURS)]
        ax.plot(*X[members].T, marker, color=colour, ms=3.5, mew=0, label=f"class {int(c)}")
    ax.set_aspect("equal")
    ax.set_xlabel("$x_1$")
    ax.set_ylabel("$x_2$")


def plot_dots(ax, X, y, size=3.5):
    """Draw the points of a data set as one path a class: few bytes, for the frames of a player.

    A point is a line of nearly no length, and looks like the ends of that line: class 0 is a disc,
    class 1 a square, class 2 a ring.

    Parameters
    ----------
    ax : matplotlib Axes
    X : ndarray, shape (N, 2)
    y : ndarray, shape (N,) or (N, 1)
        Class numbers.
    size : float
        Of a point, in points.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> plot_dots(ax, np.array([[0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1]))
    >>> len(ax.patches)
    2
    >>> plt.close(fig)
    """
    length = 2e-4 * np.ptp(X[:, 0].astype(float))  # not zero: some viewers draw no such line
    for c in np.unique(y):
        lines = np.repeat(X[np.ravel(y) == c].astype(float), 2, axis=0)
        lines[1::2, 0] += length
        path = Path(lines, [Path.MOVETO, Path.LINETO] * (len(lines) // 2))
        path.should_simplify = False  # or lines as short as these are left out
        ends = "projecting" if c % 2 else "round"
        colour = CLASS_COLOURS[int(c) % len(CLASS_COLOURS)]
        ax.add_patch(PathPatch(path, fc="none", ec=colour, lw=size, capstyle=ends))
        if c >= 2:
            ax.add_patch(PathPatch(path, fc="none", ec="white", lw=0.45 * size, capstyle=ends))
    ax.set_aspect("equal")


def square(extent, points):
    """Return the coordinates along a side of a square, and its grid points, row by row.

    Examples
    --------
    >>> side, grid = square(extent=1, points=2)
    >>> side.tolist(), grid.tolist()
    ([-1.0, 1.0], [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    """
    side = np.linspace(-extent, extent, points)
    return side, np.column_stack([np.tile(side, points), np.repeat(side, points)])


def plot_probability(ax, predict, extent=1.15, points=101):
    """Shade a square by the probability of class 1 and draw the line where it is one half.

    Parameters
    ----------
    ax : matplotlib Axes
    predict : callable
        Takes points of shape (N, 2) and returns probabilities of shape (N, 1).
    extent : float
        The square reaches from ``-extent`` to ``extent`` both ways.
    points : int
        Grid points along each side.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> plot_probability(ax, lambda X: (1 + X[:, :1]) / 2, extent=1, points=11)
    >>> len(ax.collections)  # the shading and the line
    2
    >>> plt.close(fig)
    """
    side, grid = square(extent, points)
    probability = predict(grid).reshape(points, points)
    shades = LinearSegmentedColormap.from_list("blue to orange", [BLUE, "#f7f7f7", ORANGE])
    levels = np.linspace(0, 1, 11)
    ax.contourf(side, side, probability, levels=levels, cmap=shades, alpha=0.45)
    ax.contour(side, side, probability, levels=[0.5], colors="black", linewidths=1.2)
    ax.grid(False)


def plot_regions(ax, predict, extent=1.05, points=61):
    """Colour a square by the class that a network answers.

    Parameters
    ----------
    ax : matplotlib Axes
    predict : callable
        Takes points of shape (N, 2) and returns a score for each class, shape (N, K): the
        highest wins. Logits give smoother edges than probabilities, and the same classes.
    extent : float
        The square reaches from ``-extent`` to ``extent`` both ways.
    points : int
        Grid points along each side.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> plot_regions(ax, lambda X: np.column_stack([X, -X]), extent=1, points=11)
    >>> len(ax.patches), len(ax.collections)  # the first class, and the others on top of it
    (1, 3)
    >>> plt.close(fig)
    """
    side, grid = square(extent, points)
    scores = np.asarray(predict(grid), dtype=float)
    pale = [to_hex(0.7 + 0.3 * np.array(to_rgb(colour))) for colour in CLASS_COLOURS]
    # The first class is painted everywhere, each further one where it is ahead of those before
    # it. So no two regions can leave a gap between them.
    ax.fill(extent * np.array([-1, 1, 1, -1]), extent * np.array([-1, -1, 1, 1]), color=pale[0])
    for c, colour in zip(range(1, scores.shape[1]), pale[1:], strict=False):
        lead = (scores[:, c] - scores[:, :c].max(axis=1)).reshape(points, points)
        if lead.max() > 0:
            ax.contourf(side, side, lead, levels=[0, lead.max()], colors=[colour])
    ax.set_aspect("equal")
    ax.grid(False)


def plot_pictures(ax, pictures, columns, captions=()):
    """Draw square pictures side by side, row by row, with nothing else around them.

    Parameters
    ----------
    ax : matplotlib Axes
    pictures : ndarray, shape (N, side * side)
        Pixels row by row, from 0 (paper) to 1 (ink).
    columns : int
        Pictures in a row.
    captions : sequence of str, optional
        What stands below each picture, in up to two lines.

    Notes
    -----
    All pixels of one shade are one shape: an image made of pixels would be stored compressed, and
    not the same by every version of the compression.

    Examples
    --------
    >>> fig, ax = plt.subplots()
    >>> plot_pictures(ax, np.array([[0, 1, 1, 0], [0.5, 0, 0, 1]]), columns=2)
    >>> len(ax.patches)  # two sheets of paper, two shades
    4
    >>> plt.close(fig)
    """
    side = math.isqrt(pictures.shape[1])
    numbers = np.arange(len(pictures))
    corners = np.column_stack([numbers % columns, numbers // columns])
    corners = corners * (side + 2, side + (5 if len(captions) else 2))
    for corner in corners:
        ax.add_patch(Rectangle(corner, side, side, fc="white", ec=GREY, lw=0.5))
    for shade in np.unique(pictures[pictures > 0]):
        number, pixel = np.nonzero(pictures == shade)
        at = corners[number] + np.column_stack([pixel % side, pixel // side])
        squares = at[:, np.newaxis] + [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
        shape = Path.make_compound_path_from_polys(squares.astype(float))
        ax.add_patch(PathPatch(shape, color=str(1 - shade), lw=0.3))  # an edge closes seams
    for corner, caption in zip(corners, captions):
        ax.text(*(corner + (side / 2, side + 0.5)), caption, ha="center", va="top", size="small")
    ax.autoscale_view()
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_axis_off()


def plot_reruns(ax, members, name, printed=None):
    """Draw what the members of an ensemble logged of one quantity, against the epoch.

    The pale area holds all reruns, the darker one the middle half of them, the line is member 0,
    and dots are what a source printed.

    Parameters
    ----------
    ax : matplotlib Axes
    members : list of dict
        As `ensemble.load` returns them.
    name : str
        A quantity of their logs.
    printed : dict, optional
        A log of the ledger, ``claim(id).log``, that has the quantity.

    Examples
    --------
    >>> from nnfs_book.checks.ensembles import load
    >>> fig, ax = plt.subplots()
    >>> plot_reruns(ax, load("G"), "loss")
    >>> len(ax.collections), len(ax.lines), ax.get_xlabel()
    (2, 1, 'epoch')
    >>> plt.close(fig)
    """
    ours, *reruns = (member["log"] for member in members)
    ordered = np.sort([log[name] for log in reruns], axis=0)
    quarter = len(ordered) // 4
    areas = (f"{len(reruns)} reruns", 0, 0.2), ("their middle half", quarter, 0.45)
    for label, aside, alpha in areas:
        low, high = ordered[aside], ordered[-1 - aside]
        ax.fill_between(ours["epoch"], low, high, color=BLUE, alpha=alpha, lw=0, label=label)
    ax.plot(ours["epoch"], ours[name], color=BLUE, lw=1, label="ours")
    if printed:
        column = printed["columns"].index(name)
        epochs, values = zip(*((int(r[0]), float(r[column])) for r in printed["rows"]), strict=True)
        ax.plot(epochs, values, "o", color=ORANGE, ms=4, label="printed")
    ax.set_xlabel("epoch")
    ax.set_ylabel(name.replace("_", " "))
