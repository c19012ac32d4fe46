"""The rules that keep the chapters honest.

Each rule takes one chapter and returns what is wrong with it, a sentence a fault; an honest chapter
gets an empty list. `test_notebooks.py` applies them to the book, `test_checks_can_fail.py` shows
that each of them can find fault.
"""

import ast
import re
import symtable
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import yaml

from nnfs_book.presentation import PLAYER_SCRIPT

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
LEDGER = ROOT / "nnfs_book" / "records" / "reported.toml"

MAX_BYTES = 2_000_000
KERNEL = {"name": "python3", "display_name": "Python 3"}
# nbval compares these exactly. It skips image/png and image/jpeg, so they must not occur.
COMPARED = {"text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml"}
CELL_METADATA = {"tags", "mystnb"}
LANGUAGE_METADATA = {"name", "pygments_lexer", "file_extension", "mimetype"}


@dataclass
class Chapter:
    """A notebook under its name; the rules read nothing else."""

    name: str
    notebook: dict

    @property
    def code(self):
        """The code cells that hold any code."""
        cells = self.notebook["cells"]
        return [c for c in cells if c["cell_type"] == "code" and c["source"].strip()]

    @property
    def outputs(self):
        return [(cell, output) for cell in self.code for output in cell["outputs"]]

    def shown(self, *kinds):
        """Pairs of (cell, text): the outputs of these MIME types; "stream" is what was printed."""
        for cell, output in self.outputs:
            if output["output_type"] == "stream" and "stream" in kinds:
                yield cell, output["text"]
            for kind in kinds:
                if kind in output.get("data", {}):
                    yield cell, output["data"][kind]


def read_chapter(path):
    return Chapter(path.name, nbformat.read(path, as_version=4))


def pages(suffix):
    """All pages of the book of one kind, in a fixed order."""
    return sorted(p for p in BOOK.rglob(f"*{suffix}") if ".ipynb_checkpoints" not in p.parts)


# What was run


def executed_in_order(chapter):
    """Nbval passes a cell that was never executed without comparing anything."""
    counts = [cell["execution_count"] for cell in chapter.code]
    wanted = list(range(1, len(counts) + 1))
    return [] if counts == wanted else [f"execution counts are {counts}, not 1 to {len(counts)}"]


def plain_python(chapter):
    """No magics: `%%capture` hides output, and the page should show code that runs anywhere."""
    faults = []
    for cell in chapter.code:
        try:
            ast.parse(cell["source"])
        except SyntaxError as error:
            faults.append(f"cell {cell['id']} is not plain Python: {error.msg}")
    return faults


def no_way_round_nbval(chapter):
    """No marker, as a comment or as a tag, that tells nbval to look away."""
    faults = []
    for cell in chapter.code:
        tags = cell["metadata"].get("tags", [])
        if re.search(r"#.*(NBVAL_|PYTEST_VALIDATE)", cell["source"]):
            faults.append(f"cell {cell['id']} carries an nbval marker")
        faults += [
            f"cell {cell['id']} is tagged {tag}"
            for tag in tags
            if re.match("nbval|pytest-validate|raises-exception|skip-execution|remove", tag)
        ]
    return faults


def names(source):
    """The names that a piece of code makes, and those that it needs from elsewhere.

    >>> made, needed = names("def f(x): return x + a\\nb = f(c)")
    >>> sorted(made), sorted(needed)
    (['b', 'f'], ['a', 'c'])
    """
    top = symtable.symtable(source, "cell", "exec")
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    needed, left = set(), [top]
    while left:
        table = left.pop()
        left += table.get_children()
        needed |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return made, needed - made


def typed_cell_by_cell(chapter):
    """Whoever types the open cells, and no others, has every name that they need.

    But a cell that goes on with a derivation, or holds code against it, needs the derivation's own
    cell, which is folded; the front page says so.
    """
    faults, folded = [], {}
    derives = re.compile(r"\b(?:Derivation|confirm_code)\(")
    for cell in chapter.code:
        made, needed = names(cell["source"])
        if any(tag.startswith("hide") for tag in cell["metadata"].get("tags", [])):
            folded |= dict.fromkeys(made, cell)
            continue
        for name in sorted(needed & set(folded)):
            home = folded[name]
            if not (derives.search(cell["source"]) and derives.search(home["source"])):
                faults.append(f"cell {cell['id']} needs {name} of the folded cell {home['id']}")
        folded = {name: home for name, home in folded.items() if name not in made}
    return faults


