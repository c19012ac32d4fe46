"""What is declared: names, domains, definitions, ranges of integers, and constraints."""

import re
from fractions import Fraction

import sympy
from sympy import (
    Derivative,
    Eq,
    Expr,
    Function,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Product,
    Sum,
    Symbol,
)
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from nnfs_book.checks.derivation.expressions import arguments_of, free_symbols, head_of, symbols_in
from nnfs_book.checks.derivation.reading import KNOWN, read

SPECIAL = [Fraction(text) for text in "0 1 -1 1/2 -1/2 1/100 10 -10 7 -7 1000 -1000".split()]


class Declarations:
    """What holds for every line of a derivation; its parameters are those of `Derivation`."""

    def __init__(self, expression, symbols, domain, where):
        self.names = dict(KNOWN)
        self.domain = {}  # symbol or family -> (low, high)
        self.closed = set()  # those whose domain has its ends in it
        self.definitions = {}  # symbol, family or function -> (formal arguments, body)
        self.bounds = {}  # integer -> (list of lower bounds, list of upper bounds)
        self.constraints = []  # (entry y[k], its limits (k, a, b), what their sum is)
        self.special = {}  # symbol or family -> numbers to try first, once they are asked for
        self.where = [" ".join(text.split()) for text in where if isinstance(text, str)]
        if isinstance(expression, Expr):
            self.names |= names_in(expression)
        domain = domain or {}
        for x in (*symbols, *domain):
            if not isinstance(x, (Symbol, IndexedBase)):
                raise TypeError(f"symbols and domain take Symbol or IndexedBase, got {x!r}")
            self.names[str(x)] = x
        for x, interval in domain.items():
            self.domain[x] = low, high = read_interval(x, interval)
            if x.is_nonnegative and low < 0 or x.is_nonpositive and high > 0:
                raise ValueError(f"domain of {x} contradicts the sign that {x} is declared with")
            if isinstance(interval, list):
                self.closed.add(x)
        if isinstance(where, str) or not all(isinstance(text, str) for text in where):
            raise TypeError(f"where must be a list of strings, got {where!r}")
        for text in where:
            self.add_condition(text)
        self.check_consistency()

    # --- what is declared

    def add_condition(self, text):
        """Read one entry of ``where`` and sort what it says."""
        name, bracket = re.match(r"\s*(\w*)\s*([\[(]?)", text).groups()
        if name.isidentifier() and name not in self.names:  # what is defined may be a new name
            kind = {"[": IndexedBase, "(": Function, "": Symbol}[bracket]
            self.names[name] = kind(name, real=True)
        relations = read(text, self.names)
        for relation in relations if isinstance(relations, list) else [relations]:
            if not isinstance(relation, Relational):
                raise ValueError(f"where: {text!r} is not an equality or an inequality")
            self.check(relation)
            add = self.add_equality if isinstance(relation, Eq) else self.add_bound
            if not add(relation):
                raise ValueError(
                    f"where: {text!r} is none of: a definition such as s[i] == ..., a constraint "
                    "such as Sum(y[k], (k, 1, K)) == 1, a bound on an integer"
                )

    def add_equality(self, relation):
        """Add a constraint on a sum, or a definition; return whether it is one of them."""
        left, right = relation.args
        if isinstance(left, Sum) and isinstance(left.function, Indexed):
            entry, limits = left.function, left.limits[0]
            if any(entry.base == other.base for other, _, _ in self.constraints):
                raise ValueError(f"where: {entry.base} has two constraints")
            self.constraints.append((entry, limits, right))
            distinct = len(set(entry.indices)) == len(entry.indices)
            return len(left.limits) == 1 and right.is_Rational and distinct
        head, formal = head_of(left), arguments_of(left)
        if head in self.definitions:
            raise ValueError(f"where: {head} is defined twice")
        self.definitions[head] = (formal, right)
        named = isinstance(left, (Symbol, Indexed, AppliedUndef))
        return (
            named and all(isinstance(x, Symbol) for x in formal) and len(set(formal)) == len(formal)
        )

    def add_bound(self, relation):
        """Add a bound on an integer; return whether it is one."""
        low, high = relation.lts, relation.gts
        gap = 1 if isinstance(relation, (sympy.Lt, sympy.Gt)) else 0
        for x, side, end in ((low, 1, high - gap), (high, 0, low + gap)):
            if isinstance(x, Symbol) and x.is_integer and end.doit().is_integer:
                self.bounds.setdefault(x, ([], []))[side].append(end.doit())
                return True
        return False

    def check_consistency(self):
        """Refuse what contradicts, or might contradict, something else that is declared."""
        families = {entry.base for entry, _, _ in self.constraints}
        for head, (_, body) in self.definitions.items():
            self.unfold(head, ())
            if head in self.domain or head in self.bounds or head in families:
                raise ValueError(f"where: {head} is defined, so nothing else can be declared of it")
            signs = ("positive", "negative", "nonnegative", "nonpositive", "nonzero")
            if any(getattr(head, f"is_{sign}", None) is True for sign in signs):
                raise ValueError(f"where: {head} is defined, so declare it real and nothing more")
            if getattr(head, "is_integer", None) is True and body.is_integer is not True:
                raise ValueError(
                    f"where: {head} is declared an integer, but {body} need not be one"
                )
        for x, (lows, highs) in self.bounds.items():
            for low in lows:
                for high in highs:
                    least = 1 if x.is_positive else low
                    if (high - low).is_negative or (high - least).is_negative:
                        raise ValueError(f"where: there is no {x} from {low} to {high}")

    def unfold(self, head, path):
        """Refuse a definition that leads back to itself."""
        if head in path:
            raise ValueError(f"where: {head} is defined by itself")
        body = self.definitions[head][1]
        for other in self.definitions:
            if body.has(other):
                self.unfold(other, (*path, head))

    # --- what follows

    def conditions(self, *lines):
        """Return as text what is declared of what some lines contain, and `where` as it stands."""
        bodies = [body for _, body in self.definitions.values()]
        entries = [entry for entry, *_ in self.constraints]
        present = set().union(
            *(free_symbols(e) | e.atoms(IndexedBase) for e in (*lines, *bodies, *entries))
        )
        limits = [
            declared(x, self.domain.get(x), x in self.closed) for x in sorted(present, key=str)
        ]
        return [*filter(None, limits), *self.where]

    def read_line(self, line):
        """Return a line as text and as an expression; SymPy's are read as SymPy prints them."""
        names = self.names
        if isinstance(line, Expr):
            defined = {str(head): head for head in self.definitions}
            line, names = sympy.sstr(line), names | names_in(line) | defined
        e = read(line, names) if isinstance(line, str) else line
        if not isinstance(e, Expr):
            raise TypeError(f"expression must be a string or a SymPy expression, got {line!r}")
        self.check(e)
        for f in sorted(e.atoms(AppliedUndef), key=str):
            if f.func not in self.definitions:
                raise TypeError(f"the function {f.func} is not defined in where=")
        return " ".join(line.split()), e

    def check(self, e):
        """Refuse an expression with symbols of the wrong kind."""
        counts = [index for entry in e.atoms(Indexed) for index in entry.indices]
        counts += [end for s in e.atoms(Sum, Product) for limit in s.limits for end in limit[1:]]
        counting = symbols_in(counts)
        for x in sorted(free_symbols(e) | e.atoms(IndexedBase), key=str):
            if str(x).startswith("_"):
                raise ValueError(f"expression: the name {x} must not start with an underscore")
            if x.is_real is False or x.is_zero:
                raise ValueError(f"expression: {x} is declared not to be a real variable")
            if self.names.get(str(x), x) != x:
                raise ValueError(f"expression: {x} differs from the {x} declared before")
            if x in counting and not x.is_integer:
                raise ValueError(f"expression: {x} counts, so declare it with integer=True")
        counts += [i for delta in e.atoms(KroneckerDelta) for i in delta.args]
        for n in counts:
            if not n.is_integer:
                raise ValueError(f"expression: {n} is an index or a bound, but may be no integer")
        for x in {x for slope in e.atoms(Derivative) for x in slope.variables}:
            if x.is_integer:
                raise ValueError(f"expression: {x} is an integer, so there is no slope along it")

    def allows(self, x, v):
        """Whether x may have the value v."""
        if x in self.domain:
            low, high = self.domain[x]
            return low < v < high or x in self.closed and v in (low, high)
        if v == 0:
            return x.is_zero is not False
        return not (x.is_nonpositive if v > 0 else x.is_nonnegative)

    def special_numbers(self, x):
        """Return numbers that x may be and that are often special, such as the ends of its domain."""
        if x not in self.special:
            found = [v for v in SPECIAL if self.allows(x, v)]
            if x in self.domain:
                low, high = self.domain[x]
                close = (high - low) / Fraction(10**6)
                found += [low + close, high - close]
                found += [v for v in (low, high) if x in self.closed and v not in found]
            self.special[x] = found
        return self.special[x]

    def assignments(self, wanted, env, pick=lambda values: values):
        """Yield every choice of the wanted integers within their bounds (of a size: 1, 2, 3, 5).

        If not all of them are wanted, `pick` takes some of the values of each.
        """
        wanted = [x for x in wanted if x not in env]
        if not wanted:
            yield env
            return
        x = min(wanted, key=lambda x: (len(self.neighbours(x) & set(wanted)), str(x)))
        for n in pick(self.choices(x, env)):
            yield from self.assignments(wanted, {**env, x: n}, pick)

    def choices(self, x, env):
        """Return the values to try of an integer, once those in its bounds are chosen."""
        lows, highs = self.bounds.get(x, ([], []))
        lows = [integer(end, env) for end in lows]
        if x.is_nonnegative:
            lows.append(int(bool(x.is_positive)))
        if highs:
            high = min(integer(end, env) for end in highs)
            return range(max(lows, default=high - 6), high + 1)
        low = max(lows, default=-3)
        return [low, low + 1, low + 2, low + 4] if low >= 0 else range(low, 5)

    def neighbours(self, x):
        """Return the symbols in the bounds of an integer."""
        lows, highs = self.bounds.get(x, ([], []))
        return symbols_in([*lows, *highs])

    def integers_in(self, *lines):
        """Return the integers on which lines depend, directly or by a declaration."""
        found = symbols_in(lines)
        for formal, body in self.definitions.values():
            found |= free_symbols(body) - set(formal)
        for _, (_, *ends), _ in self.constraints:
            found |= symbols_in(ends)
        found = {x for x in found if x.is_integer}
        while more := found.union(*map(self.neighbours, found)) - found:
            found |= more
        return found


