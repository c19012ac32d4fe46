"""Every Gradient Checked: neural networks from scratch, verified.

The module that the chapters of the book import and show. A tour, in the order of its imports:

`nnfs_book.arithmetic`
    What every bit depends on: sums that are exact in any order (`matmul`, `total`), correctly
    rounded `exp` and `log`. ``with native():`` switches to plain NumPy.
`nnfs_book.network`
    Layers (`Dense`, `Dropout`), activations (`ReLU`, `Sigmoid`, `Softmax`), losses, optimizers,
    metrics, and the `Model` made of them.
`nnfs_book.datasets`
    What the networks learn from: `spiral_data`, `load_digits`, `load_mnist`,
    `load_fashion_mnist`.
`nnfs_book.checks`
    What the book proves and measures itself by: `Derivation`, gradient checks (`check_layer`,
    `check_network`), experiments, their stored reruns, and the ledger (`confirm`);
    `practice`, which tries what a reader has built.
`nnfs_book.presentation`
    Figures, players and listings. The only part that needs matplotlib.
`nnfs_book.nnfs`
    The names of *Neural Networks from Scratch in Python*: a training loop typed from that book
    runs unchanged after ``from nnfs_book.nnfs import *``.

Every name below can be imported from here, and is loaded when it is first used, so that a network
needs NumPy and nothing else.

Examples
--------
>>> from nnfs_book import Adam, CategoricalCrossentropy, Dense, Model, ReLU, Softmax, spiral_data
>>> X, y = spiral_data(samples=100, classes=3)
>>> model = Model([Dense(2, 64), ReLU(), Dense(64, 3), Softmax()])
>>> model.compile(Adam(learning_rate=0.05), CategoricalCrossentropy())
>>> losses = model.fit(X, y, epochs=10).history["loss"]
>>> losses[-1] < losses[0]
True
"""

from importlib import import_module

__version__ = "0.2.0"

_HOMES = {
    "arithmetic": "backend exp is_native log matmul native total",
    "network.layers": "Dense Dropout Layer",
    "network.activations": "Activation Linear ReLU Sigmoid Softmax sigmoid softmax",
    "network.penalties": "penalty penalty_gradient",
    "network.losses": "BinaryCrossentropy CategoricalCrossentropy Huber Loss MeanAbsoluteError "
    "MeanSquaredError SoftmaxCategoricalCrossentropy class_rows",
    "network.optimizers": "Adagrad Adam Optimizer RMSprop SGD",
    "network.metrics": "Accuracy BinaryAccuracy CategoricalAccuracy Metric RootMeanSquaredError",
    "network.model": "History Model",
    "network.passes": "backward forward",
    "network.randomness": "RandomStream set_seed",
    "datasets": "load_digits load_fashion_mnist load_mnist sine_data spiral_data vertical_data",
    "checks.derivation": "Derivation DerivationError",
    "checks.gradients": "GradientError check_layer check_loss check_network numerical_gradient",
    "checks.experiments": "EXPERIMENTS Run fingerprint logistic_regression masked_sums nudged "
    "spiral_classifier",
    "checks.ensembles": "load",
    "checks.verdicts": "combined each_as_printed false_alarms rank",
    "checks.ledger": "as_printed claim compare_log confirm confirmations ledger spreads "
    "verdict_table",
    "checks.placement": "place",
    "presentation": "Diagram explore network_diagram player plot_dots plot_pictures plot_points "
    "plot_probability plot_regions plot_reruns retrain show_code",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name):
    """Load a public name, or a part of the package, when it is first used."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in ("arithmetic", "network", "datasets", "checks", "presentation", "nnfs"):
        return import_module(f"{__name__}.{name}")
    if name == "practice":
        return import_module(f"{__name__}.checks.practice")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
