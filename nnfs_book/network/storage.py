"""Models in files: arrays in NumPy's .npz format, and a description of the rest as JSON.

Nothing in such a file is code (no pickle). It is written beside its place and moved there when it
is complete; it is read and checked as a whole, or refused.
"""

import json
import os
import zipfile
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import numpy as np

from nnfs_book.network import activations, losses, metrics, optimizers
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.randomness import RandomStream
from nnfs_book.network.validation import finite, number, whole_number

FORMAT = "nnfs_book model 1"


def kinds(module, base, mathematics):
    """Return, by name, the classes of a module that are kinds of `base` and complete.

    A class is complete when it has the method that states its mathematics, which a mere base has
    not.

    Examples
    --------
    >>> list(kinds(optimizers, optimizers.Optimizer, "step"))
    ['SGD', 'Adagrad', 'RMSprop', 'Adam']
    """
    found = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, base)]
    return {kind.__name__: kind for kind in found if hasattr(kind, mathematics)}


LAYERS = {"Dense": Dense, "Dropout": Dropout}
LAYERS |= kinds(activations, activations.Activation, "function")
OPTIMIZERS = kinds(optimizers, optimizers.Optimizer, "step")
LOSSES = kinds(losses, losses.Loss, "sample_losses")
METRICS = kinds(metrics, metrics.Metric, "mean")


def write(path, layers, stream, compiled):
    """Write a network to a file, with all that is needed to train on as if never interrupted.

    Parameters
    ----------
    path : str or path
        A file of that name is replaced.
    layers : sequence of layers
    stream : RandomStream or None
        Where the orders of the samples come from.
    compiled : tuple or None
        The optimizer, the loss and the list of metrics.

    Raises
    ------
    TypeError
        If one of the layers or of these is of a kind that the book does not define.
    ValueError
        If a parameter is not finite.
    OSError
        If the file cannot be written.
    """
    description = {"format": FORMAT, "layers": [described(layer, LAYERS) for layer in layers]}
    optimizer = None
    if compiled:
        optimizer, loss, metrics = compiled
        description["optimizer"] = described(optimizer, OPTIMIZERS)
        description["iterations"] = optimizer.iterations
        description["current_learning_rate"] = optimizer.current_learning_rate
        description["loss"] = described(loss, LOSSES)
        description["metrics"] = [described(metric, METRICS) for metric in metrics]
    # Each stream is stored once, and a number tells who draws from which: the layers, then the model.
    drawn_from = [getattr(layer, "stream", None) for layer in layers] + [stream]
    streams = list(dict.fromkeys(s for s in drawn_from if s))
    description["streams"] = [stream.state for stream in streams]
    description["drawn_from"] = [streams.index(s) if s else None for s in drawn_from]
    arrays = {
        name: checked(getattr(owner, attribute), name)
        for name, owner, attribute in parameters(layers, optimizer)
    }
    text = json.dumps(description, allow_nan=False)
    write_arrays(path, {"description": np.frombuffer(text.encode(), np.uint8), **arrays})


def read(file):
    """Return the layers, the stream and what was compiled, as `write` was given them.

    Parameters
    ----------
    file : binary file
        From `opened`, which makes a ValueError of whatever goes wrong here.
    """
    arrays = read_arrays(file)
    description = json.loads(entry(arrays, "description").tobytes())
    if description["format"] != FORMAT:
        raise ValueError(f"the format must be {FORMAT!r}, got {description['format']!r}")
    layers, compiled, optimizer = [], None, None
    for i, settings in enumerate(description["layers"]):
        if settings["kind"] == "Dense":
            shape = entry(arrays, f"layers.{i}.weights").shape
            layers.append(made(settings, LAYERS, *shape, stream=RandomStream(0)))
        else:
            layers.append(made(settings, LAYERS))
    if "optimizer" in description:
        optimizer = made(description["optimizer"], OPTIMIZERS)
        optimizer.iterations = whole_number(description["iterations"], "iterations", minimum=0)
        rate = number(description["current_learning_rate"], "current_learning_rate")
        optimizer.current_learning_rate = rate
        metrics = [made(settings, METRICS) for settings in description["metrics"]]
        compiled = optimizer, made(description["loss"], LOSSES), metrics
    surplus = arrays.keys() - {"description"}
    for name, owner, attribute in parameters(layers, optimizer):
        shape = getattr(owner, attribute).shape
        setattr(owner, attribute, checked(entry(arrays, name), name, shape))
        surplus.remove(name)
    if surplus:
        raise ValueError(f"{', '.join(sorted(surplus))} must belong to a layer, but does not")
    streams = [RandomStream(0) for _ in description["streams"]]
    for stream, state in zip(streams, description["streams"]):
        stream.state = state
    *of_layers, of_model = [None if i is None else streams[i] for i in description["drawn_from"]]
    for layer, stream in zip(layers, of_layers, strict=True):
        if isinstance(layer, Dropout):
            layer.stream = stream
    return layers, of_model, compiled


