"""What a reader installs: the pins, a Python that is refused, the wheel, and each of its extras."""

import doctest
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nnfs_book
from tools import addresses

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PYTHONS = [c.split()[-1] for c in PROJECT["classifiers"] if re.search(r"Python :: \d\.\d", c)]
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]

EXAMPLES = """
import doctest, importlib, sys
for name in sys.argv[1:]:
    tried = doctest.testmod(importlib.import_module(name))
    assert tried.attempted and not tried.failed, name
"""
IMPORTS = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    part = importlib.import_module(name)
    for module in pkgutil.walk_packages(part.__path__, name + "."):
        importlib.import_module(module.name)
"""
COMPILED = "from nnfs_book import backend; assert backend() == 'compiled', backend()"
BUILD = "from jupyter_book.cli.main import main; main()"
# What each extra is for, as arguments of Python; {free} is an empty folder.
PURPOSES = {
    "proofs": ["-c", EXAMPLES, "nnfs_book.checks.derivation"],
    "figures": ["-c", EXAMPLES, "nnfs_book.presentation.figures", "nnfs_book.presentation.player"],
    "data": ["-c", EXAMPLES, "nnfs_book.datasets.digits"],
    "ensembles": ["-c", EXAMPLES, "nnfs_book.checks.ensembles"],
    "cluster": ["-c", EXAMPLES + "import distributed", "nnfs_book.checks.ensembles"],
    "chapters": ["-c", EXAMPLES + "import scipy", "nnfs_book.checks.derivation"],
    "fast": ["-c", COMPILED],
    "book": ["-c", BUILD, "build", ".", "-W", "--path-output", "{free}"],
    "test": ["-m", "pytest", "--collect-only", "-n0", "-q"],
}


def pins():
    """The requirements of the set-up, less the project itself."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pinned_on(python, platform, machine):
    """The names, once for each time that they are pinned on such a machine."""
    where = {"python_version": python, "sys_platform": platform, "platform_machine": machine}
    met = (pin for pin in pins() if not pin.marker or pin.marker.evaluate(where))
    return sorted(canonicalize_name(pin.name) for pin in met)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from what it is made of in another folder, so that none of it stays here."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "nnfs_book", folder / "nnfs_book", ignore=compiled)
    offline = ["--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder]
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """The Python of a fresh environment with the wheel and this NumPy, and its packages' folder."""
    python, packages = fresh(tmp_path_factory.mktemp("alone"))
    zipfile.ZipFile(wheel).extractall(packages)
    numpy = Path(np.__file__).parents[1]
    for part in (path for what in ("numpy", "numpy.*", "numpy-*") for path in numpy.glob(what)):
        shutil.copytree(part, packages / part.name)
    return python, packages


def fresh(folder):
    """Make an environment without any package; return its Python and its packages' folder."""
    venv.create(folder, symlinks=sys.platform != "win32")
    (python,) = [*folder.glob("bin/python"), *folder.glob("Scripts/python.exe")]
    return python, next(folder.rglob("site-packages"))


def run(*command):
    """Run a command in the project's folder; a failure shows what it printed."""
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("platform, machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_gets_one_release_of_everything(python, platform, machine):
    assert pinned_on(python, platform, machine) == sorted(
        {canonicalize_name(pin.name) for pin in pins()}
    )


def test_numba_is_left_out_where_it_has_no_wheels():
    everywhere = set(pinned_on("3.13", "linux", "x86_64"))
    for machine in (("darwin", "x86_64"), ("win32", "ARM64"), ("linux", "riscv64")):
        assert everywhere - set(pinned_on("3.13", *machine)) == {"numba"}


def test_a_pin_is_exact():
    assert {specifier.operator for pin in pins() for specifier in pin.specifier} == {"=="}


def test_what_an_extra_asks_for_is_pinned_and_the_pin_is_allowed():
    versions = {canonicalize_name(pin.name): pin.specifier for pin in pins()}
    asked = [Requirement(line) for extra in EXTRAS.values() for line in extra]
    for requirement in [*asked, *map(Requirement, PROJECT["dependencies"])]:
        if requirement.name != PROJECT["name"]:
            (pin,) = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(pin.version), requirement


def test_the_workflow_tries_the_pythons_that_are_promised_and_compares_all_bits():
    jobs = WORKFLOWS["test"]["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    commands = [step.get("run", "") for step in jobs["bits"]["steps"]]
    rows = len(matrix["os"]) * len(PYTHONS)
    assert f"python -m tools.portability --compare bits --rows {rows}" in commands


def test_nothing_is_published_before_it_is_tested():
    assert set(WORKFLOWS) == {"test", "publish", "release", "weekly"}
    for name in ("publish", "release"):
        jobs = WORKFLOWS[name]["jobs"]
        assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
        assert "test" in jobs[name]["needs"]


def test_an_action_has_one_version():
    used = {
        step["uses"]
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        for step in job.get("steps", ())
        if "uses" in step
    }
    assert len({action.partition("@")[0] for action in used}) == len(used)


def test_the_examples_of_addresses_hold():
    tried = doctest.testmod(addresses)
    assert tried.attempted and not tried.failed


def test_addresses_are_filled_in_wherever_a_placeholder_stands(tmp_path):
    placed = ("pyproject.toml", "CITATION.cff", "README.md")
    for name in placed:
        assert addresses.PAGES in (ROOT / name).read_text("utf-8")
        shutil.copy(ROOT / name, tmp_path)
    run("git", "-C", tmp_path, "init", "--quiet")
    run("git", "-C", tmp_path, "add", ".")
    addresses.fill(tmp_path, "https://me.example/book", "https://host.example/me/book")
    for name in placed:
        text = (tmp_path / name).read_text("utf-8")
        assert "https://me.example/book" in text
        assert "example.org" not in text
    readme = (tmp_path / "README.md").read_text("utf-8")
    assert re.findall(r"\]\((?!https:)", readme) == []
    assert "https://host.example/me/book/raw/main/.github/page.png" in readme


def test_every_link_of_the_front_pages_leads_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https:|#|\.\./)([^)#]+)", page.read_text("utf-8")):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["version"] == nnfs_book.__version__
    assert f"## {nnfs_book.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_extra_has_a_purpose():
    assert set(PURPOSES) == set(EXTRAS)


def test_the_readme_names_every_extra():
    text = (ROOT / "README.md").read_text("utf-8")
    assert [extra for extra in EXTRAS if f"`{extra}`" not in text] == []


@pytest.mark.skipif(not shutil.which("make") or sys.platform == "win32", reason="needs make")
class TestMake:
    def make(self, folder, version):
        """Dry-run ``make test`` with a Python that says that it is of this version."""
        python = folder / "python"
        python.write_text(f"#!/bin/sh\necho {version}\n")
        python.chmod(0o755)
        for name in ("Makefile", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        command = ["make", "--no-print-directory", "-n", "test", f"PYTHON={python}"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    @pytest.mark.parametrize("version", PYTHONS)
    def test_sets_up_with_the_pythons_that_are_promised(self, version, tmp_path):
        made = self.make(tmp_path, version)
        assert made.returncode == 0, made.stderr
        assert "-m venv" in made.stdout

    def test_refuses_others_in_one_line_before_anything_is_installed(self, tmp_path):
        oldest, newest = ([int(part) for part in PYTHONS[i].split(".")] for i in (0, -1))
        for major, minor in ((2, 7), (oldest[0], oldest[1] - 1), (newest[0], newest[1] + 1)):
            made = self.make(tmp_path, f"{major}.{minor}")
            assert made.returncode != 0 and not made.stdout
            assert made.stderr.count("\n") == 1
            for said in (f"{major}.{minor}", f"{PYTHONS[0]} to {PYTHONS[-1]}"):
                assert said in made.stderr

    def test_says_so_where_there_is_no_python(self, tmp_path):
        command = ["make", "-n", "-C", ROOT, "test", f"PYTHON={tmp_path / 'python'}"]
        made = subprocess.run(command, capture_output=True, text=True)
        assert made.returncode != 0 and "is not there" in made.stderr


class TestWheel:
    @pytest.fixture
    def about(self, alone):
        """What the wheel says about itself."""
        (folder,) = alone[1].glob("nnfs_book-*.dist-info")
        return PathDistribution(folder)

    def test_describes_itself(self, about):
        said = about.metadata
        assert said["Version"] == nnfs_book.__version__
        assert said["License-Expression"] == "MIT"
        assert said.get_all("License-File") == ["LICENSE"]
        assert said["Requires-Python"] == f">={PYTHONS[0]}"
        assert {line.split(", ")[0] for line in said.get_all("Project-URL")} == set(PROJECT["urls"])
        assert said["Description-Content-Type"].startswith("text/markdown")
        assert said.json["description"].strip() == (ROOT / "README.md").read_text("utf-8").strip()

    def test_asks_for_numpy_and_nothing_else(self, about):
        needed = [line for line in map(Requirement, about.requires) if not line.marker]
        assert [requirement.name for requirement in needed] == ["numpy"]
        assert set(about.metadata.get_all("Provides-Extra")) == set(EXTRAS)

    def test_carries_every_module_and_record(self, wheel):
        files = {path for path in (ROOT / "nnfs_book").rglob("*.*") if path.is_file()}
        sources = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
        packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        assert packed == {name for name in sources if "__pycache__" not in name}


def test_a_network_trains_with_numpy_alone(alone):
    run(alone[0], "-I", "-c", EXAMPLES, "nnfs_book")


def test_networks_and_datasets_import_with_numpy_alone(alone):
    run(alone[0], "-I", "-c", IMPORTS, "nnfs_book.network", "nnfs_book.datasets")


@pytest.mark.slow
@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_all_that_its_purpose_needs(extra, wheel, tmp_path):
    python, _ = fresh(tmp_path / "environment")
    pinned = tmp_path / "pins.txt"
    pinned.write_text("\n".join(map(str, pins())))
    install = ["-m", "pip", "--python", python, "install", "--quiet", "--constraint", pinned]
    run(sys.executable, *install, f"{wheel}[{extra}]")
    run(python, "-I", *(argument.format(free=tmp_path) for argument in PURPOSES[extra]))
