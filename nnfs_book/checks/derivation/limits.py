"""Limits: where a variable u comes down to 0, what does an expression come to?

SymPy takes a parameter for a general one: of 1/(1 + c |x|) for large c it says 0, which is wrong
for x = 0. It is asked only where there is no parameter. Else a limit is found by continuity, term
by term and factor by factor, or as a fraction 0/0 by the slopes of its parts (l'Hopital), and what
all of this divides by is proved not to be zero.
"""

import sympy
from sympy import (
    Abs,
    Add,
    Heaviside,
    Integer,
    Max,
    Min,
    Mul,
    Pow,
    Sum,
    cosh,
    exp,
    log,
    sign,
    sinh,
    tanh,
)

CONTINUOUS = (Add, Mul, Abs, Max, Min, exp, sinh, cosh, tanh)
SLOPES = 4  # times that both parts of a fraction are replaced by their slopes at most


def by_sympy(e, x, target, side):
    """Return a limit without parameters, or None if there is none, or SymPy does not find it."""
    try:
        value = sympy.Limit(e, x, target, side).doit()
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    return None if value.has(sympy.Limit, sympy.AccumBounds, sympy.nan) else value


def limit_at_zero(e, u, proof):
    """Return what e comes to as u > 0 comes to 0, or None if that is not found."""
    if not e.has(u):
        return e
    if e.free_symbols == {u}:
        value = by_sympy(e, u, 0, "+")
        return value if value is not None and value.is_finite else None
    value = at_zero(e, u, proof)
    if value is None:
        value = of_fraction(*sympy.fraction(sympy.together(e)), u, proof)
    if value is None and isinstance(e, (Add, Mul)) and len(e.args) > 1:
        parts = [limit_at_zero(part, u, proof) for part in e.args]
        value = None if None in parts else e.func(*parts)
    if value is None and isinstance(e, exp):
        value = of_exponential(e.args[0], u, proof)
    if value is None and isinstance(e, Pow) and e.exp.has(u):
        base = at_zero(e.base, u, proof)
        if base is not None and proof.signs.holds(base, ">"):
            value = of_exponential(e.exp * log(e.base), u, proof)
    return value


def at_zero(e, u, proof):
    """Return the value of e for u = 0, or None unless e is proved to be continuous there."""
    if e == u or not e.has(u):
        return Integer(0) if e == u else e
    holds = proof.signs.holds
    if isinstance(e, Sum) and not any(end.has(u) for limits in e.limits for end in limits[1:]):
        body, limits = proof.renamed(e.function, e.limits)
        value = at_zero(body, u, proof)
        return None if value is None else Sum(value, *limits)
    parts = [at_zero(part, u, proof) for part in e.args]
    if None in parts:
        return None
    match e:
        case log():
            good = holds(parts[0], ">")
        case sign() | Heaviside():
            good = holds(parts[0], "!=")
        case Pow():
            base, n = parts
            whole, rises = n.is_integer and not e.exp.has(u), holds(n, ">=") and not e.exp.has(u)
            good = holds(base, ">") or whole and (rises or holds(base, "!="))
            good = good or rises and holds(base, ">=")
        case _:
            good = isinstance(e, CONTINUOUS)
    return e.func(*parts) if good else None


def of_fraction(top, bottom, u, proof):
    """Return the limit of a fraction whose parts are both 0 at u = 0, by their slopes."""
    for _ in range(SLOPES):
        above, below = at_zero(top, u, proof), at_zero(bottom, u, proof)
        if above is None or below is None:
            return None
        if proof.signs.holds(below, "!="):
            return above / below
        if not (proof.vanishes(above) and proof.vanishes(below)):
            return None
        top, bottom = top.diff(u), bottom.diff(u)
    return None


def of_exponential(e, u, proof):
    """Return the limit of exp(e), which is 0 if u e comes to something negative."""
    value = limit_at_zero(e, u, proof)
    if value is not None:
        return exp(value)
    value = limit_at_zero(sympy.expand(e * u), u, proof)
    return Integer(0) if value is not None and proof.signs.holds(-value, ">") else None


def approaches(target, side, u):
    """Return where x is close to its target, by how far u > 0 is from 0: once for each side."""
    if target.is_infinite:
        return [1 / u if target is sympy.oo else -1 / u]
    return {"+": [target + u], "-": [target - u], "+-": [target + u, target - u]}[side]