def nothing_left_to_write(chapter):
    """No TODO of a new chapter (tools/new_chapter.py): each fault says what is still to be written."""
    return [
        f"cell {cell['id']}: {left.strip()}"
        for cell in chapter.notebook["cells"]
        for text in (cell["source"], *map(str, cell["metadata"].get("mystnb", {}).values()))
        for left in re.findall(r".*\bTODO\b.*", text)
    ]


# What it showed


def quiet_outputs(chapter):
    """No warning, no error, and nothing overwritten on a line, which nbval would not compare."""
    faults = []
    for cell, output in chapter.outputs:
        if output["output_type"] == "error":
            faults.append(f"cell {cell['id']} shows an error: {output['ename']}")
        if output.get("name") == "stderr":
            faults.append(f"cell {cell['id']} writes to stderr: {output['text'][:60]!r}")
        if "\r" in output.get("text", ""):
            faults.append(f"cell {cell['id']} overwrites a line with a carriage return")
    return faults


def compared_outputs(chapter):
    """Only kinds of output that nbval compares."""
    return [
        f"cell {cell['id']} shows {kind}, which nbval does not compare"
        for cell, output in chapter.outputs
        for kind in sorted(set(output.get("data", {})) - COMPARED)
    ]


def same_on_any_machine(chapter):
    """No path and no memory address of the machine that ran the chapter."""
    local = re.compile(r"0x[0-9a-f]{7,}|(?:/home|/root|/Users|/tmp|/var)/|\b[A-Z]:\\")
    texts = chapter.shown("stream", *sorted(COMPARED - {"image/svg+xml"}))
    return [
        f"cell {cell['id']} shows {found.group()!r}, which belongs to one machine"
        for cell, text in texts
        if (found := local.search(text))
    ]


def same_on_any_python(chapter):
    """No built-in `sum`: since Python 3.12 it makes up for the rounding of floats."""
    return [
        f"cell {cell['id']} uses the built-in sum in line {node.lineno}"
        for cell in chapter.code
        for node in ast.walk(ast.parse(cell["source"]))
        if isinstance(node, ast.Name) and node.id == "sum"
    ]


def thresholds_in_the_ledger(chapter):
    """No cell that confirms a claim says how large something may be: that stands in the ledger."""
    faults = []
    for cell in chapter.code:
        nodes = list(ast.walk(ast.parse(cell["source"])))
        if any(isinstance(n, ast.Call) and ast.unparse(n.func) == "confirm" for n in nodes):
            faults += [
                f"cell {cell['id']} sets a condition: {ast.unparse(node)}"
                for node in nodes
                if is_threshold(node)
            ]
    return faults


def is_threshold(node):
    """Whether code orders things, compares them with a number, or bears a tolerance."""
    match node:
        case ast.Compare(left, operators, others):
            ordered = any(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for o in operators)
            return ordered or any(map(has_number, (left, *others)))
        case ast.Name(name) | ast.Attribute(attr=name):
            return "allclose" in name or "isclose" in name
        case ast.keyword(arg):
            return arg in ("rtol", "atol", "rel", "abs_tol", "rel_tol")
    return False


def has_number(node):
    """Whether a number stands in an expression, other than as an index."""
    if isinstance(node, ast.Subscript):
        return has_number(node.value)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return any(map(has_number, ast.iter_child_nodes(node)))


def tidy_metadata(chapter):
    """No time stamp, no version of the machine's Python, nothing that changes by itself."""
    metadata = chapter.notebook["metadata"]
    kernel = metadata.get("kernelspec", {})
    faults = [
        f"cell {cell.get('id')} carries the metadata {sorted(extra)}"
        for cell in chapter.notebook["cells"]
        if (extra := set(cell["metadata"]) - CELL_METADATA)
    ]
    if {key: kernel.get(key) for key in KERNEL} != KERNEL:
        faults.append(f"the kernelspec is {dict(kernel)}")
    if extra := set(metadata) - {"kernelspec", "language_info"}:
        faults.append(f"the notebook carries the metadata {sorted(extra)}")
    if extra := set(metadata.get("language_info", {})) - LANGUAGE_METADATA:
        faults.append(f"language_info carries {sorted(extra)}")
    return faults


