"""The built book, read in a real browser: complete, offline, and fit for a phone."""

import functools
import gzip
import http.server
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import honesty
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import nnfs_book
from nnfs_book.presentation.explore import WIDGETS
from tools.epub import bound

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PAGES = [f"{name}.html" for name in honesty.toc_files(honesty.read_toc())]
PATIENCE = 300_000  # milliseconds to wait for a page, on a busy machine
TRIED = ["book/logistic_regression.html", "book/regularization.html"]  # trainings to change
RETRAINED = [*TRIED, "book/training.html", "book/digits.html"]
# Scrolling does not bring back what lies to the left of a box.
BEGINS_OUTSIDE = """all => all.filter(m =>
  m.getBoundingClientRect().left < m.closest("div.math").getBoundingClientRect().left - 1
).map(m => m.textContent.slice(0, 40))"""
LIGHT = 450_000  # bytes, compressed: what a first visit may ask for
expect.set_options(timeout=PATIENCE / 10)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of a fresh build, in which a warning is an error."""
    folder = tmp_path_factory.mktemp("book")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going"]
    build = subprocess.run(
        [*command, "--path-output", folder], cwd=honesty.ROOT, capture_output=True, text=True
    )
    assert build.returncode == 0, build.stdout + build.stderr
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def site(html):
    """The address of the built book, served by this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Visit:
    """A page opened in a window, with everything that went wrong on the way.

    A new window is a new process, which takes longer than many a test: `go` opens the next page in
    the same one, where nothing is left of the page before.
    """

    def __init__(self, browser, site, name, viewport=WIDE, color_scheme="light", **options):
        self.site = site
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.route("**/*", lambda route: self.admit(route, site))  # which turns its cache off
        self.page = context.new_page()
        self.page.on("console", self.note_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("response", self.note_status)
        self.go(name, viewport, color_scheme)

    def go(self, name, viewport=WIDE, color_scheme="light"):
        """Open a page, and return itself."""
        if self.page.url.startswith(self.site):
            self.page.evaluate("localStorage.clear()")
            self.page.goto("about:blank")
        self.faults, self.asked = [], set()
        self.page.set_viewport_size(viewport)
        self.page.emulate_media(media="screen", color_scheme=color_scheme)
        self.page.goto(urljoin(self.site, name), wait_until="networkidle")
        self.first_visit = frozenset(self.asked)
        return self

    def admit(self, route, site):
        if route.request.url.startswith(site):
            route.continue_()
        else:
            self.faults.append(f"asks another host: {route.request.url}")
            route.abort()

    def note_console(self, message):
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def note_status(self, response):
        self.asked.add(urlsplit(response.url).path.lstrip("/"))
        if response.status >= 400:
            self.faults.append(f"{response.status} for {response.url}")

    def all(self, selector, script):
        return self.page.eval_on_selector_all(selector, script)


@pytest.fixture(scope="module")
def visit(browser, site):
    """Open a page of the book, in the window with the same options if there is one."""
    windows = {}

    def opened(name, viewport=WIDE, color_scheme="light", **options):
        kind = tuple(options.items())
        if kind in windows:
            return windows[kind].go(name, viewport, color_scheme)
        return windows.setdefault(kind, Visit(browser, site, name, viewport, color_scheme, **options))

    return opened


@pytest.fixture(scope="module")
def window(browser, site):
    """A window of its own for the tests that only look at a page."""
    return Visit(browser, site, PAGES[0])


@pytest.fixture(scope="module", params=PAGES)
def opened(request, window):
    """A page of the book, opened once for all of them."""
    return window.go(request.param)


def unfold(page):
    """Open all folds, which must hold sound things, and load images that wait for scrolling."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_function("[...document.images].every(image => image.complete)")


def check_layout(opened):
    page = opened.page
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"moves sideways at {viewport['width']} pixels"
        # Tables and outputs may scroll on a phone; what was typed and what is said may not.
        boxes = "pre" if viewport is WIDE else ":is(.cell_input pre, pre.sentences)"
        cut = "all => all.filter(b => b.scrollWidth > b.clientWidth).map(b => b.innerText)"
        assert opened.all(f"main {boxes}", cut) == []
        assert opened.all("div.math mjx-math", BEGINS_OUTSIDE) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_in_the_dark(visit, name):
    opened = visit(name, viewport=WIDE, color_scheme="dark")
    unfold(opened.page)
    check_layout(opened)
    assert opened.faults == []


def test_page_is_whole(opened):
    page = opened.page
    unfold(page)
    check_layout(opened)

    assert opened.faults == []
    assert opened.all("main img:not([alt]), main img[alt='']", "all => all.map(i => i.src)") == []
    assert opened.all("img", "all => all.filter(i => !i.naturalWidth).map(i => i.src)") == []


def test_first_visit_is_light(opened, html):
    files = [html / unquote(path) for path in opened.first_visit]
    weight = {file.name: len(gzip.compress(file.read_bytes())) for file in files}
    assert sum(weight.values()) < LIGHT, weight


def test_pictures_keep_their_place_until_they_are_there(opened):
    assert opened.all("main img:not([width][height])", "all => all.map(i => i.src)") == []


def test_head_says_what_the_page_is(opened):
    description = opened.page.locator("meta[name=description]").get_attribute("content")
    assert 30 < len(description) <= 162 and "\\" not in description
    assert opened.all("meta[property^='og:']", "all => all.length") >= 4


def violations(page):
    """What axe finds wrong, but for the drawn formulas: their MathML is what is read out."""
    found = Axe().run(page, context={"exclude": [["mjx-math"]]}).response["violations"]
    return [(fault["id"], node["html"]) for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("name", ["404.html", "search.html"])
def test_small_page_is_accessible(visit, name):
    assert violations(visit(name, viewport=WIDE).page) == []


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(visit, name, scheme, viewport):
    page = visit(name, viewport=viewport, color_scheme=scheme).page
    assert violations(page) == []
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert violations(page) == []


def test_the_theme_follows_the_system(visit):
    page = visit(PAGES[0]).page
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-theme", scheme)


def test_keyboard_stays_at_the_theme_switch(visit):
    page = visit(PAGES[0], viewport=WIDE).page
    switch = page.get_by_role("button", name="Color mode")
    switch.press("Enter")
    expect(switch).to_be_focused()
    assert switch.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"


def test_folds_are_named_by_their_text(opened):
    assert opened.all("summary[aria-label]", "all => all.length") == 0


def test_paper_shows_everything(visit):
    """A page printed from the dark: folds open, nothing cut off, ink on paper, and all back after."""
    page = visit(RETRAINED[0], viewport=WIDE, color_scheme="dark").page
    folded = page.locator("details:not([open])").count()
    page.emulate_media(media="print")
    opens = "dispatchEvent(new Event('beforeprint'))"
    faint = "[...document.querySelectorAll('details > *')].filter(x => getComputedStyle(x).opacity < 1)"
    assert page.evaluate(f"() => {{ {opens}; return {faint}.length; }}") == 0  # at once
    frames = "all => all.filter(box => getComputedStyle(box).breakInside !== 'auto').length"
    assert page.locator("main .cell_input, main .cell_input *").evaluate_all(frames) == 0
    assert folded and page.locator("details:not([open])").count() == 0
    assert page.locator("html").get_attribute("data-theme") == "light"
    scrolls = "all => all.filter(box => box.scrollWidth > box.clientWidth).length"
    assert page.locator("main pre").evaluate_all(scrolls) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_mathematics_is_set(opened):
    unset = "all => all.filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
    assert opened.all(".math", unset) == []
    unread = "all => all.filter(m => !m.querySelector('mjx-assistive-mml math')).length"
    assert opened.all(".math", unread) == 0
    text = opened.page.locator("main").inner_text()
    code = "".join(opened.all("main pre, main code", "all => all.map(c => c.innerText)"))
    for leftover in (r"\(", r"\[", "$$", r"\begin{"):
        assert text.count(leftover) == code.count(leftover), f"{leftover} is left over"


def proofs(path):
    """Return the names of the derivations of a chapter: that of a cell, and a number if it has more."""
    shown = honesty.read_chapter(path).shown("text/plain")
    names = [f"proof-{cell['id']}" for cell, text in shown if text.startswith("Derivation of ")]
    for place, name in enumerate(names):
        count = names[: place + 1].count(name)
        yield f"{name}-{count}" if count > 1 else name


@pytest.mark.parametrize("path", honesty.pages(".ipynb"), ids=lambda path: path.stem)
def test_a_derivation_has_an_address_made_of_its_cell_s_name(html, path):
    page = (html / "book" / f"{path.stem}.html").read_text("utf-8")
    names = re.findall('<div class="[^"]*math[^"]*" id="(proof-[^"]+)">', page)
    assert names == list(proofs(path))
    assert all(f'<a class="headerlink" href="#{name}"' in page for name in names)


def test_the_link_of_a_derivation_is_seen_by_pointer_and_keyboard(visit):
    page = visit("book/sigmoid.html", viewport=WIDE, java_script_enabled=False).page
    proof = page.locator("#proof-log-odds")
    link = proof.locator(".headerlink")
    expect(link).to_have_css("opacity", "0")
    proof.hover()
    expect(link).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    link.focus()
    expect(link).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sigmoid.html#proof-log-odds$"))


def test_a_word_shows_its_meaning_by_pointer_and_keyboard(visit):
    page = visit("book/training.html", viewport=WIDE).page
    word = page.locator("a.term", has_text="epoch")
    card = "word => getComputedStyle(word, '::after').content"
    meaning = word.get_attribute("data-meaning")
    assert meaning == "One pass through all training samples." and word.evaluate(card) == "none"
    word.hover()
    assert meaning in word.evaluate(card)
    page.mouse.move(0, 0)
    assert word.evaluate(card) == "none"
    page.keyboard.press("Tab")  # what follows is focused as if by keyboard
    word.focus()
    assert meaning in word.evaluate(card)
    assert page.locator("a.term", has_text="accuracy").count() == 0  # explained on this page
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_formula_that_is_referred_to_has_a_number(visit):
    page = visit("book/binary_crossentropy.html", viewport=WIDE).page
    link = page.get_by_role("link", name="(1)", exact=True)
    target = page.locator(link.get_attribute("href"))
    assert target.locator(".eqno").inner_text().startswith("(1)")


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_menus_open_close_and_lead_on(visit, width):
    seen = visit(PAGES[0], viewport={"width": width, "height": 844})
    check_menu(seen.page, "Toggle secondary sidebar", ".page-toc", width)
    assert seen.faults == []
    seen.go(PAGES[0], seen.page.viewport_size)
    check_menu(seen.page, "Toggle primary sidebar", ".bd-links", width)
    assert seen.faults == []


def check_menu(page, name, panel, width):
    """A panel that lies over the page is closed by a tap beside it, any other by its button."""
    entry = page.locator(f"{panel} a").last
    button, overlay = page.get_by_role("button", name=name), page.locator("dialog[open]")

    def toggle():
        shown = entry.is_visible()
        if overlay.count():
            box = overlay.bounding_box()
            page.mouse.click((box["x"] or width + box["width"]) / 2, 400)
        else:
            button.click()
        expect(entry).to_be_visible(visible=not shown)

    at_first = entry.is_visible()
    if button.is_visible():
        toggle()
        toggle()
    if not at_first:
        toggle()
    target = entry.evaluate("link => link.href")
    entry.click()
    expect(page).to_have_url(target)
    section = urldefrag(target).fragment
    expect(page.locator(f"#{section}" if section else ".bd-article h1")).to_be_in_viewport()


PLAYERS = [
    f"{path.relative_to(honesty.ROOT).with_suffix('')}.html"
    for path in honesty.pages(".ipynb")
    if any("<figure" in html for _, html in honesty.read_chapter(path).shown("text/html"))
]
IN_SIGHT = "all => all.flatMap((e, i) => e.checkVisibility() ? [i] : [])"


def test_there_is_a_player():
    assert PLAYERS


@pytest.mark.parametrize("name", PLAYERS)
def test_slider_changes_the_frame(visit, name):
    """By keyboard and by assistive technology; each player moves alone."""
    seen = visit(name, viewport=WIDE)
    # A second copy on the same page, made as the page's own was: its script runs where it stands.
    seen.page.evaluate(
        """() => {
            const one = document.querySelector(".player"), other = one.cloneNode(true);
            const script = document.createElement("script");
            script.textContent = other.querySelector("script").textContent;
            other.querySelector("script").replaceWith(script);
            one.after(other);
        }"""
    )
    players = seen.page.locator(".player")
    count = players.first.locator("figure").count()
    first, other = players.nth(0), players.nth(1)
    slider = first.get_by_role("slider", name="Slide through the frames")

    def shown(player):
        return player.locator("figure").evaluate_all(IN_SIGHT)

    assert shown(first) == shown(other) == [count - 1]
    slider.focus()
    keys = ("Home", 0), ("ArrowRight", 1), ("End", count - 1), ("ArrowLeft", count - 2)
    for viewport in (WIDE, PHONE):
        seen.page.set_viewport_size(viewport)
        for key, frame in keys:
            seen.page.keyboard.press(key)
            assert shown(first) == [frame] and shown(other) == [count - 1]
            caption = first.locator("figcaption").nth(frame).inner_text()
            assert caption and slider.get_attribute("aria-valuetext") == caption
            assert first.locator("img").nth(frame).bounding_box()["height"] > 100
    other.get_by_role("slider").fill("0")
    assert shown(first) == [count - 2] and shown(other) == [0]
    assert seen.faults == []


@pytest.mark.parametrize("name", sorted({*PLAYERS, *RETRAINED}))
def test_without_javascript_stills_and_fingerprints_are_shown(visit, name):
    page = visit(name, viewport=WIDE, java_script_enabled=False).page
    players = page.locator(".player").all()
    assert bool(players) == (name in PLAYERS)
    for player in players:
        assert [f.is_visible() for f in player.locator("figure").all()][::-1].index(True) == 0
        assert sum(f.is_visible() for f in player.locator("figure").all()) == 1
        assert not player.locator("input").is_visible()
    offers = page.locator(".retrain").all()
    assert len(offers) == (name in RETRAINED)
    for offer in offers:
        assert offer.get_attribute("data-sha256") in offer.inner_text()
        assert offer.get_by_role("button").count() == 0
    assert page.locator(".trial img").is_visible() == (name in TRIED)


class Anchors(HTMLParser):
    """The anchors of a page, and what its links point at."""

    def __init__(self, html):
        super().__init__()
        self.names, self.targets = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.names.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.targets.append(attributes["href"])


def test_links_lead_somewhere(html):
    """Every link within the book finds its page, and on it its anchor."""
    pages = {name: Anchors((html / name).read_text("utf-8")) for name in PAGES}
    lost = []
    for name, page in pages.items():
        for link in page.targets:
            address = urlsplit(urljoin(name, link))
            if address.scheme:  # of another site
                continue
            path, anchor = unquote(address.path), unquote(address.fragment)
            known = not anchor or path not in pages or anchor in pages[path].names
            if not (html / path).exists() or not known:
                lost.append(f"{name}: {link}")
    assert lost == []
    assert any("#" in link for link in pages[PAGES[0]].targets), "no link was found"


def test_opening_page_is_found_from_the_root(visit):
    assert visit("index.html").page.url.endswith(PAGES[0])


def test_search_works_offline(visit):
    seen = visit("search.html?q=gradient")
    seen.page.wait_for_selector("#search-results li")
    assert seen.faults == []


def test_every_public_name_is_in_the_reference_with_its_source(html):
    page = (html / "book" / "api.html").read_text("utf-8")
    anchors = set(re.findall(r'id="nnfs_book\.[\w.]+\.(\w+)"', page))
    tables = {name for name in nnfs_book.__all__ if isinstance(getattr(nnfs_book, name), dict)}
    assert set(nnfs_book.__all__) - tables <= anchors
    assert page.count("viewcode-link") > 100


# The whole book as one file


@pytest.fixture(scope="module")
def epub(html, tmp_path_factory):
    path = tmp_path_factory.mktemp("epub") / "book.epub"
    bound(html, path)
    return path


@pytest.mark.slow
def test_electronic_book_is_whole(epub):
    """Links and pictures are in it, formulas are MathML, and nothing wants to be run or unfolded."""
    with zipfile.ZipFile(epub) as book:
        assert book.namelist()[0] == "mimetype"
        files = {name: book.read(name) for name in book.namelist()}
    kinds = (".xhtml", ".svg")
    trees = {n: ElementTree.fromstring(text) for n, text in files.items() if n.endswith(kinds)}
    marks = {
        name: {(part.tag.rpartition("}")[2], part.get("id")) for part in tree.iter()}
        for name, tree in trees.items()
    }
    assert not {"script", "details", "button"} & {tag for all in marks.values() for tag, _ in all}
    assert any("math" == tag for tag, _ in marks["book/sigmoid.xhtml"])
    lost = []
    for name, tree in trees.items():
        for link in (part.get("href") or part.get("src") for part in tree.iter()):
            address = urlsplit(urljoin(name, link or ""))
            known = {anchor for _, anchor in marks.get(address.path, ())} | {""}
            if not address.scheme and (address.path not in files or address.fragment not in known):
                lost.append(f"{name}: {link}")
    assert lost == []
    assert {anchor for _, anchor in marks["book/solutions.xhtml"]} >= {"sigmoid-solution-1"}


@pytest.mark.slow
def test_electronic_book_passes_epubcheck(epub):
    """By Debian's package epubcheck, which is no part of a set-up."""
    checker, java = Path("/usr/share/java/epubcheck.jar"), shutil.which("java")
    if not java or not checker.exists():
        pytest.skip("needs epubcheck, such as Debian's")
    check = subprocess.run([java, "-jar", checker, epub], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr


# Retraining


def button(seen, name):
    return seen.page.locator(".retrain").get_by_role("button", name=name)


@pytest.mark.parametrize("name", RETRAINED)
def test_a_retraining_pauses_goes_on_and_leaves_nothing_running(visit, name):
    seen = visit(name, viewport=PHONE)
    status = seen.page.locator(".retrain .status")
    assert seen.page.workers == []
    button(seen, "Train this network").press("Enter")
    expect(status).to_contain_text("epochs a second")
    button(seen, "Pause").click()
    seen.page.wait_for_timeout(300)  # for the report that was under way
    paused = status.inner_text()
    seen.page.wait_for_timeout(300)
    assert status.inner_text() == paused
    button(seen, "Go on").click()
    expect(status).not_to_have_text(paused)
    button(seen, "Cancel").click()
    expect(button(seen, "Train this network")).to_be_focused()
    expect(status).to_be_hidden()
    for _ in range(100):  # its end is reported a moment later
        if seen.page.workers:
            seen.page.wait_for_timeout(100)
    assert seen.page.workers == [] and seen.faults == []


@pytest.mark.slow
@pytest.mark.parametrize("name", RETRAINED)
def test_a_page_opened_from_its_folder_ends_in_the_fingerprint_it_shows(browser, html, name):
    faults, context = [], browser.new_context(offline=True)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((html / name).as_uri())
    wanted = page.locator(".retrain code").first.inner_text()
    page.get_by_role("button", name="Train this network").click()
    result = page.locator(".retrain .result")
    expect(result).to_have_attribute("data-same", "true", timeout=PATIENCE)
    assert wanted in result.inner_text() and faults == []
    context.close()


@pytest.mark.parametrize("name", TRIED)
def test_a_trial_is_built_on_its_page(visit, name):
    seen = visit(name, viewport=PHONE)
    assert seen.page.locator(".trial canvas").first.is_visible() and seen.faults == []


# Things to move

MOVED = [
    (f"book/{path.stem}.html", name)
    for path in honesty.pages(".ipynb")
    for _, text in honesty.read_chapter(path).shown("text/html")
    for name in re.findall(r'data-explore="(\w+)"', text)
]
KEYS = {"button": "Enter", "select": "ArrowDown", "input": "ArrowRight"}
FAINT = """(place) => {
    const light = (colour) => {
        const linear = colour.match(/[\\d.]+/g).slice(0, 3).map((v) =>
            v <= 10.3 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const style = (part) => getComputedStyle(part);
    let ground = place;
    while (style(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    const faint = (part, colour, least) => {
        const [dark, bright] = [light(colour), light(style(ground).backgroundColor)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05) < least ? [`${part.outerHTML} in ${colour}`] : [];
    };
    const all = (kinds) => [...place.querySelectorAll(kinds)];
    return [
        ...all("p, label").flatMap((part) => faint(part, style(part).color, 4.5)),
        ...all("text").flatMap((part) => faint(part, style(part).fill, 4.5)),
        ...all("circle, rect").flatMap((part) => faint(part, style(part).fill, 3)),
        ...all("path").filter((part) => part.getAttribute("stroke-width") >= 1)
            .flatMap((part) => faint(part, style(part).stroke, 3)),
    ];
}"""


def test_every_thing_to_move_has_its_place():
    assert {name for _, name in MOVED} == set(WIDGETS)


@pytest.mark.parametrize(("page", "name"), MOVED)
def test_it_is_moved_by_key_and_touch_on_a_phone(browser, html, visit, page, name):
    seen = visit(page, viewport=PHONE, has_touch=True)
    place = seen.page.locator(f"[data-explore={name}]")
    at_first = place.get_attribute("data-shown")
    control = place.locator("button, select, input").first
    control.focus()
    control.press(KEYS[control.evaluate("part => part.localName")])
    expect(place).not_to_have_attribute("data-shown", at_first)
    expect(seen.page).to_have_url(re.compile(rf"#{name}\."))
    address, moved = f"{page}#{urldefrag(seen.page.url).fragment}", place.get_attribute("data-shown")
    place.get_by_role("button", name="Start again").tap()
    expect(place).to_have_attribute("data-shown", at_first)
    if name not in ("sums", "bug"):
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        seen.page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
        expect(place).not_to_have_attribute("data-shown", at_first)
    assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for scheme in ("dark", "light"):
        seen.page.emulate_media(color_scheme=scheme)
        expect(seen.page.locator("html")).to_have_attribute("data-theme", scheme)
        assert place.evaluate(FAINT) == []
    assert seen.faults == []
    check_address(browser, html, address, name, moved)


def check_address(browser, html, address, name, moved):
    """It brings its reader to what was moved: from a folder, too, and without a word in the console."""
    again = Visit(browser, f"{html.as_uri()}/", address, viewport=WIDE)
    place = again.page.locator(f"[data-explore={name}]")
    expect(place).to_have_attribute("data-shown", moved)
    expect(place).to_be_in_viewport()
    assert again.faults == []
    again.page.context.close()
