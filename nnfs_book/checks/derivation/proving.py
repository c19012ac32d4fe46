"""The first check: SymPy proves that two lines are equal."""

import itertools
import random
from collections import defaultdict

import sympy
from sympy import (
    Abs,
    Add,
    Derivative,
    DiracDelta,
    Dummy,
    Expr,
    Heaviside,
    Indexed,
    Integer,
    Integral,
    KroneckerDelta,
    Limit,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    log,
    sign,
    sinh,
    tanh,
)
from sympy.core.function import AppliedUndef

from nnfs_book.checks.derivation.definedness import Condition, merged, upright, without_root
from nnfs_book.checks.derivation.expressions import Over, arguments_of, head_of, symbols_in
from nnfs_book.checks.derivation.limits import approaches, by_sympy, limit_at_zero
from nnfs_book.checks.derivation.signs import Signs


class Proof:
    """Bring lines as written into a normal form, and decide whether a difference is zero.

    In the normal form definitions are unfolded, derivatives are carried out, sums are split into
    their terms with constant factors outside, and a sum over a Kronecker delta is the one term
    that it sifts out, which is allowed once the index is declared to lie in the range. A sum inside
    a sum is one sum over pairs, which may be added up in any order. What remains is compared by
    shifting and reversing ranges, by splitting them, by the cases of each kink, and by induction on
    a size.

    All of it relies on lines having values: on what is declared, and on the conditions that
    `assume` is given.
    """

    def __init__(self, given, sizes=None):
        self.given = given
        self.sizes = sizes or {}
        self.bounds = dict(given.bounds)  # those of indices of sums are added on the way
        self.lines = {}  # line -> its normal form
        self.constrained = False  # whether constraints hold: only after every derivative
        self.inducing = False  # whether a proof by induction is under way: one at a time
        self.proxies = {}  # a domain above zero is something SymPy can use
        for x, (low, _) in given.domain.items():
            sign = "positive" if low > 0 or low == 0 and x not in given.closed else "nonnegative"
            self.proxies[x] = type(x)(str(x), **{sign if low >= 0 else "real": True})
        self.assumed = None
        self.assume([])

    def assume(self, conditions):
        """Rely on conditions, and on no others."""
        if conditions == self.assumed:
            return
        self.assumed, self.signs, self.lines = list(conditions), Signs(self), {}
        self.assumed_bounds, self.solved = {}, []
        for e, relation, ranges in merged(self.assumed):
            if not ranges:
                self.solve(e.xreplace(dict(self.solved)), relation)

    def solve(self, e, relation):
        """Keep a condition as a bound of an integer, or as what to put for one of its variables."""
        for x in sorted(e.atoms(Symbol, Indexed), key=lambda x: (bool(x.is_nonnegative), str(x))):
            rest = e.subs(x, 0)
            factor = sympy.expand(e - rest) / x
            if not factor.is_Rational or factor == 0:  # a family's name, or an index, is no variable
                continue
            if x.is_integer and (relation == "!=" or not x.is_Symbol):
                continue
            if x.is_integer and rest.is_Rational:
                low = -rest / factor
                side = 0 if factor > 0 else 1
                strict = relation == ">" and low.is_integer
                end = sympy.ceiling(low) + strict if side == 0 else sympy.floor(low) - strict
                self.assumed_bounds.setdefault(x, ([], []))[side].append(end)
                return
            if x.is_integer and (abs(factor) != 1 or not rest.is_integer):
                continue
            sort = SORTS[relation, bool(e.is_nonnegative)]
            u = Dummy("u", real=True, integer=x.is_integer, **{sort: True})
            self.solved.append((x, (u - rest) / factor))
            return

    def under_assumptions(self, e):
        """Put into an expression what the assumptions say of its variables."""
        for x, inside in self.solved:
            e = e.xreplace({x: inside})
        for assumption, relation, ranges in merged(self.assumed) if e.has(Indexed) else ():
            for entry in assumption.atoms(Indexed) if ranges else ():
                if (assumption - entry).is_Rational:
                    sort = SORTS[relation, bool(assumption.is_nonnegative)]
                    for a in sorted(e.atoms(Indexed), key=str):
                        if self.covered(entry, ranges, a):
                            e = e.xreplace(
                                {a: Dummy("u", real=True, **{sort: True}) - (assumption - entry)}
                            )
        return e

    def covered(self, entry, ranges, other):
        """Whether an entry with indices in these ranges may be this other entry."""
        if entry.base != other.base:
            return False
        pairs = dict(zip(entry.indices, other.indices))
        own = {k: pairs.get(k, k) for k, _, _ in ranges}
        return entry.xreplace(own) == other and self.inside(ranges, own)

    def inside(self, ranges, values):
        """Whether indices that have these values, or their own, lie in their ranges."""
        return all(
            self.within(k.xreplace(values), [a.xreplace(values)], [b.xreplace(values)])
            for k, a, b in ranges
        )

    def follows(self, condition):
        """Whether a condition follows from what is declared and assumed."""
        e, relation = condition.expression, condition.relation
        return self.signs.holds(e, relation) or any(
            relation == other.relation and self.instance(other, e) for other in self.assumed
        )

    def instance(self, assumption, e):
        """Whether an assumption, for some value of its indices, says the same of e."""
        if assumption.expression == e:
            return True
        for entry in assumption.expression.atoms(Indexed) if assumption.ranges else ():
            for other in e.atoms(Indexed):
                own = dict(zip(entry.indices, other.indices))
                if assumption.expression.xreplace(own) == e:
                    return self.covered(entry, assumption.ranges, other)
        return False

    def ends(self, x):
        """Return the lower and the upper ends of the range of a variable that may reach them."""
        lows, highs = self.bounds.get(x, ([], []))
        for original, (low, high) in self.given.domain.items():
            if original in self.given.closed and head_of(x) == self.proxies[original]:
                lows, highs = [Rational(low)], [Rational(high)]
        more_lows, more_highs = self.assumed_bounds.get(x, ([], []))
        return [*lows, *more_lows], [*highs, *more_highs]

    def equal(self, left, right):
        """Whether two lines are proved equal."""
        difference = self.normal_form(left) - self.normal_form(right)
        if any(self.normal_form(line).has(*UNKNOWN) for line in (left, right)):
            return False
        self.constrained = True
        try:
            return self.is_zero(difference)
        finally:
            self.constrained = False

    def normal_form(self, line):
        """Return the normal form of a line."""
        if line not in self.lines:
            self.lines[line] = self.value(line, self.sizes)
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
            return self.bound(e, env, held)
        if not e.args:
            return e
        arguments = [self.value(a, env, held) for a in e.args]
        if isinstance(e, Over):
            return arguments[0] / arguments[1]
        if isinstance(e, Pow) and length(*arguments) > MOST_TERMS:
            raise ValueError(f"{sympy.sstr(e)} is too long to be written out")
        if isinstance(e, Pow) and arguments[0] == -1 and arguments[1].is_integer:
            return arguments[0] ** parity(arguments[1])
        if isinstance(e, log) and arguments[0].has(Product):
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
        given = {x: Dummy(x.name, real=True) for x in e.variables if x in env}  # a slope at a place
        result = self.value(e.expr, {**env, **given}, inside)
        for x in e.variables:
            along = given[x] if x in given else self.value(x, env, inside)
            result = result.diff(along).replace(DiracDelta, lambda *_: 0)
            result = self.value(result, {}, inside)  # kinks, where a jump would be, are left out
        result = self.value(result, {own: env[x] for x, own in given.items()}, inside)
        return self.value(result, {}, held) if heads else result

    def log_of_product(self, e, held):
        """Return the sum of the factors' logarithms if all are positive, else the logarithm."""
        if isinstance(e, Mul) and all(self.signs.holds(factor, ">") for factor in e.args):
            return Add(*(self.log_of_product(factor, held) for factor in e.args))
        if isinstance(e, Pow) and self.signs.holds(e.base, ">"):
            return e.exp * self.log_of_product(e.base, held)
        if isinstance(e, Product):
            body, (*inner, outer) = self.renamed(e.function, e.limits)
            body = Product(body, *inner) if inner else body
            if self.signs.holds(body, ">"):
                return self.sum(self.log_of_product(body, held), *outer)
        return log(e)

    def bound(self, e, env, held):
        """Evaluate an Integral or a Limit inside, its own variable set apart."""
        x, *ends = e.args[1] if isinstance(e, Integral) else e.args[1:3]
        own = Dummy(x.name, **x.assumptions0)
        body = self.value(e.args[0], {**env, x: own}, held)
        ends = [self.value(end, env, held) for end in ends]
        if isinstance(e, Integral):
            return Integral(body, (own, *ends)).doit()
        (target,), side = ends, str(e.args[3])
        if body.free_symbols | target.free_symbols == {own}:
            found = {by_sympy(body, own, target, side)}
        else:
            u = Dummy("u", positive=True)
            found = {
                limit_at_zero(self.value(body.xreplace({own: place}), {}), u, self)
                for place in approaches(target, side, u)
            }
        return found.pop() if len(found) == 1 and None not in found else Limit(body, own, target)

    def repeated(self, e, limits, env, held):
        """Evaluate a Sum or a Product, its outermost limits first."""
        if not limits:
            return self.value(e.function, env, held)
        *inner, (k, a, b) = limits
        a, b = self.value(a, env, held), self.value(b, env, held)
        if (b - a).is_Integer and b - a < MOST_TERMS:
            each = [{**env, k: a + n} for n in range(int(b - a) + 1)]
            combine = Add if isinstance(e, Sum) else Mul
            return combine(*(self.repeated(e, inner, one, held) for one in each))
        own = self.index(a, b)
        body = self.repeated(e, inner, {**env, k: own}, held)
        return (self.sum if isinstance(e, Sum) else self.product)(body, own, a, b)

    def index(self, a, b, name="k"):
        """Return a new index that runs from a to b."""
        own = Dummy(name, integer=True)
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
            elif (power := inside.as_base_exp())[0] == k and power[1] in range(1, FEW):
                total += outside * sympy.expand(sympy.summation(inside, (k, a, b)))
            else:
                total += outside * self.over_all(*self.joined(inside, k, a, b))
        return total

    def product(self, body, k, a, b):
        """Return the normal form of the product of `body` for k from a to b."""
        result = Integer(1)
        for factor in Mul.make_args(sympy.factor(sympy.together(body))):
            base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, Integer(1))
            if not factor.has(k):
                result *= factor ** (b - a + 1)
            elif isinstance(factor, exp):
                result *= exp(self.sum(factor.args[0], k, a, b))
            elif (
                power != 1
                and not power.has(k)
                and (power.is_integer or self.signs.holds(base, ">=" if power.is_positive else ">"))
            ):
                result *= self.product(base, k, a, b) ** power
            else:
                result *= named(Product, factor, k, a, b)
        return result

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
        for limit in limits if self.constrained and not dependent(limits) else ():
            rest = self.constraint(body, *limit)
            if rest is not None:
                for other in limits:
                    rest = rest if other == limit else self.sum(rest, *other)
                return rest
        for (k, a, b), *others in self.orders(limits):
            if others and not body.has(k):  # a term that is counted, not added up
                rest = body * (b - a + 1)
                for other in others:
                    rest = self.sum(rest, *other)
                return rest
        orders = [repeated_sum(body, order) for order in self.orders(limits)]
        return min(orders, key=lambda e: (str(e.limits), str(e.function)))

    def orders(self, limits):
        """Return the limits of a sum, the innermost first, in all orders that give the same sum."""
        orders = [tuple(limits)]
        for order in orders:
            for n in range(len(order) - 1):
                pair = self.swapped(*order[n : n + 2])
                if pair and (other := (*order[:n], *pair, *order[n + 2 :])) not in orders:
                    orders.append(other)
        return orders

    def swapped(self, inner, outer):
        """Return the limits of two sums, one inside the other, for the other order, if it is known.

        Where one end of the inner sum is k + c or c - k, the pairs form a triangle or a trapezium.
        """
        (m, a, b), (k, low, high), within = inner, outer, self.signs.within
        if not (a.has(k) or b.has(k)):
            return outer, inner
        if not a.has(k) and not (c := b - k).has(k) and within(low, a - c):
            return (k, m - c, high), (m, a, high + c)
        if not b.has(k) and not (c := a - k).has(k) and within(b - c, high):
            return (k, low, m - c), (m, low + c, b)
        if not a.has(k) and not (c := b + k).has(k) and within(c - a, high):
            return (k, low, c - m), (m, a, c - low)
        if not b.has(k) and not (c := a + k).has(k) and within(low, c - b):
            return (k, c - m, high), (m, c - high, b)
        return None

    def sifted(self, term, inside, k, a, b):
        """Return the one term that a Kronecker delta leaves of a sum, if there is one."""
        for delta in Mul.make_args(inside):
            if isinstance(delta, KroneckerDelta) and k in delta.args:
                (j,) = set(delta.args) - {k}
                if not j.has(k) and self.within(j, [a], [b]):
                    return self.value(term.xreplace({delta: Integer(1)}).subs(k, j), {})
        return None

    def within(self, j, lows, highs):
        """Whether the declarations guarantee that j is at least all lows and at most all highs."""
        within = self.signs.within
        return all(within(a, j) for a in lows) and all(within(j, b) for b in highs)

    def constraint(self, body, k, a, b):
        """Return what a constraint says of the sum of `body` over k, or None."""
        for entry in Mul.make_args(body):
            if not isinstance(entry, Indexed) or (body / entry).has(k):
                continue
            for other, (own, *own_ends), value in self.given.constraints:
                if entry.base != self.proxies.get(other.base, other.base):
                    continue
                pairs = list(zip(entry.indices, other.indices))
                ends = [end.xreplace({j: i for i, j in pairs}) for end in own_ends]
                if not all(i == k if j == own else self.covers(j, i) for i, j in pairs):
                    continue
                (first, last), factor = ends, body / entry
                more = first - a, b - last  # how many terms the sum has more at its two ends
                if all(n.is_Integer and abs(n) <= FEW for n in more):
                    below = (n * entry.xreplace({k: first - m}) for n, m in beyond(more[0]))
                    above = (n * entry.xreplace({k: last + m}) for n, m in beyond(more[1]))
                    return (value + Add(*below, *above)) * factor
        return None

    def covers(self, j, i):
        """Whether what is declared for every index j holds for i."""
        return self.within(i, *self.bounds[j]) if j in self.bounds else i == j

    # --- whether a difference is zero

    def is_zero(self, e):
        """Whether an expression is proved zero; equal and unequal indices are two cases."""
        e = self.value(e, {})
        for delta in sorted(e.atoms(KroneckerDelta), key=str):
            i, j = solved(*delta.args)
            in_sum = any(x.name.startswith("_") for x in delta.free_symbols)
            if i is not None and not in_sum:
                same = {d for d in e.atoms(KroneckerDelta) if solved(*d.args) == (i, j)}
                unequal = e.xreplace({d: Integer(0) for d in same})
                apart = self.signs.holds(i - j, "!=")
                return (apart or self.is_zero(e.subs(i, j))) and self.is_zero(unequal)
        ways = (
            self.vanishes,
            self.vanishes_merged,
            self.vanishes_by_cases,
            self.vanishes_aligned,
            self.vanishes_by_induction,
        )
        return any(way(e) for way in ways)

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

    def vanishes_by_cases(self, e, depth=4, facts=()):
        """Whether e is zero on both sides of a kink, and at it; the facts are positive."""
        switches = [g for f in e.atoms(*KINKS) for g in differences(f)]
        switches.sort(key=lambda g: (g.has(*KINKS), len(str(g)), str(g)))  # the innermost first
        switches = [g for g in switches if not any(x.name[0] == "_" for x in g.free_symbols)]
        if not switches or not depth:
            return False
        switch, holds = switches[0], self.signs.holds
        cases = [
            *([{"positive": True}] if not holds(-switch, ">=") else []),
            *([{"negative": True}] if not holds(switch, ">=") else []),
            *([None] if not self.follows(Condition(upright(without_root(switch)), "!=")) else []),
        ]
        return all(self.vanishes_in_case(e, switch, case, depth - 1, facts) for case in cases)

    def vanishes_in_case(self, e, switch, case, depth, facts):
        """Whether e is zero where a switch has a sign, or is zero, if that can be."""
        u = Dummy("u", **case) if case else Integer(0)
        put = {}  # for one of the variables, if possible one whose known sign stays visible
        for x in sorted(switch.atoms(Symbol, Indexed), key=str, reverse=True):
            rest = switch.subs(x, 0)
            factor = sympy.expand(switch - rest) / x
            if factor.is_Rational and factor != 0 and not x.is_integer:
                if not put or (x * u / factor).is_positive:
                    put = {x: (u - rest) / factor}
        if put:
            e = self.value(e.xreplace(put), {})
            facts = [*(fact.xreplace(put) for fact in facts), *([Abs(u)] if case else [])]
            if any(fact.is_nonpositive for fact in facts):
                return True
        else:
            letter = Dummy("g", real=True, **(case or {"zero": True}))
            for f in e.atoms(*KINKS):
                if len(gaps := differences(f)) == 1 and (ratio := multiple(gaps[0], switch)):
                    e = e.xreplace({f: at_kink(f, ratio * letter).xreplace({letter: switch})})
        e = self.settled(e)
        if not case and multiple(e, switch):
            return True
        return self.vanishes(e) or self.vanishes_by_cases(e, depth, facts)

    def settled(self, e):
        """Return an expression without the kinks of which it is known on which side they are."""
        known = {}
        for f in e.atoms(*KINKS):
            if isinstance(f, (Max, Min)):
                known[f] = f.func(*self.undecided(f))
                continue
            for turn, sort in ((1, "positive"), (-1, "negative")):
                if self.signs.holds(turn * f.args[0], ">"):
                    letter = Dummy("g", **{sort: True})
                    known[f] = f.func(letter, *f.args[1:]).xreplace({letter: f.args[0]})
        return e.xreplace(known)

    def undecided(self, f):
        """Return the arguments of a Max or Min without those that are known to lose."""
        left = list(f.args)
        for pair in itertools.combinations(f.args, 2):
            gap = difference(*pair) * (1 if isinstance(f, Max) else -1)
            loser = next((x for x, g in zip(pair, (-gap, gap)) if self.signs.holds(g, ">=")), None)
            if loser is not None and set(pair) <= set(left):
                left.remove(loser)
        return left

    # --- ranges of sums

    def vanishes_aligned(self, e):
        """Whether e is zero once ranges are shifted, reversed and split to begin and end alike."""
        aligned = self.aligned(e)
        if aligned != e and self.vanishes(aligned):
            return True
        for turn in range(max((len(total.limits) for total in outermost(aligned, Sum)), default=1)):
            sums = outermost(aligned, Sum)
            (split,) = self.split([aligned.xreplace({s: self.turned(s, turn) for s in sums})])
            if split != aligned and (self.vanishes(split) or self.vanishes_merged(split)):
                return True
        return False

    def turned(self, total, turn):
        """Return a sum over several indices in another order, if it may be taken."""
        body, limits = self.renamed(total.function, total.limits)
        wanted = sorted(limits, key=lambda limit: str(limit[2]))[turn % len(limits)][0]
        orders = [order for order in self.orders(limits) if order[-1][0] == wanted]
        return repeated_sum(body, orders[0]) if orders else total

    def aligned(self, e):
        """Count the indices of the outer sums so that sums of the same terms look the same."""
        outer = outermost(e, Sum)
        return e.xreplace({total: self.counted_alike(total) for total in outer})

    def counted_alike(self, total):
        """Return a sum with its indices shifted or reversed, which depends on its terms only."""
        body, limits = self.renamed(total.function, total.limits)
        for n, (k, a, b) in enumerate(limits):
            forms = []
            for q, c in linear_parts(body, k):  # q k + c, which is to be |q| k + (c modulo |q|)
                turn, shift = (1 if q > 0 else -1), c // abs(q) if c.is_Integer else c / abs(q)
                if not shift.is_integer:
                    continue
                first, last = (a + shift, b + shift) if turn > 0 else (shift - b, shift - a)
                own = self.index(first, last)
                put = {k: turn * (own - shift)}
                inner = [tuple(end.xreplace(put) for end in limit) for limit in limits[:n]]
                new = self.value(body.xreplace(put), {})
                forms.append((new, [*inner, (own, first, last), *limits[n + 1 :]]))
            body, limits = min(forms, key=lambda form: plainness(form[0]), default=(body, limits))
        for limit in limits:
            body = self.sum(body, *limit)
        return body

    def split(self, lines):
        """Write each outer sum from a to b as F(b) - F(a - 1), with the letter F(n) for each n.

        Letters for n + 1, n + 2, ... are those for n and more terms. Bounds that are in order make
        this right. Products are split likewise, but only at their ends, so as not to divide.
        """
        outer = sorted(set().union(*(outermost(e, (Sum, Product)) for e in lines)), key=str)
        places = defaultdict(list)  # (terms, index, which end, base) -> offsets from the base
        for total in outer:
            for which, end in self.ends_of(total):
                offset, base = end.as_coeff_Add()
                places[*repeated_by(total), which, base].append(offset)
        letters, new = {}, {}
        for total in outer:
            whole = self.split_one(total, places, letters)
            if whole is not None and not whole.has(sympy.zoo, sympy.nan, sympy.oo):
                new[total] = whole
        return [e.xreplace(new) for e in lines]

    def ends_of(self, total):
        """Yield the ends of the outermost range of a Sum or Product; a sum has two alike."""
        _, a, b = total.limits[-1]
        if isinstance(total, Sum):
            return [("sum", a - 1), ("sum", b)]
        return [("first", a), ("last", b)]

    def split_one(self, total, places, letters):
        """Return what to put for a Sum or Product, or None."""
        terms, k = repeated_by(total)
        parts, bases = [], []
        for which, end in self.ends_of(total):
            offset, base = end.as_coeff_Add()
            offsets = places[terms, k, which, base]
            usual = max(offsets) if which == "first" else min(offsets)
            if abs(offset - usual) > FEW:
                return None
            more = range(offset, usual) if which == "first" else range(usual + 1, offset + 1)
            parts.append([self.value(terms.xreplace({k: base + n}), {}) for n in more])
            bases.append(base + usual)
        if isinstance(total, Sum):
            below, above = (
                Add(letters.setdefault((terms, k, base), Dummy("F", real=True)), *part)
                for base, part in zip(bases, parts)
            )
            return above - below
        first, last = bases
        if not self.signs.within(first, last + 1):
            return None
        letter = letters.setdefault((terms, k, first, last), Dummy("F", real=True))
        return Mul(letter, *parts[0], *parts[1])

    # --- induction

    def vanishes_by_induction(self, e):
        """Whether e is zero at the least value of a size, and always at n + 1 if it is at n.

        The step is shown as e(n + 1) = c e(n) with a factor c that is never infinite.
        """
        if self.inducing:
            return False
        self.inducing = True
        try:
            top, bottom = sympy.fraction(sympy.together(e))
            forms = [e, top] if bottom.free_symbols else [e]
            return any(self.induction(f, *size) for f in forms for size in self.growing_sizes(f))
        finally:
            self.inducing = False

    def growing_sizes(self, e):
        """Return the sizes up to which e adds up, each with its least value.

        Left out is a size on which a constraint or the bounds of an index depend.
        """
        given = self.given
        ends = {total.limits[-1][2] for total in outermost(e, (Sum, Product))}
        bounded = given.integers_in(e) & given.bounds.keys()
        fixed = [end for x in bounded for end in sum(given.bounds[x], [])]
        fixed += [end for _, limits, _ in given.constraints for end in limits]
        for condition in self.assumed:  # what holds for n has to hold for all sizes below n
            alone = condition.relation == ">=" and len(condition.expression.free_symbols) == 1
            lower = [low for _, low, _ in condition.ranges]
            fixed += lower if alone else [condition.expression, *lower]
        sizes = []
        for n in sorted(symbols_in(ends) - symbols_in(fixed), key=str):
            lows, highs = self.ends(n)
            lows = [*lows, *([Integer(bool(n.is_positive))] if n.is_nonnegative else [])]
            grows = any((step := end.diff(n)).is_Integer and step > 0 for end in ends)
            if grows and lows and not highs and not symbols_in(lows):
                sizes.append((n, max(lows)))
        return sizes

    def induction(self, e, n, least):
        """Whether e is zero by induction on n."""
        if not self.is_zero(e.xreplace({n: least})):
            return False
        aligned = self.aligned(e)
        first, then = self.split([aligned, self.value(aligned.xreplace({n: n + 1}), {})])
        if self.is_zero(then - first):
            return True
        for x in sorted(first.free_symbols, key=str):
            before, after = first.diff(x), then.diff(x)
            if x.name == "F" and before != 0 and not before.has(x):
                factor = sympy.simplify(after / before)
                if sympy.denom(factor).is_nonzero and self.is_zero(then - factor * first):
                    return True
        return False

    def vanishes(self, e):
        """Whether SymPy simplifies an expression to zero, its sums and entries being symbols."""
        return any(map(self.vanishes_as_it_is, dict.fromkeys([e, self.under_assumptions(e)])))

    def vanishes_as_it_is(self, e):
        """Whether an expression is zero, with and without the domains put in."""
        atoms = sorted(outermost(e, (Sum, Product, Indexed)), key=str)
        letters = {a: Dummy("a", real=a.is_real, positive=a.is_positive) for a in atoms}
        if simplifies_to_zero(e.xreplace(letters)):
            return True
        inside = self.inside_domain(
            e.xreplace({a: x for a, x in letters.items() if not isinstance(a, Indexed)})
        )
        return bool(inside) and simplifies_to_zero(e.xreplace(letters | inside))

    def inside_domain(self, e):
        """Return what to put for symbols and entries that have an open domain, so that it shows."""
        inside = {}
        for x, (low, high) in self.given.domain.items():
            for a in sorted(e.atoms(Symbol, Indexed), key=str):
                if head_of(a) == self.proxies[x] and x not in self.given.closed:
                    # low < a < high is a = low + (high - low)/(1 + u) with a positive u
                    u = Dummy("u", positive=True)
                    inside[a] = Rational(low) + Rational(high - low) / (1 + u)
        return inside


