"""Pythons to run the book with, set up once in the ignored folder .portability and used again."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".portability"
MINORS = range(11, 16)  # Python 3.11 to 3.15
NEEDED = ("scikit-learn", "threadpoolctl")  # for the digits, and to ask which BLAS kernels run
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")

one_at_a_time = Lock()  # rows that share an environment must not both set it up


class Unavailable(Exception):
    """Says in words for the reader why something cannot be run on this machine."""


def run(*command, why, **options):
    """Run a command; if it fails, raise `Unavailable` with its last line that is no warning."""
    options = {"capture_output": True, "text": True, **options}
    done = subprocess.run([str(part) for part in command], **options)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        complaints = [line for line in lines if line and not line.startswith("WARNING")]
        reason = complaints[-1] if complaints else f"ended with {done.returncode}"
        raise Unavailable(f"{why}: {reason.removeprefix('ERROR: ')}")
    return done.stdout


def once(folder, set_up):
    """Call `set_up` for a folder unless that was done before, to its end and for the same pins."""
    stamp = folder / "set-up"
    pins = "\n".join([*pinned(), *dependencies()])
    with one_at_a_time:
        if not (stamp.exists() and stamp.read_text() == pins):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            set_up(folder)
            stamp.write_text(pins)
    return folder


def pythons(given=()):
    """Return the Pythons found here, a dict from "3.11" and so on to the path of a program.

    Parameters
    ----------
    given : iterable of path
        Programs to try first. After them come this one, those on the PATH, and pyenv's.
    """
    found = {}
    names = [f"python3.{minor}" for minor in MINORS]
    candidates = [*given, sys.executable, *filter(None, map(shutil.which, names))]
    candidates += sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    tell = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        try:
            version = run(candidate, "-c", tell, why="not usable").strip()
        except (Unavailable, OSError):
            continue
        if version in {f"3.{minor}" for minor in MINORS}:
            found.setdefault(version, Path(candidate).absolute())
    return {f"3.{minor}": found[f"3.{minor}"] for minor in MINORS if f"3.{minor}" in found}


def oldest_numpy():
    """Return the oldest NumPy that pyproject.toml allows, such as "2.0.0".

    Examples
    --------
    >>> oldest_numpy().count(".")
    2
    """
    for requirement in project()["dependencies"]:
        bound = re.fullmatch(r"numpy\s*>=\s*([\d.]+).*", requirement)
        if bound:
            return ".".join((bound[1].split(".") + ["0", "0"])[:3])
    raise ValueError("pyproject.toml gives no lower bound for numpy")


def project():
    """Return what pyproject.toml says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def dependencies():
    """Return all that the book's code imports: what the project needs, and its extras."""
    told = project()
    extras = told.get("optional-dependencies", {})
    wanted = [*told["dependencies"], "ipython", "matplotlib-inline", "numba", *NEEDED]
    for extra in extras.keys() - {"book", "cluster", "test"}:
        wanted += [requirement for requirement in extras[extra] if "nnfs" not in requirement]
    return sorted(set(wanted))


def pinned():
    """Return the lines of requirements.txt that pin a version."""
    return [line for line in (ROOT / "requirements.txt").read_text().split("\n") if "==" in line]


def virtual_environment(python, numpy):
    """Return the program of a virtual environment with a NumPy, and with Numba if it has one.

    Parameters
    ----------
    python : path
        The program to make it with.
    numpy : str
        The version, or "newest".

    Raises
    ------
    Unavailable
        If pip finds no such wheels.
    """

    def set_up(folder):
        run(python, "-m", "venv", folder, why="no virtual environment")
        pip = [program(folder), "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        wanted = "numpy" if numpy == "newest" else f"numpy=={numpy}"
        run(*pip, wanted, *NEEDED, why=f"pip has no {wanted} with {', '.join(NEEDED)}")
        ask = "import numpy; print(numpy.__version__)"
        version = run(program(folder), "-c", ask, why="no NumPy").strip()
        with suppress(Unavailable):  # whether it has Numba is asked before a row is run
            run(*pip, f"numpy=={version}", "numba", why="no Numba")

    version = run(python, "-c", "import platform; print(platform.python_version())", why="?")
    return program(once(FOLDER / f"python-{version.strip()}-numpy-{numpy}", set_up))


def program(folder):
    """Return the path of Python in a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def arm64():
    """Return how to start an ARM64 Python under user-mode emulation: a command and an environment.

    Debian's own packages of it are unpacked, not installed, and pip runs under emulation like
    everything else, so it picks the wheels for that machine by itself.

    Raises
    ------
    Unavailable
        If the emulator or Debian's packages are not to be had here.
    """
    emulator = next(filter(None, map(shutil.which, EMULATORS)), None)
    if emulator is None:
        raise Unavailable("no qemu-aarch64-static (Debian's package qemu-user-static)")
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Unavailable(f"no {tool}: the ARM64 Python comes from Debian's packages")
    folder = once(FOLDER / "arm64", lambda folder: set_up_arm64(folder, emulator))
    command = [emulator, "-L", str(folder / "root"), str(folder / "root/usr/bin/python3")]
    return command, arm64_environment(folder)


def arm64_environment(folder):
    """Return the environment variables for the ARM64 Python: all that it writes stays there."""
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "site")]),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }


def set_up_arm64(folder, emulator):
    """Unpack Debian's ARM64 Python and install the book's dependencies beside it."""
    root = folder / "root"
    (root / "usr/lib").mkdir(parents=True)
    for name in ("bin", "sbin", "lib"):  # newer packages bring usr/lib, older ones lib
        (root / "usr" / name).mkdir(exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in arm64_packages(folder, ["python3", "libstdc++6"]):
        run("dpkg", "-x", package, root, why=f"cannot unpack {package.name}")

    download = ("download", "--quiet", "--no-deps", "--dest", folder, "pip")
    run(sys.executable, "-m", "pip", *download, why="pip cannot download itself")
    pip = next(folder.glob("pip-*.whl"))
    pins = folder / "pins.txt"
    pins.write_text("\n".join(pinned()))
    run(
        *(emulator, "-L", root, root / "usr/bin/python3", pip / "pip", "install", "--quiet"),
        *("--only-binary=:all:", "--no-compile", "--target", folder / "site"),
        *("--constraint", pins, *dependencies()),
        why="pip, emulated",
        env={**os.environ, **arm64_environment(folder)},
    )


def arm64_packages(folder, names):
    """Download Debian's ARM64 packages of these names and all that they need; return the files."""
    apt = folder / "apt"
    for sub in ("lists/partial", "cache/archives/partial"):
        (apt / sub).mkdir(parents=True)
    (apt / "status").touch()  # nothing is installed there: all that is needed is downloaded
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Dir::State": apt,
        "Dir::State::status": apt / "status",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
    }
    get = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    run(*get, "update", why="apt-get cannot list Debian's ARM64 packages")
    install = ("install", "--yes", "--download-only", "--no-install-recommends")
    run(*get, *install, *names, why="apt-get cannot download Debian's ARM64 Python")
    return sorted((apt / "cache/archives").glob("*.deb"))