def entry(arrays, name):
    """Return one of the arrays in a file, or raise ValueError if it is missing.

    Examples
    --------
    >>> entry({}, "layers.0.biases")
    Traceback (most recent call last):
        ...
    ValueError: layers.0.biases is missing
    """
    if name not in arrays:
        raise ValueError(f"{name} is missing")
    return arrays[name]


def described(thing, known):
    """Return the kind of a thing and its settings, which are the numbers that it was made with.

    Examples
    --------
    >>> described(Dropout(0.5), LAYERS)
    {'kind': 'Dropout', 'rate': 0.5}
    """
    kind = type(thing)
    if known.get(kind.__name__) is not kind:
        raise TypeError(f"a {kind.__name__} cannot be stored: it is none of {', '.join(known)}")
    elsewhere = ("n_inputs", "n_neurons")  # they are the shape of the weights
    settings = {k: float(v) for k, v in thing.settings().items() if k not in elsewhere}
    return {"kind": kind.__name__} | settings


def made(settings, known, *arguments, **more):
    """Return a new thing of a kind, with the settings that `described` has returned.

    Examples
    --------
    >>> made({"kind": "Dropout", "rate": 0.5}, LAYERS).rate
    0.5
    """
    settings = dict(settings)
    kind = settings.pop("kind")
    if kind not in known:
        raise ValueError(f"a kind must be one of {', '.join(known)}, got {kind!r}")
    return known[kind](*arguments, **settings, **more)


def parameters(layers, optimizer):
    """Yield each array's name in a file, the object that has it, and the name of its attribute."""
    for i, layer in enumerate(layers):
        for part in ("weights", "biases") if isinstance(layer, Dense) else ():
            yield f"layers.{i}.{part}", layer, part
            if optimizer:
                memory = optimizer.memory_of(layer, part)
                for kept in list(vars(memory)):
                    yield f"layers.{i}.{part}.{kept}", memory, kept


def checked(a, name, shape=None):
    """Return an array, or raise unless it holds finite float numbers in the given shape.

    Examples
    --------
    >>> checked(np.array([[1, 2]]), "layers.0.weights")
    Traceback (most recent call last):
        ...
    TypeError: layers.0.weights must be of type float32 or float64, got int64
    """
    if a.dtype not in (np.float32, np.float64):
        raise TypeError(f"{name} must be of type float32 or float64, got {a.dtype}")
    if shape is not None and a.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {a.shape}")
    return finite(a, name)


def write_arrays(path, arrays):
    """Write arrays to a file: all of them, or none, and then an older file is left as it was."""
    path = Path(path)
    beside = path.with_name(f"{path.name}.{token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_arrays(file):
    """Return the arrays in a file by name, or raise unless it is as `write_arrays` left it."""
    if not zipfile.is_zipfile(file):
        raise ValueError("it is no archive of arrays, or not a complete one")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        claimed = sum(member.file_size for member in archive.zip.infolist())
        if claimed > os.fstat(file.fileno()).st_size:
            raise ValueError(f"it claims to hold {claimed} bytes, more than it has")
        return dict(archive)  # each array has a check sum, with which zipfile compares it


@contextmanager
def opened(path):
    """Open a file for reading; any fault found in it, while it is open, becomes a ValueError."""
    with open(path, "rb") as file:
        try:
            yield file
        except Exception as error:
            reason = error if isinstance(error, TypeError | ValueError) else repr(error)
            raise ValueError(f"{path} is no model as `save` writes them: {reason}") from error
