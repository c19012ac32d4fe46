"""Execute a notebook's cells in this very process and compare with the outputs it stores.

    python -m tools.cells book/sigmoid.ipynb

Prints one JSON object: the cells that differ and how. A Jupyter kernel is a process that another
process starts; under user-mode emulation that second process would have to be emulated too, which
only a change to the host's kernel can arrange. So here an IPython shell runs inside this one. The
comparison is nbval's: for each kind of output of a cell, the same texts in the same order.
"""

import json
import os
import platform
import sys
from collections import defaultdict
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from time import perf_counter

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

displayed = []  # what the cell that runs has shown so far, one dict of texts by MIME type each


class ResultCollector(DisplayHook):
    """Keeps the value of a cell's last line, in every form that it has, instead of printing it."""

    def write_output_prompt(self):
        """Print no ``Out[1]:``."""

    def write_format_data(self, format_dict, md_dict=None):
        """Keep the forms of a value."""
        displayed.append(format_dict)

    def finish_displayhook(self):
        """End the value; there is no line to end."""
        self._is_active = False


class DisplayCollector(DisplayPublisher):
    """Keeps what a cell displays."""

    def publish(self, data, *args, **kwargs):
        """Keep the forms of an object."""
        displayed.append(data)


class Shell(InteractiveShell):
    """A shell whose output is kept for comparison."""

    displayhook_class = ResultCollector
    display_pub_class = DisplayCollector


def differences(notebook, folder):
    """Execute a notebook and describe every cell whose outputs are not the stored ones.

    Parameters
    ----------
    notebook : dict
        As read from an .ipynb file.
    folder : path
        Where the cells are executed, as a kernel would be started there.

    Returns
    -------
    list of dict
        Of each such cell the ``"cell"``, counted from 1 among all cells as nbval does from 0,
        and the ``"difference"`` in words.
    """
    os.chdir(folder)
    sys.path.insert(0, "")
    shell = Shell.instance(colors="nocolor")
    found = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        difference = first_difference(stored(cell["outputs"]), execute(shell, cell["source"]))
        if difference:
            found.append({"cell": number, "difference": difference})
    return found


def stored(outputs):
    """Return a cell's stored outputs as lists of text, one list for each kind of output."""
    texts = defaultdict(list)
    for output in outputs:
        if output["output_type"] == "stream":
            texts[output["name"]].append("".join(output["text"]))
        elif output["output_type"] == "error":
            texts["error"].append(output["ename"])
        else:
            for mime, text in output["data"].items():
                texts[mime].append("".join(text))
    return merged(texts)


def execute(shell, source):
    """Execute a cell and return its outputs in the form of `stored`."""
    displayed.clear()
    with redirect_stdout(StringIO()) as stdout, redirect_stderr(StringIO()) as stderr:
        result = shell.run_cell("".join(source), store_history=True)
    texts = defaultdict(list, stdout=[stdout.getvalue()], stderr=[stderr.getvalue()])
    for output in displayed:
        for mime, text in output.items():
            texts[mime].append(text)
    if not result.success:
        error = result.error_before_exec or result.error_in_exec
        texts["error"].append(f"{type(error).__name__}: {error}")
    return merged(texts)


def merged(texts):
    """Join the pieces of each stream, and leave out a kind of output that has no text."""
    streams = {name: ["".join(texts[name])] for name in ("stdout", "stderr") if name in texts}
    return {kind: pieces for kind, pieces in {**texts, **streams}.items() if any(pieces)}


def first_difference(expected, got):
    """Say where two outputs of a cell first differ; an empty string if they are equal.

    Examples
    --------
    >>> first_difference({"stdout": ["0.25\\n"]}, {"stdout": ["0.25\\n"]})
    ''
    >>> first_difference({"stdout": ["loss\\n0.25\\n"]}, {"stdout": ["loss\\n0.26\\n"]})
    "stdout 1, line 2: stored '0.25', got '0.26'"
    """
    for kind in sorted(expected.keys() | got.keys(), key=lambda kind: (kind != "error", kind)):
        old, new = expected.get(kind, []), got.get(kind, [])
        if old == new:
            continue
        if len(old) != len(new):
            shown = f": {new[0]}" if kind in ("error", "stderr") and new else ""
            return f"{kind}: stored {len(old)}, got {len(new)}{shown}"
        n, before, after = next((n, b, a) for n, (b, a) in enumerate(zip(old, new), 1) if b != a)
        lines, other = before.split("\n"), after.split("\n")
        pairs = enumerate(zip(lines, other), 1)
        line, pair = next(
            ((line, pair) for line, pair in pairs if pair[0] != pair[1]),
            (0, (f"{len(lines)} lines", f"{len(other)} lines")),
        )
        return f"{kind} {n}, line {line}: stored {pair[0]!r}, got {pair[1]!r}"
    return ""


def main():
    """Execute the notebook named on the command line and print what was found as JSON."""
    path = Path(sys.argv[1]).resolve()
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as a kernel sets it
    start = perf_counter()
    found = differences(json.loads(path.read_text(encoding="utf-8")), path.parent)
    seconds = round(perf_counter() - start, 1)
    ran = {"architecture": platform.machine(), "python": platform.python_version()}
    print(json.dumps({"differences": found, "ran": ran, "seconds": seconds}))


if __name__ == "__main__":
    main()
