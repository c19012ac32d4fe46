"""Where lines have values: what is divided by, put under a root, or differentiated at a kink."""

from typing import NamedTuple

import sympy
from sympy import (
    Abs,
    Add,
    Derivative,
    Dummy,
    Expr,
    Heaviside,
    Indexed,
    IndexedBase,
    Integer,
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
    exp,
    log,
    sign,
    sinh,
    tanh,
)
from sympy.core.function import AppliedUndef

from nnfs_book.checks.derivation.expressions import Over, arguments_of, head_of
from nnfs_book.checks.derivation.limits import by_sympy, limit_at_zero
from nnfs_book.checks.derivation.printing import Printer
from nnfs_book.checks.derivation.reading import KNOWN, read

FEW = 6  # terms of a sum that are looked at one by one
TURNED = {"!=": "!=", ">=": "<=", ">": "<"}
LATEX = {"!=": r"\neq", ">=": r"\ge", ">": ">", "<=": r"\le", "<": "<"}


class Condition(NamedTuple):
    """A condition for a line to have a value: an expression in normal form is not 0, or not < 0."""

    expression: Expr
    relation: str  # "!=" or ">="
    ranges: tuple = ()  # (index, low, high) of each index for all of whose values it has to hold


class Definedness:
    """Collects the conditions under which a line has a value, but those that are proved."""

    def __init__(self, proof):
        self.proof = proof
        self.env, self.held, self.ranges, self.variables, self.near = {}, (), (), (), {}
        self.found = []

    def conditions(self, line):
        """Return what has to be assumed so that a line has a value."""
        self.found, self.env = [], self.proof.sizes
        self.visit(line)
        return self.found

    def inside(self, e, **changes):
        """Visit an expression with some of what surrounds it changed."""
        before = {name: getattr(self, name) for name in changes}
        self.__dict__.update(changes)
        self.visit(e)
        self.__dict__.update(before)

    def value(self, e, held=()):
        """Return the normal form of an expression."""
        return self.proof.value(e, self.env, held)

    def visit(self, e):
        """Collect the conditions of an expression and of its parts."""
        if e in self.env or not e.args:
            return self.quantity(e)
        match e:
            case Indexed() | AppliedUndef():
                self.quantity(e)
            case Derivative():
                self.derivative(e)
            case Sum() | Product():
                self.repeated(e, e.limits)
            case Limit():
                self.limit(e)
            case Integral():
                self.integral(e)
            case _:
                self.function(e)
                for part in e.args:
                    self.visit(part)

    def function(self, e):
        """Collect what a single operation asks of its arguments."""
        match e:
            case Over():
                self.need(e.args[1], "!=")
            case log():
                self.need(e.args[0], ">=")
                self.need(e.args[0], "!=")
            case Pow():
                self.power(*e.args)
            case Abs() | sign() | Heaviside():
                self.need_at_kink(e.args[0])
            case Max() | Min():
                for n, a in enumerate(e.args):
                    for b in e.args[:n]:
                        self.need_at_kink(Add(a, -b, evaluate=False))

    def power(self, base, exponent):
        """Collect what a real power needs."""
        n, signs = self.value(exponent), self.proof.signs
        if n.is_Integer and n >= 0 or n.is_integer and signs.holds(n, ">="):
            return
        if not n.is_integer:
            self.need(base, ">=")
            if signs.holds(n, ">"):
                return self.need_at_kink(base)
        self.need(base, "!=")

    # --- what a condition is about

    def need(self, e, relation):
        """Note that e must be != 0 or >= 0."""
        self.note(self.value(e), relation, self.ranges)

    def need_at_kink(self, e):
        """Note that e must not be 0 where one of the variables of a derivative changes it."""
        for x, held in self.variables:
            reached = self.value(e, held)
            if isinstance(x, Symbol) and not reached.has(x):
                continue
            entries = {
                a for a in reached.atoms(Indexed) if isinstance(x, Indexed) and a.base == x.base
            }
            if isinstance(x, Indexed) and not entries:
                continue
            full, ranges = self.value(e), self.ranges
            if len(entries) == 1:  # of u[j] for all j, only u[i] changes with u[i]
                (entry,) = entries
                own = {k for k, _, _ in ranges}
                same = {k: i for k, i in zip(entry.indices, x.indices) if k in own}
                if entry.xreplace(same) == x:
                    full = full.xreplace(same)
                    ranges = tuple(r for r in ranges if r[0] not in same)
            self.note(full, "!=", ranges)

    def note(self, e, relation, ranges):
        """Add a condition in its simplest form, unless it is proved."""
        for condition in simplest(self.proof, e, relation):
            if condition in self.found or self.proof.follows(condition):
                continue
            near = [u for u in self.near if condition.expression.has(u)]
            if not near or not self.settled_near(condition, near[-1], ranges):
                needed = kept(condition.expression, ranges)
                self.found.append(condition._replace(ranges=needed))

    def settled_near(self, condition, u, ranges):
        """Whether a condition holds close enough to the target of a limit, perhaps by another one.

        What exponentials, logarithms, powers and absolute values make up is there always positive,
        always zero or always negative, so that one that is not zero throughout will do. Where there
        are parameters, what the expression comes to has to meet the condition.
        """
        e, relation, _ = condition
        end, side = self.near[u]
        if e.free_symbols != {u}:
            at_zero = e.xreplace({u: 1 / u}) if end is sympy.oo else e
            towards = limit_at_zero(at_zero, u, self.proof)
            if towards is None or towards == 0:
                return False
            self.note(towards, relation, ranges)
            self.note(towards, "!=", ranges)
            return True
        towards = by_sympy(e, u, end, side)
        if towards is None or towards != 0:
            good = towards is not None and (towards.is_infinite or towards.is_nonzero)
            return bool(good and (relation == "!=" or towards.is_extended_positive))
        if sympy.simplify(e) == 0:
            return False
        return relation == "!=" or by_sympy(1 / e, u, end, side) is sympy.oo

    # --- what surrounds

    def quantity(self, e):
        """Visit the arguments, and the definition, of a symbol, an entry or a function."""
        if e in self.env:
            return
        for part in arguments_of(e):
            self.visit(part)
        head = head_of(e)
        if head in self.proof.given.definitions:
            formal, body = self.proof.given.definitions[head]
            values = [self.value(part) for part in arguments_of(e)]
            self.inside(body, env=self.proof.sizes | dict(zip(formal, values)))

    def derivative(self, e):
        """Visit what is differentiated, which must have no kink."""
        definitions = self.proof.given.definitions
        held = (*self.held, *(head_of(x) for x in e.variables if head_of(x) in definitions))
        new = [(self.value(x, held), held) for x, _ in e.variable_count]
        for x, _ in e.variable_count:
            for part in x.indices if isinstance(x, Indexed) else ():
                self.visit(part)
        self.inside(e.expr, held=held, variables=(*self.variables, *new))

    def repeated(self, e, limits):
        """Visit what a Sum or Product repeats; the ends of its range must be in order."""
        if not limits:
            return self.visit(e.function)
        *inner, (k, first, last) = limits
        self.visit(first)
        self.visit(last)
        a, b = self.value(first), self.value(last)
        if (b - a).is_Integer and b - a >= 0:
            values = [a + n for n in range(int(b - a) + 1)] if b - a < FEW else []
            for n in values:
                self.within(e, inner, {**self.env, k: n}, self.ranges)
            if values:
                return
        self.note(b - a + 1, ">=", self.ranges)
        own = self.proof.index(a, b, k.name)
        self.within(e, inner, {**self.env, k: own}, (*self.ranges, (own, a, b)))

    def within(self, e, limits, env, ranges):
        """Visit the rest of a Sum or Product for one of its indices."""
        before = self.env, self.ranges
        self.env, self.ranges = env, ranges
        self.repeated(e, limits)
        self.env, self.ranges = before

    def limit(self, e):
        """Visit what a Limit is of, close to its target."""
        body, x, target, side = e.args
        self.visit(target)
        target = self.value(target)
        if target.is_infinite:
            u = Dummy("u", positive=True, integer=x.is_integer)
            places = [(u if target is sympy.oo else -u, u, (sympy.oo, "-"))]
        else:
            u = Dummy("u", positive=True)
            shifts = {"+": [u], "-": [-u], "+-": [u, -u]}[str(side)]
            places = [(target + shift, u, (0, "+")) for shift in shifts]
        for place, u, towards in places:
            self.inside(body, env={**self.env, x: place}, near={**self.near, u: towards})

    def integral(self, e):
        """Visit what an Integral is of, between its ends."""
        ((x, *ends),) = e.limits
        for end in ends:
            self.visit(end)
        a, b = map(self.value, ends)
        u = Dummy("u", positive=True)
        if a.is_infinite and b.is_infinite:
            place = Dummy("u", real=True)
        elif a.is_infinite or b.is_infinite:
            end, infinite = (b, a) if a.is_infinite else (a, b)
            place = end + u * sympy.sign(infinite)
        else:
            place = a + (b - a) / (1 + u)
        self.inside(e.function, env={**self.env, x: place})


