"""What several test files share."""

import os
import shutil

import pytest
from playwright.sync_api import Error, sync_playwright

# Chromium's own calls home, which no page asks for. A container often has no sandbox to offer.
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--disable-gpu", "--no-sandbox"]


@pytest.fixture
def book_style():
    """Draw without a screen and in the book's style, and put the settings back."""
    import matplotlib
    import matplotlib.pyplot as plt

    from nnfs_book import presentation

    with matplotlib.rc_context():
        plt.switch_backend("agg")
        plt.rcParams.update(presentation.STYLE)
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def browser():
    """The machine's own Chromium or Chrome; nothing is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        try:
            where = {"executable_path": found} if found else {"channel": "chrome"}
            browser = playwright.chromium.launch(args=FLAGS, **where)
        except Error as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"needs Chromium or Chrome: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def firefox():
    """A Firefox of this machine, with an empty page; it is no part of a set-up, so it may be missing."""
    from tools.firefox import Firefox, found

    program = found()
    if program is None:
        pytest.skip("needs Firefox, such as Debian's firefox-esr")
    with Firefox(program) as window:
        yield window