def small_enough(chapter):
    size = len(nbformat.writes(nbformat.from_dict(chapter.notebook)))
    return [f"{size} bytes are too many to review"] if size > MAX_BYTES else []


# Figures

SVG_ADDRESS = "data:image/svg+xml,"
FOREIGN = re.compile(
    r"""<dc:date>|<script|\son[a-z]+=|@import|\b(?:href|src)=["'](?!\#|data:)|url\(["']?(?!\#)"""
)


class Images(HTMLParser):
    """The attributes of all images in a piece of HTML, and its text without tags."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes))

    def handle_data(self, data):
        self.text += data + "\n"


def figures_in_words(chapter):
    """Every figure has alt text: in its cell's metadata, mystnb.image.alt, or within HTML."""
    silent = [
        cell
        for cell, _ in chapter.shown("image/svg+xml")
        if not cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "").strip()
    ]
    silent += [
        cell
        for cell, html in chapter.shown("text/html")
        if not all((image.get("alt") or "").strip() for image in Images(html).found)
    ]
    return [f"the figure of cell {cell['id']} has no alt text" for cell in silent]


def figures_alone(chapter):
    """No figure bears a date, points outside itself or runs a script but the player's own."""
    texts = list(chapter.shown("image/svg+xml"))
    for cell, html in chapter.shown("text/html"):
        html = html.replace(f"<script>\n{PLAYER_SCRIPT}\n</script>", "")
        for address in {image.get("src") or "" for image in Images(html).found}:
            if address.startswith(SVG_ADDRESS):
                html = html.replace(address, "#")
                texts.append((cell, unquote(address)))
        texts.append((cell, html))
    return [
        f"the figure of cell {cell['id']} holds {found.group()!r}"
        for cell, text in texts
        if (found := FOREIGN.search(text))
    ]


def figures_compared_as_text(chapter):
    """An image within HTML is SVG that a reviewer can read in the diff, no PNG in disguise."""
    return [
        f"the HTML of cell {cell['id']} shows an image that is not SVG"
        for cell, html in chapter.shown("text/html")
        for image in Images(html).found
        if not (image.get("src") or "").startswith(SVG_ADDRESS) or "<image" in unquote(image["src"])
    ]


RULES = [
    executed_in_order,
    plain_python,
    no_way_round_nbval,
    typed_cell_by_cell,
    nothing_left_to_write,
    quiet_outputs,
    compared_outputs,
    same_on_any_machine,
    same_on_any_python,
    thresholds_in_the_ledger,
    tidy_metadata,
    small_enough,
    figures_in_words,
    figures_alone,
    figures_compared_as_text,
]


# Numbers in the prose

# 0.5, 10,001.25 or 1e-7 standing alone: not part of a word, of 2.4.6 or of 3.5.
DECIMAL = re.compile(
    r"(?<![\w.])(?:\d+(?:,\d{3})+|\d*)(?:\.\d+(?:e[-+]?\d+)?|(?<=\d)e[-+]?\d+)(?!\w|\.\d)",
    re.IGNORECASE,
)


def decimals(text):
    """The decimal numbers of a text as (token, value), written in prose, LaTeX or program output.

    >>> [token for token, _ in decimals("0.5, 10,001.25, $1.5 \\\\times 10^{-7}$, 2^-18, v2.4.6.")]
    ['0.5', '10,001.25', '1.5e-7']
    """
    text = text.replace("\N{MINUS SIGN}", "-").replace("{,}", ",")
    text = re.sub(r"(?<=\d)\\[,;!](?=\d)", "", text)  # thin spaces between digits
    text = re.sub(r"(?<=\d)\s*(?:\\times|\\cdot|×)\s*10\^\{?(-?\d+)\}?", r"e\1", text)
    return [(token, Decimal(token.replace(",", ""))) for token in DECIMAL.findall(text)]


