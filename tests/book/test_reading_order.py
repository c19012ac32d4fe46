"""The book can be read from the start: chapters are numbered, and no word comes before its home."""

import ast
import re
from functools import cache

import honesty
import pytest

TOC = honesty.read_toc()
CHAPTERS = [
    chapter["file"].rpartition("/")[-1]
    for part in TOC["parts"]
    if part.get("numbered")
    for chapter in part["chapters"]
]
NUMBER = {name: number for number, name in enumerate(CHAPTERS, start=1)}
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
INERT = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\{cite[^}]*\}", re.DOTALL)
HEADER_OR_HEADING = re.compile(r"^[>#].*$", re.MULTILINE)
SET_APART = re.compile(r"\*\*(.+?)\*\*|(?<!\*)\*([^*]+)\*(?!\*)", re.DOTALL)

# Where a word of the trade is explained, and set in italics. Until then it may stand in links only.
# (The front page may speak of what chapter 1 explains.)
HOMES = {
    "network_by_hand": """
        neurons?, inputs?, outputs?, predictions?, weights?, bias(?:es)?, parameters?, targets?,
        errors?, loss(?:es)?, samples?, slopes?, gradients?, learning rates?, gradient descent,
        epochs?, activations?, ReLUs?, networks?, layers?, hidden, forward pass, training,
        provers?, dead, stochastic""",
    "chain_rule": """
        nodes?, computation graph, chain rule for two variables, induction, partial,
        backpropagation, reverse mode, forks?, scores?, seeds?, PyTorch""",
    "layer_gradients": """
        batch(?:es)?, dense, masks?, subgradients?, central differences?, gradient checks?, complex
        step, float32, float64, bits?, compiled twins?, source book, ledger, verdicts?, leaky,
        analytic""",
    "sigmoid": "odds, log-odds, logits?, sigmoids?, logistic function, saturat(?:ed|ion|es?)",
    "binary_crossentropy": """
        surprises?, cross-entropy, strictly proper, clip(?:s|ped|ping)?, broadcasting,
        with logits""",
    "softmax_crossentropy": """
        softmax, simplex, temperatures?, Jacobians?, one-hot, class numbers?, sparse, log-sum-exp,
        convex, Keras""",
    "where_losses_come_from": """
        likelihoods?, log-likelihoods?, maximum likelihood, distributions?, entropy, divergences?,
        Gibbs, Kullback, Bernoulli, Laplace, Poisson, medians?, identity, priors?""",
    "optimizers": """
        curvatures?, eigenvalues?, condition numbers?, optimizers?, momentum, caches?, AdaGrad,
        RMSprop, Adam, bias correction""",
    "training": """
        labels?, accurac(?:y|ies), ties?, fingerprints?, SHA-256, shuffled?, full-batch, generator,
        metrics?, validat(?:ion|es?), overfit(?:ted|ting|s)?, early stopping, test data""",
    "logistic_regression": """
        logistic regression, penalt(?:y|ies), data loss, units? in the last place, ensembles?,
        reruns?, unlikely, consistent""",
    "depth_and_initialization": """
        variances?, standard deviations?, Glorot's, He's, initiali[sz]ation""",
    "regression_losses": """
        MAE, MSE, RMSE, Huber's, quantiles?, almost everywhere, explained variance""",
    "classification_losses": "nats?, label smoothing, automatic differentiation",
    "regularization": """
        L1, L2, regulari[sz]ation, soft threshold, weight decay, Bayes's rule, AdamW,
        elastic net""",
    "dropout": "dropout, inverted, thinned, co-adaptation, binomial, standard errors?",
    "digits": "MNIST, covariances?, nearest neighbours?, confusion matri(?:x|ces)",
    "verify_your_own_layer": """
        softplus, oracles?, mutation testing, batch normalization, layer normalization""",
    "why_numbers_differ": """
        fused multiply-add, kernels?, vector widths?, lanes?, threads?, slices?, batch
        invarian(?:ce|t), Numba""",
    "what_speed_costs": "JAX, jitted",
}
# Where The mathematics you need explains a word. Its first use is in sight of a link there.
IN_THE_APPENDIX = {
    "limits-and-slopes": "limits?, second derivatives?",
    "vectors-matrices-and-transposes": "transposes?, transposed",
    "the-kronecker-delta": "Kronecker delta",
    "logarithms": "logarithms?, logarithmic scale",
    "expectation-and-variance": "independent, expected values?, variances?, standard deviations?",
    "densities": "normal distribution, density, densities",
    "lagranges-method": "Lagrange's method",
}
# Where a name of the module is explained, and first imported.
NAMES = {
    "chain_rule": "RandomStream",
    "layer_gradients": "check_layer check_network numerical_gradient confirm verdict_table",
    "training": "Model EXPERIMENTS fingerprint retrain",
    "logistic_regression": "load rank",
}


@cache
def cells(name):
    return honesty.read_chapter(honesty.BOOK / f"{name}.ipynb").notebook["cells"]


@cache
def paragraphs(name):
    """Return what a chapter says in words, up to its readings; no code and formulas."""
    texts = [
        cell["source"]
        if cell["cell_type"] == "markdown"
        else cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", "")
        for cell in cells(name)
    ]
    text = "\n\n".join(texts).partition("## Where to read on")[0]
    return INERT.sub(" ", text).split("\n\n")


