"""The page for lecturers speaks of chapters and exercises that there are."""

import re

import honesty

PAGE = (honesty.BOOK / "for_lecturers.md").read_text("utf-8")
CHAPTERS = dict(re.findall(r"(?m)^\| (\d+) \| \[[^]]*\]\((\w+)\.ipynb\)", PAGE))
WEEKS = re.findall(r"(?m)^\| \d+ \| ([\d, ]+) \| [^|]* \| ([^|]*) \|$", PAGE)
TITLE = re.compile(r"(?m)^\*\*\d+\.? (?:[○◐●] )?(?:✎ )?(.*?)\.?\*\*")


def titles(name):
    """The titles of the exercises of a chapter."""
    cells = honesty.read_chapter(honesty.BOOK / f"{name}.ipynb").notebook["cells"]
    text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    return set(TITLE.findall(text))


def test_every_chapter_is_in_the_tables():
    parts = [part for part in honesty.read_toc()["parts"] if part.get("numbered")]
    count = sum(len(part["chapters"]) for part in parts)
    assert list(CHAPTERS) == [str(number) for number in range(1, count + 1)]
    others = re.findall(r"(?m)^\| (\d+) \|(?: [^|]+ \|){4}$", PAGE)
    assert others[-len(CHAPTERS) :] == list(CHAPTERS)


def test_the_courses_keep_to_their_chapters():
    assert len(WEEKS) == 6 + 12
    for chapters, exercises in WEEKS:
        named = re.findall(r"(?:^|; )(\d+): ", exercises)
        assert named and set(named) <= set(chapters.split(", ")) <= set(CHAPTERS), exercises
    whole = [number for chapters, _ in WEEKS[6:] for number in chapters.split(", ")]
    assert whole == [str(number) for number in range(1, 19)]


def test_the_exercises_to_set_are_in_their_chapters():
    checked = 0
    for _, exercises in WEEKS:
        for number, asked in re.findall(r"(?:^|; )(\d+): ([^;]+)", exercises):
            if (honesty.BOOK / f"{CHAPTERS[number]}.ipynb").exists():
                wanted = set(re.findall(r"\*([^*]+)\*", asked))
                assert wanted <= titles(CHAPTERS[number]), number
                checked += len(wanted)
    assert checked
