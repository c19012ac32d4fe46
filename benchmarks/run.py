"""Time the book's network beside its peers: ``make bench``, or parts of it.

Examples
--------
::

    benchmarks/.venv/bin/python -m benchmarks.run --only A D first_use
"""

import argparse
import json
import os
import sys
from datetime import date
from functools import partial
from pathlib import Path

import nnfs_book
from benchmarks.configurations import CONFIGURATIONS
from benchmarks.goals import goals
from benchmarks.machine import machine
from benchmarks.sections import first_use, linearity, side_by_side

RESULTS = Path(nnfs_book.__file__).with_name("records") / "benchmarks.json"


def main():
    """Measure what is asked for, print it and store it; return how many losses disagree."""
    parser = argparse.ArgumentParser("python -m benchmarks.run", description=__doc__.split("\n")[0])
    parser.add_argument("--starts", type=int, default=5, help="fresh processes for all")
    parser.add_argument("--rounds", type=int, default=3, help="turns for all at each start")
    parser.add_argument("--only", nargs="+", help="some sections instead of all")
    arguments = parser.parse_args()

    sys.stdout.reconfigure(line_buffering=True)  # a run takes long; each table comes at once
    starts, rounds = arguments.starts, arguments.rounds
    measure = {name: partial(side_by_side, name, starts, rounds) for name in CONFIGURATIONS}
    measure |= {"linearity": linearity, "first_use": partial(first_use, starts * rounds)}
    wanted = arguments.only or list(measure)
    if unknown := set(wanted) - set(measure):
        parser.error(f"--only takes {', '.join(measure)}; got {', '.join(sorted(unknown))}")

    results = stored_or_new()
    for name in wanted:
        when = {"measured_on": date.today().isoformat(), "load_before": load()}
        section = measure[name]()
        results["sections"][name] = when | section
        show(name, section)
        store(results)
    show_goals(results["goals"])

    disagree = [
        f"{name}: {contender}"
        for name in CONFIGURATIONS
        for contender, row in results["sections"].get(name, {}).get("contenders", {}).items()
        if row["loss"].get("agrees") is False
    ]
    if disagree:
        print("\nLOSSES OUTSIDE THE SPREAD OF SEEDS: not the same work", *disagree, sep="\n  ")
    return len(disagree)


def load():
    """Return how many processes wanted to run in the last minute, None if not known."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def stored_or_new():
    """Return the stored results if they are this machine's, so that sections can replace theirs."""
    here = machine()
    if RESULTS.exists():
        stored = json.loads(RESULTS.read_text())
        if stored["machine"] == here:
            return stored
        print("benchmarks.json comes from another machine or other versions: all of it is replaced\n")
    return {"machine": here, "sections": {}, "goals": []}


def store(results):
    """Write benchmarks.json, the goals judged anew."""
    results["goals"] = goals(results["sections"])
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def show(name, section):
    """Print a section: contenders as a table, everything else line by line."""
    print(f"\n{name}")
    if "contenders" not in section:
        table([[key, text(value)] for key, value in section.items()])
        return
    rows = [["", "ms/epoch", "quartiles", "ours/this", "peak MB", "loss", "agrees"]]
    for contender, row in section["contenders"].items():
        epoch, ratio, loss = row["epoch"], row["ours_over_this"], row["loss"]
        rows.append(
            [
                contender,
                text(epoch["median_ms"]),
                f"{epoch['lower_quartile_ms']}-{epoch['upper_quartile_ms']}",
                text(ratio["median_ratio"]),
                text(row["peak_memory_mb"]),
                text(loss.get("median")),
                text(loss.get("agrees")),
            ]
        )
    rows += [[contender, reason] for contender, reason in section["not_available"].items()]
    table(rows)
    print("  our losses:", text(section["our_loss_range"]))
    print("  compiled and reference, same bits:", text(section["compiled_and_reference_same_bits"]))
    for contender, row in section["contenders"].items():
        if "differs" in row:
            print(f"  {contender} differs: {row['differs']}")


def show_goals(rows):
    """Print the goals."""
    print("\nGoals")
    table(
        [
            [row["goal"], row["wanted"], text(row["measured"]), "met" if row["met"] else "NOT MET"]
            for row in rows
        ]
    )


def table(rows):
    """Print rows in aligned columns."""
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    # A reason that a contender is absent may be long and must not widen the figures' column.
    widths = [min(48, max(map(len, column))) for column in zip(*rows)]
    for row in rows:
        print(("  " + "  ".join(map(str.ljust, row, widths))).rstrip())


def text(value):
    """Return a value as it is printed."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(text, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {text(v)}" for key, v in value.items())
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