SORTS = {  # (relation, whether it is known not to be negative) -> what it is
    ("!=", False): "nonzero",
    ("!=", True): "positive",
    (">", False): "positive",
    (">", True): "positive",
    (">=", False): "nonnegative",
    (">=", True): "nonnegative",
}
KINKS = (Abs, sign, Max, Min, Heaviside)
UNKNOWN = (Limit, Piecewise, sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)  # whether it has a value
FEW = 12  # terms that are taken out of a sum at most
MOST_TERMS = 10_000  # of a sum or a power, or digits of a number, that are written out


def parity(n):
    """Return a plainer whole number that is even where n is: n and its powers are odd together."""
    letters = sorted(n.free_symbols, key=str)
    if not letters or n.has(Indexed) or not n.is_polynomial(*letters):
        return n
    polynomial = sympy.Poly(n, *letters)
    if not polynomial.domain.is_ZZ:
        return n
    odd = defaultdict(int)
    for powers, c in polynomial.terms():
        odd[tuple(map(bool, powers))] += c
    terms = (Mul(*itertools.compress(letters, powers)) for powers, c in odd.items() if c % 2)
    return Add(*terms)


def length(base, n):
    """Return how many terms, or digits, the power of a sum, or of a fraction, has."""
    if not n.is_Integer or base in (0, 1, -1):
        return 1
    if base.is_Rational:
        return abs(n) * len(str(max(abs(base.p), base.q)))
    return sympy.binomial(abs(n) + len(Add.make_args(base)) - 1, abs(n))


