"""`practice`: right answers pass, wrong ones are told what they missed."""

import numpy as np
import pytest

from nnfs_book import native, practice
from nnfs_book.checks.tasks import TASKS


def as_solved(todo):
    """Return a task's solution as a reader would write it, in plain NumPy."""

    def function(*values):
        with native():
            return todo.solution(*values)

    return function


@pytest.mark.parametrize("todo", TASKS.values(), ids=list(TASKS))
def test_the_solution_is_right_and_its_like_is_wrong(todo):
    solved = as_solved(todo)
    assert practice.check(todo.name, solved)

    def slightly_off(*values):
        answer = solved(*values)
        if isinstance(answer, tuple):
            return (*answer[:-1], answer[-1] * (1 + 1e-6))
        return answer * (1 + 1e-6)

    def of_another_shape(*values):
        return np.expand_dims(np.asarray(solved(*values), dtype=object), 0)

    def changes_what_it_is_given(*values):
        answer = solved(*values)
        for value in values:
            if isinstance(value, np.ndarray):
                value += 1
        return answer

    for slip in (slightly_off, of_another_shape, changes_what_it_is_given, lambda *values: None):
        result = practice.check(todo.name, slip)
        assert not result
        assert repr(result).startswith(f"{todo.name}: not yet. Wrong at input ")


def test_an_answer_that_fails_is_told():
    result = practice.check("softmax.forward", lambda z: np.exp(z) / np.exp(z).sum())
    assert "got " in result.text and "expected [[" in result.text
    result = practice.check("softmax.forward", lambda z: 1 / 0)
    assert result.text.endswith("got      ZeroDivisionError: division by zero")


def test_every_task_says_what_to_build():
    lines = practice.tasks().splitlines()
    assert len(lines) == len(TASKS)
    assert all(" returns " in line for line in lines)


@pytest.mark.parametrize(
    ("name", "function", "error", "message"),
    [
        ("relu", abs, ValueError, "name must be a task, one of neuron.forward, .*; got 'relu'"),
        ("relu.backward", 3, TypeError, "function must be a function, got 3"),
    ],
)
def test_what_cannot_be_checked_is_refused(name, function, error, message):
    with pytest.raises(error, match=message):
        practice.check(name, function)
