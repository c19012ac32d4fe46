"""The sign of an expression, proved from what is declared and what is assumed."""

import itertools

import sympy
from sympy import Dummy, Indexed, Integer, Pow, Product, Sum, Symbol, cosh, exp, log, sinh, tanh

VIEWS = 40  # ways to put bounds into an expression that are tried
SIGNS = ("positive", "negative", "nonnegative", "nonpositive", "nonzero")


class Signs:
    """Whether expressions in normal form are positive, nonnegative or not zero.

    What it affirms is proved, wherever the expression has a value; what it cannot prove it denies.
    """

    def __init__(self, proof):
        self.proof = proof
        self.letters = {}  # part of an expression -> what stands for it
        self.answers = {}  # (expression, relation) -> the answer

    def holds(self, e, relation):
        """Whether e != 0, e > 0 or e >= 0, as the relation says."""
        if (e, relation) not in self.answers:
            self.answers[e, relation] = False  # for a question that leads back to itself
            views = itertools.islice(self.views(e), VIEWS)
            self.answers[e, relation] = any(self.seen(view, relation) for view in views)
        return self.answers[e, relation]

    def within(self, a, b):
        """Whether a is at most b."""
        return self.holds(b - a, ">=")

    def seen(self, e, relation):
        """Whether SymPy sees a sign once all parts are letters of known sign."""
        lettered = self.lettered(e)
        if lettered.has(sympy.nan, sympy.zoo, sympy.oo):
            return False
        for form in (lambda x: x, sympy.expand, lambda x: sympy.factor(sympy.together(x))):
            x = form(lettered)
            if x.is_positive or relation == ">=" and x.is_nonnegative:
                return True
            if relation == "!=" and (x.is_negative or x.is_nonzero):
                return True
        return any(self.polynomial(x, relation) for x in {lettered, e})

    # --- what bounds and assumptions say

    def views(self, e):
        """Yield an expression with bounds and assumptions put in, in more and more ways."""
        yield from self.bounded(e, 3)
        for more in (self.spread, self.proof.under_assumptions):
            if (view := more(e)) != e:
                yield from self.bounded(view, 3)

    def spread(self, e):
        """Say of a sum of n squares that it is the square of the sum over n, and more."""
        new = {}
        for total in e.atoms(Sum):
            square = Sum(total.function**2, *total.limits)
            count = total.limits[0][2] - total.limits[0][1] + 1
            if e.has(square) and len(total.limits) == 1 and self.holds(count, ">"):
                new[square] = total**2 / count + Dummy("v", nonnegative=True)
        return e.xreplace(new)

    def bounded(self, e, depth):
        """Yield an expression with a bound put in for up to so many of its variables."""
        yield e
        for x in sorted(e.atoms(Symbol, Indexed), key=str) if depth else ():
            for steps in self.ways(x, *self.proof.ends(x)):
                after = e
                for step in steps:
                    after = after.subs(step)
                if after != e:
                    yield from self.bounded(after, depth - 1)

    def ways(self, x, lows, highs):
        """Yield substitutions that say that x is not below its lower, or above its upper ends."""
        kind = {"integer": True} if x.is_integer else {"real": True}
        more, rest = (Dummy("n", nonnegative=True, **kind) for _ in range(2))
        for high, low in itertools.product(highs, lows):
            for size in sorted(high.free_symbols, key=str):
                if (high - size).is_Integer:  # first the size by its index, then the index
                    yield {size: x - (high - size) + more}, {x: low + rest}
        yield from (({x: low + more},) for low in lows)
        yield from (({x: high - more},) for high in highs)

    # --- letters

    def lettered(self, e):
        """Return an expression whose parts are letters that have the parts' signs."""
        if e not in self.letters:
            self.letters[e] = self.letter(e)
        return self.letters[e]

    def letter(self, e):
        """Return what stands for an expression."""
        if isinstance(e, (Sum, Product)):
            return self.repeated(e)
        if isinstance(e, (Symbol, Indexed)):
            return self.variable(e)
        if isinstance(e, exp):
            return self.power(Integer(3), e.args[0])  # of e it counts only that it is above 1
        if isinstance(e, (sinh, cosh, tanh)):
            t = self.lettered(exp(e.args[0]))
            s, c = (t - 1 / t) / 2, (t + 1 / t) / 2
            return {sinh: s, cosh: c, tanh: s / c}[e.func]
        if isinstance(e, log):
            above, below = self.holds(e.args[0] - 1, ">"), self.holds(1 - e.args[0], ">")
            return a_letter({"positive": above, "negative": below})
        if isinstance(e, Pow) and not e.exp.is_Integer:
            return self.power(*e.args)
        return e.func(*map(self.lettered, e.args)) if e.args else e

    def variable(self, x):
        """Return what stands for a symbol or an entry of a family, so that its domain shows."""
        inside = self.proof.inside_domain(x)
        if x in inside:
            return inside[x]
        if isinstance(x, Symbol) and x.is_real:
            return x
        return a_letter({sign: getattr(x, f"is_{sign}") for sign in SIGNS})

    def power(self, base, exponent):
        """Return what stands for a power whose exponent is no whole number."""
        grows, shrinks = self.holds(exponent, ">"), self.holds(-exponent, ">")
        above, below = self.holds(base - 1, ">"), self.holds(1 - base, ">")
        if not self.holds(base, ">"):
            if grows and below and self.holds(base, ">="):
                return 1 - 1 / (1 + Dummy("u", nonnegative=True))
            whole = exponent.is_integer and not exponent.is_even
            return a_letter({"nonzero": self.holds(base, "!="), "nonnegative": not whole})
        u = Dummy("u", positive=True)
        if above and grows or below and shrinks:
            return 1 + u
        return 1 / (1 + u) if above and shrinks or below and grows else u

    def repeated(self, e):
        """Return what stands for a Sum or Product, by the sign of what is repeated."""
        body, limits = self.proof.renamed(e.function, e.limits)
        signs = {"nonnegative": self.holds(body, ">=")}
        if isinstance(e, Product):
            signs |= {"positive": self.holds(body, ">"), "nonzero": self.holds(body, "!=")}
        else:
            signs["nonpositive"] = self.holds(-body, ">=")
            if all(self.within(a, b) for _, a, b in limits):  # so that there is a term
                signs |= {"positive": self.holds(body, ">"), "negative": self.holds(-body, ">")}
        return a_letter(signs)

    # --- polynomials in one variable

    def polynomial(self, e, relation):
        """Whether the real roots of a polynomial in one variable lie where they do no harm."""
        variables = set() if e.has(Indexed) else e.free_symbols
        if len(variables) != 1:
            return False
        (x,) = variables
        top = sympy.numer(sympy.together(e)) if relation == "!=" else e
        if not x.is_real or not top.is_polynomial(x):
            return False
        p = sympy.Poly(top, x)
        if not (p.domain.is_ZZ or p.domain.is_QQ) or p.degree() < 1:
            return False
        low, high = self.numbers(x)
        if x.is_integer and relation == "!=":
            whole = [root for root in p.ground_roots() if root.is_integer]
            return not any(low <= root <= high for root in whole)
        ends = [None if end.is_infinite else end for end in (low, high)]
        roots = p.count_roots(*ends) - bool(ends[0] == 0 and x.is_positive and p.eval(0) == 0)
        some = low + 1 if low.is_finite else high if high.is_finite else 0
        return roots == 0 and (relation == "!=" or some <= high and p.eval(some) > 0)

    def numbers(self, x):
        """Return the least and the largest value of a variable, as far as they are numbers."""
        lows, highs = self.proof.ends(x)
        lows = [a for a in lows if a.is_Rational] or [-sympy.oo]
        if x.is_nonnegative:
            lows.append(Integer(bool(x.is_integer and x.is_positive)))
        return max(lows), min([b for b in highs if b.is_Rational], default=sympy.oo)


def a_letter(signs):
    """Return a new real symbol that has the signs which are true."""
    return Dummy("a", real=True, **{sign: True for sign, is_so in signs.items() if is_so})
