"""Values of lines at points, by definition alone: half of the second check."""

import random
from fractions import Fraction

import sympy
from mpmath import mp
from sympy import (
    Abs,
    Add,
    Derivative,
    Heaviside,
    Indexed,
    Integral,
    KroneckerDelta,
    Limit,
    Max,
    Min,
    Mul,
    Pow,
    Product,
    Sum,
    Symbol,
    cosh,
    exp,
    log,
    sign,
    sinh,
    tanh,
)
from sympy.core.function import AppliedUndef

from nnfs_book.checks.derivation.expressions import Over, arguments_of, derivative, free_symbols, head_of

DIGITS = 50  # of every value
SPARE = 10  # digits more, which cancellation may cost
SPECIAL = [Fraction(text) for text in "0 1 -1 1/2 -1/2 1/100 10 -10".split()]


class Undefined(Exception):
    """An expression has no real value at a point."""


def nonzero(x):
    """Return x, which must not be zero as far as its digits tell."""
    if abs(x) < mp.mpf(10) ** (SPARE // 2 - mp.dps):
        raise Undefined
    return x


def power(x, exponent):
    """Return a real power."""
    if x < 0 and not mp.isint(exponent):
        raise Undefined
    return mp.power(nonzero(x) if exponent < 0 else x, exponent)


def logarithm(x):
    """Return a real logarithm."""
    if x <= 0:
        raise Undefined
    return mp.log(x)


CONSTANTS = {sympy.pi: mp.pi, sympy.E: mp.e}
FUNCTIONS = {f: getattr(mp, f.__name__) for f in (exp, sinh, cosh, tanh, sign)}
FUNCTIONS |= {Abs: abs, Max: max, Min: min, Pow: power, log: logarithm}
FUNCTIONS[Add] = lambda *terms: mp.fsum(terms)
FUNCTIONS[Mul] = lambda *factors: mp.fprod(factors)
FUNCTIONS[Over] = lambda top, bottom: top / nonzero(bottom)
FUNCTIONS[Heaviside] = lambda x, at_zero: at_zero if x == 0 else mp.mpf(x > 0)
FUNCTIONS[KroneckerDelta] = lambda i, j: mp.mpf(i == j)


class Point:
    """Numbers for all that is free, drawn when they are asked for, and the values of lines there.

    Nothing is simplified: sums are added up term by term, and a derivative is the slope between
    neighbouring points, taken with three times as many digits.
    """

    def __init__(self, given, integers, seed, turn=None, fixed=()):
        self.given = given
        self.integers = integers
        self.turn = turn  # whose turn it is of the special numbers, if any
        self.random = random.Random(seed)
        self.values = dict(fixed)  # key -> number
        self.moved = {}  # key -> number, where a derivative has moved it a little
        for constraint in given.constraints:
            self.balance(*constraint)

    def value(self, line):
        """Return the value of a line, or None where it has no real one."""
        try:
            with mp.workdps(DIGITS + SPARE):
                return +self.at(line, self.integers)
        except (Undefined, ZeroDivisionError, OverflowError):
            return None

    def __str__(self):
        texts = [f"{x} = {n}" for x, n in self.integers.items()]
        for name, *indices in self.values:
            entry = f"{name}[{', '.join(map(str, indices))}]" if indices else name
            texts.append(f"{entry} = {mp.nstr(number(self.values[name, *indices]), 8)}")
        return ", ".join(texts)

    # --- numbers for what is free

    def draw(self, x):
        """Return a number from the domain of x: a special one if it is their turn."""
        special = [v for v in SPECIAL if self.given.allows(x, v)]
        if self.turn is not None and special:
            shift = len(self.values) * (self.turn // len(special))
            return special[(self.turn + shift) % len(special)]
        low, high = self.given.domain.get(x, (-3, 3))
        while True:
            v = low + (high - low) * Fraction(self.random.randint(1, 999), 1000)
            if self.given.allows(x, v):
                return v

    def balance(self, entry, limits, value):
        """Draw the entries of a family and scale them to what a constraint says of their sum."""
        k, *ends = limits
        for env in self.given.assignments(free_symbols(entry) - {k}, self.integers):
            first, last = (int(self.at(end, env)) for end in ends)
            keys = [self.key(entry, {**env, k: n}) for n in range(first, last + 1)]
            drawn = [self.draw(entry.base) for _ in keys]
            while not sum(drawn) or abs(sum(drawn)) < max(map(abs, drawn)) / 10:
                self.turn = None
                drawn = [self.draw(entry.base) for _ in keys]
            scale = Fraction(int(value.p), int(value.q)) / sum(drawn)
            self.values |= {key: v * scale for key, v in zip(keys, drawn)}

    def key(self, e, env):
        """Return what numbers are stored under: (x,) for x, and (z, 1, 2) for z[1, 2]."""
        if isinstance(e, Indexed):
            return (e.base, *(int(self.at(i, env)) for i in e.indices))
        return (e,)

    def quantity(self, e, env):
        """Evaluate a symbol, an entry of a family, or a function."""
        key, head = self.key(e, env), head_of(e)
        if key in self.moved:
            return self.moved[key]
        if head in self.given.definitions:
            formal, body = self.given.definitions[head]
            arguments = [self.at(a, env) for a in arguments_of(e)]
            return self.at(body, self.integers | dict(zip(formal, arguments)))
        if isinstance(e, AppliedUndef):
            raise TypeError(f"the function {head} is not defined in where=")
        if key not in self.values:
            self.values[key] = self.draw(head)
        return number(self.values[key])

    # --- values

    def at(self, e, env):
        """Evaluate an expression; `env` gives numbers to indices and arguments."""
        if e in env:
            return mp.mpf(env[e])
        match e:
            case Symbol() | Indexed() | AppliedUndef():
                return self.quantity(e, env)
            case sympy.Rational():
                return mp.mpf(int(e.p)) / int(e.q)
            case Derivative():
                return self.slope(e, env)
            case Sum() | Product():
                return self.repeated(e, e.limits, env)
            case Integral():
                return self.area(e, env)
            case Limit():
                return self.limit(e, env)
        if e in CONSTANTS:
            return +CONSTANTS[e]
        if e.func not in FUNCTIONS:
            raise TypeError(f"cannot evaluate {e.func.__name__} in {e} numerically")
        return FUNCTIONS[e.func](*(self.at(a, env) for a in e.args))

    def slope(self, e, env):
        """Evaluate a derivative as the slope on both sides; there is none where they differ."""
        *others, x = e.variables
        body = derivative(e.expr, others) if others else e.expr
        digits, centre = mp.dps, self.at(x, env)
        with mp.workdps(3 * digits):
            h = mp.mpf(10) ** -digits
            low, middle, high = [self.near(body, x, centre + d, env) for d in (-h, 0, h)]
            left, right = (middle - low) / h, (high - middle) / h
            if abs(left - right) > mp.mpf(10) ** (-digits // 3) * (1 + abs(left)):
                raise Undefined
            return (left + right) / 2

    def near(self, e, x, v, env):
        """Evaluate an expression with x moved to v."""
        if x in env:
            return self.at(e, {**env, x: v})
        before = self.moved
        self.moved = {**before, self.key(x, env): v}
        try:
            return self.at(e, env)
        finally:
            self.moved = before

    def repeated(self, e, limits, env):
        """Evaluate a Sum or a Product term by term, its outermost limits first."""
        if not limits:
            return self.at(e.function, env)
        *inner, (k, *ends) = limits
        first, last = (int(self.at(end, env)) for end in ends)
        terms = [self.repeated(e, inner, {**env, k: n}) for n in range(first, last + 1)]
        return mp.fsum(terms) if isinstance(e, Sum) else mp.fprod(terms)

    def area(self, e, env):
        """Evaluate an Integral by quadrature."""
        ((x, *ends),) = e.limits
        ends = [self.end(end, env) for end in ends]
        return mp.quad(lambda v: self.at(e.function, {**env, x: v}), ends)

    def end(self, e, env):
        """Evaluate an end of an Integral, or the target of a Limit, which may be infinite."""
        if e.is_infinite:
            return mp.inf if e is sympy.oo else -mp.inf
        return self.at(e, env)

    def limit(self, e, env):
        """Evaluate a Limit at very close points, which have to agree."""
        body, x, target, side = e.args
        values = []
        with mp.workdps(4 * mp.dps):
            end = self.end(target, env)
            for h in (mp.mpf(10) ** -30, mp.mpf(10) ** -60):
                for d in {"+": (h,), "-": (-h,)}.get(str(side), (h, -h)):
                    v = mp.sign(end) / h if mp.isinf(end) else end + d
                    values.append(self.at(body, {**env, x: v}))
            if max(values) - min(values) > mp.mpf(10) ** -20:
                raise Undefined
            return values[-1]


def number(v):
    """Return a fraction as a number of the working precision."""
    return mp.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v
