"""Intervals hold what they promise: over clips by resampling, over seeds by their variance."""

import subprocess
import sys

import numpy as np
import pytest

from selfsup.statistics import intervals
from selfsup.statistics.intervals import bootstrap_interval, paired_difference, seed_variance


def slow_interval(scores: np.ndarray, clusters: np.ndarray, draws: int) -> tuple[float, float]:
    """One draw after the other, examples gathered by clip."""
    rng = np.random.default_rng(1)
    clips = np.unique(clusters)
    means = []
    for _ in range(draws):
        chosen = np.concatenate([np.flatnonzero(clusters == clip) for clip in rng.choice(clips, len(clips))])
        means.append(scores[chosen].mean())
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def test_over_clips_it_agrees_with_a_slow_and_obvious_version() -> None:
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(60), rng.integers(1, 6, size=60))
    # Clips differ: what the bootstrap must keep together has an effect. The mean is far from zero, so that draws with
    # many examples would show if they were not divided by their number.
    values = 2 + rng.normal(size=60)[clusters] + 0.3 * rng.normal(size=len(clusters))
    interval = bootstrap_interval(values, clusters, draws=10_000, seed=0)
    low, high = slow_interval(values, clusters, draws=3_000)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(low, abs=0.03)
    assert interval.high == pytest.approx(high, abs=0.03)
    assert interval.clip_error == pytest.approx((high - low) / 2 / 1.96, rel=0.1)
    assert (interval.seeds, interval.seed_error) == ((interval.value,), 0.0)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 1.0, 10.0, 100.0])
def test_it_covers_the_truth_whatever_varies_more(seeds: int, ratio: float) -> None:
    """ratio: of the variance that seeds add to a mean, to that of clips. Scores as of right and wrong answers: half of
    a clip's variance is its own, half differs by seed."""
    rng = np.random.default_rng(int(1000 * ratio) + seeds)
    clips, trials, own, residual = 150, 500, 0.125, 0.125
    of_seed = ratio * (own / clips + residual / seeds / clips) * seeds
    clusters, covered = np.arange(clips), 0
    for _ in range(trials):
        values = (
            np.sqrt(of_seed) * rng.normal(size=(seeds, 1))
            + np.sqrt(own) * rng.normal(size=clips)
            + np.sqrt(residual) * rng.normal(size=(seeds, clips))
        )
        interval = bootstrap_interval(values, clusters, draws=400, seed=0)
        covered += interval.low <= 0 <= interval.high
    # 94.7 to 97.6 % in 100,000 trials; three standard errors of 500 are 3 %.
    assert 0.92 <= covered / trials <= 0.995


def test_resampling_three_seeds_covers_far_less_than_it_promises() -> None:
    """What was done before: seeds drawn again, like clips."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        means = rng.normal(size=3)
        drawn = rng.choice(means, size=(400, 3)).mean(axis=1)
        covered += np.quantile(drawn, 0.025) <= 0 <= np.quantile(drawn, 0.975)
    assert covered / 300 < 0.85


def test_seeds_that_agree_leave_the_interval_over_clips() -> None:
    values = np.random.default_rng(0).normal(size=(1, 400)).repeat(3, axis=0)
    one = bootstrap_interval(values[0], np.arange(400), draws=2_000, seed=0)
    three = bootstrap_interval(values, np.arange(400), draws=2_000, seed=0)
    assert (three.value, three.low, three.high) == pytest.approx((one.value, one.low, one.high))
    assert three.seeds == (one.value,) * 3


def test_the_variance_of_seeds_is_that_of_a_table_worked_by_hand() -> None:
    # Means of seeds 1, 2, 6 (variance 7); residuals -1, 1, 0, 0, 1, -1 (mean square 4 / 2, of two clips: 1).
    values = np.array([[0.0, 2.0], [2.0, 2.0], [7.0, 5.0]])
    assert seed_variance(values, np.ones(2)) == pytest.approx(7 - 1)
    assert seed_variance(values * 0, np.ones(2)) == 0


def test_one_clip_is_as_certain_as_its_seeds() -> None:
    interval = bootstrap_interval(np.array([[0.2], [0.4]]), np.zeros(1, int), draws=10, seed=0)
    assert interval.seed_error == pytest.approx(0.1)
    assert interval.high - interval.value == pytest.approx(12.7062 * 0.1, abs=1e-3)


def test_an_interval_excludes_zero_where_p_is_below_five_percent() -> None:
    rng = np.random.default_rng(3)
    agreeing = 0
    for shift in np.linspace(0, 0.2, 200):
        values = shift + rng.normal(size=(3, 400)) + rng.normal(size=(3, 1)) * 0.02
        interval = bootstrap_interval(values, np.arange(400), draws=1_000, seed=0)
        agreeing += (interval.p_of_zero() < 0.05) == (interval.low > 0 or interval.high < 0)
    assert agreeing >= 196


def test_p_of_a_difference_without_spread_is_all_or_nothing() -> None:
    constant = bootstrap_interval(np.full(5, 0.5), np.arange(5), draws=10, seed=0)
    assert constant.p_of_zero() == 0
    assert bootstrap_interval(np.zeros(5), np.arange(5), draws=10, seed=0).p_of_zero() == 1


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
    assert (ten_times.value, ten_times.low, ten_times.high) == pytest.approx((once.value, once.low, once.high))
    assert ten_times.clip_error == pytest.approx(once.clip_error)


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
    assert (parts.value, parts.low, parts.high) == pytest.approx((kept.value, kept.low, kept.high))


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
