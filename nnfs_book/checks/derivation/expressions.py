"""What lines are made of, beyond SymPy's own expressions."""

from sympy import Derivative, Expr, Indexed, Integral, Limit, Product, Sum, Symbol, Tuple
from sympy.core.function import AppliedUndef


class Over(Expr):
    """A fraction as it is written; SymPy would turn it into a power at once."""


def derivative(body, variables):
    """Return a derivative that stays as it is; SymPy would find some of them to be 0 at once."""
    counted = [x if isinstance(x, Tuple) else Tuple(x, 1) for x in variables]
    return Expr.__new__(Derivative, body, *counted)


def head_of(e):
    """Return what is declared: the family z for z[i], the function sigma for sigma(z)."""
    if isinstance(e, Indexed):
        return e.base
    return e.func if isinstance(e, AppliedUndef) else e


def arguments_of(e):
    """Return the indices of an entry of a family, or the arguments of a function."""
    return e.indices if isinstance(e, Indexed) else e.args


def free_symbols(e):
    """Return the symbols on which a value depends; names of families do not count."""
    if isinstance(e, Symbol):
        return {e}
    if isinstance(e, Limit):
        body, x, target, _ = e.args
        return free_symbols(body) - {x} | free_symbols(target)
    if isinstance(e, (Sum, Product, Integral)):
        ends = [end for limit in e.limits for end in limit[1:]]
        return free_symbols(e.function) - set(e.variables) | symbols_in(ends)
    return symbols_in(arguments_of(e))


def symbols_in(expressions):
    """Return the free symbols of several expressions."""
    return set().union(*map(free_symbols, expressions))
