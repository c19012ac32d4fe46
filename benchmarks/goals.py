"""What was wanted, beside what was measured."""

from benchmarks.configurations import CONFIGURATIONS
from benchmarks.summaries import rounded

EAGER = "PyTorch eager"


def goals(sections):
    """Return every goal with its wanted and its measured value, and whether it is met.

    Parameters
    ----------
    sections : dict
        What the sections of a run have returned, by name. A goal whose section is not there has
        the measured value None and is not met.
    """
    rows = [
        at_most("A: ours over PyTorch eager", 0.6, ratio(sections, "A", EAGER)),
        at_most("D: ours over PyTorch eager", 0.45, ratio(sections, "D", EAGER)),
        at_most("D: ours over JAX jitted", 1.0, ratio(sections, "D", "JAX jitted")),
        at_most("F: ours over PyTorch eager", 0.35, ratio(sections, "F", EAGER)),
        at_most("digits: ours over PyTorch eager", 1.0, ratio(sections, "digits", EAGER)),
        at_most(
            "784-128-128-10: ours over PyTorch eager",
            1.0,
            ratio(sections, "784-128-128-10", EAGER),
        ),
        goal("losses within the spread of seeds", "all", *losses(sections)),
    ]

    speedup = look_up(sections, "threads", "speedup", "median_ratio")
    same_bits = look_up(sections, "threads", "same_bits")
    rows.append(goal("two threads: times faster on D", ">= 1.6", speedup, at_least(speedup, 1.6)))
    rows.append(goal("two threads: the same bits", "yes", yes_or_no(same_bits), same_bits is True))

    peak = look_up(sections, "allocations", "newly_allocated_peak_bytes")
    array = look_up(sections, "allocations", "one_batch_sized_array_bytes")
    arrays = None if peak is None else rounded(peak / array)
    met = arrays is not None and arrays < 1
    rows.append(goal("new memory in an epoch, in batch-sized arrays", "< 1", arrays, met))

    for what in ("time", "memory"):
        value = look_up(sections, "linearity", f"{what}_slope")
        met = value is not None and 0.85 <= value <= 1.15
        rows.append(goal(f"slope of {what} on samples", "0.85 to 1.15", value, met))

    book = sections.get("book", {})
    rows += [
        at_most("notebooks, whole book, s", 360, book.get("notebooks_s")),
        at_most("make book, cold, s", 25, book.get("make_book_cold_s")),
        at_most("make book, one chapter changed, s", 8, book.get("make_book_one_chapter_s")),
    ]
    return rows


def goal(name, wanted, measured, met):
    """Return one row."""
    return {"goal": name, "wanted": wanted, "measured": measured, "met": met}


def at_most(name, limit, measured):
    """Return the row of a goal with an upper limit."""
    return goal(name, f"<= {limit}", measured, measured is not None and measured <= limit)


def at_least(measured, limit):
    """Tell whether something was measured and reaches a limit."""
    return measured is not None and measured >= limit


def ratio(sections, configuration, contender):
    """Return the median of our time over a contender's."""
    path = ("contenders", contender, "ours_exact_over_this", "median_ratio")
    return look_up(sections, configuration, *path)


def losses(sections):
    """Return how many losses agree, in words, and whether all do, in every configuration."""
    agree = [
        contender["loss"]["agrees"]
        for name in CONFIGURATIONS
        for contender in sections.get(name, {}).get("contenders", {}).values()
        if "agrees" in contender["loss"]
    ]
    if not agree:
        return None, False
    complete = all(name in sections for name in CONFIGURATIONS)
    return f"{sum(agree)} of {len(agree)}", complete and all(agree)


def yes_or_no(value):
    """Return a truth value as a word, None as it is."""
    return None if value is None else ("yes" if value else "no")


def look_up(tree, *keys):
    """Follow keys into a tree of dicts; return None where one is missing."""
    for key in keys:
        tree = tree.get(key)
        if tree is None:
            return None
    return tree
