"""From a string to an expression that stays as it is written."""

import ast
from decimal import Decimal

import sympy
from sympy import (
    Add,
    Derivative,
    Eq,
    Expr,
    Ge,
    Gt,
    Indexed,
    IndexedBase,
    Integral,
    Le,
    Limit,
    Lt,
    Mul,
    Pow,
    Product,
    Rational,
    Sum,
    Symbol,
    Tuple,
)
from sympy.core.function import AppliedUndef

from nnfs_book.checks.derivation.expressions import Over, derivative

FUNCTIONS = "exp log sqrt tanh sinh cosh Abs sign Max Min Heaviside KroneckerDelta".split()
OPERATORS = "Derivative Sum Product Integral Limit".split()
KNOWN = {name: getattr(sympy, name) for name in [*FUNCTIONS, *OPERATORS, "E", "pi", "oo"]}
ARGUMENTS = {"KroneckerDelta": (2, 2), "Heaviside": (1, 2), "Max": (1, 99), "Min": (1, 99)}
MOST_DIGITS = 1000  # of a number that is written as a decimal
COMPARE = {ast.Eq: Eq, ast.Lt: Lt, ast.LtE: Le, ast.Gt: Gt, ast.GtE: Ge}


def read(text, names):
    """Read mathematics as Python writes it; a chain such as 1 <= i <= K is a list of relations.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> read("x + 1 - x", {"x": x}).args
    (x, 1, -x)
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"cannot read {text!r}: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is float:
            node.value = decimal(ast.get_source_segment(text.strip(), node))
        if isinstance(node, ast.Name) and node.id not in names:
            raise ValueError(
                f"the name {node.id!r} is not declared: add it to symbols=, or define it in "
                f"where=; known names: {', '.join(sorted(names))}"
            )
    try:
        return build(tree, names)
    except (IndexError, TypeError) as error:
        raise ValueError(f"cannot read {text!r}: {error}") from None


def decimal(digits):
    """Return a decimal number with all the digits that are written; a float would lose some."""
    if abs(Decimal(digits).adjusted()) > MOST_DIGITS:
        raise ValueError(f"cannot read {digits}: it has too many digits")
    return Rational(digits)


def build(node, names):
    """Return what a piece of Python's syntax tree says."""

    def of(node):
        return build(node, names)

    match node:
        case ast.Constant(value) if type(value) is int or isinstance(value, Rational):
            return Rational(value)
        case ast.Name(name) if isinstance(names[name], Expr):
            return names[name]
        case ast.Tuple(items):
            return Tuple(*map(of, items))
        case ast.UnaryOp(ast.USub(), operand):
            x = of(operand)
            return -x if x.is_Number else Mul(-1, x, evaluate=False)
        case ast.BinOp(left, ast.Add(), right):
            return chain(Add, of(left), of(right))
        case ast.BinOp(left, ast.Sub(), right):
            return chain(Add, of(left), Mul(-1, of(right), evaluate=False))
        case ast.BinOp(left, ast.Mult(), right):
            return chain(Mul, of(left), of(right))
        case ast.BinOp(top, ast.Div(), bottom):
            return Over(of(top), of(bottom))
        case ast.BinOp(base, ast.Pow(), exponent):
            return Pow(of(base), of(exponent), evaluate=False)
        case ast.Subscript(ast.Name(name), index) if isinstance(names[name], IndexedBase):
            index = of(index)
            return Indexed(names[name], *(index if isinstance(index, Tuple) else [index]))
        case ast.Call(ast.Name("Limit"), arguments, []):
            return Limit(*map(of, arguments), "+-")
        case ast.Call(ast.Name("Limit"), arguments, [ast.keyword("dir", ast.Constant(side))]):
            return Limit(*map(of, arguments), side)
        case ast.Call(ast.Name(name), arguments, []) if not isinstance(names[name], Expr):
            return apply(names[name], [of(a) for a in arguments])
        case ast.Compare(first, operators, others) if COMPARE.keys() >= set(map(type, operators)):
            sides = [of(first), *map(of, others)]
            pairs = zip(operators, sides, sides[1:])
            return [COMPARE[type(op)](a, b, evaluate=False) for op, a, b in pairs]
    raise ValueError(f"cannot read {ast.unparse(node)!r} as mathematics")


def chain(kind, left, right):
    """Return a sum or a product that goes on to the right."""
    return kind(*(left.args if isinstance(left, kind) else [left]), right, evaluate=False)


def apply(function, arguments):
    """Return a function, a sum, a derivative, ... that stays as it is."""
    least, most = ARGUMENTS.get(name := function.__name__, (1, 1))
    if name in FUNCTIONS and not least <= len(arguments) <= most:
        raise TypeError(f"{name} cannot have {len(arguments)} arguments")
    if function is sympy.sqrt:
        return Pow(*arguments, Rational(1, 2), evaluate=False)
    if function is Derivative:
        return checked(derivative(arguments[0], arguments[1:]))
    if name in OPERATORS:
        try:
            return checked(function(*arguments))
        except ValueError as error:
            raise TypeError(error) from None
    return function(*arguments, evaluate=False)


def checked(e):
    """Return a derivative, a sum, ... if it says by what, from where, and to where."""
    match e:
        case Derivative():
            good = len(e.args) > 1 and all(
                isinstance(x, (Symbol, Indexed, AppliedUndef)) and n.is_Integer and n > 0
                for x, n in e.args[1:]
            )
            form = "Derivative(f, x) or Derivative(f, (x, 2))"
        case Sum() | Product():
            good = all(len(limit) == 3 for limit in e.limits)
            form = f"{type(e).__name__}(f, (k, 1, K))"
        case Integral():
            good = [len(limit) for limit in e.limits] == [3]
            form = "Integral(f, (x, a, b))"
        case _:
            good, form = True, ""
    if not good:
        raise TypeError(f"it is written as {form}")
    return e
