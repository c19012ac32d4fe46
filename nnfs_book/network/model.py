"""A network as one object: layers in order, trained in batches with a loss and an optimizer.

The names are those of Keras, and so is what they mean; where this book differs, it says so.
"""

from contextlib import nullcontext
from math import fsum

import numpy as np

from nnfs_book.network import passes, storage
from nnfs_book.network.activations import Activation, Sigmoid, Softmax
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    SoftmaxCategoricalCrossentropy,
    some_samples,
)
from nnfs_book.network.metrics import Metric
from nnfs_book.network.optimizers import Optimizer
from nnfs_book.network.randomness import stream_or_common
from nnfs_book.network.validation import array_of_numbers, must_have, truth, whole_number


class Model:
    """A network of layers, one after the other.

    Parameters
    ----------
    layers : list
        `Dense`, `Dropout` and activations, first layer first. At least one must be `Dense`.

    Attributes
    ----------
    layers : tuple
        All layers.
    dense : list
        Those of them that have weights.
    optimizer, loss, metrics
        Set by `compile`.
    history : History
        Of the last training; set by `fit`, and filled as that goes on.
    stream : RandomStream or None
        Where the orders of the samples come from: the last one that `fit` was given.

    Raises
    ------
    TypeError
        If `layers` holds anything else.
    ValueError
        If it holds no `Dense`, or one layer twice, or if a layer does not fit the one before it.

    Examples
    --------
    >>> from nnfs_book.network.activations import ReLU
    >>> from nnfs_book.datasets import spiral_data
    >>> from nnfs_book.network.metrics import Accuracy
    >>> from nnfs_book.network.optimizers import Adam
    >>> from nnfs_book.network.randomness import RandomStream
    >>> stream = RandomStream(0)
    >>> X, y = spiral_data(samples=100, classes=3, stream=stream)
    >>> model = Model(
    ...     [Dense(2, 64, stream=stream), ReLU(), Dense(64, 3, stream=stream), Softmax()]
    ... )
    >>> model.compile(Adam(learning_rate=0.05), CategoricalCrossentropy(), [Accuracy()])
    >>> history = model.fit(X, y, epochs=100)
    >>> [round(history.history["loss"][epoch], 3) for epoch in (0, 99)]
    [1.099, 0.697]
    >>> model.predict([[0, 0.5]]).argmax(axis=1).tolist()
    [2]
    """

    def __init__(self, layers):
        self.layers = in_order(layers)
        self.dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        self.stream = None

    def __repr__(self):
        return f"Model([{', '.join(map(repr, self.layers))}])"

    def compile(self, optimizer, loss, metrics=()):
        """Say how the network is to be trained, and what is to be measured.

        Parameters
        ----------
        optimizer : Optimizer
        loss : Loss
            Where `CategoricalCrossentropy` follows a `Softmax`, `fit` takes the short gradient of
            the two together (see `SoftmaxCategoricalCrossentropy`).
        metrics : list of Metric
            What to measure besides the loss.

        Raises
        ------
        TypeError, ValueError
            If an argument is something else, two metrics have one name, or a loss that wants
            probabilities would not get them.
        """
        if not isinstance(metrics, list | tuple):
            raise TypeError(f"metrics must be a list of metrics, got {metrics!r}")
        for name, value, kind in (
            ("optimizer", optimizer, Optimizer),
            ("loss", loss, Loss),
            *((f"metrics[{i}]", metric, Metric) for i, metric in enumerate(metrics)),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name} must be an instance of {kind.__name__}, got {value!r}")
        names = [metric.name for metric in metrics]
        if len(set(names)) < len(names):
            raise ValueError(f"metrics must have different names, got {', '.join(names)}")
        wants_probabilities = isinstance(loss, BinaryCrossentropy | CategoricalCrossentropy)
        if wants_probabilities and not isinstance(self.layers[-1], Sigmoid | Softmax):
            raise ValueError(
                f"loss {type(loss).__name__} wants probabilities: the last layer must be Sigmoid "
                f"or Softmax, got {self.layers[-1]!r}"
            )
        self.optimizer, self.loss, self.metrics = optimizer, loss, list(metrics)

    def fit(
        self,
        X,
        y,
        epochs=1,
        batch_size=None,
        shuffle=True,
        validation_data=None,
        stream=None,
        progress=True,
    ):
        """Train the network.

        Parameters
        ----------
        X : array_like, shape (N, D)
            Inputs, one sample in each row.
        y : array_like
            Targets, in a form that the loss and the metrics take.
        epochs : int
            How often to go through all samples.
        batch_size : int, optional
            Samples for each step of the optimizer; all N when omitted (in Keras, 32). The last
            batch of an epoch holds what is left, and may be smaller.
        shuffle : bool
            Whether each epoch takes the samples in a new order.
        validation_data : pair (X, y), optional
            What to measure at the end of each epoch, and never train on.
        stream : RandomStream, optional
            Where the orders come from. The model keeps it; when omitted, the one kept earlier is
            used, or else the common stream.
        progress : bool
            Whether to show a bar, on a terminal. A notebook stores what it shows, so that it
            never shows one.

        Returns
        -------
        History
            What `evaluate` names, for each epoch; for validation data with ``val_`` before it.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be or the model is not compiled; nothing has
            changed then. ValueError also if the training diverges to numbers that are not finite.

        Notes
        -----
        As in Keras, what is recorded of the training data is the mean over an epoch's batches,
        each counted by its size, and each measured just before its own step: with dropout, and
        while the weights move. Validation data are measured after the last step, without dropout.
        So the two curves differ by more than the data.

        After an interruption (Ctrl-C) the model can be used or trained further, and its `history`
        holds the finished epochs.
        """
        must_have(self, "loss", "compile")
        X, y = self.samples(X, y)
        epochs = whole_number(epochs, "epochs", minimum=1)
        if batch_size is None:
            batch_size = len(X)
        batch_size = whole_number(batch_size, "batch_size", minimum=1)
        shuffle, progress = truth(shuffle, "shuffle"), truth(progress, "progress")
        if validation_data is not None:
            validation_data = self.validation_samples(validation_data)
        orders = stream_or_common(self.stream if stream is None else stream)

        self.stream, self.history = stream or self.stream, History()
        with progress_bar(epochs, progress) as bar:
            for epoch in range(epochs):
                order = orders.permutation(len(X)) if shuffle else np.arange(len(X))
                try:
                    row = self.epoch(X, y, order, batch_size)
                    if validation_data is not None:
                        measured = self.evaluate(*validation_data)
                        row |= {f"val_{name}": value for name, value in measured.items()}
                except ValueError as error:
                    raise ValueError(
                        f"training broke off in epoch {epoch} (has it diverged?): {error}"
                    ) from error
                self.history.rows.append(row)
                bar.set_postfix(loss=row["loss"], refresh=False)
                bar.update()
        return self.history

    def epoch(self, X, y, order, batch_size):
        """Go through all samples once, in the given order; return what was measured on the way."""
        batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
        measured = [self.step(X[batch], y[batch]) for batch in batches]
        return self.averaged(measured, [len(batch) for batch in batches])

    def step(self, X, y):
        """Make one step on one batch; return what was measured before it."""
        output = self.forward(X, training=True)
        measured = self.measure(output, y)
        self.backward(output, y)
        self.optimizer.pre_update_params()
        for layer in self.dense:
            self.optimizer.update_params(layer)
        self.optimizer.post_update_params()
        return measured

    def forward(self, inputs, training):
        """Send inputs of shape (N, D) through the layers; return the last output."""
        return passes.forward(self.layers, inputs, training)

    def backward(self, output, y):
        """Send the gradient of the loss back to the first weights; what lies before has none."""
        short = type(self.loss) is CategoricalCrossentropy and isinstance(self.layers[-1], Softmax)
        last = SoftmaxCategoricalCrossentropy() if short else self.loss
        last.backward(output, y)
        first = self.layers.index(self.dense[0])
        passes.backward(self.layers[first : len(self.layers) - short], last.dinputs)

    def measure(self, output, y):
        """Return the loss and its parts, and the mean that makes up each metric, of one batch."""
        data_loss = self.loss.calculate(output, y)
        regularization_loss = sum(self.loss.regularization_loss(layer) for layer in self.dense)
        return {
            "loss": float(data_loss + regularization_loss),
            "data_loss": float(data_loss),
            "regularization_loss": float(regularization_loss),
            **{metric.name: metric.mean(output, y) for metric in self.metrics},
        }

    def averaged(self, measured, sizes):
        """Return the means over batches, each counted by its size, and the metrics made of them."""
        n_samples = sum(sizes)
        means = {
            name: fsum(n / n_samples * of_batch[name] for n, of_batch in zip(sizes, measured))
            for name in measured[0]
        }
        return means | {metric.name: metric.finish(means[metric.name]) for metric in self.metrics}

    def evaluate(self, X, y):
        """Measure the network as it is, without dropout, on all samples at once.

        Parameters
        ----------
        X, y : array_like
            See `fit`.

        Returns
        -------
        dict
            ``loss``, which is the sum of ``data_loss`` and the penalties' ``regularization_loss``,
            these two, and each metric under its name.

        Raises
        ------
        TypeError, ValueError
            If samples are not what they should be or the model is not compiled.
        """
        must_have(self, "loss", "compile")
        measured = self.measure(self.predict(X), y)
        return self.averaged([measured], [1])

    def predict(self, X):
        """Return the network's output, shape (N, J), for inputs of shape (N, D), without dropout.

        A prediction does not depend on its company: a sample has the same bits alone, among
        others, and when a large X is sent through in pieces.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite numbers with D columns and at least one row.
        """
        return self.forward(self.inputs(X), training=False)

    def inputs(self, X):
        """Return inputs as a finite array (N, D), or raise."""
        X, n_inputs = some_samples(X, "X"), len(self.dense[0].weights)
        if X.shape[1] != n_inputs:
            raise ValueError(
                f"X must have {n_inputs} columns, one for each input of the first Dense layer, "
                f"got shape {X.shape}"
            )
        return X

    def samples(self, X, y):
        """Return inputs and targets as arrays, or raise unless the network can be trained on them.

        Targets are checked by measuring them against predictions of zero.
        """
        X, targets = self.inputs(X), array_of_numbers(y, "y")
        if targets.shape[:1] != (len(X),):
            raise ValueError(
                f"y must hold a target for each of the {len(X)} samples of X, "
                f"got shape {targets.shape}"
            )
        self.measure(np.zeros((len(X), self.dense[-1].weights.shape[1]), X.dtype), y)
        return X, targets

    def validation_samples(self, validation_data):
        """Return the samples of a pair (X, y), as `samples` does, or raise."""
        try:
            X, y = validation_data
            return self.samples(X, y)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation_data must be a pair (X, y): {error}") from None

    def summary(self):
        """Print the layers, the shapes of their outputs and the numbers of their parameters.

        Examples
        --------
        >>> from nnfs_book.network.activations import ReLU
        >>> Model([Dense(2, 64), ReLU(), Dropout(0.1), Dense(64, 3), Softmax()]).summary()
        Layer           Output shape    Parameters
        ------------------------------------------
        Dense(2, 64)    (N, 64)                192
        ReLU()          (N, 64)                  0
        Dropout(0.1)    (N, 64)                  0
        Dense(64, 3)    (N, 3)                 195
        Softmax()       (N, 3)                   0
        ------------------------------------------
        Total                                  387
        """
        rows, width = [], len(self.dense[0].weights)
        for layer in self.layers:
            count = 0
            if isinstance(layer, Dense):
                width, count = layer.weights.shape[1], layer.weights.size + layer.biases.size
            rows.append((repr(layer), f"(N, {width})", count))
        rows.append(("Total", "", sum(count for _, _, count in rows)))
        longest = max(len(name) for name, _, _ in rows)
        lines = [f"{name:{longest}}    {shape:12}{count:>14,}" for name, shape, count in rows]
        rule = "-" * len(lines[0])
        print(f"{'Layer':{longest}}    {'Output shape':12}{'Parameters':>14}", rule, sep="\n")
        print(*lines[:-1], rule, lines[-1], sep="\n")

    def save(self, path):
        """Write the model to a file, so that it can be used and trained on elsewhere.

        The file holds layers, weights, optimizer and its memory, loss, metrics, and how far the
        random streams of the model and its layers have come; but not the `history`, nor the common
        stream. A training that goes on from it makes the same bits as if never interrupted.

        Parameters
        ----------
        path : str or path
            Is replaced if it exists, at once and by the complete file.

        Raises
        ------
        TypeError, ValueError
            If the model has a layer, a loss or anything else that this book does not define, or
            a weight that is not finite.
        OSError
            If the file cannot be written.
        """
        compiled = (self.optimizer, self.loss, self.metrics) if hasattr(self, "loss") else None
        storage.write(path, self.layers, self.stream, compiled)

    @classmethod
    def load(cls, path):
        """Return a model that was saved; nothing in the file is run.

        Parameters
        ----------
        path : str or path
            A file that `save` has written.

        Raises
        ------
        ValueError
            If it holds anything else, or is damaged. The message tells the file and the fault.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> model = Model([Dense(2, 3), Softmax()])
        >>> with TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.npz")
        ...     same = Model.load(f"{folder}/model.npz")
        >>> same, (same.predict([[1, 2]]) == model.predict([[1, 2]])).all()
        (Model([Dense(2, 3), Softmax()]), np.True_)
        """
        with storage.opened(path) as file:
            layers, stream, compiled = storage.read(file)
            model = cls(layers)
            if compiled:
                model.compile(*compiled)
            model.stream = stream
        return model


