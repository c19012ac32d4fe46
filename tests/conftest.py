"""What several test files share."""

import pytest


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
