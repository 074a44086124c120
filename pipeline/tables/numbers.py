"""Our numbers: averaged over seeds, with their intervals and differences."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

import numpy as np

from pipeline.errors import UserError
from pipeline.tables.aliases import id_over_seeds
from pipeline.tables.results import Predictions, Result, Scored
from selfsup.statistics.intervals import Interval, bootstrap_interval, paired_difference
from selfsup.statistics.metrics import per_example


@dataclass(frozen=True)
class Measured:
    """A number over seeds, as tables print it. Fractions, or in an error's own unit; `difference` is to the reference
    run, paired by example.

    per_seed: each seed's own value. chance, ceiling, trivial: means over the seeds; a ceiling is of whoever knows the
    labels, where that is not 1. layers: the chosen one of each seed. overlap: clips that pretraining shares with each
    split of the evaluation. at_edge: whether a choice of any seed ended at an end of what was tried. ordinary, hard:
    the same number on the test clips that are not marked as hard and on those that are, where some are."""

    id: str
    run: str
    protocol: str
    seeds: tuple[int, ...]
    layers: tuple[str, ...]
    value: float
    low: float
    high: float
    chance: float | None
    ceiling: float | None
    count: int
    clips: int
    difference: Interval | None
    overlap: Mapping[str, int]
    per_seed: tuple[float, ...] = ()
    trivial: float | None = None
    at_edge: bool = False
    ordinary: Interval | None = None
    hard: Interval | None = None

    @property
    def metric(self) -> str:
        """Its name, the last part of the id."""
        return self.id.rpartition("/")[2]


Member = tuple[Result, Scored]
"""A number of one seed, and the evaluation that it is of."""


@dataclass(frozen=True)
class Examples:
    """What is drawn again: values (S, N) of each seed, clips (N,) the clip of each example."""

    values: np.ndarray
    clips: np.ndarray

    def interval(self, draws: int, seed: int) -> Interval:
        """Of the mean."""
        return bootstrap_interval(self.values, self.clips, draws=draws, seed=seed)


@dataclass(frozen=True)
class Between:
    """By how much one number is above another, by their ids; a fraction, paired by example."""

    greater: str
    lesser: str
    difference: Interval


def measure(
    results: Sequence[Result],
    *,
    references: Mapping[tuple[str, str, str], str],
    draws: int,
    seed: int,
    hard: Collection[str] = (),
) -> list[Measured]:
    """Numbers over seeds, in the order in which runs and protocols first appear in `results`.

    references: by run, dataset evaluated on and protocol, the run that differences are taken to (random
    initialisation), where it was evaluated alike. draws, seed: of the bootstrap. hard: clips that are scored apart too.
    Raises UserError where results that should be comparable were not scored on the same examples."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for result in results:
        one = result.evaluation
        for scored in one.numbers:
            key = (one.scale, one.dataset, one.run, one.on, one.protocol, scored.metric)
            groups.setdefault(key, []).append((result, scored))
    measured = []
    for (_, _, run, on, protocol, metric), members in groups.items():
        alike = {one[2]: group for one, group in groups.items() if one[3:] == (on, protocol, metric)}
        reference = references.get((run, on, protocol), run)
        baseline = alike.get(reference, []) if run != reference else []
        measured.append(_over_seeds(members, baseline, hard, draws=draws, seed=seed))
    return measured


MOST_PAIRED = 6
"""Runs that are evaluated alike of which every pair is compared; of more there would be hundreds of differences."""


def between(
    results: Sequence[Result],
    *,
    references: Mapping[tuple[str, str, str], str],
    related: Collection[frozenset[str]] = (),
    draws: int,
    seed: int,
) -> list[Between]:
    """Differences between runs that were evaluated alike, references aside, every pair once: the later in `results`
    minus the earlier. related: pairs of runs, the only ones where more than `MOST_PAIRED` were evaluated alike (a
    multi-task run and its tasks). draws, seed: of the bootstrap. Raises UserError like `measure`."""
    alike: dict[tuple[str, ...], dict[str, list[Member]]] = {}
    for result in results:
        one = result.evaluation
        if references.get((one.run, one.on, one.protocol)) == one.run:
            continue
        for scored in one.numbers:
            runs = alike.setdefault((one.scale, one.on, one.protocol, scored.metric), {})
            runs.setdefault(one.run, []).append((result, scored))
    found = []
    for runs in alike.values():
        for (name, first), (other, second) in combinations(runs.items(), 2):
            if len(runs) > MOST_PAIRED and frozenset((name, other)) not in related:
                continue
            gap = _difference(second, first, draws=draws, seed=seed)
            if gap is not None:
                greater, lesser = (
                    id_over_seeds([result.evaluation.id_of(one) for result, one in side]) for side in (second, first)
                )
                found.append(Between(greater, lesser, gap))
    return found


