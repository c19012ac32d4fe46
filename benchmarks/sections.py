"""The parts of a run: each measures one thing and returns it as a dict for benchmarks.json."""

from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import workers
from benchmarks.configurations import CONFIGURATIONS
from benchmarks.contenders import CONTENDERS, Ours, OursReference
from benchmarks.summaries import median_ms, ratios, rounded, slope, summary
from benchmarks.workers import Worker

OUR_SEEDS = 20  # their losses span the range
THEIR_SEEDS = 5  # the median of these has to lie in it
SIZES = (300, 3_000, 30_000, 300_000)
FIRST_USES = 3  # compilations from nothing, which take long


def side_by_side(name, starts, rounds):
    """Time all contenders on a configuration in turn, and compare memory, losses and bits.

    Each waits in a process of its own. In a round each trains a few epochs, one contender after
    the other; the round's figure is the median of these epochs. Ratios are taken within a round.

    All processes are started anew several times, because some are fast or slow for as long as
    they live: whether memory that is freed and wanted again costs page faults is decided by where
    their first allocations happen to lie. The peak of memory is a median, too, since the first
    start of all may have to compile what the later ones load.
    """
    configuration = CONFIGURATIONS[name]
    times, memory = {}, {}
    for start in range(starts):
        with ExitStack() as stack:
            running, absent = start_all(configuration, stack)
            for _ in range(rounds):
                for contender, worker in running.items():
                    seconds = worker(workers.time_epochs, configuration.timed_epochs)
                    times.setdefault(contender, []).append(median_ms(seconds))
            for contender, worker in running.items():
                memory.setdefault(contender, []).append(worker(workers.peak_megabytes))
            if start == starts - 1:
                hashes = {running[ours.name](workers.weights_hash) for ours in (Ours, OursReference)}
                losses = compare_losses(configuration, running)

    contenders = {}
    for contender in running:
        ours = ratios(times[Ours.name], times[contender])
        contenders[contender] = {
            "epoch": summary(times[contender], "ms"),
            "ours_over_this": summary(ours, "ratio"),
            "peak_memory_mb": None
            if None in memory[contender]
            else rounded(np.median(memory[contender])),
            "loss": losses["contenders"][contender],
        }
        if differs := CONTENDERS[contender].differs(configuration):
            contenders[contender]["differs"] = differs
    return {
        "layer_sizes": list(configuration.sizes),
        "batch_size": configuration.batch_size or "all samples",
        "starts": starts,
        "rounds_per_start": rounds,
        "epochs_per_round": configuration.timed_epochs,
        "contenders": contenders,
        "not_available": absent,
        "compiled_and_reference_same_bits": len(hashes) == 1,
        "loss_after_epochs": configuration.loss_epochs,
        "our_loss_range": losses["range"],
    }


def start_all(configuration, stack):
    """Return the workers of the contenders that run, warmed up, and why the others do not."""
    running, absent = {}, {}
    for name, contender in CONTENDERS.items():
        if not contender.takes_part(configuration):
            absent[name] = "cannot do this work"
            continue
        worker = stack.enter_context(Worker(contender.backend))
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
        losses.append(worker(workers.train, configuration.loss_epochs))
    return losses


def linearity():
    """Measure time and memory of ours at widely different numbers of samples, as wide as D."""
    seconds, megabytes = [], []
    for samples in SIZES:
        with Worker(Ours.backend) as worker:
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


def first_use(rounds):
    """Measure what compiling costs the first program after an installation, and those after it.

    A program starts, trains A for one epoch and ends: with nothing compiled yet, with everything
    kept from the time before, and with the reference, which is never compiled.
    """
    runs = {"first": [], "later": [], "reference": []}
    with Worker(Ours.backend) as worker, ExitStack() as stack:
        run = partial(worker, workers.time_first_step)
        run(OursReference.backend, "")  # Python compiles its own files, too
        for _ in range(FIRST_USES):
            cache = stack.enter_context(TemporaryDirectory())
            runs["first"].append(run(Ours.backend, cache))
        for _ in range(rounds):
            runs["later"].append(run(Ours.backend, cache))
            runs["reference"].append(run(OursReference.backend, cache))
    seconds = {what: [s for s, _ in results] for what, results in runs.items()}
    lines = {what: {len(said.splitlines()) for _, said in runs[what]} for what in runs}
    without = np.median(seconds["reference"])
    return {
        **{what: summary(values, "s") for what, values in seconds.items()},
        "compiling_s": rounded(np.median(seconds["first"]) - without),
        "later_s_more": rounded(np.median(seconds["later"]) - without),
        "announced_once": lines == {"first": {1}, "later": {0}, "reference": {0}},
    }
