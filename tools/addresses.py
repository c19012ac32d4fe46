"""Fill in the addresses of this repository, wherever it has been published.

    python -m tools.addresses --pages https://me.github.io/book --source https://github.com/me/book

Files that are under version control hold placeholders, so that the book can move. The workflows call
this on their own copy, before they build the pages and the packages.
"""

import argparse
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES, SOURCE = "https://example.org/book", "https://example.org/source"
UNTOUCHED = ("tests/", "tools/addresses.py")
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)]+)\)")


def fill(root, pages, source):
    """Put two addresses in the place of the placeholders, in all files under version control.

    Links of the README, which are relative to the repository, become complete: packages carry it
    elsewhere.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = Path(root, name)
        if name.startswith(UNTOUCHED) or not path.is_file():
            continue
        content = path.read_bytes()
        filled = content.replace(PAGES.encode(), pages.encode())
        filled = filled.replace(SOURCE.encode(), source.encode())
        if name == "README.md":
            filled = complete(filled.decode(), source).encode()
        if filled != content:
            path.write_bytes(filled)


def complete(text, source):
    """Return a Markdown text of the repository's root with complete links.

    Examples
    --------
    >>> complete("![A page](.github/page.png) [how](HOW.md) [up](../../actions)", "https://host/me")
    ... # doctest: +NORMALIZE_WHITESPACE
    '![A page](https://host/me/raw/main/.github/page.png) [how](https://host/me/blob/main/HOW.md)
    [up](https://host/me/actions)'
    """

    def completed(link):
        if link[1].startswith("../../"):
            return f"]({source}/{link[1].removeprefix('../../')})"
        kind = "raw" if link[1].endswith(".png") else "blob"
        return f"]({source}/{kind}/main/{link[1]})"

    return LINK.sub(completed, text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", required=True, help="where the pages are published")
    parser.add_argument("--source", required=True, help="where the repository is")
    given = parser.parse_args()
    fill(ROOT, given.pages, given.source)
