"""Train the networks whose bits are frozen; print their hashes, and what computed them, as JSON."""

import json
import sys

from numpy._core._multiarray_umath import __cpu_features__ as features

from nnfs_book.arithmetic import backend
from nnfs_book.checks.experiments import EXPERIMENTS, fingerprint
from nnfs_book.datasets import load_digits
from nnfs_book.network.activations import ReLU, Softmax
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import CategoricalCrossentropy
from nnfs_book.network.model import Model
from nnfs_book.network.optimizers import Adam
from nnfs_book.network.randomness import RandomStream


def train(name, epochs):
    """Return the hash of all parameters after some epochs."""
    return digits(epochs) if name == "digits" else EXPERIMENTS[name](epochs=epochs).sha256


def digits(epochs):
    """Return the hash of a network of digits, trained in batches, with dropout."""
    stream = RandomStream(0)
    X, y, _, _ = load_digits()
    hidden = Dense(64, 64, stream=stream)
    layers = [hidden, ReLU(), Dropout(0.1, stream=stream), Dense(64, 10, stream=stream), Softmax()]
    model = Model(layers)
    model.compile(Adam(0.005), CategoricalCrossentropy())
    model.fit(X, y, epochs=epochs, batch_size=32, stream=stream)
    return fingerprint(model.layers)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    print(
        json.dumps(
            {
                "hashes": {name: train(name, epochs) for name, epochs in wanted.items()},
                "backend": backend(),
                "features": [name for name, on in features.items() if on],
            }
        )
    )