def prose(page):
    """What a reader reads as text, less addresses: of a chapter also captions and alt texts."""
    text = page if isinstance(page, str) else ""
    for cell in page.notebook["cells"] if isinstance(page, Chapter) else []:
        mystnb = cell["metadata"].get("mystnb", {})
        text += cell["source"] + "\n" if cell["cell_type"] == "markdown" else ""
        text += mystnb.get("image", {}).get("alt", "") + "\n"
        text += mystnb.get("figure", {}).get("caption", "") + "\n"
    for _, html in page.shown("text/html") if isinstance(page, Chapter) else []:
        text += "".join(f"{image.get('alt')}\n" for image in Images(html).found)
    text = re.sub(r"\]\([^)]*\)|https?://[^\s>]*|\{(?:cite|doc|ref|eq)[^}]*\}`[^`]*`", " ", text)
    return re.sub(r"Python 3\.\d+", "Python", text)


def accounted_for(chapter):
    """The decimal numbers that a chapter prints or that stand in its code.

    Comments do not count, nor coordinates and alt texts of figures within HTML.
    """
    values, printed = set(), sorted(COMPARED - {"image/svg+xml", "text/html"})
    texts = [text for _, text in chapter.shown("stream", *printed)]
    for text in texts + [Images(html).text for _, html in chapter.shown("text/html")]:
        text = re.sub(r"(?<=\d)\.(?=[\s\],)])", ".0", text)  # NumPy prints 2.0 as "2."
        values |= {value for _, value in decimals(text)}
    for cell in chapter.code:
        code = ast.parse(cell["source"])
        words = [n.value for n in ast.walk(code) if isinstance(n, ast.keyword) and n.arg == "alt"]
        for node in ast.walk(code):
            if node in words:
                continue  # an alt text cannot vouch for itself
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                values.add(Decimal(repr(node.value)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                values |= {value for _, value in decimals(node.value)}
    return values


def ledger_numbers(path=LEDGER):
    """Every number of the ledger, whether it stands there as a number or inside a text."""
    values, left = set(), [tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)]
    while left:
        item = left.pop()
        if isinstance(item, dict | list):
            left += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str):
            values |= {value for _, value in decimals(item)}
        elif isinstance(item, int | Decimal) and not isinstance(item, bool):
            values.add(Decimal(item))
    return values


def unaccounted_numbers(page, known):
    """The decimal numbers in the prose that are not among the known; 23.5 % may stand as 0.235."""
    text = re.sub(r"(?:\\,|\s)*\\?%", "%", prose(page))
    percent = {value for _, value in decimals(" ".join(re.findall(r"(\S+)%", text)))}
    return [
        token
        for token, value in decimals(text)
        if value not in known and not (value in percent and value / 100 in known)
    ]


# The table of contents


def toc_files(toc):
    """All files that a table of contents names, without their suffixes."""
    files = [toc[key] for key in ("root", "file") if key in toc]
    for key in ("parts", "chapters", "sections"):
        for entry in toc.get(key, []):
            files += toc_files(entry)
    return files


def toc_faults(toc, written):
    """`written`: the pages that exist, as _toc.yml would name them."""
    listed = toc_files(toc)
    faults = [f"{name} is listed and does not exist" for name in listed if name not in written]
    faults += [f"{name} is not listed" for name in sorted(written) if name not in listed]
    faults += [f"{name} is listed twice" for name in set(listed) if listed.count(name) > 1]
    return faults


def read_toc():
    return yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))


def written_pages():
    return {p.relative_to(ROOT).with_suffix("").as_posix() for p in pages(".ipynb") + pages(".md")}


# The way pytest is called


# What plain `pytest` is called with: notebooks are compared word by word, and only slow tests wait.
ADDOPTS = {
    "--doctest-modules",
    "--nbval",
    "--nbval-current-env",
    "--numprocesses=auto",
    "--dist=loadfile",
    "--no-loadscope-reorder",
    "--strict-markers",
    "-m",
    "not slow",
}


def pytest_faults(options):
    """Faults of [tool.pytest.ini_options]: every option is one that is known to hide nothing."""
    words, places = options["addopts"], options["testpaths"]
    faults = [f"{word} is missing" for word in sorted(ADDOPTS - set(words))]
    faults += [f"{word} may hide a test" for word in words if word not in ADDOPTS]
    faults += [f"{place} is not tested" for place in {"tests", "nnfs_book", "book"} - set(places)]
    if words.count("-m") != 1 or words[words.index("-m") + 1 :][:1] != ["not slow"]:
        faults.append("tests are chosen by another mark than slow")
    known = {"testpaths", "pythonpath", "addopts", "markers", "xfail_strict"}
    return faults + [f"{name} may hide a test" for name in sorted(set(options) - known)]