def kept(e, ranges):
    """Return the ranges of those indices on which an expression depends, directly or by a range."""
    needed = []
    for k, a, b in reversed(ranges):
        if k in e.free_symbols.union(*(end.free_symbols for _, *ends in needed for end in ends)):
            needed.insert(0, (k, a, b))
    return tuple(needed)


def simplest(proof, e, relation):
    """Return conditions, as simple as may be, from which it follows that e != 0 or e >= 0."""
    signs = proof.signs
    if signs.holds(e, relation):
        return []
    parts = sorted(e.atoms(Sum, Product, Indexed), key=str)
    letters = {part: Dummy("a", real=True) for part in parts}
    top, bottom = sympy.fraction(sympy.together(e.xreplace(letters)))
    product = top if relation == "!=" else top * bottom
    back = {letter: part for part, letter in letters.items()}
    number, product = sympy.factor(product).as_coeff_Mul()
    factors = []
    for factor in Mul.make_args(product) if product != 1 else ():
        base, power = factor.as_base_exp()
        whole = power.is_Integer and power > 0
        factors.append((base.xreplace(back), power) if whole else (factor.xreplace(back), 1))
    if number == 0:
        return [Condition(Integer(0), relation)]
    if relation == "!=":
        found = []
        for f in (f for f, _ in factors if not signs.holds(f, "!=")):
            inside = without_root(f)
            found += [Condition(upright(f), "!=")] if inside == f else simplest(proof, inside, "!=")
        return found
    rest = sympy.sign(number)
    for factor, power in factors:
        if signs.holds(-factor, ">"):
            rest *= (-1) ** power
        elif power % 2 and not signs.holds(factor, ">"):
            rest *= factor
    return [Condition(rest, ">=")]


