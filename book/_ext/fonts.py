"""Cut fonts to the characters that the book uses."""

from fontTools import subset
from fontTools.ttLib import TTFont


def cut(source, target, text):
    """Write the font `source` to `target`, as WOFF, with the characters of `text` and no others."""
    font = TTFont(source)
    cutter = subset.Subsetter(subset.Options(drop_tables=["FFTM"]))
    cutter.populate(text=text)
    cutter.subset(font)
    font.flavor = "woff"
    font.save(target)
