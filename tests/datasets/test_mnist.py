"""MNIST and Fashion-MNIST by one loader: damaged files, servers that stall, truncate and lie, and what stays behind."""

import gzip
import hashlib
import inspect
import struct
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from nnfs_book.datasets import mnist
from nnfs_book.datasets.mnist import load_fashion_mnist, load_mnist, read_idx

TIMEOUT = 1
COUNTS = {mnist.TRAIN_IMAGES: 5, mnist.TEST_IMAGES: 3}
LABELS = {mnist.TRAIN_LABELS: [0, 1, 2, 3, 9], mnist.TEST_LABELS: [4, 5, 0]}


def idx(array):
    array = np.asarray(array, np.uint8)
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def small_set():
    """Pictures of 4 by 3 pixels under the names of MNIST's files, not packed yet."""
    random = np.random.RandomState(0)
    contents = {n: idx(random.randint(0, 256, (c, 4, 3))) for n, c in COUNTS.items()}
    return contents | {name: idx(labels) for name, labels in LABELS.items()}


PLAIN = small_set()
PACKED = {name: gzip.compress(content, mtime=0) for name, content in PLAIN.items()}
FILES = {n: (len(c), hashlib.sha256(c).hexdigest()) for n, c in PACKED.items()}


@pytest.fixture
def folder(tmp_path):
    for name, content in PACKED.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNFS_BOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mnist"


# --- a server with many faults ----------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """The first part of the address says how the file after it is served."""

    def do_GET(self):
        _, how, name = self.path.split("/")
        self.server.asked.append(how)
        getattr(self, how)(PACKED[name], name)

    def send(self, body, length=None, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", len(body) if length is None else length)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def hold(self):
        self.server.over.wait(10)

    def good(self, body, name):
        self.send(body)

    def silent(self, body, name):
        self.hold()

    def stalls(self, body, name):
        self.send(body[:9], length=len(body))
        self.hold()

    def drips(self, body, name):
        self.send(b"", length=len(body))
        for byte in body:
            if self.server.over.wait(TIMEOUT / 3):
                return
            self.wfile.write(bytes([byte]))

    def truncates(self, body, name):
        self.send(body[:-1], length=len(body))

    def announces_less(self, body, name):
        self.send(body, length=9)

    def announces_more(self, body, name):
        self.send(body, length=len(body) + 1)

    def without_length(self, body, name):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def endless(self, body, name):
        self.send_response(200)
        self.end_headers()
        while not self.server.over.is_set():
            try:
                self.wfile.write(bytes(1 << 16))
            except OSError:
                return

    def half_a_chunk(self, body, name):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"ff\r\n" + body[:5])

    def other(self, body, name):
        self.send(bytes(len(body)))

    def empty(self, body, name):
        self.send(b"")

    def missing(self, body, name):
        self.send(body, status=404)

    def no_http(self, body, name):
        self.wfile.write(b"\0\1\2\3\n\n")

    def moved(self, body, name):
        self.send(b"", status=302, Location=f"/good/{name}")

    def moved_to_other(self, body, name):
        self.send(b"", status=302, Location=f"/other/{name}")

    def in_circles(self, body, name):
        self.send(b"", status=302, Location=f"/in_circles/{name}")

    def to_a_file(self, body, name):
        self.send(b"", status=302, Location="file:///etc/hostname")

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # by default five wait, and whom it turns away tries again after a second

    def handle_error(self, request, client_address):
        pass  # clients that hang up are what is tested


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked, server.over = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def fetch_from(server, *hows, files=FILES):
    mirrors = [f"http://127.0.0.1:{server.server_port}/{how}" for how in hows]
    return load_mnist(mirrors=mirrors, files=files, timeout=TIMEOUT)


def left_in(cache):
    return sorted(path.name for path in cache.iterdir())


def check_small_set(loaded):
    X, y, X_validation, y_validation = loaded
    assert (X.shape, X.dtype) == ((5, 12), np.float32)
    assert (X_validation.shape, X_validation.dtype) == ((3, 12), np.float32)
    assert y.tolist() == LABELS[mnist.TRAIN_LABELS] and y.dtype == np.uint8
    assert y_validation.tolist() == LABELS[mnist.TEST_LABELS]
    pixels = np.frombuffer(PLAIN[mnist.TRAIN_IMAGES][16:], np.uint8)
    assert (X.ravel() == pixels.astype(np.float32) / np.float32(255)).all()


# --- a folder of the reader's -----------------------------------------------------------------


def test_packed_files_are_read(folder):
    check_small_set(load_mnist(folder))
    check_small_set(load_mnist(str(folder)))


def test_unpacked_files_are_read(tmp_path):
    for name, content in PLAIN.items():
        (tmp_path / name.removesuffix(".gz")).write_bytes(content)
    check_small_set(load_mnist(tmp_path))


def test_a_file_that_lies_about_being_packed_is_read(folder):
    (folder / mnist.TRAIN_IMAGES).write_bytes(PLAIN[mnist.TRAIN_IMAGES])
    check_small_set(load_mnist(folder))


@pytest.mark.parametrize("name", PACKED)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_mnist(folder)


