"""Derivations: what is true is proved for every size, what is false is refused with a witness."""

import ast
import functools
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import sympy
from sympy import (
    Derivative,
    Eq,
    Function,
    IndexedBase,
    Integral,
    Limit,
    Sum,
    Symbol,
    exp,
    log,
    oo,
    sqrt,
    symbols,
)

from nnfs_book.checks import derivation
from nnfs_book.checks.derivation import Derivation, DerivationError

x, y, z = symbols("x y z", real=True)
a, b = symbols("a b", positive=True)
w = Symbol("w", real=True, nonzero=True)
i, j, k, m, n = symbols("i j k m n", integer=True)
J, K = symbols("J K", integer=True, positive=True)
S = "Sum(exp(z[k]), (k, 1, K))"
ZS, YS, PS, TS, US = (IndexedBase(name, real=True) for name in ("z", "y", "yhat", "t", "u"))


def given(*symbols, **more):
    """What is declared."""
    return {"symbols": symbols, **more}


SOFTMAX = ["s[i] == exp(z[i]) / Sum(exp(z[k]), (k, 1, K))", "1 <= i <= K", "1 <= j <= K"]
NETWORK = given(ZS, YS, i, j, k, m, K, where=SOFTMAX)
TARGETS = NETWORK | {"where": [*SOFTMAX, "Sum(y[k], (k, 1, K)) == 1"]}
LOSS = "-Sum(y[k]*log(s[k]), (k, 1, K))"
PERCENT = given(x, k, K, domain={Symbol("p", real=True): (0, 1)})
RUNNING = given(ZS, a, k, K, where=["mean[K] == (1 - a)*Sum(a**(K - k)*z[k], (k, 1, K))"])
BINARY = "y[{0}] * log(yhat[{0}]) + (1 - y[{0}]) * log(1 - yhat[{0}])"
OUTPUTS = given(PS, YS, i, j, J, domain={PS: (0, 1)}, where=["1 <= i <= J"])
D, M, N = symbols("D M N", integer=True, positive=True)
d, q = symbols("d q", integer=True)
XS, WS, GS = (IndexedBase(name, real=True) for name in ("x", "w", "g"))
DENSE = given(
    *(XS, WS, US, GS, TS, d, i, j, k, m, n, q, D, K, M, N),
    where=["z[n, m] == Sum(x[n, d]*w[d, m], (d, 1, D)) + u[m]", "1 <= j <= M"],
)
AT_WEIGHT = DENSE | {"where": [*DENSE["where"], "1 <= i <= D"]}
AT_INPUT = DENSE | {"where": [DENSE["where"][0], "1 <= i <= N", "1 <= j <= D"]}
CHAIN = "Sum(Sum(g[n, m]*Derivative(z[n, m], {}), (m, 1, M)), (n, 1, N))"
PAIRS = given(ZS, YS, TS, US, k, m, n, i, j, J, K)


def sigmoid():
    """The sigmoid's derivative: the first line and the steps."""
    d = Derivation(
        "Derivative(sigma(z), z)",
        name=r"\sigma'(z)",
        **given(z, where=["sigma(z) == 1/(1 + exp(-z))"]),
    )
    return d, [
        "Derivative(1/(1 + exp(-z)), z)",
        "Derivative((1 + exp(-z))**(-1), z)",
        "-(1 + exp(-z))**(-2) * Derivative(1 + exp(-z), z)",
        "-(1 + exp(-z))**(-2) * (Derivative(1, z) + Derivative(exp(-z), z))",
        "-(1 + exp(-z))**(-2) * (0 + exp(-z) * Derivative(-z, z))",
        "-(1 + exp(-z))**(-2) * (exp(-z) * (-1))",
        "(1 + exp(-z))**(-2) * exp(-z)",
        "exp(-z) / (1 + exp(-z))**2",
        "(1/(1 + exp(-z))) * (exp(-z)/(1 + exp(-z)))",
        "(1/(1 + exp(-z))) * ((1 + exp(-z) - 1)/(1 + exp(-z)))",
        "(1/(1 + exp(-z))) * ((1 + exp(-z))/(1 + exp(-z)) - 1/(1 + exp(-z)))",
        "(1/(1 + exp(-z))) * (1 - 1/(1 + exp(-z)))",
        "sigma(z) * (1 - sigma(z))",
    ]


def jacobian():
    """The softmax Jacobian."""
    return Derivation("Derivative(s[i], z[j])", **NETWORK), [
        f"Derivative(exp(z[i]) / {S}, z[j])",
        f"(Derivative(exp(z[i]), z[j]) * {S} - exp(z[i]) * Derivative({S}, z[j])) / {S}**2",
        f"(KroneckerDelta(i, j) * exp(z[i]) * {S} - exp(z[i]) * exp(z[j])) / {S}**2",
        f"(exp(z[i]) / {S}) * ((KroneckerDelta(i, j) * {S} - exp(z[j])) / {S})",
        f"(exp(z[i]) / {S}) * (KroneckerDelta(i, j) - exp(z[j]) / {S})",
        "s[i] * (KroneckerDelta(i, j) - s[j])",
    ]


def crossentropy():
    """The gradient that softmax and cross-entropy share."""
    return Derivation("Derivative(-Sum(y[k] * log(s[k]), (k, 1, K)), z[j])", **TARGETS), [
        "-Sum(y[k] * Derivative(log(s[k]), z[j]), (k, 1, K))",
        "-Sum(y[k] * (1/s[k]) * Derivative(s[k], z[j]), (k, 1, K))",
        "-Sum(y[k] * (1/s[k]) * s[k] * (KroneckerDelta(k, j) - s[j]), (k, 1, K))",
        "-Sum(y[k] * (KroneckerDelta(k, j) - s[j]), (k, 1, K))",
        "-Sum(y[k] * KroneckerDelta(k, j), (k, 1, K)) + Sum(y[k] * s[j], (k, 1, K))",
        "-y[j] + s[j] * Sum(y[k], (k, 1, K))",
        "s[j] - y[j]",
    ]


def binary():
    """The gradient of binary cross-entropy."""
    at_j, at_i = (BINARY.format(index) for index in "ji")
    return Derivation(f"Derivative(-(1/J) * Sum({at_j}, (j, 1, J)), yhat[i])", **OUTPUTS), [
        f"-(1/J) * Sum(Derivative({at_j}, yhat[i]), (j, 1, J))",
        f"-(1/J) * Derivative({at_i}, yhat[i])",
        "-(1/J) * (y[i] * Derivative(log(yhat[i]), yhat[i])"
        " + (1 - y[i]) * Derivative(log(1 - yhat[i]), yhat[i]))",
        "-(1/J) * (y[i] * (1/yhat[i]) * Derivative(yhat[i], yhat[i])"
        " + (1 - y[i]) * (1/(1 - yhat[i])) * Derivative(1 - yhat[i], yhat[i]))",
        "-(1/J) * (y[i] * (1/yhat[i]) * 1 + (1 - y[i]) * (1/(1 - yhat[i])) * (-1))",
        "-(1/J) * (y[i]/yhat[i] - (1 - y[i])/(1 - yhat[i]))",
    ]


CHAPTERS = [sigmoid, jacobian, crossentropy, binary]


