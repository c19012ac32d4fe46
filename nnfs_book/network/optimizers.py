"""Optimizers: how a gradient becomes a step.

All follow one protocol, once for each epoch::

    optimizer.pre_update_params()       # the learning rate decays
    optimizer.update_params(layer)      # for each layer with weights
    optimizer.post_update_params()      # the count of steps goes up
"""

from types import SimpleNamespace

import numpy as np

from nnfs_book.arithmetic import fast, has_twin, power
from nnfs_book.network.settings import Settings
from nnfs_book.network.validation import must_have, number, same_shape, with_weights


class Optimizer(Settings):
    r"""What all optimizers share: the decaying learning rate and the update of a layer.

    An optimizer says in `remembers` what it keeps for each array of parameters, and in `step` how a
    gradient becomes a step. What it remembers are arrays shaped as the parameters, zero at first;
    they are kept with the layer and stored with the model.

    Parameters
    ----------
    learning_rate : float
        :math:`\eta \ge 0`.
    decay : float
        :math:`\gamma \ge 0`: after t steps the rate is :math:`\eta / (1 + \gamma t)`.

    Attributes
    ----------
    current_learning_rate : float
        The rate in force, set by `pre_update_params`.
    iterations : int
        t, the number of steps made.
    formula : dict or None
        In SymPy's language, what each array in `remembers` becomes, in that order, and then the
        ``step``: functions of the gradient g, what is remembered (``memory_cache``), the settings
        by name, with the learning rate in force, and t, the number of this step, from 1. The tests
        compare `step` with it.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number in its range.

    Notes
    -----
    Source: claim S2-14.
    """

    remembers, formula = (), None

    def __init__(self, learning_rate, decay=0.0):
        self.learning_rate = number(learning_rate, "learning_rate")
        self.decay = number(decay, "decay")
        self.current_learning_rate = self.learning_rate
        self.iterations = 0
        self._key = object()  # tells what this optimizer remembers from what others do

    def pre_update_params(self):
        """Set the learning rate for the coming step."""
        self.current_learning_rate = self.learning_rate * (1 / (1 + self.decay * self.iterations))

    def update_params(self, layer):
        """Move the weights and biases of a layer by one step, in place."""
        must_have(with_weights(layer), "dweights", "backward")
        dweights = same_shape(layer.dweights, layer.weights, "dweights", "weights")
        dbiases = same_shape(layer.dbiases, layer.biases, "dbiases", "biases")
        step = fast(self.step)
        layer.weights += step(dweights, self.memory_of(layer, "weights"))
        layer.biases += step(dbiases, self.memory_of(layer, "biases"))

    def memory_of(self, layer, name):
        """Return what this optimizer remembers of one array of a layer, zeros at first.

        It is kept with the layer, so that the two are copied and stored together.
        """
        memories = layer.__dict__.setdefault("optimizer_memory", {})
        parameters = getattr(layer, name)
        memory = memories.get((self._key, name))
        shapes = [] if memory is None else [a.shape for a in vars(memory).values()]
        if memory is None or shapes != [parameters.shape] * len(shapes):
            zeros = {kept: np.zeros_like(parameters) for kept in self.remembers}
            memory = memories[self._key, name] = SimpleNamespace(**zeros)
        return memory

    def post_update_params(self):
        """Count the step."""
        self.iterations += 1


class SGD(Optimizer):
    r"""Gradient descent, with momentum if wanted: :math:`m \leftarrow \mu m - \eta g`.

    Parameters
    ----------
    learning_rate, decay : float
        See `Optimizer`.
    momentum : float
        :math:`\mu` in [0, 1): the share of the last step that goes into the next one.

    Examples
    --------
    >>> from nnfs_book.network.layers import Dense
    >>> layer = Dense(1, 1)
    >>> layer.weights[:] = 3
    >>> layer.dweights, layer.dbiases = np.ones((1, 1)), np.zeros((1, 1))
    >>> SGD(learning_rate=0.5).update_params(layer)
    >>> layer.weights.tolist()
    [[2.5]]
    """

    remembers = ("momentum",)
    formula = {
        "momentum": "momentum * memory_momentum - learning_rate * g",
        "step": "memory_momentum",
    }

    def __init__(self, learning_rate=1.0, decay=0.0, momentum=0.0):
        super().__init__(learning_rate, decay)
        self.momentum = number(momentum, "momentum", below=1)

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        memory.momentum = self.momentum * memory.momentum - self.current_learning_rate * gradient
        return memory.momentum


