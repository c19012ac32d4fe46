"""The first check: SymPy proves that two lines are equal."""

import itertools
from collections import defaultdict

import sympy
from sympy import (
    Add,
    Derivative,
    Dummy,
    Indexed,
    Integer,
    Integral,
    KroneckerDelta,
    Limit,
    Mul,
    Pow,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    log,
)
from sympy.core.function import AppliedUndef

from nnfs_book.checks.derivation.expressions import Over, arguments_of, head_of, symbols_in


class Proof:
    """Bring lines as written into a normal form, and decide whether a difference is zero.

    In the normal form definitions are unfolded, derivatives are carried out, sums are split into
    their terms with constant factors outside, and a sum over a Kronecker delta is the one term
    that it sifts out, which is allowed once the index is declared to lie in the range. A sum inside
    a sum is one sum over pairs, which may be added up in any order. A difference in which sums
    remain is also tried by induction on the size up to which they go.
    """

    def __init__(self, given, sizes=None):
        self.given = given
        self.sizes = sizes or {}
        self.bounds = dict(given.bounds)  # those of indices of sums are added on the way
        self.divisors = set()  # denominators and arguments of logarithms that were met
        self.lines = {}  # line -> (its normal form, its divisors)
        self.constrained = False  # whether constraints hold: only after every derivative
        self.inducing = False  # whether a proof by induction is under way: one at a time
        self.proxies, self.originals = {}, {}  # a domain above zero is something SymPy can use
        for x, (low, _) in given.domain.items():
            proxy = type(x)(str(x), **{"positive" if low >= 0 else "real": True})
            self.proxies[x], self.originals[proxy] = proxy, x

    def equal(self, left, right):
        """Whether two lines are proved equal."""
        difference = self.normal_form(left)[0] - self.normal_form(right)[0]
        self.constrained = True
        try:
            return self.is_zero(difference)
        finally:
            self.constrained = False

    def normal_form(self, line):
        """Return the normal form of a line, and what it divides by or takes logarithms of."""
        if line not in self.lines:
            self.divisors = set()
            self.lines[line] = self.value(line, self.sizes), self.divisors
        return self.lines[line]

    # --- the normal form

    def value(self, e, env, held=()):
        """Evaluate an expression: `env` gives values to names, `held` names stay undefined."""
        if e in env:
            return sympy.sympify(env[e])
        if isinstance(e, (Symbol, Indexed, AppliedUndef)):
            return self.quantity(e, env, held)
        if isinstance(e, Derivative):
            return self.derivative(e, env, held)
        if isinstance(e, (Sum, Product)):
            return self.repeated(e, e.limits, env, held)
        if isinstance(e, (Integral, Limit)):
            return self.bound(e, env, held).doit()
        if not e.args:
            return e
        arguments = [self.value(a, env, held) for a in e.args]
        if isinstance(e, Over):
            self.divisors.add(arguments[1])
            return arguments[0] / arguments[1]
        if isinstance(e, log) or isinstance(e, Pow) and arguments[1].is_negative:
            self.divisors.add(arguments[0])
        if isinstance(e, log) and isinstance(arguments[0], Product):
            return self.log_of_product(arguments[0], held)
        return e.func(*arguments)

    def quantity(self, e, env, held):
        """Evaluate a symbol, an entry of a family, or a function: unfold its definition."""
        head, arguments = head_of(e), [self.value(a, env, held) for a in arguments_of(e)]
        if head in self.given.definitions and head not in held:
            formal, body = self.given.definitions[head]
            return self.value(body, self.sizes | dict(zip(formal, arguments)), held)
        head = self.proxies.get(head, head)
        if isinstance(e, Indexed):
            return Indexed(head, *arguments)
        return head(*arguments) if arguments else head

    def derivative(self, e, env, held):
        """Carry out a derivative; one by a defined quantity treats it as a variable."""
        heads = [head_of(x) for x in e.variables if head_of(x) in self.given.definitions]
        inside = (*held, *heads)
        result = self.value(e.expr, env, inside)
        for x in e.variables:
            result = self.value(result.diff(self.value(x, env, inside)), {}, inside)
        return self.value(result, {}, held) if heads else result

    def log_of_product(self, product, held):
        """Return the sum of the factors' logarithms if all are positive, else the logarithm."""
        factor = product.function.xreplace(self.inside_domain(product))
        if sympy.factor(factor, deep=True).is_positive:
            return self.value(Sum(log(product.function), *product.limits), {}, held)
        return log(product)

    def bound(self, e, env, held):
        """Evaluate an Integral or a Limit inside, its own variable set apart."""
        x, *ends = e.args[1] if isinstance(e, Integral) else e.args[1:3]
        own = Dummy(x.name, **x.assumptions0)
        body = self.value(e.args[0], {**env, x: own}, held)
        ends = [self.value(end, env, held) for end in ends]
        if isinstance(e, Limit):
            return Limit(body, own, *ends, str(e.args[3]))
        return Integral(body, (own, *ends))

    def repeated(self, e, limits, env, held):
        """Evaluate a Sum or a Product, its outermost limits first."""
        if not limits:
            return self.value(e.function, env, held)
        *inner, (k, a, b) = limits
        a, b = self.value(a, env, held), self.value(b, env, held)
        if (b - a).is_Integer:
            each = [{**env, k: a + n} for n in range(int(b - a) + 1)]
            combine = Add if isinstance(e, Sum) else Mul
            return combine(*(self.repeated(e, inner, one, held) for one in each))
        own = self.index(a, b)
        body = self.repeated(e, inner, {**env, k: own}, held)
        return self.sum(body, own, a, b) if isinstance(e, Sum) else named(Product, body, own, a, b)

    def index(self, a, b):
        """Return a new index that runs from a to b."""
        own = Dummy("k", integer=True)
        self.bounds[own] = ([a], [b])
        return own

    def sum(self, body, k, a, b):
        """Return the normal form of the sum of `body` for k from a to b."""
        total = Integer(0)
        for term in Add.make_args(sympy.expand(body)):
            outside, inside = term.as_independent(k, as_Add=False)
            sifted = self.sifted(term, inside, k, a, b)
            if sifted is not None:
                total += sifted
            elif inside == 1:
                total += outside * (b - a + 1)
            else:
                total += outside * self.over_all(*self.joined(inside, k, a, b))
        return total

    def joined(self, body, k, a, b):
        """Return the body and the limits of a sum; a sum that is a factor of the body joins it."""
        sums = [factor for factor in Mul.make_args(body) if isinstance(factor, Sum)]
        if len(sums) != 1:
            return body, [(k, a, b)]
        (inner,) = sums
        function, limits = self.renamed(inner.function, inner.limits)
        return body / inner * function, [*limits, (k, a, b)]

    def renamed(self, body, limits):
        """Return the body and the limits of a sum with new indices, whose bounds are known."""
        new = {}
        for k, a, b in reversed(limits):  # an end may depend on an index further out
            new[k] = self.index(a.xreplace(new), b.xreplace(new))
        return body.xreplace(new), [tuple(end.xreplace(new) for end in limit) for limit in limits]

    def over_all(self, body, limits):
        """Return the sum of a term over several indices, by a constraint on one of them if any."""
        indices = {k for k, _, _ in limits}
        if any(end.free_symbols & indices for _, *ends in limits for end in ends):
            return repeated_sum(body, limits)
        for limit in limits if self.constrained else ():
            rest = self.constraint(body, *limit)
            if rest is not None:
                for other in limits:
                    rest = rest if other == limit else self.sum(rest, *other)
                return rest
        orders = [repeated_sum(body, order) for order in itertools.permutations(limits)]
        return min(orders, key=lambda e: (str(e.limits), str(e.function)))

    def sifted(self, term, inside, k, a, b):
        """Return the one term that a Kronecker delta leaves of a sum, if there is one."""
        for delta in Mul.make_args(inside):
            if isinstance(delta, KroneckerDelta) and k in delta.args:
                (j,) = set(delta.args) - {k}
                if self.within(j, [a], [b]):
                    return self.value(term.xreplace({delta: Integer(1)}).subs(k, j), {})
        return None

    def within(self, j, lows, highs):
        """Whether the declarations guarantee that j is at least all lows and at most all highs."""
        own_lows, own_highs = self.bounds.get(j, ([], []))
        above = all(any((low - a).is_nonnegative for low in [j, *own_lows]) for a in lows)
        below = all(any((b - high).is_nonnegative for high in [j, *own_highs]) for b in highs)
        return above and below

    def constraint(self, body, k, a, b):
        """Return what a constraint says of the sum of `body` over k, or None."""
        for entry in Mul.make_args(body):
            if not isinstance(entry, Indexed) or (body / entry).has(k):
                continue
            for other, (own, *own_ends), value in self.given.constraints:
                same = entry.base == self.proxies.get(other.base, other.base) and [a, b] == own_ends
                pairs = zip(entry.indices, other.indices)
                if same and all(i == k if j == own else self.covers(j, i) for i, j in pairs):
                    return value * body / entry
        return None

    def covers(self, j, i):
        """Whether what is declared for every index j holds for i."""
        return self.within(i, *self.bounds[j]) if j in self.bounds else i == j

    # --- whether a difference is zero

    def is_zero(self, e):
        """Whether an expression is proved zero; equal and unequal indices are two cases."""
        e = self.value(e, {})
        for delta in sorted(e.atoms(KroneckerDelta), key=str):
            i, j = delta.args if isinstance(delta.args[0], Symbol) else reversed(delta.args)
            in_sum = any(x.name.startswith("_") for x in delta.free_symbols)
            if isinstance(i, Symbol) and not in_sum:
                equal, unequal = e.subs(i, j), e.xreplace({delta: Integer(0)})
                return self.is_zero(equal) and self.is_zero(unequal)
        return self.vanishes(e) or self.vanishes_merged(e) or self.vanishes_by_induction(e)

    def vanishes_merged(self, e):
        """Put the sums over the same range into one; whether its terms and the rest are zero."""
        merged, rest = defaultdict(int), Integer(0)
        for term in Add.make_args(sympy.expand(e)):
            sums = [factor for factor in Mul.make_args(term) if isinstance(factor, Sum)]
            if len(sums) == 1:
                merged[sums[0].limits] += term / sums[0] * sums[0].function
            else:
                rest += term
        parts = [rest]
        for limits, body in merged.items():
            parts.append(self.renamed(body, limits)[0])
        return len(parts) > 1 and all(map(self.is_zero, parts))

    def vanishes_by_induction(self, e):
        """Whether e is zero at the least value of a size, and always at n + 1 if it is at n.

        The step is shown as e(n + 1) = c e(n) with a factor c that is never infinite.
        """
        if self.inducing:
            return False
        self.inducing = True
        try:
            return any(self.induction(e, n, least) for n, least in self.growing_sizes(e))
        finally:
            self.inducing = False

    def growing_sizes(self, e):
        """Return the sizes up to which e adds up, each with its least value.

        Left out is a size on which a constraint or the bounds of an index depend.
        """
        given, ends = self.given, {s.limits[0][2] for s in single_sums(e)}
        fixed = [end for lows, highs in given.bounds.values() for end in (*lows, *highs)]
        fixed += [end for _, limits, _ in given.constraints for end in limits]
        sizes = []
        for n in sorted(symbols_in(ends) - symbols_in(fixed), key=str):
            lows, highs = given.bounds.get(n, ([], []))
            lows = [*lows, *([Integer(bool(n.is_positive))] if n.is_nonnegative else [])]
            ends_with_n = any((end - n).is_Integer for end in ends)
            if ends_with_n and lows and not highs and not symbols_in(lows):
                sizes.append((n, max(lows)))
        return sizes

    def induction(self, e, n, least):
        """Whether e is zero by induction on n, or once its sums end at the same place."""
        ends = [s.limits[0][2] - n for s in single_sums(e)]
        top = n + min(end for end in ends if end.is_Integer)
        first = self.split(e, n, least, top)
        if self.is_zero(first):
            return True
        if not self.is_zero(e.xreplace({n: least})):
            return False
        then = self.split(e.xreplace({n: n + 1}), n, least, top)
        for total in sorted(single_sums(first), key=str):
            if total.limits[0][2] != top or any(x.name[0] == "_" for x in total.free_symbols):
                continue
            x = Dummy("x")
            before, after = (part.xreplace({total: x}).diff(x) for part in (first, then))
            if before != 0 and not before.has(x):
                factor = sympy.simplify(after / before)
                if sympy.denom(factor).is_nonzero and self.is_zero(then - factor * first):
                    return True
        return False

    def split(self, e, n, least, top):
        """Take the last terms out of the sums that go beyond `top`, which is n or close to it."""
        outermost_first = sorted(single_sums(e), key=lambda s: (-s.count(Sum), str(s)))
        for total in outermost_first:
            k, a, b = total.limits[0]
            room = (top + 1 - a).subs(n, least + Dummy("m", integer=True, nonnegative=True))
            if (b - top).is_Integer and b != top and room.is_nonnegative:
                last = [total.function.subs(k, top + m) for m in range(1, int(b - top) + 1)]
                e = e.xreplace({total: Sum(total.function, (k, a, top)) + Add(*last)})
        return self.value(e, {})

    def vanishes(self, e):
        """Whether SymPy simplifies an expression to zero, its sums and entries being symbols."""
        atoms = sorted(e.atoms(Sum, Product, Indexed), key=str)
        letters = {a: Dummy("a", real=a.is_real, positive=a.is_positive) for a in atoms}
        if simplifies_to_zero(e.xreplace(letters)):
            return True
        inside = self.inside_domain(e)
        return bool(inside) and simplifies_to_zero(e.xreplace(letters | inside))

    def inside_domain(self, e):
        """Return what to put for symbols and entries that have a domain, so that it shows."""
        inside = {}
        for x, (low, high) in self.given.domain.items():
            for a in sorted(e.atoms(Symbol, Indexed), key=str):
                if head_of(a) == self.proxies[x]:
                    # low < a < high is a = low + (high - low)/(1 + u) with a positive u
                    u = Dummy("u", positive=True)
                    inside[a] = Rational(low) + Rational(high - low) / (1 + u)
        return inside


def single_sums(e):
    """Return the sums over one index that occur in an expression."""
    return {s for s in e.atoms(Sum) if len(s.limits) == 1}


def repeated_sum(body, limits):
    """Return a sum over several indices, the innermost first, each named by its depth."""
    for limit in limits:
        body = named(Sum, body, *limit)
    return body


def named(kind, body, k, a, b):
    """Return a Sum or Product whose index has a name that depends on nothing but its depth."""
    depths = [int(x.name[1:]) for x in body.atoms(Symbol) if x.name.startswith("_")]
    name = Symbol(f"_{1 + max(depths, default=0)}", integer=True)
    return kind(body.xreplace({k: name}), (name, a, b))


def simplifies_to_zero(e):
    """Whether one of SymPy's ways to simplify, the cheap ones first, ends in zero."""
    if sympy.expand(sympy.numer(sympy.together(e))) == 0:
        return True
    e = e.replace(
        lambda f: isinstance(f, (log, Pow)), lambda f: f.func(sympy.factor(f.args[0]), *f.args[1:])
    )
    return sympy.simplify(sympy.expand_log(e)) == 0 or sympy.simplify(e.rewrite(exp)) == 0