class History:
    """What a training measured, epoch by epoch.

    Attributes
    ----------
    rows : list of dict
        One for each finished epoch, from quantity to number.
    epoch : list of int
        0, 1, and so on.
    history : dict of list
        The same numbers as in `rows`, a list for each quantity.

    Examples
    --------
    >>> history = History()
    >>> history.rows += [{"loss": 0.7}, {"loss": 0.4}]
    >>> history.epoch, history.history
    ([0, 1], {'loss': [0.7, 0.4]})
    """

    def __init__(self):
        self.rows = []

    @property
    def epoch(self):
        """The numbers of the finished epochs."""
        return list(range(len(self.rows)))

    @property
    def history(self):
        """A list for each quantity."""
        names = self.rows[0] if self.rows else ()
        return {name: [row[name] for row in self.rows] for name in names}

    def __repr__(self):
        epochs = f"{len(self.rows)} {'epoch' if len(self.rows) == 1 else 'epochs'}"
        return f"History of {epochs}: {', '.join(self.history)}"

    def plot(self):
        """Draw the loss, and each metric below it, against the epoch.

        Returns
        -------
        list of matplotlib Axes

        Raises
        ------
        ValueError
            If no epoch is finished.

        Examples
        --------
        >>> import matplotlib.pyplot as plt
        >>> history = History()
        >>> history.rows += [{"loss": 0.7, "val_loss": 0.8}, {"loss": 0.4, "val_loss": 0.6}]
        >>> (ax,) = history.plot()
        >>> [line.get_label() for line in ax.lines]
        ['training', 'validation']
        >>> plt.close()
        """
        import matplotlib.pyplot as plt  # not above, so that networks are trained without it

        if not self.rows:
            raise ValueError("History has no epoch to plot yet")
        parts = ("data_loss", "regularization_loss")
        names = [name for name in self.history if not name.startswith("val_") and name not in parts]
        width, height = plt.rcParams["figure.figsize"]
        size = width, height * (len(names) + 1) / 2
        _, axes = plt.subplots(len(names), sharex=True, squeeze=False, figsize=size)
        for ax, name in zip(axes.flat, names):
            for label, quantity in (("training", name), ("validation", f"val_{name}")):
                if quantity in self.history:
                    ax.plot(self.epoch, self.history[quantity], lw=1.2, label=label)
            ax.set_ylabel(name.replace("_", " "))
        ax.set_xlabel("epoch")
        axes[0, 0].legend()
        return list(axes.flat)


