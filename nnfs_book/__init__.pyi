"""The public names with their types, for editors and type checkers.

They stand here and not in the code, which the chapters show to people who learn from it;
tests/test_code.py holds the two together. Types know no shapes: those are in the docstrings.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import sympy
from IPython.display import Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnfs_book import arithmetic as arithmetic
from nnfs_book import checks as checks
from nnfs_book import datasets as datasets
from nnfs_book import network as network
from nnfs_book import nnfs as nnfs
from nnfs_book import presentation as presentation
from nnfs_book.checks import practice as practice

__version__: str
__all__: list[str]

_Array: TypeAlias = NDArray[Any]
_Data: TypeAlias = tuple[_Array, _Array]
_Split: TypeAlias = tuple[_Array, _Array, _Array, _Array]
_Method: TypeAlias = Literal["central", "complex"]
_Folder: TypeAlias = str | Path

# Arithmetic

def backend() -> Literal["compiled", "reference"]: ...
def exp(x: ArrayLike) -> _Array: ...
def is_native() -> bool: ...
def log(x: ArrayLike) -> _Array: ...
def matmul(a: ArrayLike, b: ArrayLike) -> _Array: ...
def native(float32_products: bool = False) -> AbstractContextManager[None]: ...
def total(a: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Any: ...

# Layers and activations

class Layer:
    inputs: _Array
    output: _Array
    dinputs: _Array
    def forward(self, inputs: ArrayLike) -> None: ...
    def backward(self, dvalues: ArrayLike) -> None: ...

class Dense(Layer):
    weight_regularizer_l1: float
    weight_regularizer_l2: float
    bias_regularizer_l1: float
    bias_regularizer_l2: float
    weights: _Array
    biases: _Array
    dweights: _Array
    dbiases: _Array
    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        weight_regularizer_l1: float = 0.0,
        weight_regularizer_l2: float = 0.0,
        bias_regularizer_l1: float = 0.0,
        bias_regularizer_l2: float = 0.0,
        stream: RandomStream | None = None,
    ) -> None: ...
    @property
    def n_inputs(self) -> int: ...
    @property
    def n_neurons(self) -> int: ...

class Dropout(Layer):
    rate: float
    binary_mask: _Array
    def __init__(self, rate: float, stream: RandomStream | None = None) -> None: ...
    def forward(self, inputs: ArrayLike, training: bool = True) -> None: ...

class Activation(Layer):
    formula: ClassVar[str | None]
    def gradients(self, dvalues: _Array) -> dict[str, _Array]: ...
    def chain(self, dvalues: _Array, inputs: _Array, output: _Array) -> _Array: ...

class Linear(Activation):
    def function(self, z: _Array) -> _Array: ...
    def derivative(self, inputs: _Array, output: _Array) -> Any: ...

class ReLU(Activation):
    def function(self, z: _Array) -> _Array: ...
    def derivative(self, inputs: _Array, output: _Array) -> _Array: ...

class Sigmoid(Activation):
    def function(self, z: _Array) -> _Array: ...
    def derivative(self, inputs: _Array, output: _Array) -> _Array: ...

class Softmax(Activation):
    def function(self, z: _Array) -> _Array: ...

def sigmoid(z: ArrayLike) -> _Array: ...
def softmax(z: ArrayLike) -> _Array: ...
def forward(layers: Sequence[Layer], inputs: ArrayLike, training: bool = True) -> _Array: ...
def backward(layers: Sequence[Layer], dvalues: ArrayLike) -> None: ...

# Losses, penalties and metrics

class Loss:
    formula: ClassVar[str | None]
    dinputs: _Array
    def forward(self, output: ArrayLike, y: ArrayLike) -> _Array: ...
    def calculate(self, output: ArrayLike, y: ArrayLike) -> Any: ...
    def backward(self, dvalues: ArrayLike, y: ArrayLike) -> None: ...
    def regularization_loss(self, layer: Layer) -> Any: ...

class BinaryCrossentropy(Loss): ...
class CategoricalCrossentropy(Loss): ...
class MeanAbsoluteError(Loss): ...
class MeanSquaredError(Loss): ...

class Huber(Loss):
    delta: float
    def __init__(self, delta: float = 1.0) -> None: ...

class SoftmaxCategoricalCrossentropy:
    activation: Softmax
    loss: CategoricalCrossentropy
    output: _Array
    dinputs: _Array
    def forward(self, inputs: ArrayLike, y: ArrayLike) -> Any: ...
    def backward(self, dvalues: ArrayLike, y: ArrayLike) -> None: ...

def class_rows(y: ArrayLike, predictions: _Array) -> _Array: ...
def penalty(w: _Array, l1: float, l2: float) -> Any: ...
def penalty_gradient(w: _Array, l1: float, l2: float) -> _Array: ...

class Metric:
    name: ClassVar[str]
    def calculate(self, output: ArrayLike, y: ArrayLike) -> float: ...
    def finish(self, mean: float) -> float: ...

class Accuracy(Metric): ...
class BinaryAccuracy(Metric): ...
class CategoricalAccuracy(Metric): ...
class RootMeanSquaredError(Metric): ...

# Optimizers, and what puts all of it together

class Optimizer:
    learning_rate: float
    decay: float
    current_learning_rate: float
    iterations: int
    remembers: ClassVar[tuple[str, ...]]
    formula: ClassVar[dict[str, str] | None]
    def __init__(self, learning_rate: float, decay: float = 0.0) -> None: ...
    def pre_update_params(self) -> None: ...
    def update_params(self, layer: Dense) -> None: ...
    def post_update_params(self) -> None: ...

class SGD(Optimizer):
    momentum: float
    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, momentum: float = 0.0
    ) -> None: ...

class Adagrad(Optimizer):
    epsilon: float
    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, epsilon: float = 1e-7
    ) -> None: ...

class RMSprop(Optimizer):
    epsilon: float
    rho: float
    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        rho: float = 0.9,
    ) -> None: ...

class Adam(Optimizer):
    epsilon: float
    beta_1: float
    beta_2: float
    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None: ...

class History:
    rows: list[dict[str, float]]
    def __init__(self) -> None: ...
    @property
    def epoch(self) -> list[int]: ...
    @property
    def history(self) -> dict[str, list[float]]: ...
    def plot(self) -> list[Axes]: ...

class Model:
    layers: tuple[Layer, ...]
    dense: list[Dense]
    history: History
    stream: RandomStream | None
    def __init__(self, layers: Sequence[Layer]) -> None: ...
    def compile(
        self, optimizer: Optimizer, loss: Loss, metrics: Sequence[Metric] = ()
    ) -> None: ...
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        epochs: int = 1,
        batch_size: int | None = None,
        shuffle: bool = True,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        stream: RandomStream | None = None,
        progress: bool = True,
    ) -> History: ...
    def evaluate(self, X: ArrayLike, y: ArrayLike) -> dict[str, float]: ...
    def predict(self, X: ArrayLike) -> _Array: ...
    def summary(self) -> None: ...
    def save(self, path: _Folder) -> None: ...
    @classmethod
    def load(cls, path: _Folder) -> Model: ...

class RandomStream:
    seed: int
    def __init__(self, seed: int = 0) -> None: ...
    def normal(self, *shape: int) -> _Array: ...
    def keep(self, shape: tuple[int, ...], probability: float) -> NDArray[np.bool_]: ...
    def binomial(self, shape: tuple[int, ...], probability: float) -> _Array: ...
    def choose(self, n: int, count: int) -> _Array: ...
    def permutation(self, n: int) -> _Array: ...

def set_seed(seed: int) -> None: ...

# _Data

def load_digits() -> _Split: ...
def load_mnist(
    folder: _Folder | None = None,
    mirrors: Sequence[str] = ...,
    files: Mapping[str, tuple[int, str]] = ...,
    timeout: float = 30,
) -> _Split: ...
def load_fashion_mnist(
    folder: _Folder | None = None,
    mirrors: Sequence[str] = ...,
    files: Mapping[str, tuple[int, str]] = ...,
    timeout: float = 30,
) -> _Split: ...
def sine_data(samples: int = 1000) -> _Data: ...
def spiral_data(samples: int, classes: int, stream: RandomStream | None = None) -> _Data: ...
def vertical_data(samples: int, classes: int, stream: RandomStream | None = None) -> _Data: ...

# Derivations and gradient checks

class DerivationError(ValueError): ...
class GradientError(AssertionError): ...

class Derivation:
    lines: list[sympy.Expr]
    reasons: list[str]
    def __init__(
        self,
        expression: str | sympy.Expr,
        name: str | None = None,
        domain: Mapping[str, object] | None = None,
        where: Sequence[str] = (),
        symbols: Sequence[object] = (),
    ) -> None: ...
    def step(self, expression: str | sympy.Expr, because: str) -> Derivation: ...
    @property
    def result(self) -> sympy.Expr: ...
    @property
    def statement(self) -> str: ...
    @property
    def theorem(self) -> str: ...
    @property
    def assumptions(self) -> tuple[str, ...]: ...
    def confirm_code(
        self,
        function: Callable[..., Any],
        arguments: Sequence[object],
        indices: Sequence[sympy.Symbol] = (),
        sizes: Mapping[str, object] | None = None,
        dtype: str = "float32",
        points: int = 1000,
    ) -> Any: ...

def check_layer(layer: Layer, inputs: ArrayLike, method: _Method = "central") -> list[Any]: ...
def check_loss(
    loss: Loss | SoftmaxCategoricalCrossentropy,
    predictions: ArrayLike,
    y: ArrayLike,
    method: _Method = "central",
) -> Any: ...
def check_network(
    layers: Sequence[Layer],
    loss: Loss | SoftmaxCategoricalCrossentropy,
    inputs: ArrayLike,
    y: ArrayLike,
    method: _Method = "central",
) -> list[Any]: ...
def numerical_gradient(
    function: Callable[[_Array], Any], x: ArrayLike, method: _Method = "central"
) -> NDArray[np.float64]: ...

# Experiments, their reruns, and the ledger

class Run:
    figures: dict[str, float]
    log: list[dict[str, Any]]
    layers: tuple[Layer, ...]
    def __init__(
        self, figures: dict[str, float], log: list[dict[str, Any]], layers: tuple[Layer, ...]
    ) -> None: ...
    def predict(self, inputs: ArrayLike) -> _Array: ...
    @property
    def sha256(self) -> str: ...
    def sha256_at(self, epoch: int) -> str | None: ...

EXPERIMENTS: dict[str, Callable[..., Any]]

def fingerprint(layers: Sequence[Layer]) -> str: ...
def nudged(weights: _Array, nudge: int, size: float = ...) -> _Array: ...
def logistic_regression(
    nudge: int = 0,
    seed: int = 0,
    epochs: int = 10001,
    sigmoid: type[Activation] = ...,
    nudge_size: float = ...,
) -> Run: ...
def spiral_classifier(
    samples: int = 100,
    neurons: int = 64,
    l2: float = 5e-4,
    dropout: float = 0.0,
    learning_rate: float = 0.02,
    decay: float = 5e-7,
    nudge: int = 0,
    seed: int = 0,
    epochs: int = 10001,
    masks: type[Dropout] = ...,
    nudge_size: float = ...,
) -> Run: ...
def masked_sums(seed: int = 0, rate: float = 0.2, masks: int = 10000) -> Any: ...
def load(name: str, kind: str = "rounding", folder: _Folder = ...) -> list[dict[str, Any]]: ...
def rank(printed: str, runs: Sequence[float]) -> Any: ...
def combined(
    observed: Sequence[float], under_null: Sequence[Sequence[float]], draws: int = 100000
) -> float: ...
def false_alarms(under_null: Sequence[Sequence[float]], draws: int = 100000) -> Any: ...
def each_as_printed(printed: str, runs: Sequence[float]) -> Any: ...
def place(name: str, **figures: float | str) -> Any: ...
def as_printed(measured: float, like: str) -> str: ...
def ledger() -> dict[str, Any]: ...
def claim(id: str) -> Any: ...
def spreads(entry: Any) -> Any: ...
def compare_log(id: str, rows: Sequence[Mapping[str, Any]]) -> None: ...
def confirm(
    id: str,
    *derivations: Derivation,
    figures: Mapping[str, Any] | None = None,
    corrected: str = "",
    **measured: Any,
) -> Any: ...
def confirmations(folder: _Folder) -> dict[str, Any]: ...
def verdict_table(chapter: str) -> Markdown: ...

# Figures and listings

class Diagram:
    ax: Axes
    def __init__(self, width: float, height: float) -> None: ...
    def node(
        self,
        name: object,
        x: float,
        y: float,
        text: str = "",
        note: str = "",
        colour: str = ...,
        box: bool = False,
        width: float = ...,
    ) -> None: ...
    def arrow(
        self,
        start: object,
        end: object,
        text: str = "",
        colour: str = ...,
        at: float = 0.5,
        shift: float = 0.0,
        side: Literal[1, 0, -1] = 1,
        lw: float = 1.2,
    ) -> None: ...
    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: str | float = "medium",
        colour: str = "black",
        ha: str = "center",
        va: str = "center",
    ) -> None: ...

def network_diagram(
    columns: Sequence[Sequence[str]],
    weights: Sequence[Sequence[Sequence[str]]] | None = None,
    notes: Sequence[Sequence[str]] = (),
    titles: Sequence[str] = (),
    apart: tuple[float, float] = ...,
) -> Diagram: ...
def plot_dots(ax: Axes, X: _Array, y: _Array, size: float = 3.5) -> None: ...
def plot_pictures(
    ax: Axes, pictures: _Array, columns: int, captions: Sequence[str] = ()
) -> None: ...
def plot_points(ax: Axes, X: _Array, y: _Array) -> None: ...
def plot_probability(
    ax: Axes, predict: Callable[[_Array], _Array], extent: float = 1.15, points: int = 101
) -> None: ...
def plot_regions(
    ax: Axes, predict: Callable[[_Array], _Array], extent: float = 1.05, points: int = 61
) -> None: ...
def plot_reruns(
    ax: Axes,
    members: Sequence[Mapping[str, Any]],
    name: str,
    printed: Mapping[str, Any] | None = None,
) -> None: ...
def player(frames: Sequence[Figure | str], captions: Sequence[str], alt: str) -> Any: ...
def explore(name: str, still: Figure, alt: str, **data: Any) -> Any: ...
def retrain(
    layers: Sequence[Layer],
    X: ArrayLike,
    y: ArrayLike,
    epochs: int,
    sha256: str,
    alt: str = "",
    **settings: Any,
) -> Any: ...
def show_code(*objects: Any) -> Markdown: ...
