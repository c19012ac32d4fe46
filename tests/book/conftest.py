"""The browser in which the tests read the book."""

import os
import shutil

import pytest
from playwright.sync_api import Error, sync_playwright

# Chromium's own calls home, which no page asks for. A container often has no sandbox to offer.
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--disable-gpu", "--no-sandbox"]


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
