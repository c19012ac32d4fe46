"""LaTeX of lines, as they are written, and of reasons."""

import re

from sympy import Derivative, Indexed, Integral, Limit, Product, Rational, Sum, Symbol, log
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

from nnfs_book.checks.derivation.expressions import Over, free_symbols

PLAIN = (Symbol, Indexed)  # a single letter, perhaps with indices
UNENDING = (Sum, Product, Integral, Limit)  # what follows would seem to be inside


class Printer(LatexPrinter):
    """LaTeX of a line as it is written: in its order, with its fractions."""

    def grouped(self, e):
        """Put an expression in round brackets; in square ones around round ones."""
        tex = self._print(e)
        left, right = "[]" if r"\left(" in tex else "()"
        return rf"\left{left}{tex}\right{right}"

    def arguments(self, e):
        """Put the arguments of a function in round brackets, which grow if they have to."""
        tex = ", ".join(map(self._print, e.args))
        grows = re.search(r"\\frac|\\sum|\\prod|\\left", tex)
        return rf"\left({tex}\right)" if grows else f"({tex})"

    def _print_Over(self, e):
        """Print a fraction, its minus sign in front."""
        top, bottom = map(self._print, e.args)
        if top.startswith("-") and not e.args[0].is_Add:
            return rf"-\frac{{{top[1:]}}}{{{bottom}}}"
        return rf"\frac{{{top}}}{{{bottom}}}"

    def _print_Add(self, e, order=None):
        """Print a sum, term by term."""
        text = ""
        for place, term in enumerate(e.args, 1):
            unending = isinstance(term, UNENDING) and place < len(e.args)
            tex = self.grouped(term) if term.is_Add or unending else self._print(term)
            if text:
                tex = f" - {tex[1:]}" if tex.startswith("-") else f" + {tex}"
            text += tex
        return text

    def _print_Mul(self, e):
        """Print a product, with dots where numbers or fractions would run together."""
        text, factors = "", e.args
        if factors[0] == -1 and len(factors) > 1:
            text, factors = "-", factors[1:]
        for place, factor in enumerate(factors, 1):
            tex = self._print(factor)
            bare = isinstance(factor, (Derivative, log)) and not tex.endswith(")")
            unending = isinstance(factor, UNENDING) or bare
            negative = text and tex.startswith("-")
            if factor.is_Add or negative or (unending and place < len(factors)):
                tex = self.grouped(factor)
            if text not in ("", "-"):
                dotted = isinstance(factor, (Over, Derivative)) or factor.is_Number
                text += r" \cdot " if dotted or tex[0].isdigit() else " "
            text += tex
        return text

    def _print_Pow(self, e):
        """Print a power or a square root."""
        base, exponent = e.args
        if exponent == Rational(1, 2):
            return rf"\sqrt{{{self._print(base)}}}"
        bare = isinstance(base, (*PLAIN, AppliedUndef)) or base.is_Integer and base >= 0
        tex = self._print(base) if bare else self.grouped(base)
        return f"{tex}^{{{self._print(exponent)}}}"

    def _print_Indexed(self, e):
        """Print an entry of a family."""
        indices = ", ".join(map(self._print, e.indices))
        return f"{self._print(e.base.label)}_{{{indices}}}"

    def _print_AppliedUndef(self, e):
        """Print a function that is defined in ``where``."""
        return self._print(Symbol(e.func.__name__)) + self.arguments(e)

    def _print_log(self, e):
        """Print a logarithm; a plain argument needs no brackets."""
        (x,) = e.args
        return r"\log " + (self._print(x) if isinstance(x, PLAIN) else self.arguments(e))

    def repeated(self, sign, e):
        """Put the sign of a sum or a product before it, once for each index, outermost first."""
        tex = self.grouped(e.function) if e.function.is_Add else self._print(e.function)
        for limit in e.limits:
            k, a, b = map(self._print, limit)
            tex = rf"{sign}_{{{k}={a}}}^{{{b}}} {tex}"
        return tex

    def _print_Sum(self, e):
        """Print a sum."""
        return self.repeated(r"\sum", e)

    def _print_Product(self, e):
        """Print a product over indices."""
        return self.repeated(r"\prod", e)

    def _print_Derivative(self, e):
        """Print a derivative; it is partial if there is more than one variable."""
        body, variables, order = e.expr, e.variable_count, len(e.variables)
        others = [x for x in free_symbols(body) if not x.is_integer]
        d = r"\partial " if isinstance(variables[0][0], Indexed) or len(others) > 1 else "d"
        above = d.strip() + (f"^{{{order}}}" if order > 1 else "")
        below = [d + self._print(x) + (f"^{{{n}}}" if n > 1 else "") for x, n in variables]
        below, tex = r" \, ".join(below), self._print(body)
        if isinstance(body, PLAIN):
            return rf"\frac{{{above} {tex}}}{{{below}}}"
        if body.is_Add or body.is_Mul or tex.startswith("-"):
            tex = self.grouped(body)
        return rf"\frac{{{above}}}{{{below}}} {tex}"


def reason_in_latex(reason):
    r"""Set a reason as small text, with what is between dollar signs as mathematics.

    Examples
    --------
    >>> print(reason_in_latex("divide by $e^{-z}$"))
    {\small\text{divide by }{e^{-z}}}
    """
    parts = reason.split("$")
    for n in range(0, len(parts), 2):
        text = re.sub(r"([#%&_{}])", r"\\\1", parts[n])
        parts[n] = rf"\text{{{text}}}" if text else ""
    for n in range(1, len(parts), 2):
        parts[n] = f"{{{parts[n]}}}"  # braces keep the minus of a $-1$ close to its number
    return rf"{{\small{''.join(parts)}}}"
