"""The digits: what scikit-learn ships, split so that no form is on both sides."""

import subprocess
import sys

import numpy as np
from sklearn import datasets

from nnfs_book.datasets import load_digits


def test_nothing_is_lost_in_the_split():
    X, y, X_validation, y_validation = load_digits()
    pixels, digits = datasets.load_digits(return_X_y=True)
    assert {X.dtype, X_validation.dtype} == {np.dtype(np.float32)}
    assert {y.dtype, y_validation.dtype} == {np.dtype(np.uint8)}
    assert (np.concatenate([X, X_validation]) * 16 == pixels).all()
    assert (np.concatenate([y, y_validation]) == digits).all()


def test_the_split_is_between_two_forms():
    _, y, _, y_validation = load_digits()
    opening = [*range(10)] * 3 + [0, 9, 5, 5, 6, 5, 0]
    assert y_validation[: len(opening)].tolist() == opening
    text = "".join(map(str, y)), "".join(map(str, y_validation))
    assert [part.count("0955650") for part in text] == [10, 4]


def test_every_digit_is_equally_frequent_on_both_sides():
    for classes in load_digits()[1::2]:
        counts = np.bincount(classes, minlength=10)
        assert counts.min() > 0.9 * counts.max()


def test_scikit_learn_is_imported_only_where_it_is_needed():
    code = "import sys, nnfs_book.datasets; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
