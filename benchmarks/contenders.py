"""Who is timed: one class each, all doing the same work from the same start.

The peers are imported when they are used, so that a process holds no library but its own.
"""

import numpy as np

from benchmarks.configurations import EPSILON
from nnfs_book.arithmetic import native
from nnfs_book.checks.experiments import fingerprint
from nnfs_book.network.activations import ReLU
from nnfs_book.network.layers import Dense, Dropout
from nnfs_book.network.losses import SoftmaxCategoricalCrossentropy
from nnfs_book.network.optimizers import Adam
from nnfs_book.network.passes import backward, forward
from nnfs_book.network.randomness import RandomStream


class Contender:
    """What all contenders share: a configuration, its data, and epochs made of steps.

    Parameters
    ----------
    configuration : Configuration
    seed : int
        Of the starting weights, and of the dropout masks.

    Attributes
    ----------
    name : str
    backend : str
        The arithmetic of `nnfs_book` in the contender's process.
    modules : tuple of str
        What the contender imports, beyond what all do.
    """

    backend = "reference"
    modules = ()

    def __init__(self, configuration, seed=0):
        self.configuration = configuration
        self.X, self.y = configuration.make_data()
        self.epochs = 0
        self.build(configuration.start(seed), seed)

    @classmethod
    def takes_part(cls, configuration):
        """Tell whether the contender can do the work of a configuration."""
        return True

    @classmethod
    def same_objective(cls, configuration):
        """Tell whether it minimises everybody's loss, so that its own can be compared."""
        return True

    @classmethod
    def differs(cls, configuration):
        """Return in words where its work is not quite everybody's; empty where it is."""
        return ""

    def epoch(self):
        """Train for one epoch and return the mean of its steps' losses."""
        batches = self.configuration.batches(self.epochs, len(self.X))
        losses = [self.step(rows) for rows in batches]
        self.epochs += 1
        return sum(float(loss) for loss in losses) / len(losses)

    def take(self, rows):
        """Return the samples of a batch."""
        return (self.X, self.y) if rows is None else (self.X[rows], self.y[rows])

    def loss(self):
        """Return the loss of the present weights, by everybody's judge."""
        return self.configuration.loss(self.weights())


class Ours(Contender):
    """The layers of `nnfs_book`, in exact arithmetic, its sums compiled."""

    name = "ours compiled"
    backend = "compiled"
    modules = ("nnfs_book.arithmetic.compiled",)

    def build(self, start, seed):
        """Stack the layers and give the dense ones their starting weights."""
        configuration, self.layers = self.configuration, []
        masks = RandomStream(seed)
        for i, (weights, biases) in enumerate(start):
            l2 = configuration.l2 if i == 0 else 0
            dense = Dense(*weights.shape, weight_regularizer_l2=l2, bias_regularizer_l2=l2)
            dense.weights, dense.biases = weights, biases
            self.layers.append(dense)
            if i < len(start) - 1:
                self.layers.append(ReLU())
                if configuration.dropout:
                    self.layers.append(Dropout(configuration.dropout, stream=masks))
        self.dense = [layer for layer in self.layers if isinstance(layer, Dense)]
        self.loss_activation = SoftmaxCategoricalCrossentropy()
        self.optimizer = Adam(configuration.learning_rate, configuration.decay, EPSILON)

    def step(self, rows):
        """Go forward, backward and one step on, as the book's training loops do."""
        output, y = self.take(rows)
        output = forward(self.layers, output)
        loss = self.loss_activation.forward(output, y)
        loss += self.loss_activation.loss.regularization_loss(self.dense[0])

        self.loss_activation.backward(self.loss_activation.output, y)
        backward(self.layers, self.loss_activation.dinputs)

        self.optimizer.pre_update_params()
        for layer in self.dense:
            self.optimizer.update_params(layer)
        self.optimizer.post_update_params()
        return loss

    def weights(self):
        """Return the weights and biases of each layer."""
        return [(layer.weights, layer.biases) for layer in self.dense]

    def sha256(self):
        """Return the hash of all weights and biases: equal hash, equal bits."""
        return fingerprint(self.dense)


class OursReference(Ours):
    """The same layers and the same bits, computed by the definitions that the chapters show."""

    name = "ours reference"
    backend = "reference"
    modules = ()


class OursNative(OursReference):
    """The same layers in plain NumPy arithmetic."""

    name = "ours native"

    def epoch(self):
        """Train for one epoch inside ``with native():``."""
        with native():
            return super().epoch()


