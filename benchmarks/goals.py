"""What was wanted, beside what was measured."""

from benchmarks.configurations import CONFIGURATIONS

RATIOS = {  # our time over theirs, at most
    "A": {"PyTorch eager": 0.30, "JAX jitted": 1.0},
    "D": {"PyTorch eager": 0.45, "JAX jitted": 0.70},
    "F": {"PyTorch eager": 0.35, "JAX jitted": 0.50},
    "digits": {"PyTorch eager": 0.55, "JAX jitted": 1.8},
    "784-128-128-10": {"PyTorch eager": 1.2, "JAX jitted": 2.2},
}


def goals(sections):
    """Return every goal with its wanted and its measured value, and whether it is met.

    Parameters
    ----------
    sections : dict
        What the sections of a run have returned, by name. A goal whose section is not there has
        the measured value None and is not met.
    """
    rows = []
    for name, limits in RATIOS.items():
        for contender, limit in limits.items():
            path = name, "contenders", contender, "ours_over_this", "median_ratio"
            goal = f"{name}: ours over {contender}"
            rows.append(at_most(goal, limit, look_up(sections, *path)))
    rows.append(all_of("losses within the spread of seeds", losses(sections)))
    rows.append(all_of("compiled and reference: the same bits", bits(sections)))

    for what in ("time", "memory"):
        value = look_up(sections, "linearity", f"{what}_slope")
        met = value is not None and 0.85 <= value <= 1.15
        rows.append(row(f"slope of {what} on samples", "0.85 to 1.15", value, met))

    first_use = sections.get("first_use", {})
    rows.append(at_most("first use: s of compiling", 30, first_use.get("compiling_s")))
    announced = first_use.get("announced_once")
    said = {None: None, True: "yes", False: "no"}[announced]
    rows.append(row("first use: announced, once", "yes", said, announced is True))
    rows.append(at_most("later starts: s more than without", 1, first_use.get("later_s_more")))
    return rows


def row(goal, wanted, measured, met):
    """Return one row."""
    return {"goal": goal, "wanted": wanted, "measured": measured, "met": met}


def at_most(goal, limit, measured):
    """Return the row of a goal with an upper limit."""
    return row(goal, f"<= {limit}", measured, measured is not None and measured <= limit)


def all_of(goal, found):
    """Return the row of a goal that is met if all of some truths hold; None is a missing one."""
    known = [truth for truth in found if truth is not None]
    measured = f"{sum(known)} of {len(found)}" if known else None
    return row(goal, "all", measured, bool(known) and sum(known) == len(found))


def losses(sections):
    """Return of each contender that is compared whether its loss agrees, None for what is missing."""
    missing, found = {"": {"loss": {"agrees": None}}}, []
    for name in CONFIGURATIONS:
        contenders = look_up(sections, name, "contenders") or missing
        found += [row["loss"]["agrees"] for row in contenders.values() if "agrees" in row["loss"]]
    return found


def bits(sections):
    """Return for each configuration whether the bits agree, None for what is missing."""
    return [
        look_up(sections, name, "compiled_and_reference_same_bits") for name in CONFIGURATIONS
    ]


def look_up(tree, *keys):
    """Follow keys into a tree of dicts; return None where one is missing."""
    for key in keys:
        tree = tree.get(key)
        if tree is None:
            return None
    return tree
