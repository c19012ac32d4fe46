"""Fingerprints that other programs found, as the book shows them, and slips that they would notice."""

import json

import pytest
from test_exact import HARD

from nnfs_book.presentation.retrain import encoded
from tools.browsers import COMPARE, EPOCHS, RECORD, SLIPS, module, offers, with_slip

SEEN = json.loads(RECORD.read_text("utf-8"))
LATE = {words for words, epoch in SEEN["slips"].items() if epoch != 1}


def test_every_browser_ended_in_the_fingerprint_that_the_page_shows():
    shown = {chapter: sha256 for chapter, (_, sha256) in offers().items()}
    for row in SEEN["rows"]:
        assert row["sha256"] == row["page"] == shown[row["chapter"]], "run python -m tools.browsers --write"


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    page.add_script_tag(content=module())
    return page


@pytest.mark.parametrize(
    "words", [pytest.param(w, marks=pytest.mark.slow if w in LATE else ()) for w in SLIPS]
)
def test_a_slip_is_noticed_in_the_weights_when_the_record_says(page, words):
    page.add_script_tag(content=with_slip(*SLIPS[words]))
    start, _ = offers()["logistic_regression"]
    assert page.evaluate(COMPARE, [start, EPOCHS]) == SEEN["slips"][words]


def test_a_logarithm_that_is_rounded_twice_is_another(page):
    page.add_script_tag(content=with_slip(*SLIPS["log rounded to float64 and then to float32"]))
    differs = "(x) => exact.decode(x).every((x) => exact.log(x) !== slipped.log(x))"
    assert page.evaluate(differs, encoded(HARD))


def test_a_slip_in_a_line_that_is_gone_is_refused():
    with pytest.raises(ValueError, match="the module has no line with"):
        with_slip("no such line", "")
