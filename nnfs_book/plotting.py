"""Figures in one style, drawn as SVG that comes out the same on every run, and code listings."""

import ast
import inspect
import io
import math
from html import escape
from textwrap import dedent, indent
from urllib.parse import quote

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib_inline.backend_inline import set_matplotlib_formats

from nnfs_book.ensemble import band

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
SAVING = {"metadata": {"Date": None, "Creator": None}, "bbox_inches": "tight"}


def setup():
    """Make the figures of a notebook come out in the book's style, as SVG without a date."""
    plt.rcParams.update(STYLE)
    set_matplotlib_formats("svg", **SAVING)


def show_code(*objects):
    """Show the source of functions or classes that run in this book, without their docstrings.

    Parameters
    ----------
    *objects : function, class or method
        Shown one below the other; methods under the name of their class.

    Returns
    -------
    IPython.display.Markdown
        A highlighted listing.

    Examples
    --------
    >>> from nnfs_book.arithmetic import is_native
    >>> print(show_code(is_native).data)
    ```python
    def is_native():
        return _native.get()
    ```
    """
    listings, last_owner = [], ""
    for o in objects:
        listing = without_docstrings(dedent(inspect.getsource(o)))
        owner = o.__qualname__.rpartition(".")[0]
        if owner:
            header = f"class {owner}:\n" if owner != last_owner else ""
            listing = header + indent(listing, "    ")
        listings.append(listing)
        last_owner = owner
    return Markdown("```python\n" + "\n\n".join(listings) + "\n```")


def without_docstrings(source):
    """Return source code with the docstrings of functions and classes taken out.

    Examples
    --------
    >>> print(without_docstrings('def f(x):\\n    "Return x."\\n    return x'))
    def f(x):
        return x
    """
    lines = source.rstrip().split("\n")
    documented = (ast.FunctionDef, ast.ClassDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines[docstring.lineno - 1 : docstring.end_lineno] = [None] * (
                docstring.end_lineno - docstring.lineno + 1
            )
    kept = []
    for line in lines:
        follows_removed = bool(kept) and kept[-1] is None
        if line is None or (line == "" and follows_removed):
            kept.append(None)
        else:
            kept.append(line)
    return "\n".join(line for line in kept if line is not None)


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

    The pale area holds all reruns, the darker one, if there are twenty or more, their 5-95 % band
    (see `ensemble.band`), the line is member 0, and dots are what a source printed.

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
    >>> from nnfs_book.ensemble import load
    >>> fig, ax = plt.subplots()
    >>> plot_reruns(ax, load("G"), "loss")
    >>> len(ax.collections), len(ax.lines), ax.get_xlabel()
    (2, 1, 'epoch')
    >>> plt.close(fig)
    """
    ours, *reruns = (member["log"] for member in members)
    at_each_epoch = list(zip(*(log[name] for log in reruns), strict=True))
    areas = {f"{len(reruns)} reruns": [(min(values), max(values)) for values in at_each_epoch]}
    if len(reruns) >= 20:
        areas["their 5–95 % band"] = map(band, at_each_epoch)
    for label, ends in areas.items():
        low, high = zip(*ends, strict=True)
        ax.fill_between(ours["epoch"], low, high, color=BLUE, alpha=0.25, lw=0, label=label)
    ax.plot(ours["epoch"], ours[name], color=BLUE, lw=1, label="ours")
    if printed:
        column = printed["columns"].index(name)
        epochs, values = zip(*((int(r[0]), float(r[column])) for r in printed["rows"]), strict=True)
        ax.plot(epochs, values, "o", color=ORANGE, ms=4, label="printed")
    ax.set_xlabel("epoch")
    ax.set_ylabel(name.replace("_", " "))


# Moving the slider shows the frame of its number and hides the others. The script finds its own
# player by its place on the page, so that several of them need no names.
PLAYER_SCRIPT = """\
(() => {
  const player = document.currentScript.parentElement;
  const frames = [...player.querySelectorAll("figure")];
  const slider = player.querySelector("input");
  const show = () => {
    frames.forEach((frame, number) => { frame.hidden = number !== slider.valueAsNumber; });
    slider.setAttribute("aria-valuetext", frames[slider.valueAsNumber].innerText.trim());
  };
  slider.addEventListener("input", show);
  slider.parentElement.hidden = false;
  show();
})();"""


class Player:
    """A sequence of frames as HTML that holds all it needs; made by `player`."""

    def __init__(self, html, count):
        self.html, self.count = html, count

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return f"Player of {self.count} frames"


def player(frames, captions, alt):
    """Show one of several pictures at a time, with a slider to move through them.

    All frames are drawn now, and are part of the page. The last one is what the page shows at
    first, and all it shows where there is no JavaScript.

    Parameters
    ----------
    frames : sequence of matplotlib Figure or str
        Figures, which are closed, or SVG. Drawn alike, they stay in place as the slider moves.
    captions : sequence of str
        Plain text, one for each frame.
    alt : str
        What the frames show, for those who do not see them; the captions say how they differ.

    Returns
    -------
    Player

    Raises
    ------
    TypeError, ValueError
        If a frame is neither a figure nor SVG, there is not one caption for each, or a text is
        empty.

    Examples
    --------
    >>> circles = [f'<svg viewBox="-9 -9 18 18"><circle r="{r}"/></svg>' for r in (1, 5, 9)]
    >>> player(circles, ["small", "middling", "large"], alt="A circle.")
    Player of 3 frames
    """
    frames, captions = list(frames), list(captions)
    if len(captions) != len(frames) or not frames:
        raise ValueError(
            f"captions must be one for each frame, got {len(captions)} for {len(frames)} frames"
        )
    for name, text in [("alt", alt), *(("captions", caption) for caption in captions)]:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must say something in words, got {text!r}")
    images = [data_address(svg_of(frame)) for frame in frames]
    last = len(frames) - 1
    lines = ['<div class="player">']
    for number, (image, caption) in enumerate(zip(images, captions)):
        hidden = "" if number == last else " hidden"
        lines += [
            f'<figure{hidden}><img alt="{escape(alt)}" src="{image}">',
            f"<figcaption>{escape(caption)}</figcaption></figure>",
        ]
    lines += [
        "<label hidden>Slide through the frames",
        f'<input type="range" min="0" max="{last}" value="{last}" autocomplete="off"></label>',
        f"<script>\n{PLAYER_SCRIPT}\n</script>",
        "</div>",
    ]
    return Player("\n".join(lines), len(frames))


def svg_of(frame):
    """Return a figure as SVG, and close it; SVG is returned as it is."""
    if isinstance(frame, Figure):
        file = io.StringIO()
        frame.savefig(file, format="svg", **SAVING)
        plt.close(frame)
        frame = file.getvalue()
    if not isinstance(frame, str) or "<svg" not in frame:
        raise TypeError(f"frames must be matplotlib figures or SVG, got {frame!r:.60}")
    return frame


def data_address(svg):
    """Return an address that holds a picture: as a page of its own, its names clash with no other.

    Examples
    --------
    >>> data_address('<svg width="9">\\n</svg>')
    "data:image/svg+xml,%3Csvg width='9'%3E %3C/svg%3E"
    """
    svg = " ".join(svg[svg.index("<svg") :].split())
    if "'" not in svg:
        svg = svg.replace('"', "'")  # a double quote would take three characters
    return "data:image/svg+xml," + quote(svg, safe=" !$'()*+,-./:;=?@[]^_`{|}~")
