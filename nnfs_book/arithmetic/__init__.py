"""Order-free arithmetic: the same bits on every machine."""

from nnfs_book.arithmetic.functions import *  # noqa: F403