def declared(x, interval, closed=False):
    """Return the interval or the sign that is declared of a symbol or a family, if any.

    Examples
    --------
    >>> declared(Symbol("K", integer=True, positive=True), None)
    'K = 1, 2, ...'
    """
    if interval:
        below = "<=" if closed else "<"
        return f"{interval[0]} {below} {x} {below} {interval[1]}"
    if x.is_integer and x.is_nonnegative:
        return f"{x} = 1, 2, ..." if x.is_positive else f"{x} = 0, 1, ..."
    relations = {">": x.is_positive, "<": x.is_negative, ">=": x.is_nonnegative}
    relations |= {"<=": x.is_nonpositive, "!=": x.is_nonzero}
    return next((f"{x} {sign} 0" for sign, holds in relations.items() if holds), "")


def integer(e, env):
    """Return an integer that depends on others."""
    return env[e] if e in env else int(e.subs(env))


def names_in(e):
    """Return the symbols and families of a SymPy expression by their names."""
    families = e.atoms(IndexedBase)
    found = families | e.atoms(Symbol) - {family.label for family in families}
    names = {str(x): x for x in found}
    if len(names) < len(found):
        raise ValueError(f"expression: different symbols in {e} have the same name")
    return names


def read_interval(x, interval):
    """Return the ends of an interval as fractions."""
    try:
        low, high = (Fraction(str(end)) for end in interval)
    except (TypeError, ValueError):
        low = high = 0
    if low < high and not x.is_integer:
        return low, high
    raise ValueError(
        f"domain of {x} must be (low, high) with low < high, got {interval!r}; "
        "an integer has its bounds in where="
    )
