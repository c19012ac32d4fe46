"""Small mistakes, made one at a time, wherever the network states its mathematics.

A mutant is one method or function with one operator, comparison, number, truth value or sign
changed. None of the places is named here: every method of every class that `parts` finds is
changed, but for `__init__` and other special methods, and every function beside them. What a guard
says (an ``if`` that does nothing but raise) is left alone: what is refused has checks of its own.
"""

import ast
import inspect
import sys
import textwrap
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from types import FunctionType

import numpy as np
import parts

from nnfs_book.arithmetic import native
from nnfs_book.checks import gradients
from nnfs_book.network import penalties
from nnfs_book.network.settings import Settings

OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitOr: [ast.BitAnd],
    ast.BitAnd: [ast.BitOr],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.USub: [ast.UAdd],
    ast.UAdd: [ast.USub],
    ast.Not: [ast.UAdd],
    ast.Invert: [ast.UAdd],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}


@dataclass
class Mutant:
    """A function that takes the place of another, and what is different in it."""

    owner: object
    name: str
    function: object
    change: str


def owners():
    """Return the classes and functions in which the network states its mathematics."""
    classes = [c for c in parts.classes() if c is not Settings]
    modules = dict.fromkeys([sys.modules[c.__module__] for c in classes] + [penalties])
    functions = [
        f
        for module in modules
        for f in vars(module).values()
        if isinstance(f, FunctionType) and f.__module__ == module.__name__
    ]
    return [owner for owner in classes + functions if stated(owner)]


def stated(owner):
    """Return, by name, the functions of an owner that may hold a mistake."""
    if isinstance(owner, FunctionType):
        return {owner.__name__: owner}
    found = {}
    for name, member in vars(owner).items():
        function = member.fget if isinstance(member, property) else member
        if isinstance(function, FunctionType) and not name.startswith("__"):
            found[name] = function
    return found


def mutants(owner):
    """Yield every mutant of an owner."""
    for name, function in stated(owner).items():
        for i in range(len(list(places(tree_of(function))))):
            tree = tree_of(function)
            node, change = list(places(tree))[i]
            before = ast.unparse(node)
            change()
            said = f"{name}, line {node.lineno}: {before} became {ast.unparse(node)}"
            yield Mutant(owner, name, compiled(tree, owner, function), said)


def tree_of(function):
    """Return the syntax tree of a function."""
    lines, first = inspect.getsourcelines(function)
    (tree,) = ast.parse(textwrap.dedent("".join(lines))).body
    return ast.increment_lineno(tree, first - 1)


def compiled(tree, owner, function):
    """Return the function of a syntax tree, as it would be in its place."""
    around = ast.parse("def around(__class__):\n    return 0")  # where `super` finds its class
    tree.decorator_list = []  # a property is made one again by `planted`
    around.body[0].body = [tree, ast.Return(ast.Name(tree.name, ast.Load()))]
    namespace = {}
    code = compile(ast.fix_missing_locations(around), inspect.getfile(function), "exec")
    exec(code, vars(sys.modules[function.__module__]), namespace)
    return namespace["around"](owner)


def places(node):
    """Yield each change that can be made in a syntax tree: where, and a function that makes it."""
    if isinstance(node, ast.If) and all(isinstance(s, ast.Raise) for s in node.body):
        return  # a guard
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.UnaryOp | ast.BoolOp):
        for other in OPERATORS.get(type(node.op), ()):
            yield node, lambda other=other: setattr(node, "op", other())
    elif isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for other in OPERATORS[type(operator)]:
                yield node, lambda i=i, other=other: node.ops.__setitem__(i, other())
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for step in (1, -1):
            yield node, lambda step=step: setattr(node, "value", node.value + step)
    for child in ast.iter_child_nodes(node):
        yield from places(child)


# --- Which of them are noticed --------------------------------------------------------------------


@contextmanager
def planted(mutant):
    """Let a mutant take the place of what it is a mutant of, wherever that is used."""
    if isinstance(mutant.owner, type):
        places = [mutant.owner]
    else:
        known = [*parts.modules(), gradients]
        places = [m for m in known if vars(m).get(mutant.name) is mutant.owner]
    original = vars(places[0])[mutant.name]
    function = property(mutant.function) if isinstance(original, property) else mutant.function
    for place in places:
        setattr(place, mutant.name, function)
    try:
        yield
    finally:
        for place in places:
            setattr(place, mutant.name, original)


def nearest(owner):
    """Return the parts that are of a class, or none for a function."""
    return [k for k in parts.parts() if isinstance(owner, type) and issubclass(k, owner)]


def unnoticed(owner):
    """Return what no check notices, of all the mutants that do something else than the original."""
    others = [k for k in parts.parts() if k not in nearest(owner)]
    original, found = originals(), []
    for mutant in mutants(owner):
        with planted(mutant):
            if noticed(nearest(owner), owner):
                continue
            equal = all(map(same, parts.parts(), original, map(traces, parts.parts())))
            if not equal and not noticed(others, owner):
                found.append(mutant.change)
    return found


def noticed(kinds, owner):
    """Tell whether a check of some parts goes red; the first that does will do."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            if isinstance(owner, FunctionType):
                parts.run_examples(vars(sys.modules[owner.__module__])[owner.__name__])
            for kind in kinds:
                for check in parts.CHECKS:
                    check(kind)
        except Exception:
            return True
    return False


def traces(kind):
    """Return what a part makes of every case, with all settings, in both arithmetics."""
    found = []
    for settings in parts.settings_to_try(kind):
        for case in parts.cases(kind):
            for arithmetic, dtype in ((nullcontext, np.float32), (native, np.float64)):
                with arithmetic(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        found.append(
                            (
                                settings,
                                case,
                                parts.outcomes(parts.made(kind, settings), case, dtype),
                            )
                        )
                    except Exception as error:
                        found.append((settings, case, {"error": repr(error)}))
    return found


@cache
def originals():
    """Return the traces of all parts as they are."""
    return [traces(kind) for kind in parts.parts()]


def same(kind, ours, theirs):
    """Tell whether values and gradients are the same, but for gradients at kinks.

    There several are right, and `CHECKS` have seen that it is one of these.
    """
    for (settings, case, before), (_, _, after) in zip(ours, theirs, strict=True):
        for name, a in before.items():
            b = after.get(name)
            if type(a) is not type(b) or np.shape(a) != np.shape(b):
                return False
            different = np.asarray(a != b)
            if different.any():
                at_kinks = kinks(kind, settings, case, name)
                if at_kinks is None or (different & ~at_kinks).any():
                    return False
    return True


def kinks(kind, settings, case, name):
    """Return where a gradient is not the only one, or None where that cannot be told."""
    if not parts.has_gradients(kind) or all(case is not c for c in parts.cases(kind, ends=False)):
        return None
    with native():
        for of, change, x, _ in parts.gradients_of(parts.made(kind, settings), case):
            if of == name:
                left, right = parts.slopes_on_both_sides(change, x)
                return abs(left - right) > 1e-3
    return None
