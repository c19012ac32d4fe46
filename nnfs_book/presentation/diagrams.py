"""Diagrams: nodes, arrows between them and numbers beside both, in the style of the figures."""

import math

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from nnfs_book.presentation.figures import BLUE, GREY, ORANGE

PALE = {BLUE: "#d9eaf4", ORANGE: "#fae3d6", GREY: "#ececec"}
INCHES = 0.62  # for a unit of the diagram's plane
RADIUS = 0.42
SMALL = 9  # points: letters beside arrows and below nodes, not too small to read


class Diagram:
    """A drawing of nodes and arrows on a plane: x to the right, y upwards.

    A node is about one unit wide, so that places can be small whole numbers. What a node or an
    arrow means is said by its colour throughout the book: blue for what runs forward, orange for
    what runs backward, grey for what is given.

    Parameters
    ----------
    width, height : float
        Of the plane, in units.

    Attributes
    ----------
    ax : matplotlib Axes
        For what a diagram has no words for.

    Examples
    --------
    >>> d = Diagram(4, 1)
    >>> d.node("x", 0.5, 0.5, "3")
    >>> d.node("y", 3.5, 0.5, "6", box=True)
    >>> d.arrow("x", "y", "times 2")
    >>> len(d.ax.patches), [text.get_text() for text in d.ax.texts]
    (3, ['3', '6', 'times 2'])
    >>> plt.close(d.ax.figure)
    """

    def __init__(self, width, height):
        figure = plt.figure(figsize=(INCHES * width, INCHES * height))
        self.ax = figure.add_axes((0, 0, 1, 1))
        self.ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        self.ax.set_axis_off()
        self.places = {}

    def node(self, name, x, y, text="", note="", colour=BLUE, box=False, width=0.84):
        """Draw a node.

        Parameters
        ----------
        name : hashable
            What arrows call it.
        x, y : float
            Its middle.
        text : str
            What stands in it.
        note : str
            What stands below it, in small letters.
        colour : str
            BLUE, ORANGE or GREY.
        box : bool
            A box, ``width`` units wide, instead of a circle.
        """
        half = width / 2 if box else RADIUS
        style = {"fc": PALE[colour], "ec": colour, "lw": 1.2, "zorder": 3}
        if box:
            corner, size = (x - half, y - RADIUS), (width, 2 * RADIUS)
            rounded = "round,pad=0,rounding_size=0.12"
            self.ax.add_patch(FancyBboxPatch(corner, *size, boxstyle=rounded, **style))
        else:
            self.ax.add_patch(Circle((x, y), RADIUS, **style))
        self.places[name] = (x, y, half, box)
        if text:
            self.text(x, y, text)
        if note:
            self.text(x, y - RADIUS - 0.08, note, size="small", va="top")

    def arrow(self, start, end, text="", colour=BLUE, at=0.5, shift=0.0, side=1, lw=1.2):
        """Draw an arrow from one node to another.

        Parameters
        ----------
        start, end : hashable
            Names of nodes.
        text : str
            What stands beside it.
        colour : str
        at : float
            How far along the arrow the text stands, from 0 to 1.
        shift : float
            By how much the arrow is moved aside, in units, to the left as one looks along it: two
            arrows between the same nodes, there and back, then run beside each other.
        side : {1, 0, -1}
            Whether the text stands to the left of the arrow, on it or to the right.
        """
        (x0, y0, *_), (x1, y1, *_) = self.places[start], self.places[end]
        length = math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
        along = ((x1 - x0) / length, (y1 - y0) / length)
        left = (-along[1], along[0])
        first = self.edge(start, along) + 0.05
        last = length - self.edge(end, along) - 0.05

        def point(distance, aside=0.0):
            aside += shift
            return (
                x0 + along[0] * distance + left[0] * aside,
                y0 + along[1] * distance + left[1] * aside,
            )

        self.ax.add_patch(
            FancyArrowPatch(
                point(first),
                point(last),
                arrowstyle="-|>",
                mutation_scale=9,
                shrinkA=0,
                shrinkB=0,
                color=colour,
                lw=lw,
                zorder=2,
            )
        )
        if text:
            self.text(*point(first + at * (last - first), 0.2 * side), text, size="small")

    def edge(self, name, along):
        """Return how far a node reaches from its middle in a direction."""
        *_, half, box = self.places[name]
        if not box:
            return half
        across, up = (abs(part) or 1e-9 for part in along)
        return min(half / across, RADIUS / up)

    def text(self, x, y, text, size="medium", colour="black", ha="center", va="center"):
        """Write something at a place, on a white ground that keeps lines away from letters."""
        white = {"fc": "white", "ec": "none", "alpha": 0.85, "pad": 0.6}
        ground = white if size == "small" else None
        size = SMALL if size == "small" else size
        self.ax.text(x, y, text, size=size, color=colour, ha=ha, va=va, bbox=ground, zorder=4)


def network_diagram(columns, weights=None, notes=(), titles=(), apart=(2.2, 1.1)):
    """Draw a network: neurons in columns, each joined to all of the next column.

    Parameters
    ----------
    columns : sequence of sequence of str
        What stands in each neuron, from the inputs to the outputs.
    weights : sequence of sequence of sequence of str, optional
        What stands beside the arrow from neuron i of a column to neuron j of the next one.
    notes : sequence of sequence of str, optional
        What stands below each neuron.
    titles : sequence of str, optional
        What stands above each column.
    apart : (float, float)
        Distance between columns and between the neurons of a column.

    Returns
    -------
    Diagram
        Its nodes are called ``(column, neuron)``, counted from 0; the first of a column is on top.

    Examples
    --------
    >>> d = network_diagram([["$x_1$", "$x_2$"], ["$z$"]], [[["2"], ["-1"]]])
    >>> sorted(d.places)
    [(0, 0), (0, 1), (1, 0)]
    >>> plt.close(d.ax.figure)
    """
    tallest = max(map(len, columns))
    height = (tallest - 1) * apart[1] + 1.2 + (0.5 if titles else 0)
    d = Diagram((len(columns) - 1) * apart[0] + 1.2, height)
    middle = 0.6 + (tallest - 1) * apart[1] / 2
    for c, column in enumerate(columns):
        for i, text in enumerate(column):
            y = middle + ((len(column) - 1) / 2 - i) * apart[1]
            note = notes[c][i] if notes else ""
            d.node((c, i), 0.6 + c * apart[0], y, text, note, colour=BLUE if c else GREY)
        if titles:
            d.text(0.6 + c * apart[0], height - 0.25, titles[c], size="small")
    for c in range(1, len(columns)):
        for i in range(len(columns[c - 1])):
            for j in range(len(columns[c])):
                text = weights[c - 1][i][j] if weights else ""
                at = 0.22 + 0.22 * (i % 2)  # where arrows cross, their texts do not
                d.arrow((c - 1, i), (c, j), text, colour=GREY, at=at, side=0)
    return d