@functools.cache
def derived(make):
    """A chapter's derivation with all its steps; tests share it and only look at it."""
    d, steps = make()
    for number, line in enumerate(steps, 1):
        d.step(line, because=f"reason {number} with $x_{number}$")
    return d


# --- what is true -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", CHAPTERS)
def test_every_step_of_the_chapters_is_proved(make):
    d = derived(make)
    assert len(d) == len(make()[1])
    assert d._repr_latex_().count(r"\text{reason ") == len(d)


TRUE = [
    (Derivative(x**3 * exp(x), x), 3 * x**2 * exp(x) + x**3 * exp(x), {}),
    (sqrt(x**2), sympy.Abs(x), {}),
    (log(a * b), log(a) + log(b), {}),
    (
        "log(p**t * (1 - p)**(1 - t))",
        "t*log(p) + (1 - t)*log(1 - p)",
        given(
            *symbols("p t", real=True),
            domain={Symbol("p", real=True): (0, 1), Symbol("t", real=True): (0, 1)},
        ),
    ),
    ("w/w", "1", given(w)),
    ("Derivative(Max(0, w), w)", "Heaviside(w)", given(w)),
    ("tanh(z/2)", "2/(1 + exp(-z)) - 1", given(z)),
    (Integral(2 * x, (x, 0, a)), a**2, {}),
    (Limit(sympy.tanh(x) / x, x, 0), sympy.Integer(1), {}),
    (Limit(1 / (1 + exp(-x)), x, oo), sympy.Integer(1), {}),
    ("Sum(z[k] + 1, (k, 1, K))", "K + Sum(z[m], (m, 1, K))", given(ZS, k, m, K)),
    (
        "Sum(KroneckerDelta(k, j) * z[k]**2, (k, 1, K))",
        "z[j]**2",
        given(ZS, k, j, K, where=["1 <= j <= K"]),
    ),
    (
        "Derivative(Sum((z[k] - y[k])**2, (k, 1, K))/K, z[i])",
        "2*(z[i] - y[i])/K",
        given(ZS, YS, i, k, K, where=["1 <= i <= K"]),
    ),
    (f"Derivative({LOSS}, s[i])", "-y[i]/s[i]", NETWORK),
    # the chain rule, over defined quantities
    (
        f"Derivative({LOSS}, z[j])",
        f"Sum(Derivative({LOSS}, s[m]) * Derivative(s[m], z[j]), (m, 1, K))",
        NETWORK,
    ),
    (
        "Derivative(log(sigma(z)), z)",
        "Derivative(log(sigma(z)), sigma(z)) * Derivative(sigma(z), z)",
        given(z, where=["sigma(z) == 1/(1 + exp(-z))"]),
    ),
    ("Sum(1/(k*(k + 1)), (k, 1, K))", "Sum(1/k - 1/(k + 1), (k, 1, K))", given(k, K)),
    ("log(Product(exp(z[k]), (k, 1, K)))", "Sum(z[k], (k, 1, K))", given(ZS, k, K)),
    (
        "log(Product(yhat[k]**y[k] * (1 - yhat[k])**(1 - y[k]), (k, 1, K)))",
        f"Sum({BINARY.format('k')}, (k, 1, K))",
        given(PS, YS, k, K, domain={PS: (0, 1)}),  # so that 1 - yhat[k] is positive
    ),
    (
        "log(Product(z[k], (k, 1, K))) + z[1]",
        "z[1] + log(Product(z[k], (k, 1, K)))",
        given(ZS, k, K),
    ),
    (
        "Sum(t[n, k], (n, 1, J), (k, 1, K))",
        "Sum(t[n, k], (n, 1, J), (k, 1, K))",
        given(TS, k, n, J, K),
    ),
    (
        "Sum(Sum(t[n, k], (k, 1, K)), (n, 1, J))",
        "J",
        given(TS, k, n, J, K, where=["Sum(t[n, k], (k, 1, K)) == 1", "1 <= n <= J"]),
    ),
    (
        "Derivative(Sum(y[k], (k, 1, K)), y[j])",
        "1",  # a constraint does not reach inside d/dy
        given(YS, j, k, K, where=["1 <= j <= K", "Sum(y[k], (k, 1, K)) == 1"]),
    ),
    # a sum inside a sum
    (CHAIN.format("w[i, j]"), "Sum(x[n, i]*g[n, j], (n, 1, N))", AT_WEIGHT),
    (CHAIN.format("u[j]"), "Sum(g[n, j], (n, 1, N))", DENSE),
    (CHAIN.format("x[i, j]"), "Sum(g[i, m]*w[j, m], (m, 1, M))", AT_INPUT),
    (
        "Sum(Sum(x[n, d]*w[d, m], (d, 1, D))*g[m, k], (m, 1, M))",
        "Sum(x[n, d]*Sum(w[d, m]*g[m, k], (m, 1, M)), (d, 1, D))",
        DENSE,
    ),
    (
        "Sum(Sum(Sum(x[n, d]*w[d, m], (d, 1, D))*g[m, k], (m, 1, M))*t[k, q], (k, 1, K))",
        "Sum(x[n, d]*Sum(w[d, m]*Sum(g[m, k]*t[k, q], (k, 1, K)), (m, 1, M)), (d, 1, D))",
        DENSE,
    ),
    (
        "Derivative(Sum(Sum(t[k, m]**2, (m, 1, J)), (k, 1, K)), t[i, j])",
        "2*t[i, j]",
        PAIRS | {"where": ["1 <= i <= K", "1 <= j <= J"]},
    ),
    (
        "Sum(Sum(z[k]*y[m]*t[k, m], (k, 1, K)), (m, 1, J))",
        "Sum(Sum(z[k]*y[m]*t[k, m], (m, 1, J)), (k, 1, K))",
        PAIRS,
    ),
    ("Sum(Sum(t[k, m] - t[m, k], (m, 1, K)), (k, 1, K))", "0", PAIRS),
    (
        "Sum(Sum(t[k, m]/(k*(k + 1)), (m, 1, J)), (k, 1, K))",
        "Sum(Sum(t[k, m]/k, (k, 1, K)), (m, 1, J)) - Sum(t[k, m]/(k + 1), (m, 1, J), (k, 1, K))",
        PAIRS,
    ),
    (
        "Sum(Sum(t[k, m] + 1, (m, 1, k)), (k, 1, K))",
        "Sum(Sum(t[m, n], (n, 1, m)) + m, (m, 1, K))",
        PAIRS,
    ),
    (
        "Sum(Sum(u[n]*t[n, k], (n, 1, J)), (k, 1, K))",
        "Sum(u[n], (n, 1, J))",
        PAIRS | {"where": ["Sum(t[n, k], (k, 1, K)) == 1", "1 <= n <= J"]},
    ),
    # sums up to a size, by induction
    ("Sum(k, (k, 1, K))", "K*(K + 1)/2", given(k, K)),
    ("Sum(k**2, (k, 1, K))", "K*(K + 1)*(2*K + 1)/6", given(k, K)),
    ("Sum(k, (k, 1, m))", "m*(m + 1)/2", given(k, m, where=["m >= 0"])),
    ("(1 - p)*Sum(p**(K - k), (k, 1, K))", "1 - p**K", PERCENT),
    ("Sum(p**k, (k, 0, K - 1))", "(1 - p**K)/(1 - p)", PERCENT),
    ("Sum(p**(k + 1), (k, 0, K - 1))", "Sum(p**k, (k, 1, K))", PERCENT),
    ("Sum(z[k], (k, 1, K)) + z[K + 1]", "Sum(z[k], (k, 1, K + 1))", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K))", "z[1] + Sum(z[k], (k, 2, K))", given(ZS, k, K)),
    ("Sum(z[k + 1] - z[k], (k, 1, K))", "z[K + 1] - z[1]", given(ZS, k, K)),
    ("a*mean[K] + (1 - a)*z[K + 1]", "mean[K + 1]", RUNNING),
]


