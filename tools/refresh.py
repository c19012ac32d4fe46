"""Execute notebooks from top to bottom in a fresh kernel and store what they show.

    python -m tools.refresh                       # every chapter
    python -m tools.refresh book/sigmoid.ipynb    # one

Then read the diff: an output that changed without a reason is a bug. Only what a reader sees is
stored, no timing and no version of the interpreter, so that equal results make equal files.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from nnfs_book.arithmetic import warm_up

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"


def refresh(path):
    """Execute one notebook and write it back; an error in a cell leaves the file as it was."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    }
    client = NotebookClient(
        notebook,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)


def prepare():
    """Set what kernels inherit: the module of this very folder, and one thread for BLAS."""
    warm_up()  # says on the terminal, and not in a chapter, that it compiles
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    paths = str(ROOT), os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


if __name__ == "__main__":
    prepare()
    for name in sys.argv[1:] or sorted(BOOK.glob("*.ipynb")):
        print(name)
        refresh(Path(name))