def put(folder, name, content):
    (folder / name).write_bytes(content)
    return pytest.raises(ValueError, match=name.removesuffix(".gz"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (mnist.TRAIN_LABELS, PLAIN[mnist.TRAIN_IMAGES], "00 00 08 01 is wanted"),
        (mnist.TRAIN_IMAGES, PLAIN[mnist.TRAIN_LABELS], "starts with 00 00 08 01"),
        (mnist.TEST_IMAGES, b"\0\0\x0d\3" + PLAIN[mnist.TEST_IMAGES][4:], "00 00 0d 03"),
        (mnist.TEST_IMAGES, b"", "starts with nothing"),
        (mnist.TEST_IMAGES, b"\0\0\x08\3\0\0", "ends within its header"),
        (mnist.TEST_IMAGES, PLAIN[mnist.TEST_IMAGES][:-1], "36 bytes, .* has only 35"),
        (mnist.TEST_IMAGES, PLAIN[mnist.TEST_IMAGES] + b"\0", "36 bytes, .* has more"),
        (
            mnist.TEST_IMAGES,
            b"\0\0\x08\3" + b"\xff" * 12,
            "announces 79228162458924105.*; 1 to 100000000 are wanted",
        ),
        (mnist.TEST_IMAGES, b"\0\0\x08\3" + bytes(12), r"0 bytes, of shape \(0, 0, 0\)"),
        (mnist.TEST_IMAGES, idx(np.zeros((4, 4, 3))), "4 pictures for 3 labels"),
        (mnist.TEST_LABELS, idx([4, 5, 10]), "0 to 9, got 10"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(folder, name, content, complaint, pack):
    with put(folder, name, pack(content)) as error:
        load_mnist(folder)
    assert error.match(complaint)


def damaged(packed):
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 1
    return {
        "cut": packed[:-20],
        "cut in the header": packed[:5],
        "without its checksum": packed[:-8],
        "with another checksum": packed[:-8] + bytes(8),
        "with a bit flipped": bytes(flipped),
        "followed by something": packed + b"something",
    }


@pytest.mark.parametrize("damage", damaged(b"0123456789"))
def test_a_damaged_gzip_file_is_refused(folder, damage):
    content = damaged(PACKED[mnist.TRAIN_IMAGES])[damage]
    with put(folder, mnist.TRAIN_IMAGES, content):
        load_mnist(folder)


def test_pictures_of_two_sizes_are_refused(folder):
    (folder / mnist.TEST_IMAGES).write_bytes(idx(np.zeros((3, 4, 4))))
    with pytest.raises(ValueError, match="12 pixels, those for validation 16"):
        load_mnist(folder)


@pytest.mark.parametrize(
    "content",
    [
        # claims the most that is allowed, and has hardly anything
        b"\0\0\x08\1" + struct.pack(">I", mnist.LARGEST),
        gzip.compress(b"\0\0\x08\1" + struct.pack(">I", mnist.LARGEST), mtime=0),
        # claims little, and unpacks to much
        gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 9) + bytes(50_000_000), 1, mtime=0),
    ],
)
def test_little_memory_is_taken_before_a_file_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match="announces"):
        read_idx(path, ndim=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


sizes = st.lists(st.integers(0, 4) | st.integers(0, 2**32 - 1), min_size=1, max_size=3)
headers = st.builds(
    lambda sizes: bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes), sizes
)
contents = st.binary() | st.builds(bytes.__add__, headers, st.binary(max_size=70))


@given(content=contents, pack=st.booleans(), damage=st.tuples(st.floats(0, 1), st.integers(0, 255)))
def test_any_bytes_give_an_array_or_a_value_error(tmp_path_factory, content, pack, damage):
    if pack:
        content = bytearray(gzip.compress(content, mtime=0))
        place = round(damage[0] * (len(content) - 1))
        content[place] ^= damage[1]
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(content)
    for ndim in (1, 3):
        try:
            array = read_idx(path, ndim)
        except ValueError as error:
            assert "fuzzed" in str(error)
        else:
            assert array.dtype == np.uint8 and array.ndim == ndim and array.size > 0


# --- downloads --------------------------------------------------------------------------------


def test_files_are_downloaded_once(cache, server):
    check_small_set(fetch_from(server, "good"))
    assert left_in(cache) == sorted(PACKED)
    check_small_set(fetch_from(server, "good"))
    assert server.asked == ["good"] * 4


@pytest.mark.parametrize("how", ["moved", "without_length", "announces_more"])
def test_the_bytes_count_and_not_the_way_they_come(cache, server, how):
    check_small_set(fetch_from(server, how))
    assert left_in(cache) == sorted(PACKED)


FAULTS = {
    "silent": "timed out",
    "stalls": "timed out",
    "drips": "too slow",
    "truncates": "ended after",
    "announces_less": "ended after 9 of",
    "endless": "does not match the known hash",
    "half_a_chunk": "IncompleteRead",
    "other": "does not match the known hash",
    "empty": "ended after 0 of",
    "missing": "404",
    "no_http": "BadStatusLine",
    "moved_to_other": "does not match the known hash",
    "in_circles": "302",
    "to_a_file": "file:///etc/hostname",
}


