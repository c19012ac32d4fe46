"""Two lines compared by their values at many points: the other half of the second check."""

import random

import sympy
from mpmath import mp
from sympy import Abs, Heaviside, Indexed, Integral, Max, Min, Product, Sum, Symbol, sign

from nnfs_book.checks.derivation.points import (
    DIGITS,
    MOST_DIGITS,
    SPARE,
    Point,
    Undefined,
    Unreachable,
)
from nnfs_book.checks.derivation.proving import differences

MOST = 60  # choices of the integers that are tried
SCALES = (1, 1, 10, 1, 100, 1, 10, 1, 1000, 1, 10, 1)  # of the numbers that are drawn
DISTANCES = ("0", "1/1000", "-1/1000", "5/2", "-5/2")  # from a kink, a pole, ...


def counterexample(given, proof, before, after, assumed, new):
    """Compare two lines wherever the conditions hold that are assumed, or new with this step.

    Returns at how many points, and in words where they differ, or None. Points that are special do
    not count if there are no others: a condition that leaves only them leaves too little.
    """
    count, ordinary = 0, False
    originals = {proxy: original for original, proxy in proof.proxies.items()}
    has_gaps = any(condition.relation == "!=" for condition in (*assumed, *new))
    for place, (integers, plan) in enumerate(plans(given, proof, before, after, (*assumed, *new))):
        for attempt in range(9):  # drawn again where there is nothing to compare
            if attempt:
                plan = {"scale": SCALES[(place + attempt) % len(SCALES)]}
            try:
                point = Point(given, integers, f"{place} {attempt}", **plan)
            except Undefined:
                continue
            a, b = outcomes(point, before, after)
            if isinstance(a, Unreachable) or isinstance(b, Unreachable):
                continue
            if isinstance(a, Undefined) and (assumed or isinstance(b, Undefined)):
                continue
            if isinstance(b, Undefined) and has_gaps and str(b) == "zero":
                continue
            if isinstance(b, Undefined) and any(violated(point, c, originals) for c in assumed):
                continue
            break
        else:
            continue
        count += 1
        ordinary |= plan.keys() == {"scale"}
        if differ(a, b):
            where = f"at {point}" if str(point) else "in fact"
            a, b = texts(a, b)
            return count, f"{where}: {a} before, {b} after"
    return count * ordinary, None


def violated(point, condition, originals):
    """Whether a condition does not hold at a point."""
    if condition.ranges:
        return False
    try:
        v = point.value(condition.expression.xreplace(originals))
    except Undefined:
        return True
    return v == 0 if condition.relation == "!=" else v < 0


def outcomes(point, *lines):
    """Return the value of each line, or why it has none; with more digits where they disagree."""
    digits = DIGITS
    most = 6 * DIGITS if any(line.has(Integral) for line in lines) else MOST_DIGITS  # for speed
    while True:
        found = []
        for line in lines:
            try:
                found.append(point.value(line, digits))
            except Undefined as reason:
                found.append(reason)
        enough = DIGITS + int(2 * point.exponent)
        if digits >= enough or not differ(*found):
            return found
        if enough > most:
            return [Unreachable("too large")] * 2
        digits = enough


def differ(a, b):
    """Whether two values are not the same: one is undefined, or some of their digits differ."""
    if isinstance(a, Undefined) or isinstance(b, Undefined):
        return True
    return not abs(a - b) <= mp.mpf(10) ** (SPARE - DIGITS) * (1 + abs(a) + abs(b))


def texts(a, b):
    """Write two values with as many digits as it takes to see that they differ."""
    for digits in range(9, DIGITS + SPARE, 9):
        written = ["undefined" if isinstance(v, Undefined) else mp.nstr(v, digits) for v in (a, b)]
        if written[0] != written[1]:
            break
    return written


def plans(given, proof, before, after, conditions):
    """Yield points to try: values of the integers, and how to draw the others."""
    integers = given.integers_in(before, after)
    choices = list(given.assignments(integers, {}))
    if len(choices) > MOST:
        choices = random.Random(0).sample(choices, MOST)
    if not choices:
        return
    slow = before.has(Integral) or after.has(Integral)
    scales = SCALES[::6] if slow else SCALES
    for n, choice in enumerate(choices):
        if len(choices) == 1:
            yield from ((choice, {"scale": scale}) for scale in scales)
            yield from ((choice, {"turn": turn}) for turn in range(2 * len(scales)))
        else:  # the first point is all zeros, where kinks are
            yield choice, {"scale": SCALES[n % len(SCALES)]} if n else {"turn": 0}
            yield choice, {"turn": 2 * n + 1}
    for choice in further(given, integers, conditions):
        yield choice, {"scale": 1}
    for x, place in places(given, proof, before, after, conditions):
        for choice in choices[:: max(1, len(choices) // 3)]:
            yield from ((choice, {"aim": (x, place, sympy.Rational(d))}) for d in DISTANCES)


def further(given, integers, conditions):
    """Yield choices in which one of the integers is far from those tried, or about a root."""
    for x in sorted(integers, key=str):
        lows, highs = given.bounds.get(x, ([], []))
        least = 1 if x.is_nonnegative or lows else -20
        values = [] if highs else [least, least + 8, least + 11]
        values += [least + 27] if len(integers) == 1 and values else []
        for condition in conditions:
            if condition.expression.free_symbols == {x} and condition.expression.is_polynomial(x):
                roots = sympy.Poly(condition.expression, x).ground_roots()
                values += [int(root) + d for root in roots if root.is_integer for d in (-1, 0, 1)]
        for value in values:
            if x.is_positive and value < 1 or any(e.is_Rational and value < e for e in lows):
                continue
            draw = random.Random(value)
            for _ in range(2):
                yield from given.assignments(
                    integers,
                    {x: value},
                    lambda values, draw=draw: draw.sample(values, min(1, len(values))),
                )


def places(given, proof, before, after, conditions):
    """Yield where kinks and poles are: a variable, and what it is there."""
    gaps = {condition.expression for condition in conditions}
    for line in (before, after):
        for f in proof.normal_form(line).atoms(Abs, sign, Max, Min, Heaviside):
            gaps |= set(differences(f))
    originals = {proxy: original for original, proxy in proof.proxies.items()}
    for gap in sorted(gaps, key=str):
        if gap.has(Sum, Product) or any(x.name[0] == "_" for x in gap.free_symbols):
            continue
        for x in sorted(gap.atoms(Symbol, Indexed), key=str):
            if x.is_integer:
                continue
            rest = gap.subs(x, 0)
            factor = sympy.expand(gap - rest) / x
            if factor.is_Rational and factor != 0:
                solutions = [-rest / factor]
            elif gap.free_symbols == {x}:
                solutions = real_roots(gap, x)
            else:
                continue
            for solution in solutions:
                yield x.xreplace(originals), solution.xreplace(originals)
            break


def real_roots(e, x):
    """Return the real roots of an expression in one variable, as far as SymPy finds them."""
    try:
        return [root for root in sympy.solve(e, x) if root.is_real and not root.has(sympy.CRootOf)]
    except NotImplementedError:
        return []
