"""Code compared with a derived formula, at many points."""

import itertools
from fractions import Fraction

import numpy as np
import sympy
from sympy import Add, Dummy, Indexed, Mul, Symbol

from nnfs_book.checks.derivation.expressions import head_of, symbols_in
from nnfs_book.checks.derivation.points import Point
from nnfs_book.checks.derivation.proving import Proof

ROUNDINGS = 2  # times what rounding each operation of the formula may change is allowed to code
SCALES = (1, 1, 4, Fraction(1, 100))  # of the numbers drawn, so that small values are among them
UNCHANGED = (sympy.Abs, sympy.sign, sympy.Heaviside)


class Agreement(str):
    """What was confirmed, as a sentence."""

    __repr__ = str.__str__


def compare_code(given, line, assumed, function, arguments, indices, sizes, dtype, points):
    """Return whether a function computes a line (text, expression), and what to say about it.

    `assumed` are the conditions of the derivation. Where there are none, zeros of both signs are
    among the inputs. The other parameters are those of `Derivation.confirm_code`.
    """
    proof, name = Proof(given, sizes), getattr(function, "__name__", type(function).__name__)
    if missing := set().union(*map(given.neighbours, indices)) - sizes.keys():
        raise ValueError(f"sizes must have a value for {sorted(map(str, missing))}")
    places = itertools.product(*(given.choices(i, sizes) for i in indices))
    formulas = [proof.value(line[1], {**sizes, **dict(zip(indices, place))}) for place in places]
    families = [entries(x, proof, formulas) for x in arguments]
    order = [e for family in families for e in family.ravel()]
    draws = [Point(given, sizes, f"code {n}", scale=SCALES[n % len(SCALES)]) for n in range(points)]
    inputs = np.array([[float(draw.at(e, sizes)) for e in order] for draw in draws], dtype)
    if not assumed:
        put_zeros(given, order, inputs)
    variables = [proof.value(e, {}) for e in order]
    steps = grid_steps(formulas, variables, split(families, inputs))
    wanted, terms = evaluate(formulas, variables, inputs, steps)
    answers, changed = call(function, families, inputs)
    if not np.issubdtype(answers.dtype, np.floating):
        raise TypeError(f"{name} must return floats, got {answers.dtype}")
    failure = f"{name} does not compute the derived formula {line[0]}\n  "
    if changed:
        return False, f"{failure}it changes its arguments"
    shape = (points, *(len(given.choices(i, sizes)) for i in indices))
    if [n for n in answers.shape if n > 1] != [n for n in shape if n > 1]:
        return False, f"{failure}it returns shape {answers.shape}, the formula {shape}"
    if np.finfo(answers.dtype).eps > np.finfo(dtype).eps:
        return False, f"{failure}it returns {answers.dtype} for {dtype}"
    answers = answers.reshape(wanted.shape)
    limits = np.finfo(answers.dtype)
    allowed = ROUNDINGS * limits.eps * terms + limits.tiny
    off = np.nan_to_num(np.abs(answers - wanted), nan=np.inf) / allowed
    if off.max() <= 1:
        exactness = f"{ROUNDINGS} {answers.dtype} roundings an operation"
        return True, f"{name} computes the derived formula: {points} points, to {exactness}"
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


def put_zeros(given, order, inputs):
    """Put a zero, of one sign and the other, into every tenth point, where it is allowed."""
    constrained = {entry.base for entry, _, _ in given.constraints}
    for count, n in enumerate(range(0, len(inputs) if order else 0, 10)):
        column = count // 2 % len(order)
        x = head_of(order[column])
        if x not in constrained and given.allows(x, 0):
            inputs[n, column] = (0.0, -0.0)[count % 2]


