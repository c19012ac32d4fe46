"""From a string to an expression that stays as it is written."""

import ast

import sympy
from sympy import (
    Add,
    Eq,
    Expr,
    Ge,
    Gt,
    Indexed,
    IndexedBase,
    Le,
    Limit,
    Lt,
    Mul,
    Pow,
    Rational,
    Tuple,
)

from nnfs_book.checks.derivation.expressions import Over, derivative

FUNCTIONS = "exp log sqrt tanh sinh cosh Abs sign Max Min Heaviside KroneckerDelta".split()
OPERATORS = "Derivative Sum Product Integral Limit".split()
KNOWN = {name: getattr(sympy, name) for name in [*FUNCTIONS, *OPERATORS, "E", "pi", "oo"]}
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
        if isinstance(node, ast.Name) and node.id not in names:
            raise ValueError(
                f"the name {node.id!r} is not declared: add it to symbols=, or define it in "
                f"where=; known names: {', '.join(sorted(names))}"
            )
    try:
        return build(tree, names)
    except (IndexError, TypeError) as error:
        raise ValueError(f"cannot read {text!r}: {error}") from None


def build(node, names):
    """Return what a piece of Python's syntax tree says."""

    def of(node):
        return build(node, names)

    match node:
        case ast.Constant(value) if type(value) in (int, float):
            return Rational(str(value))
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
    if function is sympy.sqrt:
        return Pow(*arguments, Rational(1, 2), evaluate=False)
    if function is sympy.Derivative:
        return derivative(arguments[0], arguments[1:])
    if function.__name__ in OPERATORS:
        return function(*arguments)
    return function(*arguments, evaluate=False)