class PlainNumpy(Contender):
    """The loop that learners write: a new array for every result."""

    name = "plain NumPy"

    def build(self, start, seed):
        """Make lists of weights, biases and Adam's two memories."""
        self.parameters = [array for pair in start for array in pair]
        self.momentums = [np.zeros_like(p) for p in self.parameters]
        self.caches = [np.zeros_like(p) for p in self.parameters]
        self.draw = np.random.RandomState(seed)
        self.steps = 0

    def step(self, rows):
        """Go forward, backward and one step on."""
        X, y = self.take(rows)
        weights, biases = self.parameters[::2], self.parameters[1::2]
        l2, rate = self.configuration.l2, self.configuration.dropout

        inputs, sums, masks = [X], [], []
        for w, b in zip(weights[:-1], biases[:-1]):
            sums.append(inputs[-1] @ w + b)
            output = np.maximum(0, sums[-1])
            if rate:
                kept = self.draw.binomial(1, 1 - rate, size=output.shape)
                masks.append((kept / (1 - rate)).astype(np.float32))
                output = output * masks[-1]
            inputs.append(output)
        logits = inputs[-1] @ weights[-1] + biases[-1]

        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        correct = np.clip(probabilities[range(len(y)), y], 1e-7, 1 - 1e-7)
        loss = np.mean(-np.log(correct))
        if l2:
            loss = loss + l2 * np.sum(weights[0] ** 2) + l2 * np.sum(biases[0] ** 2)

        one_hot = np.eye(probabilities.shape[1], dtype=np.float32)[y]
        dvalues = (probabilities - one_hot) / np.float32(len(y))
        gradients = []
        for i in reversed(range(len(weights))):
            gradients = [
                inputs[i].T @ dvalues,
                dvalues.sum(axis=0, keepdims=True),
                *gradients,
            ]
            if i > 0:
                dvalues = dvalues @ weights[i].T
                if rate:
                    dvalues = dvalues * masks[i - 1]
                dvalues = dvalues * (sums[i - 1] > 0)
        if l2:
            gradients[0] = gradients[0] + 2 * l2 * weights[0]
            gradients[1] = gradients[1] + 2 * l2 * biases[0]

        learning_rate = self.configuration.learning_rate
        learning_rate = learning_rate / (1 + self.configuration.decay * self.steps)
        self.steps += 1
        for i, gradient in enumerate(gradients):
            self.momentums[i] = 0.9 * self.momentums[i] + 0.1 * gradient
            self.caches[i] = 0.999 * self.caches[i] + 0.001 * gradient**2
            momentum = self.momentums[i] / (1 - 0.9**self.steps)
            cache = self.caches[i] / (1 - 0.999**self.steps)
            self.parameters[i] = self.parameters[i] - learning_rate * momentum / (
                np.sqrt(cache) + EPSILON
            )
        return loss

    def weights(self):
        """Return the weights and biases of each layer."""
        return list(zip(self.parameters[::2], self.parameters[1::2]))


class PyTorchEager(Contender):
    """PyTorch as its tutorials write it."""

    name = "PyTorch eager"
    modules = ("torch",)

    def build(self, start, seed):
        """Stack the modules and copy the starting weights into them."""
        import torch

        torch.manual_seed(seed)
        configuration, modules = self.configuration, []
        for i, (weights, biases) in enumerate(start):
            linear = torch.nn.Linear(*weights.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weights.T))
                linear.bias.copy_(torch.from_numpy(biases[0]))
            modules.append(linear)
            if i < len(start) - 1:
                modules.append(torch.nn.ReLU())
                if configuration.dropout:
                    modules.append(torch.nn.Dropout(configuration.dropout))
        self.X, self.y = torch.from_numpy(self.X), torch.from_numpy(self.y.astype(np.int64))
        self.model = torch.nn.Sequential(*modules)
        self.criterion = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=self.learning_rate(), eps=EPSILON
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 1 / (1 + configuration.decay * step)
        )

    def learning_rate(self):
        """Return the learning rate in the form that the optimizer takes it."""
        return self.configuration.learning_rate

    def step(self, rows):
        """Take one step and move the learning rate on."""
        if rows is not None:
            import torch

            rows = torch.from_numpy(rows)
        loss = self.train(*self.take(rows))
        if self.configuration.decay:
            self.scheduler.step()
        return loss

    def train(self, X, y):
        """Go forward, backward and one step on."""
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(X), y)
        if self.configuration.l2:
            first = self.model[0]
            loss = loss + self.configuration.l2 * (first.weight**2).sum()
            loss = loss + self.configuration.l2 * (first.bias**2).sum()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def weights(self):
        """Return the weights and biases of each layer."""
        linear = [module for module in self.model if hasattr(module, "weight")]
        return [(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in linear]


class PyTorchCompiled(PyTorchEager):
    """The same with the whole step compiled, backward pass and optimizer included."""

    name = "PyTorch compiled"

    def build(self, start, seed):
        """Build as the eager one does, then compile the step."""
        super().build(start, seed)
        import torch

        torch.compiler.reset()  # what other seeds have compiled counts towards a limit
        self.train = torch.compile(self.train, dynamic=False)

    def learning_rate(self):
        """Return a tensor: each new value of a float would be compiled anew."""
        import torch

        return torch.tensor(self.configuration.learning_rate)


class JaxJitted(Contender):
    """JAX with the whole step in one jitted function, its state donated."""

    name = "JAX jitted"
    modules = ("jax",)

    def build(self, start, seed):
        """Put data and state on the device and jit the step."""
        import jax

        self.X, self.y = jax.numpy.asarray(self.X), jax.numpy.asarray(self.y, jax.numpy.int32)
        parameters = jax.tree.map(jax.numpy.asarray, start)
        self.state = {
            "parameters": parameters,
            "momentums": jax.tree.map(jax.numpy.zeros_like, parameters),
            "caches": jax.tree.map(jax.numpy.zeros_like, parameters),
            "steps": jax.numpy.zeros((), jax.numpy.int32),
            "key": jax.random.key(seed),
        }
        self.train = jax.jit(self.make_step(), donate_argnums=0)

    def make_step(self):
        """Return the function of state and batch that takes one step."""
        import jax
        import jax.numpy as jnp

        configuration = self.configuration
        l2, rate = configuration.l2, configuration.dropout

        def loss_of(parameters, X, y, key):
            output = X
            for i, (w, b) in enumerate(parameters):
                output = output @ w + b
                if i < len(parameters) - 1:
                    output = jax.nn.relu(output)
                    if rate:
                        layer_key = jax.random.fold_in(key, i)
                        kept = jax.random.bernoulli(layer_key, 1 - rate, output.shape)
                        output = jnp.where(kept, output / (1 - rate), 0)
            log_probabilities = jax.nn.log_softmax(output)
            loss = -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()
            return loss + l2 * sum((p**2).sum() for p in parameters[0]) if l2 else loss

        def step(state, X, y, rows):
            if rows is not None:
                X, y = X[rows], y[rows]
            key, mask_key = jax.random.split(state["key"]) if rate else (state["key"], None)
            loss, gradients = jax.value_and_grad(loss_of)(state["parameters"], X, y, mask_key)
            steps = state["steps"] + 1
            rate_now = configuration.learning_rate / (1 + configuration.decay * (steps - 1))

            def moved(p, m, c):
                m, c = m / (1 - 0.9**steps), c / (1 - 0.999**steps)
                return p - rate_now * m / (jnp.sqrt(c) + EPSILON)

            momentums = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["momentums"], gradients)
            caches = jax.tree.map(lambda c, g: 0.999 * c + 0.001 * g**2, state["caches"], gradients)
            parameters = jax.tree.map(moved, state["parameters"], momentums, caches)
            state = {
                "parameters": parameters,
                "momentums": momentums,
                "caches": caches,
                "steps": steps,
                "key": key,
            }
            return state, loss

        return step

    def step(self, rows):
        """Take one step; the loss may still be on its way."""
        self.state, loss = self.train(self.state, self.X, self.y, rows)
        return loss

    def epoch(self):
        """Train for one epoch and wait until it is done."""
        import jax

        loss = super().epoch()
        jax.block_until_ready(self.state)
        return loss

    def weights(self):
        """Return the weights and biases of each layer."""
        return [(np.asarray(w), np.asarray(b)) for w, b in self.state["parameters"]]