class Adagrad(Optimizer):
    r"""AdaGrad: each parameter's rate shrinks with the squares it has seen.

    .. math:: c \leftarrow c + g^2, \qquad \text{step} = -\eta\, g / (\sqrt c + \varepsilon).

    Parameters
    ----------
    learning_rate, decay : float
        See `Optimizer`.
    epsilon : float
        :math:`\varepsilon > 0` keeps the division finite.

    Examples
    --------
    >>> from nnfs_book.network.layers import Dense
    >>> layer = Dense(1, 1)
    >>> layer.weights[:] = 3
    >>> layer.dweights, layer.dbiases = np.ones((1, 1)), np.zeros((1, 1))
    >>> Adagrad(learning_rate=0.5).update_params(layer)
    >>> layer.weights.tolist()
    [[2.5]]
    """

    remembers = ("cache",)
    formula = {
        "cache": "memory_cache + g**2",
        "step": "-learning_rate * g / (sqrt(memory_cache) + epsilon)",
    }

    def __init__(self, learning_rate=1.0, decay=0.0, epsilon=1e-7):
        super().__init__(learning_rate, decay)
        self.epsilon = number(epsilon, "epsilon", positive=True)

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        memory.cache = memory.cache + gradient**2
        return -self.current_learning_rate * gradient / (np.sqrt(memory.cache) + self.epsilon)


class RMSprop(Optimizer):
    r"""RMSprop: AdaGrad with a memory that fades.

    .. math::
        c \leftarrow \rho c + (1-\rho) g^2, \qquad
        \text{step} = -\eta\, g / (\sqrt c + \varepsilon).

    Parameters
    ----------
    learning_rate, decay, epsilon : float
        See `Adagrad`.
    rho : float
        :math:`\rho` in [0, 1): how slowly the memory fades.

    Examples
    --------
    >>> from nnfs_book.network.layers import Dense
    >>> layer = Dense(1, 1)
    >>> layer.weights[:] = 3
    >>> layer.dweights, layer.dbiases = np.ones((1, 1)), np.zeros((1, 1))
    >>> RMSprop(learning_rate=0.5, rho=0.75).update_params(layer)
    >>> layer.weights.round(3).tolist()
    [[2.0]]
    """

    remembers = ("cache",)
    formula = {
        "cache": "rho * memory_cache + (1 - rho) * g**2",
        "step": "-learning_rate * g / (sqrt(memory_cache) + epsilon)",
    }

    def __init__(self, learning_rate=0.001, decay=0.0, epsilon=1e-7, rho=0.9):
        super().__init__(learning_rate, decay)
        self.epsilon = number(epsilon, "epsilon", positive=True)
        self.rho = number(rho, "rho", below=1)

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        memory.cache = self.rho * memory.cache + (1 - self.rho) * gradient**2
        return -self.current_learning_rate * gradient / (np.sqrt(memory.cache) + self.epsilon)


class Adam(Optimizer):
    r"""Adam: momentum and RMSprop together, both corrected for their start at zero.

    .. math::
        m \leftarrow \beta_1 m + (1-\beta_1) g, \qquad
        c \leftarrow \beta_2 c + (1-\beta_2) g^2, \qquad
        \text{step} = -\eta\, \frac{m / (1-\beta_1^t)}{\sqrt{c / (1-\beta_2^t)} + \varepsilon}.

    Parameters
    ----------
    learning_rate, decay, epsilon : float
        See `Adagrad`.
    beta_1, beta_2 : float
        In [0, 1): how slowly the means of g and of its square fade.

    Examples
    --------
    >>> from nnfs_book.network.layers import Dense
    >>> layer = Dense(1, 1)
    >>> layer.weights[:] = 3
    >>> layer.dweights, layer.dbiases = np.ones((1, 1)), np.zeros((1, 1))
    >>> Adam(learning_rate=0.5).update_params(layer)
    >>> layer.weights.tolist()
    [[2.5]]
    """

    remembers = ("momentum", "cache")
    formula = {
        "momentum": "beta_1 * memory_momentum + (1 - beta_1) * g",
        "cache": "beta_2 * memory_cache + (1 - beta_2) * g**2",
        "step": "-learning_rate * memory_momentum / (1 - beta_1**t)"
        " / (sqrt(memory_cache / (1 - beta_2**t)) + epsilon)",
    }

    def __init__(self, learning_rate=0.001, decay=0.0, epsilon=1e-7, beta_1=0.9, beta_2=0.999):
        super().__init__(learning_rate, decay)
        self.epsilon = number(epsilon, "epsilon", positive=True)
        self.beta_1 = number(beta_1, "beta_1", below=1)
        self.beta_2 = number(beta_2, "beta_2", below=1)

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        t = self.iterations + 1
        memory.momentum = self.beta_1 * memory.momentum + (1 - self.beta_1) * gradient
        memory.cache = self.beta_2 * memory.cache + (1 - self.beta_2) * gradient**2
        momentum = memory.momentum / (1 - power(self.beta_1, t))
        cache = memory.cache / (1 - power(self.beta_2, t))
        return -self.current_learning_rate * momentum / (np.sqrt(cache) + self.epsilon)


has_twin(Adam.step, "adam")
