"""Players: several pictures in one place, with a slider to move through them."""

from html import escape

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from nnfs_book.presentation.figures import svg_of
from nnfs_book.presentation.html import Html, data_address

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
    Html

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
    return Html("\n".join(lines), f"Player of {len(frames)} frames")


def picture(frame):
    """Return a figure as SVG, and close it; SVG is returned as it is."""
    if isinstance(frame, Figure):
        figure, frame = frame, svg_of(frame)
        plt.close(figure)
    if not isinstance(frame, str) or "<svg" not in frame:
        raise TypeError(f"frames must be matplotlib figures or SVG, got {frame!r:.60}")
    return frame
