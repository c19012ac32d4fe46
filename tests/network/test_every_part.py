"""Every part of the network passes every check, and every small mistake in one is noticed."""

import warnings
from contextlib import ExitStack

import mutation
import parts
import pytest


def name_of(thing):
    return f"{thing.__module__.rpartition('.')[2]}.{thing.__name__}"


@pytest.mark.parametrize("check", parts.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", parts.parts(), ids=name_of)
def test_every_part(kind, check):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(kind)


@pytest.mark.parametrize("kind", parts.classes(), ids=name_of)
def test_every_class_is_a_part_or_the_base_of_one(kind):
    assert any(issubclass(part, kind) for part in parts.parts()), (
        f"{kind.__name__} lacks the method that states its mathematics"
    )


@pytest.fixture
def definitions():
    """Let the definitions compute: a mutant has no twin, but what it is called by may have one."""
    for kind in parts.parts():  # found before there are mutants
        parts.cases(kind), parts.cases(kind, ends=False)
    with parts.computing_by("reference"):
        yield


@pytest.mark.parametrize("owner", mutation.owners(), ids=name_of)
def test_every_small_mistake_is_noticed(owner, definitions):
    assert mutation.unnoticed(owner) == []


def test_what_is_not_changed_goes_unnoticed(definitions):
    """It is the mistake that the checks notice, and not how it was put in its place."""
    with ExitStack() as stack:
        for owner in mutation.owners():
            for name, function in mutation.stated(owner).items():
                again = mutation.compiled(mutation.tree_of(function), owner, function)
                stack.enter_context(mutation.planted(mutation.Mutant(owner, name, again, "none")))
        assert not mutation.noticed(parts.parts(), owner)


def test_there_are_mistakes_to_make():
    """In every module of the network that states mathematics, and of every kind."""
    changed = [m for owner in mutation.owners() for m in mutation.mutants(owner)]
    modules = {m.owner.__module__ for m in changed}
    assert {kind.__module__ for kind in parts.parts()} <= modules
    assert len(changed) > 200
