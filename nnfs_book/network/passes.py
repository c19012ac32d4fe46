"""The two ways through a network: forward with samples, backward with gradients."""

from nnfs_book.arithmetic import fast, has_its_twins, has_twin
from nnfs_book.network.activations import ReLU
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.validation import must_have


def forward(layers, inputs, training=True):
    """Send inputs through layers, one after the other, and return the last output.

    Parameters
    ----------
    layers : sequence of Layer
    inputs : array_like, shape (N, D)
    training : bool
        If not, `Dropout` is left out.

    Returns
    -------
    ndarray, shape (N, M)

    Raises
    ------
    TypeError, ValueError
        What the first layer that cannot take its inputs raises.

    Notes
    -----
    What the layers do is said by `through`. A hidden layer between few inputs and few outputs has a
    compiled twin that passes it in one go; what its layers would have kept is then not kept, but
    for what `backward` needs.

    Examples
    --------
    >>> layers = [Dense(2, 1), ReLU()]
    >>> layers[0].weights[:] = [[2], [3]]
    >>> forward(layers, [[1, 10]]).tolist()
    [[32.0]]
    """
    if not training:
        layers = [layer for layer in layers if not isinstance(layer, Dropout)]
    hidden, others = split(layers)
    if hidden:
        output = fast(through)(hidden, inputs)
        inputs = through(hidden, inputs) if output is None else output
    return through(others, inputs)


def backward(layers, dvalues):
    """Send the gradient of the loss at the last output back, down to the first weights.

    Parameters
    ----------
    layers : sequence of Layer
        They have sent inputs `forward`.
    dvalues : array_like, shape (N, M)
        The gradient at the output of the last one.

    Raises
    ------
    TypeError, ValueError
        What the first layer that cannot take its gradient raises.

    Notes
    -----
    See `back_through`, and the notes of `forward`. The gradient at the first inputs, which moves
    nothing, may be left out.

    Examples
    --------
    >>> layers = [Dense(2, 1), ReLU()]
    >>> layers[0].weights[:] = [[2], [3]]
    >>> output = forward(layers, [[1, 10]])
    >>> backward(layers, [[1]])
    >>> layers[0].dweights.tolist()
    [[1.0], [10.0]]
    """
    first, others = split(layers)
    if not first and [type(layer) for layer in layers[:1]] == [Dense] and has_its_twins(Dense):
        first, others = layers[:1], layers[1:]
    dvalues = back_through(others, dvalues)
    if first:
        must_have(first[-1], "output", "forward")
        must_have(first[0], "inputs", "forward")
        if fast(back_through)(first, dvalues) is None:
            if not hasattr(first[0], "output"):  # they were passed in one go
                recall(first)
            back_through(first, dvalues)


def through(layers, inputs):
    """Send inputs through layers, one after the other, and return the last output."""
    for layer in layers:
        layer.forward(inputs)
        inputs = layer.output
    return inputs


def back_through(layers, dvalues):
    """Send a gradient back through layers, last one first, and return the one at their inputs."""
    for layer in reversed(layers):
        layer.backward(dvalues)
        dvalues = layer.dinputs
    return dvalues


def recall(hidden):
    """Let the layers within a hidden one keep what passing it in one go has left out."""
    first, relu, *dropout, last = hidden
    first.forward(first.inputs)
    relu.forward(first.output)
    for layer in dropout:
        layer.forward(relu.output, training=False)
        if layer.rate:
            layer.binary_mask = layer.drawn * layer.scale(last.inputs.dtype.type)


def split(layers):
    """Return the layers at the beginning that may be passed in one go, and the others.

    Examples
    --------
    >>> hidden, others = split([Dense(2, 64), ReLU(), Dropout(0.1), Dense(64, 3), ReLU()])
    >>> len(hidden) in (0, 4), len(others) in (5, 1)  # the reference has no twins
    (True, True)
    """
    dropped = len(layers) > 2 and type(layers[2]) is Dropout
    kinds = [Dense, ReLU, Dropout, Dense] if dropped else [Dense, ReLU, Dense]
    n = len(kinds)
    if [type(layer) for layer in layers[:n]] == kinds and has_its_twins(Dense, ReLU):
        return layers[:n], layers[n:]
    return [], layers


has_twin(through, "hidden_forward_pass")
has_twin(back_through, "backward_pass")
