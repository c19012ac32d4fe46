r"""Derivations in which every line is proved.

A :class:`Derivation` starts from an expression and takes steps. Each step is checked twice:
its value is computed at many points, with 50 digits and by plain definitions (a derivative is a
difference quotient, a sum is added up), and then SymPy has to *prove* it equal to the line before.
Only then is it accepted, and what was proved is what is printed.

Lines are written as Python would write them, in a string, and are shown exactly as written:
``"(1 + exp(-z))**(-1)"`` stays a power and ``"1/(1 + exp(-z))"`` stays a fraction, although SymPy
itself would make them the same object at once. A SymPy expression is read as SymPy prints it.

Symbols that are not declared otherwise are real.

**What is assumed.** A line has no value where it divides by zero, takes a logarithm or a root of
what it must not (all but whole powers want a base that is not negative), has the bounds of a sum
out of order (the upper one below the lower one less 1), or is a derivative at a kink of `Abs`,
`Max`, `Min`, `sign` or `Heaviside`. Each such condition is proved from the declarations, or is an
assumption of the derivation: it is listed in `assumptions` and printed under the last line, and no
step is accepted for more than what is printed. A step may add such a condition only if it takes
away single points (x != 0); one that would give up more (x > 0) is refused, and so is one that
cannot hold (u[k] != u[m] for all k and m). A domain such as
``(0, 1)`` is open, ``[0, 1]`` has its ends in it; a `Limit` in a string has two sides unless it
says ``dir="+"``.

**What it cannot do.** Inequalities, infinite sums, integrals over kinks, integrals that SymPy does
not find, limits beyond `limits`, conditions that are not expressions compared with zero. A step
that it cannot prove is refused, even if it is true. Points whose exponentials lie too many orders
of magnitude apart are left out.

>>> from sympy import Symbol
>>> z = Symbol("z", real=True)
>>> square = Derivation("Derivative(z**2, z)", symbols=[z])
>>> square.step("2*z", because="power rule")
Derivation of \frac{d}{dz} z^{2}: 1 step, proved and checked at 36 points or more
>>> square.step("z", because="constants do not matter")
Traceback (most recent call last):
    ...
nnfs_book.checks.derivation.DerivationError: step 2 (constants do not matter) is false
  before: 2*z
  after:  z
  at z = -0.84: -1.68 before, -0.84 after
>>> kink = Derivation("Derivative(Abs(z - 7), z)", symbols=[z])
>>> kink.step("sign(z - 7)", because="slope on both sides").assumptions
('z != 7',)

The files build on each other: `expressions`, `reading` (of strings), `printing` (of LaTeX),
`declarations`, `definedness` (what is assumed), `signs`, `limits` and `proving` (by SymPy),
`points` and `comparing` (by numbers), `agreement` (of code).
"""

from sympy import Dummy

from nnfs_book.checks.derivation.agreement import Agreement, compare_code
from nnfs_book.checks.derivation.comparing import counterexample
from nnfs_book.checks.derivation.declarations import Declarations
from nnfs_book.checks.derivation.definedness import Definedness, impossible, takes_points, told
from nnfs_book.checks.derivation.printing import Printer, reason_in_latex
from nnfs_book.checks.derivation.proving import Proof


class DerivationError(ValueError):
    """A step, or a function, that does not follow from what came before."""