def _over_seeds(
    members: list[Member], baseline: list[Member], hard: Collection[str], *, draws: int, seed: int
) -> Measured:
    members = sorted(members, key=lambda member: member[0].evaluation.seed)
    estimate = _examples(members).interval(draws, seed)
    evaluations = [result.evaluation for result, _ in members]
    scored = [one for _, one in members]
    first = scored[0]
    if len(members) == 1:
        # The evaluation's own interval: the table then says what numbers.json says, digit for digit.
        estimate = replace(estimate, value=first.value, low=first.low, high=first.high)
    ids = [evaluation.id_of(one) for evaluation, one in zip(evaluations, scored, strict=True)]
    ordinary, harder = _subsets(members, hard, draws=draws, seed=seed)
    return Measured(
        id=id_over_seeds(ids),
        run=evaluations[0].run,
        protocol=evaluations[0].protocol,
        seeds=tuple(evaluation.seed for evaluation in evaluations),
        layers=tuple(one.layer for one in scored),
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        chance=_mean(one.chance for one in scored),
        ceiling=_mean(one.ceiling for one in scored),
        count=first.count,
        clips=first.clips,
        difference=_difference(members, baseline, draws=draws, seed=seed),
        overlap={
            split: max(evaluation.overlap.get(split, 0) for evaluation in evaluations)
            for split in evaluations[0].overlap
        },
        per_seed=tuple(one.value for one in scored),
        trivial=_mean(one.trivial for one in scored),
        at_edge=any(one.at_edge for one in scored),
        ordinary=ordinary,
        hard=harder,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that there are."""
    there = [value for value in values if value is not None]
    return fmean(there) if there else None


def _subsets(
    members: list[Member], hard: Collection[str], *, draws: int, seed: int
) -> tuple[Interval | None, Interval | None]:
    """On the clips that are not hard, and on those that are; neither where all are alike."""
    there = set(members[0][0].predictions[members[0][1].metric].parent)
    apart = there - set(hard), there & set(hard)
    if not all(apart):
        return None, None
    ordinary, harder = (_examples(members, only=clips).interval(draws, seed) for clips in apart)
    return ordinary, harder


def _difference(members: list[Member], baseline: list[Member], *, draws: int, seed: int) -> Interval | None:
    """Over the seeds that both runs have; None where they have none in common."""
    seeds = {result.evaluation.seed for result, _ in members} & {result.evaluation.seed for result, _ in baseline}
    if not seeds:
        return None
    # Both in one call, so that they are held to the same examples.
    pairs = [
        sorted((one for one in side if one[0].evaluation.seed in seeds), key=lambda one: one[0].evaluation.seed)
        for side in (members, baseline)
    ]
    both = _examples([*pairs[0], *pairs[1]])
    return paired_difference(both.values[: len(seeds)], both.values[len(seeds) :], both.clips, draws=draws, seed=seed)


def _examples(members: list[Member], only: Collection[str] | None = None) -> Examples:
    """Of all members, which must be scored on the same examples. only: the clips to which they are cut; what is no
    mean over examples is computed anew for them."""
    values = []
    examples: Predictions | None = None
    for result, scored in members:
        name = f"{result.evaluation.name}: {scored.metric}"
        if scored.metric not in result.predictions:
            raise UserError(f"{name}: predictions.parquet has none of this number; evaluate again")
        predictions = result.predictions[scored.metric]
        if only is not None:
            predictions = predictions.of(only)
        examples = examples or predictions
        if not np.array_equal(predictions.id, examples.id):
            raise UserError(
                f"{name}: scored on other examples than {members[0][0].evaluation.name} "
                f"({len(predictions.id)} and {len(examples.id)}); evaluate both again"
            )
        try:
            value = per_example(scored.metric)(vars(predictions))
        except ValueError as error:
            raise UserError(f"{name}: {error}") from None
        if only is None and abs(value.mean() - scored.value) > 1e-6 * max(1.0, abs(scored.value)):
            raise UserError(
                f"{name}: numbers.json says {scored.value:.6f}, its predictions say {value.mean():.6f}; evaluate again"
            )
        values.append(value)
    assert examples is not None
    return Examples(np.stack(values), np.unique(examples.parent, return_inverse=True)[1])
