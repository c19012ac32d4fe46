"""Players: several pictures in one place, with a slider to move through them."""

from html import escape
from urllib.parse import quote

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from nnfs_book.presentation.figures import svg_of

# Moving the slider shows the frame of its number and hides the others. The script finds its own
# player by its place on the page, so that several of them need no names.
PLAYER_SCRIPT = """\
(() => {
  const player = document.currentScript.parentElement;
  const frames = [...player.querySelectorAll("figure")];
  const slider = player.querySelector("input");
  const show = () => {
    frames.forEach((frame, number) => { frame.hidden = number !== slider.valueAsNumber; });
    const caption = frames[slider.valueAsNumber].querySelector("figcaption");
    slider.setAttribute("aria-valuetext", caption.innerText.trim());
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
    images = [data_address(picture(frame)) for frame in frames]
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


def picture(frame):
    """Return a figure as SVG, and close it; SVG is returned as it is."""
    if isinstance(frame, Figure):
        figure, frame = frame, svg_of(frame)
        plt.close(figure)
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