def differences(f):
    """Return what changes its sign at the kinks of a function."""
    if isinstance(f, (Max, Min)):
        return [difference(a, b) for a, b in itertools.combinations(f.args, 2)]
    return [f.args[0]]


def difference(a, b):
    """Return what has the sign of a - b: of arguments, where both are one increasing function."""
    (c, inner), (d, other) = a.as_coeff_Add(), b.as_coeff_Add()
    if c == d != 0:
        return difference(inner, other)
    (c, inner), (d, other) = a.as_coeff_Mul(), b.as_coeff_Mul()
    if c == d != 1:
        return difference(inner, other) if c > 0 else difference(other, inner)
    (kind, inner), (other_kind, other) = increasing(a), increasing(b)
    return difference(inner, other) if kind and kind == other_kind else a - b


def increasing(e):
    """Return (an increasing function, its argument) if that is what an expression is, or (None, e).

    Its value is asked for only where it has one: the base of a root is not negative there.
    """
    if e == 1:
        return exp, Integer(0)
    turn, e = (-1, -e) if e.as_coeff_Mul()[0] == -1 else (1, e)
    if isinstance(e, (sinh, tanh) if turn < 0 else (exp, log, sinh, tanh)):
        return e.func, turn * e.args[0]
    if isinstance(e, Pow) and e.base.is_Rational and e.base > 0 and not e.exp.is_Rational and turn > 0:
        return ("power of", e.base), (e.exp if e.base > 1 else -e.exp)
    if isinstance(e, Pow) and e.exp.is_Rational:
        base = Abs(e.base) if e.exp.is_even else e.base
        if e.exp > 0 and (turn > 0 and not base.has(Abs) or e.exp.is_odd):
            return e.exp, turn * base
        if e.exp < 0 and base.is_positive and turn > 0:
            return e.exp, -base
    return None, e


