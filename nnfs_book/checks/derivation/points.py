"""Values of lines at points, by definition alone: half of the second check."""

import random
from fractions import Fraction

import sympy
from mpmath import mp
from mpmath.libmp import to_rational
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

from nnfs_book.checks.derivation.expressions import (
    Over,
    arguments_of,
    derivative,
    free_symbols,
    head_of,
)

DIGITS = 50  # of every value
SPARE = 10  # digits more, which cancellation may cost
MOST_DIGITS = 2000  # that are tried where exponentials differ by many orders of magnitude
MOST_TERMS = 10_000  # of a sum that is added up
MOST_EXPONENT = 10**9  # of an exponential

PARTS = [n for n in range(1, 1000) if n != 500]  # of a range, but the middle, which is often 0


class Undefined(Exception):
    """An expression has no real value at a point: of something that is "zero", "negative", ..."""


class Unreachable(Undefined):
    """An expression may have a value at a point, but it is not found."""


def nonzero(x):
    """Return x, which must not be zero."""
    if x == 0:
        raise Undefined("zero")
    return x


def total(terms):
    """Return a sum; zero if its terms cancel as far as their digits tell."""
    terms = list(terms)
    result = mp.fsum(terms)
    rounding = mp.mpf(10) ** (SPARE // 2 - mp.dps)
    return mp.mpf(0) if abs(result) < rounding * max(map(abs, terms), default=0) else result


def power(x, exponent):
    """Return a real power."""
    if exponent < 0:
        nonzero(x)
    if x < 0 and not mp.isint(exponent):
        raise Undefined("negative")
    return mp.power(x, exponent)


def logarithm(x):
    """Return a real logarithm."""
    if nonzero(x) < 0:
        raise Undefined("negative")
    return mp.log(x)


CONSTANTS = {sympy.pi: mp.pi, sympy.E: mp.e}
FUNCTIONS = {f: getattr(mp, f.__name__) for f in (exp, sinh, cosh, tanh, sign)}
FUNCTIONS |= {Abs: abs, Max: max, Min: min, Pow: power, log: logarithm}
FUNCTIONS[Add] = lambda *terms: total(terms)
FUNCTIONS[Mul] = lambda *factors: mp.fprod(factors)
FUNCTIONS[Over] = lambda top, bottom: top / nonzero(bottom)
FUNCTIONS[Heaviside] = lambda x, at_zero: at_zero if x == 0 else mp.mpf(x > 0)
FUNCTIONS[KroneckerDelta] = lambda i, j: mp.mpf(i == j)


class Point:
    """Numbers for all that is free, drawn when they are asked for, and the values of lines there.

    Nothing is simplified: sums are added up term by term, and a derivative is the slope between
    neighbouring points, taken with three times as many digits.

    A point may be drawn among special numbers, when it is their `turn`, or from a wider range, or
    be aimed at the place (x, what x is there, distance from there).
    """

    def __init__(self, given, integers, seed, turn=None, scale=1, aim=None):
        self.given = given
        self.integers = integers
        self.turn, self.scale = turn, scale
        self.random = random.Random(seed)
        self.values = {}  # key -> number
        self.moved = {}  # key -> number, where a derivative has moved it a little
        self.exponent = 0  # the largest of an exponential so far
        for constraint in given.constraints:
            self.balance(*constraint)
        if aim:
            self.aim(*aim)

    def value(self, line, digits=DIGITS):
        """Return the value of a line; raise Undefined where it has no real one."""
        try:
            with mp.workdps(digits + SPARE):
                return +self.at(line, self.integers)
        except ZeroDivisionError:
            raise Undefined("zero") from None
        except (OverflowError, MemoryError):
            raise Unreachable("too large") from None

    def aim(self, x, place, distance):
        """Move x to a place that depends on the others, or to a distance from it."""
        with mp.workdps(9 * DIGITS):
            v = self.at(place, self.integers) + mp.mpf(distance.p) / distance.q
            v = Fraction(*map(int, to_rational(v._mpf_)))
            key = self.key(x, self.integers)
        if key in self.values or not self.given.allows(head_of(x), v):
            raise Undefined("elsewhere")
        self.values[key] = v

    def __str__(self):
        texts = [f"{x} = {n}" for x, n in self.integers.items()]
        for name, *indices in self.values:
            entry = f"{name}[{', '.join(map(str, indices))}]" if indices else name
            texts.append(f"{entry} = {mp.nstr(number(self.values[name, *indices]), 8)}")
        return ", ".join(texts)

    # --- numbers for what is free

    def draw(self, x):
        """Return a number from the domain of x: a special one if it is their turn."""
        low, high = self.given.domain.get(x, (-3 * self.scale, 3 * self.scale))
        special = self.given.special_numbers(x)
        if self.turn is not None and special:
            shift = len(self.values) * (self.turn // len(special))
            return special[(self.turn + shift) % len(special)]
        while True:
            v = low + (high - low) * Fraction(self.random.choice(PARTS), 1000)
            if self.given.allows(x, v):
                return v

    def balance(self, entry, limits, value):
        """Draw the entries of a family and scale them to what a constraint says of their sum."""
        for env in self.given.assignments(free_symbols(entry) - {limits[0]}, self.integers):
            self.balance_one(entry, limits, value, env)

    def balance_one(self, entry, limits, value, env, wanted=None):
        """Draw and scale the entries of one of the sums, if a wanted one is among them."""
        k, *ends = limits
        first, last = (int(self.at(end, env)) for end in ends)
        keys = [self.key(entry, {**env, k: n}) for n in range(first, last + 1)]
        if wanted is None or wanted in keys:
            self.values |= dict(zip(keys, self.balanced(entry.base, len(keys), value)))

    def may_be(self, n, v):
        """Whether an integer may have this value, by its bounds."""
        lows, highs = self.given.bounds.get(n, ([], []))
        low, high = ([self.at(end, self.integers) for end in ends] for ends in (lows, highs))
        return max(low, default=v) <= v <= min(high, default=v)

    def balanced(self, family, count, value):
        """Return so many numbers that have a sum; one of them is all of it when it is its turn."""
        value = Fraction(int(value.p), int(value.q))
        if self.turn is not None and all(self.given.allows(family, v) for v in (0, value)):
            whole = self.turn % count
            return [value if n == whole else Fraction(0) for n in range(count)]
        for _ in range(50):
            drawn = [self.draw(family) for _ in range(count)]
            self.turn = None
            if sum(drawn) and abs(sum(drawn)) >= max(map(abs, drawn)) / 10:
                scaled = [v * value / sum(drawn) for v in drawn]
                if all(self.given.allows(family, v) for v in scaled):
                    return scaled
        raise Undefined("elsewhere")

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
        for entry, limits, value in self.given.constraints:
            if entry.base == head and key not in self.values:  # outside of what `balance` foresaw
                own = dict(zip(entry.indices, key[1:]))
                if all(self.may_be(n, v) for n, v in own.items() if n != limits[0]):
                    self.balance_one(entry, limits, value, self.integers | own, key)
        if key not in self.values:
            self.values[key] = self.draw(head)
        return number(self.values[key])

    # --- values

    def at(self, e, env):
        """Evaluate an expression; `env` gives numbers to indices and arguments."""
        if e in env:
            return mp.mpf(env[e])  # with the digits of now
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
        if e.is_infinite:
            raise Undefined("infinite")
        if e.func not in FUNCTIONS:
            raise TypeError(f"cannot evaluate {e.func.__name__} in {e} numerically")
        arguments = [self.at(a, env) for a in e.args]
        if e.func in (exp, sinh, cosh, tanh):
            self.exponent = max(self.exponent, abs(arguments[0]))
            if arguments[0] > MOST_EXPONENT or mp.mag(arguments[0]) > MOST_DIGITS:
                raise Unreachable("too large")
        elif e.func is Pow and arguments[0] != 0:
            size = arguments[1] * mp.mag(arguments[0])
            self.exponent = max(self.exponent, abs(size))
            if size > MOST_EXPONENT:
                raise Unreachable("too large")
        return FUNCTIONS[e.func](*arguments)

    def slope(self, e, env):
        """Evaluate a derivative as the slope on both sides; there is none where they differ."""
        *others, x = e.variables
        body = derivative(e.expr, others) if others else e.expr
        digits, centre = mp.dps, self.at(x, env)
        if digits > MOST_DIGITS:
            raise Unreachable("a slope of a slope of a slope ...")
        with mp.workdps(3 * digits):
            h = mp.mpf(10) ** -digits * (min(1, abs(centre)) or 1)
            middle = self.near(body, x, centre, env)
            try:
                low, high = [self.near(body, x, centre + d, env) for d in (-h, h / 2)]
            except Unreachable:
                raise
            except Undefined:
                raise Undefined("zero") from None
            left, right = (middle - low) / h, (high - middle) / (h / 2)  # a jump is not symmetric
            if abs(left - right) > mp.mpf(10) ** (-digits // 3) * (1 + abs(left)):
                raise Undefined("zero")
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
        if last < first - 1:
            raise Undefined("out of order")
        if last - first > MOST_TERMS:
            raise Unreachable("too many terms")
        terms = [self.repeated(e, inner, {**env, k: n}) for n in range(first, last + 1)]
        return total(terms) if isinstance(e, Sum) else mp.fprod(terms)

    def area(self, e, env):
        """Evaluate an Integral by quadrature."""
        ((x, *ends),) = e.limits
        ends = [self.end(end, env) for end in ends]
        if e.function.has(Abs, Max, Min, sign, Heaviside):
            raise Unreachable("the quadrature of kinks is not exact")
        return mp.quad(lambda v: self.at(e.function, {**env, x: v}), ends)

    def end(self, e, env):
        """Evaluate an end of an Integral, or the target of a Limit, which may be infinite."""
        if e.is_infinite:
            return mp.inf if e is sympy.oo else -mp.inf
        return self.at(e, env)

    def limit(self, e, env):
        """Evaluate a Limit at very close points, which have to agree."""
        body, x, target, side = e.args
        values, exponent = [], self.exponent
        distances = mp.mpf(10) ** (-mp.dps // 2), mp.mpf(10) ** -mp.dps
        with mp.workdps(4 * mp.dps):
            end = self.end(target, env)
            for h in distances:
                for d in {"+": (h,), "-": (-h,)}.get(str(side), (h, -h)):
                    v = mp.sign(end) / h if mp.isinf(end) else end + d
                    values.append(self.at(body, {**env, x: v}))
            if max(values) - min(values) > mp.mpf(10) ** -20:
                raise Undefined("without limit")
            self.exponent = exponent
            return values[-1]


def number(v):
    """Return a fraction as a number of the working precision."""
    return mp.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v
