"""Every true step of steps.txt is proved, with what it assumes; every false one is refused."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from sympy import IndexedBase, Symbol, symbols

from nnfs_book.checks.derivation import Derivation, DerivationError

SAMPLE = 9  # every ninth step is always tried, and all of them by the slow test
FAMILIES = "z h q g t u v"
p, r = symbols("p r", real=True)
q, h = IndexedBase("q", real=True), IndexedBase("h", real=True)


def read_steps(path):
    """Yield (kind, what is declared, first line, second line, what is assumed or None if false)."""
    kind, where, before = "", [], ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            kind, *where = line.removeprefix("[").removesuffix("]").split(" | ")
        elif line.startswith("  = "):
            after, _, assumed = line[4:].partition("  for ")
            yield kind, where, before, after, assumed.split("; ") if assumed else []
        elif line.startswith("  ! "):
            yield kind, where, before, line[4:], None
        elif line and not line.startswith("#"):
            before = line


STEPS = list(read_steps(Path(__file__).with_name("steps.txt")))


def start(before, where):
    """Return the derivation that begins with a line; x is real, K a size, u a family, ..."""
    text = " ".join([before, *where])
    families = [name for name in (*FAMILIES.split(), "y") if re.search(rf"\b{name}\[", text)]
    names = [
        *(IndexedBase(name, real=True) for name in {*FAMILIES.split()[1:], *families}),
        *(x for x in symbols("x y z c", real=True) if x.name not in families),
        *symbols("a b", positive=True),
        *symbols("i j k m n", integer=True),
        *symbols("J K M N", integer=True, positive=True),
        Symbol("w", real=True, nonzero=True),
    ]
    defined = {re.match(r"\w+", text).group() for text in where}
    return Derivation(
        before,
        symbols=[x for x in names if str(x) not in defined],
        domain={p: (0, 1), q: (0, 1), h: [0, 1], r: [0, Fraction(7, 9)]},
        where=["1 <= i <= K", "1 <= j <= K", *where],
    )


def check(kind, where, before, after, assumed):
    """Take a step, and see that the answer is right."""
    if assumed is None:
        with pytest.raises(DerivationError):
            d = start(before, where)  # a line that has no value is refused by itself
            d.step(after, because="it looks right")
            pytest.fail(f"{kind}: accepted {before} -> {after}, assuming {d.assumptions}")
    else:
        d = start(before, where)
        d.step(after, because="it is right")
        assert sorted(d.assumptions) == sorted(assumed)


@pytest.mark.parametrize(
    "step", STEPS[::SAMPLE], ids=lambda step: f"{step[0]}: {step[2]} -> {step[3]}"
)
def test_a_sample_of_the_steps(step):
    check(*step)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0]}: {step[2]} -> {step[3]}")
def test_every_step(step):
    check(*step)


def test_there_are_hundreds_of_steps_of_both_sorts():
    true = [step for step in STEPS if step[4] is not None]
    assert len(true) > 500 and len(STEPS) - len(true) > 1500