@pytest.mark.parametrize("how", FAULTS)
def test_a_faulty_mirror_leaves_nothing_behind(cache, server, how):
    with pytest.raises(OSError, match=FAULTS[how]) as error:
        fetch_from(server, how)
    assert f"/{how}/{mnist.TRAIN_IMAGES}: " in str(error.value)
    assert "load_mnist(folder)" in str(error.value)
    assert left_in(cache) == []


def test_the_next_mirror_is_tried(cache, server):
    check_small_set(fetch_from(server, "missing", "other", "good"))
    assert server.asked == ["missing", "other", "good"] * 4
    assert left_in(cache) == sorted(PACKED)


def test_all_failures_are_told(cache, server):
    server.over.set()  # nobody waits
    with pytest.raises(OSError) as error:
        fetch_from(server, "missing", "other", "truncates")
    lines = str(error.value).splitlines()
    assert [line.split("/")[3] for line in lines[1:4]] == ["missing", "other", "truncates"]


@pytest.mark.parametrize("mirror", ["ftp:/", "nonsense", "http://127.0.0.1:1", "http://[", ""])
def test_an_address_that_is_none_is_a_failure_like_others(cache, server, mirror):
    good = f"http://127.0.0.1:{server.server_port}/good/"  # a slash at the end does no harm
    check_small_set(load_mnist(mirrors=[mirror, good], files=FILES, timeout=TIMEOUT))
    with pytest.raises(OSError, match="could not be downloaded"):
        load_mnist(mirrors=[mirror], files=mnist.FILES, timeout=TIMEOUT)


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c + b"\0", lambda c: c[:-1] + b"x"])
def test_a_file_damaged_in_the_cache_is_fetched_anew(cache, server, damage):
    fetch_from(server, "good")
    path = cache / mnist.TRAIN_LABELS
    path.write_bytes(damage(PACKED[path.name]))
    check_small_set(fetch_from(server, "good"))
    assert len(server.asked) == 5
    assert path.read_bytes() == PACKED[path.name]


def test_an_interrupted_download_leaves_nothing_behind(cache, server, monkeypatch):
    class Interrupted:
        def __init__(self, **settings):
            raise KeyboardInterrupt

    monkeypatch.setattr("tqdm.tqdm", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch_from(server, "good")
    assert left_in(cache) == []


def test_a_file_that_is_right_and_no_idx_file_is_refused(cache, server):
    """The hash is checked on arrival, the header on reading: neither stands in for the other."""
    name, content = mnist.TRAIN_LABELS, PACKED[mnist.TRAIN_IMAGES]
    files = FILES | {name: (len(content), hashlib.sha256(content).hexdigest())}
    cache.mkdir(parents=True)
    (cache / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} starts with"):
        fetch_from(server, "good", files=files)


def test_many_downloads_at_once_do_no_harm(cache, server):
    with ThreadPoolExecutor(8) as pool:
        for loaded in [pool.submit(fetch_from, server, "good") for _ in range(8)]:
            check_small_set(loaded.result())
    assert left_in(cache) == sorted(PACKED)


def test_each_file_has_a_bar(cache, server, capsys):
    fetch_from(server, "good")
    shown = capsys.readouterr().err
    assert all(f"{name}: 100%" in shown for name in PACKED)


def test_a_bar_that_is_switched_off_changes_nothing(cache, server, monkeypatch):
    monkeypatch.setattr("tqdm.tqdm", partial(tqdm, disable=True))
    check_small_set(fetch_from(server, "good"))


SETS = {
    load_mnist: (mnist.FILES, mnist.MIRRORS),
    load_fashion_mnist: (mnist.FASHION_FILES, mnist.FASHION_MIRRORS),
}


@pytest.mark.parametrize("load", SETS)
def test_the_published_files_fit_the_limits(load):
    files, mirrors = SETS[load]
    assert set(files) == set(PACKED)
    assert all(len(bytes.fromhex(sha256)) == 32 for _, sha256 in files.values())
    assert 60000 * 28 * 28 < mnist.LARGEST
    assert len(mirrors) == 2 and mirrors[0].startswith("https://")
    defaults = inspect.signature(load).parameters
    assert (defaults["files"].default, defaults["mirrors"].default) == (files, mirrors)


def test_the_two_sets_have_folders_of_their_own(cache, server):
    mirrors = [f"http://127.0.0.1:{server.server_port}/good"]
    for load in SETS:
        check_small_set(load(mirrors=mirrors, files=FILES, timeout=TIMEOUT))
    assert left_in(cache.parent) == ["fashion_mnist", "mnist"]
    assert server.asked == ["good"] * 8


def test_the_cache_folder_is_the_platforms_or_what_is_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("NNFS_BOOK_CACHE", raising=False)
    assert mnist.cache_folder("mnist") == Path(pooch.os_cache("nnfs_book")) / "mnist"
    monkeypatch.setenv("NNFS_BOOK_CACHE", str(tmp_path / "mine"))
    assert mnist.cache_folder("mnist") == tmp_path / "mine" / "mnist"
