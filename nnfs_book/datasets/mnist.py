"""MNIST's digits and Fashion-MNIST: from a folder, or downloaded once, checked and kept.

Each is 70,000 pictures of 28 by 28 pixels in four files, of 12 and of 31 megabytes together. What
arrives from a network is believed only if it has the published SHA-256; what stands in a file, only
if its header and its length agree.
"""

import gzip
import http.client
import math
import os
import struct
import time
import urllib.request
import zlib
from functools import partial
from pathlib import Path

import numpy as np

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
# Sizes in bytes and SHA-256, as published by TensorFlow Datasets (tensorflow/datasets: mnist.txt and
# fashion_mnist.txt in tensorflow_datasets/url_checksums). The same eight hashes stand in
# ankane/torchvision-ruby (mnist.rb and fashion_mnist.rb in lib/torchvision/datasets), those of
# Fashion-MNIST in keras-team/keras, too (keras/src/datasets/fashion_mnist.py).
FILES = {
    TRAIN_IMAGES: (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    TRAIN_LABELS: (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    TEST_IMAGES: (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    TEST_LABELS: (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
}
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
)
FASHION_FILES = {
    TRAIN_IMAGES: (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    TRAIN_LABELS: (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    TEST_IMAGES: (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    TEST_LABELS: (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
}
FASHION_MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",  # the authors' own
)
LARGEST = 100_000_000  # bytes that a file may unpack to, twice as many as the largest of the four
BLOCK = 1 << 16  # bytes that are read at a time


def load_mnist(folder=None, mirrors=MIRRORS, files=FILES, timeout=30):
    """Return the MNIST digits, split into training and validation.

    Parameters
    ----------
    folder : str or path, optional
        Where the four files are, packed (``train-images-idx3-ubyte.gz``) or unpacked
        (``train-images-idx3-ubyte``). When omitted they are downloaded to `cache_folder` once.
    mirrors : sequence of str
        Addresses to download from, tried in turn.
    files : dict
        The size and the SHA-256 of each file that is downloaded, by its name.
    timeout : float
        Seconds to wait for a mirror to answer, and for each 64 KiB that it then sends.

    Returns
    -------
    X : ndarray of float32, shape (60000, 784)
        Pictures, row by row of their pixels, from 0 to 1.
    y : ndarray of uint8, shape (60000,)
        The digits, 0 to 9, as class numbers.
    X_validation, y_validation : ndarray, shapes (10000, 784) and (10000,)
        The same for validation.

    Raises
    ------
    FileNotFoundError
        If `folder` lacks one of the files.
    OSError
        If a file could not be downloaded from any mirror; the message has a line for each.
    ValueError
        If a file is truncated, corrupt or not what its name says, or files do not fit together.

    Notes
    -----
    Downloaded files must have their published SHA-256, each time they are loaded: one that was
    damaged since is fetched anew. Files in your own `folder` need not, so that it may hold a part
    of MNIST, or other pictures in its format.

    Examples
    --------
    >>> X, y, X_validation, y_validation = load_mnist()  # doctest: +SKIP
    >>> load_mnist("a folder without files")
    Traceback (most recent call last):
        ...
    FileNotFoundError: a folder without files has no train-labels-idx1-ubyte.gz (packed or unpacked)
    """
    return load("mnist", folder, mirrors, files, timeout)


def load_fashion_mnist(folder=None, mirrors=FASHION_MIRRORS, files=FASHION_FILES, timeout=30):
    """Return Fashion-MNIST, split into training and validation.

    Pictures of clothes, in the format of MNIST's digits. The classes are 0 T-shirt or top, 1
    trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag and 9 ankle boot.

    Parameters
    ----------
    folder, mirrors, files, timeout
        As for `load_mnist`.

    Returns
    -------
    X, y, X_validation, y_validation : ndarray
        As of `load_mnist`.

    Raises
    ------
    FileNotFoundError, OSError, ValueError
        As by `load_mnist`.

    Notes
    -----
    H. Xiao, K. Rasul and R. Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
    Learning Algorithms* (2017). Chapter 19 of the source book trains on it.

    Examples
    --------
    >>> X, y, X_validation, y_validation = load_fashion_mnist()  # doctest: +SKIP
    """
    return load("fashion_mnist", folder, mirrors, files, timeout)


def load(name, folder, mirrors, files, timeout):
    """Return a data set of four files (see `load_mnist`); `name` is its folder in the cache."""
    if folder is None:
        folder = cache_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        for file, (size, sha256) in files.items():
            fetch(file, folder, mirrors, size, sha256, timeout)
    X, y = read_pair(Path(folder), TRAIN_IMAGES, TRAIN_LABELS)
    X_validation, y_validation = read_pair(Path(folder), TEST_IMAGES, TEST_LABELS)
    if X.shape[1] != X_validation.shape[1]:
        raise ValueError(
            f"{folder}: training pictures have {X.shape[1]} pixels, those for validation "
            f"{X_validation.shape[1]}; equal numbers are wanted"
        )
    return X, y, X_validation, y_validation


def cache_folder(name):
    """Return where downloaded files are kept: in ``$NNFS_BOOK_CACHE``, or the platform's place."""
    import pooch

    chosen = os.environ.get("NNFS_BOOK_CACHE")
    return Path(chosen or pooch.os_cache("nnfs_book")).expanduser() / name


# Files


def read_pair(folder, images_name, labels_name):
    """Return pictures as float32 rows from 0 to 1, and their labels."""
    labels_path, images_path = find(folder, labels_name), find(folder, images_name)
    labels, images = read_idx(labels_path, ndim=1), read_idx(images_path, ndim=3)
    if labels.max() > 9:
        raise ValueError(f"{labels_path} must hold digits from 0 to 9, got {labels.max()}")
    if len(images) != len(labels):
        raise ValueError(f"{images_path} has {len(images)} pictures for {len(labels)} labels")
    return images.reshape(len(images), -1) / np.float32(255), labels


def find(folder, name):
    """Return the path of a file, packed or not, or raise FileNotFoundError."""
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder} has no {name} (packed or unpacked)")


def read_idx(path, ndim):
    """Return the array of bytes in an IDX file, which may be packed with gzip.

    The file starts with two zeros, 8 for the type unsigned byte, and the number of dimensions; then
    each dimension in four bytes, and the elements.

    Parameters
    ----------
    path : path
    ndim : int
        The number of dimensions wanted: 1 for labels, 3 for pictures.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    ValueError
        If the file is anything else. No more memory is taken than the file has bytes for.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            return parse_idx(gzip.GzipFile(fileobj=file) if packed else file, path, ndim)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is not a whole gzip file: {error}") from None


def parse_idx(stream, path, ndim):
    """Return the array of bytes in an open IDX file; `path` is for messages."""
    wanted = bytes([0, 0, 8, ndim])
    if (magic := stream.read(4)) != wanted:
        raise ValueError(
            f"{path} starts with {magic.hex(' ') or 'nothing'}; {wanted.hex(' ')} is wanted, an "
            f"IDX file of bytes in {ndim} dimension{'s' * (ndim > 1)}"
        )
    header = stream.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"{path} ends within its header")
    shape = struct.unpack(f">{ndim}I", header)
    size = math.prod(shape)
    if not 0 < size <= LARGEST:
        raise ValueError(
            f"{path} announces {size} bytes, of shape {shape}; 1 to {LARGEST} are wanted"
        )
    data = bytearray()  # grows with what there is, not with what the header says
    while block := stream.read(min(BLOCK, size + 1 - len(data))):
        data += block
    if len(data) != size:
        there = "more" if len(data) > size else f"only {len(data)}"
        raise ValueError(f"{path} announces {size} bytes, of shape {shape}, and has {there}")
    return np.frombuffer(data, np.uint8).reshape(shape)


# Downloads


def fetch(name, folder, mirrors, size, sha256, timeout):
    """See to it that a folder has a file of a given size and SHA-256.

    Raises
    ------
    OSError
        If no mirror has it; the message has a line for each.
    """
    import pooch  # not above, so that files of the reader's own are read without it

    pooch.get_logger().setLevel("WARNING")  # the bar says enough
    brought, failures = partial(download, size=size, timeout=timeout), []
    for mirror in mirrors:
        address = f"{mirror.rstrip('/')}/{name}"
        try:
            pooch.retrieve(address, f"sha256:{sha256}", name, folder, downloader=brought)
            return
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{address}: {error!r}")
    raise OSError(
        "\n  ".join([f"{name} could not be downloaded:", *failures])
        + "\nWith files of your own, name their folder: load_mnist(folder)."
    )


def download(address, path, _, size, timeout):
    """Download a file for pooch, which then looks at its SHA-256 and gives it its name.

    No more is read than its size, and a server slower than 64 KiB in each `timeout` is given up.

    Raises
    ------
    OSError, ValueError, http.client.HTTPException
        If it cannot be had, or is too short.
    """
    from tqdm import tqdm

    with (
        open(path, "wb") as file,
        urllib.request.urlopen(address, timeout=timeout) as answer,
        tqdm(desc=address.rpartition("/")[2], total=size, unit="B", unit_scale=True) as bar,
    ):
        got, started = 0, time.monotonic()
        while block := answer.read1(min(BLOCK, size - got)):
            file.write(block)
            got += len(block)
            bar.update(len(block))
            if time.monotonic() - started > timeout * (1 + got / BLOCK):
                raise TimeoutError(f"too slow, only {got} of {size} bytes so far")
    if got < size:
        raise ValueError(f"ended after {got} of {size} bytes")