def in_order(layers):
    """Return layers as a tuple, or raise unless each can follow the one before it.

    Examples
    --------
    >>> in_order([Dense(2, 64), Dropout(0.5), Dense(32, 3)])
    Traceback (most recent call last):
        ...
    ValueError: layers[2], Dense(32, 3), must have 64 inputs, as many as layers[0] has neurons
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(f"layers must be a list of layers, got {layers!r}")
    before = None
    for i, layer in enumerate(layers):
        if not isinstance(layer, Dense | Dropout | Activation):
            raise TypeError(f"layers[{i}] must be a Dense, Dropout or activation, got {layer!r}")
        first = layers.index(layer)
        if first < i:
            raise ValueError(f"layers[{i}] must be a layer of its own, got layers[{first}] again")
        if isinstance(layer, Dense):
            n_inputs, n_neurons = layer.weights.shape
            if before is not None and n_inputs != layers[before].weights.shape[1]:
                raise ValueError(
                    f"layers[{i}], {layer!r}, must have "
                    f"{layers[before].weights.shape[1]} inputs, as many as layers[{before}] has "
                    "neurons"
                )
            before = i
    if before is None:
        raise ValueError(f"layers must hold at least one Dense, got {list(layers)}")
    return tuple(layers)


def progress_bar(epochs, wanted):
    """Return a bar that shows how far a training is, on a terminal where tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:  # a network needs NumPy alone
        return NoBar()
    return tqdm(total=epochs, unit="epoch", disable=None if wanted else True)


class NoBar(nullcontext):
    """What stands for a bar where there is none."""

    def __enter__(self):
        return self

    def update(self):
        """Show nothing."""

    def set_postfix(self, **shown):
        """Show nothing."""
