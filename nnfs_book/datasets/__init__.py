"""What the networks learn from: data made from a formula, and handwritten digits."""

from nnfs_book.datasets.digits import load_digits
from nnfs_book.datasets.mnist import load_fashion_mnist, load_mnist
from nnfs_book.datasets.synthetic import sine_data, spiral_data, vertical_data

__all__ = [
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "sine_data",
    "spiral_data",
    "vertical_data",
]
