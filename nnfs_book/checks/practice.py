"""Practice: what a reader has built, tried on awkward and on random inputs."""

import inspect
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from nnfs_book.arithmetic import native
from nnfs_book.checks.tasks import TASKS

DIGITS = 1e-9  # how far, as a share of what was expected, an answer may lie from it


@dataclass(frozen=True)
class Result:
    """What came of a check; true if every answer was right."""

    passed: bool
    text: str

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return self.text


def check(name, function):
    """Try a function of yours on awkward and on random inputs, and say where it is wrong first.

    Parameters
    ----------
    name : str
        A task; ``practice.tasks()`` lists them.
    function : callable
        Yours. It takes and returns float64 arrays, or a tuple of them where the task says so.

    Returns
    -------
    Result
        True if all is right. Its text names the first input that fails, and what was expected.

    Raises
    ------
    ValueError
        If there is no such task.
    TypeError
        If `function` cannot be called.

    Examples
    --------
    >>> from nnfs_book import practice
    >>> practice.check("relu.backward", lambda dvalues, inputs: dvalues * (inputs >= 0))
    relu.backward: not yet. Wrong at input 1 of 12:
      dvalues = [[1. 1. 1.]]
      inputs = [[-1.  0.  1.]]
    expected [[0. 0. 1.]]
    got      [[0. 1. 1.]]
    """
    if name not in TASKS:
        raise ValueError(f"name must be a task, one of {', '.join(TASKS)}; got {name!r}")
    if not callable(function):
        raise TypeError(f"function must be a function, got {function!r}")
    todo = TASKS[name]
    names = list(inspect.signature(todo.solution).parameters)
    random = np.random.RandomState(0)
    cases = list(todo.cases(lambda *shape: random.standard_normal(shape).round(3)))
    for number, values in enumerate(cases, start=1):
        inputs = dict(zip(names, map(as_given, values), strict=True))
        with native():
            wanted = todo.solution(**inputs)
        fault = wrong(function, inputs, wanted)
        if fault:
            lines = [f"{name}: not yet. Wrong at input {number} of {len(cases)}:"]
            lines += [f"  {key} = {shown(value)}" for key, value in inputs.items()]
            return Result(False, "\n".join([*lines, fault]))
    return Result(True, f"{name}: right for all {len(cases)} inputs.")


def tasks():
    """Return what there is to build, one line a task.

    Examples
    --------
    >>> from nnfs_book import practice
    >>> print(practice.tasks().splitlines()[0])
    neuron.forward: f(inputs, weights, bias) returns the weighted sum of D inputs, a number
    """
    return "\n".join(f"{todo.name}: {todo.asked}" for todo in TASKS.values())


def as_given(value):
    """Return an argument as the reader's function gets it: arrays are float64."""
    return np.array(value, dtype=float) if isinstance(value, list | np.ndarray) else value


def wrong(function, inputs, wanted):
    """Return what is wrong with an answer, or an empty text."""
    given = deepcopy(inputs)
    expected = f"expected {shown(wanted)}"
    try:
        with np.errstate(all="raise", under="ignore"):
            answer = function(*given.values())
    except Exception as error:  # a reader's function may fail in any way
        return f"{expected}\ngot      {type(error).__name__}: {error}"
    for key, value in inputs.items():
        if isinstance(value, np.ndarray) and not np.array_equal(given[key], value):
            return f"The function has changed its argument {key}; work on a copy."
    if not same(answer, wanted):
        return f"{expected}\ngot      {shown(answer)}"
    return ""


def same(answer, wanted):
    """Whether an answer has the wanted shape, and each entry agrees at its own scale."""
    if isinstance(wanted, tuple):
        fits = isinstance(answer, tuple | list) and len(answer) == len(wanted)
        return fits and all(map(same, answer, wanted))
    try:
        answer = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return False
    wanted = np.asarray(wanted, dtype=float)
    return answer.shape == wanted.shape and np.allclose(
        answer, wanted, rtol=DIGITS, atol=0, equal_nan=False
    )


def shown(value):
    """Return a value on one line."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, np.ndarray):
        return np.array2string(value, separator=" ", max_line_width=10**6).replace("\n", "")
    return str(value)