class ScikitLearn(Contender):
    """scikit-learn's MLPClassifier, one call of `partial_fit` for each epoch."""

    name = "scikit-learn"
    modules = ("sklearn.neural_network",)

    @classmethod
    def takes_part(cls, configuration):
        """It has no dropout."""
        return not configuration.dropout

    @classmethod
    def same_objective(cls, configuration):
        """Its L2 is not ours; without L2 its loss is."""
        return not configuration.l2

    @classmethod
    def differs(cls, configuration):
        """Return what its parameters cannot express."""
        differences = ["Adam's epsilon is added before the correction for the start"]
        if configuration.decay:
            differences.append("the learning rate does not decay")
        if configuration.l2:
            differences.append("one L2 strength for the weights of all layers, none for biases")
        return "; ".join(differences)

    def build(self, start, seed):
        """Let the classifier set itself up, then give it the starting weights."""
        from sklearn.neural_network import MLPClassifier

        configuration, samples = self.configuration, len(self.X)
        self.model = MLPClassifier(
            hidden_layer_sizes=configuration.sizes[1:-1],
            solver="adam",
            alpha=2 * configuration.l2 * samples,  # it halves alpha and divides by the samples
            batch_size=configuration.batch_size or samples,
            learning_rate_init=configuration.learning_rate,
            epsilon=EPSILON,
            shuffle=False,  # the batches come in everybody's order
            random_state=seed,
        )
        self.model.partial_fit(self.X, self.y, classes=np.arange(configuration.sizes[-1]))
        for i, (weights, biases) in enumerate(start):
            self.model.coefs_[i][:], self.model.intercepts_[i][:] = weights, biases[0]
        del self.model._optimizer  # it has seen a step; without one, the next call makes a new one

    def epoch(self):
        """Train for one epoch and return the mean of its steps' losses."""
        batches = self.configuration.batches(self.epochs, len(self.X))
        rows = None if batches == [None] else np.concatenate(batches)
        self.model.partial_fit(*self.take(rows))
        self.epochs += 1
        return self.model.loss_

    def weights(self):
        """Return the weights and biases of each layer."""
        return list(zip(self.model.coefs_, self.model.intercepts_))


CONTENDERS = {
    c.name: c
    for c in (
        Ours,
        OursReference,
        OursNative,
        PlainNumpy,
        PyTorchEager,
        PyTorchCompiled,
        JaxJitted,
        ScikitLearn,
    )
}