@pytest.mark.parametrize("before, after, given", TRUE, ids=str)
def test_true_steps_are_proved(before, after, given):
    assert len(Derivation(before, **given).step(after, because="true")) == 1


# --- what is false ------------------------------------------------------------------------------

FALSE = [  # before, after, declarations
    ("log(Product(z[k], (k, 1, K)))", "Sum(log(z[k]), (k, 1, K))", given(ZS, k, K)),  # negative z
    # signs and factors
    (Derivative(exp(-z), z), exp(-z), {}),
    ("Derivative(1/(1 + exp(-z)), z)", "-exp(-z)/(1 + exp(-z))**2", given(z)),
    (Derivative(x**2, x), x, {}),
    (Derivative(log(a), a), -1 / a, {}),
    ("1 - (x - y)", "1 - x - y", given(x, y)),
    ("(x + y)**2", "x**2 + y**2", given(x, y)),
    ("exp(x + y)", "exp(x) + exp(y)", given(x, y)),
    (x, -x, {}),
    (x**2, x**4, {}),  # equal at 0, 1 and -1
    (x, x + sympy.Rational(1, 10**6), {}),
    # branches and domains
    (sqrt(x**2), x, {}),
    (sqrt(x**2), -x, {}),
    (log(x**2), 2 * log(x), {}),
    ("log(x*y)", "log(x) + log(y)", given(x, y)),
    ("(x**2)**(1/2)", "x", given(x)),
    (sympy.Abs(x), x, {}),
    ("Abs(x - 2)", "x - 2", given(x, domain={x: (1, 4)})),
    ("Max(0, x)", "x", given(x)),
    ("Derivative(Abs(x), x)", "1", given(x)),
    # indices, ranges and deltas
    ("z[i]", "z[j]", given(ZS, i, j, K, where=["1 <= i <= K", "1 <= j <= K"])),
    ("z[i]", "z[1]", given(ZS, i, K, where=["1 <= i <= K"])),
    ("Sum(z[k], (k, 1, K))", "Sum(z[k], (k, 1, K - 1))", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K))", "Sum(z[k], (k, 0, K))", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K))", "Sum(z[k], (k, 2, K + 1))", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K))", "z[1] + z[2]", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K))", "K*z[1]", given(ZS, k, K)),
    ("Sum(1, (k, 1, K))", "K - 1", given(k, K)),
    ("Sum(1, (k, 1, K))", "2", given(k, K)),
    ("K**2 + 2", "3*K", given(K)),  # true for K = 1 and K = 2 only
    ("(K - 1)*(K - 2)*(K - 3)", "0", given(K)),
    ("KroneckerDelta(n, 2)", "0", given(n)),  # differs at n = 2 alone
    ("KroneckerDelta(i, j)", "0", given(i, j, K, where=["1 <= i <= K", "1 <= j <= K"])),
    ("KroneckerDelta(i, j)", "1", given(i, j, K, where=["1 <= i <= K", "1 <= j <= K"])),
    ("Sum(KroneckerDelta(k, j)*z[k], (k, 1, K))", "z[j]", given(ZS, k, j, K)),  # j free
    (
        "Sum(KroneckerDelta(k, j)*z[k], (k, 2, K))",
        "z[j]",
        given(ZS, k, j, K, where=["1 <= j <= K"]),
    ),
    ("Sum(z[k]*y[k], (k, 1, K))", "Sum(z[k], (k, 1, K))*Sum(y[k], (k, 1, K))", given(ZS, YS, k, K)),
    ("Derivative(z[i], z[j])", "1", given(ZS, i, j, K, where=["1 <= i <= K", "1 <= j <= K"])),
    # sums that go one too far, start too late, or count wrongly
    ("Sum(k, (k, 1, K))", "K*(K - 1)/2", given(k, K)),
    ("(1 - p)*Sum(p**(K - k), (k, 1, K))", "1 - p**(K - 1)", PERCENT),
    ("(1 - p)*Sum(p**(K - k), (k, 0, K))", "1 - p**K", PERCENT),
    ("Sum(z[k], (k, 1, K)) + z[K]", "Sum(z[k], (k, 1, K + 1))", given(ZS, k, K)),
    ("Sum(z[k], (k, 1, K + 1))", "Sum(z[k + 1], (k, 1, K))", given(ZS, k, K)),
    ("a*mean[K] + a*z[K + 1]", "mean[K + 1]", RUNNING),
    # the gradients of the chapters, each with one thing wrong
    *(
        ("Derivative(s[i], z[j])", wrong, NETWORK)
        for wrong in [
            "s[i] * (1 - s[i])",
            "s[i] * (1 - s[j])",
            "-s[i] * s[j]",
            "s[i] * (KroneckerDelta(i, j) + s[j])",
            "s[i] * (s[j] - KroneckerDelta(i, j))",
            "s[i] * (KroneckerDelta(i, j) - s[i])",
            "s[i] * (KroneckerDelta(i, 1) - s[j])",
            "s[i] * KroneckerDelta(i, j) - s[j]",
            "2 * s[i] * (KroneckerDelta(i, j) - s[j])",
        ]
    ),
    *(
        (f"Derivative({LOSS}, z[j])", wrong, TARGETS)
        for wrong in ["y[j] - s[j]", "s[j] + y[j]", "s[j] - y[1]", "(s[j] - y[j])/K", "s[j] - 1"]
    ),
    (
        f"Derivative({LOSS}, z[j])",
        "s[j] - y[j]",  # without the constraint
        NETWORK,
    ),
    (
        "Derivative(Sum(y[k], (k, 1, K)), y[j])",
        "0",
        given(YS, j, k, K, where=["1 <= j <= K", "Sum(y[k], (k, 1, K)) == 1"]),
    ),
    *(
        (
            f"Derivative(-(1/J)*Sum({BINARY.format('j')}, (j, 1, J)), yhat[i])",
            wrong,
            OUTPUTS,
        )
        for wrong in [
            "-(y[i]/yhat[i] - (1 - y[i])/(1 - yhat[i]))",
            "-(1/J)*(y[i]/yhat[i] + (1 - y[i])/(1 - yhat[i]))",
            "(1/J)*(y[i]/yhat[i] - (1 - y[i])/(1 - yhat[i]))",
            "-(1/J)*(y[1]/yhat[1] - (1 - y[1])/(1 - yhat[1]))",
            "-(1/(J + 1))*(y[i]/yhat[i] - (1 - y[i])/(1 - yhat[i]))",
        ]
    ),
    # what holds for some entries only
    (
        "K*Sum(yhat[k]**2, (k, 1, K))",
        "Sum(yhat[k], (k, 1, K))**2",  # true if all are equal
        given(PS, k, K, domain={PS: (0, 1)}),
    ),
    (
        "Sum(t[m, k], (k, 1, K))",
        "1",  # true for m >= 1
        given(TS, k, m, n, K, where=["Sum(t[n, k], (k, 1, K)) == 1", "n >= 1"]),
    ),
    # a dense layer, with one thing wrong
    *(
        (CHAIN.format("w[i, j]"), wrong, AT_WEIGHT)
        for wrong in [
            "Sum(x[n, i]*g[n, 1], (n, 1, N))",
            "Sum(x[n, i], (n, 1, N))*Sum(g[n, j], (n, 1, N))",
            "Sum(x[n, i]*g[n, j], (n, 1, N))/N",
            "Sum(x[n, i]*g[n, j], (n, 1, D))",
            "Sum(Sum(x[n, i]*g[n, m], (m, 1, M)), (n, 1, N))",
        ]
    ),
    (CHAIN.format("u[j]"), "g[1, j]", DENSE),
    (CHAIN.format("x[i, j]"), "Sum(g[i, m]*w[m, j], (m, 1, M))", AT_INPUT),
    # a sum inside a sum
    *(
        ("Sum(Sum(z[k]*y[m]*t[k, m], (k, 1, K)), (m, 1, J))", wrong, PAIRS)
        for wrong in [
            "Sum(Sum(z[k]*y[m]*t[k, m], (k, 1, J)), (m, 1, K))",
            "Sum(Sum(z[k]*y[m]*t[m, k], (k, 1, K)), (m, 1, J))",
            "Sum(z[k], (k, 1, K))*Sum(Sum(y[m]*t[k, m], (m, 1, J)), (k, 1, K))",
        ]
    ),
    (
        "Sum(Sum(z[k]*y[m]*t[k, m], (k, 1, K)), (m, 1, K))",
        "Sum(Sum(z[m]*y[k]*t[k, m], (k, 1, K)), (m, 1, K))",  # true if t is symmetric
        PAIRS,
    ),
    (
        "Sum(Sum(t[k, m], (m, 1, k)), (k, 1, K))",
        "Sum(Sum(t[k, m], (k, 1, m)), (m, 1, K))",  # the other triangle
        PAIRS,
    ),
    (
        "Sum(Sum(z[k]*t[n, k], (n, 1, J)), (k, 1, K))",
        "Sum(z[k], (k, 1, K))",  # the constraint is on the other index
        PAIRS | {"where": ["Sum(t[n, k], (k, 1, K)) == 1", "1 <= n <= J"]},
    ),
    (
        "Sum(Sum(u[n]*t[n, k], (n, 1, J)), (k, 1, K))",
        "Sum(u[n], (n, 1, J))",  # the constraint is declared for n <= 2
        PAIRS | {"where": ["Sum(t[n, k], (k, 1, K)) == 1", "1 <= n <= 2"]},
    ),
    # limits and integrals
    (Limit(1 / (1 + exp(-x)), x, oo), sympy.Integer(0), {}),
    (Integral(2 * x, (x, 0, a)), a**2 + 1, {}),
]