def multiple(e, other):
    """Return the number c for which e = c times the other expression, or 0 if there is none."""
    terms, others = (sympy.expand(x).as_coefficients_dict() for x in (e, other))
    term, c = next(iter(others.items()), (None, 1))
    ratio = terms.get(term, Integer(0)) / c
    return ratio if ratio.is_Rational and sympy.expand(e - ratio * other) == 0 else Integer(0)


def at_kink(f, gap):
    """Return a function of whose argument, or difference of arguments, the sign is known."""
    if not isinstance(f, (Max, Min)):
        return f.func(gap, *f.args[1:])
    larger = f.args[1] if gap.is_nonpositive else f.args[0]
    return larger if isinstance(f, Max) else Add(*f.args, -larger)


def solved(i, j):
    """Return (x, rest) such that i = j just if the letter x is the rest, or (None, None)."""
    _, gap = sympy.expand(i - j).as_content_primitive()
    for x in sorted(gap.free_symbols, key=str):
        c = gap.coeff(x)
        if abs(c) == 1 and not (rest := gap - c * x).has(x):
            return x, -rest / c
    return None, None


def beyond(count):
    """Return (sign, how far beyond an end) of terms: added for a positive count, else left out."""
    return [(1, n + 1) for n in range(count)] + [(-1, -n) for n in range(-count)]


