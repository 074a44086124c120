import subprocess
import sys

import numpy as np
import pytest

from selfsup.statistics import intervals
from selfsup.statistics.intervals import bootstrap_interval, paired_difference


def slow_interval(values: np.ndarray, clusters: np.ndarray, draws: int) -> tuple[float, float]:
    """One draw after the other, examples gathered by clip."""
    rng = np.random.default_rng(1)
    clips = np.unique(clusters)
    means = []
    for _ in range(draws):
        chosen = np.concatenate([np.flatnonzero(clusters == clip) for clip in rng.choice(clips, len(clips))])
        seeds = rng.integers(len(values), size=len(values))
        means.append(values[np.ix_(seeds, chosen)].mean())
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def test_agrees_with_a_slow_and_obvious_version() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(60), rng.integers(1, 6, size=60))
    # Clips differ, and so do seeds: what the bootstrap must keep together has an effect.
    # The mean is far from zero, so that draws with many examples would show if they were not divided by their number.
    values = (
        2 + rng.normal(size=60)[clusters] + 0.3 * rng.normal(size=(3, len(clusters))) + np.array([[0], [0.1], [0.2]])
    )
    interval = bootstrap_interval(values, clusters, draws=10_000, seed=0)
    low, high = slow_interval(values, clusters, draws=3_000)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(low, abs=0.03)
    assert interval.high == pytest.approx(high, abs=0.03)


def test_of_independent_hits_is_the_binomial_interval() -> None:
    values = (np.arange(1000) < 300).astype(float)
    interval = bootstrap_interval(values, np.arange(1000), draws=20_000, seed=0)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert interval.value == 0.3
    assert interval.low == pytest.approx(0.3 - half, abs=0.002)
    assert interval.high == pytest.approx(0.3 + half, abs=0.002)


def test_copies_of_an_example_in_its_clip_add_no_certainty() -> None:
    values = (np.arange(200) < 80).astype(float)
    once = bootstrap_interval(values, np.arange(200), draws=5_000, seed=0)
    ten_times = bootstrap_interval(values.repeat(10), np.arange(200).repeat(10), draws=5_000, seed=0)
    assert ten_times == once


def test_clips_may_have_any_ids_in_any_order() -> None:
    values = np.array([1.0, 0.0, 1.0, 0.0])
    first = bootstrap_interval(values, np.array([0, 0, 1, 1]), draws=100, seed=0)
    second = bootstrap_interval(values, np.array([7, 7, 900, 900]), draws=100, seed=0)
    assert first == second


def test_seeds_that_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 400)).repeat(3, axis=0)
    agreeing = bootstrap_interval(values, np.arange(400), draws=4_000, seed=0)
    shifts = np.array([[-0.5], [0], [0.5]])
    disagreeing = bootstrap_interval(values + shifts, np.arange(400), draws=4_000, seed=0)
    assert disagreeing.high - disagreeing.low > 2 * (agreeing.high - agreeing.low)


def test_the_seed_alone_decides() -> None:
    values = np.random.default_rng(0).normal(size=50)
    first, again, other = (bootstrap_interval(values, np.arange(50), draws=200, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_draws_that_are_too_many_for_memory_agree_with_those_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    values, clips = np.random.default_rng(0).random((3, 50)), np.arange(50)
    kept = bootstrap_interval(values, clips, draws=20_000, seed=0)
    monkeypatch.setattr(intervals, "ENTRIES_AT_ONCE", 5_000)
    parts = bootstrap_interval(values, clips, draws=20_000, seed=0)
    assert parts != kept  # drawn in another order
    assert (parts.value, parts.low, parts.high) == pytest.approx((kept.value, kept.low, kept.high), abs=0.002)


def test_a_difference_is_paired() -> None:
    rng = np.random.default_rng(0)
    clusters = np.arange(300)
    second = rng.normal(size=300)
    first = second + 0.1 + 0.01 * rng.normal(size=300)
    difference = paired_difference(first, second, clusters, draws=2_000, seed=0)
    # Apart, each mean is uncertain by about .11; their difference is not.
    assert difference.value == pytest.approx(0.1, abs=0.002)
    assert difference.high - difference.low < 0.005


def test_a_difference_uses_the_same_draws_for_both() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 3, 80))
    clusters = np.arange(80) // 2
    there = paired_difference(first, second, clusters, draws=500, seed=0)
    back = paired_difference(second, first, clusters, draws=500, seed=0)
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))


@pytest.mark.parametrize(
    ("values", "clusters", "complaint"),
    [
        (np.zeros(3), np.zeros(2, int), "values must be"),
        (np.zeros(0), np.zeros(0, int), "needs examples"),
        (np.array([0.0, np.nan]), np.arange(2), "1 of 2 scores are not finite"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: np.ndarray, clusters: np.ndarray, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        bootstrap_interval(values, clusters, draws=10, seed=0)


def test_a_difference_of_unlike_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="the same seeds and examples"):
        paired_difference(np.zeros((3, 4)), np.zeros((1, 4)), np.arange(4), draws=10, seed=0)


def test_the_report_can_use_intervals_without_torch() -> None:
    code = "import sys, selfsup.statistics.intervals, selfsup.statistics.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