@cache
def prose(name):
    """Return what a chapter says in words, without its links."""
    return LINK.sub(" ", "\n\n".join(paragraphs(name)))


def words(listed):
    """Return the words of a list, as patterns in which a line may end at any space."""
    return [r"\s+".join(word.split()) for word in listed.split(",")]


def any_of(*words):
    """Return a pattern for any of these words, none of them a part of another word."""
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})\b", re.IGNORECASE)


@pytest.mark.parametrize("home", HOMES)
def test_a_word_is_not_used_before_its_home(home):
    early = ["intro", *CHAPTERS][: NUMBER[home]] if NUMBER[home] > 1 else []
    used = any_of(*words(HOMES[home]))
    assert [f"{name}: {match[0]}" for name in early for match in used.finditer(prose(name))] == []


@pytest.mark.parametrize("home", HOMES)
def test_a_word_is_set_apart_where_its_home_first_uses_it(home):
    text = [HEADER_OR_HEADING.sub("", LINK.sub(r"\1", p)) for p in paragraphs(home)]
    plain = []
    for word in words(HOMES[home]):
        used = any_of(word)
        first = next((p for p in text if used.search(p)), "")
        if not any(used.search(bold or italic) for bold, italic in SET_APART.findall(first)):
            plain.append(word)
    assert plain == []


@pytest.mark.parametrize("section", IN_THE_APPENDIX)
def test_the_first_use_of_a_word_of_the_appendix_is_in_sight_of_a_link(section):
    for word in words(IN_THE_APPENDIX[section]):
        used = any_of(word)
        name = next(name for name in CHAPTERS if used.search("\n".join(paragraphs(name))))
        first = next(i for i, p in enumerate(paragraphs(name)) if used.search(p))
        until_then = "\n".join(paragraphs(name)[: first + 1])
        assert f"mathematics.ipynb#{section}" in until_then, f"{name}: {word}"


def test_the_glossary_names_the_chapter_that_explains_a_word():
    text = (honesty.BOOK / "glossary.md").read_text("utf-8").partition(":::{glossary}\n")[2]
    entries = re.findall(r"^(\S.*)\n(?:  .*\n)+\n  .*\((\w+)\.ipynb\)\.$", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^[^\s:]", text, re.MULTILINE)) > 50
    assert entries == sorted(entries, key=lambda entry: entry[0].lower())
    assert [e for e in entries if not any_of(*words(HOMES[e[1]])).search(e[0])] == []


@pytest.mark.parametrize("home", NAMES)
def test_a_name_of_the_module_is_not_used_before_its_home(home):
    names = re.compile(rf"\b(?:{'|'.join(NAMES[home].split())})\b")
    for name in CHAPTERS[: CHAPTERS.index(home)]:
        code = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "code")
        assert names.findall(code) == [], name


def test_the_map_on_the_front_page_names_the_chapters_in_their_order():
    tree = ast.parse(next(cell["source"] for cell in cells("intro") if cell["id"] == "figure-map"))
    (parts,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PARTS"
    )
    titles = {n: TITLE.search(cells(n)[0]["source"])[1].partition(":")[0] for n in CHAPTERS}
    numbered = [part for part in TOC["parts"] if part.get("numbered")]
    assert [part.split(maxsplit=1)[1] for part in parts] == [p["caption"] for p in numbered]
    assert list(parts.values()) == [
        tuple(titles[chapter["file"].rpartition("/")[-1]] for chapter in part["chapters"])
        for part in numbered
    ]
    below = next(cell["source"] for cell in cells("intro") if cell["id"] == "parts")
    linked = re.findall(r"\[(\d+)\]\((\w+)\.ipynb\)", below)
    assert linked == [(str(number), name) for name, number in NUMBER.items()]


@pytest.mark.parametrize("path", honesty.pages(".ipynb") + honesty.pages(".md"), ids=lambda p: p.stem)
def test_a_chapter_that_is_named_by_its_number_has_that_number(path):
    text = path.read_text("utf-8")
    for number, target in re.findall(r"[Cc]hapter (\d+), \[[^\]]*\]\((\w+)\.ipynb", text):
        assert NUMBER[target] == int(number), f"{target} is chapter {NUMBER[target]}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_chapter_is_called_the_next_one(name):
    assert re.findall(r"(?:next|last|previous|preceding) chapter", prose(name)) == []


HEADER = ["You will be able to", "You need", "Reading takes", "You can skip"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_all_parts_of_the_arc(name):
    text = "\n\n".join(c["source"] for c in cells(name) if c["cell_type"] == "markdown")
    assert TITLE.search(text)
    assert re.findall(r"^> - \*\*(.+?)\*\*", text, re.MULTILINE) == HEADER
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    for wanted in ("What usually goes wrong", "In five lines", "Exercises", "Where to read on"):
        assert wanted in headings
    lines = text.partition("## In five lines\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^(?:-|\d\.) ", lines, re.MULTILINE)) == 5
    exercises = re.findall(r"^\*\*(\d+) ([○◐●])( ✎)? ", text, re.MULTILINE)
    assert [int(number) for number, *_ in exercises] == list(range(1, len(exercises) + 1))
    assert len(exercises) >= 6
    assert len([pencil for *_, pencil in exercises if pencil]) >= 2
    code = [c["source"] for c in cells(name) if c["cell_type"] == "code"]
    assert any("practice.check(" in source for source in code)
