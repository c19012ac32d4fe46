"""The parts of a run: each measures one thing and returns it as a dict for results.json."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks import workers
from benchmarks.configurations import CONFIGURATIONS, A, D, spiral
from benchmarks.contenders import CONTENDERS, Ours
from benchmarks.summaries import median_ms, ratios, rounded, slope, summary
from benchmarks.unavoidable import unavoidable
from benchmarks.workers import Worker
from nnfs_book.arithmetic import use_threads

STARTS = 5  # fresh processes for all contenders
OUR_SEEDS = 20  # their losses span the range
THEIR_SEEDS = 5  # the median of these has to lie in it
LONG = 100  # epochs of a turn with threads
LOSS_EPOCHS = 200  # after which losses and bits are compared
NEVER = 2**62
WHOLE, FRESH, AT_ONCE = {"BLOCK": NEVER}, {"LARGE": NEVER}, {"NARROW": 0}
STEPS = {  # what is switched off: constants of the arithmetic; and whether nothing is left out
    "whole arrays, fresh memory": (WHOLE | FRESH | AT_ONCE, True),
    "no gradient that nobody asks for": (WHOLE | FRESH | AT_ONCE, False),
    "memory used again": (WHOLE | AT_ONCE, False),
    "narrow products by vectors": (WHOLE, False),
    "blocks that fit the cache": ({}, False),
}
SIZES = (300, 3_000, 30_000, 300_000)


def side_by_side(name, rounds):
    """Time all contenders on a configuration in turn, and compare memory and losses.

    Each waits in a process of its own. In a round each trains a few epochs, one contender after
    the other; the round's figure is the median of these epochs. Ratios are taken within a round.
    The unavoidable calls take their turn too, and so do ours once more, part by part.

    All processes are started anew several times, because some are fast or slow for as long as
    they live: whether memory that is freed and wanted again costs page faults is decided by where
    their first allocations happen to lie.
    """
    configuration = CONFIGURATIONS[name]
    times, parts, calls, memory = {}, {}, {}, {}
    for start in range(STARTS):
        with ExitStack() as stack:
            running, absent = start_all(configuration, stack)
            bare = stack.enter_context(Worker())
            for _ in range(rounds):
                for contender, worker in running.items():
                    seconds = worker(workers.time_epochs, configuration.timed_epochs)
                    times.setdefault(contender, []).append(median_ms(seconds))
                seconds = running[Ours.name](workers.time_parts, configuration.timed_epochs)
                for part, values in seconds.items():
                    parts.setdefault(part, []).append(median_ms(values))
                for part, call, ms in bare(unavoidable, configuration):
                    calls.setdefault((part, call), []).append(ms)
            for contender, worker in running.items():
                memory.setdefault(contender, []).append(worker(workers.peak_megabytes))
            if start == STARTS - 1:
                losses = compare_losses(configuration, running)
    calls = [(*key, float(np.median(ms))) for key, ms in calls.items()]

    contenders = {}
    for contender in running:
        ours = ratios(times[Ours.name], times[contender])
        contenders[contender] = {
            "epoch": summary(times[contender], "ms"),
            "ours_exact_over_this": summary(ours, "ratio"),
            "peak_memory_mb": None
            if None in memory[contender]
            else rounded(max(memory[contender])),
            "loss": losses["contenders"][contender],
        }
        if differs := CONTENDERS[contender].differs(configuration):
            contenders[contender]["differs"] = differs
    return {
        "layer_sizes": list(configuration.sizes),
        "batch_size": configuration.batch_size or "all samples",
        "starts": STARTS,
        "rounds_per_start": rounds,
        "epochs_per_round": configuration.timed_epochs,
        "contenders": contenders,
        "not_available": absent,
        "loss_after_epochs": LOSS_EPOCHS,
        "our_loss_range": losses["range"],
        "unavoidable": [
            {"part": part, "call": call, "epoch_ms": rounded(ms)} for part, call, ms in calls
        ],
        "unavoidable_sum_ms": rounded(sum(ms for _, _, ms in calls)),
        "ours_by_part": {part: summary(ms, "ms") for part, ms in parts.items()},
    }


def start_all(configuration, stack):
    """Return the workers of the contenders that run, warmed up, and why the others do not."""
    running, absent = {}, {}
    for name, contender in CONTENDERS.items():
        if not contender.takes_part(configuration):
            absent[name] = "cannot do this work"
            continue
        worker = stack.enter_context(Worker())
        try:
            worker(workers.import_peers, name, configuration)
            worker(workers.build, name, configuration, 0)
            worker(workers.time_epochs, 3)
            running[name] = worker
        except Exception as error:  # whatever a peer raises is the reason why it is left out
            absent[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return running, absent


def compare_losses(configuration, running):
    """Ask whether each contender's loss lies within the spread that seeds give to ours.

    Where dropout masks or roundings part, losses after many epochs are never equal. So ours are
    computed for some starts, and the median of a contender's, from the first of these starts,
    has to lie between the least and the greatest of ours.
    """
    ours = losses_of(Ours.name, running[Ours.name], configuration, OUR_SEEDS)
    contenders = {}
    for name, worker in running.items():
        if not CONTENDERS[name].same_objective(configuration):
            contenders[name] = {"compared": "no, it minimises another objective"}
            continue
        theirs = ours[:THEIR_SEEDS]
        if name != Ours.name:
            theirs = losses_of(name, worker, configuration, THEIR_SEEDS)
        median = float(np.median(theirs))
        contenders[name] = {
            "median": rounded(median, digits=6),
            "agrees": min(ours) <= median <= max(ours),
        }
    return {
        "range": [rounded(min(ours), digits=6), rounded(max(ours), digits=6)],
        "contenders": contenders,
    }


def losses_of(name, worker, configuration, seeds):
    """Return the losses of trainings from several starts."""
    losses = []
    for seed in range(seeds):
        worker(workers.build, name, configuration, seed)
        losses.append(worker(workers.train, LOSS_EPOCHS))
    return losses


def threads(rounds):
    """Compare ours on D with one thread and with two: speed, and the bits of the weights.

    How much can be expected of two threads follows from what else is measured here: how much the
    cores slow each other down, when two processes that know nothing of each other train a network
    each; how much of an epoch is handed to the second thread; and what handing over costs. The
    turns are long, because two threads that collide at the interpreter's lock may go on to do so
    for dozens of epochs, and then no more.
    """
    times, hashes = {}, {}
    with ExitStack() as stack:
        running = {n: stack.enter_context(Worker(pinned=False)) for n in (1, 2, "another")}
        for n, worker in running.items():
            worker(use_threads, 2 if n == 2 else 1)
            worker(workers.build, Ours.name, D, 0)
            worker(workers.train, LOSS_EPOCHS)
            hashes[n] = worker(workers.weights_hash)
        for _ in range(STARTS * rounds):
            for n in (1, 2):
                seconds = running[n](workers.time_epochs, LONG)
                times.setdefault(n, []).append(median_ms(seconds))
            both = [running[n].pool.submit(workers.time_epochs, LONG) for n in (1, "another")]
            seconds = np.concatenate([future.result() for future in both])
            times.setdefault("beside another", []).append(median_ms(seconds))
            part, shares = running[1](workers.time_shares, D.timed_epochs)
            times.setdefault("handed over", []).append(part * times[1][-1])
            each = running[1](workers.time_handing_over)
            times.setdefault("handing over", []).append(1000 * shares * each)
    slower = ratios(times["beside another"], times[1])
    expected = [
        one / (one - share * (2 - slow) + lost)
        for one, share, slow, lost in zip(
            times[1], times["handed over"], slower, times["handing over"], strict=True
        )
    ]
    return {
        "rounds": STARTS * rounds,
        "epochs_per_round": LONG,
        "one_thread": summary(times[1], "ms"),
        "two_threads": summary(times[2], "ms"),
        "speedup": summary(ratios(times[1], times[2]), "ratio"),
        "one_thread_beside_another_process": summary(times["beside another"], "ms"),
        "handed_over": summary(times["handed over"], "ms"),
        "handed_over_times": shares,
        "handing_over": summary(times["handing over"], "ms"),
        "speedup_expected": summary(expected, "ratio"),
        "epochs_before_hashing": LOSS_EPOCHS,
        "same_bits": hashes[1] == hashes[2],
    }


def steps(rounds):
    """Time ours on D with what makes it fast switched off, and then on again, one by one.

    All variants wait in processes of their own and take turns, as the contenders do.
    """
    times, running = {}, {}
    with ExitStack() as stack:
        for name, (constants, to_the_inputs) in STEPS.items():
            worker = running[name] = stack.enter_context(Worker())
            worker(workers.build, Ours.name, D, 0)
            worker(workers.switch, constants, to_the_inputs)
            worker(workers.time_epochs, 3)
        for _ in range(STARTS * rounds):
            for name, worker in running.items():
                seconds = worker(workers.time_epochs, D.timed_epochs)
                times.setdefault(name, []).append(median_ms(seconds))
        hashes = {worker(workers.weights_hash) for worker in running.values()}
    return {
        "variants": {
            name: {
                "epoch": summary(ms, "ms"),
                "share_of_first": summary(ratios(ms, times[next(iter(STEPS))]), "ratio"),
            }
            for name, ms in times.items()
        },
        "same_bits": len(hashes) == 1,
    }


def overhead(rounds):
    """Time configuration A with three samples: what is left is the calls, not the arithmetic."""
    configuration = replace(A, name="A with three samples", make_data=partial(spiral, 1))
    times = {}
    with ExitStack() as stack:
        running, absent = start_all(configuration, stack)
        for _ in range(rounds):
            for name, worker in running.items():
                seconds = worker(workers.time_epochs, configuration.timed_epochs)
                times.setdefault(name, []).append(median_ms(seconds))
    return {
        "epoch": {name: summary(ms, "ms") for name, ms in times.items()},
        "not_available": absent,
    }


def allocations():
    """Measure what ours newly allocates in one epoch on D, after some epochs."""
    samples = len(D.make_data()[0])
    with Worker() as worker:
        worker(workers.build, Ours.name, D, 0)
        worker(workers.time_epochs, 3)
        peak = worker(workers.newly_allocated_bytes)
    return {
        "newly_allocated_peak_bytes": peak,
        "one_batch_sized_array_bytes": samples * D.sizes[1] * np.dtype(np.float32).itemsize,
    }


def linearity():
    """Measure time and memory of ours at widely different numbers of samples, as wide as D."""
    seconds, megabytes = [], []
    for samples in SIZES:
        with Worker() as worker:
            times, peak = worker(workers.grow, samples, max(5, 60_000 // samples))
        seconds.append(float(np.median(times)))
        megabytes.append(peak)
    known = None not in megabytes
    return {
        "samples": list(SIZES),
        "epoch_ms": [rounded(1000 * s) for s in seconds],
        "peak_memory_mb": [rounded(m) for m in megabytes],
        "time_slope": rounded(slope(SIZES, seconds)),
        "time_slopes_between": between(SIZES, seconds),
        "memory_slope": rounded(slope(SIZES, megabytes)) if known else None,
        "memory_slopes_between": between(SIZES, megabytes) if known else None,
    }


def between(sizes, values):
    """Return the slope from each size to the next."""
    return [rounded(slope(sizes[i : i + 2], values[i : i + 2])) for i in range(len(sizes) - 1)]