def grid_steps(formulas, variables, columns):
    """Return what taking the inputs on a grid of fixed points may change in them.

    It is half of one rounding of the largest entry of each argument, and counts where a formula
    adds up products, as a matrix product does; elsewhere the inputs are taken as they are.
    """
    inputs = set(variables)

    def is_product(e):
        factors = Mul.make_args(e)
        return sum(bool(f.atoms(Symbol, Indexed) & inputs) for f in factors) > 1

    sums = set().union(*(f.atoms(Add) for f in formulas))
    on_grid = any(sum(map(is_product, e.args)) > 1 for e in sums)
    largest = [0 * c + np.abs(c).max(axis=1, keepdims=True) for c in columns]
    return np.hstack(largest) * (on_grid / 2) if columns else np.zeros((1, 0))


def split(families, inputs):
    """Return the columns of each argument."""
    ends = np.cumsum([family.size for family in families], dtype=int)
    return np.split(inputs, ends[:-1], axis=1) if families else []


def evaluate(formulas, variables, inputs, steps):
    """Return the formulas' values, and what rounding may change in them, in units of one rounding.

    A row for each point, a column for each formula. The second is found as the first is computed:
    each operation rounds its result, and passes on what was rounded before. `steps` are those of
    the inputs: half of one of the largest entry, since sums may be taken on a grid of fixed points.
    """
    used = symbols_in(formulas).union(*(f.atoms(Indexed) for f in formulas))
    if left := sorted(str(x) for x in used - set(variables)):
        raise ValueError(f"the result also depends on {left}: add to arguments, indices or sizes")
    known = dict(zip(variables, zip(inputs.astype(float).T, steps.astype(float).T)))
    pairs = [rounded(f, known) for f in formulas]
    zero = np.zeros(len(inputs))
    return tuple(np.array([zero + pair[which] for pair in pairs]).T for which in range(2))


def rounded(e, known):
    """Return the values of an expression and their roundings; `known` has those of its parts."""
    if e not in known:
        parts = [rounded(part, known) for part in e.args]
        known[e] = operate(e, [v for v, _ in parts], [r for _, r in parts])
    return known[e]


def operate(e, values, roundings):
    """Return the value of one operation, and its roundings: Sum |de/dx| r(x), and its own."""
    if not e.args:
        value = float(e)
        return value, 0 if e.is_Integer else abs(value)
    if e.is_Add:
        return sum(values), sum(roundings) + sum(map(np.abs, values))
    if e.is_Mul:
        value, rounding = values[0], roundings[0]
        for v, r in zip(values[1:], roundings[1:]):
            rounding = np.abs(value) * r + np.abs(v) * rounding + np.abs(value * v)
            value = value * v
        return value, rounding
    if e.is_Pow and e.exp.is_Integer:
        (base, _), n = values, int(e.exp)
        return base**n, np.abs(n * base ** (n - 1)) * roundings[0] + np.abs(base**n)
    letters = [Dummy("x", real=True) for _ in values]
    function = e.func(*letters) if e.func not in UNCHANGED else e.func(letters[0])
    value = sympy.lambdify(letters, function, "numpy")(*values)
    if e.func in UNCHANGED:  # a sign, or one of the arguments, without rounding
        return value, roundings[0] * (e.func is sympy.Abs)
    slopes = [sympy.lambdify(letters, function.diff(x), "numpy") for x in letters]
    passed_on = (passed(slope(*values), r) for slope, r in zip(slopes, roundings) if np.any(r))
    return value, sum(passed_on) + np.abs(value)


def passed(slope, r):
    """Return |slope| r, which is 0 for r = 0 even where the slope is infinite."""
    return np.where(r == 0, 0, np.abs(slope) * r)


def call(function, families, inputs):
    """Return a function's answers, and whether it changes its arguments.

    It is called once if it takes symbols only, else for one point after the other.
    """
    columns = split(families, inputs)
    arrays = [c.reshape(len(inputs), *family.shape) for c, family in zip(columns, families)]
    given = [a.copy() for a in arrays]
    if any(family.shape for family in families):
        answers = np.array([function(*(a[n] for a in given)) for n in range(len(inputs))])
    else:
        answers = np.array(function(*given))
    return answers, any(a.tobytes() != b.tobytes() for a, b in zip(arrays, given))