def never(*arguments):
    """Stand in for the check that a test leaves out."""
    pytest.fail("the other check should not be needed")


@pytest.mark.parametrize("before, after, given", FALSE, ids=str)
def test_numbers_alone_refuse_false_steps_with_a_counterexample(before, after, given, monkeypatch):
    monkeypatch.setattr(derivation.Proof, "equal", never)
    d = Derivation(before, **given)
    shown = d._repr_latex_(), repr(d), len(d)
    with pytest.raises(DerivationError) as caught:
        d.step(after, because="it looks right")
    message = str(caught.value)
    assert message.startswith("step 1 (it looks right) is false")
    assert "before:" in message and "after:" in message
    last = message.splitlines()[-1]
    assert last.endswith(" after") and (" = " in last or "in fact" in last)
    assert (d._repr_latex_(), repr(d), len(d)) == shown


def refuse_without_numbers(before, after, given, monkeypatch):
    monkeypatch.setattr(derivation, "counterexample", lambda *arguments: (1, None))
    with pytest.raises(DerivationError, match="could not be proved"):
        Derivation(before, **given).step(after, because="SymPy alone")


@pytest.mark.parametrize("before, after, given", FALSE[::4], ids=str)
def test_sympy_alone_proves_nothing_false(before, after, given, monkeypatch):
    refuse_without_numbers(before, after, given, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("before, after, given", FALSE, ids=str)
def test_sympy_alone_proves_nothing_false_at_all(before, after, given, monkeypatch):
    refuse_without_numbers(before, after, given, monkeypatch)


# --- what is true where both lines have a value, and is said to be so -----------------------------

ASSUMED = [  # before, after, declarations, the assumptions
    ("sqrt(x)*sqrt(x)", "x", given(x), ["x >= 0"]),
    ("exp(log(x))", "x", given(x), ["x > 0"]),
    ("sign(x)", "Abs(x)/x", given(x), ["x != 0"]),
    ("Derivative(Max(0, x), x)", "Heaviside(x)", given(x), ["x != 0"]),
    ("x/x", "1", given(x), ["x != 0"]),
    ("1", "x/x", given(x), ["x != 0"]),
    ("(x**2 - 4)/(x - 2)", "x + 2", given(x), ["x != 2"]),
    ("(x - 7/5)/(x - 7/5)", "1", given(x), ["x != 7/5"]),
    ("(x**2 - 2)/(x**2 - 2)", "1", given(x), ["x**2 - 2 != 0"]),
    ("f(x)*(x - 3/7)", "1", given(x, where=["f(x) == 1/(x - 3/7)"]), ["x != 3/7"]),
    ("(x - y)/(x - y)", "1", given(x, y), ["x - y != 0"]),
    ("0*log(x)", "0", given(x), ["x > 0"]),
    ("Derivative(x**2/x, x)", "1", given(x), ["x != 0"]),
    ("Sum(k, (k, 1, m))", "m*(m + 1)/2", given(k, m), ["m >= 0"]),
    ("Sum(z[k], (k, 3, K))", "Sum(z[k], (k, 3, K + 1)) - z[K + 1]", given(ZS, k, K), ["K >= 2"]),
    ("Sum(z[k]/z[k], (k, 1, K))", "K", given(ZS, k, K), ["z[k] != 0 for 1 <= k <= K"]),
    ("log(1 - y)", "log(1 - y) + 0", given(y), ["y < 1"]),
    (
        "Derivative(Sum(Sum(Abs(t[k, m]), (m, 1, J)), (k, 1, K)), t[i, j])",
        "sign(t[i, j])",
        PAIRS | {"where": ["1 <= i <= K", "1 <= j <= J"]},
        ["t[i, j] != 0"],
    ),
]


@pytest.mark.parametrize("before, after, given, assumptions", ASSUMED, ids=str)
def test_what_a_step_assumes_is_printed(before, after, given, assumptions):
    d = Derivation(before, **given).step(after, because="where it has a value")
    assert list(d.assumptions) == assumptions
    assert repr(d).endswith("; ".join(["", *(f"for {text}" for text in assumptions)]))
    assert r"{\small\text{for }" in d._repr_latex_().splitlines()[-2]


def test_an_assumption_about_a_sum_says_nothing_of_one_term():
    d = Derivation("1/Sum(z[k], (k, 1, K))", symbols=[ZS, k, K])
    d.step("Sum(z[k], (k, 1, K))**(-1)", because="a power")
    assert d.assumptions == ("Sum(z[k], (k, 1, K)) != 0",)
    d.step("Sum(z[k], (k, 1, K))**(-1)*(z[2]/z[2])", because="a fraction that is 1")
    d.step("Sum(z[k], (k, 1, K))**(-1)*Sum(z[k]/z[k], (k, 1, K))/K", because="K times 1")
    assert d.assumptions[1:] == ("z[2] != 0", "z[k] != 0 for 1 <= k <= K")


def test_where_nothing_is_assumed_nothing_is_printed():
    d = derived(jacobian)
    assert d.assumptions == () and r"\text{for }" not in d._repr_latex_() + repr(d)


@pytest.mark.parametrize(
    "before, after",
    [("x", "exp(log(x))"), ("x", "sqrt(x)**2"), ("x", "exp(log(x + 10**9)) - 10**9")],
)
def test_a_step_may_not_lose_more_than_single_points(before, after):
    with pytest.raises(DerivationError):
        Derivation(before, symbols=[x]).step(after, because="the inverse function")


def test_a_limit_without_a_direction_has_two_sides():
    d = Derivation("Limit(Abs(x)/x, x, 0)", symbols=[x])
    with pytest.raises(DerivationError, match="undefined before"):
        d.step("1", because="from the right")


def test_saturation_is_no_counterexample():
    z_is = ["sigma(u) == 1/(1 + exp(-u))", "z == Sum(x[d]*w[d], (d, 1, D)) + b"]
    names = [XS, WS, d, i, D, *symbols("y b u", real=True)]
    loss = Derivation(
        "Derivative(-(y*log(sigma(z)) + (1 - y)*log(1 - sigma(z))), w[i])",
        symbols=names,
        where=[*z_is, "1 <= i <= D"],
    )
    loss.step("(sigma(z) - y) * x[i]", because="for all real weights")
    assert loss.assumptions == ()


R40 = "KroneckerDelta(K, 40)"  # no point that is tried tells these from 0
ROWS = ["Sum(t[n, k], (k, 1, n)) == 1", "1 <= n <= K", "1 <= m <= K"]
HIDDEN = [  # what is false and escapes the numbers, or has a value for less than is printed
    ("Limit(c*(x - pi)/(c*(x - pi) + 1), c, oo)", "1", []),
    ("Limit(1/(1 + c*Abs(x - 2/7)), c, oo)", "0", []),
    ("y/y + Limit(Max(0, x*c)/c, c, 0) - Limit(Max(0, x*c)/c, c, 0)", "1", []),
    ("y/y + Limit((Abs(x + c) - Abs(x))/c, c, 0)", "1 + sign(x)", []),
    (f"{R40}*Sum(KroneckerDelta(k, K + 1 - k)*x, (k, 1, K))", f"{R40}*x", []),
    (f"{R40}*Sum(t[m, k], (k, 1, n))", R40, ROWS),
    ("Sum(1 - sign(k - M - 10000)**2, (k, 1, K)) + (K - M - 9999)/(K - M - 9999)", "1", []),
    ("x + 1e-400", "x", []),
    ("x*0.10000000000000000001", "x*0.1", []),
    ("9007199254740993.0*x", "9007199254740992*x", []),
    ("x", "oo", []),
    ("1/x - 1/x", "oo", []),
    ("Limit(1/c**2, c, 0) + y/y", "oo", []),
    ("Limit(Sum(1/2**k, (k, 1, K)), K, oo)", "1", []),
    ("exp(-exp(exp(exp(10))))", "0", []),
    ("2**(10**9)", "0", []),
    ("Sum(k, (k, 1, 10**9))", "0", []),
    ("F(0)", "0", ["F(x) == Derivative(Abs(x), x)"]),
]


@pytest.mark.parametrize("before, after, where", HIDDEN, ids=str)
def test_what_numbers_cannot_refuse_is_refused(before, after, where):
    names = [x, y, Symbol("c", real=True), k, m, n, K, M, TS]
    with pytest.raises(DerivationError):
        Derivation(before, symbols=names, where=where).step(after, because="it looks right")


def test_a_slope_at_a_place():
    cube = ["F(x) == Derivative(x**3, x)"]
    Derivation("F(2)", symbols=[x], where=cube).step("12", because="three times four")
    Derivation("F(2*y)", symbols=[x, y], where=cube).step("12*y**2", because="three squares")
    with pytest.raises(DerivationError, match="is false"):
        Derivation("F(2*y)", symbols=[x, y], where=cube).step("24*y**2", because="the chain rule")


UNPROVABLE = [
    (x, x + sympy.Rational(1, 10**70), {}),  # no number will ever tell
    ("Max(x**4, y**4)", "Max(x**2, y**2)**2", given(x, y)),
]


@pytest.mark.parametrize("before, after, given", UNPROVABLE, ids=str)
def test_agreement_of_numbers_is_not_a_proof(before, after, given):
    d = Derivation(before, **given)
    with pytest.raises(DerivationError, match=r"^step 1 \(surely\) could not be proved"):
        d.step(after, because="surely")
    assert len(d) == 0 and "no step yet" in repr(d)


def test_a_line_without_values_cannot_be_checked():
    with pytest.raises(DerivationError, match="no point at which it could be checked"):
        Derivation("log(-1 - x**2)", symbols=[x]).step("log(-1 - x**2) + 1 - 1", because="why not")


# --- one change in a chapter's derivation must be found -----------------------------------------


def flipped(line):
    """Yield a line with each of its plus and minus signs the other way round."""
    for position, _ in enumerate(ast.walk(ast.parse(line, mode="eval"))):
        tree = ast.parse(line, mode="eval")
        node = next(itertools.islice(ast.walk(tree), position, None))
        match node:
            case ast.BinOp(op=ast.Add()):
                node.op = ast.Sub()
            case ast.BinOp(op=ast.Sub()):
                node.op = ast.Add()
            case ast.UnaryOp():
                node.operand = ast.UnaryOp(ast.USub(), node.operand)
            case _:
                continue
        yield ast.unparse(tree)


CHANGES = {
    "KroneckerDelta(i, j)": ["KroneckerDelta(i, 1)", "1"],
    "KroneckerDelta(k, j)": ["1"],
    "(k, 1, K)": ["(k, 1, K - 1)", "(k, 2, K)"],
    "(j, 1, J)": ["(j, 2, J)"],
    "z[j]": ["z[i]", "z[1]"],
    "s[j]": ["s[1]"],
    "yhat[i]": ["yhat[1]"],
    "y[i]": ["y[1]"],
    "(1/J)": ["(1/(J + 1))", "1"],
    "(-2)": ["(-3)", "(-1)"],
    "(-1)": ["(-2)"],
    "**2": ["**3"],
    "exp(-z)": ["exp(-2*z)"],
    "y[k] *": ["y[1] *"],
}


def changed(line):
    """Yield a line with one index, range, exponent or factor changed."""
    for old, replacements in CHANGES.items():
        starts = [place for place in range(len(line)) if line.startswith(old, place)]
        for start, new in itertools.product(starts, replacements):
            yield line[:start] + new + line[start + len(old) :]


@pytest.mark.parametrize("make", CHAPTERS)
def test_one_change_anywhere_is_found(make):
    d, steps = make()
    flips = 0
    for number, line in enumerate(steps, 1):
        for wrong in flipped(line):
            flips += 1
            with pytest.raises(DerivationError, match=rf"^step {number} \(flipped\) is false"):
                d.step(wrong, because="flipped")
                pytest.fail(f"accepted: {wrong}")
        for wrong in changed(line):
            with pytest.raises(DerivationError, match=rf"^step {number} \(changed\)"):
                d.step(wrong, because="changed")
                pytest.fail(f"accepted: {wrong}")
        d.step(line, because="right")
    assert len(d) == len(steps) and flips >= 5


# --- how it is shown ----------------------------------------------------------------------------


def test_lines_are_shown_as_written():
    shown = (
        Derivation("1/(1 + exp(-z))", symbols=[z])
        .step("(1 + exp(-z))**(-1)", because="a reciprocal is the power $-1$")
        ._repr_latex_()
    )
    assert shown == (
        "$$\\begin{aligned}\n"
        "&\\phantom{={}} \\frac{1}{1 + e^{-z}} \\\\[6pt]\n"
        "&\\quad {\\small\\text{a reciprocal is the power }{-1}} \\\\[3pt]\n"
        "&= \\left(1 + e^{-z}\\right)^{-1}\n"
        "\\end{aligned}$$"
    )


@pytest.mark.parametrize(
    "line, latex",
    [
        ("x - (y - 1)", r"x - \left(y - 1\right)"),
        ("x - y + 1", "x - y + 1"),
        ("-x/y", r"-\frac{x}{y}"),
        ("(-x - 1)/y", r"\frac{-x - 1}{y}"),
        ("x*(-1)", r"x \cdot \left(-1\right)"),
        ("-2*x", "-2 x"),
        ("2*3*x", r"2 \cdot 3 x"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("x*(y*(x + 1) + 2)", r"x \left[y \left(x + 1\right) + 2\right]"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("sqrt(x)", r"\sqrt{x}"),
        ("x*log(y)", r"x \log y"),
        ("log(y)*x", r"\left(\log y\right) x"),
        ("log(1 - y)", r"\log (1 - y)"),
        ("sigma(x)*(1 - sigma(x))", r"\sigma(x) \left(1 - \sigma(x)\right)"),
        ("Sum(u[k], (k, 1, K))*x", r"\left(\sum_{k=1}^{K} u_{k}\right) x"),
        ("Sum(Sum(t[n, k], (k, 1, K)), (n, 1, J))", r"\sum_{n=1}^{J} \sum_{k=1}^{K} t_{n, k}"),
        (
            "log(Product(Product(t[n, k], (k, 1, K)), (n, 1, J)))",
            r"\log \left(\prod_{n=1}^{J} \prod_{k=1}^{K} t_{n, k}\right)",
        ),
        ("Derivative(x, x)", r"\frac{d x}{dx}"),
        ("Derivative(x**2, (x, 2))", r"\frac{d^{2}}{dx^{2}} x^{2}"),
        ("Derivative(x*y, x)", r"\frac{\partial}{\partial x} \left(x y\right)"),
        ("KroneckerDelta(i, j)", r"\delta_{i j}"),
    ],
)
def test_latex(line, latex):
    d = Derivation(
        line, symbols=[x, y, US, TS, i, j, k, n, J, K], where=["sigma(x) == 1/(1 + exp(-x))"]
    )
    assert (
        d._repr_latex_().splitlines()[1].removesuffix(r" \\[6pt]") == rf"&\phantom{{={{}}}} {latex}"
    )


def printed():
    """All that the derivations of the chapters, an error and a SymPy derivation print."""
    texts = [derived(make)._repr_latex_() + repr(derived(make)) for make in CHAPTERS]
    with pytest.raises(DerivationError) as caught:
        sigmoid()[0].step("sigma(z)", because="no")
    d = Derivation(Derivative(x**2 * exp(y) + a, x))
    d.step(2 * x * exp(y), because="SymPy")
    return "\n".join([*texts, str(caught.value), d._repr_latex_()])


def test_text_does_not_depend_on_the_hash_seed():
    code = "import sys; sys.path.insert(0, 'tests/checks'); import test_derivation as t; print(t.printed())"
    runs = []
    for seed in ("0", "42"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        command = [sys.executable, "-c", code]
        runs.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    texts = {run.communicate()[0].strip() for run in runs}
    assert texts == {printed()}


def test_statement_and_summary():
    d = derived(sigmoid)
    assert d.statement == "Derivative(sigma(z), z) = sigma(z) * (1 - sigma(z))"
    assert d.result == d.lines[-1][1]
    assert repr(d).startswith(r"Derivation of \sigma'(z): 13 steps, each proved and checked at ")


@pytest.mark.parametrize(
    "reason, latex",
    [
        ("100 % of {x} & $x_1$", r"\text{100 \% of \{x\} \& }{x_1}"),
        ("divide by $e^{-z}$", r"\text{divide by }{e^{-z}}"),
        ("$e^{z}$ cancels", r"{e^{z}}\text{ cancels}"),
        ("plain {words}", r"\text{plain \{words\}}"),
    ],
)
def test_reasons_are_text_with_mathematics_in_it(reason, latex):
    shown = Derivation(x + x).step(2 * x, because=reason)._repr_latex_()
    assert rf"&\quad {{\small{latex}}} \\[3pt]" in shown


# --- SymPy expressions, and symbols that are not declared ---------------------------------------

u, v = symbols("u v")
QS = IndexedBase("q")
SIGMA = Function("sigma")
SYMPY = [  # the lines, what is declared, the statement
    (
        [
            Derivative(1 / (1 + exp(-u)), u),
            exp(-u) / (1 + exp(-u)) ** 2,
            "1/(1 + exp(-u)) * (1 - 1/(1 + exp(-u)))",
        ],
        given(),
        "Derivative(1/(1 + exp(-u)), u) = 1/(1 + exp(-u)) * (1 - 1/(1 + exp(-u)))",
    ),
    (
        [Derivative(SIGMA(u), u), SIGMA(u) * (1 - SIGMA(u))],
        given(where=["sigma(u) == 1/(1 + exp(-u))"]),
        "Derivative(sigma(u), u) = (1 - sigma(u))*sigma(u)",
    ),
    (
        [Derivative(u**2 * v, u, v), Derivative(u**2, u), 2 * u],
        given(),
        "Derivative(u**2*v, u, v) = 2*u",
    ),
    (
        [
            Derivative(log(Sum(exp(QS[k]), (k, 1, K))), QS[j]),
            exp(QS[j]) / Sum(exp(QS[k]), (k, 1, K)),
        ],
        given(where=["1 <= j <= K"]),
        "Derivative(log(Sum(exp(q[k]), (k, 1, K))), q[j]) = exp(q[j])/Sum(exp(q[k]), (k, 1, K))",
    ),
    (
        [Sum(v * QS[k] + 1, (k, 1, K)), K + v * Sum(QS[m], (m, 1, K))],
        given(),
        "Sum(v*q[k] + 1, (k, 1, K)) = K + v*Sum(q[m], (m, 1, K))",
    ),
    ([Integral(2 * u, (u, 0, v)), v**2], given(), "Integral(2*u, (u, 0, v)) = v**2"),
    ([0.1 * u, u / 10], given(), "0.1*u = u/10"),
]


@pytest.mark.parametrize("lines, given, statement", SYMPY)
def test_sympy_expressions_of_undeclared_symbols(lines, given, statement):
    first, *steps = lines
    d = Derivation(first, **given)
    for line in steps:
        d.step(line, because="SymPy")
    assert d.statement == statement


def test_sympy_expressions_are_shown_as_sympy_prints_them():
    d = Derivation(Derivative(-1 / (1 + exp(-u)), u)).step(-exp(-u) / (1 + exp(-u)) ** 2, "SymPy")
    assert d._repr_latex_() == (
        "$$\\begin{aligned}\n"
        "&\\phantom{={}} \\frac{d}{du} \\left(-\\frac{1}{1 + e^{-u}}\\right) \\\\[6pt]\n"
        "&\\quad {\\small\\text{SymPy}} \\\\[3pt]\n"
        "&= -\\frac{e^{-u}}{\\left(1 + e^{-u}\\right)^{2}}\n"
        "\\end{aligned}$$"
    )


def test_symbols_that_are_not_declared_are_real():
    for real in (u, x):
        Derivation(sqrt(real**2)).step(sympy.Abs(real), because="a root is not negative")
    with pytest.raises(DerivationError, match="is false"):
        Derivation(sqrt(u**2)).step(u, because="a root undoes a square")


# --- code against formula -----------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def test_code_that_computes_the_formula_is_confirmed():
    def slope(z):
        s = 1 / (1 + np.exp(-z))
        return s * (1 - s)

    def matrix(z):
        return np.diag(softmax(z)) - np.outer(softmax(z), softmax(z))

    found = derived(sigmoid).confirm_code(slope, [z])
    assert repr(found) == (
        "slope computes the derived formula: 1000 points, to 2 float32 roundings an operation"
    )
    assert "float64" in repr(derived(sigmoid).confirm_code(slope, [z], dtype="float64", points=50))
    derived(jacobian).confirm_code(matrix, [ZS], indices=(i, j), sizes={K: 4}, points=50)
    derived(crossentropy).confirm_code(
        lambda z, y: softmax(z) - y, [ZS, YS], indices=[j], sizes={K: 3}, points=50
    )
    weighted = Derivation("mean[K]", **RUNNING)
    weighted.step("(1 - a)*Sum(z[k]*a**(K - k), (k, 1, K))", because="definition")
    weighted.confirm_code(
        lambda a, z: (1 - a) * (z * a ** np.float32([2, 1, 0])).sum(),
        [a, ZS],
        sizes={K: 3},  # in an exponent
        points=50,
    )
    derived(binary).confirm_code(
        lambda p, y: -(y / p - (1 - y) / (1 - p)) / 5,
        [PS, YS],
        indices=[i],
        sizes={J: 5},
        points=50,
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda z: -softmax(z)[:, None] * softmax(z)[None],
        lambda z: np.diag(softmax(z)),
        lambda z: 1.00001 * (np.diag(softmax(z)) - np.outer(softmax(z), softmax(z))),
        lambda z: np.full((4, 4), np.nan),
    ],
)
def test_code_that_computes_something_else_is_refused(function):
    with pytest.raises(DerivationError, match=r"does not compute the derived (.|\n)*z\[1\] = "):
        derived(jacobian).confirm_code(function, [ZS], indices=(i, j), sizes={K: 4}, points=20)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s + np.float32(4e-4),
        lambda s: s.round(3),
        lambda s: np.where(s < 1e-4, 0, s),
        lambda s: np.where(s < 1e-4, s * np.float32(1.0001), s),
    ],
)
def test_every_entry_is_held_to_its_own_scale(spoil):
    d = Derivation("s[i]", symbols=[ZS, i, k, K], where=SOFTMAX[:2])
    d.step("exp(z[i]) / Sum(exp(z[k]), (k, 1, K))", because="definition")
    d.confirm_code(softmax, [ZS], indices=[i], sizes={K: 6}, points=200)
    with pytest.raises(DerivationError, match="does not compute"):
        d.confirm_code(lambda z: spoil(softmax(z)), [ZS], indices=[i], sizes={K: 6}, points=200)


def at_entry(n, change):
    """Return a function that changes one entry of an array."""

    def changed(v):
        v = v.copy()
        v[n] = change(v[n])
        return v

    return changed


def emptied(v):
    """Return an array, and leave zeros where it was."""
    answer = v.copy()
    v[:] = 0
    return answer


ENTRIES = [  # the formula of an entry, and what code makes of it
    ("2*z[i]", [lambda z: 2 * z, lambda z: z + z, lambda z: z.reshape(1, -1) * 2]),
    ("z[i]**2", [lambda z: z * z, np.square]),
    ("Max(0, z[i])", [lambda z: np.maximum(z, 0), lambda z: z * (z > 0)]),
    ("z[i] - Sum(z[k], (k, 1, K))/K", [lambda z: z - z.mean()]),
    ("z[i]*Sum(z[k]**2, (k, 1, K))", [lambda z: z * (z @ z)]),
]
SPOILED = [
    at_entry(0, lambda v: v + 1e-3),
    at_entry(-1, lambda v: v * 1.0001),
    at_entry(1, lambda v: -v),
    at_entry(2, lambda v: 0),
    lambda v: v[::-1],
    lambda v: np.where(abs(v) < 0.01, v * np.float32(1.000002), v),
    lambda v: np.where(abs(v) < 0.01, 0, v),
    lambda v: v.round(4),
    lambda v: v.astype("float16").astype("float32"),
    lambda v: v * np.float32(1.000003),
    lambda v: np.where(v > 2, v + np.float32(1e-5), v),
]
UNTRUE = [  # for 2 z alone
    lambda z: 2 * z.astype("float16"),
    lambda z: emptied(z) * 2,
    lambda z: np.where(np.signbit(z) & (z == 0), 1, 2 * z),
    lambda z: np.where(z == 0, np.nan, 2 * z),
    lambda z: np.where(z == 0, np.float32(1e-6), 2 * z),
    lambda z: np.outer(z, [2, 2]),
    lambda z: 2 * z[:-1],
]


@pytest.mark.parametrize("formula, right", ENTRIES, ids=[formula for formula, _ in ENTRIES])
def test_code_that_is_wrong_in_one_respect_is_refused(formula, right):
    entries = given(ZS, i, k, K, where=["1 <= i <= K"])
    d = Derivation(formula, **entries).step(f"{formula} + 0", because="nothing")
    for function in right:
        d.confirm_code(function, [ZS], indices=[i], sizes={K: 5}, points=200)
    wrong = [lambda z, spoil=spoil: spoil(right[0](z)) for spoil in SPOILED]
    for number, function in enumerate([*wrong, *(UNTRUE if formula == "2*z[i]" else [])]):
        with pytest.raises(DerivationError, match="does not compute"):
            d.confirm_code(function, [ZS], indices=[i], sizes={K: 5}, points=200)
            pytest.fail(f"{formula}: number {number} is confirmed")


def test_code_of_the_wrong_shape_or_type_is_refused():
    d = derived(sigmoid)
    with pytest.raises(DerivationError, match="returns shape"):
        d.confirm_code(lambda z: z[:2], [z])
    with pytest.raises(TypeError, match="must return floats"):
        d.confirm_code(lambda z: z > 0, [z])
    with pytest.raises(ValueError, match=r"also depends on \['z'\]"):
        d.confirm_code(lambda: 1.0, [])
    with pytest.raises(ValueError, match=r"sizes must have a value for \['K'\]"):
        derived(jacobian).confirm_code(softmax, [ZS], indices=(i, j))
    with pytest.raises(ValueError, match=r"also depends on \['y\[1\]'"):
        derived(crossentropy).confirm_code(softmax, [ZS], indices=[j], sizes={K: 2})


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, error, match",
    [
        (("1 +",), ValueError, "cannot read"),
        (("log(x, 2)", None, None, (), [x]), ValueError, "log cannot have 2 arguments"),
        (("Max()",), ValueError, "Max cannot have 0 arguments"),
        (("1e5000",), ValueError, "too many digits"),
        (("Derivative(x**2, x, 2)", None, None, (), [x]), ValueError, "it is written as Deriv"),
        (("Derivative(x**2, x**2)", None, None, (), [x]), ValueError, "it is written as Deriv"),
        (("Derivative(x, (x, 0))", None, None, (), [x]), ValueError, "it is written as Deriv"),
        (("Sum(n, (n, 1))", None, None, (), [n]), ValueError, "requires values for"),
        (("Integral(x, x)", None, None, (), [x]), ValueError, "it is written as Integral"),
        (("Derivative(x**n, n)", None, None, (), [x, n]), ValueError, "no slope along it"),
        (("KroneckerDelta(x, 0)", None, None, (), [x]), ValueError, "may be no integer"),
        (("Sum(1, (k, 1, n/2))", None, None, (), [k, n]), ValueError, "may be no integer"),
        (("Sum(1/2**k, (k, 1, oo))", None, None, (), [k]), ValueError, "may be no integer"),
        (("u[n/2]", None, None, (), [US, n]), ValueError, "may be no integer"),
        ((a, None, {a: (-2, 1)}), ValueError, "contradicts the sign"),
        (("q + 1",), ValueError, "'q' is not declared"),
        (("x @ x", None, None, (), [x]), ValueError, "cannot read"),
        (("lambda: 0",), ValueError, "cannot read"),
        (([1],), TypeError, "expression must be"),
        ((Eq(x, 1),), TypeError, "expression must be"),
        (("exp + 1",), ValueError, "cannot read"),
        (("exp()",), ValueError, "cannot read"),
        (("x(2)", None, None, (), [x]), ValueError, "cannot read"),
        (("x[1]", None, None, (), [x]), ValueError, "cannot read"),
        (("x != 1", None, None, (), [x]), ValueError, "cannot read"),
        ((Symbol("c", imaginary=True),), ValueError, "c is declared not to be a real"),
        ((Symbol("c", zero=True),), ValueError, "c is declared not to be a real"),
        (("c[1]", None, None, (), [IndexedBase("c", real=False)]), ValueError, "c is declared not"),
        ((Sum(k, (k, 1, Symbol("c"))),), ValueError, "c counts"),
        ((x + Symbol("x"),), ValueError, "same name"),
        ((Symbol("x"), None, None, (), [x]), ValueError, "x differs from the x"),
        ((x, None, {x: (1, 0)}), ValueError, "domain of x"),
        ((x, None, {x: 3}), ValueError, "domain of x"),
        ((n, None, {n: (0, 3)}), ValueError, "domain of n"),
        ((Symbol("_1", real=True),), ValueError, "underscore"),
        (("exp(x, evaluate=True)", None, None, (), [x]), ValueError, "cannot read"),
        ((x, None, {"x": (0, 1)}), TypeError, "symbols and domain take"),
        ((x, None, None, "x == 1"), TypeError, "where must be a list"),
        ((x, None, None, [x < 1]), TypeError, "where must be a list"),
        ((x, None, None, ["x + 1"]), ValueError, "where"),
        ((n, None, None, ["n < 3/2"]), ValueError, "where"),
        ((x, None, None, ["x <= 1"]), ValueError, "where"),
        ((x, None, None, ["x == x + 1"]), ValueError, "by itself"),
        (
            (x, None, None, ["A == B", "B == A + 1"], symbols("A B", real=True)),
            ValueError,
            "by itself",
        ),
        ((x, None, None, ["A == 1", "A == 2"]), ValueError, "A is defined twice"),
        ((x, None, {x: (2, 3)}, ["x == 1"]), ValueError, "x is defined, so nothing else"),
        ((n, None, None, ["n == 2", "n >= 3"]), ValueError, "n is defined, so nothing else"),
        ((n, None, None, ["n >= 3", "n <= 1"]), ValueError, "there is no n from 3 to 1"),
        ((a, None, None, ["a == -1"]), ValueError, "declare it real and nothing more"),
        ((n, None, None, ["n == 3/2"]), ValueError, "need not be one"),
        ((n, None, None, ["t[n, n] == 1"]), ValueError, "none of"),
        (
            (x, None, None, ["Sum(y[k], (k, 1, K)) == 1", "Sum(y[k], (k, 1, K)) == 2"], [YS, k, K]),
            ValueError,
            "y has two constraints",
        ),
    ],
)
def test_bad_input_is_named(arguments, error, match):
    with pytest.raises(error, match=match):
        Derivation(*arguments)


@pytest.mark.parametrize("because", [None, "", "  ", 3])
def test_a_step_needs_a_reason(because):
    with pytest.raises(TypeError, match="because"):
        Derivation(x).step(x, because=because)


def test_what_follows_if_a_constraint_holds_for_every_row_is_not_called_false():
    """Without `1 <= n <= N` it is not known for which rows it holds: a hint, no counterexample."""
    N, K = symbols("N K", integer=True, positive=True)
    n, k = symbols("n k", integer=True)
    family = IndexedBase("y", real=True)
    rows = ["Sum(y[n, k], (k, 1, K)) == 1"]

    def derivation(*where):
        names = [family, N, K, n, k]
        return Derivation("Sum(y[n, k], (k, 1, K), (n, 1, N))", symbols=names, where=[*rows, *where])

    with pytest.raises(DerivationError, match="could not be proved"):
        derivation().step("N", because="each row adds up to one")
    derivation("1 <= n <= N").step("N", because="each row adds up to one")
    with pytest.raises(DerivationError, match="is false"):
        derivation().step("N + 1", because="it looks right")