def outermost(e, kinds):
    """Return the parts of an expression that are of some kinds and not inside each other."""
    if isinstance(e, kinds):
        return {e}
    return set().union(*(outermost(a, kinds) for a in e.args))


def dependent(limits):
    """Whether an end of one of several indices depends on another one."""
    indices = {k for k, _, _ in limits}
    return any(end.free_symbols & indices for _, *ends in limits for end in ends)


def plainness(e):
    """Return a key by which the plainer of two expressions comes first."""
    return sum(len(str(entry)) for entry in e.atoms(Indexed)), len(str(e)), str(e)


def repeated_by(total):
    """Return what a Sum or Product repeats for its outermost index, and this index."""
    inner = total.limits[:-1]
    return (total.func(total.function, *inner) if inner else total.function), total.limits[-1][0]


def linear_parts(e, k):
    """Return (q, c) for each part q k + c of an expression."""
    found = set()
    for part in sympy.preorder_traversal(e):
        if isinstance(part, Expr) and part.has(k):
            q = part.diff(k) if part.is_polynomial(k) else Integer(0)
            if q.is_Integer and q != 0:
                found.add((q, sympy.expand(part - q * k)))
    return sorted(found, key=str)


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


def differs_from_zero(e):
    """Whether an expression is another number at a point: then it need not be simplified."""
    if e.has(Derivative, Integral, Limit):
        return False
    draw, point = random.Random(0), {}
    for x in sympy.ordered(e.free_symbols):
        size = Integer(draw.randint(2, 9)) if x.is_integer else Rational(draw.randint(101, 299), 101)
        point[x] = -size if x.is_nonpositive or not x.is_nonnegative and draw.random() < 0.5 else size
    value = e.evalf(20, subs=point)
    return bool(value.is_Float and abs(value) > 1e-50)  # zero is found to a hundred digits


def simplifies_to_zero(e):
    """Whether one of SymPy's ways to simplify, the cheap ones first, ends in zero."""
    if sympy.expand(sympy.numer(sympy.together(e))) == 0:
        return True
    if differs_from_zero(e):
        return False
    e = e.replace(
        lambda f: isinstance(f, (log, Pow)), lambda f: f.func(sympy.factor(f.args[0]), *f.args[1:])
    )
    if sympy.simplify(sympy.expand_log(e)) == 0 or sympy.simplify(e.rewrite(exp)) == 0:
        return True
    if not e.has(log):
        return False
    rest = exp(sympy.expand(e)).rewrite(exp) - 1  # as e is real, the two are zero together
    return sympy.expand(sympy.numer(sympy.together(rest))) == 0