def impossible(proof, condition):
    """Whether what must not be zero is zero for some values of the indices, as u[k] - u[m] is."""
    e, relation, ranges = condition
    places = {i for entry in e.atoms(Indexed) for i in entry.indices}
    places |= {x for x in e.free_symbols if x.is_integer}
    for k, _, _ in ranges:
        rest = e.subs(k, 0)
        factor = sympy.expand(e - rest) / k
        roots = {-rest / factor} if factor.is_Rational and factor != 0 else set()
        for place in (places | roots) - {k}:
            own = {k: place}
            if place.is_integer and e.xreplace(own) == 0 and proof.inside(ranges, own):
                return relation == "!="
    return e == 0 and relation == "!="


def takes_points(condition):
    """Whether a condition takes away single points only, as x != 0 does and Max(x, 0) != 0 not."""
    steps = Abs, sign, Max, Min, Heaviside, KroneckerDelta
    return condition.relation == "!=" and not condition.expression.has(*steps)


def without_root(e):
    """Return b for a root of b, exp(b) - 1 or something else that is zero together with b."""
    while True:
        match upright(e):
            case Pow() as root if root.exp.is_positive:
                e = root.base
            case Abs() | sinh() | tanh() as odd:
                e = odd.args[0]
            case Add(args=(sympy.S.NegativeOne, exp() as power)):
                e = power.args[0]
            case Add() as total if (inside := clipped(total)) is not None:
                e = inside
            case _:
                return e


