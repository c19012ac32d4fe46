"""Pieces of HTML that a cell shows."""

from html import escape
from urllib.parse import quote

import matplotlib.pyplot as plt

from nnfs_book.presentation.figures import svg_of


class Html:
    """HTML for a page, and words for where there is none.

    Examples
    --------
    >>> Html("<p>Hello</p>", "A greeting")
    A greeting
    """

    def __init__(self, html, words):
        self.html, self.words = html, words

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return self.words


def still_picture(figure, alt):
    """Return a figure as an image that stands in the HTML itself; the figure is closed.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> still_picture(figure, "An empty plot.")[:26]
    '<img alt="An empty plot." '
    """
    address = data_address(svg_of(figure))
    plt.close(figure)
    return f'<img alt="{escape(alt)}" src="{address}">'


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
