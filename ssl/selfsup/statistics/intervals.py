"""Confidence intervals from per-example scores, by bootstrap over clips. numpy only: the report needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Entries of the (draws, clusters) matrix of weights that are drawn at once. Four such matrices are kept at most.
ENTRIES_AT_ONCE = 4_000_000

Resampling = tuple[np.ndarray, np.ndarray]
"""How often each clip (draws, clips), and by what share each seed (draws, seeds), is in a draw."""


@dataclass(frozen=True)
class Interval:
    """A mean and the 2.5th and 97.5th percentiles of its bootstrap distribution."""

    value: float
    low: float
    high: float


def bootstrap_interval(values: np.ndarray, clusters: np.ndarray, *, draws: int, seed: int) -> Interval:
    """The mean of per-example scores with its 95 % percentile interval (Efron and Tibshirani 1993, chapter 13).

    values: (N,), or (S, N) for S seeds, whose mean over seeds and examples it is then. clusters: (N,) int, the clip
    of each example: the examples of a clip depend on one another and are drawn together. Every draw takes as many
    clips as there are, with replacement, and as many seeds; with few seeds, or few clips, the interval is too short.
    Raises ValueError for shapes that do not fit, no examples, or scores that are not finite.
    """
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    clusters = np.asarray(clusters)
    if values.ndim != 2 or clusters.shape != values.shape[1:]:
        raise ValueError(f"values must be (N,) or (S, N), clusters (N,): got {values.shape} and {clusters.shape}")
    if values.size == 0 or draws < 1:
        raise ValueError(f"an interval needs examples and draws: got {values.shape} values and {draws} draws")
    if not np.isfinite(values).all():
        raise ValueError(f"{(~np.isfinite(values)).sum()} of {values.size} scores are not finite")
    _, membership = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(membership)
    sums = np.stack([np.bincount(membership, weights=scores) for scores in values])
    seeds, count = sums.shape
    resamplings = _kept if draws * count <= ENTRIES_AT_ONCE else _resamplings
    means = [
        ((times @ sums.T) * shares).sum(axis=1) / (times @ sizes)
        for times, shares in resamplings(count, seeds, draws, seed)
    ]
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def _resamplings(clips: int, seeds: int, draws: int, seed: int) -> Iterator[Resampling]:
    """All draws, as many at a time as memory is meant for."""
    rng = np.random.default_rng(seed)
    for start in range(0, draws, step := max(1, ENTRIES_AT_ONCE // clips)):
        here = min(step, draws - start)
        times = rng.multinomial(clips, np.full(clips, 1 / clips), size=here).astype(np.float64)
        yield times, rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=here) / seeds


@lru_cache(maxsize=4)
def _kept(clips: int, seeds: int, draws: int, seed: int) -> tuple[Resampling, ...]:
    """The same, not drawn anew: most numbers of a report are of the same number of clips, and drawing takes far longer
    than weighing."""
    return tuple(_resamplings(clips, seeds, draws, seed))


def paired_difference(
    first: np.ndarray, second: np.ndarray, clusters: np.ndarray, *, draws: int, seed: int
) -> Interval:
    """How much larger the mean of `first` is than that of `second`, on the same examples and in the same draws.

    first, second: (N,), or (S, N) both, seed by seed; clusters: (N,). The means of one draw are linear in the scores,
    so drawing the same clips for both is drawing their differences. Raises ValueError like `bootstrap_interval`.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"a paired difference needs the same seeds and examples: got {first.shape} and {second.shape}")
    return bootstrap_interval(first - second, clusters, draws=draws, seed=seed)