class Derivation:
    r"""A chain of equal expressions, each proved equal to the one before.

    Parameters
    ----------
    expression : str or sympy.Expr
        Where it starts. A string is read as Python and kept as written; a SymPy expression
        as SymPy prints it.
    name : str, optional
        What the expression is called: LaTeX to the left of the first equals sign.
    domain : dict, optional
        Interval of a symbol or of the entries of an indexed family: ``{yhat: (0, 1)}`` is open,
        ``{y: [0, 1]}`` has its ends in it. The default is real, and follows the symbol's
        assumptions.
    where : sequence of str, optional
        What else holds: index ranges ``"1 <= i <= K"``, definitions
        ``"s[i] == exp(z[i])/Sum(exp(z[k]), (k, 1, K))"`` or ``"sigma(z) == 1/(1 + exp(-z))"``,
        and constraints ``"Sum(y[k], (k, 1, K)) == 1"``.
    symbols : sequence of Symbol and IndexedBase, optional
        The names that strings may use. What `where` defines need not be listed, nor what the
        first line contains if it is a SymPy expression.

    Attributes
    ----------
    lines : list
        Each line as text and as an expression.
    reasons : list of str
        Why each line but the first follows.
    assumptions : tuple of str
        What is assumed besides the declarations, so that every line has a value: ``("x != 7",)``.

    Raises
    ------
    ValueError, TypeError
        For a line that cannot be read, an unknown name, a symbol that is not real, or
        declarations that contradict each other or say something twice.
    DerivationError
        By :meth:`step` and :meth:`confirm_code`; the derivation is then as it was before. Also for
        a first line with a limit or an integral that is not proved to have a value, or with a
        condition that cannot hold.

    Examples
    --------
    The softmax Jacobian, for any number of classes K:

    >>> from sympy import IndexedBase, Symbol, symbols
    >>> z = IndexedBase("z", real=True)
    >>> i, j, k = symbols("i j k", integer=True)
    >>> K = Symbol("K", integer=True, positive=True)
    >>> d = Derivation("Derivative(s[i], z[j])", "J_{ij}", symbols=[z, i, j, k, K], where=[
    ...     "s[i] == exp(z[i]) / Sum(exp(z[k]), (k, 1, K))", "1 <= i <= K", "1 <= j <= K"])
    >>> d.step("s[i] * (KroneckerDelta(i, j) - s[j])", because="quotient rule")
    Derivation of J_{ij}: 1 step, proved and checked at 84 points or more
    >>> d.statement
    'Derivative(s[i], z[j]) = s[i] * (KroneckerDelta(i, j) - s[j])'
    """

    def __init__(self, expression, name=None, domain=None, where=(), symbols=()):
        self._given = Declarations(expression, symbols, domain, where)
        self._proof = Proof(self._given)
        self.name = name
        self.lines, self.reasons, self._points = [self._given.read_line(expression)], [], []
        self._assumed = self._conditions("the first line", self.lines[0][1])

    def _conditions(self, which, line):
        """Return what has to be assumed so that a line has a value."""
        conditions = Definedness(self._proof).conditions(line)
        for condition in conditions:
            e, _, ranges = condition
            if e.atoms(Dummy) - {k for k, _, _ in ranges}:
                raise DerivationError(
                    f"{which} could not be proved to have a value where its limit or integral "
                    "needs one: declare more of what holds"
                )
            if impossible(self._proof, condition):
                raise DerivationError(
                    f"{which} could not be proved to have a value: it would need that "
                    f"{told([condition])[0][0]}, which cannot be"
                )
        return conditions

    def step(self, expression, because):
        """Add a line, if it is proved equal to the line before.

        Parameters
        ----------
        expression : str or sympy.Expr
            The new line.
        because : str
            The reason, as a reader will see it; mathematics goes between dollar signs.

        Returns
        -------
        Derivation
            This derivation, so that steps can be chained.

        Raises
        ------
        DerivationError
            If the two lines differ at a point (which it names), if they have no values to
            compare, if the new line has a value for less than the line before, or if they agree
            wherever they were compared but SymPy finds no proof.
        """
        if not isinstance(because, str) or not because.strip():
            raise TypeError(f"because must be a reason in words, got {because!r}")
        (old, before), (new, after) = self.lines[-1], self._given.read_line(expression)
        step = f"step {len(self) + 1} ({because})"
        sides = f"\n  before: {old}\n  after:  {new}"
        self._proof.assume(self._assumed)
        more = self._conditions(step, after)
        try:
            count, difference = counterexample(
                self._given, self._proof, before, after, self._assumed, more
            )
            assumed = [*self._assumed, *more]
            self._proof.assume(assumed)
            proved = count and not difference and self._proof.equal(before, after)
        except Exception as error:  # SymPy raises errors of many kinds
            raise DerivationError(
                f"{step} could not be proved{sides}\n  SymPy says: {error}"
            ) from error
        if difference:
            raise DerivationError(f"{step} is false{sides}\n  {difference}")
        if not count:
            raise DerivationError(f"{step} has no point at which it could be checked{sides}")
        if narrower := told(condition for condition in more if not takes_points(condition)):
            raise DerivationError(
                f"{step} could not be proved; the new line has a value only if {narrower[0][0]}, "
                f"and the line before may have one elsewhere{sides}"
            )
        if not proved:
            raise DerivationError(
                f"{step} could not be proved; it holds at all {count} points tried, which is no "
                f"proof: take smaller steps, or declare more of what holds{sides}"
            )
        self._assumed = assumed
        self.lines.append((new, after))
        self.reasons.append(because.strip())
        self._points.append(count)
        return self

    def __len__(self):
        return len(self.reasons)

    @property
    def result(self):
        """The expression of the last line."""
        return self.lines[-1][1]

    @property
    def statement(self):
        """What is proved, as plain text: first line = last line."""
        return f"{self.lines[0][0]} = {self.lines[-1][0]}"

    @property
    def theorem(self):
        """The statement with what it was proved under: what was declared, and what is assumed.

        Examples
        --------
        >>> from sympy import Symbol
        >>> z, sigma = Symbol("z", real=True), ["sigma(z) == 1/(1 + exp(-z))"]
        >>> d = Derivation("log(sigma(z)/(1 - sigma(z)))", symbols=[z], where=sigma)
        >>> d.step("z", because="the odds are $e^z$").theorem
        'log(sigma(z)/(1 - sigma(z))) = z for sigma(z) == 1/(1 + exp(-z))'
        """
        declared = self._given.conditions(self.lines[0][1], self.lines[-1][1])
        conditions = [*declared, *self.assumptions]
        return self.statement + " for " * bool(conditions) + "; ".join(conditions)

    @property
    def assumptions(self):
        """What is assumed besides the declarations, so that every line has a value, as text."""
        return tuple(text for text, _ in told(self._assumed))

    def __repr__(self):
        what = self.name or Printer().doprint(self.lines[0][1])
        if not self.reasons:
            return f"Derivation of {what}: no step yet"
        steps = "1 step, proved" if len(self) == 1 else f"{len(self)} steps, each proved"
        checked = f"{steps} and checked at {min(self._points)} points or more"
        return "; for ".join([f"Derivation of {what}: {checked}", *self.assumptions])

    def _repr_latex_(self):
        """Return all lines as one aligned block, the reason for a step above it."""
        first, *others = [Printer().doprint(e) for _, e in self.lines]
        rows = [f"{self.name} &= {first}" if self.name else rf"&\phantom{{={{}}}} {first}"]
        for line, reason in zip(others, self.reasons):
            rows.append(rf"&\quad {reason_in_latex(reason)} \\[3pt]" + f"\n&= {line}")
        if self._assumed:
            conditions = r",\quad ".join(latex for _, latex in told(self._assumed))
            rows.append(rf"&\quad {{\small\text{{for }}{conditions}}}")
        return "$$\\begin{aligned}\n" + " \\\\[6pt]\n".join(rows) + "\n\\end{aligned}$$"

    def confirm_code(
        self, function, arguments, indices=(), sizes=None, dtype="float32", points=1000
    ):
        """Confirm that a NumPy function computes the last line.

        Parameters
        ----------
        function : callable
            Takes one array for each argument and returns an array.
        arguments : sequence of Symbol and IndexedBase
            What the function takes, in order. A symbol becomes an array of values, one for each
            point; a family becomes the array of its entries, and the function is then called
            once for each point. Numbers are drawn from the domain, or from between -12 and 12,
            and zeros of both signs are among them where nothing is assumed; what a function does
            far out is for other checks.
        indices : sequence of Symbol, optional
            The axes of the returned array, such as ``(i, j)`` for a Jacobian.
        sizes : dict, optional
            Values of the sizes, such as ``{K: 4}``.
        dtype : str
            Type of the arrays passed in.
        points : int
            How many points to draw.

        Returns
        -------
        Agreement
            Prints as one sentence.

        Raises
        ------
        DerivationError
            If a value is off by more than twice what can change in it when the inputs and each of
            the formula's own operations are rounded to the returned type: each entry is held to
            its own scale, widened only where the formula's terms cancel. It shows a point. Also
            if the function changes its arguments, or returns another shape (axes of length 1 do
            not count) or a coarser type.
        """
        agrees, sentence = compare_code(
            *(self._given, self.lines[-1], self._assumed, function, arguments),
            *(indices, sizes or {}, dtype, points),
        )
        if not agrees:
            raise DerivationError(sentence)
        return Agreement(sentence)
