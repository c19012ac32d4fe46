"""What somebody adds to the network is found and checked, without being named anywhere else."""

import ast
import doctest
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import nnfs_book
from nnfs_book.network.activations import Activation

PACKAGE, HERE = Path(nnfs_book.__file__).parent, Path(__file__).parent


def of_docstring():
    """Return the class that the docstring of `Activation` shows, with an example of its own."""
    examples = doctest.DocTestParser().get_examples(Activation.__doc__)
    (source,) = [e.source for e in examples if e.source.startswith("class ")]
    first, rest = source.split("\n", 1)
    docstring = """
    '''ReLU with a slope of alpha to the left of zero.

    >>> activation = LeakyReLU(alpha=0.25)
    >>> activation.forward([[-4, 2]])
    >>> activation.output.tolist()
    [[-1.0, 2.0]]
    '''
"""
    return first + docstring + "\n" + rest


IMPORT = "from nnfs_book.network.validation import number\n\n\n"
LEAKY_RELU = of_docstring()
STEEP = LEAKY_RELU.replace("LeakyReLU", "SteepReLU").replace("1, self.alpha)", "1, 2)")
LOG_COSH = '''
class LogCosh(RegressionLoss):
    """Mean of log cosh(error).

    >>> float(LogCosh().calculate([[1]], [[1]]))
    0.0
    """

    formula = "log(cosh(yhat - y)) / J"

    def sample_losses(self, predictions, targets):
        """Return the mean over the outputs of each sample."""
        sizes = abs(predictions - targets)
        return total(sizes + log((1 + exp(-2 * sizes)) / 2), axis=1) / predictions.shape[1]

    def gradient(self, predictions, targets):
        """Return tanh(error) / J."""
        errors = predictions - targets
        r = exp(-2 * abs(errors))
        return np.sign(errors) * (1 - r) / (1 + r) / predictions.shape[1]
'''
UNDIVIDED = LOG_COSH.replace("LogCosh", "Undivided").replace(
    "(1 + r) / predictions.shape[1]", "(1 + r)"
)
AMSGRAD = '''
class AMSGrad(Adam):
    """Adam with a cache that never shrinks: it remembers a third array.

    >>> AMSGrad(0.5)
    AMSGrad(learning_rate=0.5)
    """

    remembers = ("momentum", "cache", "largest")
    formula = {
        "momentum": Adam.formula["momentum"],
        "cache": Adam.formula["cache"],
        "largest": "Max(memory_largest, memory_cache)",
        "step": "-learning_rate * memory_momentum / (sqrt(memory_largest) + epsilon)",
    }

    def step(self, gradient, memory):
        """Return the step for one array of parameters."""
        memory.momentum = self.beta_1 * memory.momentum + (1 - self.beta_1) * gradient
        memory.cache = self.beta_2 * memory.cache + (1 - self.beta_2) * gradient**2
        memory.largest = np.maximum(memory.largest, memory.cache)
        root = np.sqrt(memory.largest) + self.epsilon
        return -self.current_learning_rate * memory.momentum / root
'''
FORGETFUL = AMSGRAD.replace("AMSGrad", "Forgetful").replace(
    "1 - self.beta_2) *", "1 - self.beta_1) *"
)


def of_chapter(*cells):
    """Return the layers that cells of the chapter on verifying one's own layer define."""
    chapter = HERE.parents[1] / "book" / "verify_your_own_layer.ipynb"
    sources = {cell["id"]: "".join(cell["source"]) for cell in json.loads(chapter.read_text())["cells"]}
    return [
        ast.get_source_segment(sources[cell], node)
        for cell in cells
        for node in ast.parse(sources[cell]).body
        if isinstance(node, ast.ClassDef)
    ]


SOFTPLUS = of_chapter("softplus", "as-it-stands", "mistakes")
BROKEN = [ast.parse(source).body[0].name for source in SOFTPLUS[1:]]
ADDED = {
    "activations": "\n\n\n".join(
        [IMPORT + LEAKY_RELU, STEEP, "from nnfs_book.arithmetic import log", *SOFTPLUS]
    ),
    "losses": "from nnfs_book.arithmetic import exp\n" + LOG_COSH + UNDIVIDED,
    "optimizers": AMSGRAD + FORGETFUL,
}
RIGHT = ["LeakyReLU", "LogCosh", "AMSGrad", "Softplus"]
WRONG = ["SteepReLU", "Undivided", "Forgetful", *BROKEN]
CHOSEN = f"{' or '.join(RIGHT)} or not mistake and ({' or '.join(WRONG)})"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Plant classes into a copy of the package, run the tests there, and return what came out.

    A pair of lists for each class: the tests that passed and those that failed.
    """
    folder = tmp_path_factory.mktemp("newcomers")
    shutil.copytree(PACKAGE, folder / "nnfs_book", ignore=shutil.ignore_patterns("__pycache__"))
    for module, source in ADDED.items():
        with open(folder / "nnfs_book" / "network" / f"{module}.py", "a") as file:
            file.write("\n\n" + source)
    for name in ("parts", "mutation", "test_every_part"):
        shutil.copy(HERE / f"{name}.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    report = folder / "report.xml"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        + ["-k", CHOSEN, "test_every_part.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "NNFS_BOOK_BACKEND": "reference"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert report.exists(), run.stdout + run.stderr
    found = {name: ([], []) for name in RIGHT + WRONG}
    for case in ElementTree.parse(report).iter("testcase"):
        (name,) = [n for n in RIGHT + WRONG if f".{n}" in case.get("name")]
        found[name][case.find("failure") is not None].append(case.get("name"))
    return found


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes_without_being_named(outcome, name):
    passed, failed = outcome[name]
    assert failed == [] and len(passed) > 10


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(outcome, name):
    passed, failed = outcome[name]
    by_itself = [test for test in failed if "examples_in_the_docstring" not in test]
    assert by_itself != [] and passed != []
