"""Two lines compared by their values at many points: the other half of the second check."""

import random

import sympy
from mpmath import mp
from sympy import Dummy, Indexed, Sum

from nnfs_book.checks.derivation.expressions import free_symbols
from nnfs_book.checks.derivation.points import DIGITS, SPARE, Point

MOST = 60  # choices of the integers that are tried


def counterexample(given, proof, before, after):
    """Compare two lines: return at how many points, and in words where they differ, or None."""
    count = 0
    for place, (integers, turn, fixed) in enumerate(plans(given, proof, before, after)):
        for attempt in range(9):  # drawn again where neither line has a value
            turn = None if attempt else turn
            point = Point(given, integers, f"{place} {attempt}", turn, fixed)
            a, b = point.value(before), point.value(after)
            if a is not None or b is not None:
                break
        else:
            continue
        count += 1
        if differ(a, b):
            where = f"at {point}" if str(point) else "in fact"
            a, b = texts(a, b)
            return count, f"{where}: {a} before, {b} after"
    return count, None


def differ(a, b):
    """Whether two values are not the same: one is undefined, or some of their digits differ."""
    if a is None or b is None:
        return True
    return not abs(a - b) <= mp.mpf(10) ** (SPARE - DIGITS) * (1 + abs(a) + abs(b))


def texts(a, b):
    """Write two values with as many digits as it takes to see that they differ."""
    for digits in range(9, DIGITS + SPARE, 9):
        written = ["undefined" if v is None else mp.nstr(v, digits) for v in (a, b)]
        if written[0] != written[1]:
            break
    return written


def plans(given, proof, before, after):
    """Yield points to try: values of the integers, whose turn of the special numbers, a pole."""
    choices = list(given.assignments(given.integers_in(before, after), {}))
    if len(choices) > MOST:
        choices = random.Random(0).sample(choices, MOST)
    for n, choice in enumerate(choices):
        if len(choices) == 1:
            turns = [*12 * [None], *range(24)]
        else:  # the first point is all zeros, where kinks are
            turns = [None if n else 0, 2 * n + 1]
        yield from ((choice, turn, ()) for turn in turns)
    divisors = proof.normal_form(before)[1] | proof.normal_form(after)[1]
    for divisor in sorted(divisors, key=str):
        yield from ((choices[-1], None, pole) for pole in poles(given, proof, divisor))


def poles(given, proof, divisor):
    """Yield the points at which a divisor, or the argument of a logarithm, is zero."""
    variables = free_symbols(divisor)
    if len(variables) != 1 or divisor.is_positive or divisor.atoms(Indexed, Sum, Dummy):
        return
    (x,) = variables
    if x.is_integer:
        return
    try:
        roots = sympy.solve(divisor, x)
    except NotImplementedError:
        return
    original = proof.originals.get(x, x)
    for root in roots:
        if root.is_real and given.allows(original, root):
            with mp.workdps(9 * DIGITS):
                v = mp.mpf(str(root.evalf(9 * DIGITS)))
            yield {(original,): v}
