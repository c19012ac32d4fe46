"""The source book's own names, for readers who hold *Neural Networks from Scratch in Python*.

A training loop typed from that book runs unchanged after ``from nnfs_book.nnfs import *``.

Examples
--------
>>> init()
>>> X, y = spiral_data(samples=100, classes=3)
>>> dense1 = Layer_Dense(2, 3)
>>> dense1.forward(X)
>>> dense1.output.shape
(300, 3)
"""

import numpy as np

from nnfs_book.datasets import sine_data, spiral_data, vertical_data
from nnfs_book.network import losses
from nnfs_book.network.activations import Linear as Activation_Linear
from nnfs_book.network.activations import ReLU as Activation_ReLU
from nnfs_book.network.activations import Sigmoid as Activation_Sigmoid
from nnfs_book.network.activations import Softmax as Activation_Softmax
from nnfs_book.network.layers import Dense as Layer_Dense
from nnfs_book.network.layers import Dropout as Layer_Dropout
from nnfs_book.network.losses import BinaryCrossentropy as Loss_BinaryCrossentropy
from nnfs_book.network.losses import CategoricalCrossentropy as Loss_CategoricalCrossentropy
from nnfs_book.network.losses import Loss
from nnfs_book.network.losses import MeanAbsoluteError as Loss_MeanAbsoluteError
from nnfs_book.network.losses import MeanSquaredError as Loss_MeanSquaredError
from nnfs_book.network.optimizers import SGD as Optimizer_SGD
from nnfs_book.network.optimizers import Adagrad as Optimizer_Adagrad
from nnfs_book.network.optimizers import Adam as Optimizer_Adam
from nnfs_book.network.optimizers import RMSprop as Optimizer_RMSprop
from nnfs_book.network.randomness import set_seed

Activation_Softmax_Loss_CategoricalCrossentropy = losses.SoftmaxCategoricalCrossentropy

__all__ = [
    "Activation_Linear",
    "Activation_ReLU",
    "Activation_Sigmoid",
    "Activation_Softmax",
    "Activation_Softmax_Loss_CategoricalCrossentropy",
    "Layer_Dense",
    "Layer_Dropout",
    "Loss",
    "Loss_BinaryCrossentropy",
    "Loss_CategoricalCrossentropy",
    "Loss_MeanAbsoluteError",
    "Loss_MeanSquaredError",
    "Optimizer_Adagrad",
    "Optimizer_Adam",
    "Optimizer_RMSprop",
    "Optimizer_SGD",
    "init",
    "sine_data",
    "spiral_data",
    "vertical_data",
]


def init():
    """Restart the random streams as the source book does, with seed 0: ours and ``np.random``."""
    set_seed(0)
    np.random.seed(0)