def clipped(e):
    """Return a - t for Max(q, a) - t with numbers q < t, which is zero together with it, or None.

    Likewise for a Min with q > t, and for multiples of either.
    """
    t, part = e.as_coeff_Add()
    c, part = part.as_coeff_Mul()
    if not isinstance(part, (Max, Min)) or len(part.args) != 2 or not part.args[0].is_Rational:
        return None
    q, a = part.args
    gap = (-t / c - q) * (1 if isinstance(part, Max) else -1)
    return a + t / c if gap > 0 else None


def upright(e):
    """Return e or -e, whichever has the more pleasant sign."""
    return -e if e.could_extract_minus_sign() else e


# --- how assumptions are told


def merged(conditions):
    """Yield conditions as (expression, relation, ranges), where != and >= together make >."""
    conditions = list(conditions)
    zeros = [(c.expression, c.ranges) for c in conditions if c.relation == "!="]
    used = set()
    for e, relation, ranges in conditions:
        if relation == ">=":
            factors = [upright(without_root(f)) for f in Mul.make_args(e) if not f.is_Number]
            apart = {(factor, kept(factor, ranges)) for factor in factors}
            if factors and apart <= set(zeros):
                used |= apart
                relation = ">"
            yield e, relation, ranges
    yield from ((e, "!=", ranges) for e, ranges in zeros if (e, ranges) not in used)


def told(conditions):
    """Return each assumption as text and in LaTeX."""
    return list(dict.fromkeys(tell(*condition) for condition in merged(conditions)))


def tell(e, relation, ranges):
    """Return an assumption as text and in LaTeX: x - 7 != 0 is told as x != 7."""
    e, ranges = with_names(e, ranges)
    left, right = e, Integer(0)
    variables = [
        a
        for a in e.atoms(Symbol, Indexed)
        if not any(b.has(a) and b != a for b in e.atoms(Indexed))
    ]
    variables = [a for a in variables if not isinstance(a, IndexedBase) and e.has(a)]
    if len(variables) == 1:
        rest = e.subs(variables[0], 0)
        factor = sympy.expand(e - rest) / variables[0]
        if factor.is_Rational and rest.is_Rational:
            left, right = variables[0], -rest / factor
            relation = relation if factor > 0 else TURNED[relation]
    elif e.could_extract_minus_sign():
        left, relation = -e, TURNED[relation]
    text, latex = f"{left} {relation} {right}", f"{shown(left)} {LATEX[relation]} {shown(right)}"
    if ranges:
        text += " for " + " and ".join(f"{a} <= {k} <= {b}" for k, a, b in ranges)
        told_ranges = (rf"{shown(a)} \le {shown(k)} \le {shown(b)}" for k, a, b in ranges)
        latex += rf"\ ({', '.join(told_ranges)})"
    return text, latex


def with_names(e, ranges):
    """Give the indices, of which there may be several with one name, names of their own."""
    taken = {x.name for x in e.free_symbols if not isinstance(x, Dummy)}
    taken |= {
        x.name
        for _, *ends in ranges
        for end in ends
        for x in end.free_symbols
        if not isinstance(x, Dummy)
    }
    names = {}
    inner = {x for x in e.atoms(Symbol) if x.name.startswith("_")}
    for x in [*(k for k, _, _ in ranges), *sorted(inner, key=str)]:
        wished = [x.name, *"kmnijrdlpq"] if not x.name.startswith("_") else "kmnijrdlpq"
        name = next(name for name in wished if name not in taken)
        taken.add(name)
        names[x] = Symbol(name, integer=True)
    return e.xreplace(names), [tuple(x.xreplace(names) for x in limits) for limits in ranges]


def shown(e):
    """Return the LaTeX of an expression in normal form."""
    names = {str(x): x for x in [*e.atoms(Symbol), *e.atoms(IndexedBase)]}
    return Printer().doprint(read(sympy.sstr(e), KNOWN | names))
