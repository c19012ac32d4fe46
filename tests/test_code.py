"""The code itself: what ruff finds wrong in it, and whether the types say what the code does."""

import ast
import builtins
import inspect
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

import nnfs_book

ROOT = Path(__file__).parents[1]
STUB = ast.parse((ROOT / "nnfs_book" / "__init__.pyi").read_text("utf-8")).body
TYPED = {node.name: node for node in STUB if hasattr(node, "name")}
METHODS = [
    (owner, method)
    for owner, node in TYPED.items()
    if isinstance(node, ast.ClassDef)
    for method in node.body
    if isinstance(method, ast.FunctionDef)
]
CALLED = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}

# What a type checker has to accept, and, where an error is to be ignored, has to refuse.
USED = """
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from nnfs_book import (
    Adam,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    History,
    Model,
    ReLU,
    Softmax,
    fingerprint,
    forward,
    logistic_regression,
    matmul,
    native,
    spiral_data,
)

X, y = spiral_data(samples=100, classes=3)
layers = [Dense(2, 64, weight_regularizer_l2=5e-4), ReLU(), Dropout(0.1), Dense(64, 3), Softmax()]
model = Model(layers)
model.compile(Adam(learning_rate=0.05), CategoricalCrossentropy(), [CategoricalAccuracy()])
assert_type(model.fit(X, y, epochs=10, validation_data=(X, y)), History)
assert_type(model.predict([[0, 1]]), NDArray[Any])
assert_type(fingerprint(layers), str)
assert_type(forward(layers, X, training=False), NDArray[Any])
assert_type(logistic_regression(epochs=1).predict(X), NDArray[Any])
with native():
    assert_type(matmul(np.eye(2), [[1, 2], [3, 4]]), NDArray[Any])

Dense("2", 64)  # type: ignore[arg-type]
Dense(2, 64, weight_regularizer=5e-4)  # type: ignore[call-arg]
model.compile(CategoricalCrossentropy(), Adam())  # type: ignore[arg-type]
model.fit(X, y, epoch=10)  # type: ignore[call-arg]
Model([Dense])  # type: ignore[list-item]
"""


def run(*arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def typed(function):
    """The parameters of a function in the stub: name, and default as text if it has one."""
    given = function.args
    names = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(names) - len(given.defaults)) + given.defaults
    found = [(a.arg, d) for a, d in zip(names, defaults, strict=True)]
    found += [(f"*{given.vararg.arg}", None)] if given.vararg else []
    found += [(a.arg, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return found + ([(f"**{given.kwarg.arg}", None)] if given.kwarg else [])


def same_signature(stub, function):
    """Compare the names, their order and the defaults; a default of ``...`` stands for any."""
    parameters = inspect.signature(function).parameters.values()
    wanted = typed(stub)
    assert [name for name, _ in wanted] == [CALLED.get(p.kind, "") + p.name for p in parameters]
    for (name, default), parameter in zip(wanted, parameters, strict=True):
        if default is None:
            assert parameter.default is inspect.Parameter.empty, f"{name} has a default"
        elif (value := ast.literal_eval(default)) is not ...:
            assert parameter.default == value, f"{name} is {parameter.default!r} by default"


def test_ruff_finds_nothing_wrong():
    pytest.importorskip("ruff")
    run("-m", "ruff", "check", ".")


def test_the_hooks_use_the_pinned_ruff():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (hook,) = [hook for hook in hooks["repos"][0]["hooks"] if hook["id"] == "ruff"]
    pins = (ROOT / "requirements.txt").read_text("utf-8").split("\n")
    assert hook["additional_dependencies"] == [pin for pin in pins if pin.startswith("ruff==")]


def test_every_public_name_has_a_type():
    values = {node.target.id for node in STUB if isinstance(node, ast.AnnAssign)}
    assert set(nnfs_book.__all__) <= {*TYPED, *values}
    assert {name for name in {*TYPED, *values} if not name.startswith("_")} <= {*nnfs_book.__all__}


@pytest.mark.parametrize("name", [n for n in TYPED if isinstance(TYPED[n], ast.FunctionDef)])
def test_a_function_has_the_parameters_of_its_types(name):
    same_signature(TYPED[name], getattr(nnfs_book, name))


@pytest.mark.parametrize("owner, method", METHODS, ids=[f"{o}.{m.name}" for o, m in METHODS])
def test_a_method_has_the_parameters_of_its_types(owner, method):
    found = inspect.getattr_static(getattr(nnfs_book, owner), method.name)
    kinds = {d.id for d in method.decorator_list}
    assert isinstance(found, property) == ("property" in kinds)
    if not isinstance(found, property):
        same_signature(method, getattr(found, "__func__", found))


@pytest.mark.parametrize("name", [n for n in TYPED if isinstance(TYPED[n], ast.ClassDef)])
def test_a_class_derives_from_what_its_types_say(name):
    for base in TYPED[name].bases:
        home = builtins if hasattr(builtins, base.id) else nnfs_book
        assert issubclass(getattr(nnfs_book, name), getattr(home, base.id))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="needs mypy")
def test_a_type_checker_accepts_what_is_right_and_refuses_what_is_wrong():
    run("-m", "mypy", "-c", USED)
