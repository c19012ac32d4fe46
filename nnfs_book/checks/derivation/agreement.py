"""Code compared with a derived formula, at many points."""

import itertools

import numpy as np
import sympy
from sympy import Indexed, Symbol

from nnfs_book.checks.derivation.expressions import symbols_in
from nnfs_book.checks.derivation.points import Point
from nnfs_book.checks.derivation.proving import Proof

ROUNDINGS = 16  # of the answer's type allowed to code that computes a derived formula


class Agreement(str):
    """What was confirmed, as a sentence."""

    __repr__ = str.__str__


def compare_code(given, line, function, arguments, indices, sizes, dtype, points):
    """Return whether a function computes a line (text, expression), and what to say about it.

    The other parameters are those of `Derivation.confirm_code`.
    """
    proof, name = Proof(given, sizes), getattr(function, "__name__", type(function).__name__)
    if missing := set().union(*map(given.neighbours, indices)) - sizes.keys():
        raise ValueError(f"sizes must have a value for {sorted(map(str, missing))}")
    places = itertools.product(*(given.choices(i, sizes) for i in indices))
    formulas = [proof.value(line[1], {**sizes, **dict(zip(indices, place))}) for place in places]
    families = [entries(x, proof, formulas) for x in arguments]
    order = [e for family in families for e in family.ravel()]
    draws = [Point(given, sizes, f"code {n}") for n in range(points)]
    inputs = np.array([[float(draw.at(e, sizes)) for e in order] for draw in draws], dtype)
    wanted = evaluate(formulas, [proof.value(e, {}) for e in order], inputs)
    answers = call(function, families, inputs)
    if not np.issubdtype(answers.dtype, np.floating):
        raise TypeError(f"{name} must return floats, got {answers.dtype}")
    failure = f"{name} does not compute the derived formula {line[0]}\n  "
    if answers.size != wanted.size:
        shape = (points, *(len(given.choices(i, sizes)) for i in indices))
        return False, f"{failure}it returns shape {answers.shape}, the formula {shape}"
    answers = answers.reshape(wanted.shape)
    off = np.nan_to_num(np.abs(answers - wanted), nan=np.inf)
    if off.max() <= ROUNDINGS * np.finfo(answers.dtype).eps * np.abs(wanted).max():
        sentence = f"{name} computes the derived formula: {points} points, none off by more than"
        return True, f"{sentence} {ROUNDINGS} {answers.dtype} roundings of the largest value"
    n, place = np.unravel_index(off.argmax(), off.shape)
    point = ", ".join(f"{e} = {v:.6g}" for e, v in zip(order, inputs[n]))
    values = f"{wanted[n, place]:.9g} by the formula, {answers[n, place]:.9g} by {name}"
    return False, f"{failure}at {point}: {values}"


def entries(x, proof, formulas):
    """Return the array of all that an argument stands for: itself, or the entries of a family."""
    if isinstance(x, Symbol):
        return np.array(x, dtype=object)
    family = proof.proxies.get(x, x)
    used = {e.indices for f in formulas for e in f.atoms(Indexed) if e.base == family}
    if not used:
        raise ValueError(f"arguments: {x} does not occur in the result")
    array = np.empty([int(max(axis)) for axis in zip(*used)], dtype=object)
    for place in np.ndindex(array.shape):
        array[place] = Indexed(x, *(n + 1 for n in place))
    return array


def evaluate(formulas, variables, inputs):
    """Return the formulas' values in float64: a row for each point, a column for each formula."""
    used = symbols_in(formulas).union(*(f.atoms(Indexed) for f in formulas))
    if left := sorted(str(x) for x in used - set(variables)):
        raise ValueError(f"the result also depends on {left}: add to arguments, indices or sizes")
    compute = sympy.lambdify([variables], formulas, "numpy")
    return np.array([compute(row) for row in inputs.astype(float)])


def call(function, families, inputs):
    """Return a function's answers: in one call if it takes symbols only, else point by point."""
    ends = np.cumsum([family.size for family in families])
    columns = np.split(inputs, ends[:-1], axis=1)
    arrays = [c.reshape(len(inputs), *family.shape) for c, family in zip(columns, families)]
    if any(family.shape for family in families):
        return np.array([function(*(a[n].copy() for a in arrays)) for n in range(len(inputs))])
    return np.asarray(function(*arrays))
